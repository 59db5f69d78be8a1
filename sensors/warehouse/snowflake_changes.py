"""Whether tables have changed: a mark of each, which Snowflake tells without waking a warehouse."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from sensors.warehouse import WarehouseError

Ask = Callable[[str, Sequence[Any]], Sequence[Sequence[Any]]]  # SQL and its values → rows
Mark = str  # differs when what the table holds may have changed; says nothing else
UNMARKED_S = 600.0  # so long a table that has none is not asked for one: an external one, say
MANY = 500  # tables in one statement


class Changes:
    """Of one kind of session. Its caller keeps threads apart. Names are plain ones: see snowflake_tables."""

    def __init__(self, ask: Ask, clock: Callable[[], float] = time.monotonic) -> None:
        self._ask = ask
        self._clock = clock
        self._unmarked: dict[str, float] = {}  # until when

    def marks(self, tables: Iterable[str]) -> dict[str, Mark]:
        """Those without one are left out: they may have changed. Asks for all at once.

        Snowflake says the mark to be no time, and to grow with each change; a SELECT without FROM needs no
        warehouse, which a look into INFORMATION_SCHEMA does.
        """
        wanted = [table for table in tables if self._unmarked.get(table, 0.0) <= self._clock()]
        found: dict[str, Mark] = {}
        for start in range(0, len(wanted), MANY):
            found |= self._of(wanted[start : start + MANY])
        return found

    def _of(self, tables: list[str]) -> dict[str, Mark]:
        try:
            return self._asked(tables)
        except WarehouseError as error:
            if error.transient:
                raise
            if len(tables) == 1:
                self._unmarked[tables[0]] = self._clock() + UNMARKED_S
                return {}
            half = len(tables) // 2  # one that is gone is no reason to know nothing of the others
            return self._of(tables[:half]) | self._of(tables[half:])

    def _asked(self, tables: list[str]) -> dict[str, Mark]:
        each = (f"SYSTEM$LAST_CHANGE_COMMIT_TIME('{table}') AS c{n}" for n, table in enumerate(tables))
        ((*marks,),) = self._ask(f"SELECT {', '.join(each)}", [])
        return {table: str(mark) for table, mark in zip(tables, marks, strict=True) if mark is not None}
