"""The real catalog over the marketplace: silent in ordinary life, and each planted trouble is found."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.core.reconcile import Seen, reconcile
from bot.demo.market import Market
from bot.demo.trouble import KINDS
from sensors.catalog import load
from sensors.model.catalog import Catalog
from sensors.model.policy import Incremental, Now, Policy, Status, Trailing
from sensors.model.violation import canonical
from sensors.model.window import window_for
from sensors.run import data_until, look
from sensors.sql.template import title
from sensors.warehouse import Warehouse, connect

PROJECT = Path(__file__).parents[2]
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
DOMAINS = {"payments", "chat", "listings", "accounts", "shipping", "promotions", "platform"}


class Watch:
    """A market and the policies that look at it, each remembering the rows it has seen."""

    def __init__(self, folder: Path, catalog: Catalog, seed: int = 7, now: datetime = NOON) -> None:
        self.catalog, self.now = catalog, now
        self.market = Market(folder, seed, now, calm=True)
        self.warehouse: Warehouse = connect(f"duckdb:///{folder}")
        self.seen: dict[str, dict[str, dict[str, Seen]]] = {}

    def close(self) -> None:
        self.warehouse.close()
        self.market.close()

    def pass_time(self, span: timedelta, step: timedelta = timedelta(minutes=1)) -> None:
        until = self.now + span
        while self.now < until:
            self.now += step
            self.market.beat(self.now)

    def plant(self, kind: str) -> dict[str, object]:
        self.now += timedelta(seconds=30)
        return self.market.plant(kind, self.now)

    def alerts(self, policy: Policy) -> dict[str, str]:
        """What the policy would say now: titles by key."""
        until = data_until(policy, self.catalog.assets, self.warehouse)
        looked = look(
            policy, self.warehouse, window_for(policy.window, self.now + timedelta(seconds=1), None, until)
        )
        assert looked.ok, f"{policy.name}: {looked.error}"
        assert not looked.bad_rows
        assert not looked.truncated
        memory = self.seen.setdefault(policy.name, {})
        team = self.catalog.teams[policy.owner]
        said = reconcile(policy, looked, team, memory, {}, title)
        for row in said.remember:
            memory.setdefault(row.key, {})[row.row_hash] = row
        return {fire.key: fire.title for fire in said.fired}


@pytest.fixture(scope="module", name="catalog")
def _catalog() -> Catalog:
    return load(PROJECT)


@pytest.fixture(scope="module", name="watch")
def _watch(tmp_path_factory: pytest.TempPathFactory, catalog: Catalog) -> Iterator[Watch]:
    watch = Watch(tmp_path_factory.mktemp("market"), catalog)
    yield watch
    watch.close()


def test_the_files_load_without_a_problem(catalog: Catalog):
    assert [str(problem) for problem in catalog.problems] == []


def test_there_are_policies_of_each_kind_in_each_domain(catalog: Catalog):
    policies = [p for p in catalog.policies.values() if p.runs]
    kinds = [type(p.window) for p in policies]
    assert min(kinds.count(kind) for kind in (Incremental, Trailing, Now)) >= 2
    assert any(isinstance(p.window, Trailing) and p.window.baseline for p in policies)
    assert {p.domain for p in policies} == DOMAINS
    assert sum(p.status is Status.live for p in policies) >= 8
    assert any(p.status is Status.shadow for p in policies)


def test_every_policy_has_its_trouble_and_every_trouble_its_policy(catalog: Catalog):
    assert {name.rpartition(".")[2] for name in catalog.policies} == set(KINDS)


def test_every_policy_says_what_one_row_is_and_where_to_read_on(catalog: Catalog):
    for policy in catalog.policies.values():
        first = (PROJECT / policy.query.path).read_text().splitlines()[0]
        assert first.startswith("-- One row per "), policy.name
        assert policy.runbook, policy.name
        assert policy.false_positives, policy.name
        assert policy.violation in catalog.violations, policy.name


def test_what_policies_name_is_declared(catalog: Catalog):
    for policy in catalog.policies.values():
        assert policy.owner in catalog.teams
        assert {*policy.offer, *policy.on_open} <= set(catalog.jobs)
        assert set(policy.query.tables) == set(policy.needs), policy.name
        if policy.domain != "platform":  # which is about nobody
            named = (*policy.key, *policy.alert.fields)  # a ring is found by its members
            assert any(column in catalog.entities for column in named), policy.name


def test_declared_columns_are_those_of_the_tables(watch: Watch):
    for name, asset in watch.catalog.tables.items():
        assert watch.warehouse.columns(name).keys() == asset.columns.keys()


@pytest.mark.parametrize("seed", [1, 2])
def test_an_hour_of_ordinary_life_finds_nothing(tmp_path: Path, catalog: Catalog, seed: int):
    watch = Watch(tmp_path / "calm", catalog, seed, NOON + timedelta(hours=7 * seed))
    try:
        for _ in range(6):
            found = {p.name: watch.alerts(p) for p in catalog.policies.values()}
            assert not any(found.values()), found
            watch.pass_time(timedelta(minutes=10))
    finally:
        watch.close()


@pytest.mark.parametrize("kind", list(KINDS))
def test_planted_trouble_is_found_by_its_policy_and_nothing_else(watch: Watch, kind: str):
    policy = next(p for p in watch.catalog.policies.values() if p.name.endswith(f".{kind}"))
    before = watch.alerts(policy)
    entry = watch.plant(kind)
    assert entry["policy"] == policy.name
    found = watch.alerts(policy)
    key = canonical(entry["key"])
    assert key in found
    assert found.keys() - before.keys() <= {key}
    assert found[key] != policy.title, "the title names what was found"


def test_what_is_put_right_is_no_longer_found(tmp_path: Path, catalog: Catalog):
    watch = Watch(tmp_path / "righted", catalog)
    names = (
        "accounts.expired_verification_live",
        "payments.payout_account_changed",
        "listings.counterfeit_wording",
    )
    try:
        for name in names:
            watch.plant(name.rpartition(".")[2])
            assert watch.alerts(catalog.policies[name])
        watch.pass_time(timedelta(minutes=26), timedelta(minutes=2))
        assert [watch.alerts(catalog.policies[name]) for name in names] == [{}, {}, {}]
    finally:
        watch.close()


def test_an_agent_gets_from_the_alert_to_the_page(catalog: Catalog, watch: Watch):
    for kind in KINDS:
        entry = watch.plant(kind)
        for column, value in json.loads(json.dumps(entry["key"])).items():
            if column in catalog.entities:
                assert catalog.entities[column].url(value), f"{kind}: {column} {value}"
