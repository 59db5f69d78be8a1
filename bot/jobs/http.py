"""Jobs of kind http: one request, repeatable by its Idempotency-Key, and polling where the job says how."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.core.job_run import Ability, JobState, Observed, Progress, Sighted
from bot.jobs import SIGHTED, TAIL, Runner, answer, config, fill
from bot.jobs.answer import Answer
from bot.jobs.config.http import Config, Poll, Runs
from bot.jobs.web import PATIENCE, Web, clear, headers_of, masked
from bot.process.errors import JobRefused, JobUnknown
from sensors.model.clock import utc
from sensors.model.job import KEY, Job

READ = 16 * TAIL  # bytes of a log's end, of which the last lines are shown


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

    def plan(self, job: Job, params: Mapping[str, Any]) -> str:
        wanted = config.of(job, Config)
        filler = fill.Filler(self._environ, fill.values(job, params, f"{{{KEY}}}")).open()
        lines = [f"{wanted.method} {filler.url(wanted.url)}"]
        lines += [f"{name}: {filler.text(value)}" for name, value in wanted.headers.items()]
        if wanted.body is not None:
            lines.append(json.dumps(filler.json(wanted.body), ensure_ascii=False, indent=2))
        return "\n".join(lines)

    def abilities(self, job: Job) -> frozenset[Ability]:
        wanted = config.of(job, Config)
        able = {Ability.cancel: wanted.cancel, Ability.tail: wanted.log, Ability.observe: wanted.runs}
        return frozenset(ability for ability, said in able.items() if said)

    def cancel(self, job: Job, external_id: str) -> str:
        wanted = config.of(job, Config)
        if wanted.cancel is None:
            return super().cancel(job, external_id)
        got = self._ask_about(job, wanted.cancel.method, wanted.cancel.url, external_id)
        filler = fill.Filler(self._environ, {})
        return filler.mask(got.said(wanted.message) or f"{got.status} {got.reason}".strip(), job.config)

    def tail(self, job: Job, external_id: str) -> str:
        wanted = config.of(job, Config)
        if wanted.log is None:
            return super().tail(job, external_id)
        filler = fill.Filler(self._environ, {"id": external_id})
        with masked(filler, job):
            headers = headers_of(wanted.headers, filler)
            said = self._web.end_of(filler.url(wanted.log), headers, READ, self._limit(job))
        return answer.last_lines(filler.mask(said, job.config), TAIL)  # masked before it is cut

    def observe(self, job: Job, since: datetime) -> Observed:
        wanted = config.of(job, Config)
        if wanted.runs is None or wanted.poll is None:
            return super().observe(job, since)
        got = self._ask_about(job, "GET", wanted.runs.url)
        listed = answer.at(got.data, wanted.runs.items) if wanted.runs.items != "." else got.data
        if not isinstance(listed, list):
            raise JobUnknown(f"{got.host} answered without a list at {wanted.runs.items}.")
        filler = fill.Filler(self._environ, {})
        read = (_sighted(wanted.poll, wanted.runs, one, filler, job) for one in listed)
        found = [one for one in read if one and (not one.state.ended or _began(one) >= since)]
        return Observed(tuple(sorted(found, key=_began, reverse=True)[:SIGHTED]))

    def _ask_about(self, job: Job, method: str, url: str, external_id: str = "") -> Answer:
        filler = fill.Filler(self._environ, {"id": external_id})
        with masked(filler, job):
            headers = headers_of(config.of(job, Config).headers, filler)
            return self._web.ask(method, filler.url(url), headers, None, self._limit(job))

    def _limit(self, job: Job) -> timedelta:
        return min(job.timeout, self._patience)


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
    state = _meant(poll, told)
    said = answer.at(got.data, poll.message)
    words = answer.one_line(said if isinstance(said, str | int | float) else told or "")
    return Progress(state, external_id, words, got.link(poll.link), poll.every.total_seconds())


def _meant(poll: Poll, told: object) -> JobState:
    """What a word of theirs means; one that the job does not name: it goes on."""
    words = {
        JobState.succeeded: poll.done,
        JobState.failed: poll.failed,
        JobState.cancelled: poll.cancelled,
    }
    return next((state for state, said in words.items() if answer.either(told, said)), JobState.running)


def _sighted(poll: Poll, runs: Runs, one: object, filler: fill.Filler, job: Job) -> Sighted | None:
    """A run of their list; None where it has no id, and so is none."""
    found = answer.at(one, runs.id)
    if not isinstance(found, str | int) or isinstance(found, bool) or not 0 < len(str(found)) <= 200:
        return None

    def words(path: str, limit: int = 300) -> str:
        said = answer.at(one, path)
        plain = answer.one_line(said, limit) if isinstance(said, str | int | float) else ""
        return filler.mask(plain, job.config)

    link = Answer("", 200, "", False, one).link(runs.link)
    return Sighted(
        str(found),
        _meant(poll, answer.at(one, runs.state)),
        _moment(answer.at(one, runs.started)),
        _moment(answer.at(one, runs.ended)),
        words(runs.by, 100),
        link if link and filler.mask(link, job.config) == link else None,
        words(runs.message),
        words(runs.key, 200),
    )


def _began(one: Sighted) -> datetime:
    """Of one that does not say: when it ended, else long ago."""
    return one.started_at or one.ended_at or datetime.min.replace(tzinfo=UTC)


def _moment(said: object) -> datetime | None:
    """A time as they write it: ISO 8601, in UTC where it names no zone, or seconds of the epoch."""
    try:
        if isinstance(said, int | float) and not isinstance(said, bool):
            return datetime.fromtimestamp(said, UTC)
        return utc(datetime.fromisoformat(said)) if isinstance(said, str) else None
    except (ValueError, OverflowError, OSError):
        return None
