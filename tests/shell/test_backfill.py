"""The past is looked at again: in its own lane, paging nobody, and nothing alerts twice."""

from __future__ import annotations

import io
import os
import signal
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from bot.core.alert import Lane
from bot.core.change import Refused
from bot.core.ledger import Stretch
from bot.engine import backfill as room
from bot.engine import runs
from bot.engine.backfill import Backfill, Plan, Step, plan, preview
from sensors import run
from sensors.model.policy import Policy
from sensors.model.run import CauseKind, Looked, RunStatus
from sensors.model.window import Window
from sensors.warehouse import Warehouse, WarehouseError
from tests.shell.making import ELSEWHERE, HOUR, MINUTE, NOON, SECOND, Node, World
from tests.shell.trouble import BOTH, EVERY, HELD_NAME, counting, failing, in_between
from tests.shell.typing_in import Patrol


def on(_: float) -> bool:
    return False


def planned(node: Node, start: datetime, end: datetime, name: str = EVERY, **how: bool) -> Plan:
    found = plan(node.engine, node.engine.catalog.policies[name], Stretch(start, end), **how)
    assert isinstance(found, Plan), found
    return found


def refused(node: Node, start: datetime, end: datetime, name: str = EVERY) -> str:
    found = plan(node.engine, node.engine.catalog.policies[name], Stretch(start, end))
    assert isinstance(found, Refused)
    return found.why


def fills(
    node: Node,
    start: datetime,
    end: datetime,
    *,
    name: str = EVERY,
    again: bool = False,
    wait: Callable[[float], bool] = on,
) -> list[Step]:
    work = Backfill(node.engine, planned(node, start, end, name, again=again), wait, again=again)
    return list(work.steps())


@pytest.fixture
def late(world: World, node: Node) -> Node:
    """The bot has looked until 15:00, and then two rows of the morning came that it will never look at."""
    world.table.says("s_0", NOON + 3 * HOUR, "hello")
    node.clock.on(3 * HOUR)
    node.tick()
    world.table.says("s_1", NOON - HOUR)
    world.table.says("s_2", NOON + 30 * MINUTE)
    assert node.alerts() == []
    return node


@BOTH
def test_what_it_finds_opens_alerts_that_page_nobody(world: World, node: Node) -> None:
    world.write("policies/payments/elsewhere.yml", ELSEWHERE + "on_open: [hold_payouts]\n")
    node.engine.reload()
    world.table.says("s_0", NOON, "hello")
    node.tick()
    watermark = node.store.runs.watermark(EVERY)
    world.table.says("s_1", NOON - 3 * HOUR)
    steps = fills(node, NOON - 4 * HOUR, NOON - 2 * HOUR)
    assert [(s.rows, s.fired) for s in steps] == [(0, 0), (1, 1)]
    (alert,) = node.alerts()
    assert (alert.lane, alert.title, alert.step_due) == (Lane.historical, "s_1 asked 1 times", None)
    assert node.view.channel_of(alert) == "C0PAYMENTSREVIEW"
    assert node.store.outbox.effects(node.clock()) == []
    assert node.store.jobs.recent(5) == []
    assert node.store.runs.watermark(EVERY) == watermark
    assert node.store.alerts.evidence(alert.id).rows[0]["body"] == "pay me on cash app"


def test_a_row_that_was_backfilled_never_alerts_live_nor_the_other_way_round(
    world: World, late: Node
) -> None:
    fills(late, NOON - 2 * HOUR, NOON + 2 * HOUR)
    assert [a.lane for a in late.alerts()] == [Lane.historical] * 2
    world.table.says("s_3", NOON + 3 * HOUR)
    late.next_tick()
    late.next_tick()
    live = [a for a in late.alerts() if a.lane is Lane.live]
    assert [a.key_values["seller_id"] for a in live] == ["s_3"]
    late.clock.on(2 * HOUR)
    world.table.says("s_0", late.clock(), "hello")
    late.tick()
    steps = fills(late, NOON - 2 * HOUR, NOON + 4 * HOUR, again=True)
    assert sum(s.rows for s in steps) == 3
    assert sum(s.fired for s in steps) == 0
    assert len(late.alerts()) == 3


