"""A job of dbt Cloud by its API, version 2: started, followed, ended, looked into, its schedule changed.

The API knows no idempotency key: ours stands in the run's cause, and is looked for before each start.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from bot.core.job_run import SIGHTED, JobState, Observed, Progress, Sighted
from bot.jobs import answer, argument, fill
from bot.jobs.answer import Answer, one_line
from bot.jobs.config.dbt import Config, options
from bot.jobs.dbt import schedule
from bot.jobs.dbt.results import mapping, moment, results
from bot.jobs.web import PATIENCE, Web, headers_of
from bot.process.errors import JobRefused, JobUnknown
from sensors.model.job import KEY, Job

QUEUED, STARTING, RUNNING, SUCCESS, ERROR, CANCELLED = 1, 2, 3, 10, 20, 30
STATES = {SUCCESS: JobState.succeeded, ERROR: JobState.failed, CANCELLED: JobState.cancelled}
WORDS = {QUEUED: "queued", STARTING: "starting", RUNNING: "running", SUCCESS: "done", CANCELLED: "cancelled"}
MARK = re.compile(r"\[patrol ([^\]]{1,200})\]$")
AGAIN_S = 10.0
SPARE = timedelta(minutes=5)
MOST = 16_000_000  # bytes of results and logs that are read
UNSAFE = re.compile(r"[\x00-\x1f\x7f'\"\\$`]")
# What an update of a job must or may say; what else a job tells of itself is not ours to send back.
# fmt: off
SENT = [
    "account_id", "project_id", "environment_id", "name", "dbt_version", "deferring_environment_id",
    "deferring_job_definition_id", "description", "execute_steps", "execution", "generate_docs",
    "job_type", "lifecycle_webhooks", "run_compare_changes", "compare_changes_flags",
    "run_generate_sources", "run_lint", "errors_on_lint_failure", "cost_optimization_features",
    "settings", "state", "triggers_on_draft_pr", "triggers", "schedule", "generate_sources",
]
# fmt: on


@dataclass(frozen=True)
class Cloud:
    """One conversation about a job that names a `url`, with what the environment and a start give it."""

    web: Web
    job: Job
    wanted: Config
    filler: fill.Filler

    def start(self, key: str) -> Progress:
        since = datetime.now(UTC) - self.job.timeout - SPARE
        if known := next((run for run in self._runs(since) if _key(run) == key), None):
            return self.poll(str(known.get("id")))
        return _progress(_data(self._ask("POST", f"{self._of_job}run/", self._body(key))))

    def plan(self) -> str:
        body = json.dumps(self._body(f"{{{KEY}}}"), ensure_ascii=False, indent=2)
        return f"POST {self.filler.text(self.wanted.url or '')} {self._of_job}run/\n{body}"

    def poll(self, run: str) -> Progress:
        said = _progress(_data(self._ask("GET", f"runs/{_id(run)}/")))
        if said.state not in (JobState.succeeded, JobState.failed):
            return said
        found = None
        with suppress(JobRefused, JobUnknown):  # a run may end without results, as when it cannot be parsed
            path = f"runs/{_id(run)}/artifacts/run_results.json"
            found = results(self._ask("GET", path, most=MOST).data)
        if found is None:
            return said
        whole = said.state is JobState.succeeded or found.failed
        told = found.said if whole else f"{said.outcome}; {found.said}"
        return replace(said, outcome=told, updated=found.updated)

    def cancel(self, run: str) -> str:
        said = _progress(_data(self._ask("POST", f"runs/{_id(run)}/cancel/")))
        if said.state in (JobState.succeeded, JobState.failed):
            return f"it is over already: {said.outcome}"
        return "asked dbt Cloud to cancel it"

    def tail(self, run: str) -> str:
        got = self._ask("GET", f"runs/{_id(run)}/?include_related=run_steps", most=MOST)
        steps = [step for step in _listed(_data(got).get("run_steps")) if isinstance(step, dict)]
        told = [f"{step.get('name') or ''}\n{step.get('logs') or ''}".strip() for step in steps]
        return "\n".join(text for text in told if text)

    def observe(self, since: datetime) -> Observed:
        runs = tuple(_sighted(run) for run in self._runs(since))
        job = self._declared()
        now, (_, own) = schedule.of(job), schedule.kept(job)
        if not now:
            return Observed(runs)
        said = schedule.words(now) + (f", its own pace is {schedule.words(own)}" if own else "")
        return Observed(runs, said, paused=not schedule.runs(job))

    def pause(self, paused: bool) -> str:
        job, now = self._declared(), "off" if paused else "on"
        if schedule.runs(job) is not paused:
            return f"its schedule in dbt Cloud is {now} already"
        self._change(job, triggers={**mapping(job.get("triggers")), "schedule": not paused})
        return f"its schedule in dbt Cloud is {now} now"

    def every(self, interval: timedelta | None) -> str:
        job = self._declared()
        now, (words, own) = schedule.of(job), schedule.kept(job)
        if not now:
            raise JobRefused(f"{self.job.title} has no schedule in dbt Cloud whose pace could be changed.")
        if interval is None:
            return self._own_again(job, words, own, now)
        own = own or now
        paced = self._change(
            job, schedule=schedule.at_pace(interval), description=schedule.keeping(words, own)
        )
        if schedule.kept(paced)[1] != own:
            self._change(job)
            raise JobRefused("The job's description in dbt Cloud has no room in which to keep its own pace.")
        said = schedule.words(schedule.of(paced)) + (" now" if schedule.runs(job) else " now, and is off")
        return f"its schedule in dbt Cloud is {said}; its own is {schedule.words(own)}"

    def _own_again(
        self, job: Mapping[str, Any], words: str, own: Mapping[str, Any], now: Mapping[str, Any]
    ) -> str:
        if not own:
            return f"its schedule in dbt Cloud has its own pace already: {schedule.words(now)}"
        has = self._change(job, schedule=own, description=words)
        if schedule.kept(has)[1]:  # an empty description is not taken, and this one was left as it was
            self._change(job, schedule=own, description=job.get("name"))
        return f"its schedule in dbt Cloud has its own pace again: {schedule.words(own)}"

    def _change(self, job: Mapping[str, Any], **changed: Any) -> Mapping[str, Any]:
        """The job as it is then. The API takes the whole of one: what it says of itself is sent back with
        this changed, but for what is empty, which it does not take."""
        whole = {**job, "schedule": schedule.of(job) or job.get("schedule"), **changed}
        body = {name: whole[name] for name in SENT if whole.get(name) not in (None, "")}
        triggers = {name: on for name, on in mapping(whole.get("triggers")).items() if on is not None}
        return _data(self._ask("POST", self._of_job, body | {"triggers": triggers}))

    def _declared(self) -> Mapping[str, Any]:
        return _data(self._ask("GET", self._of_job))

    def _runs(self, since: datetime) -> Iterator[Mapping[str, Any]]:
        """Runs of the job that began since then or are not over, newest first."""
        asked = {
            "job_definition_id": _number(self.wanted.job, self.filler),
            "order_by": "-id",
            "limit": SIGHTED,
            "include_related": "trigger",
        }
        got = self._ask("GET", f"runs/?{urlencode(asked)}", most=MOST)
        for run in _listed(answer.at(got.data, "data")):
            began = moment(mapping(run).get("created_at"))
            if isinstance(run, dict) and (_state(run) is JobState.running or (began and began >= since)):
                yield run

    def _body(self, key: str) -> dict[str, Any]:
        """What a run is asked for with; without steps it does what the job says over there."""
        body: dict[str, Any] = {"cause": f"{self.job.title}, started by Patrol [patrol {key}]"}
        return body | ({"steps_override": [step(self.wanted, self.filler)]} if self.wanted.steps else {})

    @property
    def _of_job(self) -> str:
        return f"jobs/{_number(self.wanted.job, self.filler)}/"

    def _ask(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, most: int = answer.CAP
    ) -> Answer:
        account = _number(self.wanted.account, self.filler)
        url = f"{self.filler.url(self.wanted.url or '').rstrip('/')}/api/v2/accounts/{account}/{path}"
        headers = headers_of({"Authorization": f"Bearer {self.wanted.token}"}, self.filler)
        content = None
        if body is not None:
            headers["Content-Type"] = "application/json"
            content = json.dumps(body).encode()
        return self.web.ask(method, url, headers, content, min(self.job.timeout, PATIENCE), most)


def step(wanted: Config, filler: fill.Filler) -> str:
    """The one command that the run is to do, as a line. Over there it is taken apart as a shell's line is, so
    what could end a quotation is not sent; within `vars`, which are JSON, it is sent by its number."""
    said = argument.filled(["dbt", *options(wanted)], filler.values)
    for text in said:
        if UNSAFE.search(text):
            raise JobRefused(f"{text[:60]!r} holds a character that cannot be sent to dbt Cloud.")
    if wanted.vars:
        said += ["--vars", _spelled(filler.json(wanted.vars))]
    return shlex.join(said)


def _spelled(value: Any) -> str:
    """As JSON in which texts hold no quotation mark, backslash or sign of a shell as itself."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_spelled(str(k))}: {_spelled(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_spelled, value)) + "]"
    if isinstance(value, str):
        return '"' + UNSAFE.sub(lambda found: f"\\u{ord(found[0]):04x}", value) + '"'
    return json.dumps(value)


