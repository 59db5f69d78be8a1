"""What runs after something runs once for each state of it; what waits for late data runs once they came."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from bot.core.job_run import JobState
from bot.core.order import Order, OrderKind
from bot.engine.due import due_runs
from bot.engine.rounds import Want
from sensors.model.run import Cause, CauseKind, RunStatus
from sensors.warehouse import WarehouseError
from tests.shell.making import DAY, ELSEWHERE, FILES, HELD, HELD_SQL, HOUR, MINUTE, NOON, SECOND, World
from tests.shell.trouble import BOTH, EVERY, HELD_NAME, counting, failing
from tests.shell.upstream import AFTER, BOTH_OF_THEM, LATE, NEXT, NIGHTLY, Beat, job_ends, with_policies

# ------------------------------------------------------------------------- after


@BOTH
def test_a_policy_runs_once_for_each_state_of_its_table_and_looks_at_all_that_came(world: World) -> None:
    beat = with_policies(world, elsewhere=AFTER)
    assert beat.once() == []  # its table has no rows, so no state
    world.table.says("s_1", NOON, times=2)
    assert beat.once() == [EVERY]
    (alert,) = beat.node.alerts()
    assert alert.count == 2
    run = beat.newest(EVERY)
    assert (run.cause.kind, run.status) == (CauseKind.upstream, RunStatus.succeeded)
    (state,) = beat.node.store.states.of_run(f"policy:{EVERY}", run.cause.detail)
    assert (state.ref, state.at) == ("core.chat", NOON)
    watermark = beat.node.store.runs.watermark(EVERY)
    assert watermark
    assert watermark > NOON
    for _ in range(10):
        assert beat.once() == []
    world.table.says("s_1", NOON + MINUTE)
    world.table.says("s_1", NOON + MINUTE + SECOND)
    assert beat.once() == [EVERY]
    assert beat.node.alerts()[0].count == 4
    assert len(beat.node.store.runs.recent(EVERY)) == 2


@BOTH
def test_two_bots_run_a_state_once(world: World) -> None:
    first = with_policies(world, elsewhere=AFTER)
    second = Beat(world.node())
    world.table.says("s_1", NOON)
    looked = [*first.once(), *second.once(SECOND), *first.once(), *second.once()]
    assert looked == [EVERY]
    assert [run.status for run in first.node.store.runs.recent(EVERY)] == [RunStatus.succeeded]


def test_a_restart_runs_no_state_again(world: World) -> None:
    world.table.says("s_1", NOON)
    beat = with_policies(world, elsewhere=AFTER)
    assert beat.once() == [EVERY]
    again = Beat(world.node())
    assert again.once() == []
    assert again.once(DAY) == []


def test_fan_in_waits_for_all_and_a_failed_job_is_no_state(world: World) -> None:
    world.table.says("s_1", NOON)
    beat = with_policies(world, held=BOTH_OF_THEM)
    assert beat.once() == []
    job_ends(beat.node, "first", JobState.failed)
    assert beat.once() == []
    job_ends(beat.node, "second")
    assert beat.once() == [HELD_NAME]
    world.table.says("s_1", NOON + MINUTE)
    assert beat.once() == []  # the job has not run since
    job_ends(beat.node, "third")
    assert beat.once() == [HELD_NAME]
    states = beat.node.store.states.of_run(f"policy:{HELD_NAME}", beat.newest(HELD_NAME).cause.detail)
    assert {one.ref: one.mark for one in states} == {
        "core.chat": (NOON + MINUTE).isoformat(),
        "job:hold_payouts": "3",
    }


def test_what_runs_after_a_policy_runs_after_its_good_runs_only(world: World) -> None:
    world.table.says("s_1", NOON)
    beat = with_policies(world, elsewhere=AFTER, held=NEXT)
    assert beat.once() == [EVERY]
    assert beat.once() == [HELD_NAME]
    assert beat.once() == []
    world.table.does("ALTER TABLE core.chat RENAME COLUMN body TO words")
    world.table.does("UPDATE core.chat SET sent_at = sent_at + INTERVAL 1 MINUTE")
    assert beat.once() == [EVERY]  # it fails
    assert beat.newest(EVERY).status is RunStatus.failed
    assert beat.once() == []


@BOTH
def test_a_run_after_something_that_died_is_taken_over_for_the_same_states(world: World) -> None:
    world.table.says("s_1", NOON)
    beat = with_policies(world, elsewhere=AFTER)
    beat.upstreams._want = lambda _woken: None  # the process is gone before it looks
    beat.once()
    (name, ticks), *_ = due_runs(beat.node.store, [beat.node.engine.catalog.policies[EVERY]], NOON).items()
    (_claim,) = beat.node.engine.runs.claim([Want(name, ticks).asked()])
    world.table.says("s_1", NOON + MINUTE)
    beat.node.clock.on(MINUTE)
    other = Beat(world.node())
    assert other.node.take_over() == 1
    run = other.newest(EVERY)
    assert (run.status, run.attempt) == (RunStatus.succeeded, 2)
    assert other.once() == [EVERY]  # the newer state is another run
    assert other.once() == []


def test_a_run_that_failed_for_a_passing_reason_is_tried_again_for_its_states(world: World) -> None:
    world.table.says("s_1", NOON)
    beat = with_policies(world, elsewhere=AFTER)
    mend = failing(beat.node, WarehouseError("the line is bad", transient=True))
    beat.once()
    mend()
    assert beat.newest(EVERY).retry_at
    beat.node.clock.on(10 * SECOND)
    (dead,) = beat.node.engine.retries()
    beat.node.engine.try_again(dead)
    assert beat.newest(EVERY).status is RunStatus.succeeded
    assert beat.once() == []


def test_a_paused_policy_waits_and_runs_once_for_what_came_meanwhile(world: World) -> None:
    beat = with_policies(world, elsewhere=AFTER)
    node = beat.node
    node.engine.orders.begin(Order(EVERY, OrderKind.pause, NOON + HOUR, "U0ANA", "", NOON))
    for n in range(3):
        world.table.says("s_1", NOON + n * MINUTE)
        assert beat.once() == []
    node.clock.on(HOUR)
    node.engine.orders.sweep()
    assert beat.once() == [EVERY]
    assert beat.once() == []


# ------------------------------------------------------------------------ waiting


@pytest.fixture
def nightly(world: World) -> Beat:
    """A policy that looks at 06:00 and waits for its table, loaded last at noon of the day before."""
    world.write("policies/_assets.yml", LATE)
    world.table.says("s_1", NOON)
    beat = with_policies(world, elsewhere=NIGHTLY)
    beat.runs([EVERY])  # it begins
    beat.node.clock.at = NOON + 18 * HOUR + SECOND
    beat.runs([EVERY])
    assert beat.newest(EVERY).status is RunStatus.waiting
    return beat


@BOTH
def test_what_waits_runs_once_within_seconds_of_the_arrival_over_everything(
    world: World, nightly: Beat
) -> None:
    for _ in range(3):
        assert nightly.once(HOUR) == []
    now = nightly.node.clock()
    world.table.says("s_1", now - 5 * MINUTE, times=3)
    assert nightly.once() == [EVERY]
    (alert,) = nightly.node.alerts(EVERY)
    assert alert.count == 3
    run = nightly.newest(EVERY)
    assert run.status is RunStatus.succeeded
    assert run.window
    assert run.window.end > now - 5 * MINUTE
    assert nightly.once() == []
    nightly.runs([EVERY])  # nor is its time due again
    assert len(nightly.node.store.runs.recent(EVERY)) == 2  # its beginning, and this


def test_times_that_come_due_meanwhile_are_the_same_waiting_run(world: World) -> None:
    world.write("policies/_assets.yml", LATE)
    world.table.says("s_1", NOON)
    beat = with_policies(world, elsewhere=ELSEWHERE + "needs: {core.chat: wait}\n")
    beat.runs([EVERY])
    beat.node.clock.on(2 * HOUR)
    for _ in range(30):
        beat.node.clock.on(MINUTE)
        beat.runs([EVERY])
    waits, looked = beat.node.store.runs.recent(EVERY)
    assert (waits.status, looked.status) == (RunStatus.waiting, RunStatus.succeeded)
    assert waits.started_at == NOON + 2 * HOUR + MINUTE
    assert waits.due == beat.node.clock()
    world.table.says("s_1", beat.node.clock())
    beat.node.clock.on(MINUTE)
    beat.runs([EVERY])  # its next time comes before anybody has seen the arrival
    assert beat.newest(EVERY).status is RunStatus.succeeded
    assert len(beat.node.store.runs.recent(EVERY)) == 2
    assert beat.once() == []


def test_skip_passes_the_time_over_and_makes_up_for_nothing_on_arrival(world: World) -> None:
    world.write("policies/_assets.yml", LATE)
    world.table.says("s_1", NOON)
    beat = with_policies(world, elsewhere=NIGHTLY.replace("wait", "skip"))
    beat.runs([EVERY])
    at_six = NOON + 18 * HOUR
    world.table.says("s_1", at_six - MINUTE)
    for day, status in enumerate((RunStatus.succeeded, RunStatus.skipped)):
        beat.node.clock.at = at_six + day * DAY + SECOND
        beat.runs([EVERY])
        assert beat.newest(EVERY).status is status
    world.table.says("s_1", beat.node.clock(), times=3)
    assert beat.once(MINUTE) == []
    beat.node.clock.on(DAY)
    world.table.says("s_1", beat.node.clock() - HOUR)
    beat.runs([EVERY])
    assert beat.node.alerts(EVERY)[0].count == 5  # the watermark has waited: nothing is lost


def test_run_looks_at_late_data_all_the_same(world: World) -> None:
    world.write("policies/_assets.yml", LATE)
    world.table.says("s_1", NOON)
    beat = with_policies(world, elsewhere=NIGHTLY.replace("wait", "run"))
    beat.runs([EVERY])
    beat.node.clock.at = NOON + 18 * HOUR + SECOND
    beat.runs([EVERY])
    assert beat.newest(EVERY).status is RunStatus.succeeded


def test_a_table_that_is_loaded_anew_is_waited_for(world: World) -> None:
    world.table.says("s_1", NOON)
    beat = with_policies(world)
    beat.runs([EVERY])
    world.table.does("CREATE TABLE aside AS FROM core.chat")
    world.table.does("DELETE FROM core.chat")
    beat.node.clock.on(MINUTE)
    beat.runs([EVERY])
    assert beat.newest(EVERY).status is RunStatus.waiting
    assert beat.once() == []
    world.table.does("INSERT INTO core.chat FROM aside")
    assert beat.once() == [EVERY]


@BOTH
def test_what_waits_is_begun_by_one_of_two_bots(world: World, nightly: Beat) -> None:
    other = Beat(world.node())
    world.table.says("s_1", nightly.node.clock(), times=3)
    looked = [*nightly.once(), *other.once(SECOND), *other.once(), *nightly.once()]
    assert looked == [EVERY]


@pytest.mark.usefixtures("nightly")
def test_a_bot_that_begins_while_a_run_waits_goes_on_waiting(world: World) -> None:
    again = Beat(world.node())
    again.runs([EVERY])
    assert again.newest(EVERY).status is RunStatus.waiting
    world.table.says("s_1", again.node.clock())
    assert again.once() == [EVERY]


def test_what_runs_after_its_table_waits_too_and_runs_for_the_newest_state(world: World) -> None:
    world.write("policies/_assets.yml", LATE)
    world.table.says("s_1", NOON - 2 * HOUR)  # an update, but of old rows
    beat = with_policies(world, elsewhere=AFTER + "needs: {core.chat: wait}\n")
    assert beat.once() == []
    assert beat.newest(EVERY).status is RunStatus.waiting
    world.table.says("s_1", NOON - HOUR - MINUTE)  # more, but still old
    assert beat.once() == []
    world.table.says("s_1", NOON)
    assert beat.once() == [EVERY]
    run = beat.newest(EVERY)
    (state,) = beat.node.store.states.of_run(f"policy:{EVERY}", run.cause.detail)
    assert state.at == NOON
    assert beat.once() == []
    assert len(beat.node.store.runs.recent(EVERY)) == 1


def test_nothing_waits_for_a_policy_that_is_run_no_more(world: World, nightly: Beat) -> None:
    world.write("policies/payments/elsewhere.yml", NIGHTLY + "status: retired\n")
    nightly.node.engine.reload()
    assert nightly.once() == []
    run = nightly.newest(EVERY)
    assert (run.status, run.error) == (RunStatus.skipped, "its policy is no longer run")


def test_by_hand_it_is_looked_at_on_late_data_and_goes_on_waiting(nightly: Beat) -> None:
    node = nightly.node
    ticked = node.engine.tick(EVERY, Cause(CauseKind.manual, "m1"), node.clock(), by="U0ANA")
    assert ticked.looked
    assert ticked.looked.ok
    assert node.store.runs.waiting().keys() == {EVERY}


# --------------------------------------------------------------------------- cost


def test_a_round_asks_the_warehouse_once_and_only_for_what_somebody_needs(world: World) -> None:
    world.write("policies/_assets.yml", LATE)
    world.table.says("s_1", NOON)
    beat = with_policies(world, elsewhere=AFTER)
    beat.once()
    asked = counting(beat.node)
    seen = looking_at(beat)
    for _ in range(6):
        beat.once()
    assert seen == [["core.chat"]] * 6
    for _ in range(8):
        beat.once(SECOND)
    assert len(seen) == 6
    assert asked == []  # the file is the same: DuckDB need not even be asked


def looking_at(beat: Beat) -> list[list[str]]:
    """Which tables each look asks for from now on."""
    seen: list[list[str]] = []
    real = beat.node.warehouse.loaded_until

    def loaded_until(assets: object) -> dict[str, datetime]:
        found = list(assets)  # type: ignore[call-overload]
        seen.append([asset.name for asset in found])
        return real(found)

    beat.node.warehouse.loaded_until = loaded_until  # type: ignore[method-assign]
    return seen


@pytest.mark.parametrize("later", [timedelta(), -MINUTE], ids=["at_once", "put_back"])
def test_a_change_is_seen_at_the_next_round_whatever_the_clock_says(world: World, later: timedelta) -> None:
    world.table.says("s_1", NOON)
    beat = with_policies(world, elsewhere=AFTER)
    other = Beat(world.node())
    assert beat.once() == [EVERY]
    world.table.says("s_1", NOON + SECOND)
    assert beat.once(later) == [EVERY]
    seen = [looking_at(beat), looking_at(other)]
    assert [*beat.once(timedelta()), *other.once(timedelta()), *beat.once(SECOND)] == []
    assert seen == [[], []]  # nothing has changed since, and the other need not look at what one has seen


def test_a_change_that_could_not_be_looked_at_is_looked_at_later(world: World) -> None:
    world.table.says("s_1", NOON)
    beat = with_policies(world, elsewhere=AFTER)
    beat.once()
    real = beat.node.warehouse.loaded_until
    beat.node.warehouse.loaded_until = failing_look  # type: ignore[method-assign]
    world.table.says("s_1", NOON + SECOND)
    assert beat.once(timedelta()) == []
    beat.node.warehouse.loaded_until = real  # type: ignore[method-assign]
    assert beat.once(SECOND) == []
    assert beat.once() == [EVERY]


def failing_look(_assets: object) -> dict[str, datetime]:
    raise WarehouseError("the file is being written", transient=True)


def test_one_table_that_cannot_be_asked_hides_no_other(world: World) -> None:
    world.write("policies/_assets.yml", LATE + "core.gone: {owner: payments, loaded_until: at}\n")
    world.write("policies/payments/held.yml", HELD.replace("{every: 1m}", "{after: [core.gone]}"))
    world.write("sql/payments/held.sql", HELD_SQL)
    world.table.says("s_1", NOON)
    beat = with_policies(world, elsewhere=AFTER)
    real = beat.node.warehouse.loaded_until

    def loaded_until(assets: object) -> dict[str, datetime]:
        found = list(assets)  # type: ignore[call-overload]
        if any(asset.name == "core.gone" for asset in found):
            raise WarehouseError("you may not read core.gone")
        return real(found)

    beat.node.warehouse.loaded_until = loaded_until  # type: ignore[method-assign]
    assert beat.once() == [EVERY]


def test_an_asset_without_an_age_is_updated_when_all_that_makes_it_is(world: World) -> None:
    made = "model:reco: {owner: payments, after: [core.chat, 'policy:payments.elsewhere']}\n"
    world.write("policies/_assets.yml", FILES["policies/_assets.yml"] + made)
    world.table.says("s_1", NOON)
    beat = with_policies(world, held=HELD.replace("{every: 1m}", "{after: ['model:reco']}"))
    assert beat.once() == []
    beat.runs([EVERY])
    assert beat.once() == [HELD_NAME]
    assert beat.once() == []
    beat.node.clock.on(MINUTE)
    beat.runs([EVERY])
    assert beat.once() == []
    world.table.says("s_1", NOON + MINUTE)
    looked = [*beat.once(), *beat.once(), *beat.once()]
    assert looked == [HELD_NAME]
    assert len(beat.node.store.states.history("model:reco")) == 2
