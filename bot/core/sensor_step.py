"""What the data do to an alert: firing, clearing, not knowing. Called by `step.py` only."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from bot.core.action import MACHINE, Clear, Fire, Unknown
from bot.core.alert import Alert, Condition, Disposition, Lane, Snooze, Work
from bot.core.change import ALL_ROWS, Effect, EffectKind, Outcome, Same, changed
from bot.core.ladder import awake, call_at_once, reopened, restart
from bot.core.words import clean, count, who
from sensors.model.policy import Severity

REOPENS_WITHIN = timedelta(hours=72)
FALSE_POSITIVE_HOLDS = timedelta(days=14)  # on conditions, unless they clear before


def fire(alert: Alert | None, found: Fire, now: datetime) -> Outcome:
    """A key in violation: opens an alert, adds to the open one, or reopens the one just resolved."""
    if alert is None:
        return _open(found, now)
    if found.as_of < alert.as_of and not alert.terms.accumulates:
        return Same("an older run never changes a newer condition")
    if alert.is_open:
        return _again(alert, found, now)
    if not _news(alert, found, now):
        return _quietly(alert, found)
    if alert.resolved_at and now - alert.resolved_at <= REOPENS_WITHIN:
        return _reopen(alert, found, now)
    return _open(replace(found, previous=alert.id), now)


def _open(found: Fire, now: datetime) -> Outcome:
    """A new alert. The card itself tells the ladder's first step where that is due at once."""
    ladder, quiet = found.terms.ladder, _quiet(found, now)
    told = bool(ladder) and not ladder[0].after and not quiet
    step = 1 if told else 0
    wait = ladder[step].after if step < len(ladder) else found.terms.repeat_interval
    alert = Alert(
        id=0,
        policy=found.policy,
        key=found.key,
        lane=found.lane,
        terms=found.terms,
        title=found.title,
        severity=found.severity,
        count=found.count,
        opened_at=now,
        fired_at=now,
        as_of=found.as_of,
        key_values=found.key_values,
        newest=found.newest,
        entities=found.entities,
        snooze=quiet,
        told_count=found.count,
        told_severity=found.severity,
        step=step if found.lane is Lane.live else 0,
        step_due=now + wait if found.lane is Lane.live else None,
        previous=found.previous,
        forgiven_until=found.forgiven_until,
    )
    story = f"opened; ALR-{found.previous} was about the same" if found.previous else "opened"
    story += f", snoozed with {clean(quiet.target)}" if quiet else ""
    effects = tuple(
        Effect(EffectKind.start_job, data={"by": MACHINE, "job": job, "params": {}}) for job in found.on_open
    )
    rings = call_at_once(found.terms, alert.word) if found.lane is Lane.live and not quiet else ()
    return changed(alert, alert, now, MACHINE, "opened", story, found, (*_file(found), *rings, *effects))


def _quiet(found: Fire, now: datetime) -> Snooze | None:
    """The snooze of its entity or policy, while that is on."""
    quiet = found.snooze
    if quiet is None or found.lane is not Lane.live or quiet.until <= now:
        return None
    return replace(quiet, since=now)


def _again(alert: Alert, found: Fire, now: datetime) -> Outcome:
    """More of what is known. People are told only if it is worse: the severity rose, or the count doubled."""
    accumulates = alert.terms.accumulates
    after = replace(
        alert,
        title=found.title,
        severity=max(alert.severity, found.severity) if accumulates else found.severity,
        count=max(alert.count, found.count) if accumulates else found.count,
        fired_at=now,
        as_of=max(alert.as_of, found.as_of),
        newest=found.newest,
        condition=Condition.firing,
        unknown_why="",
    )
    seen = ("title", "severity", "count", "condition", "newest")
    if all(getattr(alert, name) == getattr(after, name) for name in seen):
        return Same("nothing that people would see has changed")
    worse = _worse(alert, after)
    if alert.snooze and after.severity > alert.snooze.ceiling:
        after = awake(after, alert.snooze, now)
        worse = f"{worse or f'{after.severity.name} now, with {after.count}'}; the snooze has ended"
    story = worse or f"now {count(after.count, 'row')}"
    if not worse or (alert.snooze is not None and after.snooze is not None) or alert.lane is not Lane.live:
        more = _file(found) if found.new_evidence and accumulates else ()
        return changed(alert, after, now, MACHINE, "fired", story, found, more)
    after = replace(after, told_count=after.count, told_severity=after.severity)
    tell = Effect(
        EffectKind.tell, f"{alert.name}: {worse}", to=alert.owner or "oncall", work_seq=alert.work_seq
    )
    return changed(alert, after, now, MACHINE, "worse", story, found, (tell, *_file(found)))


