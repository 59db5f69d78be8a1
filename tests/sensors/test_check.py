"""Check: what loading found, and what only a warehouse knows."""
# ruff: noqa: E501 - a table reads by its rows

from __future__ import annotations

from pathlib import Path

from sensors.check import check
from sensors.warehouse import Warehouse, connect
from tests.sensors.project import POLICY, SQL, Project

STATE = "policies/payments/state.yml"
STATE_SQL = "sql/payments/state.sql"


def said(project: Project, warehouse: Warehouse | None) -> list[str]:
    """All but what is said of cases, which test_case_rules is about."""
    found = [str(problem) for problem in check(project.load(), warehouse)]
    return [one for one in found if "cases: no case" not in one]


def test_a_project_that_fits_its_warehouse_has_no_problem(project: Project, warehouse: Warehouse) -> None:
    assert said(project, warehouse) == []


def test_without_a_warehouse_check_says_what_loading_found(project: Project) -> None:
    project.change(POLICY, "owner: payments", "owner: paymnts")
    assert said(project, None) == project.said() != []


def test_tables_and_columns_that_the_warehouse_lacks_are_named_where_they_are_declared(
    project: Project, warehouse: Warehouse
) -> None:
    project.write(
        "policies/_assets.yml",
        project.read("policies/_assets.yml").replace("display_name:", "displayname: text, display_name:")
        + "core.shows: {owner: payments, columns: {show_id: text}}\n",
    )
    assert said(project, warehouse) == [
        "policies/_assets.yml:8:63 core.sellers.columns.displayname: the warehouse's core.sellers has no"
        ' column displayname; did you mean "display_name"?',
        "policies/_assets.yml:9:1 the warehouse has no table core.shows",
    ]


def test_sql_that_the_warehouse_refuses_is_named_with_its_file(
    project: Project, warehouse: Warehouse
) -> None:
    project.change(SQL, "m.author_id = m.seller_id", "m.author = m.seller_id")
    project.change("policies/_assets.yml", "author_id: text", "author_id: text, author: text")
    assert said(project, warehouse) == [
        "policies/_assets.yml:4:65 core.chat_messages.columns.author: the warehouse's core.chat_messages has no"
        ' column author; did you mean "author_id"?',
        f"{SQL}:5:40 m has no column author"
        " (carried from snowflake to duckdb; a .duckdb.sql beside it is taken instead)",
    ]


def test_sql_that_cannot_be_carried_over_is_named_with_what_to_do(
    project: Project, warehouse: Warehouse
) -> None:
    project.change(SQL, "m.body,", "SOUNDEX(m.body) AS body,")
    assert said(project, warehouse) == [
        f"{SQL}:2:66 this cannot be carried from snowflake to duckdb: SOUNDEX is not supported in DuckDB;"
        " write a .duckdb.sql beside it"
    ]


def test_a_key_that_could_not_be_derived_is_checked_by_the_warehouse(
    project: Project, warehouse: Warehouse
) -> None:
    project.change(
        SQL,
        "SELECT m.message_id, m.seller_id, s.display_name AS seller_name, m.body, m.sent_at",
        "SELECT * EXCLUDE (author_id)",
    )
    project.change(POLICY, "row_key: [message_id]", "row_key: [message]")
    assert said(project, warehouse) == [
        f'{POLICY}:8:11 row_key[1]: the query gives no column message; did you mean "message_id"?',
        f'{POLICY}:12:10 alert.title: the query gives no column seller_name; did you mean "seller_id"?',
        f'{POLICY}:13:12 alert.fields[1]: the query gives no column seller_name; did you mean "seller_id"?',
    ]


def test_a_policy_without_a_window_and_one_with_a_baseline_are_read_by_the_warehouse_too(
    project: Project, warehouse: Warehouse
) -> None:
    common = "title: T\nowner: payments\nschedule: {every: 5m}\nkey: [seller_id]\nseverity: high\n"
    project.write(STATE, common)
    project.write(
        STATE_SQL, "SELECT seller_id FROM {{ table('core.sellers') }} WHERE :window_end > '2020-01-01'"
    )
    project.write(
        "policies/payments/base.yml", common + "window: {trailing: 1h, column: sent_at, baseline: 7d}\n"
    )
    project.write(
        "sql/payments/base.sql",
        "SELECT seller_id, COUNT_IF({{ in_baseline('sent_at') }}) AS before"
        " FROM {{ table('core.chat_messages') }} WHERE {{ in_window('sent_at') }} GROUP BY seller_id",
    )
    assert said(project, warehouse) == []


def test_a_warehouse_that_cannot_be_asked_is_one_warning(project: Project, tmp_path: Path) -> None:
    warehouse = connect(f"duckdb:///{tmp_path}/none.duckdb")
    (problem,) = [p for p in check(project.load(), warehouse) if p.path == "patrol.yml"]
    assert problem.warning
    assert problem.what == f"the warehouse cannot be asked: there is no file {tmp_path}/none.duckdb"
    warehouse.close()


WINDOWS = [
    ("window: {trailing: 1h, column: sent_at}\ncatchup: each\n", "{{ in_window('sent_at') }}", [
        f"{STATE}:7:1 catchup: means nothing here: only a window with lookback has something to catch up"]),
    ("threshold: {count: 2, within: 1h}\n", "1 = 1", [
        f"{STATE}:6:23 threshold.within: means nothing here: without lookback the rows of each look are counted by themselves"]),
    ("", "{{ in_window('sent_at') }}", [f"{STATE_SQL}:2:10 in_window needs a window: in the YAML"]),
    ("", "{{ in_baseline('sent_at') }}", [f"{STATE_SQL}:2:10 in_baseline needs a window: with trailing and baseline in the YAML"]),
    ("", "sent_at > :window_start", [f"{STATE_SQL}:2:18 :window_start needs a window: in the YAML; :window_end is the time of the look"]),
    ("window: {trailing: 1h, column: sent_at, baseline: 7d}\n", "{{ in_window('sent_at') }}", [
        f"{STATE}:6:41 window.baseline: the SQL does not use it: write {{{{ in_baseline('sent_at') }}}} for the past"]),
    ("window: {trailing: 1h, column: sent_at}\n", "{{ in_window('sent_at') }} OR {{ in_baseline('sent_at') }}", [
        f"{STATE_SQL}:2:40 in_baseline needs a baseline in the window: window: {{trailing: 24h, …, baseline: 28d}}"]),
    ("window: none\nclear: always\n", "1 = 1", []),
    ("severity_: x\n", "1 = 1", [f'{STATE}:6:1 unknown key "severity_"; did you mean "severity"?']),
]  # fmt: skip


def test_what_a_window_demands_is_demanded_and_what_means_nothing_is_said(project: Project) -> None:
    for yaml, where, expected in WINDOWS:
        project.write(
            STATE,
            "title: T\nowner: payments\nschedule: {every: 5m}\nkey: [seller_id]\nseverity: high\n" + yaml,
        )
        sql = "SELECT seller_id, sent_at FROM {{ table('core.chat_messages') }}\nWHERE " + where
        project.write(STATE_SQL, sql)
        assert project.said() == expected, (yaml, where)
