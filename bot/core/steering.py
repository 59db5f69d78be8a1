"""What people are told of a job's run that they steer: before it is cancelled, and when it cannot be."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from bot.core.action import MACHINE
from bot.core.change import Refused
from bot.core.job_run import JobRun, JobState, Seen
from bot.core.words import clean, when, who
from sensors.model.clock import say_duration
from sensors.model.job import Job

LASTS = timedelta(minutes=5)  # after which it is said that a job cannot be seen


def started_by(run: JobRun) -> str:
    """`by ana for ALR-3`."""
    by = "by Patrol" if run.by == MACHINE else f"by {who(run.by)}"
    return f"{by} for ALR-{run.alert}" if run.alert else by


def goes(run: JobRun, now: datetime) -> str:
    """How it goes, in a sentence."""
    since = run.started_at or run.asked_at
    begun = run.state in (JobState.running, JobState.starting)
    how = "It has been running for" if begun else "It has not begun; it was asked for before"
    return f"{how} {say_duration(max(now - since, now - now))}, {started_by(run)}."


def cancel_lines(run: JobRun, job: Job | None, now: datetime) -> tuple[str, ...]:
    """What cancelling it means, for the one who is asked whether he wants that."""
    lines = (
        f"Cancel {run.name}, `{clean(run.job)}`?",
        goes(run, now),
        "What it has done until then stays done.",
        f"To undo that: {clean(job.undo)}" if job and job.undo else "",
    )
    return tuple(line for line in lines if line)


def over(run: JobRun) -> Refused | None:
    """Why its end cannot be asked for, of one that has ended or is about to."""
    if run.state.ended:
        ended = f" {when(run.ended_at)}" if run.ended_at else ""
        return Refused(f"{run.name.capitalize()} is over: it {came_to(run)}{ended}.", f"retry {run.id}")
    if run.cancel_at is not None:
        by = who(run.cancel_by or MACHINE)
        hint = f"`job {run.job}` shows whether it has ended."
        return Refused(f"{by} has asked for the end of {run.name} {when(run.cancel_at)}.", hint)
    return None


def came_to(run: JobRun) -> str:
    """How it ended, after its name: `succeeded`, `was cancelled by bo`."""
    match run.state:
        case JobState.cancelled:
            return f"was cancelled by {who(run.cancel_by)}" if run.cancel_by else "was cancelled"
        case JobState.asked | JobState.starting:
            return "waits to be started"
        case JobState.running:
            return "is running"
        case _:
            return run.state.word


def without(seen: Seen, ours: Iterable[JobRun]) -> Seen:
    """What is seen but for the runs that were started here: of these it is told apart, to whom may know."""
    known = {name for run in ours for name in (run.external_id, run.idempotency_key)}
    others = tuple(one for one in seen.observed.runs if not {one.external_id, one.key} & known)
    return replace(seen, observed=replace(seen.observed, runs=others))


def elsewhere(job: str, seen: Seen, ours: Collection[str | None], now: datetime) -> list[str]:
    """What goes on of a job that was not started here, and that it cannot be seen, each on a line."""
    name, lines = f"`job:{clean(job)}`", []
    for one in seen.observed.runs:
        if not one.state.ended and one.external_id not in ours and (one.key or None) not in ours:
            by = f", by {clean(one.by)}" if one.by else ""
            lines.append(f"{name} runs{f' since {when(one.started_at)}' if one.started_at else ''}{by}")
    if seen.trouble and seen.since and now - seen.since >= LASTS:
        lines.append(f"⚠️ {name} cannot be seen since {when(seen.since)}: {clean(seen.trouble)}")
    return lines


def where_told(run: JobRun) -> str:
    """Where its end will be seen."""
    return f"in the thread of ALR-{run.alert}" if run.alert else f"by `job {clean(run.job)}`"
