"""A change of the warehouse is seen once; one that cannot say for nothing is left alone."""

from __future__ import annotations

from pathlib import Path

from bot.watch.glance import Glance
from sensors.warehouse import connect
from tests.shell.making import NOON, World


def test_each_change_is_told_once_and_nothing_while_nothing_changes(world: World) -> None:
    told: list[str] = []
    glance = Glance(world.node().warehouse, lambda: told.append("changed"))
    for changes in range(1, 4):
        world.table.says("s_1", NOON)
        for _ in range(3):
            glance.look()
        assert len(told) == changes


def test_a_warehouse_that_cannot_say_it_for_nothing_is_not_asked(tmp_path: Path) -> None:
    warehouse = connect(f"sqlite:///{tmp_path / 'one.db'}")
    glance = Glance(warehouse, lambda: None)
    glance.start()
    glance.stop()
    assert not glance._thread.ident
    warehouse.close()
