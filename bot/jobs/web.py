"""How any outside system is asked over HTTP: one client, its answers read with suspicion, errors in our two
words, and nothing of the environment in what people read."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import httpx

from bot.core.job_run import Progress
from bot.jobs import answer, fill
from bot.jobs.answer import Answer
from bot.process.errors import JobRefused, JobUnknown
from sensors.model.job import Job

PATIENCE = timedelta(seconds=10)  # for a request whose outcome is polled for; others have the job's timeout
HOPS = 3  # redirects that are followed, on the same host only


class Web:
    """One client for all jobs of a kind: connections are kept, cookies are not."""

    def __init__(self) -> None:
        self._client = httpx.Client(
            headers={"User-Agent": "Patrol", "Accept": "application/json", "Accept-Encoding": "identity"}
        )
        self._client.cookies.jar.set_policy(DefaultCookiePolicy(allowed_domains=[]))

    def ask(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        content: bytes | None,
        limit: timedelta,
        most: int = answer.CAP,
    ) -> Answer:
        """The answer, if it is a yes; JobRefused where it is a no, JobUnknown where none came in time."""
        with self._got(method, url, headers, content, limit) as (response, deadline):
            return _yes(answer.read(response, deadline, most))

    def end_of(self, url: str, headers: Mapping[str, str], most: int, limit: timedelta) -> str:
        """The last bytes of a text, however long it is, as text. The same errors."""
        wanted = {"Accept": "text/plain, */*", **headers, "Range": f"bytes=-{most}"}
        with self._got("GET", url, wanted, None, limit) as (response, deadline):
            if response.status_code >= 300:
                return "" if response.status_code == 416 else _yes(answer.read(response, deadline)).text
            kept = b""
            for chunk in response.iter_raw(16384):
                kept = (kept + chunk)[-most:]
                if time.monotonic() > deadline:
                    raise JobUnknown(f"The log of {response.url.host} took too long.")
            return kept.decode("utf-8", "replace")

    @contextmanager
    def _got(
        self, method: str, url: str, headers: Mapping[str, str], content: bytes | None, limit: timedelta
    ) -> Iterator[tuple[httpx.Response, float]]:
        """What answers in the end, to be read until that moment (monotonic)."""
        seconds = limit.total_seconds()
        deadline = time.monotonic() + seconds
        patience = httpx.Timeout(seconds, connect=min(5.0, seconds))
        with _spoken(url, limit):
            for _ in range(HOPS + 1):
                request = self._client.build_request(
                    method, url, headers=headers, content=content, timeout=patience
                )
                response = self._client.send(request, stream=True)
                try:
                    if not response.is_redirect:
                        yield response, deadline
                        return
                    url = _next(method, response)
                finally:
                    response.close()
        raise JobRefused(f"{httpx.URL(url).host} redirects in a circle.")


@dataclass(frozen=True)
class Site:
    """One system at its address, as a job declares it: what is asked of it goes there, and has this long."""

    web: Web
    url: str
    headers: Mapping[str, str]
    limit: timedelta

    def ask(self, method: str, path: str, body: Any = None) -> Answer:
        """The answer at a path below the address; `body` goes as JSON. Raises as `Web.ask`."""
        headers, content = dict(self.headers), None
        if body is not None:
            headers, content = headers | {"Content-Type": "application/json"}, json.dumps(body).encode()
        got = self.web.ask(method, self.url + path, headers, content, self.limit)
        if got.data is None:
            raise JobUnknown(f"{got.host} answered with something else than JSON, or with too much of it.")
        return got

    def end_of(self, path: str, accept: str, most: int) -> str:
        """The last bytes of a text at a path below the address. Raises as `Web.end_of`."""
        return self.web.end_of(self.url + path, {**self.headers, "Accept": accept}, most, self.limit)

    def known_by(self, token: str) -> Site:
        """The same, asked with a bearer's token."""
        return replace(self, headers={**self.headers, "Authorization": f"Bearer {token}"})


def site(
    web: Web, url: str, headers: Mapping[str, str], filler: fill.Filler, job: Job, patience: timedelta
) -> Site:
    """The system at an address that a job's config names, with what the environment holds."""
    return Site(web, filler.text(url).rstrip("/"), headers_of(headers, filler), min(job.timeout, patience))


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


def headers_of(said: Mapping[str, str], filler: fill.Filler) -> dict[str, str]:
    """Headers as they are declared, with what the environment holds."""
    filled = {name: filler.text(value).strip() for name, value in said.items()}
    for name, value in filled.items():
        if not re.fullmatch(r"[!#$%&'*+.^_`|~\w-]+", name, re.ASCII) or not re.fullmatch(r"[\t -~]*", value):
            raise JobRefused(f"The header {name[:60]} holds a character that HTTP does not allow.")
    return filled


def clear(progress: Progress, filler: fill.Filler, job: Job) -> Progress:
    """The same without what the environment holds; a link that would need it is left out."""
    link = shown(progress.link, filler, job) if progress.link else None
    outcome = filler.mask(progress.outcome, job.config)
    return replace(progress, outcome=outcome, link=link)


def shown(address: str, filler: fill.Filler, job: Job) -> str | None:
    """The address, if people may read it: None where the environment holds something secret in it."""
    return address if filler.mask(address, job.config) == address else None


@contextmanager
def shaped(name: str) -> Iterator[None]:
    """An answer that has not the shape that its reader takes for granted is none: JobUnknown."""
    try:
        yield
    except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
        raise JobUnknown(f"{name} answered in a shape that Patrol does not know.") from error


def id_of(value: Any) -> str:
    """An id of a run as an answer holds it; ValueError where it is none that could be asked about."""
    if isinstance(value, str) and 0 < len(value) <= 250 and value.isprintable():
        return value
    raise ValueError(f"no id: {value!r:.60}")


@contextmanager
def masked(filler: fill.Filler, job: Job) -> Iterator[None]:
    """What is refused or unknown is said without what the environment holds."""
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
