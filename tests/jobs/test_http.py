"""Http jobs against a real server: what is sent, what is made of the answer, what never leaks."""

from __future__ import annotations

import logging
import socket
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.core.job_run import JobState
from bot.jobs.fill import Filler
from bot.jobs.http import HttpRunner
from bot.process.errors import JobRefused, JobUnknown
from sensors.model.job import Job, Param

TOKEN = "tok-3f9a-very-secret"


def having(world: Any, **config: Any) -> Any:
    """The same world with other lines in the job's config; None takes one away."""
    merged = {k: v for k, v in {**world.job.config, **config}.items() if v is not None}
    world.job = replace(world.job, config=merged)
    return world


def test_the_key_and_the_headers_go_with_it(http_world: Any) -> None:
    http_world.start("effect-12")
    [seen] = http_world.risk.seen
    assert seen["headers"]["idempotency-key"] == "effect-12"
    assert seen["headers"]["authorization"] == f"Bearer {TOKEN}"
    assert seen["headers"]["content-type"] == "application/json"


def test_a_run_is_followed_to_its_good_end(http_world: Any) -> None:
    started = http_world.start()
    assert (started.state, started.external_id) == (JobState.running, "r_1")
    assert started.link == "https://risk.example/runs/r_1"
    going = http_world.runner.poll(http_world.job, "r_1")
    assert (going.state, going.again_in_s) == (JobState.running, 2.0)
    http_world.risk.state = {
        "state": "SUCCEEDED",
        "message": "risk 0.91 → 0.40",
        "link": "https://risk.example/r_1",
    }
    ended = http_world.runner.poll(http_world.job, "r_1")
    assert (ended.state, ended.outcome) == (JobState.succeeded, "risk 0.91 → 0.40")
    assert ended.link == "https://risk.example/r_1"
    assert "authorization" in http_world.risk.seen[-1]["headers"]


def test_a_run_is_followed_to_its_bad_end(http_world: Any) -> None:
    http_world.risk.state = {"state": "failed", "message": "the model\nis \u202eaway" + "!" * 900}
    ended = http_world.runner.poll(http_world.job, "r_1")
    assert ended.state is JobState.failed
    assert ended.outcome.startswith("the model is away!!!")
    assert len(ended.outcome) == 300


def test_paths_and_words_are_the_jobs_own(http_world: Any) -> None:
    poll = {
        "url": "${PATROL_RISK_URL}/runs/{id}",
        "every": "5s",
        "state": "run.phase",
        "done": "ok",
        "message": "run.says.0",
    }
    having(http_world, poll=poll)
    http_world.risk.state = {"run": {"phase": "ok", "says": ["fine", "really"]}}
    ended = http_world.runner.poll(http_world.job, "r_1")
    assert (ended.state, ended.outcome, ended.again_in_s) == (JobState.succeeded, "fine", 5.0)


def test_without_polling_the_answer_is_the_outcome(http_world: Any) -> None:
    having(http_world, poll=None, message="state")
    ended = http_world.start()
    assert (ended.state, ended.outcome) == (JobState.succeeded, "running")
    assert ended.link == "https://risk.example/runs/r_1"


def test_an_answer_without_a_sentence_is_told_by_its_status(http_world: Any) -> None:
    assert having(http_world, poll=None).start().outcome == "202 Accepted"


@pytest.mark.parametrize("mood", ["huge", "shapeless"])
def test_a_run_that_cannot_be_followed_is_not_called_well(http_world: Any, mood: str) -> None:
    http_world.risk.mood = mood
    lost = http_world.start()
    assert lost.state is JobState.failed
    assert "took the request (200) but gave no id to follow it by" in lost.outcome


def test_an_answer_that_says_nothing_of_the_state_is_asked_for_again(http_world: Any) -> None:
    http_world.risk.state = {}
    with pytest.raises(JobUnknown, match="answered without state"):
        http_world.runner.poll(http_world.job, "r_1")


def test_one_that_asks_to_come_again_is_asked_again(http_world: Any) -> None:
    http_world.risk.mood = "busy"
    with pytest.raises(JobUnknown, match="409 Conflict"):
        http_world.start()


def test_nobody_there(http_world: Any) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        gone = f"http://127.0.0.1:{unused.getsockname()[1]}"
        runner = HttpRunner({"PATROL_RISK_URL": gone, "PATROL_RISK_TOKEN": TOKEN})
        with pytest.raises(JobUnknown, match=r"could not be reached: .*refused"):
            runner.start(http_world.job, {"seller_id": "s_1"}, "k")


def test_a_redirect_on_the_same_host_is_followed(http_world: Any) -> None:
    assert having(http_world, url="${PATROL_RISK_URL}/moved").start().external_id == "r_1"
    assert http_world.risk.seen[0]["headers"]["idempotency-key"] == "k1"


@pytest.mark.parametrize("mood", ["redirect", "away"])
def test_a_redirect_to_another_host_is_not(http_world: Any, mood: str) -> None:
    http_world.risk.mood = mood
    with pytest.raises(JobRefused, match=r"redirects to localhost \(30[27]\): a login page\?"):
        http_world.start()


def test_values_keep_their_types_in_the_body(http_world: Any) -> None:
    params = (
        Param("seller_id"),
        Param("days", "integer", r"\d+"),
        Param("hard", "boolean"),
        Param("note", required=False),
    )
    body = {
        "seller_id": "{seller_id}",
        "days": "{days}",
        "opts": [{"hard": "{hard}"}],
        "note": "{note}",
        "why": "{days} days",
    }
    http_world.job = replace(having(http_world, body=body).job, params=params)
    http_world.start(seller_id="s_1", days="7", hard="true")
    assert http_world.risk.seen[0]["body"] == {
        "seller_id": "s_1",
        "days": 7,
        "opts": [{"hard": True}],
        "note": None,
        "why": "7 days",
    }


