"""Tables from dbt: what a manifest says becomes assets; _assets.yml overrules it; nothing in it can hurt."""

from __future__ import annotations

import json
import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensors import dbt
from sensors.catalog import Loaded, fingerprint
from sensors.model.asset import AGED_BY, LAST_ALTERED, Asset
from sensors.model.graph import kind_of
from tests.sensors.project import NAME, Project

HOUR = timedelta(hours=1)
MESSAGES: dict[str, Any] = {
    "resource_type": "model",
    "database": "PROD",
    "schema": "CORE",
    "name": "messages_v2",
    "alias": "Chat_Messages",
    "description": "One row per message.",
    "tags": ["vetted", "nightly"],
    "config": {"materialized": "incremental", "meta": {"owner": "payments"}},
    "columns": {
        "MESSAGE_ID": {"name": "MESSAGE_ID", "data_type": "text"},
        "seller_id": {"name": "seller_id", "data_type": "text"},
        "author_id": {"name": "author_id", "data_type": "text"},
        "body": {"name": "body", "data_type": "text"},
        "sent_at": {"name": "sent_at", "data_type": "timestamp"},
    },
}
SELLERS: dict[str, Any] = {
    "resource_type": "source",
    "database": "prod",
    "schema": "core",
    "name": "sellers_raw",
    "identifier": "sellers",
    "loaded_at_field": "_loaded_at",
    "freshness": {
        "warn_after": {"count": 6, "period": "hour"},
        "error_after": {"count": 1, "period": "day"},
        "filter": None,
    },
    "group": "money",
}
GROUP = {"group.shop.money": {"name": "money", "owner": {"name": "payments", "email": "x@example.com"}}}


def manifest(**more: Any) -> dict[str, Any]:
    nodes = {"model.shop.messages": MESSAGES, "test.shop.unique": {"resource_type": "test", "schema": "core"}}
    return {"nodes": nodes, "sources": {"source.shop.core.sellers": SELLERS}, "groups": GROUP, **more}


@pytest.fixture
def dbted(project: Project) -> Project:
    """The project, whose tables stand in dbt's manifest alone."""
    project.write("target/manifest.json", json.dumps(manifest()))
    (project.path / "policies/_assets.yml").unlink()
    return project


def loaded(project: Project, **options: Any) -> Loaded:
    return project.load(manifest=project.path / "target/manifest.json", **options)


def test_models_and_sources_are_tables_and_policies_read_them(dbted: Project) -> None:
    catalog = loaded(dbted)
    assert catalog.errors == ()
    assert catalog.policies[NAME].query.tables == ("core.chat_messages", "core.sellers")
    assert catalog.assets["core.chat_messages"] == Asset(
        name="core.chat_messages",
        tier="vetted",
        owner="payments",
        columns={c: "timestamp" if c == "sent_at" else "text" for c in map(str.lower, MESSAGES["columns"])},
        description="One row per message.",
    )
    sellers = catalog.assets["core.sellers"]
    assert (sellers.tier, sellers.owner, sellers.loaded_until) == ("raw", "payments", "_loaded_at")
    assert (sellers.warn_after, sellers.late_after) == (6 * HOUR, 24 * HOUR)


def test_a_source_that_says_nothing_of_its_rows_times_ages_by_its_last_change_as_in_dbt(
    dbted: Project,
) -> None:
    unsaid = {key: value for key, value in SELLERS.items() if key != "loaded_at_field"}
    more = {
        "a": {**unsaid, "identifier": "plain"},
        "b": {**unsaid, "identifier": "queried", "loaded_at_query": "SELECT 1"},
        "c": {**unsaid, "identifier": "computed", "config": {"loaded_at_field": "to_timestamp(x)"}},
        "d": {**unsaid, "identifier": "unbound", "freshness": None},
        "e": {**unsaid, "identifier": "overruled"},
    }
    dbted.write("target/manifest.json", json.dumps(manifest(sources=more)))
    dbted.write("policies/_assets.yml", "core.overruled: {loaded_until: seen_at}\n")
    found = loaded(dbted).assets
    ages = {
        name: found[f"core.{name}"].ages for name in ("plain", "queried", "computed", "unbound", "overruled")
    }
    assert ages == {"plain": True, "queried": False, "computed": False, "unbound": False, "overruled": True}
    assert found["core.plain"].aged_by == LAST_ALTERED
    assert (found["core.overruled"].aged_by, found["core.overruled"].late_after) == (AGED_BY, 24 * HOUR)


