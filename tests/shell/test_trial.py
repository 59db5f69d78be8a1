"""A policy's cases, run: the look, the window, the count and the title are those of production."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.workbench.one_look import once, window_at
from bot.workbench.trial import Outcome, prepared, tried
from sensors.model.catalog import Catalog
from sensors.warehouse import connect
from sensors.warehouse.duck_memory import Memory
from tests.sensors.project import FILES, NAME, POLICY, SQL, Project, fill

TRAILING = """title: Busy seller
owner: payments
schedule: {every: 5m}
window: {trailing: 2h, column: sent_at, baseline: 1d}
key: [seller_id]
severity: {by: messages, low: 2, high: 4}
alert: {title: "{{ seller_id }} wrote {{ messages }}, before {{ before }}"}
cases:
"""
TRAILING_SQL = """-- One row per seller who wrote in the window.
SELECT m.seller_id, COUNT(*) AS messages, (
  SELECT COUNT(*) FROM {{ table('core.chat_messages') }} b
  WHERE {{ in_baseline('b.sent_at') }} AND b.seller_id = m.seller_id) AS before
FROM {{ table('core.chat_messages') }} m WHERE {{ in_window('m.sent_at') }} GROUP BY m.seller_id
"""
STATE = """title: Seller without a name
owner: payments
severity: high
schedule: {every: 5m}
key: [seller_id]
max_alerts: 3
cases:
"""
STATE_SQL = """-- One row per seller without a name.
SELECT seller_id, :window_end AS at FROM {{ table('core.sellers') }} WHERE display_name IS NULL
"""
SAID = (
    "{message_id: m1, seller_id: s_1, author_id: s_1, body: paypal, sent_at: 2026-01-05T11:00:00Z, repeat: 3}"
)
ANA = "core.sellers: [{seller_id: s_1, display_name: Ana}]"


@pytest.fixture
def project(tmp_path: Any) -> Project:
    made = Project(tmp_path / "project")
    for file, text in FILES.items():
        made.write(file, text)
    return made


@pytest.fixture
def memory() -> Iterator[Memory]:
    opened = Memory()
    yield opened
    opened.close()


def case(given: str, expect: str, at: str = "2026-01-05T12:00:00Z") -> str:
    return f"  - {{name: one, at: {at}, given: {{{given}}}, expect: {expect}}}\n"


def outcome(project: Project, memory: Memory, name: str = NAME) -> Outcome:
    catalog: Catalog = project.load()
    assert [str(p) for p in catalog.errors] == []
    policy = catalog.policies[name]
    (one,) = prepared(policy, catalog)
    return tried(policy, one, catalog.assets, memory, catalog.teams[policy.owner])


def off_platform(project: Project, memory: Memory, given: str, expect: str, **more: str) -> Outcome:
    project.write(POLICY, FILES[POLICY] + "cases:\n" + case(given, expect, **more))
    return outcome(project, memory)


def trailing(project: Project, memory: Memory, given: str, expect: str) -> Outcome:
    project.write("policies/payments/busy.yml", TRAILING + case(given, expect))
    project.write("sql/payments/busy.sql", TRAILING_SQL)
    return outcome(project, memory, "payments.busy")


def state(project: Project, memory: Memory, given: str, expect: str) -> Outcome:
    project.write("policies/payments/state.yml", STATE + case(given, expect))
    project.write("sql/payments/state.sql", STATE_SQL)
    return outcome(project, memory, "payments.state")


def test_a_case_fires_as_production_would(project: Project, memory: Memory) -> None:
    title = "Ana asked 3 times to be paid elsewhere"
    expect = f"[{{seller_id: s_1, severity: medium, count: 3, title: {title}, body: paypal}}]"
    came = off_platform(project, memory, f"{ANA}, core.chat_messages: [{SAID}]", expect)
    assert came.passed, came


def test_a_case_that_differs_says_where(project: Project, memory: Memory) -> None:
    given = f"{ANA}, core.chat_messages: [{SAID}]"
    came = off_platform(project, memory, given, "[{seller_id: s_1, severity: high}]")
    assert (came.passed, [p.differing for p in came.pairs]) == (False, [("severity",)])
    assert not off_platform(project, memory, given, "[]").passed
    assert not off_platform(project, memory, given, "[{seller_id: s_1}, {seller_id: s_2}]").passed
    assert not off_platform(project, memory, given, "[{nowhere: null}]").passed


def test_events_are_looked_at_as_far_back_as_within_counts(project: Project, memory: Memory) -> None:
    """24 hours, half-open at both ends; and a table that is not given is empty."""
    row = "{{message_id: {0}, seller_id: s_1, author_id: s_1, body: paypal, sent_at: {1}}}"
    inside = [
        ("a", "2026-01-04T12:00:00Z"),
        ("b", "2026-01-05T00:00:00Z"),
        ("c", "2026-01-05T11:59:59.999999Z"),
    ]
    for first, fires in (("2026-01-04T12:00:00Z", True), ("2026-01-04T11:59:59Z", False)):
        times = [("a", first), *inside[1:]]
        rows = ", ".join(row.format(*one) for one in times)
        expect = "[{count: 3}]" if fires else "[]"
        assert off_platform(project, memory, f"{ANA}, core.chat_messages: [{rows}]", expect).passed, first
    late = row.format("z", "2026-01-05T12:00:00Z")
    rows = ", ".join([*(row.format(*one) for one in inside[1:]), late])
    assert off_platform(project, memory, f"{ANA}, core.chat_messages: [{rows}]", "[]").passed
    assert off_platform(project, memory, f"core.chat_messages: [{SAID}]", "[]").passed


def test_delay_is_kept_to(project: Project) -> None:
    project.change(POLICY, "lookback: 15m", "lookback: 15m, delay: 2h")
    policy = project.load().policies[NAME]
    at = datetime(2026, 1, 5, 12, tzinfo=UTC)
    window = window_at(policy, at)
    assert (window.end, window.start) == (at - timedelta(hours=2), at - timedelta(hours=26))


def test_the_beginning_of_time_is_a_sentence(project: Project, memory: Memory) -> None:
    came = off_platform(project, memory, f"core.chat_messages: [{SAID}]", "[]", at="0001-01-01T00:00:00Z")
    assert came.errors == ("its window would begin before the year 1: move `at`",)
    assert off_platform(project, memory, ANA, "[]", at="9999-12-31T23:59:59Z").passed


def test_a_trailing_policy_is_looked_at_as_of_the_case(project: Project, memory: Memory) -> None:
    """Its newest row is an hour old: the window ends at `at` all the same."""
    before = SAID.replace("m1", "p1").replace("05T11", "05T09")
    given = f"core.chat_messages: [{SAID}, {before.replace('repeat: 3', 'repeat: 2')}]"
    expect = "[{seller_id: s_1, severity: low, messages: 3, title: 's_1 wrote 3, before 2'}]"
    assert trailing(project, memory, given, expect).passed


def test_the_world_as_it_is_has_the_time_of_the_case(project: Project, memory: Memory) -> None:
    given = "core.sellers: [{seller_id: s_1}, {seller_id: s_2, display_name: Bo}]"
    expect = "[{seller_id: s_1, severity: high, at: '2026-01-05T12:00:00Z'}]"
    assert state(project, memory, given, expect).passed


def test_more_keys_than_may_alert_are_one_flood(project: Project, memory: Memory) -> None:
    given = "core.sellers: [" + ", ".join(f"{{seller_id: s_{n}}}" for n in range(4)) + "]"
    expect = "[{count: 4, title: 'Seller without a name: 4 at once, more than 3'}]"
    assert state(project, memory, given, expect).passed


def test_a_row_without_its_key_fails_the_case(project: Project, memory: Memory) -> None:
    came = state(project, memory, "core.sellers: [{display_name: null}]", "[]")
    assert not came.passed
    assert came.errors == ("a row cannot be counted: row 1 has no seller_id, which the key needs",)


def test_hostile_text_is_text(project: Project, memory: Memory) -> None:
    name = "'); DROP TABLE core.sellers; -- {{ 7 * 7 }} \\u202e\\0 $1 ?"
    given = f'core.sellers: [{{seller_id: s_1, display_name: "{name}"}}], core.chat_messages: [{SAID}]'
    came = off_platform(project, memory, given, f'[{{seller_name: "{name}", count: 3}}]')
    assert came.passed, came
    assert "49" not in str(came.pairs[0].got)


def test_sql_that_cannot_run_is_one_sentence(project: Project, memory: Memory) -> None:
    project.change(SQL, "m.body,", "CAST(m.body AS int) AS body,")
    came = off_platform(project, memory, f"{ANA}, core.chat_messages: [{SAID}]", "[]")
    assert not came.passed
    assert len(came.errors) == 1
    assert "could not convert string 'paypal' to INT32" in came.errors[0]


def test_a_hand_written_version_is_what_runs(project: Project, memory: Memory) -> None:
    text = FILES[SQL].replace("AND m.author_id = m.seller_id", "AND false")
    project.write(SQL.replace(".sql", ".duckdb.sql"), text)
    assert off_platform(project, memory, f"{ANA}, core.chat_messages: [{SAID}]", "[]").passed


@pytest.mark.parametrize("kind", ["nonsense", "enum('a')", "vector(float, 3)"])
def test_a_column_whose_type_cannot_be_made_is_said(project: Project, memory: Memory, kind: str) -> None:
    project.change("policies/_assets.yml", "author_id: text", f'author_id: text, odd: "{kind}"')
    given = f"{ANA}, core.chat_messages: [{SAID.replace('body', 'odd: b, body')}]"
    came = off_platform(project, memory, given, "[]")
    assert not came.passed
    assert "core.chat_messages" in came.errors[0]
    assert "odd" in came.errors[0] or "_assets.yml" in came.errors[0] or "do not fit" in came.errors[0]


def test_the_rows_of_a_query_are_as_typed_as_in_the_warehouse(project: Project, memory: Memory) -> None:
    project.change(
        "policies/_assets.yml", "author_id: text", "author_id: text, device: variant, tags: array(int)"
    )
    project.change(SQL, "m.body,", "m.body, m.device:os.name::string AS os, m.tags,")
    row = SAID.replace("body", "device: {os: {name: ios}}, tags: [1, null], body")
    given = f"{ANA}, core.chat_messages: [{row}]"
    assert off_platform(project, memory, given, "[{os: ios, tags: [1, null]}]").passed


def test_on_the_same_rows_a_case_and_a_run_on_a_warehouse_say_the_same(
    project: Project, memory: Memory, tmp_path: Path
) -> None:
    """`patrol run` on a file that holds the rows of a case finds the alerts that the case expects."""
    rows = ", ".join(
        f"('m{n}', 's_1', 's_1', 'paypal', TIMESTAMP '2026-01-05 11:{n:02}:00')" for n in range(7)
    )
    columns = "message_id text, seller_id text, author_id text, body text, sent_at timestamp"
    fill(
        tmp_path / "w.duckdb",
        "CREATE SCHEMA core",
        f"CREATE TABLE core.chat_messages ({columns})",
        f"INSERT INTO core.chat_messages VALUES {rows}",
        "CREATE TABLE core.sellers AS SELECT 's_1' AS seller_id, 'Ana' AS display_name",
    )
    catalog = project.load()
    warehouse = connect(f"duckdb:///{tmp_path / 'w.duckdb'}")
    _, found = once(catalog.policies[NAME], catalog, warehouse, datetime(2026, 1, 5, 12, tzinfo=UTC), None)
    warehouse.close()
    (fire,) = found.fired
    given = f"{ANA}, core.chat_messages: [{SAID.replace('repeat: 3', 'repeat: 7')}]"
    expect = f"[{{severity: {fire.severity.name}, count: {fire.count}, title: {fire.title}, body: paypal}}]"
    assert (fire.severity.name, fire.count) == ("high", 7)
    assert off_platform(project, memory, given, expect).passed