def _file(found: Fire) -> tuple[Effect, ...]:
    """The effect that puts all its rows into the thread, where they are too many for the card."""
    return (ALL_ROWS,) if found.as_file else ()


def _worse(alert: Alert, after: Alert) -> str:
    if after.severity > alert.told_severity:
        return f"worse: {Severity(after.severity).name} now, with {after.count}"
    if after.count >= 2 * alert.told_count:
        return f"worse: {after.count} now, {alert.told_count} when last told"
    return ""


def _news(alert: Alert, found: Fire, now: datetime) -> bool:
    """Whether firing says something that the one who resolved it could not know."""
    if alert.condition is Condition.cleared:
        return True
    if alert.terms.accumulates:
        return found.new_evidence
    if alert.disposition is Disposition.false_positive:
        return alert.resolved_at is None or now - alert.resolved_at > FALSE_POSITIVE_HOLDS
    return found.new_evidence


def _quietly(alert: Alert, found: Fire) -> Outcome:
    """A resolved condition that goes on: nothing new to say of it."""
    return Same(f"{alert.name} was resolved, and run as of {found.as_of:%H:%M} brings no new evidence")


def _reopen(alert: Alert, found: Fire, now: datetime) -> Outcome:
    said = alert.disposition.value.replace("_", " ") if alert.disposition else "resolved"
    last = f"last called {said} by {who(alert.resolved_by)}" if alert.resolved_by else "it had cleared"
    why = "the condition is back" if alert.condition is Condition.cleared else "new rows"
    after, quiet = restart(reopened(alert), now), _quiet(found, now)
    why += f", snoozed with {clean(quiet.target)}" if quiet else ""
    after = replace(
        after,
        title=found.title,
        severity=found.severity,
        count=found.count,
        fired_at=now,
        as_of=max(alert.as_of, found.as_of),
        newest=found.newest,
        snooze=quiet,
        condition=Condition.firing,
        unknown_why="",
        forgiven_until=found.forgiven_until,
    )
    if alert.lane is not Lane.live:
        after = replace(after, step_due=None)
    return changed(alert, after, now, MACHINE, "reopened", f"reopened: {why}; {last}", found, _file(found))


def condition(alert: Alert, action: Clear | Unknown, now: datetime) -> Outcome:
    """A condition that a good run no longer found, or of which nothing is known."""
    if alert.terms.accumulates:
        return Same("events do not clear")
    if isinstance(action, Unknown):
        return _unknown(alert, action, now)
    if action.as_of < alert.as_of or alert.condition is Condition.cleared:
        return Same("known already")
    after = replace(alert, condition=Condition.cleared, unknown_why="", as_of=action.as_of)
    closes = alert.terms.clear == "always" or (alert.terms.clear == "if_unacked" and alert.work is Work.open)
    if alert.is_open and closes:
        after = replace(after, work=Work.resolved, snooze=None, step_due=None, resolved_at=now)
        return changed(alert, after, now, MACHINE, "resolved", "the condition has cleared: closed", action)
    return changed(alert, after, now, MACHINE, "cleared", "the condition has cleared", action)


def _unknown(alert: Alert, action: Unknown, now: datetime) -> Outcome:
    if not alert.is_open or (alert.condition is Condition.unknown and alert.unknown_why == action.why):
        return Same("known already")
    after = replace(alert, condition=Condition.unknown, unknown_why=action.why)
    return changed(alert, after, now, MACHINE, "unknown", f"not known now: {clean(action.why)}", action)
