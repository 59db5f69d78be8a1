"""What a database's error means and what to do, in a sentence. Knows drivers by their words only."""

from __future__ import annotations

import re

from sqlalchemy import URL
from sqlalchemy.exc import DatabaseError, InterfaceError, InternalError, OperationalError

from bot.process.errors import StoreAway, StoreUnfit


def in_plain_words(error: DatabaseError, url: URL) -> StoreAway | None:
    """What happened and what to do; None where the mistake is ours and not the database's."""
    said = str(error.orig).strip().splitlines()[0] if str(error.orig).strip() else type(error.orig).__name__
    low = said.lower()
    where = url.render_as_string(hide_password=True)
    if _lacks(low):
        return StoreAway(f"The store at {where} lacks its tables or has old ones: run `patrol db upgrade`.")
    for sign, sentence in UNFIT.items():
        if re.search(sign, low):
            return StoreUnfit(f"The store at {where} {sentence.format(said=said)}")
    if not isinstance(error, (OperationalError, InterfaceError, InternalError)):
        return None
    for sign, sentence in SENTENCES.items():
        if sign in low:
            return StoreAway(f"The store at {where} {sentence}")
    return StoreAway(
        f"The store at {where} does not answer ({said}). Nothing was recorded; try again shortly."
    )


def _lacks(low: str) -> bool:
    return (
        "no such table" in low
        or "no such column" in low
        or "has no column" in low
        or ("does not exist" in low and ("relation" in low or "column" in low))
    )


NOT_LET_IN = "does not let Patrol in ({said}): set PATROL_STORE_URL right, or have the access given."
# Signs (patterns) in what the database says, in lower case. What stands under UNFIT does not pass by waiting.
UNFIT = {
    "not a database": "is no SQLite file: name another one.",
    "malformed": "is damaged ({said}): put back a copy of it, or rescue it with `sqlite3 FILE .recover`.",
    "readonly": "cannot be written: check who owns the file and its folder, and that its disk takes writes.",
    "unable to open": "cannot be opened: check that its folder exists and may be written.",
    "authentication failed": NOT_LET_IN,
    "no pg_hba.conf entry": NOT_LET_IN,
    '(role|database) ".*" does not exist': NOT_LET_IN,
    "permission denied": NOT_LET_IN,
}
SENTENCES = {
    "locked": "is locked by another writer. Nothing was recorded; try again shortly.",
    "lock timeout": "is locked by another writer. Nothing was recorded; try again shortly.",
    "disk is full": "has no room on its disk. Nothing was recorded; free some room.",
    "no space left": "has no room on its disk. Nothing was recorded; free some room.",
    "disk i/o error": "cannot use its disk: it fails, is full or was taken away. Nothing was recorded.",
    "read-only transaction": "takes no writes just now, as a standby does. Nothing was recorded; try again.",
    "too many clients": "has no connection free. Nothing was recorded; raise max_connections there.",
    "too many connections": "has no connection free. Nothing was recorded; raise their number there.",
    "connection slots": "has no connection free. Nothing was recorded; raise max_connections there.",
    "deadlock": "had two writers in each other's way. Nothing was recorded; try again.",
}
