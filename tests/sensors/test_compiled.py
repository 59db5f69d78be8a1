"""A DuckDB without data reads every query: what it refuses, where in the template, and whether that is an error."""
# ruff: noqa: E501 - a table reads by its rows

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from sensors.compiled import compiled
from sensors.model.asset import Asset
from sensors.model.policy import Query
from sensors.sql.lineage import prove
from sensors.sql.refused import BINDS
from sensors.warehouse import WarehouseError
from sensors.warehouse.dialect_origin import origin
from sensors.warehouse.empty import Empty
from tests.sensors.project import POLICY, SQL, Project, fill

ASSETS = "policies/_assets.yml"
CARRIED = " (carried from snowflake to duckdb; a .duckdb.sql beside it is taken instead)"


def said(project: Project, *, demanded: bool = True, dialect: str = "snowflake") -> list[str]:
    return [str(p) for p in sorted(compiled(project.load(dialect=dialect), demanded=demanded))]


REFUSED = [
    ("m.body, m.sent_at", "SUM(m.body) OVER () AS body, m.sent_at", [f"{SQL}:2:66 sum does not take (VARCHAR){CARRIED}"]),
    ("m.author_id = m.seller_id", "m.author_id = 'é🎉' AND m.body > 3", [f"{SQL}:5:63 VARCHAR and INTEGER cannot be compared; cast one{CARRIED}"]),
    ("m.author_id = m.seller_id", "m.sent_at - m.body > 1", [f"{SQL}:5:40 - does not take TIMESTAMP, VARCHAR; cast one of them{CARRIED}"]),
    ("m.author_id = m.seller_id", "COUNT(*) > 1", [f"{SQL}:5:40 an aggregate may not stand in WHERE; use HAVING"]),
    ("m.body, m.sent_at", "BASE64_ENCODE(m.body) AS body, m.sent_at", [f"{SQL}:2:66 to_base64 does not take (VARCHAR){CARRIED}"]),
    ("m.body, m.sent_at", "RATIO_TO_REPORT(3) OVER () AS body, m.sent_at", [f"{SQL}:2:66 DuckDB has no function ratio_to_report{CARRIED}"]),
    ("m.body, m.sent_at", "TO_CHAR(m.sent_at, 'HH12') AS body, m.sent_at", [
        f"{SQL}:2:66 this cannot be carried from snowflake to duckdb: TO_CHAR with its format is not supported there; write a .duckdb.sql beside it"]),
    ("m.body, m.sent_at", "seller_name || m.body AS body, m.sent_at", []),
    # In a macro: the line of the call, and the column's first place in it.
    ("mentions_handle('m.body')", "mentions_handle('m.sent_at')", [f"{SQL}:5:21 LIKE and ILIKE compare texts, not TIMESTAMP, STRING{CARRIED}"]),
]  # fmt: skip


@pytest.mark.parametrize(("before", "after", "expected"), REFUSED, ids=[a[:40] for _, a, _ in REFUSED])
def test_what_is_refused_is_said_where_it_stands(
    project: Project, before: str, after: str, expected: list[str]
) -> None:
    project.change(SQL, before, after)
    assert said(project) == expected


def test_a_project_that_is_right_is_read_without_a_word(project: Project) -> None:
    assert said(project) == []


def test_it_is_a_warning_where_duckdb_will_not_run_it_and_an_error_where_there_are_cases(
    project: Project,
) -> None:
    project.change(SQL, "m.body,", "SOUNDEX(m.body) AS body,")
    (one,) = said(project, demanded=False)
    assert one.startswith(f"{SQL}:2:66 warning: this cannot be carried")
    project.change(
        POLICY, "offer:", "cases: [{name: n, at: 2026-01-01T00:00:00Z, given: {}, expect: []}]\noffer:"
    )
    (one,) = said(project, demanded=False)
    assert one.startswith(f"{SQL}:2:66 this cannot be carried")


