"""Rows of a shape's cases: `[[hit key=1 id=1 ago=10m]]` in its template becomes lines of YAML."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from bot.new.column import Value, kind_of, named, scalar
from bot.new.condition import Condition, hit, misses
from bot.new.idea import Idea
from bot.process.errors import PatrolError
from sensors.model.asset import Asset
from sensors.model.clock import parse_duration

AT = datetime(2026, 1, 5, 12, tzinfo=UTC)
PLACE = re.compile(r"^(.*)\[\[(.*)\]\]$")
DAY = timedelta(days=1)
MOST = 100  # rows that are written out one by one
Row = dict[str, Value]


@dataclass(frozen=True)
class Asked:
    """What one place of a template asks for."""

    what: str  # hit | miss | misses | of | listed
    numbers: Mapping[str, int]  # key, id, distinct, repeat, each, days
    ago: str = ""
    keyless: bool = False

    @staticmethod
    def read(text: str) -> Asked:
        what, *words = text.split()
        pairs = [word.partition("=") for word in words]
        numbers = {name: int(value) for name, _, value in pairs if value and name != "ago"}
        return Asked(what, numbers, next((v for n, _, v in pairs if n == "ago"), ""), "nokey" in words)

    def get(self, name: str, default: int = 1) -> int:
        return self.numbers.get(name, default)


def expand(text: str, idea: Idea) -> str:
    """The text with every place of rows written out; a place that stands for none is left out."""
    lines: list[str] = []
    for line in text.splitlines():
        place = PLACE.match(line)
        lines += [f"{place[1]}{one}" for one in _flow(Asked.read(place[2]), idea)] if place else [line]
    return "\n".join(lines) + "\n"


def _flow(asked: Asked, idea: Idea) -> Iterator[str]:
    for row, times in _rows(asked, idea):
        cells = [f"{scalar(name)}: {scalar(value)}" for name, value in row.items()]
        yield f"{{{', '.join([*cells, f'repeat: {times}'] if times > 1 else cells)}}}"


def _rows(asked: Asked, idea: Idea) -> Iterator[tuple[Row, int]]:
    """Each row, and how often it stands there."""
    times = asked.get("repeat")
    if times < 1:
        return
    if asked.what == "listed":
        yield _listed(asked, idea), 1
        return
    asset = idea.of if asked.what == "of" and idea.of else idea.table
    for nth, day, chosen in _variants(asked, idea.match):
        row = _row(asked, idea, asset, nth, day) | chosen
        if times == 1 or _numbers_itself(idea, asset, row):
            yield row, times
        elif times > MOST:
            raise PatrolError(
                f"--threshold: its cases would hold {times} rows written out one by one, because "
                f"{asset.name} has no id that counts up; take at most {MOST // 2}, or say --row-key."
            )
        else:
            for copy in range(times):
                yield _row(asked, idea, asset, nth, day, copy) | chosen, 1


def _variants(asked: Asked, match: tuple[Condition, ...]) -> Iterator[tuple[int, int, Row]]:
    """Number and day of each row, and what it has in the columns of the condition."""
    if asked.what == "misses":
        yield from ((n, 0, row) for n, row in enumerate(misses(match)))
    elif asked.what == "miss":
        yield from ((0, 0, row) for row in misses(match)[:1])
    else:
        chosen = {} if asked.what == "of" else hit(match)
        yield from ((n, day, chosen) for n in range(asked.get("each")) for day in range(asked.get("days")))


def _row(asked: Asked, idea: Idea, asset: Asset, nth: int, day: int, copy: int = 0) -> Row:
    """The columns that name things, and the time. Copies of a row differ in their id, or by a second."""
    ids = [c for c in idea.ids(asset) if c not in idea.key and c != idea.distinct]
    number = asked.get("id") * 1000 + nth + day * 10 + copy if _counts(idea, asset, ids) else asked.get("id")
    row: Row = {}
    for column in ids:
        kind = kind_of(asset, column, idea.dialect)
        row[column] = named(column, kind, number if kind != "text" else asked.get("id") + nth + day)
        if copy and kind == "text":
            row[column] = f"{row[column]}_{copy + 1}"
    if not asked.keyless:
        row |= key_values(idea, asset, asked.get("key"))
    if idea.distinct and asset is idea.table and "distinct" in asked.numbers:
        kind = kind_of(asset, idea.distinct, idea.dialect)
        row[idea.distinct] = named(idea.distinct, kind, asked.get("distinct") + nth)
    if (time := idea.time if asset is idea.table else idea.of_time) and asked.ago:
        at = AT - _ago(asked.ago, idea.span) - day * DAY - timedelta(seconds=0 if ids else copy + nth)
        row[time] = f"{at:%Y-%m-%dT%H:%M:%SZ}"
    return row


def _counts(idea: Idea, asset: Asset, ids: list[str]) -> bool:
    """Whether ids are numbers, which leave room for copies between them."""
    return any(kind_of(asset, column, idea.dialect) != "text" for column in ids)


def key_values(idea: Idea, asset: Asset, number: int) -> Row:
    """The nth key."""
    return {column: named(column, kind_of(asset, column, idea.dialect), number) for column in idea.key}


def _numbers_itself(idea: Idea, asset: Asset, row: Row) -> bool:
    """Whether `repeat` gives each copy an id of its own: what it counts up is the first id of the row."""
    ids = [c for c in row if c not in idea.key and c in idea.row_key and idea.shape.events]
    ids = ids or [c for c in row if c not in idea.key and (c == "id" or c.endswith("_id"))][:1]
    return (
        bool(ids) and all(c in idea.ids(asset) for c in ids) and all(_has_next(idea, asset, c) for c in ids)
    )


def _has_next(idea: Idea, asset: Asset, column: str) -> bool:
    return kind_of(asset, column, idea.dialect) in ("text", "integer", "decimal")


def _listed(asked: Asked, idea: Idea) -> Row:
    assert idea.watchlist is not None
    first = idea.on_key
    kind = kind_of(idea.table, first, idea.dialect)
    row: Row = {idea.on: named(first, kind, asked.get("key"))}
    return row | dict.fromkeys(idea.list_columns, "known")


def _ago(text: str, span: timedelta) -> timedelta:
    """`10m`, or a part of the policy's span: 0.5 is half of it."""
    found = parse_duration(text)
    return found if found is not None else float(text) * span
