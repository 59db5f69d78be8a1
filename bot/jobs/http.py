"""Jobs of kind http: one request, repeatable by its Idempotency-Key; its end by the answer, by polling or by
a call back, as the job says."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.core.job_run import SIGHTED, Ability, JobState, Observed, Progress, Sighted
from bot.jobs import NOWHERE, TAIL, Runner, answer, config, fill
from bot.jobs.answer import Answer
from bot.jobs.config.http import Config, Poll, Runs, Told
from bot.jobs.place import Place
from bot.jobs.web import PATIENCE, Web, clear, headers_of, masked
from bot.process.errors import JobRefused, JobUnknown
from sensors.model.clock import utc
from sensors.model.job import CALLBACK, KEY, Job

READ = 16 * TAIL  # bytes of a log's end, of which the last lines are shown


class HttpRunner(Runner):
    """What the job says is asked, as it says it."""

    def __init__(
        self, environ: Mapping[str, str], patience: timedelta = PATIENCE, place: Place = NOWHERE
    ) -> None:
        self._environ = environ
        self._callback = place.callback
        self._patience = patience
        self._web = Web()

    def repeatable(self, job: Job) -> bool:  # noqa: ARG002 - the key that goes with every request makes it so
        return True

    def start(self, job: Job, params: Mapping[str, Any], idempotency_key: str) -> Progress:
        wanted = config.of(job, Config)
        values = fill.values(job, params, idempotency_key)
        if wanted.called_back:
            values[CALLBACK] = self._callback(idempotency_key)
        filler = fill.Filler(self._environ, values)
        with masked(filler, job):
            headers = headers_of(wanted.headers, filler) | {"Idempotency-Key": idempotency_key}
            content = None
            if wanted.body is not None:
                headers["Content-Type"] = "application/json"
                content = json.dumps(filler.json(wanted.body)).encode()
            limit = self._limit(job) if wanted.poll or wanted.called_back else job.timeout
            got = self._web.ask(wanted.method, filler.url(wanted.url), headers, content, limit)
            return clear(_begun(wanted, got, job), filler, job)

    def poll(self, job: Job, external_id: str) -> Progress:
        wanted = config.of(job, Config)
        if wanted.poll is None and wanted.called_back:
            return _waits(job)
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
            return clear(_polled(wanted.poll, got, external_id), filler, job)

    def called_back(self, job: Job, said: object) -> Progress:
        told = config.of(job, Config).called_back
        if told is None:
            return super().called_back(job, said)
        if not isinstance(answer.at(said, told.state), str | int | float):
            raise JobRefused(f"It must say at {told.state} how the run has ended, such as {told.done[0]}.")
        return clear(_state(told, Answer("", 200, "", False, said)), fill.Filler(self._environ, {}), job)

    def plan(self, job: Job, params: Mapping[str, Any]) -> str:
        wanted = config.of(job, Config)
        values = {CALLBACK: f"{{{CALLBACK}}}", **fill.values(job, params, f"{{{KEY}}}")}
        filler = fill.Filler(self._environ, values).open()
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


def _begun(wanted: Config, got: Answer, job: Job) -> Progress:
    if wanted.poll:
        return _followed(wanted.poll, got)
    return _waits(job, got.link(wanted.link)) if wanted.called_back else _done(wanted, got)


def _waits(job: Job, link: str | None = None) -> Progress:
    """Nobody need be asked: it calls, or its time runs out."""
    return Progress(JobState.running, link=link, again_in_s=job.timeout.total_seconds())


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
    return _polled(poll, got, external_id)


def _polled(poll: Poll, got: Answer, external_id: str) -> Progress:
    return replace(_state(poll, got), external_id=external_id, again_in_s=poll.every.total_seconds())


def _state(told: Told, got: Answer) -> Progress:
    word = answer.at(got.data, told.state)
    said = answer.at(got.data, told.message)
    words = answer.one_line(said if isinstance(said, str | int | float) else word or "")
    return Progress(_meant(told, word), outcome=words, link=got.link(told.link))


def _meant(told: Told, word: object) -> JobState:
    """What a word of theirs means; one that the job does not name: it goes on."""
    words = {
        JobState.succeeded: told.done,
        JobState.failed: told.failed,
        JobState.cancelled: told.cancelled,
    }
    return next((state for state, said in words.items() if answer.either(word, said)), JobState.running)


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
