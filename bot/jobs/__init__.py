"""Starting jobs in outside systems and watching them, in one shape for every kind. Remembers nothing."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from typing import Any, Protocol, cast

from bot.core.job_run import Progress
from bot.process.errors import JobRefused
from sensors.model.job import Job

RUNNERS = {"http": ("bot.jobs.http", "HttpRunner"), "sql": ("bot.jobs.sql", "SqlRunner")}
KINDS = tuple(RUNNERS)


class Runner(Protocol):
    """How a kind of job is started and asked about. Thread-safe; a call takes up to the job's timeout.

    JobRefused: the outside system said no, in a sentence for people; do not try again.
    JobUnknown: it did not answer; try the same call again, with the same key.
    Neither a message nor an outcome holds the value of a `${VARIABLE}` that may be a secret.
    """

    def start(self, job: Job, params: Mapping[str, Any], idempotency_key: str) -> Progress:
        """Starts it, once for each key; the outcome at once where there is nothing to wait for."""

    def poll(self, job: Job, external_id: str) -> Progress:
        """How far it is."""

    def repeatable(self, job: Job) -> bool:
        """Whether `start` may be called again with its key when nobody knows what came of the first call.

        Where it is not, such a run ends as failed, and people are told that its outcome is not known. (After
        JobUnknown it may always be called again: nothing was done then, or doing it twice is harmless.)
        """


@cache
def runner_for(kind: str) -> Runner:
    """The one runner of this kind in this process; its libraries are imported when it is first needed."""
    if kind not in RUNNERS:
        raise JobRefused(f'Patrol has no jobs of kind "{kind}", only {" and ".join(KINDS)}.')
    module, name = RUNNERS[kind]
    return cast(Runner, getattr(import_module(module), name)(os.environ))
