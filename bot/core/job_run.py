"""One start of a job: asked for by whom, for which alert, how far it is, what came of it; and what an outside
system tells of its runs, whoever started them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sensors.model.policy import NOTHING


class JobState(StrEnum):
    asked = "asked"  # recorded, not started yet
    starting = "starting"  # the outside system may have it: start again only with the same key
    running = "running"
    succeeded = "succeeded"
    failed = "failed"
    timed_out = "timed_out"
    cancelled = "cancelled"  # by somebody, here or over there

    @property
    def ended(self) -> bool:
        return self in ENDED

    @property
    def word(self) -> str:
        """As people read it: `timed out`."""
        return self.value.replace("_", " ")


SIGHTED = 50  # runs of a job that are seen at once
ENDED = (JobState.succeeded, JobState.failed, JobState.timed_out, JobState.cancelled)


@dataclass(frozen=True)
class JobRun:
    """`idempotency_key` is the same for every attempt to start it, so that it is started once."""

    id: int
    job: str
    by: str
    idempotency_key: str
    asked_at: datetime
    deadline: datetime
    params: Mapping[str, Any] = NOTHING
    alert: int | None = None
    state: JobState = JobState.asked
    external_id: str | None = None
    link: str | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    outcome: str = ""
    poll_at: datetime | None = None
    attempts: int = 0
    cancel_by: str | None = None  # who has asked for its end
    cancel_at: datetime | None = None
    cancel_said: str | None = None  # what the outside system said to that; None: it was not asked yet
    tail: str | None = None  # the end of its log, where it failed

    @property
    def name(self) -> str:
        return f"job run {self.id}"


@dataclass(frozen=True)
class Progress:
    """What an outside system says of a run. `state` is running, succeeded, failed or cancelled."""

    state: JobState
    external_id: str | None = None
    outcome: str = ""
    link: str | None = None
    again_in_s: float = 2.0  # when to ask again
    updated: tuple[str, ...] = ()  # tables that it made anew, as database.schema.table in lower case


def assets_of(updated: Iterable[str], known: Collection[str]) -> tuple[str, ...]:
    """Which assets the tables are that a run has made: by the whole name, or else by `schema.table`."""
    found = (next((n for n in (one, one.partition(".")[2]) if n in known), "") for one in updated)
    return tuple(name for name in found if name)


class Ability(StrEnum):
    """What can be done about a job's runs over there, beside starting and following them."""

    cancel = "cancel"  # a run is ended
    tail = "tail"  # the end of its log is read
    observe = "observe"  # runs and schedules that others made are seen
    pause = "pause"  # its schedule over there is stopped and goes on again
    every = "every"  # its schedule over there is given another pace


@dataclass(frozen=True)
class Sighted:
    """A run in the outside system, by whomever it was started. Times are aware UTC."""

    external_id: str
    state: JobState  # running, succeeded, failed or cancelled
    started_at: datetime | None = None
    ended_at: datetime | None = None
    by: str = ""  # whom or what it says to have started it
    link: str | None = None
    outcome: str = ""
    key: str = ""  # the idempotency key, where Patrol started it
    updated: tuple[str, ...] = ()  # as in Progress


@dataclass(frozen=True)
class Observed:
    """What the outside system says of a job: its runs, newest first, and the schedule that it has there."""

    runs: tuple[Sighted, ...] = ()
    schedule: str = ""  # in its own words, with the zone; "" where it has none
    paused: bool | None = None  # None: it has no schedule, or does not say
    next_at: datetime | None = None


@dataclass(frozen=True)
class Seen:
    """What Patrol has seen of a job over there, and when; `trouble` says why it cannot look, since when."""

    observed: Observed = Observed()
    at: datetime | None = None
    trouble: str = ""
    since: datetime | None = None
