"""SQL as a warehouse takes it, remembered by its text, so that nobody spells it twice."""

from __future__ import annotations

MOST = 20_000  # texts that are remembered: more than one for each policy
Spelled = dict[tuple[str, str, str], str]  # by text, dialect that it is in, dialect that it is carried into


class Untranslatable(ValueError):
    """The SQL cannot be said in the warehouse's dialect: write a `.duckdb.sql` beside it.

    `name`: the function or part of a query that has no equal there, as sqlglot calls it.
    """

    def __init__(self, said: str, name: str = "") -> None:
        super().__init__(said)
        self.name = name


_spelled: Spelled = {}


def everything() -> Spelled:
    """All that this process has carried over or was given."""
    return _spelled


def known(sql: str, read: str, write: str) -> str | None:
    return _spelled.get((sql, read, write))


def keep(sql: str, read: str, write: str, text: str) -> str:
    """Remembers what `sql` is called in `write`, and gives it back."""
    while len(_spelled) >= MOST:
        _spelled.pop(next(iter(_spelled)), None)
    _spelled[(sql, read, write)] = text
    return text
