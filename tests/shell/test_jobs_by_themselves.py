"""Jobs that start by themselves, and are late; by a clock moved by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.core.job_run import JobState, Progress, Sighted
from bot.core.reply import Said
from bot.steering.due import DueJobs
from bot.steering.late import LateJobs
from bot.steering.observing import Observing
from tests.shell.building import (
    AFTER,
    BUILD,
    DAILY,
    ELSEWHERE,
    HOURLY,
    bot,
    declared,
    keys,
    late,
    looked,
    outside,
    page,
    there,
)
from tests.shell.making import DAY, HOUR, MINUTE, NOON, SECOND, Node, World
from tests.shell.outside import ANA, Outside, go_on

__all__ = ["bot", "outside"]  # fixtures

# -- schedules


def test_a_schedule_starts_it_once_each_time_whichever_process_looks(
    world: World, bot: Node, outside: Outside
) -> None:
    due = declared(world, bot, DAILY)
    other = DueJobs(bot.starting)
    assert keys(bot) == [], "its first time is still to come"
    bot.clock.on(2 * HOUR)
    assert (due.once(), other.once(), due.once()) == (1, 0, 0)
    assert keys(bot) == ["tick-dbt_build-2026-01-05T14:00:00Z"]
    go_on(bot, seconds=5)
    assert len(outside.starts) == 1
    bot.clock.on(DAY)
    assert DueJobs(bot.starting).once() == 1, "after a restart, too"
    assert keys(bot)[-1] == "tick-dbt_build-2026-01-06T14:00:00Z"
    assert page(bot).next_due == NOON + 2 * DAY + 2 * HOUR


def test_times_that_were_missed_are_one_start(world: World, bot: Node) -> None:
    due = declared(world, bot, HOURLY)
    bot.clock.on(9 * HOUR + MINUTE)
    assert due.once() == 1
    assert keys(bot) == ["tick-dbt_build-2026-01-05T21:00:00Z"]


def test_an_edited_schedule_brings_back_no_time_before_it(world: World, bot: Node) -> None:
    due = declared(world, bot, DAILY)
    bot.clock.on(5 * HOUR)
    due.once()
    go_on(bot, seconds=5)
    jobs = (world.project / "policies/_jobs.yml").read_text()
    world.write("policies/_jobs.yml", jobs.replace("0 14", "0 16"))
    bot.engine.reload()
    assert due.once() == 0
    bot.clock.on(DAY)
    assert due.once() == 1


def test_the_next_start_waits_for_the_end_of_the_last(world: World, bot: Node, outside: Outside) -> None:
    outside.on_poll = lambda: Progress(JobState.running, "x1")
    due = declared(world, bot, HOURLY)
    bot.clock.on(HOUR)
    due.once()
    go_on(bot, seconds=3)
    bot.clock.on(HOUR)
    assert due.once() == 0
    outside.on_poll = lambda: Progress(JobState.succeeded, "x1")
    go_on(bot, seconds=8)
    assert due.once() == 1


def test_a_paused_job_is_not_started_and_makes_up_once(world: World, bot: Node) -> None:
    due = declared(world, bot, HOURLY)
    said = bot.desk.command(ANA, "pause job:dbt_build 4h the tables are being moved")
    assert isinstance(said, Said)
    assert said.text.startswith("`job:dbt_build` is paused until")
    assert "is paused until" in page(bot).standing[0]
    bot.clock.on(3 * HOUR)
    assert due.once() == 0
    back = bot.desk.command(ANA, "resume job:dbt_build")
    assert isinstance(back, Said)
    assert back.ok
    assert (due.once(), due.once()) == (1, 0)


def test_another_pace_for_a_while(world: World, bot: Node) -> None:
    due = declared(world, bot, HOURLY)
    said = bot.desk.command(ANA, "every job:dbt_build 10m 2h a launch")
    assert isinstance(said, Said)
    assert said.ok
    bot.clock.on(10 * MINUTE)
    assert due.once() == 1
    assert keys(bot) == ["tick-dbt_build-2026-01-05T12:10:00Z"]


def test_what_cannot_be_paused_says_why_and_who_may_not_is_refused(world: World, bot: Node) -> None:
    declared(world, bot, BUILD)
    bot.starting.runners("http").able = frozenset()  # type: ignore[attr-defined]
    said = bot.desk.command(ANA, "pause job:dbt_build 1h")
    assert isinstance(said, Said)
    assert "it is started by people, so it cannot be paused" in said.text
    bare = bot.desk.command(ANA, "pause dbt_build 1h")
    assert isinstance(bare, Said)
    assert (bare.ok, bare.hint) == (False, "Did you mean `job:dbt_build`?")
    refused = bot.desk.command(replace(ANA, slack="U0BO"), "pause job:dbt_build 1h")
    assert isinstance(refused, Said)
    assert "Only a lead of payments may pause dbt_build" in refused.text
    near = bot.desk.command(ANA, "pause job:dbt_bild 1h")
    assert isinstance(near, Said)
    assert near.hint == "Did you mean `dbt_build`?"


def test_a_schedule_over_there_is_paused_there(world: World, bot: Node, outside: Outside) -> None:
    declared(world, bot, ELSEWHERE)
    said = bot.desk.command(ANA, "pause job:dbt_build")
    assert isinstance(said, Said)
    assert said.text == "`job:dbt_build` is paused over there, until somebody takes it back: taken."
    bot.desk.command(ANA, "every job:dbt_build 2h 3d")
    bot.desk.command(ANA, "resume job:dbt_build")
    assert outside.orders == ["paused True", "every 2:00:00", "every None", "paused False"]
    bot.clock.on(DAY)
    assert DueJobs(bot.starting).once() == 0, "something else starts it"


# -- after others


def test_it_runs_once_for_each_state_of_all_that_it_comes_after(
    world: World, bot: Node, outside: Outside
) -> None:
    due = declared(world, bot, AFTER)
    states, now = bot.store.states, bot.clock()
    states.record("core.chat", "09:00", now, now)
    assert due.once() == 0, "it waits for all"
    states.record("job:load", "17", now, now)
    assert (due.once(), DueJobs(bot.starting).once()) == (1, 0)
    go_on(bot, seconds=5)
    states.record("core.chat", "10:00", now, now)
    states.record("core.chat", "11:00", now, now)
    assert due.once() == 0
    states.record("job:load", "18", now, now)
    assert (due.once(), due.once()) == (1, 0)
    go_on(bot, seconds=5)
    assert len(outside.starts) == 2
    assert all(key.startswith("upstream-dbt_build-") for key in keys(bot))


# -- late


def test_a_build_that_does_not_come_is_told_once_and_closes_by_itself(
    world: World, bot: Node, outside: Outside
) -> None:
    due = declared(world, bot, ELSEWHERE)
    judge = LateJobs(due)
    bot.clock.on(2 * HOUR + 59 * MINUTE)
    judge.once()
    assert late(bot) == [], "it has an hour"
    outside.on_observe = lambda: there(Sighted("9", JobState.failed, NOON, NOON, outcome="no memory"))
    looked(Observing(bot.starting))
    bot.clock.on(2 * MINUTE)
    assert (judge.once(), judge.once()) == (1, 0)
    (alert,) = bot.alerts("patrol.late_job")
    assert alert.title == (
        "dbt_build is late: it was due at 2026-01-05 14:00 UTC and has not ended well since"
    )
    assert alert.terms.team == "payments"
    assert "Its last run failed: no memory." in alert.newest["advice"]
    assert page(bot).late == alert.title
    bot.clock.on(3 * HOUR)
    judge.once()
    assert late(bot) == [alert.title]
    good = Sighted("10", JobState.succeeded, bot.clock() - HOUR, bot.clock())
    outside.on_observe = lambda: there(good)
    looked(Observing(bot.starting))
    judge.once()
    assert late(bot) == []


def test_it_stays_late_while_its_next_time_is_due_and_has_its_hour(world: World, bot: Node) -> None:
    judge = LateJobs(declared(world, bot, ELSEWHERE))
    bot.clock.on(4 * HOUR)
    judge.once()
    assert len(late(bot)) == 1
    bot.clock.on(22 * HOUR + 30 * MINUTE)
    judge.once()
    assert "2026-01-05 14:00" in late(bot)[0]


def test_a_run_that_takes_too_long_is_late_and_a_paused_one_is_not(
    world: World, bot: Node, outside: Outside
) -> None:
    outside.on_poll = lambda: Progress(JobState.running, "x1")
    due = declared(world, bot, DAILY)
    judge = LateJobs(due)
    bot.clock.on(2 * HOUR)
    due.once()
    go_on(bot, seconds=3)
    bot.clock.on(HOUR + MINUTE)
    judge.once()
    assert late(bot) == ["dbt_build is late: it has been running since 2026-01-05 14:00 UTC"]
    bot.desk.command(ANA, "pause job:dbt_build 4h")
    judge.once()
    assert late(bot) == []


def test_after_others_it_is_late_by_what_it_was_started_for(
    world: World, bot: Node, outside: Outside
) -> None:
    outside.on_poll = lambda: Progress(JobState.failed, "x1", "no memory")
    due = declared(world, bot, AFTER)
    judge = LateJobs(due)
    for ref in ("core.chat", "job:load"):
        bot.store.states.record(ref, "1", bot.clock(), bot.clock())
    due.once()
    go_on(bot, seconds=5)
    judge.once()
    assert late(bot) == []
    bot.clock.on(HOUR + SECOND)
    judge.once()
    assert len(late(bot)) == 1
    hook = bot.clock()
    bot.store.states.record("job:dbt_build", "delivery 1", hook, hook)
    judge.once()
    assert late(bot) == [], "whatever told that it ended well"


def test_a_job_that_is_expected_no_more_is_late_no_more(world: World, bot: Node) -> None:
    judge = LateJobs(declared(world, bot, ELSEWHERE))
    bot.clock.on(4 * HOUR)
    judge.once()
    assert len(late(bot)) == 1
    jobs = (world.project / "policies/_jobs.yml").read_text()
    world.write("policies/_jobs.yml", jobs.replace("  late_after: 1h\n", ""))
    bot.engine.reload()
    judge.once()
    assert late(bot) == []


# -- the files


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("  approval: second_person\n  schedule: {every: 1h}\n", "nobody is asked where it starts by itself"),
        ("  params: {seller_id: {}}\n  after: [core.chat]\n", "params.seller_id has no default"),
        ("  late_after: 1h\n", "means nothing without schedule or after"),
        ("  schedule: {every: 1h}\n  after: [core.chat]\n", "by its schedule or after others, not both"),
        ("  schedule: {after: [core.chat]}\n", "stands beside schedule"),
        ("  schedule: {every: 1h, runs: elsewhere}\n", "here"),
    ],
)
def test_a_job_that_cannot_start_by_itself_is_said_so(world: World, bot: Node, lines: str, said: str) -> None:
    old = (world.project / "policies/_jobs.yml").read_text()
    world.write("policies/_jobs.yml", old + BUILD + lines)
    bot.engine.reload()
    assert any(said in str(problem) for problem in bot.engine.catalog.errors), bot.engine.catalog.errors
