"""Patrol as a process whose clock a story puts forward: `python -m tests.flows.ahead serve`, as `bot serve`.

AHEAD names the file that says by how many seconds. The sandbox and the story read the same file.
"""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path


class Ahead:
    """A clock that is ahead of the machine's, and goes on as that does."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def __call__(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=float(self.file.read_text()))

    def seconds(self) -> float:
        """Since the epoch, as the sandbox counts."""
        return self().timestamp()

    def put(self, at: datetime) -> None:
        """It is `at` now, for all that read the file."""
        new = self.file.with_suffix(".new")
        new.write_text(str((at - datetime.now(UTC)).total_seconds()))
        new.replace(self.file)


def main() -> None:
    """What `patrol serve` does, by that clock."""
    from bot.app import serve
    from bot.cli.group import settings_of
    from sensors.apart import Apart

    project = Path(sys.argv[sys.argv.index("--project") + 1])
    reader = Apart()
    reader.begin(project)
    serve(settings_of(project, PATROL_PORT="0"), reader, Ahead(Path(os.environ["AHEAD"])))


if __name__ == "__main__":
    main()
