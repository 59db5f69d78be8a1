"""A team's digest as a message: the open first, then what came of what fired, with a picture of the days."""

from __future__ import annotations

from bot.core.digest import Digest, Fired
from bot.core.earned import ENOUGH
from bot.core.reply import DigestReply
from bot.core.score import Share
from bot.core.words import count
from bot.slack.blocks import Face, context, header, section
from bot.slack.lines import ANYWHERE, Room, alert_lines, bars, sections
from bot.slack.text import code, date, escape, trimmed
from bot.slack.wording import CALLED
from sensors.model.clock import say_duration

OPEN_MOST = 8
POLICIES_MOST = 6


def digest(reply: DigestReply, room: Room = ANYWHERE) -> Face:
    """For a channel or, asked for, for one person."""
    found = reply.digest
    span = "The week" if found.span.weekly else "The day"
    head = f"{span} of {found.team}"
    blocks = [
        header(head),
        section(_standing(found)),
        *sections(alert_lines(found.open, reply.cards, room), OPEN_MOST),
        section(_moved(found)),
        *sections([_policy(one) for one in found.fired], POLICIES_MOST),
        *context(_beside(found)),
    ]
    return Face(trimmed(f"{escape(head, 60)}: {_in_short(found)}", 300), blocks[:48])


def _in_short(found: Digest) -> str:
    return f"{len(found.open)} open, {len(found.unowned)} with nobody on them, {found.opened} new"


def _standing(found: Digest) -> str:
    if not found.open:
        return "✅ *Nothing is open.*"
    parts = [f"{len(found.unowned)} with nobody on them"] if found.unowned else ["somebody is on each"]
    if found.snoozes:
        parts.append(f"snoozes that end today: {len(found.snoozes)}")
    if found.late:
        parts.append(f"not known, for their data are late: {len(found.late)}")
    return f"*{count(len(found.open), 'open alert')}*: {', '.join(parts)}"


def _moved(found: Digest) -> str:
    since = f"since {date(found.span.since)}"
    if not found.opened and not found.called:
        return f"Nothing fired and nothing was resolved {since}."
    came = ", ".join(f"{n} {CALLED[what]}" for what, n in found.called.items())
    resolved = f" · {sum(found.called.values())} resolved: {came}" if came else ""
    return f"*{found.opened} new* {since} {bars(found.by_day)}{resolved}{_took(found)}"


def _took(found: Digest) -> str:
    times = {"acknowledged": found.to_acknowledge, "resolved": found.to_resolve}
    said = [f"{name} after {say_duration(span)}" for name, span in times.items() if span is not None]
    return f"\n{' and '.join(said)}, in the middle".capitalize() if said else ""


def _policy(one: Fired) -> str:
    severe = f", {one.severe} of them high or critical" if one.severe else ""
    return f"{code(one.policy, 80)} {one.opened}{severe}{_right(one)}"


def _right(one: Fired) -> str:
    judged = one.right + one.wrong
    if not judged:
        return " · not judged yet"
    if judged < ENOUGH:
        return f" · right {one.right} of {judged}"
    low, high = Share(one.right, judged).interval
    return f" · right {one.right} of {judged}: {one.right / judged:.0%} ({low:.0%} to {high:.0%})"


def _beside(found: Digest) -> list[str]:
    """What pages nobody but waits for somebody's word."""
    if not found.quiet:
        return []
    named = ", ".join(code(policy, 60) for policy in list(dict.fromkeys(a.policy for a in found.quiet))[:5])
    return [f"👀 Paging nobody, waiting for a verdict: {count(len(found.quiet), 'alert')} of {named}"]
