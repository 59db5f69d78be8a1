"""The marketplace's policies find on a Snowflake what they find on DuckDB, whatever trouble is planted."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.core.catchup import tick_window
from bot.demo.market import Market
from bot.demo.trouble import KINDS
from sensors.catalog import load
from sensors.model.policy import Policy
from sensors.run import data_until, look
from sensors.warehouse import Warehouse, connect
from tests.sensors.snowflake_local import started

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
PROJECT = Path(__file__).parents[2]
Found = tuple[str, datetime | None, list[str]]


@pytest.mark.slow
def test_every_policy_finds_the_same_on_both(tmp_path: Path) -> None:
    market = Market(tmp_path, seed=7, now=NOON, calm=True)
    for n, kind in enumerate(KINDS):
        market.plant(kind, NOON + timedelta(seconds=n))
    market.close()
    catalog = load(PROJECT)
    duck = connect(f"duckdb:///{tmp_path}")

    def finds(policy: Policy, warehouse: Warehouse) -> Found:
        until = data_until(policy, catalog.assets, warehouse)
        looked = look(
            policy, warehouse, tick_window(policy.window, NOON + timedelta(minutes=2), None, until, None)
        )
        return looked.error or "", until, sorted(str(one.key) for one in looked.violations)

    with started("--market", str(tmp_path)) as server, server.opened() as snowflake:
        policies = list(catalog.policies.values())
        with ThreadPoolExecutor(4) as pool:
            there = list(pool.map(lambda policy: finds(policy, snowflake), policies))
    here = [finds(policy, duck) for policy in policies]
    duck.close()
    assert {p.name: one for p, one in zip(policies, there, strict=True)} == {
        p.name: one for p, one in zip(policies, here, strict=True)
    }
    assert sum(1 for _, _, keys in here if keys) > 30  # nearly all of them found something
