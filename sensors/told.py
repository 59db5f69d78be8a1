"""One thing that was looked at of what Patrol stands on, as `patrol doctor` says it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Told:
    """What was found, and what to do where it is wrong. `ok` None: it cannot be told."""

    what: str
    ok: bool | None
    do: str = ""
