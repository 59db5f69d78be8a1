"""Jobs and reruns: done once, told once, whoever dies in between. The outside system is a small double."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from bot.core.alert import Lane
from bot.core.job_run import JobRun, JobState, Progress
from bot.core.reply import AskReply, Said
from bot.process.errors import JobRefused, JobUnknown
from tests.shell.making import ELSEWHERE, FILES, MINUTE, NOON, SECOND, Node, World
from tests.shell.outside import ANA, Killed, Outside, asked, at_rest, ended, go_on, opened
from tests.shell.trouble import EVERY


@pytest.fixture
def outside() -> Outside:
    return Outside()


@pytest.fixture
def bot(world: World, outside: Outside) -> Node:
    return world.node(runners=lambda _: outside)


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
    bot.starting.effects()  # it is asked for, and its turn to begin has not come
    at_rest(bot)
    world.write("policies/payments/elsewhere.yml", ELSEWHERE.replace("offer: [hold_payouts]\n", ""))
    world.write("policies/_jobs.yml", "{}\n")
    bot.engine.reload()
    go_on(bot, seconds=3)
    assert ended(bot, alert) == ["hold_payouts failed: its declaration is no longer there; it had not begun"]


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
    assert "seller_id must look like" in said.text
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
    assert "seller_id must look like" in said.text
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


def test_an_alert_in_shadow_starts_no_jobs(world: World, bot: Node, outside: Outside) -> None:
    world.write("policies/payments/elsewhere.yml", ELSEWHERE + "on_open: [hold_payouts]\nstatus: shadow\n")
    bot.engine.reload()
    alert = opened(world, bot)
    go_on(bot, seconds=6)
    assert bot.alert(alert).lane is Lane.shadow
    assert outside.starts == []


def test_a_job_without_an_alert_is_started_too(bot: Node, outside: Outside) -> None:
    assert yes(bot, "start hold_payouts seller_id=s_7").ok
    go_on(bot, seconds=6)
    assert len(outside.starts) == 1
    assert bot.store.jobs.recent()[0].state is JobState.succeeded


def yes(bot: Node, text: str) -> Said:
    """The answer to what was asked first."""
    asked = bot.desk.command(ANA, text)
    assert isinstance(asked, AskReply), asked
    return bot.desk.confirm(ANA, asked.ask)


def test_what_is_typed_is_shown_and_started_only_on_a_yes(world: World, bot: Node, outside: Outside) -> None:
    alert = opened(world, bot)
    asked = bot.desk.command(ANA, f"start hold_payouts {alert}")
    assert isinstance(asked, AskReply)
    assert asked.does == "Start hold_payouts"
    assert asked.lines == (
        f"Start `hold_payouts` for ALR-{alert}?",
        "With seller_id `s_1`.",
        "What it changes is not written down.",
        "To undo: press Release in the admin site",
    )
    go_on(bot, seconds=6)
    assert outside.starts == []
    assert not bot.desk.confirm(replace(ANA, slack="U0BO"), asked.ask).ok, "somebody else's"
    assert bot.desk.confirm(ANA, asked.ask).ok
    assert not bot.desk.confirm(ANA, asked.ask).ok, "twice"
    go_on(bot, seconds=6)
    assert len(outside.starts) == 1
    assert ended(bot, alert) == ["hold_payouts succeeded: done"]


def test_what_was_changed_after_it_was_shown_is_not_started(
    world: World, bot: Node, outside: Outside
) -> None:
    jobs = (world.project / "policies/_jobs.yml").read_text()
    for changed in (jobs.replace("/hold/", "/hold_for_ever/"), jobs.replace("hold_payouts:", "freeze:")):
        asked = bot.desk.command(ANA, "start hold_payouts seller_id=s_7")
        assert isinstance(asked, AskReply)
        world.write("policies/_jobs.yml", changed)
        bot.engine.reload()
        said = bot.desk.confirm(ANA, asked.ask)
        assert (said.ok, said.text) == (
            False,
            "`hold_payouts` was changed after you were shown it: it was not started.",
        )
    go_on(bot, seconds=6)
    assert outside.starts == []


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


def test_the_files_that_these_tests_use_are_right(world: World, bot: Node) -> None:
    assert bot.engine.catalog.errors == ()
    assert set(FILES) <= {str(p.relative_to(world.project)) for p in world.project.rglob("*") if p.is_file()}
