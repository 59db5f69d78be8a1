"""The town under chaos: a project with policies of every kind, a warehouse that grows, and the planted truth.

Holds what was planted and when it was published; knows neither Slack nor the processes.
"""

from __future__ import annotations

import os
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb

from bot.demo.publish import POINTER, current, publish

POLICIES = ("exact", "elsewhere", "within", "trailing", "held", "flicker")
ADD_UP = ("exact", "elsewhere", "within")  # incremental: their rows are events
ROW_BY_ROW = ("exact", "elsewhere")  # every row of theirs is evidence, once
NEEDED = {"within": 3, "trailing": 2}  # rows before it is a violation
REACH = timedelta(minutes=8)  # how late a late row may be: within the lookback
CHAT = "message_id VARCHAR, seller_id VARCHAR, body VARCHAR, sent_at TIMESTAMP"
MOST_CONDITIONS = 40  # of each kind: conditions stand for ever and are looked at whole each time

TEAMS = """
watch:
  channel: C0EXACT
  review_channel: C0EXACT
  members:
    ana: {slack: U0ANA, roles: [responder, lead]}
    bo: {slack: U0BO, roles: [responder]}
    cy: {slack: U0CY, roles: [responder]}
  rotation: {members: [ana, bo], length: 7d, anchor: 2026-01-05T09:00:00, timezone: UTC}
  ladder:
    high: [{to: oncall}, {after: 20s, to: team}]
"""
ASSETS = """
core.chat: {owner: watch, loaded_until: sent_at, load_interval: 1m,
  columns: {message_id: varchar, seller_id: varchar, body: varchar, sent_at: timestamp}}
core.holds: {owner: watch, columns: {seller_id: varchar, kind: varchar}}
"""
POLICY = """
title: Chaos looks for {name}
owner: watch
severity: {severity}
schedule: {{every: {every}}}
window: {window}
key: [seller_id]
max_alerts: 1000
channel: C0{channel}
alert: {{title: "{{{{ seller_id }}}} was planted for {name}, {{{{ count }}}} times"}}
{more}
"""
MORE = {
    "exact": ("high", "1s", "{column: sent_at}", "row_key: [message_id]"),
    "elsewhere": (
        "{medium: 1, high: 4}",
        "1s",
        "{column: sent_at, lookback: 10m}",
        "row_key: [message_id]",
    ),
    "within": (
        "medium",
        "1s",
        "{column: sent_at}",
        "row_key: [message_id]\nthreshold: {count: 3, within: 10m}",
    ),
    "trailing": (
        "medium",
        "2s",
        "{trailing: 6h, column: sent_at}",
        "row_key: [message_id]\nthreshold: {count: 2}",
    ),
    "held": ("low", "2s", "none", "clear: never"),
    "flicker": ("low", "2s", "none", "clear: always"),
}
MESSAGES = """-- One row per message that was planted for this policy.
SELECT message_id, seller_id, body, sent_at
FROM {{{{ table('core.chat') }}}}
WHERE {{{{ in_window('sent_at') }}}} AND body = 'planted {name}'
"""
HOLDS = """-- One row per hold that was planted for this policy.
SELECT seller_id FROM {{{{ table('core.holds') }}}} WHERE kind = '{name}'
"""


def write_project(folder: Path) -> None:
    """The files of a project that watches for all that is planted."""
    files = {"patrol.yml": "workers: 2\n", "policies/_teams.yml": TEAMS, "policies/_assets.yml": ASSETS}
    for name in POLICIES:
        severity, every, window, more = MORE[name]
        files[f"policies/chaos/{name}.yml"] = POLICY.format(
            name=name, severity=severity, every=every, window=window, more=more, channel=name.upper()
        )
        sql = MESSAGES if window != "none" else HOLDS
        files[f"sql/chaos/{name}.sql"] = sql.format(name=name)
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)


@dataclass
class Truth:
    """What must be there in the end. `rows` are by policy, each with its key."""

    keys: Counter[str] = field(default_factory=Counter)
    rows: dict[str, dict[str, str]] = field(default_factory=lambda: {name: {} for name in ROW_BY_ROW})
    last_row: datetime | None = None
    last_published: datetime | None = None

    @property
    def planted(self) -> int:
        return sum(self.keys.values())


Row = tuple[str, str, str, datetime]  # message_id, seller_id, body, sent_at


