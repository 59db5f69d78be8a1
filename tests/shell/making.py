"""A small world for the shell's tests: files, a warehouse that grows, a store, and a clock moved by hand."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from uuid import uuid4

import duckdb

from bot.core.alert import Alert, Lane
from bot.core.plan import last_due
from bot.deliver import Deliverer
from bot.desk.desk import Desk
from bot.engine.asked import Ticked
from bot.engine.engine import Engine
from bot.project import Project
from bot.sandbox import Sandbox
from bot.slack.client import SlackClient
from bot.starting import Starting
from bot.store import Store
from bot.view import View
from sensors.model.bundle import Bundle
from sensors.model.run import Cause, CauseKind
from sensors.reading import HERE, Reader
from sensors.warehouse import Warehouse, connect

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
SECOND, MINUTE, HOUR, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)

ELSEWHERE = """
title: Seller steers buyers to pay elsewhere
owner: payments
severity: {medium: 1, high: 4}
schedule: {every: 1m}
window: {column: sent_at, lookback: 5m}
key: [seller_id]
row_key: [message_id]
alert: {title: "{{ seller_id }} asked {{ count }} times", fields: [body]}
offer: [hold_payouts]
"""
ELSEWHERE_SQL = """-- One row per message that asks to be paid elsewhere.
SELECT message_id, seller_id, body, sent_at
FROM {{ table('core.chat') }}
WHERE {{ in_window('sent_at') }} AND body ILIKE '%pay me%'
"""
HELD = """
title: Held seller is live
owner: payments
severity: high
schedule: {every: 1m}
key: [seller_id]
clear: always
alert: {title: "{{ seller_id }} is held"}
"""
HELD_SQL = """-- One row per seller who is held.
SELECT seller_id FROM {{ table('core.sellers') }} WHERE held
"""
BESIDE_ITS_PAST = ELSEWHERE.replace("lookback: 5m", "trailing: 1h, baseline: 3d")
BESIDE_ITS_PAST_SQL = """-- One row per message of the hour, where the days before had fewer than two.
SELECT message_id, seller_id, body, sent_at FROM {{ table('core.chat') }}
WHERE {{ in_window('sent_at') }}
  AND 2 > (SELECT COUNT(*) FROM {{ table('core.chat') }} b WHERE {{ in_baseline('b.sent_at') }})
"""
FILES = {
    "patrol.yml": "workers: 2\n",
    "policies/_teams.yml": """
payments:
  channel: C0PAYMENTS
  review_channel: C0PAYMENTSREVIEW
  members:
    ana: {slack: U0ANA, roles: [responder, lead]}
    bo: {slack: U0BO}
    cy: {slack: U0CY}
  rotation: {members: [bo, cy], length: 7d, anchor: 2026-01-05T09:00:00, timezone: UTC}
  acknowledged_for: 4h
""",
    "policies/_assets.yml": """
core.chat: {owner: payments, loaded_until: sent_at, load_interval: 1m,
  columns: {message_id: varchar, seller_id: varchar, body: varchar, sent_at: timestamp}}
core.sellers: {owner: payments, columns: {seller_id: varchar, held: boolean}}
""",
    "policies/_entities.yml": """
seller: {column: seller_id, link: "https://admin.example.com/sellers/{id}", pattern: "s_[0-9]+"}
""",
    "policies/_jobs.yml": """
hold_payouts:
  title: Hold payouts
  kind: http
  owner: payments
  timeout: 30s
  method: POST
  url: "http://127.0.0.1:9/hold/{seller_id}"
  params: {seller_id: {pattern: "s_\\\\d+"}}
  undo: press Release in the admin site
""",
    "policies/payments/elsewhere.yml": ELSEWHERE,
    "sql/payments/elsewhere.sql": ELSEWHERE_SQL,
    "policies/payments/held.yml": HELD,
    "sql/payments/held.sql": HELD_SQL,
}


class Clock:
    """Says what it is told. Real threads may read it."""

    def __init__(self, at: datetime = NOON) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at

    def on(self, span: timedelta) -> datetime:
        self.at += span
        return self.at


@cache
def _publisher() -> duckdb.DuckDBPyConnection:
    """Where all tables are before they are published: another DuckDB would take 15 ms to begin."""
    return duckdb.connect()


class Table:
    """A DuckDB file that is written anew under a new name at each change, as a publisher would."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True)
        self._db = _publisher().cursor()
        self._name = f"market_{uuid4().hex[:12]}"
        self._db.execute(f"ATTACH ':memory:' AS {self._name}")
        self._db.execute(f"USE {self._name}")
        self._version = 0
        self._rows = 0
        self._db.execute("CREATE SCHEMA core")
        chat = "message_id VARCHAR, seller_id VARCHAR, body VARCHAR, sent_at TIMESTAMP"
        self._db.execute(f"CREATE TABLE core.chat ({chat})")
        self._db.execute("CREATE TABLE core.sellers (seller_id VARCHAR, held BOOLEAN)")
        self.publish()

    @property
    def url(self) -> str:
        return f"duckdb:///{self.folder}"

    def says(
        self, seller: str | None, at: datetime, body: str = "pay me on cash app", times: int = 1
    ) -> None:
        """Messages arrive."""
        rows = [
            (f"m_{self._rows + n}", seller, body, at.astimezone(UTC).replace(tzinfo=None))
            for n in range(1, times + 1)
        ]
        self._rows += times
        self._db.executemany("INSERT INTO core.chat VALUES (?, ?, ?, ?)", rows)
        self.publish()

    def does(self, sql: str) -> None:
        self._db.execute(sql)
        self.publish()

    def publish(self) -> None:
        self._version += 1
        name = f"market-{self._version:06d}.duckdb"
        path = self.folder / name
        self._db.execute(f"ATTACH '{path}' AS {self._name}_published")
        self._db.execute(f"COPY FROM DATABASE {self._name} TO {self._name}_published")
        self._db.execute(f"DETACH {self._name}_published")
        self._point(name)

    def breaks(self) -> None:
        """The newest version is no database."""
        self._version += 1
        name = f"market-{self._version:06d}.duckdb"
        (self.folder / name).write_text("this is no database, whatever its name says")
        self._point(name)

    def _point(self, name: str) -> None:
        (self.folder / "CURRENT.new").write_text(name + "\n")
        (self.folder / "CURRENT.new").replace(self.folder / "CURRENT")

    def close(self) -> None:
        self._db.close()
        _publisher().execute(f"DETACH {self._name}")


