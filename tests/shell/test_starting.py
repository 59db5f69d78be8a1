"""Jobs and reruns: done once, told once, whoever dies in between. The outside system is a small double."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from bot import engine
from bot.core.action import Rerun
from bot.core.job_run import JobRun, JobState, Progress
from bot.core.reply import Person, Said
from bot.errors import JobRefused, JobUnknown
from sensors import run
from sensors.model.job import Job
from sensors.warehouse import WarehouseError
from tests.shell.making import ELSEWHERE, FILES, HOUR, MINUTE, NOON, SECOND, Node, World
from tests.shell.trouble import EVERY, HELD_NAME, failing, in_between

ANA = Person("U0ANA", "C0PAYMENTS")


class Killed(BaseException):
    """What `kill -9` would be."""


@dataclass
class Outside:
    """A system that starts things by their key. What each call answers is said by the test."""

    can_repeat: bool = True
    starts: list[str] = field(default_factory=list)
    begun: set[str] = field(default_factory=set)
    polls: int = 0
    on_start: Callable[[], Progress] = lambda: Progress(JobState.running, "x1")
    on_poll: Callable[[], Progress] = lambda: Progress(
        JobState.succeeded, outcome="done", link="https://x.example/1"
    )

    def start(self, _job: Job, _params: Mapping[str, Any], idempotency_key: str) -> Progress:
        self.starts.append(idempotency_key)
        self.begun.add(idempotency_key)
        return self.on_start()

    def poll(self, _job: Job, _external_id: str) -> Progress:
        self.polls += 1
        return self.on_poll()

    def repeatable(self, _job: Job) -> bool:
        return self.can_repeat


@pytest.fixture
def outside() -> Outside:
    return Outside()


@pytest.fixture
def bot(world: World, outside: Outside) -> Node:
    return world.node(runners=lambda _: outside)


def opened(world: World, bot: Node) -> int:
    world.table.says("s_1", bot.clock() - SECOND)
    bot.next_tick()
    return bot.alerts(EVERY)[0].id


def go_on(*nodes: Node, seconds: int = 1) -> None:
    """The chore of every process, and time."""
    for _ in range(seconds):
        for node in nodes:
            node.starting.effects()
            node.starting.jobs()
            deadline = time.monotonic() + 10
            while node.starting._at_it and time.monotonic() < deadline:
                time.sleep(0.002)
        nodes[0].clock.on(SECOND)


def ended(node: Node, alert: int) -> list[str]:
    """What was said of jobs in the alert's history."""
    return [e.story for e in node.store.alerts.history(alert) if e.kind in ("job_ended", "rerun_ended")]


def asked(bot: Node, alert: int, **params: str) -> Said:
    return bot.desk.start_job(ANA, alert, "hold_payouts", params)


def test_a_job_is_started_polled_and_told(world: World, bot: Node, outside: Outside) -> None:
    alert = opened(world, bot)
    said = asked(bot, alert)
    assert said.ok
    assert "undo: press Release" in said.hint
    go_on(bot, seconds=8)
    assert (len(outside.starts), outside.polls) == (1, 1)
    assert ended(bot, alert) == ["hold_payouts succeeded: done"]
    (run,) = bot.store.jobs.of_alert(alert)
    assert (run.state, run.params, run.by, run.poll_at) == (
        JobState.succeeded,
        {"seller_id": "s_1"},
        "U0ANA",
        None,
    )
    go_on(bot, seconds=5)
    assert len(ended(bot, alert)) == 1


def test_a_job_that_is_refused_says_why(world: World, bot: Node, outside: Outside) -> None:
    def refuse() -> Progress:
        raise JobRefused("the seller is unknown there")

    outside.on_start = refuse
    alert = opened(world, bot)
    asked(bot, alert)
    go_on(bot, seconds=3)
    assert ended(bot, alert) == ["hold_payouts failed: the seller is unknown there"]


