"""Who acts on the command line, and the line that it leaves in the audit."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bot.core.trail import Line


def me() -> str:
    """The machine's name for its user."""
    from getpass import getuser

    try:
        return getuser()
    except (KeyError, OSError):
        return "the command line"


def acted(deed: str, about: str, words: str, now: datetime) -> Line:
    from bot.core.trail import COMMAND_LINE, Line

    return Line(now, me(), COMMAND_LINE, "", deed, about, "done", words)