@dataclass
class Node:
    """One process's worth of Patrol, without threads: everything is called by hand."""

    store: Store
    engine: Engine
    view: View
    starting: Starting
    desk: Desk
    clock: Clock
    warehouse: Warehouse
    slack: SlackClient | None = None
    deliverer: Deliverer | None = None

    def tick(self, name: str = "payments.elsewhere", due: datetime | None = None) -> Ticked:
        """The tick that is due now."""
        policy = self.engine.catalog.policies[name]
        at = due or last_due(policy.schedule, self.clock())
        assert at is not None
        return self.engine.tick(name, Cause(CauseKind.tick, at.isoformat()), at)

    def tick_whole(self, name: str = "payments.elsewhere") -> int:
        """As the schedule does: part after part, while only a part fits. How many there were."""
        policy, after, parts = self.engine.catalog.policies[name], None, 0
        at = last_due(policy.schedule, self.clock())
        assert at is not None
        while True:
            cause = Cause(CauseKind.tick, f"{at.isoformat()}+{parts}")
            ticked = self.engine.tick(name, cause, at, after=after)
            parts += 1
            if not ticked.goes_on or not ticked.looked:
                return parts
            after = ticked.looked.window.end

    def next_tick(self, name: str = "payments.elsewhere", after: timedelta = MINUTE) -> Ticked:
        self.clock.on(after)
        return self.tick(name)

    def take_over(self) -> int:
        """Looks again at what the dead have left, as the schedule does. How many runs that were."""
        dead = self.engine.dead()
        for run in dead:
            self.engine.take_over(run)
        return len(dead)

    def alerts(self, policy: str | None = None) -> list[Alert]:
        """Open ones, by id."""
        return sorted(self.store.alerts.open(policy=policy), key=lambda a: a.id)

    def alert(self, alert_id: int) -> Alert:
        found = self.store.alerts.get(alert_id)
        assert found is not None
        return found

    def broken(self) -> list[Alert]:
        return self.alerts("patrol.broken_sensor")

    def kinds(self, alert_id: int) -> list[str]:
        """What has happened to the alert, in order."""
        return [event.kind for event in self.store.alerts.history(alert_id)]

    def held(self, policy: str, key: str) -> Alert | None:
        return self.store.alerts.held(policy, Lane.live, keys=[key], resolved_since=NOON).get(key)

    def deliver(self, rounds: int = 30, each: timedelta = timedelta(milliseconds=500)) -> None:
        """Lets time go on while what waits is sent."""
        assert self.deliverer
        for _ in range(rounds):
            self.deliverer.once()
            self.clock.on(each)


@dataclass
class World:
    """The files, the warehouse, the database and the Slack that nodes share."""

    folder: Path
    url: str
    clock: Clock
    table: Table
    sandbox: Sandbox | None = None
    nodes: list[Node] = field(default_factory=list)
    bundles: tuple[Bundle, ...] = ()
    may_be_wrong: bool = False  # its files, at the start of a node

    @property
    def project(self) -> Path:
        return self.folder / "project"

    def write(self, name: str, text: str) -> None:
        path = self.project / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def node(self, *, reader: Reader = HERE, **options: Any) -> Node:
        """Another process on the same store."""
        store = Store(self.url)
        # one for all: two would be in one process, where DuckDB lets a file be opened and locked only once
        warehouse = self.nodes[0].warehouse if self.nodes else connect(self.table.url)
        project = Project(self.project, store, bundles=self.bundles, reader=reader)
        engine = Engine(store, warehouse, project, self.clock)
        engine.reload()
        assert self.may_be_wrong or not engine.catalog.errors, engine.catalog.errors
        view = View(store, project, self.clock)
        starting = Starting(engine, **options)
        made = Node(store, engine, view, starting, Desk(engine, view, starting), self.clock, warehouse)
        if self.sandbox:
            made.slack = SlackClient(self.sandbox.bot_token, self.sandbox.api, timeout_s=2)
            made.deliverer = Deliverer(store, view, made.slack, self.clock)
        self.nodes.append(made)
        return made

    def close(self) -> None:
        for node in self.nodes:
            node.starting.close()
            node.warehouse.close()
            node.store.close()
        self.table.close()
