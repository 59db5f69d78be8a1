"""`patrol`, or `python -m bot`: the command line."""

from __future__ import annotations

import sys

from bot.cli.group import patrol
from bot.errors import PatrolError


def main() -> None:
    """Runs the command line; what went wrong is one plain sentence and exit code 2, never a traceback."""
    try:
        patrol(prog_name="patrol")
    except PatrolError as error:
        print(f"patrol: {error}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