def test_the_files_of_the_project_win_key_by_key(dbted: Project) -> None:
    dbted.write(
        "policies/_assets.yml",
        "Core.Sellers: {tier: core, loaded_until: seen_at, freshness: {late_after: 3h}}\n"
        "core.elsewhere: {owner: payments}\n",
    )
    catalog = loaded(dbted)
    assert catalog.errors == ()
    sellers = catalog.assets["core.sellers"]
    assert (sellers.tier, sellers.owner, sellers.loaded_until) == ("core", "payments", "seen_at")
    assert (sellers.warn_after, sellers.late_after) == (None, 3 * HOUR)  # dbt's 6h would be after it
    assert catalog.assets["core.chat_messages"].tier == "vetted"
    assert "core.elsewhere" in catalog.assets


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "dbt's manifest is not there: run `dbt parse`, or mend dbt_manifest in patrol.yml"),
        (b"", "dbt's manifest is not JSON; run `dbt parse` again"),
        (b"\xff\xfe\x00", "dbt's manifest is not JSON; run `dbt parse` again"),
        (b"[" * 200_000, "dbt's manifest is not JSON; run `dbt parse` again"),
        (b'{"a": 1', "dbt's manifest is not JSON; run `dbt parse` again"),
        (b"[]", "dbt's manifest has no nodes; name the file target/manifest.json that `dbt parse` writes"),
        (
            b'{"nodes": 3}',
            "dbt's manifest has no nodes; name the file target/manifest.json that `dbt parse` writes",
        ),
    ],
)
def test_a_wrong_manifest_is_one_sentence_and_the_last_good_one_stays(
    dbted: Project, content: bytes | None, said: str
) -> None:
    good = loaded(dbted)
    file = dbted.path / "target/manifest.json"
    file.unlink() if content is None else file.write_bytes(content)
    after = loaded(dbted, last_good=good)
    assert [str(p) for p in after.errors] == [f"target/manifest.json:1:1 {said}"]
    assert (after.assets, after.policies, after.broken) == (good.assets, good.policies, frozenset())


def test_one_that_is_too_large_is_not_read(dbted: Project) -> None:
    file = dbted.path / "target/manifest.json"
    os.truncate(file, dbt.MOST_BYTES + 1)  # a hole: it takes no room
    said = [p.what for p in loaded(dbted).errors if p.path == "target/manifest.json"]
    assert said == ["dbt's manifest is larger than 300 MB; it is not read"]
    file.unlink()
    file.mkdir()
    said = [p.what for p in loaded(dbted).errors if p.path == "target/manifest.json"]
    assert said == ["dbt's manifest cannot be read: is a directory"]


def test_a_change_of_it_is_noticed_and_is_a_new_version(dbted: Project) -> None:
    file = dbted.path / "target/manifest.json"
    before, first = fingerprint(dbted.path, file), loaded(dbted)
    assert fingerprint(dbted.path, file) == before
    file.write_text(json.dumps(manifest(sources={})))
    assert fingerprint(dbted.path, file) != before
    second = loaded(dbted)
    assert second.version != first.version
    assert second.broken == {NAME}
    file.unlink()
    assert fingerprint(dbted.path, file) != before


def test_what_is_no_table_is_left_out_and_two_databases_are_told_apart() -> None:
    node = {"resource_type": "model", "schema": "a", "name": "t"}
    found = dbt.tables(
        {
            "nodes": {
                "1": {**node, "database": "x"},
                "2": {**node, "database": "y"},
                "3": {**node, "name": "u", "config": {"materialized": "ephemeral"}},
                "4": {**node, "name": "v", "config": {"enabled": False}},
                "5": {**node, "name": "w; DROP"},
                "6": {**node, "name": "s", "resource_type": "seed"},
                "7": {**node, "name": "p", "resource_type": "snapshot"},
                "8": {**node, "name": "q", "resource_type": "test"},
            }
        }
    )
    assert set(found) == {"x.a.t", "y.a.t", "a.s", "a.p"}


