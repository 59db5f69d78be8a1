"""Where Patrol runs, for the kinds of jobs that start something on its own host."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Place:
    """`commands`: whether patrol.yml lets jobs start programs here. Without it nothing is started."""

    project: Path = Path()
    commands: bool = False

    @property
    def state(self) -> Path:
        """What is kept of each run of a command, so that the next Patrol finds it again."""
        return self.project / ".patrol" / "commands"
