"""`patrol`, or `python -m bot`: the command line."""

from __future__ import annotations

import io
import sys
import traceback
from pathlib import Path

from bot.cli.group import patrol
from bot.process.errors import PatrolError
from sensors.model.line import printable

NEWLINE = "\n"


def main() -> None:
    """Runs the command line; what went wrong is one plain sentence and exit code 2, never a traceback."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal of few characters shows ? for the others
    try:
        patrol(prog_name="patrol")
    except PatrolError as error:
        print(f"patrol: {printable(error, keep=NEWLINE)}", file=sys.stderr)
        sys.exit(2)
    except OSError as error:
        what = error.filename or "what is said here cannot be written"
        print(f"patrol: {what}: {error.strerror or error}", file=sys.stderr)
        sys.exit(2)
    except Exception as mistake:
        print(f"patrol: {_ours(mistake)}", file=sys.stderr)
        sys.exit(70)


def _ours(mistake: Exception) -> str:
    """A mistake of Patrol's own, short enough to be read and exact enough to be reported."""
    place = traceback.extract_tb(mistake.__traceback__)[-1]
    what = f"{type(mistake).__name__}: {mistake}"[:500]
    return (
        f"something broke inside Patrol ({what}).\n"
        f"Please report it, with this place: {Path(place.filename).name}:{place.lineno} in {place.name}"
    )


if __name__ == "__main__":
    main()
