"""The changes of a policy: which there are, that each is one and can run, and where it stands."""
# ruff: noqa: E501 - a table reads by its rows

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

from sensors.cases.mutants import Mutant, mutants
from sensors.catalog import load
from sensors.sql.lineage import prove
from sensors.sql.mutate import changes
from tests.sensors.project import FILES, NAME, POLICY, SQL, Project

ROOT = Path(__file__).parents[2]
WINDOW = "(t.at >= :window_start AND t.at < :window_end)"


def told(where: str) -> list[str]:
    found = changes(f"SELECT t.id FROM core.t AS t {where}", "snowflake")
    return [f"{one.operator}: {one.was} → {one.now}" for one in found]


@pytest.mark.parametrize("dialect", ["snowflake", "duckdb", "postgres", "bigquery"])
def test_a_parameter_is_told_as_it_is_written(dialect: str) -> None:
    found = changes("SELECT t.id FROM core.t AS t WHERE t.n >= :least", dialect)
    assert next(f"{one.was} → {one.now}" for one in found) == "t.n >= :least → t.n > :least"


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("WHERE t.n >= 7", ["comparison: t.n >= 7 → t.n > 7", "bound: t.n >= 7 → t.n >= 6", "bound: t.n >= 7 → t.n >= 8", "dropped: t.n >= 7 → (dropped)"]),
        ("WHERE t.n < t.m", ["comparison: t.n < t.m → t.n <= t.m", "dropped: t.n < t.m → (dropped)"]),
        ("WHERE t.n <> 'x'", ["comparison: t.n <> 'x' → t.n = 'x'", "dropped: t.n <> 'x' → (dropped)"]),
        ("WHERE t.n > 2 * t.m + 0.5", [
            "comparison: t.n > 2 * t.m + 0.5 → t.n >= 2 * t.m + 0.5",
            "bound: t.n > 2 * t.m + 0.5 → t.n > 2 * t.m + 0.45", "bound: t.n > 2 * t.m + 0.5 → t.n > 2 * t.m + 0.55",
            "bound: t.n > 2 * t.m + 0.5 → t.n > 1 * t.m + 0.5", "bound: t.n > 2 * t.m + 0.5 → t.n > 3 * t.m + 0.5",
            "dropped: t.n > 2 * t.m + 0.5 → (dropped)"]),
        ("WHERE t.n BETWEEN 1 AND 3", [
            "bound: t.n BETWEEN 1 AND 3 → t.n BETWEEN 0 AND 3", "bound: t.n BETWEEN 1 AND 3 → t.n BETWEEN 2 AND 3",
            "bound: t.n BETWEEN 1 AND 3 → t.n BETWEEN 1 AND 2", "bound: t.n BETWEEN 1 AND 3 → t.n BETWEEN 1 AND 4",
            "dropped: t.n BETWEEN 1 AND 3 → (dropped)"]),
        (f"WHERE {WINDOW}", []),
        (f"WHERE {WINDOW} AND t.held", ["and/or: AND t.held → OR t.held", "dropped: t.held → (dropped)"]),
        ("WHERE t.a OR t.b", ["and/or: OR t.b → AND t.b", "dropped: t.a OR t.b → (dropped)"]),
        ("WHERE t.a AND (t.b OR t.c)", [
            "dropped: t.a → (dropped)", "and/or: AND (t.b OR t.c) → OR (t.b OR t.c)", "dropped: (t.b OR t.c) → (dropped)",
            "and/or: OR t.c → AND t.c"]),
        ("JOIN core.u AS u ON u.id = t.id", ["join: JOIN core.u AS u → LEFT JOIN core.u AS u", "comparison: u.id = t.id → u.id <> t.id"]),
        ("LEFT JOIN core.u AS u USING (id)", ["join: LEFT JOIN core.u AS u → JOIN core.u AS u"]),
        ("CROSS JOIN core.u AS u", []),
        ("GROUP BY t.id HAVING COUNT(DISTINCT t.a) = COUNT(t.b) OR COUNT(*) = SUM(t.c)", [
            "dropped: COUNT(DISTINCT t.a) = COUNT(t.b) OR COUNT(*) = SUM(t.c) → (dropped)",
            "comparison: COUNT(DISTINCT t.a) = COUNT(t.b) → COUNT(DISTINCT t.a) <> COUNT(t.b)",
            "distinct: COUNT(DISTINCT t.a) → COUNT(t.a)", "distinct: COUNT(t.b) → COUNT(DISTINCT t.b)",
            "and/or: OR COUNT(*) = SUM(t.c) → AND COUNT(*) = SUM(t.c)",
            "comparison: COUNT(*) = SUM(t.c) → COUNT(*) <> SUM(t.c)"]),
        ("QUALIFY ROW_NUMBER() OVER (ORDER BY t.a) = 1", [
            "comparison: ROW_NUMBER() OVER (ORDER BY t.a) = 1 → ROW_NUMBER() OVER (ORDER BY t.a) <> 1",
            "bound: ROW_NUMBER() OVER (ORDER BY t.a) = 1 → ROW_NUMBER() OVER (ORDER BY t.a) = 0",
            "bound: ROW_NUMBER() OVER (ORDER BY t.a) = 1 → ROW_NUMBER() OVER (ORDER BY t.a) = 2",
            "dropped: ROW_NUMBER() OVER (ORDER BY t.a) = 1 → (dropped)"]),
        ("WHERE SUBSTRING(t.b, 30) LIKE '%7%' LIMIT 5", ["dropped: SUBSTRING(t.b, 30) LIKE '%7%' → (dropped)"]),
    ],
)  # fmt: skip
def test_the_changes_of_a_query_are_these(where: str, expected: list[str]) -> None:
    assert sorted(told(where)) == sorted(expected)


