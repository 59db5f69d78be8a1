"""The command line within this process: what it says, and its exit code."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass


@dataclass
class Ran:
    code: int
    out: str
    err: str

    @property
    def said(self) -> str:
        """All of it, with lines joined that the terminal's width has cut."""
        return " ".join((self.out + self.err).split())


Patrol = Callable[..., Ran]


def clean() -> dict[str, str]:
    return {k: v for k, v in os.environ.items() if not k.startswith(("PATROL_", "SLACK_"))}
