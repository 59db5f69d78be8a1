"""EDITDISTANCE carried to DuckDB counts letters, whatever they are made of."""

from __future__ import annotations

import duckdb
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sensors.model.policy import Query
from sensors.warehouse.dialect import native

WORDS = st.text(alphabet="abßüé日🎴'\u0301", max_size=8) | st.text(max_size=5).filter(lambda t: "\0" not in t)


def distance(one: str, two: str) -> int:
    """Insertions, deletions and changes of one letter each, at the least."""
    row = list(range(len(two) + 1))
    for letter in one:
        above, row = row, [row[0] + 1]
        for at, other in enumerate(two):
            row.append(min(above[at + 1] + 1, row[at] + 1, above[at] + (letter != other)))
    return row[-1]


@settings(max_examples=12)  # each makes a database, and asks of many pairs
@given(st.lists(st.tuples(WORDS, WORDS), min_size=20, max_size=60), st.integers(0, 4))
@example([("", "ü"), ("ü", ""), ("", ""), ("grün", "gruen"), ("kitten", "sitting")], 2)
def test_each_letter_counts_once(pairs: list[tuple[str, str]], most: int) -> None:
    sql = f"SELECT EDITDISTANCE(code, c) AS a, EDITDISTANCE(code, c, {most}) AS b FROM t ORDER BY n"
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE t (n INT, code VARCHAR, c VARCHAR)")
        connection.executemany("INSERT INTO t VALUES (?, ?, ?)", [[n, *pair] for n, pair in enumerate(pairs)])
        rows = connection.execute(native(Query(sql, "snowflake", "", ("t",)), "duckdb")).fetchall()
    assert rows == [(distance(*pair), min(distance(*pair), most)) for pair in pairs]


def test_nothing_is_at_no_distance() -> None:
    sql = native(
        Query("SELECT EDITDISTANCE(NULL, 'ü') AS a, EDITDISTANCE('ü', NULL, 1) AS b", "snowflake", "", ()),
        "duckdb",
    )
    with duckdb.connect() as connection:
        assert connection.execute(sql).fetchall() == [(None, None)]
