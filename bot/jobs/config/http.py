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
    message: Text = "message"
    link: Text = "link"


class Config(config.Config):
    """One request; without `poll` its answer is the outcome."""

    url: Text
    method: Verb = "POST"
    headers: Headers
    body: Any = None
    message: Text = "message"
    link: Text = "link"
    poll: Annotated[Poll | None, Field(description="a mapping with url, id, state, …")] = None


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
        yield from config.address_problems("poll.url", wanted.poll.url)
        for name in sorted(fill.names(wanted.poll.url) - {"id"}):
            yield f"poll.url: knows {{id}} only, not {{{name}}}"
        if both := sorted({*wanted.poll.done} & {*wanted.poll.failed}):
            yield f"poll: {both[0]} cannot mean both done and failed"
