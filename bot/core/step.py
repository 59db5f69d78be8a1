"""The only place where an alert changes: `step(alert, action, now)` gives what came of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from bot.core import sensor_step, snoozing
from bot.core.action import (
    MACHINE,
    Acknowledge,
    Action,
    Assign,
    Clear,
    Comment,
    Escalate,
    Fire,
    Hush,
    JobDecided,
    JobEnded,
    Mended,
    PagerCalled,
    Renamed,
    Reopen,
    Rerun,
    RerunEnded,
    Resolve,
    Rouse,
    ShareRows,
    SnoozeFor,
    StartJob,
    Timer,
    Unacknowledge,
    Unheard,
    Unknown,
    Wake,
)
from bot.core.alert import Alert, Disposition, Lane, Work
from bot.core.change import ALL_ROWS, Effect, EffectKind, Outcome, Refused, Same, changed
from bot.core.ladder import climb, on_the_ladder, reopened, restart
from bot.core.words import clean, when, who


def step(alert: Alert | None, action: Action, now: datetime) -> Outcome:
    """What `action` makes of `alert` at `now`. `alert` is None only for a Fire on a free key."""
    if isinstance(action, Fire):
        return sensor_step.fire(alert, action, now)
    if alert is None:
        return Refused("There is no such alert.", "`list` shows the open ones.")
    match action:
        case Clear() | Unknown():
            return sensor_step.condition(alert, action, now)
        case Renamed() | Mended():
            return _of_policy(alert, action, now)
        case Timer() | Unheard() | PagerCalled():
            return on_the_ladder(alert, action, now)
        case Acknowledge() | Unacknowledge() | Assign() | Escalate():
            return _ownership(alert, action, now)
        case SnoozeFor() | Wake() | Hush() | Rouse():
            return _snoozing(alert, action, now)
        case Resolve() | Reopen():
            return _closing(alert, action, now)
        case _:
            return _beside(alert, action, now)


def _of_policy(alert: Alert, action: Renamed | Mended, now: datetime) -> Outcome:
    """What a change of its policy's files means for it."""
    if isinstance(action, Mended):
        return _mended(alert, action, now)
    return _renamed(alert, action, now)


def _renamed(alert: Alert, action: Renamed, now: datetime) -> Outcome:
    """The cards of open alerts say it; those of alerts that are over stay as they were."""
    if alert.policy == action.policy:
        return Same("known already")
    after = replace(alert, policy=action.policy, key=action.key)
    story = f"its policy is called {action.policy} now; it was {alert.policy}"
    change = changed(alert, after, now, MACHINE, "renamed", story, action)
    return change if alert.is_open else replace(change, alert=replace(change.alert, face_seq=alert.face_seq))


def _mended(alert: Alert, action: Mended, now: datetime) -> Outcome:
    """Whoever reported the false positive hears that it was not for nothing; once, and nobody is paged."""
    if alert.is_open or alert.disposition is not Disposition.false_positive:
        return Same("nobody calls it a false positive now")
    if alert.lane is not Lane.live or alert.mended:
        return Same("told already" if alert.mended else f"it is {alert.lane.value}")
    policy = alert.policy.rpartition(".")[2]
    story = f"mended: {policy} (version {clean(action.version)}) would no longer alert on this"
    told = Effect(EffectKind.reply, f"{story}; thank you, your report did it", to=action.by)
    after = replace(alert, mended=action.version)
    return changed(alert, after, now, MACHINE, "mended", story, action, (told,))


def _ownership(
    alert: Alert, action: Acknowledge | Unacknowledge | Assign | Escalate, now: datetime
) -> Outcome:
    """Who has an open alert, or is to be told of it."""
    if not alert.is_open:
        return _already_resolved(alert)
    match action:
        case Acknowledge():
            return _acknowledge(alert, action, now)
        case Unacknowledge(by=by):
            return _unacknowledge(alert, by, now)
        case Assign():
            return _assign(alert, action, now)
        case Escalate():
            return _escalate(alert, action, now)


