"""Columns that declared tables do not have are found; where anything may be there, nothing is said."""
# ruff: noqa: E501 - a table reads by its rows

from __future__ import annotations

import pytest

from sensors.sql.lineage import prove

SCHEMA = {
    "core.orders": {
        "order_id": "varchar",
        "buyer_id": "varchar",
        "amount": "number",
        "created_at": "timestamp",
    },
    "core.buyers": {"buyer_id": "varchar", "name": "varchar"},
}

RIGHT = [
    "SELECT o.AMOUNT, O.order_id FROM core.orders o",
    "SELECT amount * 2 AS twice FROM core.orders WHERE twice > 3 ORDER BY twice",
    "SELECT anything, t.thing FROM core.undeclared t",
    "SELECT anything FROM core.orders JOIN core.undeclared USING (buyer_id)",
    "SELECT o.amount FROM core.orders o WHERE EXISTS (SELECT 1 FROM core.buyers b WHERE b.buyer_id = o.buyer_id AND amount > 3)",
    "WITH x AS (SELECT *, amount AS a FROM core.orders) SELECT a, order_id FROM x",
    "WITH x(one, two) AS (SELECT order_id, amount FROM core.orders) SELECT x.one, two FROM x",
    "WITH x AS (SELECT o.* EXCLUDE (amount) FROM core.orders o) SELECT x.whatever FROM x",
    "WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < 3) SELECT i FROM n",
    "SELECT y.amount FROM (SELECT amount FROM core.orders UNION ALL SELECT 1) y ORDER BY amount",
    "SELECT amount FROM core.orders UNION ALL SELECT name FROM core.buyers ORDER BY amount",
    "SELECT f.value, f.index FROM core.orders o, LATERAL FLATTEN(input => SPLIT(o.order_id, '_')) f",
    "SELECT amount FROM core.orders o, LATERAL (SELECT b.name AS n FROM core.buyers b WHERE b.buyer_id = o.buyer_id) l WHERE n > 'a'",
    "SELECT DATEDIFF(hour, created_at, :window_end), DATEADD('day', 1, created_at) FROM core.orders",
    "SELECT o.buyer_id, ROW_NUMBER() OVER (PARTITION BY o.buyer_id ORDER BY o.amount) AS r FROM core.orders o QUALIFY r = 1",
    "SELECT p.* FROM core.orders PIVOT (SUM(amount) FOR buyer_id IN ('a', 'b')) p",
    "SELECT buyer_id, name FROM core.orders JOIN core.buyers USING (buyer_id)",
    "SELECT core.orders.amount FROM core.orders",
    "SELECT orders.amount FROM core.orders",
    "SELECT (SELECT MAX(b.name) FROM core.buyers b WHERE b.buyer_id = o.buyer_id) AS n FROM core.orders o",
    "SELECT t.a FROM (VALUES (1)) AS t(a)",
    "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3) SELECT i FROM n",
    "SELECT a FROM (SELECT buyer_id, amount FROM core.orders) PIVOT (SUM(amount) FOR buyer_id IN ('x')) AS p (a)",
]
WRONG = [
    ("SELECT 1 FROM core.orders o WHERE o.amnt > 3", "core.orders has no column amnt; did you mean amount?"),
    ("SELECT 1 FROM core.orders WHERE amnt > 3", "no table that is read here has a column amnt; did you mean amount?"),
    ("WITH x AS (SELECT amount AS a FROM core.orders) SELECT x.amount FROM x", "x has no column amount"),
    ("SELECT 1 FROM core.orders o JOIN core.buyers b ON b.buyerid = o.buyer_id", "core.buyers has no column buyerid; did you mean buyer_id?"),
    ("SELECT 1 FROM core.orders o WHERE EXISTS (SELECT 1 FROM core.buyers b WHERE b.buyer_id = o.buyer)", "core.orders has no column buyer; did you mean buyer_id?"),
    ("SELECT 1 FROM core.orders o WHERE o.buyer_id IN (SELECT buyer FROM core.buyers)", "no table that is read here has a column buyer; did you mean buyer_id?"),
    ("SELECT y.nam FROM (SELECT * FROM core.buyers) y", "y has no column nam; did you mean name?"),
    ("SELECT amount FROM core.orders UNION ALL SELECT b.nam FROM core.buyers b", "core.buyers has no column nam; did you mean name?"),
    ("WITH a AS (SELECT nme FROM core.buyers) SELECT o.amount FROM core.orders o JOIN a ON TRUE", "no table that is read here has a column nme; did you mean name?"),
]  # fmt: skip


@pytest.mark.parametrize("sql", RIGHT)
def test_nothing_is_said_of_what_is_there_or_may_be(sql: str) -> None:
    assert prove(sql, "snowflake", SCHEMA).unknown == ()


@pytest.mark.parametrize(("sql", "what"), WRONG)
def test_a_column_that_is_not_there_is_named_once(sql: str, what: str) -> None:
    assert [flaw.what for flaw in prove(sql, "snowflake", SCHEMA).unknown] == [what]


def test_nothing_is_said_where_no_columns_are_declared() -> None:
    assert prove("SELECT amnt FROM core.orders", "snowflake").unknown == ()
