"""Runs of jobs that others have started are seen where they run; by a clock moved by hand."""

from __future__ import annotations

from dataclasses import replace

from bot.core.job_run import JobState, Observed, Sighted
from bot.process.errors import JobUnknown
from bot.slack.answers import render
from bot.steering.observing import Observing
from tests.shell.building import (
    DAILY,
    ELSEWHERE,
    bot,
    declared,
    keys,
    looked,
    outside,
    page,
    there,
)
from tests.shell.making import DAY, HOUR, MINUTE, NOON, Node, World
from tests.shell.outside import ANA, Outside, go_on

__all__ = ["bot", "outside"]  # fixtures


def test_what_others_start_is_seen_and_a_good_end_is_a_state(
    world: World, bot: Node, outside: Outside
) -> None:
    declared(world, bot, ELSEWHERE)
    run = Sighted("9", JobState.running, NOON - HOUR, by="cron", link="https://x.example/9")
    outside.on_observe = lambda: there(run, schedule="0 14 * * * UTC", next_at=NOON + 2 * HOUR)
    observing = Observing(bot.starting)
    looked(observing)
    seen = page(bot)
    assert seen.seen.observed.runs == (run,)
    shown = str(render(seen).blocks)
    assert "9 running by cron" in shown
    assert "over there: 0 14" in shown
    assert "`job:dbt_build` runs since ⟦t:1767610800⟧, by cron" in bot.desk.status(ANA).elsewhere
    assert bot.store.states.newest(["job:dbt_build"]) == {}
    done = replace(run, state=JobState.succeeded, ended_at=NOON)
    outside.on_observe = lambda: there(done)
    assert observing.once() == 0, "not so soon again"
    bot.clock.on(MINUTE)
    looked(observing)
    state = bot.store.states.newest(["job:dbt_build"])["job:dbt_build"]
    assert (state.mark, state.at) == ("seen 9", NOON)
    outside.on_observe = lambda: there(run)
    bot.clock.on(MINUTE)
    looked(observing)
    assert page(bot).seen.observed.runs[0].state is JobState.succeeded, "what has ended does not go on"


def test_the_end_of_a_run_that_took_days_is_seen(world: World, bot: Node, outside: Outside) -> None:
    declared(world, bot, ELSEWHERE)
    run = Sighted("9", JobState.running, NOON - HOUR)
    outside.on_observe = lambda: there(run)
    observing = Observing(bot.starting)
    looked(observing)
    bot.clock.on(100 * HOUR)
    outside.on_observe = lambda: there(replace(run, state=JobState.succeeded, ended_at=NOON + 9 * HOUR))
    looked(observing)
    assert outside.looks[-1] < NOON - HOUR, "it is asked for that begins so long ago"
    assert bot.store.states.newest(["job:dbt_build"])["job:dbt_build"].mark == "seen 9"
    assert page(bot).seen.observed.runs[0].state is JobState.succeeded


def test_what_ended_long_before_it_was_watched_is_no_news(world: World, bot: Node, outside: Outside) -> None:
    """One that hangs over there is asked for, and with it comes all that was there since it began."""
    declared(world, bot, ELSEWHERE)
    hangs = Sighted("1", JobState.running, NOON - 60 * DAY)
    new = Sighted("3", JobState.succeeded, NOON - HOUR, NOON)
    outside.on_observe = lambda: there(new, hangs)
    observing = Observing(bot.starting)
    looked(observing)
    old = Sighted("2", JobState.succeeded, NOON - 10 * DAY, NOON - 9 * DAY)
    outside.on_observe = lambda: there(new, old, hangs)
    bot.clock.on(MINUTE)
    looked(observing)
    state = bot.store.states.newest(["job:dbt_build"])["job:dbt_build"]
    assert (state.mark, state.at) == ("seen 3", NOON)


def test_a_run_of_ours_is_not_counted_twice(world: World, bot: Node, outside: Outside) -> None:
    due = declared(world, bot, DAILY)
    bot.clock.on(2 * HOUR)
    due.once()
    go_on(bot, seconds=5)
    outside.on_observe = lambda: there(
        Sighted("x1", JobState.succeeded, bot.clock() - MINUTE, bot.clock(), key=keys(bot)[0])
    )
    looked(Observing(bot.starting))
    assert bot.store.states.newest(["job:dbt_build"]) == {}
    assert "Started elsewhere" not in str(render(page(bot)).blocks)


def test_what_cannot_be_seen_is_said_and_what_was_seen_stays(
    world: World, bot: Node, outside: Outside
) -> None:
    declared(world, bot, ELSEWHERE)
    outside.on_observe = lambda: there(Sighted("9", JobState.failed, NOON, NOON, outcome="no memory"))
    observing = Observing(bot.starting)
    looked(observing)

    def away() -> Observed:
        raise JobUnknown("dag.example did not answer within 10 s.")

    outside.on_observe = away
    since = bot.clock.on(MINUTE)
    looked(observing)
    bot.clock.on(MINUTE)
    looked(observing)
    seen = page(bot).seen
    assert (seen.trouble, seen.since) == ("dag.example did not answer within 10 s.", since)
    assert seen.observed.runs[0].outcome == "no memory"
    assert bot.desk.status(ANA).elsewhere == (), "perhaps it passes"
    bot.clock.on(HOUR)
    line = bot.desk.status(ANA).elsewhere[0]
    assert "`job:dbt_build` cannot be seen since" in line