def test_select_distinct_is_taken_away() -> None:
    (one,) = changes("SELECT DISTINCT t.id FROM core.t AS t", "snowflake")
    assert (one.operator, one.sql) == ("distinct", "SELECT t.id FROM core.t AS t")


def test_and_binds_as_it_did() -> None:
    """a AND (b AND c) with its first AND an OR is no other formula than it says."""
    sqls = {
        one.sql.partition("WHERE ")[2]
        for one in changes("SELECT 1 FROM t WHERE a OR b AND c OR NOT (d AND e)", "snowflake")
        if one.operator == "and/or"
    }
    assert sqls == {
        "(a OR b AND c) AND NOT (d AND e)",
        "(a AND (b AND c)) OR NOT (d AND e)",
        "a OR (b OR c) OR NOT (d AND e)",
        "a OR b AND c OR NOT (d OR e)",
    }


def test_what_cannot_be_parsed_has_no_changes() -> None:
    assert changes("SELECT FROM WHERE", "snowflake") == []


# ------------------------------------------------------------------------------ of real policies


@cache
def ours(_again: bool = False) -> list[tuple[str, Mutant]]:
    catalog = load(ROOT)
    return [(name, one) for name, policy in catalog.policies.items() for one in mutants(policy, catalog)]


def test_every_change_of_our_policies_is_one_and_stays_a_select_over_the_same_tables() -> None:
    catalog = load(ROOT)
    made = ours()
    assert len(made) > 100
    for name, one in made:
        original = catalog.policies[name]
        assert one.runs
        assert one.was != one.now
        assert str(one.policy) != str(original)
        proof = prove(one.policy.query.sql, original.query.dialect)
        assert proof.problems == (), one
        assert set(proof.tables) <= set(original.query.tables), one  # what is dropped may hold a subquery
        assert (one.policy.name, one.policy.cases) == (name, original.cases)


def test_the_same_policies_have_the_same_changes_in_the_same_order() -> None:
    assert [str(one) for _, one in ours()] == [str(one) for _, one in ours(True)]


def test_every_change_of_our_policies_stands_at_its_words() -> None:
    """The line has a first word of what was changed, or a macro that says it."""
    for _, one in ours():
        line = (ROOT / one.path).read_text().splitlines()[one.line - 1]
        words = re.findall(r"\w+", re.sub(r"^(AND|OR|LEFT JOIN|JOIN) ", "", one.was))
        assert any(word.lower() in line.lower() for word in words[:3]) or "{{" in line, one


@pytest.fixture
def project(tmp_path: Path) -> Project:
    made = Project(tmp_path / "project")
    for file, text in FILES.items():
        made.write(file, text)
    return made


def of(project: Project) -> list[str]:
    catalog = project.load()
    return [str(one) for one in mutants(catalog.policies[NAME], catalog)]


def test_numbers_of_the_yaml_change_too(project: Project) -> None:
    assert [one for one in of(project) if POLICY in one] == [
        f"{POLICY}:9:20 threshold.count: 3 → threshold.count: 2",
        f"{POLICY}:9:20 threshold.count: 3 → threshold.count: 4",
        f"{POLICY}:9:31 threshold.within: 1 d → threshold.within: 12 h",
        f"{POLICY}:9:31 threshold.within: 1 d → threshold.within: 2 d",
        f"{POLICY}:10:29 severity.high: 6 → severity.high: 5",
        f"{POLICY}:10:29 severity.high: 6 → severity.high: 7",
    ]
    project.change(
        POLICY, "severity: {medium: 3, high: 6}", "severity: high\nparams: {least: 100, of: 0.5, word: x}"
    )
    project.change(SQL, "AND m.author_id", "AND 1 < :least AND 1 < :of AND :word = 'x' AND m.author_id")
    assert [one.partition(" ")[2] for one in of(project) if "params" in one] == [
        "params.least: 100 → params.least: 99",
        "params.least: 100 → params.least: 101",
        "params.of: 0.5 → params.of: 0.45",
        "params.of: 0.5 → params.of: 0.55",
    ]


def test_a_hand_written_version_is_what_changes(project: Project) -> None:
    native = SQL.replace(".sql", ".duckdb.sql")
    project.write(native, FILES[SQL].replace("m.author_id = m.seller_id", "m.author_id >= m.seller_id"))
    assert f"{native}:5:40 m.author_id >= m.seller_id → m.author_id > m.seller_id" in of(project)
    assert not any(one.startswith(f"{SQL}:") for one in of(project))
