"""What analysts write as a matter of course: `check` finds nothing in it, neither a mistake nor a warning."""
# ruff: noqa: E501 - a table reads by its rows

from __future__ import annotations

from sensors.compiled import compiled
from tests.sensors.project import Project

TRAILING = "window: {trailing: 1d, column: made, baseline: 28d}\n"
DAYS = "window: {trailing: 7d, column: day}\n"
EVENTS = "window: {lookback: 1h, column: made}\n"
PAST = " AND NOT EXISTS (SELECT 1 FROM {{ table('shop.orders') }} p WHERE p.buyer_id = o.buyer_id AND {{ in_baseline('p.made') }})"
ASSETS = """
shop.orders: {owner: payments, loaded_until: made, columns: {
  order_id: varchar, buyer_id: varchar, status: varchar, amount: "decimal(12,2)", made: timestamp, day: date, loaded_at: timestamp}}
shop.buyers: {owner: payments, load_interval: 1d, columns: {buyer_id: varchar, name: varchar, made: timestamp}}
shop.refunds: {owner: payments, loaded_until: made, columns: {refund_id: varchar, order_id: varchar, amount: "decimal(12,2)", made: timestamp}}
"""
SENSIBLE = {
    # Counted or grouped by, an amount, a day or an hour may well be what an alert is about.
    "amount_thrice": ("key: [buyer_id, amount]\nrow_key: [order_id]\nthreshold: {count: 3, within: 1h}\n" + EVENTS,
        "SELECT order_id, buyer_id, amount, made FROM {{ table('shop.orders') }} WHERE {{ in_window('made') }}"),
    "amount_grouped": ("key: [buyer_id, amount]\n" + TRAILING.replace(", baseline: 28d", ""),
        "SELECT buyer_id, amount, COUNT(*) AS n FROM {{ table('shop.orders') }} WHERE {{ in_window('made') }} GROUP BY buyer_id, amount HAVING n > 2"),
    "amount_grouped_within": ("key: [buyer_id, amount]\n" + TRAILING.replace(", baseline: 28d", ""),
        "WITH same AS (SELECT buyer_id, amount, COUNT(*) AS n FROM {{ table('shop.orders') }} WHERE {{ in_window('made') }} GROUP BY buyer_id, amount)\nSELECT buyer_id, amount, n FROM same WHERE n > 2"),
    "hours": ("key: [made]\n" + TRAILING.replace(", baseline: 28d", ""),
        "SELECT DATE_TRUNC('hour', made) AS made, COUNT(*) AS n FROM {{ table('shop.orders') }} WHERE {{ in_window('made') }} GROUP BY 1 HAVING n > 2"),
    "days": ("key: [buyer_id, day]\n" + DAYS,
        "SELECT buyer_id, day, amount FROM {{ table('shop.orders') }} WHERE {{ in_window('day') }}"),
    # What the OR lets in is bounded beside it, or is the other window.
    "or_beside": (TRAILING.replace(", baseline: 28d", ""),
        "SELECT o.order_id, o.buyer_id, o.made FROM {{ table('shop.orders') }} o LEFT JOIN {{ table('shop.refunds') }} r USING (order_id)\nWHERE {{ in_window('o.made') }} AND (r.made IS NULL OR {{ in_window('r.made') }})"),
    "or_before": (TRAILING,
        "SELECT buyer_id, COUNT_IF({{ in_window('made') }}) AS n, COUNT_IF({{ in_baseline('made') }}) AS past FROM {{ table('shop.orders') }}\nWHERE {{ in_window('made') }} OR {{ in_baseline('made') }} GROUP BY 1 HAVING n > past"),
    "first_of_a_buyer": (TRAILING, "SELECT o.buyer_id, o.made FROM {{ table('shop.orders') }} o WHERE {{ in_window('o.made') }}" + PAST),
    # One event of several rows.
    "order_of_lines": ("row_key: [order_id]\n" + EVENTS,
        "SELECT o.order_id, ANY_VALUE(o.buyer_id) AS buyer_id, MAX(o.made) AS made, SUM(r.amount) AS back FROM {{ table('shop.orders') }} o JOIN {{ table('shop.refunds') }} r USING (order_id) WHERE {{ in_window('o.made') }} GROUP BY o.order_id"),
    # A table that is only joined is loaded by the day, and has a column of the window's name.
    "joined": (EVENTS, "SELECT o.order_id, o.buyer_id, b.name, o.made FROM {{ table('shop.orders') }} o JOIN {{ table('shop.buyers') }} b USING (buyer_id) WHERE {{ in_window('o.made') }}"),
    # Bounded by the time of arrival, by a partition's day, or by whoever reads from it, as dbt's people write.
    "arrived": ("window: {column: loaded_at, lookback: 5m}\n",
        "SELECT order_id, buyer_id, made, loaded_at FROM {{ table('shop.orders') }} WHERE {{ in_window('loaded_at') }}"),
    "partition": (TRAILING.replace(", baseline: 28d", ""),
        "WITH past AS (SELECT buyer_id, COUNT(*) AS n FROM {{ table('shop.orders') }} WHERE day >= DATEADD('day', -28, :window_end)::date GROUP BY 1)\nSELECT o.buyer_id, o.made, past.n FROM {{ table('shop.orders') }} o JOIN past USING (buyer_id) WHERE {{ in_window('o.made') }}"),
    "imports": (TRAILING.replace(", baseline: 28d", ""),
        "WITH orders AS (SELECT * FROM {{ table('shop.orders') }}), last_day AS (SELECT buyer_id, amount FROM orders WHERE {{ in_window('made') }})\nSELECT buyer_id, SUM(amount) AS spent FROM last_day GROUP BY buyer_id"),
    # Columns that a PIVOT gives.
    "pivoted": ("alert: {fields: [paid, back]}\n" + TRAILING.replace(", baseline: 28d", ""),
        "SELECT * FROM (SELECT buyer_id, status, order_id FROM {{ table('shop.orders') }} WHERE {{ in_window('made') }})\nPIVOT (COUNT(order_id) FOR status IN ('paid', 'refunded')) AS p (buyer_id, paid, back) WHERE back > paid"),
}  # fmt: skip


def test_nothing_is_said_of_what_is_written_as_a_matter_of_course(project: Project) -> None:
    project.write("policies/_assets.yml", project.read("policies/_assets.yml") + ASSETS)
    for name, (yaml, sql) in SENSIBLE.items():
        key = "" if "key: [" in yaml.replace("row_key", "") else "key: [buyer_id]\n"
        head = "title: T\nowner: payments\nseverity: high\nschedule: {every: 5m}\n" + key
        project.write(f"policies/shop/{name}.yml", head + yaml)
        project.write(f"sql/shop/{name}.sql", sql)
    loaded = project.load()
    found = [*loaded.problems, *compiled(loaded, demanded=True)]
    assert [str(one) for one in found if "shop/" in one.path] == []
