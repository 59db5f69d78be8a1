"""Text of others as one line: nothing in it moves a cursor, colours, rings, turns round or begins a line."""

from __future__ import annotations


def printable(text: object, keep: str = "") -> str:
    """The text with a blank for each character that cannot be seen; those of `keep` stay."""
    shown = str(text)
    return (
        shown if shown.isprintable() else "".join(c if c.isprintable() or c in keep else " " for c in shown)
    )
