"""A job that runs elsewhere calls back at its end, over the wire: it ends once, by nobody else's word."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.routing import Route

from bot.core.job_run import JobRun, JobState
from bot.jobs.http import HttpRunner
from bot.jobs.place import Place
from bot.process import web
from bot.process.metrics import Metrics
from bot.steering.call_backs import PATH, CallBackDoor, address
from bot.steering.hooks import MOST_BYTES
from tests.jobs.serving import serving
from tests.shell.making import FILES, HOUR, SECOND, Node, World
from tests.shell.outside import ended, go_on, opened
from tests.shell.trouble import BOTH

JOB = """
rescore:
  title: Rescore
  kind: http
  owner: payments
  timeout: 2h
  url: "${RISK_URL}/rescore?tell={callback}"
  body: {notify: "{callback}"}
  called_back: {state: result.status, done: [ok, fine], failed: error, message: result.text,
    link: result.page}
"""
ASKED_TOO = JOB + "  poll: {url: '${RISK_URL}/runs/{id}'}\n  log: '${RISK_URL}/runs/{id}/log'\n"
GOOD = {"result": {"status": "OK", "text": "12 sellers rescored", "page": "https://risk.example/7"}}
BAD = {"result": {"status": "error", "text": "the model is away"}}


@dataclass
class Risk:
    """The system that does the work, and what it does while it is being asked."""

    asked: list[dict[str, Any]] = field(default_factory=list)
    polls: int = 0
    meanwhile: Callable[[str], None] = lambda _address: None

    def routes(self) -> list[Route]:
        return [
            Route("/rescore", self.rescore, methods=["POST"]),
            Route("/runs/{id}", self.poll),
            Route("/runs/{id}/log", lambda _: PlainTextResponse("loading\nno such model\n")),
        ]

    async def rescore(self, request: Request) -> JSONResponse:
        self.asked.append({**request.query_params, **await request.json()})
        self.meanwhile(self.told_at)
        return JSONResponse({"id": "r_1", "state": "queued", "link": "https://risk.example/r_1"}, 202)

    def poll(self, _: Request) -> JSONResponse:
        self.polls += 1
        return JSONResponse({"state": "running"})

    @property
    def told_at(self) -> str:
        return str(self.asked[-1]["tell"])


@dataclass
class House:
    world: World
    bot: Node
    risk: Risk

    def starts(self, key: str = "k", alert: int | None = None) -> JobRun:
        """Somebody starts it; it goes on over there."""
        job = self.bot.engine.catalog.jobs["rescore"]
        run = self.bot.starting.ask(job, "U0ANA", {}, alert, key)
        assert isinstance(run, JobRun)
        go_on(self.bot, seconds=3)
        return self.now(run)

    def now(self, run: JobRun) -> JobRun:
        found = self.bot.store.jobs.get(run.id)
        assert found
        return found

    def declares(self, job: str) -> None:
        declare(self.world, job)
        self.bot.engine.reload()
        assert "rescore" in self.bot.engine.catalog.jobs, self.bot.engine.catalog.errors


def declare(world: World, job: str) -> None:
    world.write("policies/_jobs.yml", FILES["policies/_jobs.yml"] + job)


def call(at: str, said: object) -> tuple[int, str]:
    content = said if isinstance(said, bytes) else json.dumps(said).encode()
    got = httpx.post(at, content=content, timeout=10)
    found = got.json()
    assert found["ok"] == (got.status_code < 300)
    return got.status_code, found["said"]


@pytest.fixture
def house(world: World) -> Iterator[House]:
    risk, runners = Risk(), {}
    bot = world.node(runners=lambda kind: runners[kind])
    healthy = web.Health(True, True, {})
    posts: dict[str, web.Take] = {PATH: CallBackDoor(bot.starting).take}
    handle = web.serve(web.app(lambda: healthy, Metrics().registry, posts), 0)
    with serving(risk.routes()) as there:
        place = Place(callback=partial(address, bot.store, handle.url))
        runners["http"] = HttpRunner({"RISK_URL": there}, place=place)
        found = House(world, bot, risk)
        found.declares(JOB)
        yield found
    handle.close()


def test_a_run_ends_when_its_system_calls_back_and_is_never_asked_about(house: House) -> None:
    alert = opened(house.world, house.bot)
    run = house.starts(alert=alert)
    assert (run.state, run.link) == (JobState.running, "https://risk.example/r_1")
    [asked] = house.risk.asked
    assert asked["notify"] == asked["tell"] == house.risk.told_at
    house.bot.clock.on(HOUR)
    go_on(house.bot, seconds=2)
    assert house.now(run).state is JobState.running
    assert call(house.risk.told_at, GOOD) == (202, "Job run 1 has ended: succeeded.")
    go_on(house.bot, seconds=2)
    over = house.now(run)
    assert (over.state, over.outcome) == (JobState.succeeded, "12 sellers rescored")
    assert (over.link, over.poll_at) == ("https://risk.example/7", None)
    assert len(ended(house.bot, alert)) == 1
    for said in (GOOD, BAD):
        assert call(house.risk.told_at, said) == (202, "Job run 1 had ended already: succeeded.")
    go_on(house.bot, seconds=2)
    assert (house.now(run), len(ended(house.bot, alert))) == (over, 1)
    assert house.risk.polls == 0


def test_a_call_back_that_is_quicker_than_the_answer_ends_it_too(house: House) -> None:
    house.risk.meanwhile = lambda at: print(call(at, GOOD))
    run = house.starts()
    assert (run.state, run.outcome) == (JobState.succeeded, "12 sellers rescored")
    assert run.started_at is not None
    assert len(house.risk.asked) == 1


def test_a_system_that_is_asked_as_well_may_call_back_and_its_log_is_read(house: House) -> None:
    house.declares(ASKED_TOO)
    run = house.starts()
    assert (run.external_id, house.risk.polls > 0) == ("r_1", True)
    assert call(house.risk.told_at, BAD) == (202, "Job run 1 has ended: failed.")
    go_on(house.bot, seconds=2)
    over = house.now(run)
    assert (over.state, over.outcome, over.tail) == (
        JobState.failed,
        "the model is away",
        "loading\nno such model",
    )


def test_who_never_calls_runs_out_of_time_and_is_told_so_when_he_does(house: House) -> None:
    run = house.starts()
    house.bot.clock.on(2 * HOUR + SECOND)
    go_on(house.bot, seconds=2)
    assert house.now(run).state is JobState.timed_out
    assert call(house.risk.told_at, GOOD) == (202, "Job run 1 had ended already: timed out.")
    assert house.now(run).state is JobState.timed_out


def test_each_run_has_an_address_of_its_own_that_nobody_else_can_say(house: House) -> None:
    first = house.starts("one")
    one = house.risk.told_at
    house.starts("two")
    two = house.risk.told_at
    token = two.rpartition("-")[2]
    for wrong in (
        one.replace("/runs/1-", "/runs/2-"),
        f"{one}x",
        one[:-1],
        f"{one.partition('/runs/')[0]}/runs/1-",
        f"{one.partition('/runs/')[0]}/runs/1-{token}",
        f"{one.partition('/runs/')[0]}/runs/99999999999999999999-{token}",
        f"{one.partition('/runs/')[0]}/runs/3-{token}",
        f"{one.partition('/runs/')[0]}/runs/%C3%A9",
    ):
        assert call(wrong, GOOD) == (404, "There is no such run to tell the end of.")
    assert house.now(first).state is JobState.running
    assert len(one.rpartition("/1-")[2]) >= 32
    assert httpx.get(one).status_code == 405


@BOTH
def test_of_many_calls_at_once_one_ends_it(house: House) -> None:
    run = house.starts()
    with ThreadPoolExecutor(6) as pool:
        said = list(pool.map(lambda n: call(house.risk.told_at, GOOD if n % 2 else BAD)[1], range(6)))
    assert sum("has ended" in one for one in said) == 1
    assert all(house.now(run).state.word in one for one in said)


@pytest.mark.parametrize(
    ("body", "status", "why"),
    [
        (b"{", 422, "must be a JSON object"),
        ([GOOD], 422, "must be a JSON object"),
        (b"\xff\xfe", 422, "must be a JSON object"),
        (b"", 422, "must say at result.status how the run has ended, such as ok."),
        ({"result": "ok"}, 422, "must say at result.status"),
        ({"result": {"status": None}}, 422, "must say at result.status"),
        ({"result": {"status": "at it"}}, 202, "goes on: at it is no word for an end"),
        (b'{"x": "' + b"y" * MOST_BYTES + b'"}', 413, "longer than 64,000 bytes"),
        (b"[" * 50_000, 422, "must be a JSON object"),
    ],
)
def test_what_does_not_say_an_end_ends_nothing(house: House, body: object, status: int, why: str) -> None:
    run = house.starts()
    got = call(house.risk.told_at, body)
    assert got[0] == status
    assert why in got[1]
    assert house.now(run).state is JobState.running


texts = st.one_of(st.text(max_size=8), st.sampled_from(["ok", "ERROR", "Fine", "canceled"]))


def listed(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.lists(inner, max_size=2)


values = st.recursive(st.one_of(st.none(), st.booleans(), st.integers(), texts), listed)
bodies = st.one_of(
    st.binary(max_size=40),
    values.map(lambda said: json.dumps(said).encode()),
    st.fixed_dictionaries({"status": values, "text": values}).map(
        lambda said: json.dumps({"result": said}).encode()
    ),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(bodies)
def test_whatever_is_posted_is_answered_and_only_a_word_for_an_end_ends_it(house: House, body: bytes) -> None:
    number = len(house.bot.store.jobs.of_job("rescore", 1000))
    run = house.bot.store.jobs.ask(
        "rescore", "U0ANA", {}, None, f"k{number}", house.bot.clock(), house.bot.clock() + HOUR
    )
    at = address(house.bot.store, "https://p.example", run.idempotency_key)
    path = at.removeprefix("https://p.example")
    got = CallBackDoor(house.bot.starting).take({":path": path}, body, 0.0)
    assert got.status in (202, 422)
    assert json.loads(got.body)["said"] == got.said
    try:
        word = str(json.loads(body)["result"]["status"]).strip().lower()
    except (ValueError, KeyError, TypeError):
        word = ""
    assert house.now(run).state.ended == (word in ("ok", "fine", "error", "canceled", "cancelled"))


def test_the_address_is_the_same_at_each_attempt_and_stands_in_nothing_that_people_read(house: House) -> None:
    run = house.starts()
    store, at = house.bot.store, house.risk.told_at
    token = at.rpartition("/1-")[2]
    assert address(store, at.partition("/hooks")[0] + "/", "k") == at
    said = {"result": {"status": "error", "text": f"could not reach {at} twice"}}
    call(at, said)
    go_on(house.bot, seconds=2)
    over = house.now(run)
    assert token not in repr(over)
    assert over.outcome.endswith("/hooks/runs/1-… twice")


def test_without_an_address_of_its_own_it_is_not_started_and_says_what_to_set(house: House) -> None:
    house.bot.starting.runners("http")._callback = partial(address, house.bot.store, None)  # type: ignore[attr-defined]
    run = house.starts()
    assert (run.state, house.risk.asked) == (JobState.failed, [])
    assert run.outcome == "Nobody can call back: set PATROL_URL to where others reach Patrol's port."


def test_a_job_that_is_no_longer_there_or_is_not_called_back_any_more_says_so(house: House) -> None:
    run = house.starts()
    plain = JOB.partition("  body:")[0].replace("?tell={callback}", "")
    house.declares(plain)
    assert "Rescore is not called back" in call(house.risk.told_at, GOOD)[1]
    house.world.write("policies/_jobs.yml", FILES["policies/_jobs.yml"])
    house.bot.engine.reload()
    assert call(house.risk.told_at, GOOD) == (422, "There is no job rescore in the files any more.")
    assert house.now(run).state is JobState.running