def test_a_version_written_by_hand_is_read_instead_and_its_own_file_is_named(project: Project) -> None:
    project.change(SQL, "m.body,", "SOUNDEX(m.body) AS body,")
    native = SQL.replace(".sql", ".duckdb.sql")
    project.write(native, project.read(SQL).replace("SOUNDEX(m.body)", "upper(m.body)"))
    assert said(project) == []
    project.change(
        native, "m.author_id = m.seller_id", "m.author_id = m.seller_id\n  AND m.sent_at\n      LIKE 3"
    )
    assert said(project) == [f"{native}:7:7 LIKE and ILIKE compare texts, not TIMESTAMP, INTEGER"]


def test_sql_that_is_duckdbs_own_is_placed_by_its_own_lines(project: Project) -> None:
    project.write(SQL, project.read(SQL).replace("m.body,", "m.body\n  + m.sent_at AS body,"))
    assert said(project, dialect="duckdb") == [
        f"{SQL}:3:3 + does not take VARCHAR, TIMESTAMP; cast one of them"
    ]


def test_columns_that_only_duckdb_can_tell_are_held_against_the_yaml(project: Project) -> None:
    project.change(
        SQL,
        "s.display_name AS seller_name, ",
        "* EXCLUDE (sent_at, body, seller_id, message_id, display_name), ",
    )
    assert said(project) == [
        f'{POLICY}:12:10 alert.title: the query gives no column seller_name; did you mean "seller_id"?',
        f'{POLICY}:13:12 alert.fields[1]: the query gives no column seller_name; did you mean "seller_id"?',
    ]


def test_what_is_wrong_already_and_what_is_not_declared_is_passed_over(project: Project) -> None:
    project.change(SQL, "m.author_id =", "m.authr_id =")
    assert said(project) == []
    project.change(SQL, "m.authr_id =", "m.author_id =")
    project.change(
        ASSETS,
        "  columns: {message_id: text, seller_id: text, author_id: text, body: text, sent_at: timestamp}\n",
        "",
    )
    project.change(SQL, "m.body, m.sent_at", "SUM(m.body) AS body, m.sent_at")
    assert said(project) == []


def test_a_type_that_there_is_not_is_said_where_it_is_declared(project: Project) -> None:
    project.change(ASSETS, "body: text", "Body: texst")
    assert said(project) == [
        f'{ASSETS}:4:71 core.chat_messages.columns.Body: no type of SQL is called "texst"; did you mean "text"?'
    ]


def test_where_a_type_has_no_equal_doubts_are_warnings(project: Project) -> None:
    project.change(ASSETS, "body: text", "body: variant")
    project.change(SQL, "m.author_id = m.seller_id", "m.sent_at - m.author_id > 1")
    (one,) = said(project)
    assert " warning: - does not take" in one


NAMES = ["orders", "core.orders", "shop.core.orders", 'we"ird.or ders']


@pytest.mark.parametrize("name", NAMES)
def test_tables_of_every_depth_are_there(name: str) -> None:
    quoted = ".".join('"' + part.replace('"', '""') + '"' for part in name.split("."))
    empty = Empty(
        [Asset(name, columns={"a": "number(38,0)", "b": "timestamp_ntz", "c": "array"})], "snowflake"
    )
    query = Query(f"SELECT a, b, c FROM {quoted} WHERE b < :window_end", "snowflake", "sql/x.sql", (name,))
    assert empty.read(query, BINDS).columns == ("a", "b", "c")
    empty.close()


