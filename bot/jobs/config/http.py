"""What an http job may say: one request, and how its run is followed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Annotated, Any

from pydantic import Field

from bot.jobs import config, fill
from bot.jobs.config import Duration, Headers, Text, Verb, Words
from sensors.model.job import Job


class Poll(config.Config):
    """How to follow a run. `id`, `state`, `message`, `link` are paths into the answers, such as data.id."""

    url: Text
    every: Duration = timedelta(seconds=2)
    id: Text = "id"
    state: Text = "state"
    done: Words = ("succeeded",)
    failed: Words = ("failed",)
    cancelled: Words = ("cancelled", "canceled")
    message: Text = "message"
    link: Text = "link"


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
    """One request; without `poll` its answer is the outcome."""

    url: Text
    method: Verb = "POST"
    headers: Headers
    body: Any = None
    message: Text = "message"
    link: Text = "link"
    poll: Annotated[Poll | None, Field(description="a mapping with url, id, state, …")] = None
    cancel: Annotated[Cancel | None, Field(description="a mapping with url and method")] = None
    log: Annotated[str | None, Field(min_length=1, description="the address of a run's log")] = None
    runs: Annotated[Runs | None, Field(description="a mapping with url, items, id, state, …")] = None


def problems(job: Job, wanted: Config) -> Iterator[str]:
    yield from config.address_problems("url", wanted.url)
    yield from config.unknown("url", fill.names(wanted.url), job)
    yield from config.unknown("body", fill.names(wanted.body), job)
    if wanted.method == "GET" and wanted.body is not None:
        yield "body: a GET request has none; take it away, or make the method POST"
    yield from config.header_problems(
        wanted.headers, ("idempotency-key", "content-type", "content-length", "host")
    )
    yield from config.unused(job, fill.names(wanted.url) | fill.names(wanted.body))
    if wanted.poll:
        yield from _of_a_run("poll.url", wanted.poll.url)
        yield from _apart(wanted.poll)
    yield from _around(wanted)


def _of_a_run(where: str, url: str) -> Iterator[str]:
    yield from config.address_problems(where, url)
    for name in sorted(fill.names(url) - {"id"}):
        yield f"{where}: knows {{id}} only, not {{{name}}}"


def _apart(poll: Poll) -> Iterator[str]:
    meanings = {"done": {*poll.done}, "failed": {*poll.failed}, "cancelled": {*poll.cancelled}}
    for one, other in (("done", "failed"), ("done", "cancelled"), ("failed", "cancelled")):
        if both := sorted(meanings[one] & meanings[other]):
            yield f"poll: {both[0]} cannot mean both {one} and {other}"


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
