"""Starting jobs in outside systems and watching them, in one shape for every kind. Remembers nothing."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import cache
from importlib import import_module
from typing import Any, Protocol, cast

from bot.core.job_run import Ability, Observed, Progress
from bot.jobs.place import Place
from bot.process.errors import JobRefused
from sensors.model.job import Job

RUNNERS = {
    "http": ("bot.jobs.http", "HttpRunner"),
    "sql": ("bot.jobs.sql", "SqlRunner"),
    "sagemaker": ("bot.jobs.sagemaker.runner", "SageMakerRunner"),
    "command": ("bot.jobs.command", "CommandRunner"),
    "dbt": ("bot.jobs.dbt", "DbtRunner"),
    "dagster": ("bot.jobs.dagster", "DagsterRunner"),
    "airflow": ("bot.jobs.airflow", "AirflowRunner"),
}
KINDS = tuple(RUNNERS)
PLACED = ("command", "dbt", "http")  # kinds that must know where Patrol runs
NOWHERE = Place()
TAIL = 4000  # characters of a log that are read


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

    def plan(self, job: Job, params: Mapping[str, Any]) -> str:
        """What `start` would send with these values, for people to look at: nothing is sent. Secrets stay the
        names of their variables. JobRefused where it would not be sent."""
        given = ", ".join(f"{name}={value}" for name, value in params.items() if value is not None)
        return f"{job.kind}: {job.name}({given})"

    def abilities(self, job: Job) -> frozenset[Ability]:  # noqa: ARG002
        """What else this job can be asked for; each is a method below, and refuses where it is not here."""
        return frozenset()

    def cancel(self, job: Job, external_id: str) -> str:  # noqa: ARG002
        """Asks for the end of a run, once or again; what was said to it. `poll` tells when it has ended."""
        raise JobRefused(f"{job.title} cannot be cancelled: look where it runs.")

    def tail(self, job: Job, external_id: str) -> str:  # noqa: ARG002
        """The end of a run's log, at most TAIL characters, the newest last; empty where it has none yet."""
        raise JobRefused(f"{job.title} has no log that can be read from here.")

    def observe(self, job: Job, since: datetime) -> Observed:  # noqa: ARG002
        """Runs that began since then or are not over, at most SIGHTED of them, and its schedule."""
        raise JobRefused(f"{job.title} cannot be seen from here.")

    def pause(self, job: Job, paused: bool) -> str:  # noqa: ARG002
        """Stops the schedule over there, or lets it go on; what was said to it."""
        raise JobRefused(f"{job.title} has no schedule that can be paused from here.")

    def every(self, job: Job, interval: timedelta | None) -> str:  # noqa: ARG002
        """Gives the schedule over there another pace, or its own again; what was said to it."""
        raise JobRefused(f"{job.title} has no schedule whose pace can be changed from here.")

    def called_back(self, job: Job, said: object) -> Progress:  # noqa: ARG002
        """What the outside system tells of a run by itself, as JSON. JobRefused where it says nothing."""
        raise JobRefused(f"{job.title} is not called back.")

    def repeatable(self, job: Job) -> bool:
        """Whether `start` may be called again with its key when nobody knows what came of the first call.

        Where it is not, such a run ends as failed, and people are told that its outcome is not known. (After
        JobUnknown it may always be called again: nothing was done then, or doing it twice is harmless.)
        """


@cache
def runner_for(kind: str, place: Place = NOWHERE) -> Runner:
    """The one runner of this kind in this process; its libraries are imported when it is first needed."""
    if kind not in RUNNERS:
        raise JobRefused(f'Patrol has no jobs of kind "{kind}", only {" and ".join(KINDS)}.')
    module, name = RUNNERS[kind]
    made = getattr(import_module(module), name)
    return cast(Runner, made(os.environ, place=place) if kind in PLACED else made(os.environ))