def test_what_a_table_is_made_of_is_known_and_who_looks_at_it() -> None:
    model = {"resource_type": "model", "schema": "core"}
    unmade = {**model, "name": "tidy", "config": {"materialized": "ephemeral"}}
    sales = {"name": "GMV", "type": "dashboard", "label": "Sales by day", "owner": {"name": "payments"}}
    said = {
        "sources": {"source.raw": {"resource_type": "source", "schema": "raw", "name": "orders"}},
        "nodes": {
            "model.tidy": {**unmade, "depends_on": {"nodes": ["source.raw", "macro.x"]}},
            "model.orders": {**model, "name": "orders", "depends_on": {"nodes": ["model.tidy"]}},
        },
        "exposures": {
            "exposure.gmv": {**sales, "depends_on": {"nodes": ["model.orders"]}},
            "exposure.reco": {**sales, "name": "reco", "type": "ml", "label": None},
        },
    }
    found = dbt.assets(json.dumps(dbt.tables(said)), {"payments"})
    assert found["core.orders"].after == ("raw.orders",)
    gmv = found["dashboard:gmv"]
    assert (gmv.kind, gmv.owner, gmv.after) == ("dashboard", "payments", ("core.orders",))
    assert gmv.description == "Sales by day"
    assert found["model:reco"].kind == "model"


def test_columns_without_types_are_no_columns(dbted: Project) -> None:
    """A list that lacks types describes some of the columns, and a policy may read the others."""
    half = {
        **MESSAGES,
        "columns": {"body": {"name": "body"}, "sent_at": {"name": "sent_at", "data_type": "timestamp"}},
    }
    dbted.write("target/manifest.json", json.dumps(manifest(nodes={"m": half})))
    catalog = loaded(dbted)
    assert catalog.assets["core.chat_messages"].columns == {}
    assert catalog.errors == ()


def test_an_owner_who_is_no_team_is_nobody_and_that_is_told(dbted: Project) -> None:
    theirs = {**MESSAGES, "config": {}, "meta": {"owner": "data-platform@example.com"}}
    dbted.write("target/manifest.json", json.dumps(manifest(nodes={"m": theirs})))
    catalog = loaded(dbted)
    assert catalog.assets["core.chat_messages"].owner is None
    assert any(p.warning and "nobody owns core.chat_messages" in p.what for p in catalog.problems)


ANY = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.text(max_size=5), st.sampled_from(["core", "1h", "hour"])
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=5,
)
NODE = st.fixed_dictionaries(
    {
        "resource_type": st.sampled_from(["model", "source", "seed", "snapshot"]),
        "schema": st.just("core"),
        "name": st.just("t"),
    },
    optional={
        key: ANY
        | st.fixed_dictionaries({}, optional={"owner": ANY, "tier": ANY, "warn_after": ANY, "meta": ANY})
        for key in (
            *("config", "meta", "tags", "columns", "freshness", "group", "loaded_at_field"),
            *("description", "database", "alias", "identifier", "depends_on", "owner", "type", "label"),
        )
    },
)


@given(st.lists(NODE, max_size=3), ANY, ANY)
def test_whatever_it_says_it_becomes_assets_or_nothing(nodes: list[Any], sources: Any, groups: Any) -> None:
    numbered = {str(n): node for n, node in enumerate(nodes)}
    said = {"nodes": numbered, "sources": sources, "groups": groups, "exposures": numbered}
    found = dbt.assets(json.dumps(dbt.tables(said)), {"payments"})
    for name, asset in found.items():
        assert name == asset.name == name.lower()
        assert asset.owner in (None, "payments")
        assert asset.tier in dbt.TIERS
        assert asset.kind == kind_of(name)
        assert isinstance(asset.description, str)
        assert name not in asset.after
        assert set(asset.after) <= set(found)
        assert all(isinstance(word, str) for word in (*asset.columns, *asset.columns.values()))
        assert asset.loaded_until is None or not asset.columns or asset.loaded_until in asset.columns


def test_a_large_one_is_read_once(tmp_path: Path) -> None:
    nodes = {f"model.{n}": {**MESSAGES, "alias": f"t_{n}"} for n in range(2_000)}
    file = tmp_path / "manifest.json"
    file.write_text(json.dumps(manifest(nodes=nodes)))
    first, problems = dbt.distilled(file, "manifest.json")
    assert problems == []
    assert len(json.loads(first)) == 2_001
    assert dbt.distilled(file, "manifest.json")[0] is first
