"""A team's pager: called once, tried again with the same key, told in the thread, in nobody's way."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from bot.core.action import Acknowledge
from bot.core.change import EffectKind
from bot.jobs.http import HttpRunner
from bot.sandbox import Sandbox
from bot.shifts.pagers import GIVES_UP, Pagers
from tests.shell.delivering import opened, threaded
from tests.shell.making import DAY, ELSEWHERE, MINUTE, SECOND, Node, World
from tests.shell.trouble import BOTH

SECRET = "rk-7f3a9c2e51"
TEAM = """
payments:
  channel: C0PAYMENTS
  members:
    ana: {slack: U0ANA, roles: [responder, lead]}
    bo: {slack: U0BO}
  ladder: {medium: [{to: bo}, {after: 10m, to: pager}, {after: 30m, to: team}]}
  pager:
    url: ${PAGER_URL}/enqueue
    headers: {Authorization: "Token ${PAGER_KEY}"}
    body: {dedup_key: "{idempotency_key}", summary: "{alert} {title}", severity: "{severity}", why: "{why}"}
    timeout: 2s
"""


class Phone(BaseHTTPRequestHandler):
    """Keeps what it was asked, and answers as its mood is."""

    mood = 202
    asked: list[dict[str, Any]] = []  # noqa: RUF012  the test's own, of one server

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.asked.append({"key": self.headers["Idempotency-Key"], "body": body, "path": self.path})
        answer = json.dumps({"message": f"status {self.mood} for {self.headers['Authorization']}"}).encode()
        self.send_response(self.mood)
        self.send_header("Content-Length", str(len(answer)))
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def phone() -> Iterator[type[Phone]]:
    Phone.mood, Phone.asked = 202, []
    server = HTTPServer(("127.0.0.1", 0), Phone)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    Phone.url = f"http://127.0.0.1:{server.server_port}"  # type: ignore[attr-defined]
    yield Phone
    server.shutdown()
    server.server_close()


@pytest.fixture
def bot(town: World) -> Node:
    town.write("policies/_teams.yml", TEAM)
    return town.node()


def pagers(node: Node, phone: type[Phone] | None = None, **environ: str) -> Pagers:
    known = {"PAGER_URL": phone.url, "PAGER_KEY": SECRET} if phone else {}  # type: ignore[attr-defined]
    runner = HttpRunner({**known, **environ})
    return Pagers(node.engine, lambda _: runner)


def calls(node: Node, made: Pagers) -> int:
    """Does what is due, here and now; how many calls that were."""
    due = node.store.outbox.effects(node.clock(), kinds=(EffectKind.call_pager,))
    return sum(made.call(stored, alert) for stored, alert, _ in due)


def at_the_pager(town: World, bot: Node) -> None:
    opened(town, bot)
    bot.deliver(4)
    bot.clock.on(10 * MINUTE)
    bot.engine.sweep()


@BOTH
def test_it_rings_once_and_the_thread_says_what_it_answered(
    town: World, slack: Sandbox, bot: Node, phone: type[Phone]
) -> None:
    at_the_pager(town, bot)
    other = town.node()
    assert calls(bot, pagers(bot, phone)) + calls(other, pagers(other, phone)) == 1
    (call,) = phone.asked
    assert call["path"] == "/enqueue"
    assert call["body"]["summary"] == "ALR-1 s_1 asked 1 times"
    assert call["body"]["severity"] == "medium"
    assert call["body"]["why"].startswith("escalated to the pager: nobody has acknowledged it for 10 min")
    assert call["body"]["dedup_key"] == call["key"]
    bot.deliver(8)
    assert threaded(slack) == ["the pager was called: status 202 for Token ${PAGER_KEY}"]
    assert bot.kinds(1) == ["opened", "escalated", "pager_called"]


def test_of_a_sensitive_alert_it_is_told_the_number_alone(town: World, bot: Node, phone: type[Phone]) -> None:
    at_the_pager(town, bot)
    town.write("policies/payments/elsewhere.yml", ELSEWHERE + "sensitive: true\n")
    bot.engine.reload()
    assert calls(bot, pagers(bot, phone)) == 1
    (call,) = phone.asked
    assert call["body"]["summary"] == "ALR-1 ALR-1 is sensitive: look in Slack"
    assert call["body"]["why"] == ""
    assert "s_1" not in json.dumps(call)


def test_without_an_answer_it_is_tried_again_with_the_same_key_and_delivery_goes_on(
    town: World, slack: Sandbox, bot: Node, phone: type[Phone]
) -> None:
    at_the_pager(town, bot)
    made, phone.mood = pagers(bot, phone), 503
    assert calls(bot, made) == 1
    assert calls(bot, made) == 0  # not at once
    opened(town, bot, "s_2")
    bot.deliver(4)
    assert len(slack.messages("payments")) == 2
    phone.mood = 202
    bot.clock.on(5 * SECOND)
    assert calls(bot, made) == 1
    assert len({call["key"] for call in phone.asked}) == 1
    assert bot.kinds(1)[-1] == "pager_called"


def test_who_refuses_makes_way_for_the_next_step_at_once(
    town: World, slack: Sandbox, bot: Node, phone: type[Phone]
) -> None:
    at_the_pager(town, bot)
    made, phone.mood = pagers(bot, phone), 401
    calls(bot, made)
    assert calls(bot, made) == 0
    bot.deliver(8)
    (told,) = threaded(slack)
    assert told.startswith("<@U0ANA> <@U0BO>")
    assert "escalated to the team: the pager refused" in told
    assert SECRET not in told
    assert "401" in told


def test_a_pager_without_its_secret_says_which_variable_is_missing(
    town: World, slack: Sandbox, bot: Node
) -> None:
    at_the_pager(town, bot)
    calls(bot, pagers(bot))
    bot.deliver(8)
    assert "variable PAGER_KEY is not set where Patrol runs" in threaded(slack)[0]


def test_one_that_never_answers_is_given_up_and_the_next_step_told(
    town: World, bot: Node, phone: type[Phone]
) -> None:
    at_the_pager(town, bot)
    made, phone.mood = pagers(bot, phone), 503
    ends = bot.clock() + GIVES_UP + MINUTE
    while bot.clock() < ends:
        calls(bot, made)
        bot.clock.on(30 * SECOND)
    assert 15 <= len(phone.asked) <= 30
    assert "the pager does not answer" in bot.alert(1).last_event
    assert bot.alert(1).step == 3
    assert bot.store.outbox.effects(bot.clock(), kinds=(EffectKind.call_pager,)) == []
    assert bot.store.outbox.unpark(bot.clock(), after=timedelta(), until=DAY) == 0  # nor is it tried later


def test_whoever_acknowledges_first_spares_the_phone(town: World, bot: Node, phone: type[Phone]) -> None:
    at_the_pager(town, bot)
    bot.engine.act(1, Acknowledge("U0BO"), by="U0BO")
    calls(bot, pagers(bot, phone))
    assert phone.asked == []


def test_whoever_dies_before_he_tells_it_another_calls_with_the_same_key_and_tells_it_once(
    town: World, bot: Node, phone: type[Phone], monkeypatch: pytest.MonkeyPatch
) -> None:
    at_the_pager(town, bot)
    with monkeypatch.context() as dying:
        dying.setattr(bot.store.outbox, "end", dies)
        with pytest.raises(KeyboardInterrupt):
            calls(bot, pagers(bot, phone))
    other = town.node()
    assert calls(other, pagers(other, phone)) == 0  # its lease still holds
    bot.clock.on(MINUTE)
    assert calls(other, pagers(other, phone)) == 1
    assert [call["key"] for call in phone.asked] == ["patrol-effect-1"] * 2
    assert bot.kinds(1).count("pager_called") == 1


def dies(*_: object) -> bool:
    raise KeyboardInterrupt


def test_once_does_it_beside_everything_else(town: World, bot: Node, phone: type[Phone]) -> None:
    at_the_pager(town, bot)
    made = pagers(bot, phone)
    made.once()
    made.once()
    made.close()
    assert len(phone.asked) == 1


def test_what_is_wrong_with_a_pager_is_said_by_check(world: World, patrol: Any) -> None:
    wrong = TEAM.replace("{alert} {title}", "{alert} {titel}").replace(
        "${PAGER_URL}/enqueue", "pager.example.com"
    )
    world.write("policies/_teams.yml", wrong)
    said = patrol("check", "policies/_teams.yml").out
    assert 'body: there is no parameter "titel"; did you mean "title"?' in said
    assert "url: must begin with https://" in said
    world.write("policies/_teams.yml", TEAM.replace("${PAGER_KEY}", "rk-7f3a9c2e51"))
    assert "headers.Authorization: a secret stands in the environment only" in patrol("check").out
    for without, what in (
        (TEAM.partition("  pager:")[0], "this team has no pager; write pager: {url: ${PAGER_URL}}"),
        (TEAM.replace("timeout: 2s", "timeout: 5m"), "payments.pager.timeout: must be 1 min at most"),
        (TEAM, "warning: payments: critical alerts ring no phone"),
    ):
        world.write("policies/_teams.yml", without)
        assert what in patrol("check", "policies/_teams.yml").out
    world.write("policies/_teams.yml", TEAM.replace("medium:", "critical: [{to: pager}], medium:"))
    assert "no phone" not in patrol("check").out
