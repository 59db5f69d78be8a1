"""A policy's own test: what lies in the tables at one moment, and which alerts that comes to. Values only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

OF_THE_ALERT = ("severity", "count", "title")  # what a case may expect besides columns; they always mean this
Row = Mapping[str, Any]  # column, lower case -> value as it was written


@dataclass(frozen=True)
class Case:
    """One case as the YAML says it. `given` has rows, or the name of a CSV file, by lower-case table."""

    name: str
    at: datetime
    given: Mapping[str, tuple[Row, ...] | str]
    expect: tuple[Row, ...]

    @property
    def fires(self) -> bool:
        return bool(self.expect)


@dataclass(frozen=True)
class Filled:
    """A table's rows, each value of its column's type, in the order of `columns`; other columns are null."""

    table: str
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[Any, ...], ...] = ()
