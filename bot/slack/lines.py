"""Alerts on a line each, and lines in sections: what answers, Home and digests are made of."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from bot.core.alert import Alert, Work
from bot.core.reply import Place
from bot.core.trend import Trend, in_words
from bot.slack.blocks import Block, section
from bot.slack.text import AGO, code, date, escape, link, mention, width
from bot.slack.wording import badges, graded, title
from sensors.model.clock import say_duration
from sensors.model.policy import After, Cron, Every, Schedule

LINES_MOST = 25
SECTION_CHARACTERS = 2_700
BARS = "▁▂▃▄▅▆▇█"


@dataclass(frozen=True)
class Room:
    """Where an answer is read: how a command is written there, and what address a message has."""

    prefix: str = "/patrol"
    address: Callable[[str, str], str] = lambda _channel, _ts: ""

    def link(self, place: Place | None) -> str | None:
        return self.address(*place) or None if place else None


ANYWHERE = Room()


def alert_line(alert: Alert, url: str | None = None) -> str:
    name = link(url, alert.name) if url else f"*{alert.name}*"
    what = f"{graded(alert.severity)} {name} {title(alert, 90)}"
    return f"{what} · {_held(alert)}{badges(alert)} · {date(alert.fired_at, AGO)}"


def _held(alert: Alert) -> str:
    if alert.snooze and alert.is_open:
        return f"snoozed until {date(alert.snooze.until)}"
    if alert.work is Work.acknowledged and alert.owner:
        return f"{mention(alert.owner)} has it"
    return alert.word.lower()


def alert_lines(alerts: Iterable[Alert], cards: Mapping[int, Place], room: Room) -> list[str]:
    """Each with a link to its card."""
    return [alert_line(alert, room.link(cards.get(alert.id))) for alert in alerts]


def scheduled(schedule: Schedule) -> str:
    """`every 5 min`, ``at `0 9 * * 1-5` UTC`` or ``after `core.orders` ``."""
    match schedule:
        case Every(interval=interval):
            return f"every {say_duration(interval)}"
        case Cron(expression=expression, timezone=zone):
            return f"at {code(expression)} {escape(zone, 40)}"
        case After(upstream=upstream):
            return f"after {', '.join(code(name, 80) for name in upstream[:5])}"


def sections(lines: Sequence[str], most: int = LINES_MOST) -> list[Block]:
    """Lines in as few sections as hold them; what does not fit is counted."""
    kept = list(lines[:most])
    if len(lines) > most:
        kept.append(f"and {len(lines) - most} more")
    packed = [""]
    for line in kept:
        fits = width(packed[-1]) + width(line) < SECTION_CHARACTERS
        packed = [*packed[:-1], f"{packed[-1]}\n{line}".strip()] if fits else [*packed, line]
    return [section(text) for text in packed if text]


def bars(by_day: Sequence[int]) -> str:
    """Alerts by day, oldest first, as a picture in one line; none for a single day."""
    most = max(by_day, default=0)
    if len(by_day) < 2 or not most:
        return ""
    return "".join(BARS[round(n / most * (len(BARS) - 1))] for n in by_day)


def trend(found: Trend) -> str:
    """The picture in characters, with what it shows in words."""
    if not found.days:
        return ""
    picture = bars(found.by_day)
    return "\n".join(filter(None, [picture and f"`{picture}`", f"{in_words(found)}{still_open(found)}"]))


def still_open(found: Trend) -> str:
    return f" {found.open} of them {'is' if found.open == 1 else 'are'} open." if found.open else ""


def titled(title: str, lines: Sequence[str], most: int = LINES_MOST) -> list[Block]:
    """Lines under a title; nothing where there are none."""
    if not any(lines):
        return []
    first, *rest = sections(lines, most)
    return [section(f"*{title}*\n{first['text']['text']}"), *rest]