def test_an_unknown_start_is_tried_again_with_the_same_key(world: World, bot: Node, outside: Outside) -> None:
    def unknown() -> Progress:
        if len(outside.starts) < 3:
            raise JobUnknown("no answer")
        return Progress(JobState.succeeded, outcome="held")

    outside.on_start = unknown
    alert = opened(world, bot)
    asked(bot, alert)
    go_on(bot, seconds=20)
    assert len(outside.starts) == 3
    assert len(outside.begun) == 1
    assert ended(bot, alert) == ["hold_payouts succeeded: held"]


def test_a_job_without_an_end_is_told_at_its_deadline(world: World, bot: Node, outside: Outside) -> None:
    outside.on_poll = lambda: Progress(JobState.running, "x1")
    alert = opened(world, bot)
    asked(bot, alert)
    go_on(bot, seconds=35)
    assert ended(bot, alert) == ["hold_payouts failed: no end within 30 s"]
    polls = outside.polls
    go_on(bot, seconds=10)
    assert outside.polls == polls


def test_a_poll_that_fails_is_no_end(world: World, bot: Node, outside: Outside) -> None:
    def poll() -> Progress:
        if outside.polls < 3:
            raise JobUnknown("away")
        return Progress(JobState.failed, outcome="rejected over there")

    outside.on_poll = poll
    alert = opened(world, bot)
    asked(bot, alert)
    go_on(bot, seconds=25)
    assert ended(bot, alert) == ["hold_payouts failed: rejected over there"]


def test_a_job_that_is_gone_from_the_files_is_ended(world: World, bot: Node) -> None:
    alert = opened(world, bot)
    asked(bot, alert)
    go_on(bot)
    world.write("policies/payments/elsewhere.yml", ELSEWHERE.replace("offer: [hold_payouts]\n", ""))
    world.write("policies/_jobs.yml", "{}\n")
    bot.engine.reload()
    go_on(bot, seconds=3)
    assert ended(bot, alert) == ["hold_payouts failed: its declaration is no longer there"]


def test_a_job_that_vanished_before_it_was_asked_for_is_told_once(
    world: World, bot: Node, outside: Outside
) -> None:
    alert = opened(world, bot)
    asked(bot, alert)
    world.write("policies/payments/elsewhere.yml", ELSEWHERE.replace("offer: [hold_payouts]\n", ""))
    world.write("policies/_jobs.yml", "{}\n")
    bot.engine.reload()
    go_on(bot, seconds=3)
    assert ended(bot, alert) == ["hold_payouts failed: there is no such job any more"]
    assert outside.starts == []


def test_wrong_parameters_start_nothing_and_say_which(world: World, bot: Node, outside: Outside) -> None:
    alert = opened(world, bot)
    said = asked(bot, alert, seller_id="s_1; DROP TABLE")
    assert not said.ok
    assert "seller_id must match" in said.text
    said = asked(bot, alert, sellr_id="s_1")
    assert not said.ok
    assert "sellr_id is not a parameter" in said.text
    go_on(bot, seconds=2)
    assert outside.starts == []


def test_a_hostile_row_cannot_become_a_parameter(world: World, bot: Node, outside: Outside) -> None:
    world.table.says("s_1/../../admin", bot.clock() - SECOND)
    bot.next_tick()
    said = asked(bot, bot.alerts(EVERY)[0].id)
    assert not said.ok
    assert "seller_id must match" in said.text
    assert outside.starts == []


def test_on_open_starts_its_jobs_once(world: World, bot: Node, outside: Outside) -> None:
    world.write("policies/payments/elsewhere.yml", ELSEWHERE + "on_open: [hold_payouts]\n")
    bot.engine.reload()
    alert = opened(world, bot)
    go_on(bot, seconds=6)
    world.table.says("s_1", bot.clock())
    bot.next_tick()
    go_on(bot, seconds=6)
    assert len(outside.starts) == 1
    assert ended(bot, alert) == ["hold_payouts succeeded: done"]


def test_a_job_without_an_alert_is_started_too(bot: Node, outside: Outside) -> None:
    said = bot.desk.command(ANA, "start hold_payouts seller_id=s_7")
    assert isinstance(said, Said)
    assert said.ok
    go_on(bot, seconds=6)
    assert len(outside.starts) == 1
    assert bot.store.jobs.recent()[0].state is JobState.succeeded


