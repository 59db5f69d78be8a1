"""What a snooze does to an alert: its own, or one of its entity or policy. Called by `step.py` only."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from bot.core.action import MACHINE, Hush, Rouse, SnoozeFor, Wake
from bot.core.alert import Alert, Lane, Snooze
from bot.core.change import Outcome, Refused, Same, changed
from bot.core.ladder import awake, scope_ends
from bot.core.snooze import LONGEST, Scope
from bot.core.tell_snooze import because
from bot.core.words import clean, when, who
from sensors.model.clock import say_duration


def by_hand(alert: Alert, action: SnoozeFor | Wake, now: datetime) -> Outcome:
    """A person wants this one alert quiet, or awake."""
    if isinstance(action, Wake):
        return wake(alert, action, now)
    by, until = action.by, action.until
    if until <= now:
        return Refused(f"{when(until)} has passed.", f"snooze {alert.id} 2h reason")
    if until - now > LONGEST[Scope.alert]:
        return Refused("An alert can be snoozed for 24 h at most.", f"snooze {alert.id} 24h reason")
    since = alert.snooze.since if alert.snooze else now
    slept = replace(alert, snooze=Snooze(until, by, action.why, since, alert.severity))
    story = f"snoozed by {who(by)} for {say_duration(until - now)}, until {when(until)}{because(action.why)}"
    return changed(alert, slept, now, by, "snoozed", story, action)


def wake(alert: Alert, action: Wake, now: datetime) -> Outcome:
    """Ends a snooze by hand: the step or the acknowledgement goes on where it stood."""
    if not alert.snooze:
        return Refused(f"{alert.name} is not snoozed.", f"snooze {alert.id} 2h reason")
    woken = awake(alert, alert.snooze, now)
    return changed(alert, woken, now, action.by, "woken", f"woken by {who(action.by)}", action)


def by_scope(alert: Alert, action: Hush | Rouse, now: datetime) -> Outcome:
    """The snooze of its entity or policy begins to cover it, or was ended."""
    if not alert.is_open:
        return Same("it is resolved")
    if isinstance(action, Hush):
        return _hush(alert, action, now)
    if not alert.snooze or alert.snooze.of != action.of:
        return Same("another snooze covers it, or none")
    return scope_ends(alert, alert.snooze, now, f"{who(action.ended_by)} ended the snooze of", action)


def _hush(alert: Alert, action: Hush, now: datetime) -> Outcome:
    quiet = action.snooze
    if alert.lane is not Lane.live:
        return Same(f"it is {alert.lane.value}: it pages nobody")
    if alert.apart_at and alert.apart_at >= action.began:
        return Same("it was woken by itself")
    if alert.severity > quiet.ceiling or quiet.until <= now:
        return Same("it is worse than what is snoozed, or the snooze is over")
    longer = alert.snooze and alert.snooze.of != action.instead and alert.snooze.until >= quiet.until
    if longer:
        return Same("it is snoozed for as long")
    slept = replace(alert, snooze=replace(quiet, since=alert.snooze.since if alert.snooze else now))
    story = f"snoozed with {clean(quiet.target)} by {who(quiet.by)}, until {when(quiet.until)}"
    return changed(alert, slept, now, MACHINE, "snoozed", f"{story}{because(quiet.why)}", action)
