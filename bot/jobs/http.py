"""Jobs of kind http: one request, repeatable by its Idempotency-Key, and polling where the job says how."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from bot.core.job_run import JobState, Progress
from bot.jobs import Runner, answer, config, fill
from bot.jobs.answer import Answer
from bot.jobs.config.http import Config, Poll
from bot.jobs.web import PATIENCE, Web, clear, headers_of, masked
from bot.process.errors import JobRefused, JobUnknown
from sensors.model.job import Job


class HttpRunner(Runner):
    """What the job says is asked, as it says it."""

    def __init__(self, environ: Mapping[str, str], patience: timedelta = PATIENCE) -> None:
        self._environ = environ
        self._patience = patience
        self._web = Web()

    def repeatable(self, job: Job) -> bool:  # noqa: ARG002 - the key that goes with every request makes it so
        return True

    def start(self, job: Job, params: Mapping[str, Any], idempotency_key: str) -> Progress:
        wanted = config.of(job, Config)
        filler = fill.Filler(self._environ, fill.values(job, params, idempotency_key))
        with masked(filler, job):
            headers = headers_of(wanted.headers, filler) | {"Idempotency-Key": idempotency_key}
            content = None
            if wanted.body is not None:
                headers["Content-Type"] = "application/json"
                content = json.dumps(filler.json(wanted.body)).encode()
            limit = min(job.timeout, self._patience) if wanted.poll else job.timeout
            got = self._web.ask(wanted.method, filler.url(wanted.url), headers, content, limit)
            return clear(_followed(wanted.poll, got) if wanted.poll else _done(wanted, got), filler, job)

    def poll(self, job: Job, external_id: str) -> Progress:
        wanted = config.of(job, Config)
        if wanted.poll is None:
            raise JobRefused(f"{job.title} does not say how to follow a run.")
        filler = fill.Filler(self._environ, {"id": external_id})
        with masked(filler, job):
            limit = min(job.timeout, self._patience)
            got = self._web.ask(
                "GET", filler.url(wanted.poll.url), headers_of(wanted.headers, filler), None, limit
            )
            if answer.at(got.data, wanted.poll.state) is None:
                raise JobUnknown(
                    f"{got.host} answered without {wanted.poll.state}, so how far it is is not known."
                )
            return clear(_state(wanted.poll, got, external_id), filler, job)


def _done(wanted: Config, got: Answer) -> Progress:
    """Without polling the answer is the outcome."""
    said = got.said(wanted.message) or f"{got.status} {got.reason}".strip()
    return Progress(JobState.succeeded, outcome=said, link=got.link(wanted.link))


def _followed(poll: Poll, got: Answer) -> Progress:
    """A run was begun over there: what to ask for later, or its end if it says so already."""
    found = answer.at(got.data, poll.id)
    external_id = str(found) if isinstance(found, str | int) and not isinstance(found, bool) else ""
    if "id" in fill.names(poll.url) and not 0 < len(external_id) <= 200:
        lost = (
            f"{got.host} took the request ({got.status}) but gave no {poll.id} to follow it by: look there."
        )
        return Progress(JobState.failed, outcome=lost, link=got.link(poll.link))
    return _state(poll, got, external_id)


def _state(poll: Poll, got: Answer, external_id: str) -> Progress:
    told = answer.at(got.data, poll.state)
    state = JobState.running
    if answer.either(told, poll.done):
        state = JobState.succeeded
    elif answer.either(told, poll.failed):
        state = JobState.failed
    said = answer.at(got.data, poll.message)
    words = answer.one_line(said if isinstance(said, str | int | float) else told or "")
    return Progress(state, external_id, words, got.link(poll.link), poll.every.total_seconds())