def test_rows_of_several_windows_add_up_within(world: World, node: Node) -> None:
    grown = "threshold: {count: 3, within: 24h}\n"
    world.write(
        "policies/payments/elsewhere.yml",
        ELSEWHERE.replace("medium: 1, high: 4", "medium: 3, high: 6") + grown,
    )
    node.engine.reload()
    world.table.says("s_0", NOON + 12 * HOUR, "hello")
    node.clock.on(12 * HOUR)
    node.tick()
    for hours in (0, 3, 6):
        world.table.says("s_1", NOON + hours * HOUR)
    world.table.says("s_2", NOON + HOUR, times=2)
    steps = fills(node, NOON - HOUR, NOON + 10 * HOUR)
    assert len(steps) == 11
    assert [(a.key_values["seller_id"], a.count) for a in node.alerts()] == [("s_1", 3)]


def test_a_flood_of_the_past_is_one_alert(world: World, late: Node) -> None:
    for n in range(30):
        world.table.says(f"s_{n + 10}", NOON - 3 * HOUR)
    fills(late, NOON - 4 * HOUR, NOON - 2 * HOUR)
    (flood,) = late.alerts()
    assert (flood.lane, flood.count) == (Lane.historical, 30)


def test_it_goes_on_where_it_was_stopped_and_looks_at_no_window_twice(late: Node) -> None:
    asked = counting(late)
    seen = iter([False, False, True])
    steps = fills(late, NOON - 5 * HOUR, NOON, wait=lambda _: next(seen))
    assert len(steps) == len(asked) == 2
    again = planned(late, NOON - 5 * HOUR, NOON)
    assert again.done == 2
    steps = fills(late, NOON - 5 * HOUR, NOON)
    assert [s.before for s in steps] == [True, True, False, False, False]
    assert len(asked) == 5
    fills(late, NOON - 5 * HOUR, NOON, again=True)
    assert len(asked) == 10


def test_a_window_that_failed_is_looked_at_again_and_bothers_nobody(late: Node) -> None:
    work = Backfill(late.engine, planned(late, NOON - 2 * HOUR, NOON), on)
    mend = failing(late, WarehouseError("the table is gone"))
    steps = list(work.steps())
    assert [s.failed for s in steps] == ["the table is gone"]
    assert late.broken() == []
    mend()
    steps = fills(late, NOON - 2 * HOUR, NOON)
    assert [(s.failed, s.before) for s in steps] == [("", False)] * 2


