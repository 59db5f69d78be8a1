"""What Dagster answers, in our words: states, runs, lines of a log. Asks nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from bot.core.job_run import JobState, Sighted
from bot.jobs.answer import at, one_line

KEY = "patrol/key"  # the tag by which a run of ours is known
STATES = {"SUCCESS": JobState.succeeded, "FAILURE": JobState.failed, "CANCELED": JobState.cancelled}
OPEN = ("QUEUED", "NOT_STARTED", "MANAGED", "STARTING", "STARTED", "SUSPENDED", "CANCELING")
OTHERS = {  # tags in which Dagster says who or what began a run
    "dagster/schedule_name": "schedule",
    "dagster/sensor_name": "sensor",
    "dagster/backfill": "backfill",
    "user": "",
}


@dataclass(frozen=True)
class Clock:
    """A schedule or a sensor that starts the job. `rule` is its cron, or that it is a sensor."""

    name: str
    id: str
    sensor: bool
    running: bool
    rule: str
    next_at: datetime | None = None


def state(run: Mapping[str, Any]) -> JobState:
    return STATES.get(str(run.get("status")), JobState.running)


def word(run: Mapping[str, Any]) -> str:
    """Dagster's own word for how far a run is: `queued`, `started`."""
    return one_line(run.get("status") or "", 40).lower().replace("_", " ")


def sighted(run: Mapping[str, Any], address: str | None) -> Sighted:
    """A run as others see it."""
    tags = {str(at(tag, "key")): one_line(at(tag, "value")) for tag in run.get("tags") or ()}
    key = tags.get(KEY, "")
    by = next((f"{what} {tags[tag]}".strip() for tag, what in OTHERS.items() if tag in tags), "")
    return Sighted(
        external_id=run["runId"],
        state=state(run),
        started_at=moment(run.get("startTime")) or moment(run.get("creationTime")),
        ended_at=moment(run.get("endTime")) if state(run).ended else None,
        by="Patrol" if key else by,
        link=f"{address}/runs/{run['runId']}" if address else None,
        outcome=word(run),
        key=key,
    )


def clocks(found: Mapping[str, Any], job: str) -> Iterator[Clock]:
    """The schedules and sensors of the job, schedules first."""
    for one in at(found, "schedulesOrError.results") or ():
        if one.get("pipelineName") == job:
            rule = " ".join(str(one[k]) for k in ("cronSchedule", "executionTimezone") if one.get(k))
            following = moment(at(one, "futureTicks.results.0.timestamp"))
            yield _clock(one, "scheduleState", rule, False, following)
    for one in at(found, "sensorsOrError.results") or ():
        if job in [at(target, "pipelineName") for target in one.get("targets") or ()]:
            yield _clock(one, "sensorState", "sensor", True, None)


def _clock(one: Mapping[str, Any], key: str, rule: str, sensor: bool, following: datetime | None) -> Clock:
    running = at(one, f"{key}.status") == "RUNNING"
    return Clock(str(one["name"]), str(at(one, f"{key}.id")), sensor, running, rule, following)


def lines(events: list[Any]) -> Iterator[str]:
    """`03:00:12 ERROR work: Execution of step "work" failed. ValueError: no such seller`."""
    for event in events:
        said = [at(event, "message"), at(event, "error.message")]
        said += [at(cause, "message") for cause in at(event, "error.causes") or ()]
        told = " ".join(one_line(part, 1000) for part in said if part)
        if told:
            when = moment(str(at(event, "timestamp") or "")[:-3])  # without its thousandths
            step = f"{at(event, 'stepKey')}:" if at(event, "stepKey") else ""
            words = (f"{when:%H:%M:%S}" if when else "", at(event, "level"), step, told)
            yield " ".join(str(word) for word in words if word)


def moment(seconds: Any) -> datetime | None:
    """Dagster's times are seconds since 1970."""
    try:
        return datetime.fromtimestamp(float(seconds), UTC)
    except (TypeError, ValueError, OverflowError, OSError):
        return None