def test_the_database_without_data_reaches_no_file(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("a\n1\n")
    empty = Empty([], "duckdb")
    with pytest.raises(WarehouseError, match="outside"):
        empty.read(Query(f"SELECT * FROM read_csv('{tmp_path}/x.csv')", "duckdb", "sql/x.sql", ()), {})
    empty.close()


# Each part of a query is found again from where it stands in what it was carried into.
PARTS = ["m.body", "IFF(m.body = 'a', 1, 2)", "m.sent_at::date", "DATEDIFF('day', m.sent_at, :window_end)"]


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("twice", [False, True])
def test_a_place_in_the_carried_sql_is_led_back(part: str, twice: bool) -> None:
    first = f"{part} AS a,\n  " if twice else ""
    sql = f"-- One row.\nSELECT {first}LENGTH(m.x) AS l,\n  {part} AS p FROM core.t m WHERE m.y > 0"
    assert prove(sql, "snowflake").problems == ()
    empty = Empty(
        [Asset("core.t", columns=dict.fromkeys(("body", "x", "y", "sent_at"), "varchar"))], "snowflake"
    )
    spelled = empty.native(Query(sql, "snowflake", "sql/x.sql", ()))
    theirs = empty.native(Query(f"SELECT {part}", "snowflake", "sql/x.sql", ())).removeprefix("SELECT ")
    at = origin(sql, "snowflake", "duckdb", spelled, spelled.rfind(theirs))
    empty.close()
    assert at is not None
    assert sql.rfind(part) <= at < sql.rfind(part) + len(part)


def test_uniqueness_that_is_claimed_holds_on_real_rows(tmp_path: Path) -> None:
    """Whatever `facts` says of a form, no two rows of a real result share those values."""
    file = tmp_path / "t.duckdb"
    fill(file, "CREATE TABLE t AS SELECT (i * 7) % 3 AS a, (i * 5) % 4 AS b, i AS c FROM range(60) r(i)")
    claimed = 0
    with duckdb.connect(str(file), read_only=True) as connection:
        for sql in FORMS:
            unique = prove(sql, "duckdb").facts.one_row_of
            claimed += bool(unique)
            for columns in unique:
                names = ", ".join(sorted(columns)) or "1"
                doubled = connection.execute(
                    f"SELECT {names} FROM ({sql}) GROUP BY ALL HAVING COUNT(*) > 1"
                ).fetchall()
                assert doubled == [], sql
    assert 8 <= claimed < len(FORMS)


FORMS = [
    "SELECT a, COUNT(*) AS n FROM t GROUP BY a",
    "SELECT a + 0 AS a, COUNT(*) AS n FROM t GROUP BY t.a + 0",
    "SELECT a % 2 AS a, COUNT(*) AS n FROM t GROUP BY t.a",
    "SELECT a AS k, b FROM t GROUP BY ALL",
    "SELECT b AS a, COUNT(*) AS n FROM t GROUP BY t.b",
    "SELECT b AS c, a FROM t GROUP BY 2, 1",
    "SELECT COUNT(*) AS n FROM t",
    "SELECT MAX(c) OVER () AS n FROM t",
    "SELECT (SELECT COUNT(*) FROM t) AS n, a FROM t",
    "SELECT DISTINCT a, b FROM t",
    "SELECT a, b FROM t",
    "SELECT a, b FROM t GROUP BY GROUPING SETS ((a), (b), (a, b))",
    "SELECT a, b, COUNT(*) AS n FROM t GROUP BY ROLLUP (a, b)",
    "SELECT a, c FROM t QUALIFY ROW_NUMBER() OVER (PARTITION BY a ORDER BY c) = 1",
    "SELECT a, c FROM t QUALIFY ROW_NUMBER() OVER (PARTITION BY a ORDER BY c) = 1 AND c > 0",
    "SELECT a, c FROM t QUALIFY ROW_NUMBER() OVER (PARTITION BY a ORDER BY c) = 1 OR c > 0",
    "SELECT a, c FROM t QUALIFY ROW_NUMBER() OVER (PARTITION BY a ORDER BY c) <= 2",
    "SELECT a, c FROM t QUALIFY RANK() OVER (PARTITION BY a ORDER BY b) = 1",
    "SELECT a FROM t GROUP BY a UNION ALL SELECT a FROM t GROUP BY a",
    "SELECT a, unnest([1, 2]) AS u, COUNT(*) AS n FROM t GROUP BY a",
]  # fmt: skip
