"""One start of a job: asked for by whom, for which alert, how far it is, what came of it."""

from __future__ import annotations

from collections.abc import Mapping
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

    @property
    def ended(self) -> bool:
        return self in (JobState.succeeded, JobState.failed, JobState.timed_out)


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


@dataclass(frozen=True)
class Progress:
    """What an outside system says of a run. `state` is running, succeeded or failed."""

    state: JobState
    external_id: str | None = None
    outcome: str = ""
    link: str | None = None
    again_in_s: float = 2.0  # when to ask again
