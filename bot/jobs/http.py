"""Jobs of kind http: one request, repeatable by its Idempotency-Key, and polling where the job says how."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import httpx

from bot.core.job_run import JobState, Progress
from bot.jobs import answer, config, fill
from bot.jobs.answer import Answer
from bot.process.errors import JobRefused, JobUnknown
from sensors.model.job import Job

PATIENCE = timedelta(seconds=10)  # for a request whose outcome is polled for; others have the job's timeout
HOPS = 3  # redirects that are followed, on the same host only


class HttpRunner:
    """One client for all jobs: connections are kept, cookies are not."""

    def __init__(self, environ: Mapping[str, str], patience: timedelta = PATIENCE) -> None:
        self._environ = environ
        self._patience = patience
        self._client = httpx.Client(
            headers={"User-Agent": "Patrol", "Accept": "application/json", "Accept-Encoding": "identity"}
        )
        self._client.cookies.jar.set_policy(DefaultCookiePolicy(allowed_domains=[]))

    def repeatable(self, job: Job) -> bool:  # noqa: ARG002 - the key that goes with every request makes it so
        return True

    def start(self, job: Job, params: Mapping[str, Any], idempotency_key: str) -> Progress:
        wanted = config.http(job)
        filler = fill.Filler(self._environ, fill.values(job, params, idempotency_key))
        with _masked(filler, job):
            headers = _headers(wanted, filler) | {"Idempotency-Key": idempotency_key}
            content = None
            if wanted.body is not None:
                headers["Content-Type"] = "application/json"
                content = json.dumps(filler.json(wanted.body)).encode()
            limit = min(job.timeout, self._patience) if wanted.poll else job.timeout
            got = self._ask(wanted.method, filler.url(wanted.url), headers, content, limit)
            return _clear(_followed(wanted.poll, got) if wanted.poll else _done(wanted, got), filler, job)

    def poll(self, job: Job, external_id: str) -> Progress:
        wanted = config.http(job)
        if wanted.poll is None:
            raise JobRefused(f"{job.title} does not say how to follow a run.")
        filler = fill.Filler(self._environ, {"id": external_id})
        with _masked(filler, job):
            limit = min(job.timeout, self._patience)
            got = self._ask("GET", filler.url(wanted.poll.url), _headers(wanted, filler), None, limit)
            if answer.at(got.data, wanted.poll.state) is None:
                raise JobUnknown(
                    f"{got.host} answered without {wanted.poll.state}, so how far it is is not known."
                )
            return _clear(_state(wanted.poll, got, external_id), filler, job)

    def _ask(
        self, method: str, url: str, headers: Mapping[str, str], content: bytes | None, limit: timedelta
    ) -> Answer:
        """The answer, if it is a yes."""
        seconds = limit.total_seconds()
        deadline = time.monotonic() + seconds
        with _spoken(url, limit):
            for _ in range(HOPS + 1):
                patience = httpx.Timeout(seconds, connect=min(5.0, seconds))
                request = self._client.build_request(
                    method, url, headers=headers, content=content, timeout=patience
                )
                response = self._client.send(request, stream=True)
                try:
                    if not response.is_redirect:
                        return _yes(answer.read(response, deadline))
                    url = _next(method, response)
                finally:
                    response.close()
        raise JobRefused(f"{httpx.URL(url).host} redirects in a circle.")


def _yes(got: Answer) -> Answer:
    if got.status < 300:
        return got
    if got.retry or got.status >= 500:
        raise JobUnknown(got.sentence)
    raise JobRefused(got.sentence)


def _next(method: str, response: httpx.Response) -> str:
    """Where a redirect leads, when it is the same host and the request stays what it is."""
    request, target = response.request.url, response.headers.get("location", "")
    there = request.join(target)
    same = (there.scheme, there.host, there.port) == (request.scheme, request.host, request.port)
    if same and (response.status_code in (307, 308) or method == "GET"):
        return str(there)
    to = "another page" if same else there.host
    raise JobRefused(
        f"{request.host} did not answer but redirects to {to} ({response.status_code}): a login page?"
    )


def _headers(wanted: config.Http, filler: fill.Filler) -> dict[str, str]:
    filled = {name: filler.text(value).strip() for name, value in wanted.headers.items()}
    for name, value in filled.items():
        if not re.fullmatch(r"[!#$%&'*+.^_`|~\w-]+", name, re.ASCII) or not re.fullmatch(r"[\t -~]*", value):
            raise JobRefused(f"The header {name[:60]} holds a character that HTTP does not allow.")
    return filled


def _done(wanted: config.Http, got: Answer) -> Progress:
    """Without polling the answer is the outcome."""
    said = got.said(wanted.message) or f"{got.status} {got.reason}".strip()
    return Progress(JobState.succeeded, outcome=said, link=got.link(wanted.link))


def _followed(poll: config.Poll, got: Answer) -> Progress:
    """A run was begun over there: what to ask for later, or its end if it says so already."""
    found = answer.at(got.data, poll.id)
    external_id = str(found) if isinstance(found, str | int) and not isinstance(found, bool) else ""
    if "id" in fill.names(poll.url) and not 0 < len(external_id) <= 200:
        lost = (
            f"{got.host} took the request ({got.status}) but gave no {poll.id} to follow it by: look there."
        )
        return Progress(JobState.failed, outcome=lost, link=got.link(poll.link))
    return _state(poll, got, external_id)


def _state(poll: config.Poll, got: Answer, external_id: str) -> Progress:
    told = answer.at(got.data, poll.state)
    state = JobState.running
    if answer.either(told, poll.done):
        state = JobState.succeeded
    elif answer.either(told, poll.failed):
        state = JobState.failed
    said = answer.at(got.data, poll.message)
    words = answer.one_line(said if isinstance(said, str | int | float) else told or "")
    return Progress(state, external_id, words, got.link(poll.link), poll.every.total_seconds())


def _clear(progress: Progress, filler: fill.Filler, job: Job) -> Progress:
    """The same without what the environment holds; a link that would need it is left out."""
    link = progress.link
    if link and filler.mask(link, job.config) != link:
        link = None
    outcome = filler.mask(progress.outcome, job.config)
    return Progress(progress.state, progress.external_id, outcome, link, progress.again_in_s)


@contextmanager
def _masked(filler: fill.Filler, job: Job) -> Iterator[None]:
    try:
        yield
    except (JobRefused, JobUnknown) as error:
        raise type(error)(filler.mask(str(error), job.config)) from None


@contextmanager
def _spoken(url: str, limit: timedelta) -> Iterator[None]:
    """The library's errors in our two words. Theirs may quote headers, so they are not passed on."""
    host = re.sub(r"^\w+://(?:[^/@]*@)?([^/?#]*).*", r"\1", url, flags=re.DOTALL)[:100]
    try:
        yield
    except httpx.ConnectTimeout:
        raise JobUnknown(f"{host} could not be reached: no answer to the connection.") from None
    except httpx.ConnectError as error:
        raise JobUnknown(f"{host} could not be reached: {answer.one_line(error, 120)}.") from None
    except httpx.TimeoutException:
        raise JobUnknown(f"{host} did not answer within {limit.total_seconds():g} s.") from None
    except (httpx.InvalidURL, httpx.UnsupportedProtocol, httpx.LocalProtocolError, UnicodeError):
        raise JobRefused("The job's address or one of its headers is not one that can be sent.") from None
    except (httpx.HTTPError, httpx.StreamError):
        raise JobUnknown(f"The connection to {host} broke before the answer was there.") from None