# ------------------------------------------------------------------------------ deaths


STEPS = ["take", "record", "ask", "act", "end", "start"]


@pytest.mark.parametrize("nth", [1, 2])
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("step", STEPS)
def test_a_job_is_begun_once_and_told_once_wherever_its_starter_dies(
    world: World,
    outside: Outside,
    monkeypatch: pytest.MonkeyPatch,
    step: str,
    after: bool,
    nth: int,
) -> None:
    dying, other = (world.node(runners=lambda _: outside) for _ in range(2))
    alert = opened(world, dying)
    asked(dying, alert)
    jobs, outbox = dying.store.jobs, dying.store.outbox
    where: dict[str, tuple[Any, str]] = {
        "take": (jobs, "take"),
        "record": (jobs, "record"),
        "ask": (jobs, "ask"),
        "act": (dying.engine, "act"),
        "end": (outbox, "end"),
        "start": (outside, "start"),
    }
    target, name = where[step]
    real, calls = getattr(target, name), []

    def dies(*given: Any, **how: Any) -> Any:
        calls.append(1)
        if len(calls) == nth and not after:
            raise Killed
        result = real(*given, **how)
        if len(calls) == nth:
            raise Killed
        return result

    with monkeypatch.context() as patch:
        patch.setattr(target, name, dies)
        for _ in range(4):
            go_on(dying)
            if len(calls) >= nth:
                break  # dead: nothing more is done by this one
    for _ in range(80):
        go_on(other)
        other.clock.on(5 * SECOND)
        runs = other.store.jobs.of_alert(alert)
        if runs and runs[0].state.ended and runs[0].poll_at is None:
            break
    go_on(other, seconds=3)
    assert len(outside.begun) <= 1  # by its key: the same one however often it was called
    assert len(ended(other, alert)) == 1
    assert len(other.store.jobs.of_alert(alert)) == 1


def test_a_job_that_may_not_be_repeated_is_not_when_its_start_is_unknown(
    world: World, bot: Node, outside: Outside
) -> None:
    def dies() -> Progress:
        raise Killed

    outside.can_repeat, outside.on_start = False, dies
    alert = opened(world, bot)
    asked(bot, alert)
    go_on(bot, seconds=3)
    other = world.node(runners=lambda _: outside)
    other.clock.on(2 * MINUTE)
    go_on(other, seconds=3)
    assert len(outside.starts) == 1
    (story,) = ended(other, alert)
    assert "not known" in story or "no end within" in story


def test_two_processes_tell_the_end_once(world: World, outside: Outside) -> None:
    nodes = [world.node(runners=lambda _: outside) for _ in range(3)]
    alert = opened(world, nodes[0])
    outside.on_start = lambda: Progress(JobState.succeeded, outcome="held")
    for _ in range(5):
        asked(nodes[0], alert)
    for _ in range(8):
        with ThreadPoolExecutor(3) as pool:
            list(pool.map(lambda n: go_on(n), nodes))
    assert ended(nodes[0], alert) == ["hold_payouts succeeded: held"] * 5


def test_an_end_that_two_have_in_hand_is_told_by_one(world: World, bot: Node, outside: Outside) -> None:
    alert = opened(world, bot)
    other = world.node(runners=lambda _: outside)
    asked_for = bot.starting.ask(bot.engine.catalog.jobs["hold_payouts"], "U0ANA", {}, alert, "k")
    bot.store.jobs.record(_over(asked_for), JobState.asked)
    real = bot.store.alerts.history

    def history(of: int) -> Any:
        found = real(of)
        other.starting.jobs()
        go_on(other)
        return found

    bot.store.alerts.history = history  # type: ignore[method-assign]
    go_on(bot)
    bot.store.alerts.history = real  # type: ignore[method-assign]
    assert len(ended(bot, alert)) == 1


def _over(started: JobRun) -> JobRun:
    return replace(started, state=JobState.succeeded, outcome="held", ended_at=NOON, poll_at=NOON)


# ------------------------------------------------------------------------------ reruns


