"""A policy that is moved to another path goes on where it was: its alerts, its rows, its time."""

from __future__ import annotations

import pytest

from bot.core.action import Acknowledge, Resolve
from bot.core.alert import Disposition, Work
from bot.core.reconcile import flood_key
from bot.engine.asked import Ticked
from bot.process.errors import StoreAway
from bot.sandbox import Sandbox
from tests.shell.making import ELSEWHERE, ELSEWHERE_SQL, HELD, HELD_SQL, HOUR, MINUTE, NOON, Node, World
from tests.shell.trouble import BOTH, EVERY, HELD_NAME, in_between

NEW = "chat.steering"


def moved(
    world: World, was: str = EVERY, new: str = NEW, text: str = ELSEWHERE, sql: str = ELSEWHERE_SQL
) -> None:
    """The files are somewhere else now."""
    for kind in ("policies", "sql"):
        ending = "yml" if kind == "policies" else "sql"
        (world.project / f"{kind}/{was.replace('.', '/')}.{ending}").unlink()
    world.write(f"policies/{new.replace('.', '/')}.yml", f"{text}renamed_from: {was}\n")
    world.write(f"sql/{new.replace('.', '/')}.sql", sql)


@pytest.fixture
def before(world: World) -> Node:
    """A bot that has looked, with an open alert of two rows."""
    node = world.node()
    world.table.says("s_1", NOON - 2 * MINUTE, times=2)
    node.tick()
    assert [a.policy for a in node.alerts()] == [EVERY]
    return node


@BOTH
def test_alerts_rows_and_time_go_over(world: World, before: Node) -> None:
    looked = before.store.ledger.covered(EVERY)
    watermark = before.store.runs.watermark(EVERY)
    (alert,) = before.alerts()
    moved(world)
    before.engine.reload()
    (now,) = before.alerts()
    assert (now.id, now.policy, now.key, now.count) == (alert.id, NEW, alert.key, 2)
    assert before.kinds(alert.id) == ["opened", "renamed"]
    assert before.store.alerts.evidence(alert.id).total == 2
    assert before.store.runs.watermark(NEW) == watermark
    assert before.store.ledger.covered(NEW) == looked
    assert before.store.ledger.covered(EVERY) == ()
    world.table.says("s_1", NOON)
    before.next_tick(NEW)
    (now,) = before.alerts()
    assert (now.id, now.count) == (alert.id, 3)


@BOTH
def test_it_is_done_once_whoever_does_it_and_a_click_meanwhile_stands(world: World, before: Node) -> None:
    (alert,) = before.alerts()
    other = world.node()
    moved(world)
    before.engine.reload()
    other.engine.reload()
    before.engine.reload()
    assert before.kinds(alert.id) == ["opened", "renamed"]
    other.engine.act(alert.id, Acknowledge("U0ANA"), by="U0ANA")
    assert before.alert(alert.id).policy == NEW
    later = world.node()
    assert later.kinds(alert.id) == ["opened", "renamed", "acknowledged"]


@BOTH
def test_a_bot_with_the_old_files_finds_nothing_more(world: World, before: Node) -> None:
    other = world.node()
    world.table.does("INSERT INTO core.sellers VALUES ('s_1', true)")
    other.tick(HELD_NAME)
    moved(world)
    before.engine.reload()
    moved(world, HELD_NAME, "chat.held", HELD, HELD_SQL)
    before.engine.reload()
    world.table.says("s_2", NOON)
    other.next_tick()
    other.tick(HELD_NAME)
    assert {a.policy for a in other.alerts()} == {NEW, "chat.held"}
    before.next_tick(NEW)
    assert [a.key_values["seller_id"] for a in before.alerts(NEW)] == ["s_1", "s_2"]


@BOTH
@pytest.mark.parametrize("name", [EVERY, HELD_NAME])
def test_a_run_that_was_under_way_is_taken_from_the_old_name(world: World, name: str) -> None:
    node, other = world.node(), world.node()
    world.table.says("s_1", NOON - 2 * MINUTE)
    world.table.does("INSERT INTO core.sellers VALUES ('s_1', true)")
    texts = (ELSEWHERE, ELSEWHERE_SQL) if name == EVERY else (HELD, HELD_SQL)
    ended: list[Ticked] = []

    def rename() -> None:
        moved(world, name, NEW, *texts)
        node.engine.reload()

    in_between(other, rename)
    ended.append(other.tick(name))
    assert ended[0].busy
    assert other.alerts() == []
    node.tick(NEW)
    assert [a.policy for a in node.alerts()] == [NEW]


