"""Trouble on every side, one after another: Slack's answers and sockets, the warehouse's file, the store."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg

from bench.chaos_town import Warehouse
from bot.sandbox import Sandbox
from bot.store.database import Database

LATE_S = 12.0  # by which a request that seemed lost mostly has landed: within a message's lease
LATEST_S = 45.0  # and by which at the latest: after it was sent again
POSTS_LOST = {"method": "chat.postMessage", "fault": "store_then_drop", "every": 9}
METHODS = (
    *("chat.postMessage", "chat.postMessage", "chat.postMessage", "chat.update"),
    *("conversations.*", "chat.*", "users.info", "chat.delete", "*"),
)
FAULTS = (
    *("429", "500", "503", "slow", "reset", "drop"),
    *("store_then_drop", "store_then_500", "drop_then_store_late"),
)


class Trouble(threading.Thread):
    """One kind of trouble after another, chosen by the dice. `end` leaves everything mended."""

    def __init__(
        self, slack: Sandbox, warehouse: Warehouse, store_url: str, dice: random.Random, latest_s: float
    ) -> None:
        super().__init__(name="trouble", daemon=True)
        self.latest_s = latest_s
        self.made: Counter[str] = Counter()  # beside Slack's answers, which its journal counts
        self._slack = slack
        self._warehouse = warehouse
        self._store_url = store_url
        self._dice = dice
        self._ending = threading.Event()

    def run(self) -> None:
        self._slack.faults(POSTS_LOST, seed=self._dice.randint(1, 10**6))
        kinds: dict[str, tuple[int, Callable[[], None]]] = {
            "weather": (8, self._weather),
            "sockets cut": (1, lambda: self._count("sockets cut", self._slack.cut_sockets)),
            "sockets refreshed": (1, lambda: self._count("sockets refreshed", self._refresh)),
            "warehouse without its pointer": (1, self._without_pointer),
            "warehouse broken": (1, self._broken_file),
            "store locked": (1, self._lock),
        }
        names, weights = list(kinds), [weight for weight, _ in kinds.values()]
        while not self._ending.wait(self._dice.uniform(0.2, 2)):
            kinds[self._dice.choices(names, weights)[0]][1]()

    def end(self) -> None:
        self._ending.set()
        self.join(30)
        self._slack.no_faults()

    def _count(self, what: str, do: Callable[[], Any]) -> None:
        do()
        self.made[what] += 1

    # --------------------------------------------------------------------- Slack

    def _weather(self) -> None:
        """One to three kinds of bad answers for some seconds; those that lose posts never end."""
        rules = [self._rule() for _ in range(self._dice.randint(1, 3))]
        self._slack.faults(*rules, POSTS_LOST, clear=True)
        self._ending.wait(self._dice.uniform(1, 5))
        self._slack.faults(POSTS_LOST, clear=True)

    def _rule(self) -> dict[str, Any]:
        fault = self._dice.choice(FAULTS)
        seconds = self._dice.uniform(0.5, LATE_S if fault == "drop_then_store_late" else 3)
        if self._dice.random() < 0.2:  # longer than anybody waits for an answer
            seconds = LATE_S if fault == "slow" else self._dice.uniform(LATE_S, self.latest_s)
        rule = {"method": self._dice.choice(METHODS), "fault": fault, "seconds": seconds}
        return {**rule, "retry_after": 1, "probability": self._dice.uniform(0.15, 0.7)}

    def _refresh(self) -> None:
        self._slack.refresh_sockets(self._dice.choice((True, "all", "warning")))

    # ----------------------------------------------------------------- warehouse

    def _without_pointer(self) -> None:
        with self._warehouse.without_pointer():
            self._count("warehouse without its pointer", lambda: time.sleep(self._dice.uniform(0.3, 2)))

    def _broken_file(self) -> None:
        with self._warehouse.broken_file():
            self._count("warehouse broken", lambda: time.sleep(self._dice.uniform(0.3, 2)))

    # --------------------------------------------------------------------- store

    def _lock(self) -> None:
        """Another writer holds the store for a second; on Postgres sometimes all sessions are ended."""
        if self._store_url.startswith("sqlite"):
            if Path(self._store_url.removeprefix("sqlite:///")).exists():
                self._lock_file()
        elif self._dice.random() < 0.4:
            self._count("store's sessions ended", self._end_sessions)
        else:
            self._lock_tables()

    def _lock_file(self) -> None:
        database = Database(self._store_url)
        try:
            with database.engine.connect() as c:
                c.exec_driver_sql("BEGIN IMMEDIATE")
                self._count("store locked", lambda: time.sleep(self._dice.uniform(0.3, 1.5)))
                c.exec_driver_sql("ROLLBACK")
        finally:
            database.close()

    def _lock_tables(self) -> None:
        with psycopg.connect(self._store_url) as c:
            if c.execute("SELECT to_regclass('alerts')").fetchone() == (None,):
                return
            c.execute("SET lock_timeout = '2s'")
            try:
                c.execute("LOCK TABLE runs, alerts, messages IN ACCESS EXCLUSIVE MODE")
            except psycopg.Error:
                return
            self._count("store locked", lambda: time.sleep(self._dice.uniform(0.3, 1.5)))

    def _end_sessions(self) -> None:
        with psycopg.connect(self._store_url, autocommit=True) as c:
            c.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
