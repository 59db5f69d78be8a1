"""A policy that is to be scored does not read its label, by whatever name the label might come."""

from __future__ import annotations

import pytest

from sensors.sql.labels import why_it_may_read


def why(sql: str, dialect: str = "duckdb") -> str:
    return why_it_may_read(sql, dialect, "main.messages", "is_spam")


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT m.a FROM main.messages m WHERE m.t >= :window_start",
        "SELECT COUNT(*) FROM messages m GROUP BY m.a",
        "SELECT a FROM main.messages UNION ALL SELECT a FROM y",
        "SELECT 'is_spam' AS word FROM main.messages",
        "WITH z AS (SELECT a FROM main.messages) SELECT z.a FROM z",
    ],
)
def test_queries_that_name_their_columns_are_let_through(sql: str) -> None:
    assert why(sql) == ""


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("SELECT m.is_spam FROM main.messages m", "names is_spam"),
        ('SELECT m."IS_SPAM" FROM main.messages m', "names is_spam"),
        ("SELECT a FROM main.messages WHERE is_spam", "names is_spam"),
        ("SELECT a FROM main.messages ORDER BY is_spam", "names is_spam"),
        ("SELECT a FROM messages JOIN y USING (is_spam)", "names is_spam"),
        ("SELECT * FROM main.messages", "star"),
        ("SELECT m.* EXCLUDE (a) FROM messages m", "star"),
        ("SELECT COLUMNS('is_.*') FROM messages", "star"),
        ("SELECT x.b FROM (SELECT * FROM messages) AS x(a, b)", "star"),
        ("WITH m AS (FROM messages) SELECT a FROM m", "star"),
        ("SELECT x.b FROM messages AS x(a, b)", "other names"),
        ("SELECT m FROM messages m", "whole row"),
        ("SELECT to_json(messages) FROM main.messages", "whole row"),
        ("SELECT a FROM messages NATURAL JOIN y", "NATURAL JOIN"),
        ("SELECT a FROM messages PIVOT(MAX(b) FOR is_spam IN (1, 2))", "names is_spam"),
        ("this is (no SQL", "cannot be read"),
    ],
)
def test_every_way_to_the_label_is_refused(sql: str, said: str) -> None:
    assert said in why(sql)


def test_a_whole_row_as_an_object_is_refused() -> None:
    assert "star" in why("SELECT OBJECT_CONSTRUCT(*) FROM messages", "snowflake")
