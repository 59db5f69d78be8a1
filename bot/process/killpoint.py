"""Named places where a test may have this process killed, to show that nothing is lost by it."""

from __future__ import annotations

import os
import signal
from pathlib import Path

POINTS = (
    "claim.before",
    "claim.after",
    "save.before",
    "save.after",
    "send.before",
    "send.after",
    "record.before",
    "record.after",
)
# reached only where there is a file, a digest, or a bundle to pull
RARE = (
    *("upload.after", "digest.before", "digest.after"),
    *("bundle.fetched", "bundle.file", "bundle.placed", "bundle.kept"),
)


def reach(point: str) -> None:
    """Kills this process (SIGKILL) if PATROL_KILL_AT names the point; PATROL_KILL_LOG notes that it was hit.

    `PATROL_KILL_AT=send.after:3` means the third time that the point is reached.
    """
    wanted, _, count = os.environ.get("PATROL_KILL_AT", "").partition(":")
    if wanted != point:
        return
    _reached.append(point)
    if len(_reached) < int(count or 1):
        return
    if log := os.environ.get("PATROL_KILL_LOG"):
        with Path(log).open("a") as file:
            file.write(f"{point}\n")
            file.flush()
            os.fsync(file.fileno())
    os.kill(os.getpid(), signal.SIGKILL)


_reached: list[str] = []
