"""When a job starts by itself, and when it is late: by its schedule, and by what it comes after. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from bot.core.action import Action, Clear
from bot.core.builtin import told
from bot.core.order import Order, OrderKind
from bot.core.plan import last_due
from bot.core.words import count
from sensors.model.clock import say_duration
from sensors.model.graph import job_ref
from sensors.model.job import Job
from sensors.model.policy import Every, Schedule
from sensors.model.team import Team
from sensors.model.violation import canonical

LATE_JOB = "patrol.late_job"
NAMED = 5  # of what hangs on a late job


def paused(job: Job, orders: Iterable[Order], now: datetime) -> bool:
    """Whether somebody has ordered that it is not started by itself."""
    mine = (one for one in orders if one.policy == job_ref(job.name) and one.kind is OrderKind.pause)
    return any(now < one.until for one in mine)


def schedule_of(job: Job, orders: Iterable[Order], now: datetime) -> Schedule | None:
    """By which Patrol starts it now: its own, or at the pace that was ordered; None where it does not."""
    if job.schedule is None or job.outside or paused(job, orders, now):
        return None
    mine = (one for one in orders if one.policy == job_ref(job.name) and now < one.until)
    every = next((one.interval for one in mine if one.kind is OrderKind.every and one.interval), None)
    return Every(every) if every else job.schedule


def due_start(schedule: Schedule, since: datetime, last: datetime | None, now: datetime) -> datetime | None:
    """The due time that it is to be started for: the newest, whatever was missed; None where that was done,
    or lies before the schedule began to hold (`since`)."""
    due = last_due(schedule, now)
    return due if due is not None and due > max(since, last or since) else None


def tick_key(job: str, due: datetime) -> str:
    """The idempotency key of a scheduled start: the same for every process."""
    return f"{tick_prefix(job)}{due.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def tick_prefix(job: str) -> str:
    return f"tick-{job}-"


def due_of(key: str | None, job: str) -> datetime | None:
    """The due time that such a key is of."""
    stamp = (key or "").removeprefix(tick_prefix(job))
    try:
        return datetime.fromisoformat(stamp) if key else None
    except ValueError:
        return None


def upstream_key(job: str, stamp: str) -> str:
    return f"{upstream_prefix(job)}{stamp}"


def upstream_prefix(job: str) -> str:
    return f"upstream-{job}-"


# --------------------------------------------------------------------------------- late


@dataclass(frozen=True)
class Going:
    """What is known of a job, for whether it is late. Times are aware UTC."""

    since: datetime  # since when its schedule holds
    due: datetime | None = (
        None  # the newest time at which it was due, and by now had `late_after` to end well
    )
    good_at: datetime | None = None  # when it ended well for the last time
    running_since: datetime | None = None  # the oldest of its runs that go on
    failed: str = ""  # what its last run said, where that failed
    trouble: str = ""  # why it cannot be seen over there


def lateness(job: Job, going: Going, now: datetime) -> str:
    """Why it is late, in words that stay the same while it is so; empty where it is not."""
    if job.late_after is None:
        return ""
    if going.running_since and now - going.running_since > job.late_after:
        return f"it has been running since {_at(going.running_since)}"
    if going.due is None or going.due < going.since or now <= going.due + job.late_after:
        return ""
    if going.good_at and going.good_at >= going.due:
        return ""
    return f"it was due at {_at(going.due)} and has not ended well since"


def late_job(
    job: Job, why: str, going: Going, hangs: tuple[str, ...], team: Team | None, now: datetime
) -> Action:
    """What its owner is told, once while it lasts; closed by itself when it has ended well."""
    if not why:
        return Clear(now)
    said = f"{job.name} is late: {why}"
    causes = [
        f"Its last run failed: {going.failed}." if going.failed else "",
        f"It cannot be seen over there: {going.trouble}" if going.trouble else "",
        f"Expected within {say_duration(job.late_after)}." if job.late_after else "",
        waits(hangs),
        f"`job {job.name}` shows its runs.",
    ]
    advice = " ".join(part for part in causes if part)
    fire = told(LATE_JOB, {"job": job.name}, said, why, job.owner, team, now)
    return replace(fire, newest={**fire.newest, "advice": advice})


def waits(hangs: tuple[str, ...]) -> str:
    """What hangs on it, in a sentence."""
    if not hangs:
        return ""
    more = f" and {len(hangs) - NAMED} more" if len(hangs) > NAMED else ""
    things = count(len(hangs), "thing hangs", "things hang")
    return f"{things[0].upper()}{things[1:]} on it: {', '.join(f'`{ref}`' for ref in hangs[:NAMED])}{more}."


def late_key(job: str) -> str:
    return canonical({"job": job})


def _at(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
