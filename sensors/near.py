"""What somebody may have meant who mistyped a word."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def near(word: object, known: Iterable[str], cutoff: float = 0.6) -> str:
    """`; did you mean "x"?` where some known word is like this one, else nothing."""
    by_fold = {name.lower(): name for name in known}
    wanted = str(word).lower()
    found = difflib.get_close_matches(wanted, by_fold, n=1, cutoff=cutoff)
    if not found and len(wanted) >= 3 and cutoff <= 0.6:
        found = [name for name in by_fold if wanted in name or (len(name) >= 3 and name in wanted)]
    return f'; did you mean "{by_fold[found[0]]}"?' if found else ""
