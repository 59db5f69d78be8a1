"""One look at the warehouse: why, over which window, and what came of it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sensors.model.policy import Policy
from sensors.model.violation import FoundRow, Violation
from sensors.model.window import Window


class RunStatus(StrEnum):
    waiting = "waiting"  # for data that are late: it has not begun
    running = "running"
    succeeded = "succeeded"
    failed = "failed"
    timed_out = "timed_out"
    skipped = "skipped"


class CauseKind(StrEnum):
    """Why a run is: only `tick` and `upstream` move the watermark."""

    tick = "tick"
    upstream = "upstream"
    manual = "manual"
    range = "range"


@dataclass(frozen=True)
class Cause:
    """Why a run is. Unique with the policy: the same cause never runs twice to the end."""

    kind: CauseKind
    detail: str

    def __str__(self) -> str:
        return f"{self.kind}:{self.detail}"

    @property
    def moves_watermark(self) -> bool:
        return self.kind in (CauseKind.tick, CauseKind.upstream)

    @property
    def following(self) -> Cause:
        """Of the next part of a window that does not fit whole: `tick:<due>`, `tick:<due>+1`, …"""
        numbered = re.fullmatch(r"(.*)\+(\d+)", self.detail)
        due, part = numbered.groups() if numbered else (self.detail, 0)
        return Cause(self.kind, f"{due}+{int(part) + 1}")

    @property
    def of_the_past(self) -> bool:
        """A backfill: it says nothing of how things are now, and pages nobody."""
        return self.kind is CauseKind.range

    @staticmethod
    def parse(text: str) -> Cause:
        kind, _, detail = text.partition(":")
        return Cause(CauseKind(kind), detail)


@dataclass(frozen=True)
class Submitted:
    """A query that a warehouse was given: its id there, and a mark of what it asks (SQL and values)."""

    query_id: str
    asks: str


@dataclass(frozen=True)
class Run:
    """A claimed run. It may save only while `token` holds its lease and `from_watermark` still stands."""

    id: int
    policy: str
    cause: Cause
    due: datetime
    window: Window
    token: str
    from_watermark: datetime | None
    attempt: int = 1
    by: str | None = None  # who asked, for manual runs
    alert: int | None = None  # the alert whose rerun this is
    taken_over: bool = False  # from a process that is gone, whose query may be running still
    submitted: Submitted | None = None  # which query that is, where it could record it


@dataclass(frozen=True)
class Looked:
    """What one look at the warehouse gave. Never an exception: a failure is a status and a sentence."""

    policy: Policy
    window: Window  # really looked at: may be the earlier part of what was asked for
    status: RunStatus
    columns: tuple[str, ...] = ()
    rows: tuple[FoundRow, ...] = ()
    violations: tuple[Violation, ...] = ()
    bad_rows: tuple[str, ...] = ()  # rows that cannot be counted, and why: a null in the key
    untimed: int = 0  # rows without a time in the window's column
    truncated: bool = False  # more rows than the cap, even in the smallest part of the window
    query_id: str | None = None
    elapsed_s: float = 0.0  # from asking the warehouse until its rows are read, of every part that was asked
    bytes: int | None = None  # that the rows hold, as the warehouse's result says it
    error: str | None = None  # one plain sentence
    transient: bool = False  # whether trying again may help

    @property
    def ok(self) -> bool:
        return self.status is RunStatus.succeeded
