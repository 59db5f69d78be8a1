"""Hostile queries, each refused with its reason in every dialect; and what they meet where nobody proved them."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest
from sqlglot import exp

from sensors.sql.allowed import ABOUT, EVERYWHERE, OWN, plain
from sensors.sql.functions import WHY_NOT
from sensors.sql.lineage import prove
from sensors.warehouse import WarehouseError
from tests.sensors.hostile_queries import HOSTILE, OF_OTHERS, Hostile
from tests.sensors.warehouses import DIALECTS, PLACES, Place, tables_of

TABLES = (
    "CREATE SCHEMA core",
    "CREATE TABLE core.t (id INT, g VARCHAR)",
    "CREATE TABLE core.u (id INT)",
    "INSERT INTO core.t VALUES (1, 'a'), (2, 'b')",
)
MINUTE = timedelta(minutes=1)


def named(hostile: Hostile) -> str:
    return re.sub(r"\W+", " ", hostile.in_("else")[0])[:50].strip()


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("hostile", HOSTILE, ids=named)
def test_each_is_refused_with_its_reason(hostile: Hostile, dialect: str) -> None:
    sql, why = hostile.in_(dialect)
    said = [flaw.what for flaw in prove(sql, dialect).problems]
    assert any(why in what for what in said), said


@pytest.mark.parametrize(("dialect", "sql", "why"), OF_OTHERS)
def test_so_it_is_in_dialects_that_no_server_of_ours_speaks(dialect: str, sql: str, why: str) -> None:
    said = [flaw.what for flaw in prove(sql, dialect).problems]
    assert any(why in what for what in said), said


@pytest.mark.parametrize("sql", [
    "SELECT id FROM core.t WHERE g = 'now'",
    "SELECT CASE g WHEN 'today' THEN 1 END AS a FROM core.t",
    "SELECT id FROM core.t WHERE g IN ('yesterday', 'tomorrow')",
])  # fmt: skip
@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_text_that_merely_says_now_is_a_text(sql: str, dialect: str) -> None:
    assert prove(sql, dialect).problems == ()


def test_there_are_more_than_thirty() -> None:
    assert len(HOSTILE) > 30
    for dialect in DIALECTS:
        assert len({hostile.in_(dialect)[0] for hostile in HOSTILE}) > 30


@pytest.mark.parametrize("place", [one for one in PLACES if one.stored], ids=lambda place: place.name)
def test_those_that_write_change_nothing_even_where_nobody_proved_them(
    place: Place, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    with place.open(request, tmp_path, tables_of(place, TABLES)) as warehouse:
        for hostile in (one for one in HOSTILE if one.writes):
            with pytest.raises(WarehouseError):
                warehouse.query(hostile.in_(place.dialect)[0], {}, limit=100, timeout=MINUTE)
            rows = warehouse.query("SELECT id FROM core.t ORDER BY id", {}, limit=9, timeout=MINUTE).rows
            assert rows == ((1,), (2,)), hostile
            assert warehouse.columns("core.x") == {}, hostile


def test_every_function_that_sqlglot_knows_is_either_allowed_or_refused() -> None:
    """A new version of it brings new ones: somebody must say which of them only compute."""
    shapes = {"anonymousaggfunc", "combinedaggfunc", "combinedparameterizedagg", "parameterizedagg"}
    sources = {"xmltable", "openjson", "gapfill", "agg"}
    known = {plain(one.sql_names()[0]) for one in exp.ALL_FUNCTIONS if one.sql_names()}
    assert known - EVERYWHERE - {name.lower() for name in WHY_NOT} - shapes - sources == set()


def test_no_function_is_both_allowed_and_refused() -> None:
    lists = [*ABOUT.values(), *OWN.values()]
    assert {name for text in lists for name in text.split() if plain(name) in WHY_NOT} == set()
    for text in lists:
        assert sorted(set(text.split())) == text.split()


# ruff: noqa: E501
OF_THEIR_OWN = [
    ("SELECT risk_score(id) AS a FROM core.t", ()),
    ("SELECT Core.Normalize(g) AS a FROM core.t", ()),
    ("SELECT other(id) AS a FROM core.t", ("other is not a function that policies may call",)),
    ("SELECT other.normalize(id) AS a FROM core.t", ("other.normalize is a function of your own; if it only computes, name it in patrol.yml: functions",)),
    ("SELECT getenv('HOME') AS a FROM core.t", ("getenv may not be called: it reaches outside the tables",)),
]  # fmt: skip


@pytest.mark.parametrize(("sql", "said"), OF_THEIR_OWN)
@pytest.mark.parametrize("dialect", DIALECTS)
def test_functions_of_their_own_are_called_where_patrol_yml_names_them(
    sql: str, said: tuple[str, ...], dialect: str
) -> None:
    extra = frozenset({"risk_score", "core.normalize", "getenv"})
    assert tuple(flaw.what for flaw in prove(sql, dialect, functions=extra).problems) == said