def test_what_is_resolved_goes_over_quietly_and_a_flood_keeps_its_key(world: World, before: Node) -> None:
    (alert,) = before.alerts()
    before.engine.act(alert.id, Resolve("U0ANA", Disposition.true_positive), by="U0ANA")
    for n in range(30):
        world.table.says(f"s_{n + 10}", NOON)
    before.next_tick()
    (flood,) = before.alerts()
    seen = before.alert(alert.id).face_seq
    moved(world)
    before.engine.reload()
    now = before.alert(alert.id)
    assert (now.policy, now.work, now.face_seq) == (NEW, Work.resolved, seen)
    assert before.alert(flood.id).key == flood_key(NEW)
    for n in range(30):
        world.table.says(f"s_{n + 50}", NOON + MINUTE)
    before.next_tick(NEW)
    assert [a.id for a in before.alerts()] == [flood.id]


def test_nothing_runs_under_the_new_name_before_its_past_is_there(
    world: World, before: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    (alert,) = before.alerts()
    moved(world)

    def away(*_: object) -> bool:
        raise StoreAway("The store does not answer.")

    with monkeypatch.context() as patch:
        patch.setattr(before.store.renames, "carry", away)
        with pytest.raises(StoreAway):
            before.engine.reload()
    assert NEW in before.engine.catalog.policies
    assert not before.engine.renaming.settled(before.engine.catalog)
    before.engine.reload()
    assert before.engine.renaming.settled(before.engine.catalog)
    assert before.alert(alert.id).policy == NEW


def test_a_name_with_a_past_of_its_own_takes_over_nothing(world: World, before: Node) -> None:
    world.write("policies/chat/steering.yml", ELSEWHERE)
    world.write("sql/chat/steering.sql", ELSEWHERE_SQL)
    before.engine.reload()
    before.tick(NEW)
    moved(world)
    before.engine.reload()
    assert sorted(a.policy for a in before.alerts()) == [NEW, EVERY]


def test_it_may_go_back_and_the_old_name_may_be_used_anew(world: World, before: Node) -> None:
    (alert,) = before.alerts()
    moved(world)
    before.engine.reload()
    moved(world, NEW, EVERY)
    before.engine.reload()
    assert before.alert(alert.id).policy == EVERY
    world.table.says("s_1", NOON)
    before.next_tick()
    assert before.alert(alert.id).count == 3
    moved(world)
    before.engine.reload()
    world.write("policies/payments/elsewhere.yml", ELSEWHERE)
    world.write("sql/payments/elsewhere.sql", ELSEWHERE_SQL)
    world.write("policies/chat/steering.yml", ELSEWHERE)
    before.engine.reload()
    before.clock.on(HOUR)
    before.engine.reload()
    world.table.says("s_9", before.clock())
    before.next_tick()
    assert [a.key_values["seller_id"] for a in before.alerts(EVERY)] == ["s_9"]


def test_what_was_said_of_the_old_name_as_a_sensor_ends(world: World, before: Node) -> None:
    world.table.says("s_2", NOON)
    world.table.does("ALTER TABLE core.chat DROP COLUMN body")
    before.next_tick()
    assert len(before.broken()) == 1
    moved(world)
    before.engine.reload()
    assert before.broken() == []


@BOTH
def test_the_card_of_an_open_alert_is_updated_where_it_stands(town: World, slack: Sandbox) -> None:
    node = town.node()
    town.table.says("s_1", NOON - 2 * MINUTE)
    node.tick()
    node.deliver()
    (alert,) = node.alerts()
    (card,) = slack.messages("payments")
    moved(town)
    node.engine.reload()
    node.deliver()
    (now,) = slack.messages("payments")
    assert now["ts"] == card["ts"]
    assert now["edited"]
    place = node.store.outbox.message(alert.id)
    assert place
    assert (place.ts, place.shown_seq) == (card["ts"], node.alert(alert.id).face_seq)
