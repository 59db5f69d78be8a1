"""What a policy must not do, as SQL, with the reason that its author is told: by dialect, or alike in all."""
# ruff: noqa: E501 - a table reads by its rows

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Hostile:
    """`writes`: a database that ran it would be another one afterwards, or would have given something away."""

    sql: str | dict[str, str]
    why: str | dict[str, str]
    writes: bool = False

    def in_(self, dialect: str) -> tuple[str, str]:
        """The SQL and the reason in this dialect."""
        sql, why = self.sql, self.why
        return (sql if isinstance(sql, str) else sql.get(dialect, sql["else"])), (
            why if isinstance(why, str) else why.get(dialect, why["else"])
        )


ONLY = "a policy may only SELECT; {} is refused"
FROM = "{} may not stand in FROM: it reaches outside the declared tables"
HOSTILE = (
    # ------------------------------------------------------------------ other statements
    Hostile("DELETE FROM core.t", ONLY.format("DELETE"), writes=True),
    Hostile("INSERT INTO core.t (id) VALUES (9)", ONLY.format("INSERT"), writes=True),
    Hostile("UPDATE core.t SET id = 9", ONLY.format("UPDATE"), writes=True),
    Hostile("MERGE INTO core.t USING core.u ON core.t.id = core.u.id WHEN MATCHED THEN DELETE", ONLY.format("MERGE"), writes=True),
    Hostile("CREATE TABLE core.x AS SELECT * FROM core.t", ONLY.format("CREATE"), writes=True),
    Hostile("DROP TABLE core.t", ONLY.format("DROP"), writes=True),
    Hostile("ALTER TABLE core.t ADD COLUMN x INT", ONLY.format("ALTER"), writes=True),
    Hostile("TRUNCATE TABLE core.t", ONLY.format("TRUNCATE"), writes=True),
    Hostile("GRANT ALL ON core.t TO bo", ONLY.format("GRANT"), writes=True),
    Hostile("CALL core.do_it()", ONLY.format("CALL"), writes=True),
    Hostile({"else": "COPY core.t TO '/tmp/t.csv'", "snowflake": "COPY INTO @stage FROM core.t"}, ONLY.format("COPY"), writes=True),
    Hostile({"else": "EXECUTE IMMEDIATE 'DROP TABLE core.t'", "duckdb": "EXECUTE drop_it"}, ONLY.format("EXECUTE"), writes=True),
    Hostile({"else": "SET x = 1", "snowflake": "USE ROLE accountadmin"}, {"else": ONLY.format("SET"), "snowflake": ONLY.format("USE")}),
    Hostile({"else": "DO $$ BEGIN DELETE FROM core.t; END $$", "duckdb": "ATTACH 'other.duckdb' AS other", "snowflake": "PUT file:///etc/passwd @stage"}, {"else": ONLY.format("DO"), "duckdb": ONLY.format("ATTACH"), "snowflake": ONLY.format("PUT")}, writes=True),
    # ------------------------------------------------------------------ hidden in a SELECT
    Hostile("SELECT id FROM core.t; DROP TABLE core.t", "a policy is one SELECT; here are more", writes=True),
    Hostile("SELECT id FROM core.t /* ; */ -- '\n; DELETE FROM core.t", "a policy is one SELECT; here are more", writes=True),
    Hostile({"else": "WITH gone AS (DELETE FROM core.t RETURNING id) SELECT id FROM gone", "snowflake": "WITH gone AS (DELETE FROM core.t) SELECT id FROM gone"}, ONLY.format("DELETE"), writes=True),
    Hostile("SELECT id INTO core.x FROM core.t", "SELECT … INTO writes a table; a policy may only read", writes=True),
    Hostile("SELECT id FROM core.t FOR UPDATE", "FOR UPDATE locks rows; a policy may only read"),
    Hostile({"else": "SELECT nextval('core.s') AS n FROM core.t", "snowflake": "SELECT core.s.nextval AS n FROM core.t"}, {"else": "nextval may not be called: it gives another answer each time", "snowflake": "s.nextval counts a sequence up; a policy may only read"}, writes=True),
    # ------------------------------------------------------------------ files, programs, other places
    Hostile({"else": "SELECT pg_read_file('/etc/passwd') AS a FROM core.t", "duckdb": "SELECT * FROM read_text('/etc/passwd')", "snowflake": "SELECT $1 AS a FROM @stage/file.csv"}, {"else": "pg_read_file may not be called: it reaches outside the tables", "duckdb": FROM.format("read_text"), "snowflake": "@stage/file.csv is a file or stage; a policy reads only declared tables"}, writes=True),
    Hostile({"else": "SELECT * FROM read_csv('/etc/passwd')", "postgres": "SELECT * FROM pg_ls_dir('/')"}, {"else": FROM.format("read_csv"), "postgres": FROM.format("pg_ls_dir")}, writes=True),
    Hostile("SELECT (SELECT read_csv('/etc/passwd')) AS a FROM core.t", "read_csv may not be called: it reads files", writes=True),
    Hostile("SELECT * FROM 'rows.csv'", "; a policy reads only declared tables"),
    Hostile('SELECT * FROM "/etc/passwd"', "/etc/passwd is a file; a policy reads only declared tables"),
    Hostile({"else": "SELECT * FROM dblink('host=other', 'SELECT 1') AS x (a INT)", "snowflake": "SELECT * FROM TABLE(RESULT_SCAN(LAST_QUERY_ID()))", "duckdb": "SELECT * FROM postgres_scan('host=other', 'public', 't')"}, {"else": FROM.format("dblink"), "snowflake": FROM.format("result_scan"), "duckdb": FROM.format("postgres_scan")}),
    Hostile({"else": "SELECT lo_export(1, '/tmp/x') AS a FROM core.t", "duckdb": "SELECT getenv('HOME') AS a FROM core.t", "snowflake": "SELECT SYSTEM$CANCEL_ALL_QUERIES(1) AS a FROM core.t"}, {"else": "lo_export may not be called: it reaches outside the tables", "duckdb": "getenv may not be called: it reaches outside the tables", "snowflake": "system$cancel_all_queries may not be called: it commands the warehouse"}, writes=True),
    Hostile({"else": "SELECT query_to_xml('DELETE FROM core.t', true, true, '') AS a FROM core.t", "duckdb": "SELECT * FROM query('SELECT 1 AS a')", "snowflake": "SELECT * FROM IDENTIFIER('core.secret')"}, {"else": "query_to_xml may not be called: it runs SQL that nobody has read", "duckdb": FROM.format("query"), "snowflake": "may not stand in FROM: it reaches outside the declared tables"}),
    Hostile({"else": "SELECT * FROM query_table('core.secret')", "snowflake": "SELECT IDENTIFIER('secret') AS a FROM core.t"}, {"else": FROM.format("query_table"), "snowflake": "dynamic_identifier may not be called: it names a table by a text"}),
    Hostile({"else": "SELECT * FROM other.db.core.secret", "snowflake": "SELECT * FROM DIRECTORY(@stage)"}, "is no table that can be declared; a policy reads only declared tables"),
    # ------------------------------------------------------------------ functions of one's own
    Hostile("SELECT my_udf(id) AS a FROM core.t", "my_udf is not a function that policies may call"),
    Hostile("SELECT core.lower(id) AS a FROM core.t", "core.lower is a function of your own; if it only computes, name it in patrol.yml: functions"),
    Hostile("SELECT core.parse_json(id) AS a FROM core.t", "core.parse_json is a function of your own"),
    Hostile({"else": "SELECT * FROM core.generate_series(1, 2)", "snowflake": "SELECT * FROM TABLE(core.flatten(1))"}, {"else": "may not stand in FROM: it reaches outside the declared tables", "snowflake": "core.flatten is a function of your own"}),
    # ------------------------------------------------------------------ the catalogue, the session, the clock, chance
    Hostile("SELECT table_name FROM information_schema.tables", "information_schema.tables is the warehouse's own; a policy reads only tables of data"),
    Hostile({"else": "SELECT * FROM pg_catalog.pg_authid", "duckdb": "SELECT * FROM duckdb_secrets()"}, {"else": "pg_catalog.pg_authid is the warehouse's own", "duckdb": FROM.format("duckdb_secrets")}, writes=True),
    Hostile({"else": "SELECT current_setting('x') AS a FROM core.t", "snowflake": "SELECT CURRENT_ROLE() AS a FROM core.t"}, {"else": "current_setting may not be called: it asks about the session", "snowflake": "current_role may not be called: it asks about the session"}),
    Hostile({"else": "SELECT set_config('a.b', 'c', false) AS a FROM core.t", "snowflake": "SELECT GETVARIABLE('X') AS a FROM core.t"}, {"else": "set_config may not be called: it writes", "snowflake": "getvariable may not be called: it asks about the session"}),
    Hostile({"else": "SELECT CURRENT_USER AS a FROM core.t", "postgres": "SELECT user AS a FROM core.t"}, {"else": "current_user may not be called: it asks about the session", "postgres": "user may not be used: it asks about the session; quote it if it is a column"}),
    Hostile({"else": "SELECT pg_sleep(3600) AS a FROM core.t", "snowflake": "SELECT SYSTEM$WAIT(3600) AS a FROM core.t"}, {"else": "pg_sleep may not be called: it waits", "snowflake": "system$wait may not be called: it commands the warehouse"}),
    Hostile("SELECT CURRENT_TIMESTAMP AS a FROM core.t", "depends on the clock; write :window_end, the time of the look"),
    Hostile("SELECT CAST('now' AS TIMESTAMP) AS a FROM core.t", "'now' depends on the clock; write :window_end, the time of the look"),
    Hostile({"else": "SELECT RANDOM() AS a FROM core.t"}, "gives another answer each time"),
    Hostile({"else": "SELECT id FROM core.t TABLESAMPLE SYSTEM (10)", "snowflake": "SELECT id FROM core.t SAMPLE (10)"}, "SAMPLE may not be used: it gives another answer each time"),
    Hostile("SELECT CAST(CAST(' NOW ' AS TEXT) AS TIMESTAMP) AS a", "'now' depends on the clock"),
    Hostile("SELECT id FROM core.t WHERE g BETWEEN 'yesterday' AND 'today 12:00'", "'yesterday' depends on the clock"),
    Hostile({"else": "SELECT age(g) AS a FROM core.t", "snowflake": "SELECT id FROM core.t AT (OFFSET => -60)"}, {"else": "age of one time depends on the clock", "snowflake": "OFFSET depends on the clock"}),
    Hostile({"else": "SELECT id FROM core.t WHERE g < DATE('now')", "snowflake": "SELECT 1 AS a FROM TABLE(GENERATOR(TIMELIMIT => 60))"}, {"else": "'now' depends on the clock", "snowflake": "TIMELIMIT gives another answer each time"}),
    Hostile("SELECT id FROM core.t WHERE g = ?", "write parameters as :name, not ?"),
)  # fmt: skip
OF_OTHERS = (  # where Patrol has a dialect that no test has a server of
    ("tsql", "SELECT * FROM other.db.core.t", "is no table that can be declared"),
    ("tsql", "SELECT * FROM OPENDATASOURCE('x', 'y').db.core.t", "is no table that can be declared"),
    ("tsql", "SELECT * FROM core.t WITH (UPDLOCK)", "UPDLOCK locks rows; a policy may only read"),
    ("clickhouse", "SELECT * FROM core.t SETTINGS max_execution_time = 0", "SETTINGS may not be used: it is the session's"),
    ("clickhouse", "SELECT * FROM url('http://other', CSV)", FROM.format("url")),
    ("sqlite", "SELECT datetime() AS a", "datetime() depends on the clock"),
    ("sqlite", "SELECT strftime('%s', 'now') AS a", "'now' depends on the clock"),
    ("mysql", "SELECT LOAD_FILE('/etc/passwd') AS a", "load_file may not be called: it reaches outside the tables"),
    ("bigquery", "SELECT * FROM EXTERNAL_QUERY('x', 'y')", FROM.format("external_query")),
    ("databricks", "SELECT * FROM parquet.`/x`", "is a file; a policy reads only declared tables"),
)  # fmt: skip