def _progress(run: Mapping[str, Any]) -> Progress:
    id_, link = run.get("id"), answer.Answer("", 200, "", False, run).link("href")
    if not isinstance(id_, int) or isinstance(id_, bool):
        raise JobUnknown("dbt Cloud answered without the number of the run.")
    return Progress(_state(run), str(id_), _words(run), link, AGAIN_S)


def _state(run: Mapping[str, Any]) -> JobState:
    return STATES.get(_status(run), JobState.running)


def _status(run: Mapping[str, Any]) -> int:
    found = run.get("status")
    return found if isinstance(found, int) else QUEUED


def _words(run: Mapping[str, Any]) -> str:
    said = one_line(run.get("status_message") or "")
    return said or WORDS.get(_status(run)) or one_line(run.get("status_humanized") or "failed").lower()


def _key(run: Mapping[str, Any]) -> str:
    found = MARK.search(str(mapping(run.get("trigger")).get("cause") or ""))
    return found[1] if found else ""


def _sighted(run: Mapping[str, Any]) -> Sighted:
    trigger, key = mapping(run.get("trigger")), _key(run)
    return Sighted(
        external_id=str(run.get("id")),
        state=_state(run),
        started_at=moment(run.get("started_at")) or moment(run.get("created_at")),
        ended_at=moment(run.get("finished_at")),
        by="Patrol" if key else one_line(trigger.get("cause") or "", 120),
        link=answer.Answer("", 200, "", False, run).link("href"),
        outcome=_words(run),
        key=key,
    )


def _number(said: int | str | None, filler: fill.Filler) -> str:
    number = filler.text(str(said))
    if not re.fullmatch(r"\d{1,18}", number):
        raise JobRefused(f"{said} must hold a number, that of the account or job in dbt Cloud.")
    return number


def _id(run: str) -> str:
    if not re.fullmatch(r"\d{1,18}", run):
        raise JobRefused(f"{run[:60]!r} is not the number of a run in dbt Cloud.")
    return run


def _data(got: Answer) -> Mapping[str, Any]:
    found = answer.at(got.data, "data")
    if not isinstance(found, dict):
        raise JobUnknown(f"{got.host} answered without data.")
    return found


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