def rerun(bot: Node, alert: int) -> str:
    before = len(ended(bot, alert))
    bot.engine.act(alert, Rerun("U0ANA"), by="U0ANA")
    for _ in range(30):
        go_on(bot)
        if len(ended(bot, alert)) > before:
            break
    return ended(bot, alert)[-1]


def test_a_rerun_says_that_it_is_still_there(world: World, bot: Node) -> None:
    alert = opened(world, bot)
    assert rerun(bot, alert) == "looked again: still there, 1 rows"


def test_a_rerun_says_that_it_is_gone(world: World, bot: Node) -> None:
    alert = opened(world, bot)
    world.table.does("DELETE FROM core.chat WHERE seller_id = 's_1'")
    world.table.says("s_0", bot.clock(), "hello")
    assert rerun(bot, alert) == "looked again: gone"


def test_a_rerun_says_that_there_is_more(world: World, bot: Node) -> None:
    alert = opened(world, bot)
    world.table.says("s_1", bot.clock())
    bot.clock.on(SECOND)
    assert rerun(bot, alert) == "looked again: still there, 2 rows, with rows that nobody had seen"
    assert bot.alert(alert).count == 2


def test_a_rerun_of_a_condition_says_how_it_is_now(world: World, bot: Node) -> None:
    world.table.does("INSERT INTO core.sellers VALUES ('s_1', true)")
    bot.tick(HELD_NAME)
    alert = bot.alerts(HELD_NAME)[0].id
    assert rerun(bot, alert) == "looked again: still there, 1 rows"
    world.table.does("UPDATE core.sellers SET held = false")
    assert rerun(bot, alert) == "looked again: gone"


def test_a_rerun_that_fails_says_why_and_that_is_not_gone(world: World, bot: Node) -> None:
    alert = opened(world, bot)
    failing(bot, WarehouseError("the warehouse is away", transient=True))
    assert rerun(bot, alert) == "looked again and failed: the warehouse is away"


def test_a_rerun_waits_while_another_run_is_at_it(world: World, bot: Node) -> None:
    alert = opened(world, bot)
    bot.engine.act(alert, Rerun("U0ANA"), by="U0ANA")
    other = world.node()

    def meanwhile() -> None:
        go_on(bot)
        assert ended(bot, alert) == []

    world.table.says("s_2", bot.clock())
    bot.clock.on(MINUTE)
    in_between(other, meanwhile)
    other.tick()
    go_on(bot, seconds=4)
    assert len(ended(bot, alert)) == 1


def test_a_rerun_whose_policy_is_gone_says_so(world: World, bot: Node) -> None:
    alert = opened(world, bot)
    for name in ("policies/payments/elsewhere.yml", "sql/payments/elsewhere.sql"):
        (world.project / name).unlink()
    bot.engine.reload()
    assert rerun(bot, alert) == "cannot look again: its policy is no longer there"


def test_a_rerun_is_answered_once_though_its_process_dies_after_the_answer(
    world: World, bot: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    alert = opened(world, bot)
    bot.engine.act(alert, Rerun("U0ANA"), by="U0ANA")

    def dies(*_: Any) -> Any:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(bot.store.outbox, "end", dies)
        go_on(bot)
    assert len(ended(bot, alert)) == 1
    other = world.node()
    other.clock.on(HOUR)
    go_on(other, seconds=3)
    assert len(ended(other, alert)) == 1
    assert rerun(other, alert)
    assert len(ended(other, alert)) == 2


def test_a_rerun_in_parts_does_not_say_gone(world: World, bot: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    alert = opened(world, bot)
    for n in range(20):
        world.table.says(f"s_{n}", NOON - 30 * MINUTE + n * SECOND)
    real = run.look
    monkeypatch.setattr(engine, "look", lambda *given: real(*given, limit=10))
    assert rerun(bot, alert).startswith("looked again only until")


def test_the_files_that_these_tests_use_are_right(world: World, bot: Node) -> None:
    assert bot.engine.catalog.errors == ()
    assert set(FILES) <= {str(p.relative_to(world.project)) for p in world.project.rglob("*") if p.is_file()}