def test_a_window_that_does_not_fit_is_looked_at_in_parts(
    world: World, late: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = run.look
    monkeypatch.setattr(runs, "look", lambda *given: real(*given, limit=10))
    for n in range(35):
        world.table.says("s_1", NOON - 2 * HOUR + n * MINUTE)
    (step,) = fills(late, NOON - 2 * HOUR, NOON - HOUR)
    assert (step.rows, step.failed) == (35, "")
    assert [a.count for a in late.alerts()] == [35]
    assert planned(late, NOON - 2 * HOUR, NOON - HOUR).done == 1
    (step,) = fills(late, NOON - 2 * HOUR, NOON - HOUR)
    assert step.before


def test_it_waits_while_the_bot_looks(world: World, late: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "AGAIN_S", 7.0)
    bot = world.node()
    waited: list[float] = []
    begun: list[list[Step]] = []

    def wait(seconds: float) -> bool:
        waited.append(seconds)
        return 7.0 in waited

    in_between(bot, lambda: begun.append(fills(late, NOON - HOUR, NOON, wait=wait)))
    world.table.says("s_0", NOON + 3 * HOUR + MINUTE, "hello")
    bot.next_tick()
    assert begun == [[]]
    assert waited == [0, 7.0]
    (step,) = fills(late, NOON - HOUR, NOON)
    assert not step.failed


def test_a_run_that_died_is_brought_to_its_end_where_no_bot_does_it(world: World, late: Node) -> None:
    dead = world.node()

    def dies() -> None:
        raise KeyboardInterrupt

    in_between(dead, dies)
    with pytest.raises(KeyboardInterrupt):
        fills(dead, NOON - 2 * HOUR, NOON)
    late.clock.on(MINUTE)
    steps = fills(late, NOON - 2 * HOUR, NOON)
    assert [s.failed for s in steps] == ["", ""]
    assert {r.status for r in late.store.runs.recent(EVERY)} == {RunStatus.succeeded}
    assert len(late.alerts()) == 1


@BOTH
def test_two_backfills_at_once_give_the_same_as_one(world: World, node: Node) -> None:
    world.table.says("s_0", NOON, "hello")
    node.tick()
    for hours in (1, 2, 3):
        world.table.says(f"s_{hours}", NOON - hours * HOUR)
    other = world.node()
    in_between(node, lambda: fills(other, NOON - 4 * HOUR, NOON - 30 * MINUTE, wait=lambda s: s > 0) and None)
    fills(node, NOON - 4 * HOUR, NOON - 30 * MINUTE)
    assert sorted(a.key_values["seller_id"] for a in node.alerts()) == ["s_1", "s_2", "s_3"]


# ------------------------------------------------------------------------------ conditions

BUSY = """
title: Seller writes much
owner: payments
severity: high
schedule: {every: 1h}
window: {trailing: 1h, column: sent_at}
key: [seller_id]
clear: always
threshold: {count: 2}
"""
BUSY_SQL = """-- One row per message.
SELECT message_id, seller_id, sent_at FROM {{ table('core.chat') }} WHERE {{ in_window('sent_at') }}
"""


def test_conditions_are_looked_at_as_of_each_missed_due_time(world: World, node: Node) -> None:
    world.write("policies/payments/busy.yml", BUSY)
    world.write("sql/payments/busy.sql", BUSY_SQL)
    node.engine.reload()
    world.table.says("s_1", NOON + 90 * MINUTE, times=2)
    world.table.says("s_2", NOON + 200 * MINUTE, times=2)
    world.table.says("s_0", NOON + 6 * HOUR)
    node.clock.on(6 * HOUR)
    steps = fills(node, NOON, NOON + 4 * HOUR, name="payments.busy")
    assert [s.window.end for s in steps] == [NOON + n * HOUR for n in (1, 2, 3, 4)]
    stories = [node.kinds(n) for n in (1, 2)]
    assert stories == [["opened", "resolved"], ["opened"]]
    assert {a.lane for a in node.alerts()} == {Lane.historical}


# ------------------------------------------------------------------------------ what it will not do


def test_it_ends_where_the_schedule_looks_by_itself_or_where_nothing_is_loaded(late: Node) -> None:
    found = planned(late, NOON, NOON + 9 * HOUR)
    assert found.past.end == NOON + 3 * HOUR - 5 * MINUTE
    assert "its schedule looks at by itself" in "\n".join(preview(found))
    assert "its schedule looks at by itself" in refused(late, NOON + 4 * HOUR, NOON + 9 * HOUR)


def test_it_says_plainly_why_it_cannot_begin(world: World, node: Node) -> None:
    assert "how it was is not kept" in refused(node, NOON - HOUR, NOON, HELD_NAME)
    assert refused(node, NOON, NOON - HOUR) == "FROM must be before TO."
    world.write("policies/payments/elsewhere.yml", ELSEWHERE + "status: draft\n")
    node.engine.reload()
    assert "is draft: make it shadow or live first" in refused(node, NOON - HOUR, NOON)


def test_a_preview_counts_what_it_would_ask(late: Node) -> None:
    said = preview(planned(late, NOON - 5 * HOUR, NOON))
    assert said[0] == "5 windows of at most 1 h: 5 queries"
    assert "about 1 s: its runs took" in said[1]
    assert said[2].startswith("looked at before: 0 s of 5 h")
    fills(late, NOON - 2 * HOUR, NOON)
    said = preview(planned(late, NOON - 5 * HOUR, NOON))
    assert said[0] == "5 windows of at most 1 h; 2 were backfilled before and are left out: 3 queries"
    assert said[2].startswith("looked at before: 2 h of 5 h")
    assert said[3] == "alerts go to C0PAYMENTSREVIEW, page nobody and start no jobs"


def test_its_windows_count_as_looked_at(late: Node) -> None:
    before = late.store.ledger.covered(EVERY)
    fills(late, NOON - 2 * HOUR, NOON)
    assert late.store.ledger.covered(EVERY) == (Stretch(NOON - 2 * HOUR, NOON), *before)
    assert late.clock() - before[0].start < 2 * HOUR + SECOND


# ------------------------------------------------------------------------------ the command


class Person(io.StringIO):
    """Somebody at a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def lately(world: World) -> datetime:
    """A bot has looked, by the real clock, and a row came that is two hours late."""
    now = datetime.now(UTC).replace(microsecond=0)
    world.table.says("s_0", now - MINUTE, "hello")
    bot = world.node()
    bot.clock.at = now
    bot.tick()
    world.table.says("s_1", now - 150 * MINUTE)
    return now


@pytest.mark.usefixtures("lately")
def test_the_command_previews_asks_and_looks(
    world: World, patrol: Patrol, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran = patrol("backfill", EVERY, "4h", "1h", "--dry-run")
    assert (ran.code, "queries" in ran.out, "looked at before: " in ran.out) == (0, True, True)
    ran = patrol("backfill", EVERY, "4h", "1h")
    assert (ran.code, "nobody to ask here" in ran.err) == (2, True)
    monkeypatch.setattr(sys, "stdin", Person("n\n"))
    ran = patrol("backfill", EVERY, "4h", "1h")
    assert (ran.code, "Look at it?" in ran.out) == (1, True)
    assert world.nodes[0].alerts() == []
    ran = patrol("backfill", EVERY, "4h", "1h", "--yes", "--each", "30m")
    assert (ran.code, "BKF-1: 1 row, 1 new alert (ALR-1)" in ran.out) == (0, True)
    (alert,) = world.nodes[0].alerts()
    assert alert.lane is Lane.historical
    made = {r.cause.kind: r for r in world.nodes[0].store.runs.recent(EVERY)}
    assert made[CauseKind.range].content == world.nodes[0].engine.catalog.policies[EVERY].content


@pytest.mark.usefixtures("lately")
def test_the_command_leaves_the_version_of_the_files_as_the_bot_has_it(world: World, patrol: Patrol) -> None:
    before = world.nodes[0].store.contents.active("main")
    world.write("policies/payments/elsewhere.yml", ELSEWHERE.replace("every: 1m", "every: 2m"))
    assert patrol("backfill", EVERY, "4h", "2h", "--yes").code == 0
    assert world.nodes[0].store.contents.active("main") == before


def test_a_warehouse_that_fails_is_said_plainly(
    world: World, lately: datetime, patrol: Patrol, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = run.look
    broken = WarehouseError("the warehouse is away", transient=True)

    def look(policy: Policy, warehouse: Warehouse, window: Window) -> Looked:
        late = window.start and window.start > lately - 3 * HOUR
        found = real(policy, warehouse, window)
        return replace(found, status=RunStatus.failed, error=str(broken)) if late else found

    with monkeypatch.context() as patch:
        patch.setattr(runs, "look", look)
        ran = patrol("backfill", EVERY, "5h", "1h", "--yes")
    assert (ran.code, "It failed: " in ran.out) == (1, True)
    assert "the warehouse is away" in ran.out
    assert "The same command goes on from there." in ran.out
    world.table.breaks()
    ran = patrol("backfill", EVERY, "4h", "1h", "--yes")
    assert (ran.code, "does not say until when it is loaded" in ran.err) == (2, True)


def test_ctrl_c_stops_between_windows_and_the_same_command_goes_on(
    world: World, lately: datetime, patrol: Patrol, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, pressed = run.look, list[datetime]()

    def look(policy: Policy, warehouse: Warehouse, window: Window) -> Looked:
        if window.start and window.start > lately - 3 * HOUR:
            pressed.append(datetime.now(UTC))
            os.kill(os.getpid(), signal.SIGINT)
        return real(policy, warehouse, window)

    with monkeypatch.context() as patch:
        patch.setattr(runs, "look", look)
        ran = patrol("backfill", EVERY, "5h", "1h", "--yes")
    assert (ran.code, "Stopping after this window" in ran.err) == (1, True)
    assert "The same command goes on from there." in ran.out
    assert [kept.line.at >= pressed[0] for kept in world.node().store.trail.lines()] == [False, True]
    ran = patrol("backfill", EVERY, "5h", "1h", "--yes")
    assert (ran.code, "were backfilled before and are left out" in ran.out) == (0, True)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["payments.elswhere", "2d", "1d"], "did you mean payments.elsewhere?"),
        ([HELD_NAME, "2d", "1d"], "how it was is not kept"),
        ([EVERY, "1d", "2d"], "FROM must be before TO."),
        ([EVERY, "yesterday", "1d"], "is no time; write it as 2026-01-05T12:00:00Z, or as 7d (ago)"),
        ([EVERY, "1d"], "Missing argument 'TO'"),
        ([EVERY, "1d", "now", "--each", "much"], "is no duration"),
        ([EVERY, "2026-01-05T12:00Z", "now", "--each", "1s"], "are the most: take a shorter time"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_is_typed_wrongly_is_told_what_is_right(patrol: Patrol, words: list[str], told: str) -> None:
    ran = patrol("backfill", *words)
    assert (ran.code, told in ran.said) == (2, True), ran.said
