"""Snoozes of entities and policies in sentences: the preview, that one began, what one hid. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from bot.core.alert import Alert, Disposition
from bot.core.snooze import Hidden, Preview, ScopeSnooze
from bot.core.words import clean, count, when, who
from sensors.model.clock import say_duration

NAMED = 10  # alerts in a sentence


def because(why: str) -> str:
    return f": {clean(why)}" if why else ""


def named(alerts: Sequence[int]) -> str:
    """`ALR-1, ALR-2 and 3 more`."""
    shown = ", ".join(f"ALR-{alert}" for alert in alerts[:NAMED])
    return f"{shown} and {len(alerts) - NAMED} more" if len(alerts) > NAMED else shown


def _counted(found: Hidden) -> str:
    true = f"{found.true_positives} of them true {'positive' if found.true_positives == 1 else 'positives'}"
    return f"{count(found.alerts, 'alert')}, {true}, the worst {found.worst.name if found.worst else ''}"


def preview_lines(shown: Preview) -> list[str]:
    """What somebody is shown before he snoozes so much."""
    span, before, held = say_duration(shown.span), shown.before, shown.held
    back = f"In the last {span} it would have hidden {_counted(before)}." if before.alerts else ""
    covers = f"It covers {count(held.alerts, 'open alert')} now: {named(held.open)}." if held.alerts else ""
    beyond = f" {named(shown.beyond)} {'is' if len(shown.beyond) == 1 else 'are'} worse and stay awake."
    return [
        f"Snooze `{clean(shown.target.name)}` until {when(shown.until)} ({span})?",
        back or f"In the last {span} it would have hidden nothing.",
        (covers or "No open alert is about it now.") + (beyond if shown.beyond else ""),
        f"What is worse than {shown.ceiling.name} comes through.",
    ]


def on_now(snooze: ScopeSnooze) -> str:
    """One that is on, in a line."""
    return (
        f"`{clean(snooze.target.name)}` snoozed until {when(snooze.until)} by {who(snooze.by)}"
        f"{because(snooze.why)}"
    )


def was_on(snooze: ScopeSnooze) -> str:
    """One that is on or was, in a line."""
    if snooze.ended_at is None:
        return on_now(snooze)
    over = f"ended by {who(snooze.ended_by)}" if snooze.ended_by else "over"
    name = clean(snooze.target.name)
    return (
        f"`{name}` snoozed from {when(snooze.since)} by {who(snooze.by)}{because(snooze.why)};"
        f" {over} {when(snooze.ended_at)}"
    )


def began(snooze: ScopeSnooze, covered: Sequence[Alert]) -> str:
    ids = sorted(alert.id for alert in covered)
    covers = f" It covers {named(ids)}." if ids else ""
    return (
        f"{who(snooze.by)} snoozed `{clean(snooze.target.name)}` until {when(snooze.until)}"
        f"{because(snooze.why)}. New alerts open quietly, up to {snooze.ceiling.name}.{covers}"
    )


def ended(snooze: ScopeSnooze, by: str, hid: Sequence[Alert], quiet: Sequence[Alert]) -> str:
    """`hid`: all that it has covered; `quiet`: those that wake with it. `by`: who ended it early."""
    name = f"`{clean(snooze.target.name)}`"
    how = f"{who(by)} ended the snooze of {name}" if by else f"The snooze of {name} has ended"
    set_by = f"set by {who(snooze.by)}, {when(snooze.since)}{because(snooze.why)}"
    if not hid:
        return f"{how} ({set_by}). It hid nothing."
    worst = max(alert.severity for alert in hid)
    goes_on = f" Awake again: {named(sorted(alert.id for alert in quiet))}." if quiet else ""
    many = f"{count(len(hid), 'alert')}, the worst {worst.name}"
    return f"{how} ({set_by}). It hid {many}{_came_to(hid)}.{goes_on}"


def _came_to(hid: Sequence[Alert]) -> str:
    true = sum(alert.disposition is Disposition.true_positive for alert in hid)
    closed = sum(not alert.is_open for alert in hid)
    parts = [f"{closed} resolved meanwhile" if closed else "", f"{true} as true positive" if true else ""]
    said = ", ".join(part for part in parts if part)
    return f"; {said}" if said else ""
