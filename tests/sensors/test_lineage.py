"""The read-only proof: what may run, what is refused and why, and which tables and columns a query has."""

from __future__ import annotations

import pytest

from sensors.sql.lineage import prove

HOSTILE = [
    ("DELETE FROM core.t", "a policy may only SELECT; DELETE is refused"),
    ("INSERT INTO core.t VALUES (1)", "a policy may only SELECT; INSERT is refused"),
    ("UPDATE core.t SET a = 1", "a policy may only SELECT; UPDATE is refused"),
    (
        "MERGE INTO core.t USING core.u ON a=b WHEN MATCHED THEN DELETE",
        "a policy may only SELECT; MERGE is refused",
    ),
    ("CREATE TABLE core.x AS SELECT * FROM core.t", "a policy may only SELECT; CREATE is refused"),
    ("DROP TABLE core.t", "a policy may only SELECT; DROP is refused"),
    ("ALTER TABLE core.t ADD COLUMN x INT", "a policy may only SELECT; ALTER is refused"),
    ("TRUNCATE TABLE core.t", "a policy may only SELECT; TRUNCATE is refused"),
    ("COPY INTO core.t FROM @stage", "a policy may only SELECT; COPY is refused"),
    ("CALL do_it()", "a policy may only SELECT; CALL is refused"),
    ("SET x = 1", "a policy may only SELECT; SET is refused"),
    ("USE ROLE accountadmin", "a policy may only SELECT; USE is refused"),
    ("EXPLAIN SELECT 1", "a policy may only SELECT; EXPLAIN is refused"),
    ("GRANT ALL ON core.t TO bo", "a policy may only SELECT; GRANT is refused"),
    ("", "a policy is one SELECT; here is none"),
    ("-- only a comment", "a policy is one SELECT; here is none"),
    ("SELECT 1; SELECT 2", "a policy is one SELECT; here are more"),
    ("SELECT 1; DROP TABLE core.t", "a policy is one SELECT; here are more"),
    ("SELECT * INTO core.x FROM core.t", "SELECT … INTO writes a table; a policy may only read"),
    ("SELECT a FROM core.t FOR UPDATE", "FOR UPDATE locks rows; a policy may only read"),
    ("SELECT * FROM read_csv('/etc/passwd')", "read_csv may not stand in FROM"),
    ("SELECT * FROM read_parquet('s3://x')", "read_parquet may not stand in FROM"),
    ("SELECT * FROM read_text('/etc/passwd')", "read_text may not stand in FROM"),
    ("SELECT * FROM glob('/*')", "this cannot be read as snowflake SQL"),
    ("SELECT * FROM TABLE(result_scan(last_query_id()))", "result_scan may not stand in FROM"),
    ("SELECT * FROM TABLE(my_udtf(1))", "my_udtf may not stand in FROM"),
    ("SELECT * FROM @stage/file", "@stage/file is a file or stage; a policy reads only declared tables"),
    ("SELECT $1 FROM @stage", "write parameters as :name, not $1"),
    ("SELECT * FROM 'data.csv'", "'data.csv' is a file or stage; a policy reads only declared tables"),
    ('SELECT * FROM "/etc/passwd"', "/etc/passwd is a file; a policy reads only declared tables"),
    ("SELECT getenv('HOME') FROM core.t", "getenv may not be called: it reaches outside the tables"),
    ("SELECT pg_read_file('x') FROM core.t", "pg_read_file may not be called"),
    ("SELECT system$wait(10) FROM core.t", "system$wait may not be called: it commands the warehouse"),
    ("SELECT current_user() FROM core.t", "current_user may not be called: it asks about the session"),
    ("SELECT current_setting('x') FROM core.t", "current_setting may not be called"),
    ("SELECT RANDOM() FROM core.t", "gives another answer each time"),
    ("SELECT UUID_STRING() FROM core.t", "gives another answer each time"),
    ("SELECT CURRENT_DATE FROM core.t", "depends on the clock"),
    ("SELECT GETDATE() FROM core.t", "depends on the clock"),
    ("SELECT SYSDATE() FROM core.t", "depends on the clock"),
    ("SELECT AI_COMPLETE('m', body) FROM core.t", "calls a model or service"),
    ("SELECT my_udf(a) FROM core.t", "my_udf is not a function that policies may call"),
    ("SELECT a FROM core.t WHERE b = ?", "write parameters as :name, not ?"),
    ("SELECT a FROM IDENTIFIER('core.t')", "may not stand in FROM"),
    ("SELECT a FROM core.t WHERE b = 'it''s", "this cannot be read as snowflake SQL"),
    ("SELECT a, FROM WHERE", "this cannot be read as snowflake SQL"),
    ("SELECT (SELECT read_csv('x')) FROM core.t", "read_csv may not be called: it reads files"),
    ("WITH x AS (SELECT * FROM sniff_csv('x')) SELECT * FROM x", "sniff_csv may not stand in FROM"),
]


@pytest.mark.parametrize(("sql", "why"), HOSTILE, ids=[sql[:50] for sql, _ in HOSTILE])
def test_what_does_more_than_read_declared_tables_is_refused_with_its_reason(sql: str, why: str) -> None:
    said = [flaw.what for flaw in prove(sql, "snowflake").problems]
    assert any(why in what for what in said), said


