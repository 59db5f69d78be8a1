"""Sentences that mark people, channels and times: Slack, the log and a terminal each show them as theirs."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from sensors.model.line import printable

MARK = re.compile(r"⟦(?:(?P<who>[UWB][A-Z0-9]{1,20})|#(?P<where>[CG][A-Z0-9]{1,20})|t:(?P<when>\d{1,10}))⟧")


def who(slack: str) -> str:
    """The mark of a person, by Slack's user id; anything else stands as it is."""
    mark = f"⟦{slack}⟧"
    return mark if MARK.fullmatch(mark) else clean(slack)


def where(channel: str) -> str:
    """The mark of a channel, by Slack's id; anything else stands as it is."""
    mark = f"⟦#{channel}⟧"
    return mark if MARK.fullmatch(mark) else clean(channel)


def when(at: datetime) -> str:
    """The mark of a moment, to the second, from 1970 to 2286."""
    return f"⟦t:{int(at.timestamp())}⟧"


def clean(text: str) -> str:
    """Text from outside, without anything that could pass for a mark."""
    return text.replace("⟦", "[").replace("⟧", "]")


def line(text: object, limit: int = 90) -> str:
    """Text from rows on one line of a terminal: nothing that moves its cursor, and no longer than that."""
    shown = printable(str(text)[: 4 * limit])
    return shown if len(shown) <= limit else f"{shown[: limit - 1]}…"


def count(n: int, one: str, many: str = "") -> str:
    """`1 row`, `1,204 rows`, `2 policies`."""
    return f"{n:,} {one if n == 1 else many or one + 's'}"


def spoken(
    text: str,
    person: Callable[[str], str],
    moment: Callable[[datetime], str],
    rest: Callable[[str], str] = str,
    channel: Callable[[str], str] = str,
) -> str:
    """The sentence with its marks shown by `person`, `moment` and `channel`, and all between by `rest`."""
    parts, end = [], 0
    for mark in MARK.finditer(text):
        parts.append(rest(text[end : mark.start()]) if mark.start() > end else "")
        if mark["when"]:
            parts.append(moment(datetime.fromtimestamp(int(mark["when"]), UTC)))
        else:
            parts.append(person(mark["who"]) if mark["who"] else channel(mark["where"]))
        end = mark.end()
    return "".join([*parts, rest(text[end:]) if end < len(text) else ""])


def in_plain(text: str, names: Mapping[str, str] | None = None) -> str:
    """The sentence for a log or a terminal: `@ana`, `14:20 UTC`."""
    known = names or {}
    return spoken(text, lambda slack: f"@{known.get(slack, slack)}", lambda at: f"{at:%Y-%m-%d %H:%M} UTC")