def _acknowledge(alert: Alert, action: Acknowledge, now: datetime) -> Outcome:
    by, until = action.by, now + (action.span or alert.terms.acknowledged_for)
    if alert.work is Work.acknowledged:
        if by == alert.owner and alert.reminded and not alert.snooze:
            still = replace(alert, acknowledged_at=now, acknowledged_until=until, reminded=False)
            story = f"{who(by)} is still on it, until {when(until)}"
            return changed(alert, still, now, by, "acknowledged", story, action)
        if by == alert.owner or by in alert.helpers:
            return Refused(
                f"You are on {alert.name} already, until {_until(alert)}.", f"undo: unack {alert.id}"
            )
        joined = replace(alert, helpers=(*alert.helpers, by))
        return changed(alert, joined, now, by, "joined", f"{who(by)} is also on it", action)
    taken = replace(
        alert,
        work=Work.acknowledged,
        owner=by,
        acknowledged_at=now,
        acknowledged_until=until,
        step_due=None,
        snooze=None,
    )
    return changed(
        alert, taken, now, by, "acknowledged", f"acknowledged by {who(by)} until {when(until)}", action
    )


def _unacknowledge(alert: Alert, by: str, now: datetime) -> Outcome:
    if alert.work is not Work.acknowledged:
        return Refused(f"{alert.name} is not acknowledged.", f"ack {alert.id}")
    if by in alert.helpers:  # the way back from "also on it"
        left = replace(alert, helpers=tuple(h for h in alert.helpers if h != by))
        return changed(alert, left, now, by, "left", f"{who(by)} is no longer on it", Unacknowledge(by))
    story = f"handed back by {who(by)}"
    tells = _told(f"{alert.name} was {story}", by, alert.owner)
    return changed(alert, restart(alert, now), now, by, "unacknowledged", story, Unacknowledge(by), tells)


def _assign(alert: Alert, action: Assign, now: datetime) -> Outcome:
    by, to = action.by, action.to
    if alert.owner == to:
        return Refused(f"{alert.name} is {_whose(to, by)} already.")
    until = now + alert.terms.acknowledged_for
    given = replace(
        alert,
        work=Work.acknowledged,
        owner=to,
        helpers=tuple(h for h in alert.helpers if h != to),
        acknowledged_at=now,
        acknowledged_until=until,
        reminded=False,
        step_due=None,
        snooze=None,
    )
    story = f"taken by {who(to)}" if by == to else f"assigned to {who(to)} by {who(by)}"
    tells = _told(f"{alert.name} was {story}", by, to, alert.owner)
    return changed(alert, given, now, by, "assigned", story, action, tells)


def _told(text: str, by: str, *people: str | None) -> tuple[Effect, ...]:
    """The effects that tell these people, but for the one who did it."""
    return tuple(Effect(EffectKind.tell, text, to=person) for person in people if person and person != by)


def _snoozing(alert: Alert, action: SnoozeFor | Wake | Hush | Rouse, now: datetime) -> Outcome:
    if isinstance(action, Hush | Rouse):
        return snoozing.by_scope(alert, action, now)
    return snoozing.by_hand(alert, action, now) if alert.is_open else _already_resolved(alert)


def _closing(alert: Alert, action: Resolve | Reopen, now: datetime) -> Outcome:
    if isinstance(action, Reopen):
        return _reopen(alert, action, now)
    if not alert.is_open:
        return _redispose(alert, action, now)
    by = action.by
    closed = replace(
        alert,
        work=Work.resolved,
        snooze=None,
        step_due=None,
        resolved_at=now,
        resolved_by=by,
        disposition=action.disposition,
        false_cause=action.false_cause,
        note=action.note,
        owner=alert.owner or by,
    )
    return changed(alert, closed, now, by, "resolved", f"resolved by {who(by)} as {_called(action)}", action)


def _redispose(alert: Alert, action: Resolve, now: datetime) -> Outcome:
    if (alert.disposition, alert.false_cause, alert.note) == (
        action.disposition,
        action.false_cause,
        action.note,
    ):
        return _already_resolved(alert)
    told = replace(alert, disposition=action.disposition, false_cause=action.false_cause, note=action.note)
    story = f"changed by {who(action.by)} to {_called(action)}"
    return changed(alert, told, now, action.by, "redisposed", story, action)


def _reopen(alert: Alert, action: Reopen, now: datetime) -> Outcome:
    if alert.is_open:
        return Refused(f"{alert.name} is open.", f"ack {alert.id}")
    if action.held_by:
        return Refused(f"ALR-{action.held_by} is about the same and open.", f"show {action.held_by}")
    opened = restart(reopened(alert), now)
    return changed(alert, opened, now, action.by, "reopened", f"reopened by {who(action.by)}", action)


OfJob = StartJob | JobDecided | JobEnded


def _escalate(alert: Alert, action: Escalate, now: datetime) -> Outcome:
    by, why = action.by, action.why
    if alert.lane is not Lane.live:
        said = f"{alert.name} is {alert.lane.value}: it pages nobody."
        return Refused(said, f"assign {alert.id} @somebody")
    return climb(alert, now, by, f"escalated by {who(by)}{f': {clean(why)}' if why else ''}", action)


