"""What the demo's policies find becomes cases: small, masked, and alerting as the real rows did."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.demo.market import Market
from bot.demo.trouble import KINDS
from bot.workbench.drafting import Drafting, Wish
from bot.workbench.one_look import once
from sensors.cases.text import block
from sensors.catalog import load
from sensors.warehouse import connect
from sensors.warehouse.duck_memory import Memory

ROOT = Path(__file__).parents[2]
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def test_whatever_a_policy_finds_becomes_a_case_in_which_nobody_is(tmp_path: Path) -> None:
    market, now = Market(tmp_path, 7, NOON, calm=True), NOON
    for kind in KINDS:
        now += timedelta(seconds=30)
        market.plant(kind, now)
    warehouse, memory, catalog, drafted = connect(f"duckdb:///{tmp_path}"), Memory(), load(ROOT), 0
    people = warehouse.query(
        "SELECT display_name FROM core.sellers UNION SELECT display_name FROM core.buyers",
        {},
        limit=10_000,
        timeout=timedelta(minutes=1),
    )
    names = {str(name) for (name,) in people.rows if len(str(name)) > 5}
    for policy in catalog.policies.values():
        _, found = once(policy, catalog, warehouse, now, None)
        for fire in found.fired[:1]:
            wish = Wish(fire.key_values, now, policy)
            made = Drafting(policy, catalog, warehouse, memory, wish).draft()
            if keep := re.findall(r"--keep (\w+)", " ".join(made.wrong)):  # its SQL looks for patterns in it
                wish = replace(wish, keep=frozenset(keep))
                made = Drafting(policy, catalog, warehouse, memory, wish).draft()
            text = block(made.case, 2)
            assert made.good, f"{policy.name}: {made.wrong}"
            assert made.case.expect, policy.name
            assert sum(len(rows) for rows in made.case.given.values()) <= 200, policy.name
            assert [name for name in names if name in text] == [], policy.name
            drafted += 1
    market.close()
    warehouse.close()
    memory.close()
    assert drafted >= 12
