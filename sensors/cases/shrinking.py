"""Makes rows fewer while something still holds of them: halves are left out, then halves of those. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sensors.cases.slicing import Tables

Rows = tuple[tuple[str, int], ...]  # a row is its table and its number there


def shrunk(tables: Tables, holds: Callable[[Tables], bool], most: int = 300) -> tuple[Tables, bool]:
    """As few rows as still make `holds` true, found with at most `most` tries; and whether none is left that
    could go by itself. `holds` must be true of `tables`; every table stays, if need be without rows."""
    budget = _Budget(holds, tables, most)
    rows: Rows = tuple((table, n) for table, held in tables.items() for n in range(len(held)))
    parts = 2
    while rows and budget.left:
        size = max(1, len(rows) // parts)
        for start in range(0, len(rows), size):
            fewer = (*rows[:start], *rows[start + size :])
            if budget.try_it(fewer):
                rows, parts = fewer, max(parts - 1, 2)
                break
        else:
            if size == 1:
                return of(tables, rows), True
            parts = min(parts * 2, len(rows))
    return of(tables, rows), not rows


class _Budget:
    """Counts tries, so that a case is made in seconds however many rows there are."""

    def __init__(self, holds: Callable[[Tables], bool], tables: Tables, most: int) -> None:
        self.holds = holds
        self.tables = tables
        self.left = most

    def try_it(self, rows: Rows) -> bool:
        if not self.left:
            return False
        self.left -= 1
        return self.holds(of(self.tables, rows))


def of(tables: Tables, rows: Sequence[tuple[str, int]]) -> Tables:
    """Only these rows of the tables."""
    kept = set(rows)
    return {
        table: tuple(row for n, row in enumerate(held) if (table, n) in kept)
        for table, held in tables.items()
    }
