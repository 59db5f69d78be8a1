"""Where Patrol runs: for kinds of jobs that start something on its own host, or are called back there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bot.process.errors import JobRefused


def nowhere(_idempotency_key: str) -> str:
    """Where nobody can call back."""
    raise JobRefused("Nobody can call back here: Patrol only does that while it serves.")


@dataclass(frozen=True)
class Place:
    """`commands`: whether patrol.yml lets jobs start programs here. Without it nothing is started.

    `callback`: to which address the end of the run with this key is told; JobRefused where there is none.
    """

    project: Path = Path()
    commands: bool = False
    callback: Callable[[str], str] = nowhere

    @property
    def state(self) -> Path:
        """What is kept of each run of a command, so that the next Patrol finds it again."""
        return self.project / ".patrol" / "commands"
