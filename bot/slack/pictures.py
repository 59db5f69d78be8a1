"""Pictures of trends in Slack: what is drawn of an answer, and the protocol of who draws and uploads it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from bot.core.reply import DigestReply, EntityReply, PolicyReply, ShowReply
from bot.core.trend import Trend, in_words
from bot.slack.blocks import Block, Face, image
from bot.slack.lines import still_open


@dataclass(frozen=True)
class Pictured:
    """A trend that an answer is about, and whose it is."""

    title: str
    trend: Trend


class Pictures(Protocol):
    """Never raises and holds nobody up. Where there is no picture, what is said in characters is all."""

    def ask(self, trend: Trend, then: Callable[[str], None], /) -> None:
        """Calls `then` with the id of a file that Slack shows, from a thread of its own; perhaps never."""

    def known(self, trend: Trend, /) -> str:
        """The file's id where Slack has shown it before; else ""."""

    def refused(self, file_id: str, /) -> None:
        """Slack does not show this file any more: it is uploaded anew when it is asked for again."""


class NoPictures:
    """Where none are drawn."""

    def ask(self, trend: Trend, then: Callable[[str], None], /) -> None: ...

    def known(self, trend: Trend, /) -> str:  # noqa: ARG002
        return ""

    def refused(self, file_id: str, /) -> None: ...


def pictured(reply: Any) -> Pictured | None:
    """What is drawn of an answer; nothing of one without alerts by day."""
    match reply:
        case PolicyReply(policy=policy, trend=trend):
            found = Pictured(policy.name, trend)
        case ShowReply(alert=alert, trend=trend):
            found = Pictured(alert.policy, trend)
        case EntityReply(name=name, trend=trend):
            found = Pictured(name, trend)
        case DigestReply(digest=digest):
            found = Pictured(digest.team, digest.week)
        case _:
            return None
    return found if any(found.trend.by_day) else None


def picture(file_id: str, trend: Trend, title: str) -> Block:
    """The picture, with all that it shows in words."""
    return image(file_id, f"{in_words(trend)}{still_open(trend)}", title)


def alone(found: Pictured, file_id: str) -> Face:
    """The picture as a message of its own, which follows an answer."""
    title = f"{found.title}, alerts by day"
    return Face(f"{title}: {in_words(found.trend)}"[:300], [picture(file_id, found.trend, title)])
