"""A team's digest as a message that is read on a phone: the open first, then what came of what fired."""

from __future__ import annotations

from collections.abc import Sequence

from bot.core.alert import Alert
from bot.core.digest import Digest, Fired
from bot.core.earned import ENOUGH
from bot.core.reply import DigestReply
from bot.core.score import Share
from bot.core.took import Took
from bot.core.words import count
from bot.slack.blocks import Block, Face, context, header, section
from bot.slack.costs import of_the_team
from bot.slack.lines import ANYWHERE, Room, alert_lines, sections, trend
from bot.slack.pictures import picture
from bot.slack.text import code, date, escape, trimmed
from bot.slack.wording import CALLED
from sensors.model.clock import say_duration

OPEN_MOST = 5
POLICIES_MOST = 5
NAMED = 4  # alerts of a kind that are named


def digest(reply: DigestReply, room: Room = ANYWHERE, file_id: str = "") -> Face:
    """For a channel or, asked for, for one person; `file_id`: its week's picture, where there is one."""
    found = reply.digest
    head = f"{'The week' if found.span.weekly else 'The day'} of {found.team}"
    text = trimmed(f"{escape(head, 60)}: {_in_short(found)}", 300)
    if not file_id or not any(found.week.by_day):
        return Face(text, _blocks(reply, head, room, _week(found)))
    return Face(
        text,
        _blocks(reply, head, room, [picture(file_id, found.week, WEEK)]),
        _blocks(reply, head, room, _week(found)),
    )


WEEK = "Seven days"


def _blocks(reply: DigestReply, head: str, room: Room, week: list[Block]) -> list[Block]:
    found = reply.digest
    return [
        header(head),
        section(_standing(found)),
        *sections(alert_lines(found.open, reply.cards, room), OPEN_MOST),
        section("\n".join(line for line in (_moved(found), *_took(found)) if line)),
        *sections([_policy(one) for one in found.fired], POLICIES_MOST),
        *week,
        *context([_noisiest(found), of_the_team(found.spent), _quiet(found)]),
    ]


def _week(found: Digest) -> list[Block]:
    """The week in characters."""
    return [section(f"*{WEEK}*\n{trend(found.week)}")] if any(found.week.by_day) else []


def _in_short(found: Digest) -> str:
    return f"{len(found.open)} open, {len(found.unowned)} with nobody on them, {found.opened} new"


def _standing(found: Digest) -> str:
    if not found.open:
        return "✅ *Nothing is open.*"
    some = f"nobody on {_named(found.unowned)}" if found.unowned else "somebody is on each"
    snoozed = f"\n💤 Snoozed, ending within a day: {_named(found.snoozes)}" if found.snoozes else ""
    late = f"\n⏳ Not known, for the data are late: {_named(found.late)}" if found.late else ""
    return f"*{count(len(found.open), 'open alert')}*, {some}{snoozed}{late}"


def _named(alerts: Sequence[Alert]) -> str:
    """`ALR-1, ALR-2 and 7 more`; all of many are a number."""
    names = [alert.name for alert in alerts[:NAMED]]
    more = f" and {len(alerts) - NAMED} more" if len(alerts) > NAMED else ""
    return f"{', '.join(names)}{more}"


def _moved(found: Digest) -> str:
    since = f"since {date(found.span.since)}"
    if not found.opened and not found.called:
        return f"Nothing fired and nothing was resolved {since}."
    came = ", ".join(f"{n} {CALLED[what]}" for what, n in found.called.items())
    resolved = f" · {sum(found.called.values())} resolved: {came}" if came else ""
    return f"*{found.opened} new* {since}{resolved}"


def _took(found: Digest) -> list[str]:
    """How long people took, a line each, against the team's target where it has one."""
    return [
        _pace("Acknowledged", found.to_acknowledge, "still without anybody"),
        _pace("Resolved", found.to_resolve, "still open"),
    ]


def _pace(did: str, took: Took, undone: str) -> str:
    middle = f"{did} after {say_duration(took.middle)} in the middle" if took.middle is not None else ""
    if not took.judged:
        return middle
    share = f" ({took.in_time / took.judged:.0%})" if took.judged >= ENOUGH else ""
    aim = f"within {say_duration(took.target)}, the target" if took.target else "within the targets"
    held = f"{took.in_time} of {took.judged}{share} {aim}"
    past = f"; past it and {undone}: {took.past}" if took.past else ""
    return f"{middle}, {held}{past}" if middle else f"{did} {held}{past}"


def _policy(one: Fired) -> str:
    many = "" if one.severe == one.opened else f"{one.severe} of them "
    severe = f", {many}high or critical" if one.severe else ""
    return f"{code(one.policy, 80)} {one.opened}{severe}{_right(one)}"


def _right(one: Fired) -> str:
    judged = one.right + one.wrong
    if not judged:
        return " · not judged yet"
    if judged < ENOUGH:
        return f" · right {one.right} of {judged}"
    low, high = Share(one.right, judged).interval
    return f" · right {one.right} of {judged}: {one.right / judged:.0%} ({low:.0%} to {high:.0%})"


def _noisiest(found: Digest) -> str:
    worst = found.noisiest
    if worst is None:
        return ""
    return f"Noisiest: {code(worst.policy, 60)}, {worst.wrong} false positives of {worst.opened}"


def _quiet(found: Digest) -> str:
    """What pages nobody but waits for somebody's word."""
    if not found.quiet:
        return ""
    named = ", ".join(code(policy, 60) for policy in list(dict.fromkeys(a.policy for a in found.quiet))[:5])
    return f"👀 Paging nobody, waiting for a verdict: {count(len(found.quiet), 'alert')} of {named}"
