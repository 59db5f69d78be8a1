"""The answer to a name that is no name of ours: the nearest one, or those there are."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from bot.core.reply import Said

MOST_NAMES = 12  # in a hint


def no_such(what: str, name: str, known: Iterable[str], also: Iterable[str] = ()) -> Said:
    """`also`: what may have been meant, and is no `what`."""
    there = sorted(known)
    near = get_close_matches(name, [*there, *also], n=1, cutoff=0.6)
    within = [one for one in there if name and one.startswith(f"{name}.")] or there
    listed = ", ".join(f"`{one}`" for one in within[:MOST_NAMES]) + (" …" if within[MOST_NAMES:] else "")
    hint = f"Did you mean `{near[0]}`?" if near else f"There are: {listed or 'none'}."
    return Said(f"There is no {what} `{name[:60]}`.", hint, ok=False)
