"""The card of a handoff: who hands over to whom, what, and whether it is accepted."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from bot.core.action import MACHINE
from bot.core.handoff import ACCEPT_WITHIN, Handoff, Item, Pending
from bot.slack.blocks import Block, Face, actions, button, context, header, section
from bot.slack.text import CLOCK, code, cut, date, escape, fold, link, mention, unpinged
from bot.slack.wording import graded
from sensors.model.clock import say_duration
from sensors.model.policy import Severity

ACCEPT = "handoff.accept"
LISTED = 10  # of each kind


def handoff(one: Handoff, names: Mapping[str, str], address: Callable[[int], str]) -> Face:
    """Once posted it pings who takes over, and no one else. `address`: of an alert's card, or nothing."""
    called = unpinged(names)
    leaving = " and ".join(called(slack) for slack in one.leaving) or "nobody"
    taking = " ".join(mention(slack) for slack in one.taking) or "nobody"
    head = f"{leaving} hands over to {taking}"
    kinds = (
        ("Nobody on them", one.burden.waiting),
        ("Somebody on them", one.burden.taken),
        ("Snoozed", one.burden.snoozed),
        ("Data late", one.burden.late),
    )
    blocks = [
        header(f"Handoff · {cut(fold(one.team), 100)}"),
        section(f"{head}, {date(one.at)}"),
        *(block for title, items in kinds for block in _list(title, items, called, address)),
        *_pending(one, called),
        *([] if any(items for _, items in kinds) or one.burden.approvals else [section("Nothing is open.")]),
        *context([_rest(one), _state(one, called)]),
    ]
    if one.accepted_at is None:
        blocks += actions([button("Accept", ACCEPT, str(one.id), "primary")])
    return Face(f"Handoff of {escape(one.team, 40)}: {head}", blocks)


def _list(
    title: str, items: Sequence[Item], called: Callable[[str], str], address: Callable[[int], str]
) -> list[Block]:
    if not items:
        return []
    lines = [_line(item, called, address) for item in items[:LISTED]]
    more = [f"and {len(items) - LISTED} more"] if len(items) > LISTED else []
    return [section("\n".join([f"*{title}*", *lines, *more]))]


def _pending(one: Handoff, called: Callable[[str], str]) -> list[Block]:
    """What waits for a second person."""
    lines = [_asked(asked, called) for asked in one.burden.approvals[:LISTED]]
    left = len(one.burden.approvals) - LISTED
    more = [f"and {left} more: {code('/patrol approvals')}"] if left > 0 else []
    return [section("\n".join(["*Waiting for a second person*", *lines, *more]))] if lines else []


def _asked(asked: Pending, called: Callable[[str], str]) -> str:
    about = f" for ALR-{asked.alert}" if asked.alert else ""
    by = "Patrol" if asked.by == MACHINE else called(asked.by)
    until = date(asked.until, CLOCK)
    return f"*APR-{asked.approval}* {escape(asked.title, 80)}{about}, asked for by {by} · until {until}"


def _line(item: Item, called: Callable[[str], str], address: Callable[[int], str]) -> str:
    name, url = f"ALR-{item.alert}", address(item.alert)
    named = link(url, name) if url else f"*{name}*"
    owner = f" · {called(item.owner)} has it" if item.owner and item.until is None else ""
    until = f" · until {date(item.until)}" if item.until else ""
    return f"{graded(Severity(item.severity))} {named} {escape(item.title, 80)}{owner}{until}"


def _rest(one: Handoff) -> str:
    asked = code(f"/patrol list team:{one.team}")
    return f"and {one.burden.more} more: {asked}" if one.burden.more else ""


def _state(one: Handoff, called: Callable[[str], str]) -> str:
    if one.accepted_at and one.accepted_by:
        return f"accepted by {called(one.accepted_by)} {date(one.accepted_at)}"
    late = date(one.at + ACCEPT_WITHIN, CLOCK)
    return f"not accepted yet; after {say_duration(ACCEPT_WITHIN)}, at {late}, the lead hears of it"