@pytest.mark.parametrize("value", ["../admin", "a/b", "a?b=c#d", "a%2Fb", "a b+c", "ü@x:y", "\u202e"])
def test_a_hostile_value_stays_one_piece_of_the_path(http_world: Any, value: str) -> None:
    having(http_world, url="${PATROL_RISK_URL}/sellers/{seller_id}/hold?by={seller_id}", body=None)
    http_world.start(seller_id=value)
    path, _, query = http_world.risk.seen[0]["path"].partition("?")
    before, piece, after = (
        path.removeprefix("/sellers/").rpartition("/hold")[0],
        path.count("/"),
        path.endswith("/hold"),
    )
    assert (unquote(before), piece, after) == (value, 3, True)
    assert unquote(query) == f"by={value}"


@pytest.mark.parametrize("value", [".", ".."])
def test_a_value_cannot_climb(http_world: Any, value: str) -> None:
    having(http_world, url="${PATROL_RISK_URL}/sellers/{seller_id}/hold", body=None)
    with pytest.raises(JobRefused, match="cannot be part of an address"):
        http_world.start(seller_id=value)
    assert http_world.risk.seen == []


def test_a_value_cannot_choose_the_host(http_world: Any) -> None:
    having(http_world, url="${PATROL_RISK_URL}{seller_id}", body=None)
    with pytest.raises(JobRefused, match="lets a value choose the host"):
        http_world.start(seller_id="0.evil.example")


@settings(max_examples=300, deadline=None)
@given(st.text(min_size=1, max_size=40).filter(lambda t: t not in (".", "..")))
def test_no_value_changes_the_shape_of_an_address(value: str) -> None:
    url = Filler({"HOST": "https://risk.example"}, {"x": value}).url("${HOST}/a/{x}/b?c={x}")
    head, rest = url[:23], url[23:]
    assert head == "https://risk.example/a/"
    assert (rest.count("/"), rest.count("?"), rest.count("#"), rest.count("&")) == (1, 1, 0, 0)
    assert url.isascii()


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=40))
def test_no_value_is_expanded_a_second_time(value: str) -> None:
    filler = Filler({"SECRET": "hush-hush"}, {"x": "${SECRET} {x}" + value})
    filled = filler.json({"a": "{x}", "b": "say {x}"})
    assert filled == {"a": "${SECRET} {x}" + value, "b": "say ${SECRET} {x}" + value}


@pytest.mark.parametrize("mood", ["refuse", "break", "redirect", "shapeless", "well"])
def test_no_secret_is_in_a_message_or_a_log(
    http_world: Any, mood: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    http_world.risk.mood = mood
    having(http_world, poll=None, message="error")
    try:
        told = http_world.start().outcome
    except (JobRefused, JobUnknown) as error:
        told = str(error)
    assert told
    assert TOKEN not in told + caplog.text


def test_a_secret_that_the_server_sends_back_is_struck_out(http_world: Any) -> None:
    http_world.refuse()
    with pytest.raises(JobRefused, match=r"422 .*: no such seller \(asked with \$\{PATROL_RISK_TOKEN\}\)"):
        http_world.start()


def test_a_secret_with_a_line_break_breaks_nothing(http_world: Any) -> None:
    broken = {"PATROL_RISK_URL": http_world.risk.url, "PATROL_RISK_TOKEN": "hush\nX-Admin: yes"}
    with pytest.raises(JobRefused, match="header Authorization holds a character") as caught:
        HttpRunner(broken).start(http_world.job, {"seller_id": "s_1"}, "k")
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize(
    "link",
    [
        "javascript:alert(1)",
        "https://u:p@h/x",
        "https://h/<!channel>",
        "/runs/1",
        "https://h/" + "x" * 2000,
        7,
    ],
)
def test_only_a_plain_web_address_becomes_a_link(http_world: Any, link: object) -> None:
    http_world.risk.state = {"state": "running", "link": link}
    assert http_world.runner.poll(http_world.job, "r_1").link is None


def test_an_id_from_over_there_cannot_lead_elsewhere(http_world: Any) -> None:
    with pytest.raises(JobRefused, match="cannot be part of an address"):
        http_world.runner.poll(http_world.job, "..")
    http_world.runner.poll(http_world.job, "a/../../x?y")
    assert http_world.risk.seen[-1]["path"] == "/runs/a%2F..%2F..%2Fx%3Fy"


def test_a_request_that_is_polled_for_is_not_waited_for_long(http_world: Any) -> None:
    http_world.risk.mood = "slow"
    environ = {"PATROL_RISK_URL": http_world.risk.url, "PATROL_RISK_TOKEN": TOKEN}
    impatient = HttpRunner(environ, timedelta(seconds=0.2))
    with pytest.raises(JobUnknown, match=r"did not answer within 0\.2 s"):
        impatient.start(http_world.job, {"seller_id": "s_1"}, "k1")
    http_world.risk.mood = "well"
    assert http_world.start("k1").external_id == "r_1"
    assert http_world.starts() == 1


def test_a_default_stands_where_a_variable_is_not_set(risk: Any) -> None:
    config = {"url": risk.url + "/rescore", "headers": {"Authorization": "Bearer ${NO_SUCH:-demo}"}}
    HttpRunner({}).start(Job("j", "http", "J", "payments", config), {}, "k")
    assert risk.seen[0]["headers"]["authorization"] == "Bearer demo"