class Warehouse:
    """The growing warehouse. Safe from several threads; each call publishes one version of it."""

    def __init__(self, folder: Path, dice: random.Random) -> None:
        self.folder = folder / "market"
        self.folder.mkdir(parents=True)
        self.truth = Truth()
        self._working = folder / "working.duckdb"
        self._dice = dice
        self._lock = threading.Lock()
        self._numbers: Counter[str] = Counter()
        self._half: list[tuple[str, str, int]] = []  # policy, key, rows still missing
        self._off: set[str] = set()  # flickering conditions that are absent now
        with duckdb.connect(str(self._working)) as c:
            c.execute("CREATE SCHEMA core")
            c.execute(f"CREATE TABLE core.chat ({CHAT})")
            c.execute("CREATE TABLE core.holds (seller_id VARCHAR, kind VARCHAR)")
        self._publish([self._row("nobody", "hello")])

    # ------------------------------------------------------------------- planting

    def grow(self, more: bool) -> None:
        """Ordinary rows, and where there may be `more`, violations: new keys, more rows of known ones, halves
        of others."""
        plant: dict[str, Callable[[str], Iterable[Row]]] = {
            "exact": self._events,
            "elsewhere": self._events,
            "within": self._begin,
            "trailing": self._begin,
            "held": self._hold,
            "flicker": self._hold,
        }
        with self._lock:
            rows = [self._row("nobody", "hello") for _ in range(self._dice.randint(1, 4))]
            name = self._dice.choice(("exact", "exact", "elsewhere", "elsewhere", *POLICIES))
            if more and (name in ADD_UP or self._numbers[name] < MOST_CONDITIONS):
                rows += plant[name](self._new_key(name))
            rows += self._complete() if self._dice.random() < 0.5 else ()
            if self._dice.random() < 0.3:
                self._flicker()
            self._publish(rows)

    def finish(self) -> None:
        """Completes what was begun, and loads one last ordinary row so that all before it is looked at."""
        with self._lock:
            rows: list[Row] = []
            while self._half:
                rows += self._complete()
            for key in sorted(self._off):
                self._put_back(key)
            self._publish(rows)
            time.sleep(0.01)
            self._publish([self._row("nobody", "goodbye")])

    def _new_key(self, name: str) -> str:
        self._numbers[name] += 1
        return f"{name}_{self._numbers[name]}"

    def _row(self, key: str, body: str, late: bool = False) -> Row:
        self._numbers["row"] += 1
        behind = REACH * self._dice.random() if late else timedelta()
        return f"m_{self._numbers['row']}", key, body, datetime.now(UTC).replace(tzinfo=None) - behind

    def _planted(self, name: str, key: str, late: bool = False) -> Row:
        row = self._row(key, f"planted {name}", late)
        if name in ROW_BY_ROW:
            self.truth.rows[name][row[0]] = key
        return row

    def _events(self, key: str) -> Iterator[Row]:
        """A new key; where the policy looks back, sometimes late, and sometimes more of an earlier one."""
        name = key.partition("_")[0]
        looks_back = name == "elsewhere"
        self.truth.keys[key] = 1
        yield self._planted(name, key, late=looks_back and self._dice.random() < 0.3)
        if self._numbers[name] > 1 and self._dice.random() < 0.3:
            earlier = f"{name}_{self._dice.randint(1, self._numbers[name] - 1)}"
            for _ in range(self._dice.randint(1, 4)):
                yield self._planted(name, earlier, late=looks_back and self._dice.random() < 0.3)

    def _begin(self, key: str) -> Iterator[Row]:
        """The first row of a key that needs several; some never get enough."""
        name = key.partition("_")[0]
        if self._dice.random() < 0.3:
            for _ in range(NEEDED[name] - 1):
                yield self._planted(name, key)
            return
        self._half.append((name, key, NEEDED[name] - 1))
        yield self._planted(name, key)

    def _complete(self) -> Iterator[Row]:
        """One more row of a key that was begun."""
        if not self._half:
            return
        name, key, missing = self._half.pop(self._dice.randrange(len(self._half)))
        yield self._planted(name, key)
        if missing > 1:
            self._half.append((name, key, missing - 1))
        else:
            self.truth.keys[key] = 1

    def _hold(self, key: str) -> tuple[Row, ...]:
        self.truth.keys[key] = 1
        self._sql("INSERT INTO core.holds VALUES (?, ?)", key, key.partition("_")[0])
        return ()

    def _flicker(self) -> None:
        """A condition goes away, or one that has gone comes back."""
        if self._off and self._dice.random() < 0.5:
            self._put_back(self._dice.choice(sorted(self._off)))
        elif self._numbers["flicker"]:
            key = f"flicker_{self._dice.randint(1, self._numbers['flicker'])}"
            if key not in self._off:
                self._off.add(key)
                self._sql("DELETE FROM core.holds WHERE seller_id = ?", key)

    def _put_back(self, key: str) -> None:
        self._off.discard(key)
        self._sql("INSERT INTO core.holds VALUES (?, 'flicker')", key)

    def _sql(self, statement: str, *values: str) -> None:
        with duckdb.connect(str(self._working)) as c:
            c.execute(statement, list(values))

    def _publish(self, rows: list[Row]) -> None:
        if rows:
            with duckdb.connect(str(self._working)) as c:
                c.executemany("INSERT INTO core.chat VALUES (?, ?, ?, ?)", [list(row) for row in rows])
            newest = max(row[3] for row in rows).replace(tzinfo=UTC)
            self.truth.last_row = max(newest, self.truth.last_row or newest)
        publish(self.folder, self._working)
        self.truth.last_published = datetime.now(UTC)

    # -------------------------------------------------------------------- trouble

    @contextmanager
    def without_pointer(self) -> Iterator[None]:
        """For a moment nothing says which file is the present one."""
        with self._lock, self._pointer_kept():
            (self.folder / POINTER).unlink()
            yield

    @contextmanager
    def broken_file(self) -> Iterator[None]:
        """For a moment the present file is none that DuckDB can read."""
        with self._lock, self._pointer_kept():
            broken = self.folder / "broken.duckdb"
            broken.write_bytes(b"this is no database\n" * 400)
            self._point_at(broken.name)
            yield

    @contextmanager
    def _pointer_kept(self) -> Iterator[None]:
        now = current(self.folder)
        assert now
        try:
            yield
        finally:
            self._point_at(now.name)

    def _point_at(self, name: str) -> None:
        fresh = self.folder / f"{POINTER}.other"
        fresh.write_text(name + "\n")
        os.replace(fresh, self.folder / POINTER)
