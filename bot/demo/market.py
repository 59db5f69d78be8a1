"""The marketplace as a whole: its working database, its beat, and what it has planted.

The working file is thrown away at every start: what counts is the version last published, so that nothing
can be half written. One process holds a folder at a time.
"""

from __future__ import annotations

import fcntl
import json
import random
import shutil
import threading
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb

from bot.demo import holds, passage, publish
from bot.demo.life import Life
from bot.demo.scene import Planted, Scene
from bot.demo.schema import Batch, create, naive
from bot.demo.tables import KEEP
from bot.demo.trouble import KINDS
from bot.demo.world import World, remembered

SELLERS, BUYERS = 90, 700
HISTORY = timedelta(days=4)
BUSY = timedelta(hours=2)  # the part of the history that is nearly as busy as the present
SPARSE, NEARLY, FULL = 0.04, 0.6, 1.0  # density of life
AWAY = timedelta(minutes=2)  # a longer pause is filled as history
TRIM_EVERY = timedelta(minutes=10)
BLOCK = 16_384  # bytes: small tables, and the file is copied at every beat
TRUTH = "truth.jsonl"
SPARED = {"core.sellers": "AND seller_id NOT IN (SELECT seller_id FROM core.shows WHERE status = 'live')"}
FIRST_HOUR, TROUBLE_EVERY, LATER_EVERY = timedelta(hours=1), (60, 90), (180, 300)  # seconds
# What stands already when the demo opens, and how many minutes ago it happened.
AT_FIRST = {
    "off_platform_payment": 4,
    "prohibited_item": 26,
    "harassment": 12,
    "signup_burst": 3,
    "refund_spike": 9,
    "expired_verification_live": 5,
    "stolen_photos": 41,
    "card_testing": 17,
    "tracking_reused": 21,
    "coupon_ring": 14,
}


class FolderInUse(RuntimeError):
    """Another process runs a marketplace in this folder: end it, or name another folder."""


