"""Which queries may be looked at in larger windows: only where that surely finds the same rows."""

from __future__ import annotations

import pytest

from sensors.sql.alone import rows_stand_alone

W = "(m.t >= :window_start AND m.t < :window_end)"


@pytest.mark.parametrize(
    "sql",
    [
        f"SELECT m.a, m.t FROM x m JOIN y USING (a) WHERE {W} AND m.b LIKE '%x%'",
        f"SELECT m.* FROM x m WHERE {W}",
        f"SELECT t FROM x m WHERE {W}",
        f"WITH z AS (SELECT a, COUNT(*) n FROM y GROUP BY a) SELECT m.t FROM x m JOIN z USING (a) WHERE {W}",
        f"SELECT m.t, (SELECT MAX(q) FROM y) AS q FROM x m WHERE {W}",
        f"SELECT m.t, f.value FROM x m, LATERAL FLATTEN(input => m.l) f WHERE {W}",
    ],
)
def test_rows_that_are_only_filtered_stand_alone(sql: str) -> None:
    assert rows_stand_alone(sql, "snowflake", "t")


@pytest.mark.parametrize(
    "sql",
    [
        f"SELECT a, MAX(t) AS t FROM x m WHERE {W} GROUP BY a",
        f"SELECT MAX(m.t) AS t FROM x m WHERE {W}",
        f"SELECT DISTINCT t FROM x m WHERE {W}",
        f"SELECT t, ROW_NUMBER() OVER (ORDER BY t) FROM x m WHERE {W}",
        f"SELECT t FROM x m WHERE {W} QUALIFY ROW_NUMBER() OVER (ORDER BY t) < 3",
        f"SELECT t FROM x m WHERE {W} ORDER BY t LIMIT 3",
        f"SELECT t FROM x m WHERE {W} OR a = 1",
        f"SELECT t FROM x m WHERE NOT {W}",
        f"SELECT t FROM x m WHERE {W} AND m.d < :window_end",
        f"SELECT t FROM x m WHERE {W} UNION SELECT t FROM y",
        f"WITH z AS (SELECT t FROM x m WHERE {W}) SELECT t FROM z",
        f"SELECT y.t FROM y WHERE y.a IN (SELECT a FROM x m WHERE {W})",
        f"SELECT m.a FROM x m WHERE {W}",  # it does not say when
        f"SELECT m.a AS t FROM x m WHERE {W}",  # nor here
        f"SELECT y.t FROM x m JOIN y USING (a) WHERE {W}",  # another time
        "SELECT t FROM x",
        "no SQL at all (",
    ],
)
def test_rows_that_depend_on_their_window_do_not(sql: str) -> None:
    assert not rows_stand_alone(sql, "snowflake", "t")
