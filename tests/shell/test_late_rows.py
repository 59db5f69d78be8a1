"""A row that came too late, or has no time, is never silently unseen: its owner hears of it."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from bot.core.action import Resolve
from bot.core.alert import Alert, Disposition, Lane, Work
from bot.core.late import LATE_ROWS
from bot.core.ledger import Stretch
from bot.core.version import finds_the_same
from bot.engine.backfill import Backfill, Plan, plan
from bot.watch.late import LateRows
from sensors.model.run import RunStatus
from sensors.warehouse import WarehouseError
from tests.shell.making import DAY, ELSEWHERE, HOUR, MINUTE, NOON, Node, World
from tests.shell.trouble import BOTH, EVERY, counting, failing

MASKED = ELSEWHERE.replace("fields: [body]", "fields: [body], columns: {body: mask}")


def nights(node: Node, count: int = 1) -> int:
    """The next morning, of a process that has just started."""
    told = 0
    for _ in range(count):
        node.clock.on(DAY)
        told = LateRows(node.engine).once()
    return told


def told(node: Node) -> list[Alert]:
    return node.alerts(LATE_ROWS)


@pytest.fixture
def looked(world: World) -> Node:
    """A bot that looked for four hours, in which a row came each hour."""
    world.write("policies/payments/elsewhere.yml", MASKED)
    node = world.node()
    for hour in range(5):
        node.clock.at = NOON + hour * HOUR
        world.table.says(f"s_{hour}", node.clock() - MINUTE)
        node.tick()
    assert len(node.alerts()) == 5
    return node


@BOTH
def test_rows_that_came_behind_reach_are_told_to_the_owner_with_what_to_do(world: World) -> None:
    world.write("policies/payments/elsewhere.yml", MASKED)
    node = world.node()
    for hour in range(5):
        node.clock.at = NOON + hour * HOUR
        world.table.says(f"s_{hour}", node.clock() - MINUTE)
        node.tick()
    world.table.says("s_8", NOON + HOUR, times=2)
    world.table.says("s_9", NOON + 2 * HOUR)
    assert nights(node) == 1
    (alert,) = told(node)
    assert alert.title == (
        "payments.elsewhere: 3 rows came too late to be looked at, the newest of 2026-01-05 14:00:00 UTC"
    )
    assert (alert.lane, alert.terms.team, alert.count) == (Lane.live, "payments", 3)
    assert (
        "patrol backfill payments.elsewhere 2026-01-05T13:00:00Z 2026-01-05T14:00:01Z --again"
        in alert.newest["why"]
    )
    shown = node.store.alerts.evidence(alert.id)
    assert (shown.total, shown.rows[0]["seller_id"], shown.rows[0]["body"]) == (3, "s_9", "pa•••")


def test_a_backfill_looks_at_them_and_the_next_night_is_quiet(world: World, looked: Node) -> None:
    world.table.says("s_9", NOON + 2 * HOUR)
    nights(looked)
    (alert,) = told(looked)
    past = Stretch(NOON + 2 * HOUR, NOON + 2 * HOUR + timedelta(seconds=1))
    found = plan(looked.engine, looked.engine.catalog.policies[EVERY], past)
    assert isinstance(found, Plan)
    assert [s.fired for s in Backfill(looked.engine, found, lambda _: False).steps()] == [1]
    assert nights(looked) == 0
    assert told(looked) == []
    assert looked.alert(alert.id).work is Work.resolved


def test_all_is_well_where_every_row_was_seen(looked: Node) -> None:
    assert nights(looked) == 0
    assert told(looked) == []


def test_on_sundays_rows_that_came_days_late_are_found_too(world: World, looked: Node) -> None:
    for day in range(1, 5):
        looked.clock.at = NOON + day * DAY
        world.table.says(f"s_1{day}", looked.clock() - MINUTE)
        looked.tick()
    world.table.says("s_9", NOON + 2 * HOUR)  # Monday's, come on Friday
    assert nights(looked, 1) == 0  # Saturday
    assert nights(looked, 1) == 1  # Sunday
    (alert,) = told(looked)
    assert "1 row came too late" in alert.title
    assert nights(looked, 1) == 1  # it is told of until somebody has looked
    past = Stretch(NOON + 2 * HOUR, NOON + 2 * HOUR + timedelta(seconds=1))
    found = plan(looked.engine, looked.engine.catalog.policies[EVERY], past)
    assert isinstance(found, Plan)
    assert [s.fired for s in Backfill(looked.engine, found, lambda _: False).steps()] == [1]
    assert nights(looked, 1) == 0
    assert told(looked) == []


def test_rows_of_a_time_that_nobody_looked_at_are_holes_and_not_late(world: World, looked: Node) -> None:
    world.table.says("s_9", NOON - 20 * HOUR)
    nights(looked)
    assert told(looked) == []


def test_an_edited_query_does_not_call_old_rows_late(world: World, looked: Node) -> None:
    world.table.says("s_9", NOON + 2 * HOUR, "wire me the money")
    sql = (world.project / "sql/payments/elsewhere.sql").read_text()
    world.write("sql/payments/elsewhere.sql", sql.replace("%pay me%", "%me%"))
    looked.engine.reload()
    world.table.says("s_7", NOON + 5 * HOUR)
    looked.clock.at = NOON + 5 * HOUR
    looked.tick()
    nights(looked)
    assert told(looked) == []


EDITS = {
    "schedule": MASKED.replace("every: 1m", "every: 2m"),
    "lookback": MASKED.replace("lookback: 5m", "lookback: 7m"),
    "title": MASKED.replace("Seller steers", "A seller steers"),
}


@BOTH
@pytest.mark.parametrize("edit", [*EDITS, "its path"])
def test_an_edit_that_changes_no_row_does_not_hide_late_rows(world: World, looked: Node, edit: str) -> None:
    world.table.says("s_9", NOON + 2 * HOUR)
    name = EVERY
    if edit in EDITS:
        world.write("policies/payments/elsewhere.yml", EDITS[edit])
    else:
        name = "chat.moved"
        for kind in ("policies/{}.yml", "sql/{}.sql"):
            (world.project / "policies/chat").mkdir(exist_ok=True)
            (world.project / "sql/chat").mkdir(exist_ok=True)
            (world.project / kind.format("payments/elsewhere")).rename(
                world.project / kind.format("chat/moved")
            )
        world.write("policies/chat/moved.yml", f"{MASKED}renamed_from: {EVERY}\n")
    looked.engine.reload()
    world.table.says("s_7", NOON + 5 * HOUR)
    looked.clock.at = NOON + 5 * HOUR
    looked.tick(name)
    nights(looked)
    assert [(a.key_values["policy"], a.count) for a in told(looked)] == [(name, 1)]


ROWS = {
    "key: [seller_id]": "key: [message_id]",
    "row_key: [message_id]": "row_key:\n- body",
    "column: sent_at": "column: written_at",
}


@pytest.mark.parametrize("was", ROWS)
def test_an_edit_of_what_makes_a_row_begins_anew(was: str) -> None:
    texts = (ELSEWHERE, ELSEWHERE.replace(was, ROWS[was]))
    before, after = (json.dumps({"files": [text, "SELECT"], "dialect": "duckdb"}) for text in texts)
    assert finds_the_same(before, before)
    assert not finds_the_same(before, after)
    assert not finds_the_same("", after)


@BOTH
def test_rows_without_a_time_are_counted(world: World) -> None:
    node = world.node()
    world.table.says("s_1", NOON)
    node.tick()
    world.table.does("INSERT INTO core.chat VALUES ('m_x', 's_9', 'pay me now', NULL)")
    assert nights(node) == 1
    (alert,) = told(node)
    assert alert.title == "payments.elsewhere: 1 row without a time, so in no window"
    assert "give the rows a time" in alert.newest["why"]
    world.table.does("DELETE FROM core.chat WHERE sent_at IS NULL")
    nights(node)
    assert told(node) == []


def test_of_two_bots_one_does_it_and_once_a_night(world: World, looked: Node) -> None:
    other = world.node()
    world.table.says("s_9", NOON + 2 * HOUR)
    looked.clock.on(DAY)
    asked = counting(looked)
    mine = LateRows(looked.engine)
    assert [mine.once(), mine.once(), LateRows(other.engine).once()] == [1, 0, 0]
    assert len(asked) == 2
    assert len(told(looked)) == 1
    assert looked.kinds(told(looked)[0].id) == ["opened"]


def test_a_warehouse_that_fails_harms_nothing(world: World, looked: Node) -> None:
    world.table.says("s_9", NOON + 2 * HOUR)
    nights(looked)
    mend = failing(looked, WarehouseError("the warehouse is away", transient=True))
    assert nights(looked) == 0
    assert [r.status for r in looked.store.runs.recent(LATE_ROWS, 1)] == [RunStatus.failed]
    assert len(told(looked)) == 1
    assert looked.broken() == []
    mend()
    assert nights(looked) == 1


def test_one_that_was_resolved_comes_back_when_more_rows_come(world: World, looked: Node) -> None:
    world.table.says("s_9", NOON + 2 * HOUR)
    nights(looked)
    (alert,) = told(looked)
    looked.engine.act(alert.id, Resolve("U0ANA", Disposition.benign), by="U0ANA")
    nights(looked)
    assert told(looked) == []
    world.table.says("s_8", NOON + 3 * HOUR)
    nights(looked)
    assert [(a.id, a.count, a.reopened) for a in told(looked)] == [(alert.id, 2, 1)]


def test_it_ends_with_its_policy(world: World, looked: Node) -> None:
    world.table.says("s_9", NOON + 2 * HOUR)
    nights(looked)
    world.write("policies/payments/elsewhere.yml", MASKED + "status: retired\n")
    looked.engine.reload()
    nights(looked)
    assert told(looked) == []


def test_rows_that_are_hours_late_are_in_time_by_their_arrival(world: World) -> None:
    world.table.does("ALTER TABLE core.chat ADD COLUMN loaded_at TIMESTAMP")
    assets = (world.project / "policies/_assets.yml").read_text()
    world.write(
        "policies/_assets.yml",
        assets.replace("loaded_until: sent_at", "loaded_until: loaded_at").replace(
            "sent_at: timestamp}", "sent_at: timestamp, loaded_at: timestamp}"
        ),
    )
    world.write("policies/payments/elsewhere.yml", ELSEWHERE.replace("column: sent_at", "column: loaded_at"))
    sql = (world.project / "sql/payments/elsewhere.sql").read_text()
    sql = sql.replace("body, sent_at", "body, sent_at, loaded_at").replace("('sent_at')", "('loaded_at')")
    world.write("sql/payments/elsewhere.sql", sql)
    node = world.node()
    for n in range(8):
        at = node.clock.on(HOUR)
        world.table.does(
            f"INSERT INTO core.chat VALUES ('m_{n}', 's_{n}', 'pay me', "
            f"'{at - n * HOUR:%Y-%m-%d %H:%M:%S}', '{at:%Y-%m-%d %H:%M:%S}')"
        )
        node.tick()
    node.next_tick(after=MINUTE)
    assert len(node.alerts(EVERY)) == 8
    assert nights(node) == 0
