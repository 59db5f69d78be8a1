"""Functions that DuckDB has under the same name with other values: written so that they give Snowflake's."""

from __future__ import annotations

import sqlglot
from sqlglot import exp

# DuckDB 2.0.0 counts bytes (2.0.1 letters), which is right where each letter is one. Else row after row of
# the usual table of distances, of the code points of both: exact, and some hundred times slower.
LETTERS = "list_filter(string_split({0}, ''), lambda __c: __c <> '')"
CODES = f"list_transform({LETTERS}, lambda __c: CAST(unicode(__c) AS BIGINT))"
EDITDISTANCE = """
CASE
  WHEN strlen(__one) = length(__one) AND strlen(__two) = length(__two) THEN levenshtein(__one, __two)
  WHEN __one IS NOT NULL AND __two IS NOT NULL THEN list_last(list_reduce(
    list_transform({ones}, lambda __code: [__code]),
    lambda __above, __code: list_reduce(
      list_transform(range(1, length(__two) + 1), lambda __at: [__at]),
      lambda __row, __at: list_append(__row, least(
        __above[__at[1] + 1] + 1, __row[__at[1]] + 1,
        __above[__at[1]] + CASE WHEN __code[1] = ({twos})[__at[1]] THEN 0 ELSE 1 END)),
      [__above[1] + 1]),
    range(0, length(__two) + 1)))
END
"""


def edit_distance(node: exp.Levenshtein) -> exp.Expr:
    """In letters, as Snowflake and Postgres count it; `max_dist` bounds what is given."""
    text = EDITDISTANCE.format(ones=CODES.format("__one"), twos=CODES.format("__two"))
    distance = sqlglot.parse_one(text, read="duckdb")
    given = {"__one": node.this, "__two": node.expression}
    for place in list(distance.find_all(exp.Column)):
        if place.name in given:
            place.replace(exp.paren(given[place.name].copy()))
    most = node.args.get("max_dist")
    if most is None:
        return distance
    return (
        exp.case()
        .when(exp.GT(this=distance, expression=exp.paren(most.copy())), most.copy())
        .else_(distance.copy())
    )