class Market:
    """A marketplace in a folder. `now` is always given: the clock is moved by whoever holds it."""

    def __init__(
        self, folder: Path | str, seed: int, now: datetime, *, fresh: bool = False, calm: bool = False
    ) -> None:
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self._lock = threading.RLock()
        self._hold_folder()
        self.calm = calm
        self._rewritten = 0
        self._untold: list[Planted] = []
        self._batch = Batch()
        self._open(seed, now, fresh)
        self._started = self._trimmed = now
        self._deck: list[str] = []
        self._next_trouble = now + timedelta(seconds=self._rng.uniform(20, 40))
        self._publish()

    def beat(self, now: datetime) -> None:
        """Life goes on until `now`, with new trouble where it is time for some, and is published."""
        with self._lock:
            self._live_until(now)
            if not self.calm and now >= self._next_trouble:
                self._plant(self._draw(), now)
                self._next_trouble = now + timedelta(seconds=self._pause(now))
            self._settle(now)
            if now - self._trimmed >= TRIM_EVERY:
                self._trim(now)
            self._publish()

    def plant(self, kind: str, now: datetime) -> dict[str, Any]:
        """Trouble of a kind (a policy's short name) at `now`, published at once; its entry of the truth."""
        with self._lock:
            self._live_until(now)
            planted = self._plant(kind, now)
            self._settle(now)
            self._publish()
            return entry(planted)

    def read(self, sql: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """What the market holds now: for the admin site."""
        with self._lock:
            return self._db.execute(sql, list(values)).fetchall()

    def close(self) -> None:
        with self._lock, suppress(duckdb.Error):
            self._db.close()
            self._held.close()

    # opening

    def _hold_folder(self) -> None:
        self._held = (self.folder / "market.lock").open("w")
        try:
            fcntl.flock(self._held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._held.close()
            raise FolderInUse(f"another marketplace runs in {self.folder}: end it first") from error

    def _open(self, seed: int, now: datetime, fresh: bool) -> None:
        published = None if fresh else publish.current(self.folder)
        if published:
            self._rng = random.Random(f"{seed} {published.name}")
            self._db = self._working(published)
            self.world = remembered(self._db)
            self._life = Life(self.world, self._batch, self._rng)
            self._resume(now)
        else:
            self._rng = random.Random(seed)
            self._db = self._working(None)
            self.world = World()
            self._life = Life(self.world, self._batch, self._rng)
            self._begin(now)

    def _working(self, published: Path | None) -> duckdb.DuckDBPyConnection:
        for left in self.folder.glob("work_*.duckdb*"):
            left.unlink()
        self._path = self._new_path()
        if published:
            shutil.copyfile(published, self._path)
        return connect(self._path)

    def _new_path(self) -> Path:
        self._rewritten += 1
        return self.folder / f"work_{self._rewritten}.duckdb"

    def _begin(self, now: datetime) -> None:
        for left in (publish.POINTER, TRUTH):
            (self.folder / left).unlink(missing_ok=True)
        holds.prepare(self.folder, fresh=True)
        create(self._db)
        start = now - HISTORY
        self._life.begin(start, SELLERS, BUYERS)
        self._life.go_on(start, now - BUSY, density=SPARSE, step=timedelta(minutes=5))
        self._life.go_on(now - BUSY, now, density=NEARLY, step=timedelta(minutes=1))
        self._until = now
        self._batch.write(self._db)
        passage.hours(self._db, now, all_of_it=True)
        if not self.calm:
            for kind, minutes in AT_FIRST.items():
                self._plant(kind, now - timedelta(minutes=minutes))
        self._settle(now)

    def _resume(self, now: datetime) -> None:
        holds.prepare(self.folder, fresh=False)
        row = self._db.execute(
            "SELECT greatest((SELECT max(sent_at) FROM core.chat_messages), "
            "(SELECT max(created_at) FROM core.orders))"
        ).fetchone()
        self._until = max(row[0].replace(tzinfo=UTC) if row and row[0] else now, now - HISTORY)
        self._live_until(now)
        self._settle(now)
        self._retell()

    # living

    def _live_until(self, now: datetime) -> None:
        if now <= self._until:
            return
        if now - self._until > AWAY:
            recent = max(self._until, now - BUSY / 4)
            self._life.go_on(self._until, recent, density=SPARSE, step=timedelta(minutes=5))
            self._life.go_on(recent, now, density=NEARLY, step=timedelta(minutes=1))
            self._batch.write(self._db)
            passage.hours(self._db, now, all_of_it=True)
        else:
            self._life.go_on(self._until, now, density=FULL, step=timedelta(minutes=1))
        self._until = now

    def _settle(self, now: datetime) -> None:
        """What is new is written, and time does what it does to the rest."""
        self._batch.write(self._db)
        passage.moment(self._db, now, holds.held(self.folder))

    # trouble

    def _draw(self) -> str:
        """The kinds in turn, shuffled, so that none is missing for long."""
        if not self._deck:
            self._deck = self._rng.sample(list(KINDS), len(KINDS))
        return self._deck.pop()

    def _pause(self, now: datetime) -> float:
        return self._rng.uniform(*(TROUBLE_EVERY if now - self._started < FIRST_HOUR else LATER_EVERY))

    def _plant(self, kind: str, at: datetime) -> Planted:
        scene = Scene(self._life, self._rng, at, self._change)
        planted = KINDS[kind](scene)
        self._batch.add(
            "market.planted",
            planted_at=planted.at,
            policy=planted.policy,
            key=json.dumps(planted.key),
            row_ids=json.dumps(planted.rows),
            ends_at=planted.ends_at,
        )
        self._untold.append(planted)
        return planted

    def _change(self, sql: str, values: list[object]) -> None:
        self._batch.write(self._db)
        self._db.execute(sql, [naive(v) if isinstance(v, datetime) else v for v in values])

    # publishing

    def _publish(self) -> None:
        self._db.execute("CHECKPOINT")
        publish.publish(self.folder, self._path)
        self._tell()

    def _tell(self) -> None:
        """What was planted goes into truth.jsonl only when it can be found."""
        with (self.folder / TRUTH).open("a") as out:
            out.writelines(json.dumps(entry(planted)) + "\n" for planted in self._untold)
        self._untold = []

    def _retell(self) -> None:
        """The truth written anew from the tables: a kill may have come between publishing and telling."""
        rows = self._db.execute(
            "SELECT planted_at, policy, key, row_ids FROM market.planted ORDER BY planted_at"
        ).fetchall()
        lines = [
            json.dumps(
                entry(Planted(at.replace(tzinfo=UTC), policy, json.loads(key), tuple(json.loads(ids))))
            )
            for at, policy, key, ids in rows
        ]
        fresh = self.folder / f"{TRUTH}.new"
        fresh.write_text("".join(line + "\n" for line in lines))
        fresh.replace(self.folder / TRUTH)

    # keeping small

    def _trim(self, now: datetime) -> None:
        """Parcels arrive, old rows go, and the working file is written anew without their holes."""
        self._trimmed = now
        passage.hours(self._db, now)
        for table, (column, most) in KEEP.items():
            self._db.execute(
                f"DELETE FROM {table} WHERE {column} < (SELECT min({column}) FROM "
                f"(SELECT {column} FROM {table} ORDER BY {column} DESC LIMIT {most})) {SPARED.get(table, '')}"
            )
        self.world.forget(self._ids("core.sellers", "seller_id"), self._ids("core.buyers", "buyer_id"))
        self._rewrite()

    def _ids(self, table: str, column: str) -> set[str]:
        return {row[0] for row in self._db.execute(f"SELECT {column} FROM {table}").fetchall()}

    def _rewrite(self) -> None:
        old, new = self._path, self._new_path()
        self._db.execute(f"ATTACH '{new}' AS fresh")
        self._db.execute(f"COPY FROM DATABASE {old.stem} TO fresh")
        self._db.execute("DETACH fresh")
        self._db.close()
        self._db, self._path = connect(new), new
        old.unlink(missing_ok=True)


def entry(planted: Planted) -> dict[str, Any]:
    """A line of truth.jsonl."""
    return {
        "at": planted.at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "policy": planted.policy,
        "key": dict(planted.key),
        "rows": list(planted.rows),
    }


def connect(path: Path) -> duckdb.DuckDBPyConnection:
    return duckdb.connect(str(path), config={"threads": 1, "default_block_size": BLOCK})
