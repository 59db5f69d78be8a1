"""Tables that go back, clocks that were or are ahead: nothing is missed, or started twice, for them."""

from __future__ import annotations

import pytest

from bot.core.job_run import JobState, Observed, Progress, Sighted
from bot.core.upstream import State
from bot.steering.due import DueJobs
from bot.steering.late import LateJobs
from bot.steering.observing import Observing
from tests.shell.building import AFTER as AFTER_BOTH
from tests.shell.building import DAILY, bot, declared, keys, late, looked, outside
from tests.shell.making import DAY, HOUR, NOON, SECOND, Node, World
from tests.shell.outside import Killed, Outside, go_on
from tests.shell.test_hooks import UPDATES, sent
from tests.shell.trouble import EVERY
from tests.shell.upstream import AFTER, Beat, with_policies

__all__ = ["bot", "outside"]  # fixtures


def test_a_table_that_is_loaded_anew_in_parts_is_looked_at_when_it_is_whole(world: World) -> None:
    """Else the last look would be that at a part of it, until the next load."""
    first = with_policies(world, elsewhere=AFTER)
    second = Beat(world.node())
    world.table.says("s_1", NOON)
    assert first.once() == [EVERY]
    world.table.does("UPDATE core.chat SET sent_at = sent_at - INTERVAL 10 MINUTE")
    assert second.once() == [EVERY]
    world.table.does("UPDATE core.chat SET sent_at = sent_at + INTERVAL 10 MINUTE")
    assert first.once() == [EVERY]
    assert [*second.once(), *first.once()] == []


@pytest.mark.parametrize("restarted", [True, False])
def test_a_clock_that_was_ahead_keeps_it_from_nothing_and_hides_no_lateness(
    world: World, bot: Node, outside: Outside, restarted: bool
) -> None:
    bot.clock.on(400 * DAY)
    due = declared(world, bot, DAILY)
    judge = LateJobs(due)
    bot.clock.on(DAY)
    due.once()
    go_on(bot, seconds=6)
    assert len(keys(bot)) == 1
    bot.clock.at = NOON
    bot.store.set_right(bot.clock())
    if restarted:
        due = DueJobs(bot.starting)
        judge = LateJobs(due)
    due.once()
    bot.clock.on(3 * HOUR)
    outside.on_poll = lambda: Progress(JobState.failed, "x2", "no memory")
    due.once()
    due.once()
    go_on(bot, seconds=6)
    assert keys(bot)[1:] == ["tick-dbt_build-2026-01-05T14:00:00Z"]
    bot.clock.on(HOUR)
    judge.once()
    assert late(bot) == ["dbt_build is late: it was due at 2026-01-05 14:00 UTC and has not ended well since"]


def test_a_sender_whose_clock_is_a_little_ahead_is_heard(world: World) -> None:
    bot = world.node()
    said = {"delivery": "run-18", "at": (bot.clock() + 3 * SECOND).isoformat()}
    assert sent(bot, UPDATES, said).said == "core.sellers was updated."
    assert bot.store.states.newest(["core.sellers"])["core.sellers"].at == bot.clock()
    far = {"delivery": "run-19", "at": (bot.clock() + HOUR).isoformat()}
    assert sent(bot, UPDATES, far).status == 422


def test_a_run_over_there_is_a_state_though_whoever_saw_it_died_before_he_said_so(
    world: World, bot: Node, outside: Outside
) -> None:
    declared(world, bot, DAILY)
    done = Sighted("9", JobState.succeeded, NOON - 2 * HOUR, NOON - HOUR)

    def dies(_new: list[Sighted]) -> list[State]:
        raise Killed

    with pytest.raises(Killed):
        bot.store.sightings.saw("dbt_build", Observed((done,)), bot.clock(), dies)
    outside.on_observe = lambda: Observed((done,))
    observing = Observing(bot.starting)
    looked(observing)
    assert bot.store.states.newest()["job:dbt_build"].mark == "seen 9"
    later = bot.store.states.record("job:dbt_build", "17", NOON, bot.clock())
    bot.clock.on(HOUR)
    looked(observing)
    assert later
    assert bot.store.states.newest()["job:dbt_build"].mark == "17"


def test_what_was_updated_before_it_was_there_starts_no_job(world: World, bot: Node) -> None:
    states, now = bot.store.states, bot.clock()
    states.record("core.chat", "09:00", now, now)
    states.record("job:load", "17", now, now)
    due = declared(world, bot, AFTER_BOTH)
    assert (due.once(), DueJobs(bot.starting).once()) == (0, 0)
    states.record("core.chat", "10:00", now, now)
    states.record("job:load", "18", now, now)
    assert (DueJobs(bot.starting).once(), due.once()) == (1, 0)
