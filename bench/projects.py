"""Projects as large as wanted and as varied as real ones: for timing what reads files. Nothing runs them."""

# ruff: noqa: E501 - rows and tables are one line each

from __future__ import annotations

import sys
from pathlib import Path

TEAMS = 20
TABLES = """
core.sellers: {owner: team0, load_interval: 1h, columns: {seller_id: varchar, name: varchar, country: varchar, joined_at: timestamp}}
core.orders: {owner: team1, loaded_until: created_at, load_interval: 1m, freshness: {late_after: 1h}, columns: {order_id: varchar, seller_id: varchar, buyer_id: varchar, amount: "decimal(12,2)", status: varchar, created_at: timestamp}}
core.refunds: {owner: team2, loaded_until: refunded_at, load_interval: 1m, freshness: {late_after: 1h}, columns: {refund_id: varchar, order_id: varchar, seller_id: varchar, amount: "decimal(12,2)", reason: varchar, refunded_at: timestamp}}
core.messages: {owner: team3, loaded_until: sent_at, load_interval: 1m, freshness: {late_after: 1h}, columns: {message_id: varchar, seller_id: varchar, author_id: varchar, body: varchar, sent_at: timestamp}}
"""
JOBS = "hold: {title: Hold, kind: sql, owner: team0, url: 'sqlite:///ops.db', statement: 'SELECT :seller_id', params: {seller_id: {}}}\n"
MACROS = """{% macro says(column, words) -%}
REGEXP_LIKE(LOWER({{ column }}), '.*({{ words }}).*', 's')
{%- endmacro %}
"""