DUCK = [
    "WITH x AS (DELETE FROM core.t RETURNING *) SELECT * FROM x",
    "SELECT * FROM 'data.csv'",
    "SELECT * FROM sniff_csv('x')",
    "SELECT * FROM pragma_table_info('t')",
    "SELECT * FROM duckdb_secrets()",
    "SELECT * FROM query('DROP TABLE x')",
    "ATTACH 'x.db'",
    "INSTALL httpfs",
    "PRAGMA threads=4",
    "FROM read_csv('x')",
]


@pytest.mark.parametrize("sql", DUCK)
def test_the_same_holds_in_the_dialect_of_duckdb(sql: str) -> None:
    assert prove(sql, "duckdb").problems


ALLOWED = [
    "SELECT a FROM core.t WHERE b > :least",
    "WITH x AS (SELECT a FROM core.t) SELECT a FROM x",
    "SELECT a FROM core.t UNION ALL SELECT a FROM core.t",
    "(SELECT a FROM core.t) EXCEPT (SELECT a FROM core.t)",
    "SELECT a, ROW_NUMBER() OVER (PARTITION BY b ORDER BY c DESC) AS n FROM core.t QUALIFY n = 1",
    "SELECT f.value::string AS v FROM core.t, LATERAL FLATTEN(input => tags) f",
    "SELECT f.value AS v FROM core.t, TABLE(FLATTEN(tags)) f",
    "SELECT SHA2(a), MD5(a), REGEXP_LIKE(a, 'x'), IFF(a > 1, 1, 0), TO_TIMESTAMP(a) FROM core.t",
    "SELECT v.x FROM (VALUES (1), (2)) AS v (x)",
    "WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r WHERE n < 9) SELECT n FROM r",
    "SELECT H3_LATLNG_TO_CELL_STRING(a, b, 7), ST_CONTAINS(c, d), AS_NUMBER(v), PARSE_XML(s) FROM core.t",
    "SELECT a FROM core.t;",
]  # fmt: skip


@pytest.mark.parametrize("sql", ALLOWED)
def test_what_only_computes_on_its_rows_is_allowed(sql: str) -> None:
    assert prove(sql, "snowflake").problems == ()


def test_what_is_counted_or_compared_is_never_null() -> None:
    given = "SELECT s.a, b AS x, COUNT(*) AS n, SUM(d) AS sum, MAX(e) AS e, MIN(e) AS f FROM core.t s"
    kept = "WHERE a > 1 AND (b > 2 OR c) AND x IS NULL GROUP BY 1, 2 HAVING sum > 3 AND MIN(e) < 4"
    assert prove(f"{given} {kept}", "snowflake").facts.filled == {"a", "n", "sum", "f"}


def test_tables_are_those_read_anywhere_but_not_the_names_of_a_with() -> None:
    sql = """
    WITH recent AS (SELECT * FROM Core.Orders), both AS (SELECT * FROM recent JOIN core.refunds USING (id))
    SELECT * FROM both WHERE seller_id IN (SELECT seller_id FROM core.sellers)
    """
    assert set(prove(sql, "snowflake").tables) == {"core.orders", "core.refunds", "core.sellers"}


def test_a_name_of_a_with_hides_a_table_only_where_it_is_in_sight() -> None:
    inner = "SELECT a FROM secret WHERE a IN (WITH secret AS (SELECT 1 AS a) SELECT a FROM secret)"
    assert prove(inner, "snowflake").tables == ("secret",)
    itself = "WITH secret AS (SELECT a FROM secret) SELECT a FROM secret"
    assert prove(itself, "snowflake").tables == ("secret",)
    qualified = "WITH secret AS (SELECT 1 AS a) SELECT a FROM core.secret"
    assert prove(qualified, "snowflake").tables == ("core.secret",)


SCHEMA = {"core.t": {"a": "int", "b": "int"}, "core.u": {"b": "int", "c": "int"}}
COLUMNS = [
    ("SELECT a, t.B, COUNT(*) AS N, a + 1 FROM core.t", ("a", "b", "n")),
    ("SELECT * FROM core.t", ("a", "b")),
    ("SELECT t.*, u.c FROM core.t t JOIN core.u u USING (b)", ("a", "b", "c")),
    ("SELECT * FROM core.t JOIN core.u USING (b)", ("a", "b", "c")),
    ("WITH x AS (SELECT a AS z FROM core.t) SELECT * FROM x", ("z",)),
    ("WITH x (p, q) AS (SELECT * FROM core.t) SELECT * FROM x", ("p", "q")),
    ("SELECT * FROM (SELECT c FROM core.u) v", ("c",)),
    ("SELECT a FROM core.t UNION SELECT c FROM core.u", ("a",)),
    ("SELECT * FROM core.unknown", None),
    ("SELECT * EXCLUDE (a) FROM core.t", None),
]


@pytest.mark.parametrize(("sql", "columns"), COLUMNS)
def test_columns_are_derived_where_the_sources_are_known(sql: str, columns: tuple[str, ...] | None) -> None:
    assert prove(sql, "snowflake", SCHEMA).columns == columns


def test_binds_are_listed() -> None:
    proof = prove("SELECT a FROM core.t WHERE b > :least AND c < :window_end", "snowflake")
    assert proof.binds == {"least", "window_end"}
