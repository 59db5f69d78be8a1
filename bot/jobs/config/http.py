"""What an http job may say: one request, and how its run is followed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Annotated, Any

from pydantic import Field

from bot.jobs import config, fill
from bot.jobs.config import Duration, Headers, Text, Verb, Words
from sensors.model.job import CALLBACK, Job


class Told(config.Config):
    """What is said of a run: where it stands, as paths such as data.state, and which words mean its end."""

    state: Text = "state"
    done: Words = ("succeeded",)
    failed: Words = ("failed",)
    cancelled: Words = ("cancelled", "canceled")
    message: Text = "message"
    link: Text = "link"


class Poll(Told):
    """How to follow a run by asking. `id` is a path into the first answer, the others into each."""

    url: Text
    every: Duration = timedelta(seconds=2)
    id: Text = "id"


class CalledBack(Told):
    """How a run's end is told to `{callback}`: paths into the body of that request."""


class Cancel(config.Config):
    """How a run is ended before its time."""

    url: Text
    method: Verb = "POST"


class Runs(config.Config):
    """Where its runs are listed, whoever started them. All but `url` are paths into the answer or a run."""

    url: Text
    items: Text = "runs"
    id: Text = "id"
    state: Text = "state"
    started: Text = "started_at"
    ended: Text = "ended_at"
    by: Text = "started_by"
    message: Text = "message"
    link: Text = "link"
    key: Text = "idempotency_key"


class Config(config.Config):
    """One request; without `poll` and `called_back` its answer is the outcome."""

    url: Text
    method: Verb = "POST"
    headers: Headers
    body: Any = None
    message: Text = "message"
    link: Text = "link"
    poll: Annotated[Poll | None, Field(description="a mapping with url, id, state, …")] = None
    called_back: Annotated[
        CalledBack | None, Field(description="a mapping with state, done, failed, …, or {}")
    ] = None
    cancel: Annotated[Cancel | None, Field(description="a mapping with url and method")] = None
    log: Annotated[str | None, Field(min_length=1, description="the address of a run's log")] = None
    runs: Annotated[Runs | None, Field(description="a mapping with url, items, id, state, …")] = None


def problems(job: Job, wanted: Config) -> Iterator[str]:
    yield from config.address_problems("url", wanted.url)
    yield from config.unknown("url", fill.names(wanted.url), job, (CALLBACK,))
    yield from config.unknown("body", fill.names(wanted.body), job, (CALLBACK,))
    yield from _called_back(job, wanted)
    if wanted.method == "GET" and wanted.body is not None:
        yield "body: a GET request has none; take it away, or make the method POST"
    yield from config.header_problems(
        wanted.headers, ("idempotency-key", "content-type", "content-length", "host")
    )
    yield from config.unused(job, fill.names(wanted.url) | fill.names(wanted.body))
    if wanted.poll:
        yield from _of_a_run("poll.url", wanted.poll.url)
        yield from _apart("poll", wanted.poll)
    yield from _around(wanted)


def _of_a_run(where: str, url: str) -> Iterator[str]:
    yield from config.address_problems(where, url)
    if "id" not in fill.names(url):
        yield f"{where}: needs {{id}}, which says of which run it is"
    for name in sorted(fill.names(url) - {"id"}):
        yield f"{where}: knows {{id}} only, not {{{name}}}"


def _called_back(job: Job, wanted: Config) -> Iterator[str]:
    used = CALLBACK in fill.names(wanted.url) | fill.names(wanted.body)
    if wanted.called_back is None:
        if used and CALLBACK not in job.names:
            yield f"called_back: is missing; without it there is no {{{CALLBACK}}} (write called_back: {{}})"
        return
    yield from _apart("called_back", wanted.called_back)
    if CALLBACK in job.names:
        yield f"params.{CALLBACK}: is the address of the call back; give the parameter another name"
    elif not used:
        yield f"called_back: needs {{{CALLBACK}}} in url or body, which is the address to call"


def _apart(where: str, told: Told) -> Iterator[str]:
    meanings = {"done": {*told.done}, "failed": {*told.failed}, "cancelled": {*told.cancelled}}
    for one, other in (("done", "failed"), ("done", "cancelled"), ("failed", "cancelled")):
        if both := sorted(meanings[one] & meanings[other]):
            yield f"{where}: {both[0]} cannot mean both {one} and {other}"


def _around(wanted: Config) -> Iterator[str]:
    """What can be done about its runs beside."""
    addresses = {
        "cancel": wanted.cancel.url if wanted.cancel else None,
        "log": wanted.log,
        "runs": wanted.runs.url if wanted.runs else None,
    }
    for key, url in addresses.items():
        if url is None:
            continue
        if wanted.poll is None:
            yield f"{key}: needs poll, which says what a run is and how it ends"
        where = key if key == "log" else f"{key}.url"
        if key != "runs":
            yield from _of_a_run(where, url)
            continue
        yield from config.address_problems(where, url)
        for name in sorted(fill.names(url)):
            yield f"{where}: is of no one run and takes no {{{name}}}"
