"""A table whose age cannot be known hides nothing: a row of a time to come, a right that is gone, a column
that is gone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import cast

import pytest

from bot.core.stale import STALE_ASSET
from bot.watch.tables import Tables
from sensors.model.policy import Severity
from sensors.model.run import RunStatus
from sensors.model.session import Session
from sensors.warehouse import Warehouse, WarehouseError, connect
from tests.shell.making import FILES, HELD, HELD_SQL, HOUR, MINUTE, NOON, SECOND, Table, World
from tests.shell.trouble import BOTH, EVERY, HELD_NAME
from tests.shell.upstream import AFTER, LATE, NIGHTLY, Beat, with_policies

FAR = datetime(2099, 1, 1, tzinfo=NOON.tzinfo)
GONE = "core.gone: {owner: payments, loaded_until: came}\n"
SAID = "you may not read core.gone"


def titles(beat: Beat) -> list[str]:
    return [alert.title for alert in beat.node.alerts(STALE_ASSET)]


def refusing(beat: Beat, table: str, error: WarehouseError) -> Callable[[], None]:
    """The warehouse refuses to say how far this table is loaded, until the answer is called."""
    real = beat.node.warehouse.loaded_until

    def loaded_until(assets: object) -> dict[str, datetime]:
        found = list(assets)  # type: ignore[call-overload]
        if any(asset.name == table for asset in found):
            raise error
        return real(found)

    def mend() -> None:
        beat.node.warehouse.loaded_until = real  # type: ignore[method-assign]

    beat.node.warehouse.loaded_until = loaded_until  # type: ignore[method-assign]
    return mend


# ------------------------------------------------------------------ a row of a time to come


def test_a_row_of_a_time_to_come_holds_up_nothing_that_comes_after_its_table(world: World) -> None:
    beat = with_policies(world, elsewhere=AFTER)
    world.table.says("s_1", NOON)
    world.table.says("s_1", FAR)
    assert beat.once() == [EVERY]
    world.table.says("s_1", NOON + MINUTE)
    assert beat.once() == [EVERY]
    assert beat.once() == []
    newest = beat.node.store.states.newest(["core.chat"])["core.chat"]
    assert newest.at == NOON + MINUTE


def test_a_row_of_a_time_to_come_hides_no_lateness(world: World) -> None:
    world.write("policies/_assets.yml", LATE)
    world.table.says("s_1", NOON)
    world.table.says("s_1", FAR)
    beat = with_policies(world, elsewhere=NIGHTLY)
    beat.runs([EVERY])
    beat.node.clock.at = NOON + 18 * HOUR + SECOND
    beat.runs([EVERY])
    assert beat.newest(EVERY).status is RunStatus.waiting
    assert beat.once() == []
    (title,) = titles(beat)
    assert title.startswith("core.chat is late: loaded until 2026-01-05 12:00 UTC")
    world.table.says("s_1", beat.node.clock())
    assert beat.once() == [EVERY]
    assert titles(beat) == []


@pytest.mark.parametrize("ahead", [timedelta(), 59 * MINUTE])
def test_a_clock_that_is_a_little_ahead_is_believed(world: World, ahead: timedelta) -> None:
    beat = with_policies(world, elsewhere=AFTER)
    world.table.says("s_1", NOON + ahead)
    beat.once()
    assert beat.node.store.states.newest(["core.chat"])["core.chat"].at == NOON + ahead


def test_where_every_row_is_of_a_time_to_come_its_owner_is_told(world: World) -> None:
    world.write("policies/_assets.yml", LATE)
    world.table.says("s_1", FAR)
    beat = with_policies(world, elsewhere=AFTER)
    for _ in range(20):
        assert beat.once(MINUTE) == []
    assert titles(beat) == [
        "how fresh core.chat is cannot be asked: its newest sent_at, 2099-01-01 00:00 UTC, is to come, and"
        " nothing tells which is not"
    ]
    world.table.says("s_1", beat.node.clock())
    assert beat.once(MINUTE) == [EVERY]
    assert titles(beat) == []


# -------------------------------------------------------------------------- no row at all


def test_a_table_that_should_be_fresh_and_has_lost_its_rows_is_told_once_and_over_when_they_are_back(
    world: World,
) -> None:
    """As where a load empties it and then fails: nothing is late, since there is nothing."""
    world.write("policies/_assets.yml", LATE)
    world.table.says("s_1", NOON)
    beat = with_policies(world, elsewhere=NIGHTLY)
    beat.runs([EVERY])
    world.table.does("DELETE FROM core.chat")
    for _ in range(60):
        beat.once(MINUTE)
    assert titles(beat) == []  # for as long as its rows may be old
    for _ in range(3):
        beat.once(MINUTE)
    (alert,) = beat.node.alerts(STALE_ASSET)
    assert alert.title == "core.chat holds no row; its newest may be 1 h old"
    assert (alert.terms.team, alert.severity) == ("payments", Severity.medium)
    assert "See to what loads core.chat" in str(alert.newest["advice"])
    for _ in range(30):
        beat.once(MINUTE)
    assert beat.node.kinds(alert.id) == ["opened"]
    world.table.says("s_1", beat.node.clock())
    beat.once(MINUTE)
    assert titles(beat) == []


@pytest.mark.parametrize("assets", [FILES["policies/_assets.yml"], "core.sellers: {owner: payments}\n"])
def test_a_table_that_need_not_be_fresh_any_more_is_over(world: World, assets: str) -> None:
    world.write("policies/_assets.yml", LATE)
    beat = Beat(world.node())
    for _ in range(62):
        beat.once(MINUTE)
    assert titles(beat) == ["core.chat holds no row; its newest may be 1 h old"]
    world.write("policies/_assets.yml", assets)
    beat.node.engine.reload()
    beat.once(MINUTE)
    assert titles(beat) == []


def test_a_restart_does_not_begin_the_time_anew_for_which_a_table_may_hold_no_row(world: World) -> None:
    world.write("policies/_assets.yml", LATE)
    world.table.says("s_1", NOON)
    beat = Beat(world.node())
    beat.once()
    world.table.does("DELETE FROM core.chat")
    beat.once(50 * MINUTE)
    other = Beat(world.node())
    for _ in range(14):
        other.once(MINUTE)
    assert titles(other) == []  # it may just be loaded anew
    for _ in range(3):
        other.once(MINUTE)
    assert titles(other) == ["core.chat holds no row; its newest may be 1 h old"]


# ------------------------------------------------------------------- what cannot be asked


@pytest.fixture
def refused(world: World) -> tuple[Beat, Callable[[], None]]:
    world.write("policies/_assets.yml", LATE + GONE)
    world.write("policies/payments/held.yml", HELD.replace("{every: 1m}", "{after: [core.gone]}"))
    world.write("sql/payments/held.sql", HELD_SQL)
    world.table.says("s_1", NOON)
    world.table.does("CREATE TABLE core.gone (came TIMESTAMP)")
    beat = with_policies(world, elsewhere=AFTER)
    return beat, refusing(beat, "core.gone", WarehouseError(SAID))


@BOTH
def test_a_table_that_may_not_be_read_is_told_once_and_over_when_it_may(
    refused: tuple[Beat, Callable[[], None]],
) -> None:
    beat, mend = refused
    assert beat.once() == [EVERY]  # it harms no other
    for _ in range(14):
        assert beat.once(MINUTE) == []
    assert titles(beat) == []
    for _ in range(3):
        beat.once(MINUTE)
    (alert,) = beat.node.alerts(STALE_ASSET)
    assert alert.title == f"how fresh core.gone is cannot be asked: {SAID}"
    assert (alert.terms.team, alert.severity) == ("payments", Severity.medium)
    assert f"{HELD_NAME} waits for it" in str(alert.newest["advice"])
    for _ in range(30):
        beat.once(MINUTE)
    assert beat.node.kinds(alert.id) == ["opened"]
    mend()
    for _ in range(7):
        beat.once(MINUTE)  # it holds no rows, but it can be asked
    assert [title for title in titles(beat) if "core.gone" in title] == []


def test_another_process_that_begins_does_not_take_it_back(
    world: World, refused: tuple[Beat, Callable[[], None]]
) -> None:
    beat, _ = refused
    other = Beat(world.node())  # on the same warehouse
    for _ in range(25):
        beat.once(MINUTE)
    (alert,) = [a for a in beat.node.alerts(STALE_ASSET) if "core.gone" in a.title]
    for _ in range(25):
        other.once(MINUTE)
        beat.once(MINUTE)
    assert beat.node.kinds(alert.id) == ["opened"]


def test_while_the_whole_warehouse_is_away_no_table_is_told(
    refused: tuple[Beat, Callable[[], None]],
) -> None:
    beat, _ = refused
    beat.once()

    def ping() -> None:
        raise WarehouseError("the password is wrong")

    beat.node.warehouse.ping = ping  # type: ignore[method-assign]
    for _ in range(40):
        beat.once(MINUTE)
    assert titles(beat) == []


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ("DROP TABLE core.gone", "the warehouse has no such table"),
        ("ALTER TABLE core.gone RENAME COLUMN came TO seen_at", "it has no column came"),
    ],
)
def test_a_table_or_column_that_is_gone_is_told_and_found_again_at_once(
    world: World, refused: tuple[Beat, Callable[[], None]], change: str, why: str
) -> None:
    beat, mend = refused
    mend()
    world.table.does("INSERT INTO core.gone VALUES ('2026-01-05 12:00:00')")
    assert beat.once() == [EVERY, HELD_NAME]
    world.table.does(change)
    for _ in range(17):
        beat.once(MINUTE)
    assert titles(beat) == [f"how fresh core.gone is cannot be asked: {why}"]
    world.table.does("DROP TABLE IF EXISTS core.gone")
    world.table.does("CREATE TABLE core.gone AS SELECT TIMESTAMP '2026-01-05 12:01:00' AS came")
    assert beat.once(MINUTE) == [HELD_NAME]
    assert titles(beat) == []


def test_what_waits_for_a_table_that_does_not_tell_goes_on_waiting(world: World) -> None:
    world.write("policies/_assets.yml", LATE)
    world.table.says("s_1", NOON)
    beat = with_policies(world, elsewhere=NIGHTLY)
    beat.runs([EVERY])
    beat.node.clock.at = NOON + 18 * HOUR + SECOND
    beat.runs([EVERY])
    mend = refusing(beat, "core.chat", WarehouseError("you may not read core.chat"))
    for _ in range(20):
        assert beat.once(MINUTE) == []
    assert beat.newest(EVERY).status is RunStatus.waiting
    (alert,) = beat.node.alerts(STALE_ASSET)
    assert alert.title == "how fresh core.chat is cannot be asked: you may not read core.chat"
    assert f"{EVERY} waits for it" in str(alert.newest["advice"])
    mend()
    for _ in range(6):
        beat.once(MINUTE)
    (alert,) = beat.node.alerts(STALE_ASSET)
    assert alert.title.startswith("core.chat is late: ")  # it tells again, and it is late
    world.table.says("s_1", beat.node.clock())
    assert beat.once() == [EVERY]


def test_what_comes_due_while_its_table_does_not_tell_waits_and_says_why(world: World) -> None:
    assets = LATE.replace(
        "core.chat: {owner: payments, loaded_until: sent_at",
        "core.chat: {owner: payments, loaded_until: came",
    )
    world.write(
        "policies/_assets.yml", assets.replace("sent_at: timestamp", "sent_at: timestamp, came: timestamp")
    )
    world.table.says("s_1", NOON)
    beat = with_policies(world, elsewhere=NIGHTLY)
    beat.runs([EVERY])
    beat.node.clock.at = NOON + 18 * HOUR + SECOND
    beat.runs([EVERY])
    run = beat.newest(EVERY)
    why = "how fresh core.chat is cannot be asked: it has no column came"
    assert (run.status, run.error) == (RunStatus.waiting, why)
    for _ in range(17):
        assert beat.once(MINUTE) == []
    assert titles(beat) == [why]
    world.table.does("ALTER TABLE core.chat ADD COLUMN came TIMESTAMP")
    world.table.does(f"UPDATE core.chat SET came = '{beat.node.clock():%Y-%m-%d %H:%M:%S}'")
    assert beat.once() == [EVERY]
    assert titles(beat) == []


# ------------------------------------------------------------------ a bundle that is asked as somebody else


class Rooms:
    """A warehouse that holds other tables of the same names in the schema `risk`."""

    def __init__(self, usual: Warehouse, risk: Warehouse) -> None:
        self._usual, self._risk = usual, risk

    def within(self, session: Session) -> Warehouse:
        return self._risk if session.schema == "risk" else self._usual

    def __getattr__(self, name: str) -> object:
        return getattr(self._usual, name)


def test_a_table_that_a_bundle_brings_is_asked_as_its_queries_are(world: World, tmp_path: Path) -> None:
    node = world.node()
    theirs = Table(tmp_path / "theirs")
    risk = connect(theirs.url)
    node.engine.warehouse = cast("Warehouse", Rooms(node.warehouse, risk))
    chat = node.engine.catalog.assets["core.chat"]
    world.table.says("s_1", NOON)
    theirs.says("s_1", NOON + MINUTE)
    theirs.does("CREATE TABLE core.mail AS FROM core.chat")
    mail = replace(chat, name="core.mail", session=Session(schema="risk"))
    tables = Tables(node.engine)
    assert tables.look([chat, mail], NOON + HOUR, whole=True).ages == {
        "core.chat": NOON,
        "core.mail": NOON + MINUTE,
    }
    assert tables.untold == {}
    risk.close()
    theirs.close()
