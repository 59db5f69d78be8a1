"""A policy waits for a table that is late, and says which and since when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

import pytest

from sensors import catalog
from sensors.model.policy import WhenLate
from sensors.run import data_until, late
from sensors.warehouse import Warehouse
from tests.sensors.project import Project

HOUR = timedelta(hours=1)


@pytest.fixture
def loaded(project: Project) -> catalog.Catalog:
    return catalog.load(project.path)


def test_what_is_late_is_named_with_how_far_it_came(loaded: catalog.Catalog, warehouse: Warehouse) -> None:
    policy = next(p for p in loaded.policies.values() if data_until(p, loaded.assets, warehouse))
    until = data_until(policy, loaded.assets, warehouse)
    assert until
    name = next(t for t in policy.query.tables if loaded.assets[t].loaded_until)
    assets = {**loaded.assets, name: replace(loaded.assets[name], late_after=HOUR)}

    def said(when_late: WhenLate, after: timedelta) -> str:
        needs: Mapping[str, WhenLate] = {name: when_late}
        behind = late(replace(policy, needs=needs), assets, {name: until}, until + after)
        assert {table.when for table in behind} <= {when_late}
        return "; ".join(table.said for table in behind)

    late_since = f"{name} is late: loaded until {until:%Y-%m-%d %H:%M} UTC"
    assert said(WhenLate.wait, 2 * HOUR) == f"{late_since}; {assets[name].owner} own it"
    nobodys = {**assets, name: replace(assets[name], owner=None)}
    needs = {name: WhenLate.wait}
    (behind,) = late(replace(policy, needs=needs), nobodys, {name: until}, until + 2 * HOUR)
    assert behind.said == late_since
    assert late(replace(policy, needs=needs), nobodys, {}, until + 2 * HOUR) == ()
    assert said(WhenLate.skip, 2 * HOUR) == said(WhenLate.wait, 2 * HOUR)
    assert said(WhenLate.wait, HOUR) == ""
    assert said(WhenLate.run, 9 * HOUR) == ""
