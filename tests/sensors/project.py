"""A small project of files and the tables that it reads, for tests to copy and to break."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from sensors.catalog import Loaded, load

FILES = {
    "policies/_teams.yml": """
payments:
  channel: C0PAYMENTS
  review_channel: C0PAYMENTSREVIEW
  members:
    ana: {slack: U0ANA, roles: [responder, lead]}
    bo: {slack: U0BO}
  rotation: {members: [ana, bo], length: 7d, anchor: 2026-01-05T09:00:00}
  ladder:
    critical: [{to: oncall}, {after: 5m, to: team}, {after: 10m, to: lead}]
""",
    "policies/_jobs.yml": """
hold_payouts:
  title: Hold payouts
  kind: sql
  owner: payments
  url: ${PATROL_OPS_URL}
  statement: INSERT INTO payout_holds (seller_id, reason) VALUES (:seller_id, :reason)
  params:
    seller_id: {pattern: 's_\\d+'}
    reason: {default: held from an alert}
""",
    "policies/_assets.yml": """
core.chat_messages:
  owner: payments
  columns: {message_id: text, seller_id: text, author_id: text, body: text, sent_at: timestamp}
  loaded_until: sent_at
  load_interval: 1m
  freshness: {late_after: 1h}
core.sellers: {owner: payments, columns: {seller_id: varchar, display_name: varchar}}
""",
    "policies/_entities.yml": """
seller: {column: seller_id, link: 'https://admin.example.com/sellers/{id}', pattern: 's_\\d+'}
""",
    "policies/_violations.yml": """
off_platform: {title: Payment outside the platform, what: Somebody asks to be paid elsewhere.}
""",
    "sql/_macros/text.sql": """
{% macro mentions_handle(column) %}({{ column }} ILIKE '%paypal%' OR {{ column }} LIKE '%@%'){% endmacro %}
""",
    "policies/payments/off_platform.yml": """title: Seller steers buyers to pay off platform
violation: off_platform
owner: payments
schedule: {every: 5m}
window: {column: sent_at, lookback: 15m}
needs: {core.chat_messages: wait, core.sellers: run}
key: [seller_id]
row_key: [message_id]
threshold: {count: 3, within: 24h}
severity: {medium: 3, high: 6}
alert:
  title: "{{ seller_name }} asked {{ count }} times to be paid elsewhere"
  fields: [seller_name, body]
  columns: {body: mask}
offer: [hold_payouts]
""",
    "sql/payments/off_platform.sql": """-- One row per message in which a seller offers a way to pay outside.
SELECT m.message_id, m.seller_id, s.display_name AS seller_name, m.body, m.sent_at
FROM {{ table('core.chat_messages') }} m
JOIN {{ table('core.sellers') }} s USING (seller_id)
WHERE {{ in_window('m.sent_at') }} AND m.author_id = m.seller_id AND {{ mentions_handle('m.body') }}
""",
}
POLICY = "policies/payments/off_platform.yml"
SQL = "sql/payments/off_platform.sql"
NAME = "payments.off_platform"


@dataclass
class Project:
    """A folder with policies/ and sql/."""

    path: Path

    def write(self, file: str, text: str) -> None:
        target = self.path / file
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")

    def read(self, file: str) -> str:
        return (self.path / file).read_text(encoding="utf-8")

    def change(self, file: str, before: str, after: str) -> None:
        text = self.read(file)
        assert before in text, f"{before!r} is not in {file}"
        self.write(file, text.replace(before, after, 1))

    def load(self, **options: Any) -> Loaded:
        return load(self.path, **options)

    def said(self) -> list[str]:
        """Every problem as it is printed."""
        return [str(problem) for problem in self.load().problems]


def fill(path: Path, *statements: str) -> None:
    """Runs statements on a DuckDB file and lets it go."""
    with duckdb.connect(str(path)) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        for statement in statements:
            connection.execute(statement)


MARKET = (
    "CREATE SCHEMA core",
    """CREATE TABLE core.sellers AS
       SELECT 's_' || i AS seller_id, 'Seller ' || i AS display_name FROM range(3) t(i)""",
    # A message a minute through the first of January; every second one names a handle.
    """CREATE TABLE core.chat_messages AS
       SELECT 'm' || i AS message_id, 's_' || (i % 3) AS seller_id, 's_' || (i % 3) AS author_id,
              CASE WHEN i % 2 = 0 THEN 'use PayPal' ELSE 'nice card' END AS body,
              TIMESTAMP '2026-01-01 00:00:00' + to_minutes(i) AS sent_at
       FROM range(1440) t(i)""",
)
