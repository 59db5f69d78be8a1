"""Statements that run, each in a thread of its own: aborted, timed out, and remembered with their tags."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Any

import duckdb

from bot.demo.snowflake.refusals import CANCELLED, Refusal, refusal, timed_out

KEPT, ANSWERS = 20_000, 500  # statements that are remembered, and of how many the result


@dataclass(frozen=True)
class Answer:
    """A result: the `data` of its first answer, and of each further chunk how many rows, and the rows."""

    head: Mapping[str, Any]
    chunks: tuple[tuple[int, bytes], ...] = ()


class Execution:
    """One statement. `work` runs it and gives its result; `stop` interrupts it from outside."""

    def __init__(self, sql: str, tag: str, user: str, role: str = "", schema: str = "") -> None:
        self.id = str(uuid.uuid4())
        self.sql = sql
        self.tag = tag
        self.user = user
        self.role = role
        self.schema = schema
        self.warehouse: str | None = None  # that runs it
        self.status = "RUNNING"
        self.started = datetime.now(UTC)
        self.ended: datetime | None = None
        self.answer: Answer | None = None
        self.refused: Refusal | None = None
        self.over = threading.Event()
        self.stopping: Refusal | None = None  # why it is being stopped
        self._stop: Callable[[], object] = lambda: None
        self._lock = threading.Lock()

    def run(self, work: Callable[[], Answer], stop: Callable[[], object], seconds: float) -> None:
        """The whole of it, in this thread; `seconds` is STATEMENT_TIMEOUT_IN_SECONDS, 0 for none."""
        self._stop = stop
        timer = threading.Timer(seconds, self.cancel, [timed_out(seconds)]) if seconds else None
        if timer:
            timer.daemon = True
            timer.start()
        try:
            if self.stopping:
                raise duckdb.InterruptException("stopped before it began")
            self.answer = work()
            self._end("SUCCESS", None)
        except Exception as error:
            self._end("FAILED_WITH_ERROR", self.stopping or refusal(error))
        finally:
            if timer:
                timer.cancel()

    def cancel(self, why: Refusal = CANCELLED) -> bool:
        """Stops it, again and again until it has ended; False where it had ended already."""
        with self._lock:
            if self.over.is_set():
                return False
            self.stopping = self.stopping or why
        while not self.over.is_set():
            self._stop()
            self.over.wait(0.02)
        return True

    def _end(self, status: str, refused: Refusal | None) -> None:
        with self._lock:
            self.status, self.refused, self.ended = status, refused, datetime.now(UTC)
            self.over.set()

    @property
    def told(self) -> dict[str, Any]:
        """Its line in the history."""
        return {
            "query_id": self.id,
            "query_text": self.sql,
            "query_tag": self.tag,
            "user_name": self.user,
            "role_name": self.role,
            "schema_name": self.schema,
            "warehouse_name": self.warehouse,
            "execution_status": self.status,
            "error_code": f"{self.refused.code:06d}" if self.refused else None,
            "error_message": self.refused.said if self.refused else None,
            "start_time": self.started.isoformat(),
            "end_time": self.ended.isoformat() if self.ended else None,
        }


class Executions:
    """All of them, newest last."""

    def __init__(self) -> None:
        self._all: dict[str, Execution] = {}
        self._lock = threading.Lock()

    def add(self, one: Execution) -> None:
        with self._lock:
            self._all[one.id] = one
            while len(self._all) > KEPT:
                self._all.pop(next(iter(self._all)))
            for old in islice(reversed(self._all.values()), ANSWERS, ANSWERS + 1):
                old.answer = None

    def get(self, query_id: str) -> Execution | None:
        return self._all.get(query_id)

    def history(self) -> list[dict[str, Any]]:
        with self._lock:
            return [one.told for one in self._all.values()]
