"""Who is on call, and what is said beside alerts: values to blocks."""

from __future__ import annotations

from collections.abc import Mapping
from zoneinfo import ZoneInfo

from bot.core.notice import Notice
from bot.core.oncall import Duty
from bot.core.reply import OnCall, OnCallReply
from bot.slack.blocks import Face, context, preformatted, section
from bot.slack.text import answer, date, escape, mention, trimmed, unpinged

LINES_MOST = 40
WEEK = ("from", "on call")
WHY = {"override": "an override", "outside hours": "outside the hours"}


def line(one: OnCall) -> str:
    """A team on one line: now, until when, and next."""
    people = " ".join(mention(slack) for slack in one.people) or "nobody"
    why = "" if one.why == "turn" else f" ({escape(WHY.get(one.why, one.why), 40)})"
    coming = " ".join(mention(slack) for slack in one.following) or "nobody"
    until = f" until {date(one.until)}, then {coming}" if one.until else ""
    return f"{escape(one.team, 40)}: {people}{why}{until}"


def on_call(reply: OnCallReply) -> Face:
    """Now and next of each team; and the week of one, by its own clock."""
    lines = [line(one) for one in reply.teams[:LINES_MOST]]
    more = [f"and {len(reply.teams) - LINES_MOST} more"] if len(reply.teams) > LINES_MOST else []
    head = trimmed("\n".join(["*On call*", *lines, *more]), 2_900)
    blocks = [section(head)]
    if reply.week:
        rows = [_row(duty, ZoneInfo(reply.zone), reply.names) for duty in reply.week[:LINES_MOST]]
        blocks += [preformatted(WEEK, rows), *context([f"times in {escape(reply.zone, 60)}"])]
    return Face(trimmed(head, 1_000), blocks)


def _row(duty: Duty, zone: ZoneInfo, names: Mapping[str, str]) -> dict[str, str]:
    """Narrow, for a phone: it lasts until the next one begins."""
    people = ", ".join(names.get(slack, slack) for slack in duty.people) or "nobody"
    why = "" if duty.why == "turn" else f" ({WHY.get(duty.why, duty.why)})"
    return {WEEK[0]: f"{duty.start.astimezone(zone):%a %d %b %H:%M}", WEEK[1]: f"{people}{why}"}


def notice(one: Notice, names: Mapping[str, str]) -> Face:
    """A sentence that pings only those whom it is for."""
    pinged = " ".join(mention(slack) for slack in one.people)
    said = answer(one.text, 2_000, unpinged(names, one.people))
    text = f"{pinged} {said}".strip()
    return Face(trimmed(text, 1_000), [section(text)])
