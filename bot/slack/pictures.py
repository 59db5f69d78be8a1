"""Pictures in Slack: what is drawn of an answer, and the protocol of who draws and uploads it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from bot.core.layout import Layout
from bot.core.reply import DigestReply, EntityReply, GraphReply, PolicyReply, ShowReply
from bot.core.trend import Trend, in_words
from bot.slack import graph
from bot.slack.blocks import Block, Face, image
from bot.slack.lines import still_open

Drawn = Trend | Layout  # alerts by day, or what hangs on what


@dataclass(frozen=True)
class Pictured:
    """What is drawn of an answer, with its title and all that it shows in words."""

    title: str
    drawn: Drawn
    words: str


class Pictures(Protocol):
    """Never raises and holds nobody up. Where there is no picture, what is said in characters is all."""

    def ask(self, drawn: Drawn, then: Callable[[str], None], /) -> None:
        """Calls `then` with the id of a file that Slack shows, from a thread of its own; perhaps never."""

    def known(self, drawn: Drawn, /) -> str:
        """The file's id where Slack has shown it before; else ""."""

    def refused(self, file_id: str, /) -> None:
        """Slack does not show this file any more: it is uploaded anew when it is asked for again."""


class NoPictures:
    """Where none are drawn."""

    def ask(self, drawn: Drawn, then: Callable[[str], None], /) -> None: ...

    def known(self, drawn: Drawn, /) -> str:  # noqa: ARG002
        return ""

    def refused(self, file_id: str, /) -> None: ...


def pictured(reply: Any) -> Pictured | None:
    """What is drawn of an answer; nothing of one without alerts by day, and of a graph that is too large."""
    match reply:
        case PolicyReply(policy=policy, trend=trend):
            return _by_day(policy.name, trend)
        case ShowReply(alert=alert, trend=trend):
            return _by_day(alert.policy, trend)
        case EntityReply(name=name, trend=trend):
            return _by_day(name, trend)
        case DigestReply(digest=digest):
            return _by_day(digest.team, digest.week)
        case GraphReply(of=of, layout=layout) if layout.boxes:
            return Pictured(f"What hangs on {of.name if of else 'what'}", layout, graph.in_words(reply))
    return None


def _by_day(title: str, trend: Trend) -> Pictured | None:
    words = f"{in_words(trend)}{still_open(trend)}"
    return Pictured(f"{title}, alerts by day", trend, words) if any(trend.by_day) else None


def picture(file_id: str, trend: Trend, title: str) -> Block:
    """The picture of a trend, with all that it shows in words."""
    return image(file_id, f"{in_words(trend)}{still_open(trend)}", title)


def alone(found: Pictured, file_id: str) -> Face:
    """The picture as a message of its own, which follows an answer."""
    return Face(f"{found.title}: {found.words}"[:300], [image(file_id, found.words, found.title)])
