"""A policy that looks while nothing is loaded: its run is recorded, and no warehouse wakes for it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot.core.reply import PolicyReply
from bot.engine.engine import Engine
from bot.slack.answers import policy as policy_face
from bot.view import View
from sensors.model.run import Cause, CauseKind, RunStatus
from sensors.warehouse import snowflake_tables
from tests.sensors.snowflake_local import LocalSnowflake
from tests.shell.making import NOON, Clock
from tests.shell.test_taken_up import POLICY, House, server

__all__ = ["server"]
MINUTE = timedelta(minutes=1)


@pytest.fixture
def engine(tmp_path: Path, server: LocalSnowflake, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    monkeypatch.setattr(snowflake_tables, "LOADED_S", 0.0)
    made = House(tmp_path, server).engine(Clock(NOON))
    yield made
    made.warehouse.close()


def test_while_nothing_is_loaded_no_warehouse_is_asked_and_what_comes_is_seen(
    engine: Engine, server: LocalSnowflake
) -> None:
    def tick(minutes: int) -> list[str | None]:
        """The warehouses that were asked for it."""
        before, due = len(server.history()), NOON + minutes * MINUTE
        engine.clock.at = due  # type: ignore[attr-defined]  # a clock of this test's
        ticked = engine.tick(POLICY, Cause(CauseKind.tick, due.isoformat()), due)
        assert ticked.looked is not None
        assert ticked.looked.ok
        return [line["warehouse_name"] for line in server.history()[before:]]

    assert "PATROL" in tick(0)
    mark = engine.store.runs.watermark(POLICY)
    for minutes in (5, 10, 15):
        assert set(tick(minutes)) == {None}
    assert engine.store.runs.watermark(POLICY) == mark
    last = engine.store.runs.last([POLICY])[POLICY]
    assert (last.status, last.rows, last.query_id, last.error) == (RunStatus.succeeded, 0, None, "")
    assert engine.store.runs.good_look(POLICY, NOON + 14 * MINUTE, NOON)  # it is not silent
    (line,) = View(engine.store, engine.project, engine.clock).lines([POLICY])
    assert line.nothing_since == mark
    said = str(policy_face(PolicyReply(engine.catalog.policies[POLICY], line)).blocks)
    assert "the last run asked nothing: there is nothing newer than" in said
    server.run(
        "INSERT INTO market.core.chat VALUES ('m_3', 's_3', 'pay me on cash app', '2026-01-05 12:16:00')"
    )
    assert "PATROL" in tick(20)
    assert '{"seller_id":"s_3"}' in {alert.key for alert in engine.store.alerts.open(policy=POLICY)}
