"""Which `:name` of a query is a bind: properties over SQL put together of every kind of part."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.dialects import postgresql

from sensors.warehouse import WarehouseError
from sensors.warehouse.alchemy_binds import bound, split

NAMES = st.sampled_from(["a", "window_start", "Least", "_x9"])
HOSTILE = st.text(st.sampled_from(":;aб'\"\\%$-/*() \n`1"), max_size=12)
TEXTS = HOSTILE.map(lambda text: "'" + text.replace("'", "''") + "'")
QUOTED = HOSTILE.map(lambda text: '"' + text.replace('"', '""') + '"')
COMMENTS = HOSTILE.map(lambda text: "/* " + text.replace("*/", "").replace("/*", "") + " */")
PLAIN = st.sampled_from(
    ["x", "a::int", "arr[1:2]", "7 % 4", "(1)", "+ 2", "$$:no;$$", "$t$ :no $t$", "-- :no; '\n"]
)


@st.composite
def queries(draw: Any) -> tuple[str, frozenset[str]]:
    """A query, and the binds that it names."""
    names: set[str] = set()
    parts = ["SELECT"]
    for _ in range(draw(st.integers(0, 8))):
        if draw(st.booleans()):
            names.add(name := draw(NAMES))
            parts.append(f":{name}")
        else:
            parts.append(draw(st.one_of(TEXTS, QUOTED, COMMENTS, PLAIN)))
    return " ".join(parts), frozenset(names)


@given(queries())
def test_the_binds_are_those_outside_texts_names_and_comments(made: tuple[str, frozenset[str]]) -> None:
    sql, names = made
    assert split(sql, backslashes=False)[1] == names


@given(queries())
def test_what_is_sent_is_the_query_with_its_binds_as_the_driver_takes_them(
    made: tuple[str, frozenset[str]],
) -> None:
    sql, names = made
    statement = bound(sql, dict.fromkeys(names, 1), backslashes=False)
    sent = str(statement.compile(dialect=postgresql.psycopg.dialect()))
    assert sent % {name: f":{name}" for name in names} == sql


@given(queries(), st.sampled_from(["SELECT 1", "x", ":a", "DROP TABLE t", "''"]))
def test_a_second_statement_is_refused_wherever_it_stands(
    made: tuple[str, frozenset[str]], more: str
) -> None:
    with pytest.raises(WarehouseError, match="only one SELECT may be run"):
        split(f"{made[0]} ; {more}", backslashes=False)


def test_a_backslash_keeps_the_quote_where_the_dialect_says_so() -> None:
    assert split(r"SELECT 'it\'s :no' || :yes", backslashes=True)[1] == {"yes"}
    assert split(r"SELECT 'it\' || :yes", backslashes=False)[1] == {"yes"}