def _beside(alert: Alert, action: Comment | ShareRows | Rerun | RerunEnded | OfJob, now: datetime) -> Outcome:
    """What people and jobs do beside the alert's own state."""
    match action:
        case Comment(by=by, text=text):
            if not text.strip():
                return Refused("The comment is empty.", f"comment {alert.id} what you saw")
            noted = replace(alert, comments=alert.comments + 1)
            return changed(alert, noted, now, by, "commented", f"{who(by)}: {clean(text.strip())}", action)
        case ShareRows(by=by):
            told = f"its rows put into the thread by {who(by)}"
            return changed(alert, alert, now, by, "rows_shared", told, action, (ALL_ROWS,))
        case Rerun(by=by):
            ask = Effect(EffectKind.rerun, data={"by": by})
            return changed(alert, alert, now, by, "rerun", f"rerun by {who(by)}", action, (ask,))
        case RerunEnded(by=by, answer=answer):
            reply = Effect(EffectKind.reply, clean(answer))
            return changed(alert, alert, now, MACHINE, "rerun_ended", reply.text, action, (reply,))
        case _:
            return _of_job(alert, action, now)


def _of_job(alert: Alert, action: OfJob, now: datetime) -> Outcome:
    """What jobs do beside it: asked for, agreed to by a second person, ended."""
    match action:
        case StartJob(by=by, job=job, params=params):
            start = Effect(EffectKind.start_job, data={"by": by, "job": job, "params": dict(params)})
            said = (
                f"{clean(job)} asked for by {who(by)}: it waits for a second person" if action.waits else ""
            )
            story = said or f"{clean(job)} started by {who(by)}"
            kind = "job_asked" if action.waits else "job_started"
            return changed(alert, alert, now, by, kind, story, action, (start,))
        case JobDecided(said=said, by=by, asked_by=asker):
            tell = Effect(EffectKind.tell, said, to=asker)
            told = tell if asker not in (MACHINE, by) else Effect(EffectKind.reply, said)
            return changed(alert, alert, now, by, "job_decided", said, action, (told,))
        case JobEnded(run=run, link=link):
            story = _ended(action)
            reply = Effect(EffectKind.reply, story, data={"job_run": run, **_link(link)})
            return changed(alert, alert, now, MACHINE, "job_ended", story, action, (reply,))


def _ended(action: JobEnded) -> str:
    """How a job ended, and what it said last."""
    came = f": {clean(action.outcome)}" if action.outcome else ""
    if action.cancelled:
        by = f" by {who(action.by)}" if action.by else ""
        return f"{clean(action.job)} was cancelled{by}{came}"
    return f"{clean(action.job)} {'succeeded' if action.ok else 'failed'}{came}"


def _link(link: str | None) -> dict[str, Any]:
    return {"link": link} if link else {}


def _already_resolved(alert: Alert) -> Refused:
    closer = who(alert.resolved_by) if alert.resolved_by else "its policy: the condition cleared"
    called = f" as {say_disposition(alert.disposition)}" if alert.disposition else ""
    return Refused(f"{alert.name} was resolved by {closer}{called}.", f"reopen {alert.id}")


def say_disposition(disposition: Disposition) -> str:
    return disposition.called


def _called(action: Resolve) -> str:
    cause = f" ({action.false_cause.value.replace('_', ' ')})" if action.false_cause else ""
    return f"{say_disposition(action.disposition)}{cause}{f': {clean(action.note)}' if action.note else ''}"


def _until(alert: Alert) -> str:
    return when(alert.acknowledged_until) if alert.acknowledged_until else "it is resolved"


def _whose(owner: str, by: str) -> str:
    return "yours" if owner == by else f"{who(owner)}'s"


def stale(alert: Alert, by: str, work_seq: int) -> Refused | None:
    """A click on a button of the past, where somebody else has acted since: who, and what to do now."""
    if work_seq == alert.work_seq:
        return None
    if not alert.is_open:
        return _already_resolved(alert)
    if alert.work is Work.acknowledged and alert.owner != by:
        owner = who(alert.owner or "")
        return Refused(f"{owner} has {alert.name} until {_until(alert)}.", f"take {alert.id}")
    if alert.snooze and alert.snooze.by != by:
        sleeper, until = who(alert.snooze.by), when(alert.snooze.until)
        return Refused(f"{alert.name} is snoozed by {sleeper} until {until}.", f"wake {alert.id}")
    return None