# The shapes that recur: words of a message, a count of events, a sum of a window, a rate against a baseline,
# duplicates, and a condition of the world as it is.
SHAPES = {
    "words": (
        """title: "Somebody writes word {n}"
owner: {team}
severity: {{low: 2, high: 5}}
schedule: {{every: 1m}}
window: {{column: sent_at, lookback: 15m}}
needs: {{core.messages: wait, core.sellers: run}}
key: [seller_id]
row_key: [message_id]
threshold: {{count: 2, within: 6h}}
alert:
  title: "{{{{ name }}}} wrote it {{{{ count }}}} times"
  fields: [name, body, sent_at]
  columns: {{body: mask}}
offer: [hold]
cases:
  - name: it fires
    at: 2026-01-05T12:00:00Z
    given:
      core.messages: [{{message_id: m1, seller_id: s_1, author_id: s_1, body: a word{n} here, sent_at: 2026-01-05T11:55:00Z, repeat: 2}}]
      core.sellers: [{{seller_id: s_1, name: Dee, country: c{n}, joined_at: 2026-01-05T08:00:00Z}}]
    expect: [{{seller_id: s_1, severity: low}}]
  - {{name: all is quiet, at: 2026-01-05T12:00:00Z, given: {{core.messages: []}}, expect: []}}
""",
        """-- One row per message with word {n}.
SELECT m.message_id, m.seller_id, s.name, m.body, m.sent_at
FROM {{{{ table('core.messages') }}}} m
JOIN {{{{ table('core.sellers') }}}} s ON s.seller_id = m.seller_id
WHERE {{{{ in_window('m.sent_at') }}}}
  AND {{{{ says('m.body', 'word{n}|thing{n}') }}}}
  AND m.author_id = m.seller_id
""",
    ),
    "events": (
        """title: "Small orders {n}"
owner: {team}
severity: {{high: 6, critical: 15}}
schedule: {{every: 1m}}
window: {{column: created_at, lookback: 10m}}
key: [buyer_id]
row_key: [order_id]
threshold: {{count: 6, within: 30m}}
params: {{least: {n}}}
alert: {{title: "{{{{ buyer_id }}}} placed {{{{ count }}}} orders", fields: [amount, status]}}
cases:
  - name: it fires
    at: 2026-01-05T12:00:00Z
    given:
      core.orders: [{{order_id: o1, buyer_id: b_1, amount: 0.5, status: paid, created_at: 2026-01-05T11:55:00Z, repeat: 6}}]
    expect: [{{buyer_id: b_1, severity: high}}]
  - {{name: all is quiet, at: 2026-01-05T12:00:00Z, given: {{core.orders: []}}, expect: []}}
""",
        """-- One row per order below a bound.
SELECT o.order_id, o.buyer_id, o.amount, o.status, o.created_at
FROM {{{{ table('core.orders') }}}} o
WHERE {{{{ in_window('o.created_at') }}}} AND o.amount < :least AND o.status <> 'declined{n}'
""",
    ),
    "sum": (
        """title: "Sudden sales {n}"
owner: {team}
severity: {{by: revenue, medium: 1500, high: 4000}}
schedule: {{every: 5m}}
window: {{trailing: 1h, column: created_at}}
key: [seller_id]
row_key: [seller_id]
clear: if_unacked
alert: {{title: "{{{{ name }}}} sold for {{{{ revenue }}}}", fields: [name, orders, revenue]}}
cases:
  - name: it fires
    at: 2026-01-05T12:00:00Z
    given:
      core.orders: [{{order_id: o1, seller_id: s_1, buyer_id: b_1, amount: 2500, created_at: 2026-01-05T11:55:00Z}}]
      core.sellers: [{{seller_id: s_1, name: Dee, country: c{n}, joined_at: 2026-01-05T08:00:00Z}}]
    expect: [{{seller_id: s_1, severity: medium}}]
  - {{name: all is quiet, at: 2026-01-05T12:00:00Z, given: {{core.orders: []}}, expect: []}}
""",
        """-- One row per young seller with high sales.
SELECT o.seller_id, MAX(s.name) AS name, COUNT(*) AS orders, COUNT(DISTINCT o.buyer_id) AS buyers,
       DATEDIFF('hour', MAX(s.joined_at), MAX(o.created_at)) AS age_hours, SUM(o.amount) AS revenue
FROM {{{{ table('core.orders') }}}} o
JOIN {{{{ table('core.sellers') }}}} s ON s.seller_id = o.seller_id
WHERE {{{{ in_window('o.created_at') }}}} AND s.joined_at > DATEADD('day', -{n}, o.created_at)
GROUP BY o.seller_id
HAVING SUM(o.amount) >= {n}
""",
    ),
    "rate": (
        """title: "Refunds far above the usual {n}"
owner: {team}
severity: {{by: refunds, medium: 7, high: 12}}
schedule: {{cron: "*/10 * * * *"}}
window: {{trailing: 2h, column: refunded_at, baseline: 3d}}
needs: {{core.refunds: wait, core.sellers: run}}
key: [seller_id]
row_key: [seller_id]
clear: always
alert: {{title: "{{{{ name }}}}: {{{{ refunds }}}} refunds", fields: [name, refunds, usual]}}
cases:
  - name: it fires
    at: 2026-01-05T12:00:00Z
    given:
      core.refunds: [{{refund_id: r1, seller_id: s_1, amount: 5, refunded_at: 2026-01-05T11:30:00Z, repeat: 12}}]
      core.sellers: [{{seller_id: s_1, name: Dee, country: c{n}, joined_at: 2026-01-05T08:00:00Z}}]
    expect: [{{seller_id: s_1, severity: high}}]
  - {{name: all is quiet, at: 2026-01-05T12:00:00Z, given: {{core.refunds: []}}, expect: []}}
""",
        """-- One row per seller who refunded more than usual {n}.
WITH recent AS (
    SELECT r.seller_id, COUNT(*) AS refunds FROM {{{{ table('core.refunds') }}}} r
    WHERE {{{{ in_window('r.refunded_at') }}}} GROUP BY r.seller_id
), before AS (
    SELECT r.seller_id, COUNT(*) / 36.0 AS usual FROM {{{{ table('core.refunds') }}}} r
    WHERE {{{{ in_baseline('r.refunded_at') }}}} GROUP BY r.seller_id
)
SELECT n.seller_id, s.name, n.refunds, ROUND(COALESCE(b.usual, 0), 1) AS usual
FROM recent n
JOIN {{{{ table('core.sellers') }}}} s ON s.seller_id = n.seller_id
LEFT JOIN before b ON b.seller_id = n.seller_id
WHERE n.refunds >= {least} AND n.refunds >= 4 * COALESCE(b.usual, 0)
""",
    ),
    "twins": (
        """title: "One text from many {n}"
owner: {team}
severity: {{by: authors, medium: 6, high: 12}}
schedule: {{every: 2m}}
window: {{trailing: 10m, column: sent_at}}
key: [body]
row_key: [body]
clear: always
alert: {{title: "{{{{ authors }}}} accounts write the same", fields: [authors, messages]}}
cases:
  - name: it fires
    at: 2026-01-05T12:00:00Z
    given:
      core.messages: [{{message_id: m1, seller_id: s_1, author_id: a_1, body: the very same text of more than thirty letters, sent_at: 2026-01-05T11:55:00Z, repeat: 12}}]
    expect: [{{severity: high}}]
  - {{name: all is quiet, at: 2026-01-05T12:00:00Z, given: {{core.messages: []}}, expect: []}}
""",
        """-- One row per text that many accounts wrote {n}.
SELECT m.body, COUNT(*) AS messages, COUNT(DISTINCT m.message_id) AS authors
FROM {{{{ table('core.messages') }}}} m
WHERE {{{{ in_window('m.sent_at') }}}} AND LENGTH(m.body) >= 30
GROUP BY m.body
HAVING COUNT(DISTINCT m.message_id) >= {least}
QUALIFY ROW_NUMBER() OVER (PARTITION BY m.body ORDER BY messages DESC) = 1
""",
    ),
    "state": (
        """title: "Young sellers of country {n}"
owner: {team}
severity: medium
schedule: {{every: 1h}}
key: [seller_id]
row_key: [seller_id]
clear: always
alert: {{title: "{{{{ name }}}} of {{{{ country }}}}", fields: [name, country]}}
cases:
  - name: it fires
    at: 2026-01-05T12:00:00Z
    given:
      core.sellers: [{{seller_id: s_1, name: Dee, country: c{n}, joined_at: 2026-01-05T08:00:00Z}}]
    expect: [{{seller_id: s_1, severity: medium}}]
  - {{name: all is quiet, at: 2026-01-05T12:00:00Z, given: {{core.sellers: []}}, expect: []}}
""",
        """-- One row per seller, as the seller is now.
SELECT s.seller_id, UPPER(s.name) AS name, s.country
FROM {{{{ table('core.sellers') }}}} s
WHERE s.country = 'c{n}' AND s.joined_at > DATEADD('day', -7, :window_end)
""",
    ),
}


def write(folder: Path, policies: int, *, dialect: str = "snowflake") -> None:
    """A project without a mistake: `policies` of the six shapes in turn, each with SQL of its own."""
    teams = "".join(
        f"team{n}: {{channel: C0TEAM{n}, review_channel: C0REVIEW{n}, members: {{ana: {{slack: U0ANA}}}}}}\n"
        for n in range(TEAMS)
    )
    files = {
        "patrol.yml": f"dialect: {dialect}\nwarehouse_url: duckdb:///warehouse.duckdb\n",
        "policies/_teams.yml": teams,
        "policies/_assets.yml": TABLES,
        "policies/_jobs.yml": JOBS,
        "sql/_macros/words.sql": MACROS,
    }
    shapes = list(SHAPES.items())
    for n in range(policies):
        name, (yaml, sql) = shapes[n % len(shapes)]
        team = f"team{n % TEAMS}"
        files[f"policies/{team}/{name}_{n}.yml"] = yaml.format(n=n + 1, team=team)
        files[f"sql/{team}/{name}_{n}.sql"] = sql.format(n=n + 1, least=2 + n % 9)
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)


if __name__ == "__main__":
    write(Path(sys.argv[1]), int(sys.argv[2]))
