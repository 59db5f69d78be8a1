"""What a case gives, held against the declared tables: rows of typed values, every problem at its place."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from sensors.cases.values import Misfit, fitted, numbered
from sensors.files import shown
from sensors.model.asset import Asset
from sensors.model.case import Case, Filled, Row
from sensors.model.catalog import Catalog, Problem
from sensors.model.policy import Policy
from sensors.near import near
from sensors.warehouse.column_type import ColumnType, column_type
from sensors.yaml_marks import Document
from sensors.yaml_marks import Path as Where

REPEAT = "repeat"
MOST = 10_000  # rows of one table


@dataclass(frozen=True)
class Ground:
    """What the cases of one policy stand on."""

    document: Document
    tables: tuple[str, ...]  # that the query reads
    key: tuple[str, ...]
    row_key: tuple[str, ...]
    assets: Mapping[str, Asset]
    dialect: str
    file: Callable[[str], Path] = Path  # where the file lies whose path people read so

    @staticmethod
    def of(policy: Policy, catalog: Catalog) -> Ground:
        documents: Mapping[str, Document] = getattr(catalog, "documents", {})
        document = documents.get(policy.path) or Document(policy.path, "")
        file: Callable[[str], Path] = getattr(catalog, "file", Path)
        query = policy.query
        return Ground(document, query.tables, policy.key, policy.row_key, catalog.assets, query.dialect, file)

    @property
    def reads_unknown(self) -> bool:
        """Whether the query names a table that is not declared: then it may be one that a case means."""
        return any(table not in self.assets for table in self.tables)

    @property
    def read(self) -> list[Asset]:
        return [self.assets[table] for table in self.tables if table in self.assets]


@dataclass
class _Reading:
    """One table of one case, while it is read."""

    ground: Ground
    types: Mapping[str, ColumnType]
    table: str
    problems: list[Problem]


def filled(ground: Ground, index: int, case: Case) -> tuple[tuple[Filled, ...], tuple[Problem, ...]]:
    """The case's tables, and what is wrong with them; `index` is its place among the policy's cases."""
    problems: list[Problem] = []
    tables: list[Filled] = []
    for table, given in case.given.items():
        where: Where = ("cases", index, "given", _spelled(ground.document, index, table))
        if table not in ground.tables and not ground.reads_unknown:
            said = f"the SQL does not read this table{near(table, ground.tables)}"
            problems.append(ground.document.problem(where, said, key=True))
            continue
        if table not in ground.tables or (asset := ground.assets.get(table)) is None:
            continue  # a table that is not declared, or wrongly, is named where that stands
        if not asset.columns:
            said = "policies/_assets.yml declares no columns of this table; cases need them, with their types"
            problems.append(ground.document.problem(where, said, key=True))
            continue
        reading = _Reading(ground, _types(asset, ground.dialect), table, problems)
        found = _csv(reading, where, given) if isinstance(given, str) else _rows(reading, where, given)
        tables.append(found)
    return tuple(tables), tuple(problems)


def _spelled(document: Document, index: int, table: str) -> str:
    """The table as the YAML spells it, for its place."""
    given: Any = document.data
    for part in ("cases", index, "given"):
        try:
            given = given[part]
        except (KeyError, IndexError, TypeError):
            return table
    return next((name for name in given if name.lower() == table), table)


def _types(asset: Asset, dialect: str) -> dict[str, ColumnType]:
    unknown = ColumnType("VARCHAR", "other")  # said when the table is made
    return {name: column_type(kind, dialect) or unknown for name, kind in asset.columns.items()}


# ------------------------------------------------------------------------------ rows in the YAML


def _rows(reading: _Reading, where: Where, rows: tuple[Row, ...]) -> Filled:
    columns = tuple(dict.fromkeys(name for row in rows for name in row if name in reading.types))
    made: list[tuple[Any, ...]] = []
    for number, row in enumerate(rows):
        typed = _typed(reading, (*where, number), row)
        for copy in _repeated(reading, (*where, number), row, typed):
            made.append(tuple(copy.get(name) for name in columns))
    if len(made) > MOST:
        said = f"holds {len(made):,} rows; a case has at most {MOST:,} of a table"
        reading.problems.append(reading.ground.document.problem(where, said, key=True))
        made = made[:MOST]
    return Filled(reading.table, columns, tuple(made))


def _typed(reading: _Reading, where: Where, row: Row) -> dict[str, Any]:
    """The row's values; those that do not fit are left out and said."""
    typed: dict[str, Any] = {}
    document = reading.ground.document
    for name, value in row.items():
        if name not in reading.types:
            if name != REPEAT:
                said = f"{reading.table} has no column {name}{near(name, reading.types)}"
                reading.problems.append(document.problem(_at(document, where, name), said, key=True))
            continue
        try:
            typed[name] = fitted(value, reading.types[name])
        except Misfit as error:
            reading.problems.append(document.problem(_at(document, where, name), str(error)))
    return typed


def _at(document: Document, where: Where, name: str) -> Where:
    """The path of a row's column, in the letters that the YAML has."""
    found = (path[-1] for path in document.keys if path[:-1] == where and str(path[-1]).lower() == name)
    return (*where, next(found, name))


def _repeated(reading: _Reading, where: Where, row: Row, typed: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The row so many times as `repeat` says; each copy differs in what makes it a row of its own."""
    if REPEAT not in row or REPEAT in reading.types:
        yield typed
        return
    document, times = reading.ground.document, row[REPEAT]
    if isinstance(times, bool) or not isinstance(times, int) or not 1 <= times <= MOST:
        said = f"must be a whole number from 1 to {MOST:,}, not {shown(times)}"
        reading.problems.append(document.problem((*where, REPEAT), said))
        times = 1
    own = _own(reading, typed)
    if not own and times > 1:
        said = (
            "the copies would all be alike: give the row an id or a column of row_key, which is then numbered"
        )
        reading.problems.append(document.problem((*where, REPEAT), said))
        times = 1
    for nth in range(times):
        try:
            yield typed | {name: numbered(typed[name], nth) for name in own}
        except OverflowError:
            reading.problems.append(document.problem((*where, REPEAT), "the copies pass the end of time"))
            return


def _own(reading: _Reading, typed: Mapping[str, Any]) -> list[str]:
    """The columns that a copy numbers: of row_key but not of the key, else the first id not in the key."""
    can = [n for n, value in typed.items() if n not in reading.ground.key and numbered(value, 1) is not None]
    named = [name for name in can if name in reading.ground.row_key]
    return named or [name for name in can if name == "id" or name.endswith("_id")][:1]


# ------------------------------------------------------------------------------ rows in a CSV file


def _csv(reading: _Reading, where: Where, name: str) -> Filled:
    """The rows of a file that lies in the folder of the policy's YAML, or below it."""
    path = PurePosixPath(reading.ground.document.path).parent / name
    text = _text(reading, where, name, path)
    if text is None:
        return Filled(reading.table)
    lines = csv.reader(io.StringIO(text, newline=""), strict=True)
    file = Document(str(path), text)
    rows: list[tuple[Any, ...]] = []
    header: list[str] = []
    try:
        header = [column.strip().lower() for column in next(lines, [])]
        if not _header(reading, file, header):
            return Filled(reading.table)
        for cells in lines:
            if cells:
                rows.append(_cells(reading, file, lines.line_num, header, cells))
    except csv.Error:
        said = (
            "this is no CSV: a quote is not closed, or stands in a cell without quotes, or a cell is too long"
        )
        reading.problems.append(file.problem_at((lines.line_num or 1, 1), said))
    return Filled(reading.table, tuple(header), tuple(rows[:MOST]))


def _text(reading: _Reading, where: Where, name: str, path: PurePosixPath) -> str | None:
    """The file's text; None, and a problem where it is named, if it cannot be had."""
    said = ""
    if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts or not name.endswith(".csv"):
        said = f"must be rows, or a file x.csv in the folder of the policy's YAML, not {shown(name)}"
    else:
        try:
            return reading.ground.file(str(path)).read_text(encoding="utf-8-sig")
        except FileNotFoundError:
            said = f"there is no file {path}"
        except UnicodeDecodeError:
            said = f"{path} is not UTF-8 text; save it as UTF-8"
        except (OSError, ValueError):
            said = f"{path} cannot be read"
    reading.problems.append(reading.ground.document.problem(where, said))
    return None


def _header(reading: _Reading, file: Document, header: list[str]) -> bool:
    if not header:
        reading.problems.append(file.problem_at((1, 1), "the first line must name the columns"))
    for column in dict.fromkeys(header):
        if column not in reading.types:
            said = f"{reading.table} has no column {column or 'without a name'}{near(column, reading.types)}"
            reading.problems.append(file.problem_at((1, 1), said))
        elif header.count(column) > 1:
            reading.problems.append(file.problem_at((1, 1), f"{column} stands here twice; keep one"))
    return bool(header) and set(header) <= reading.types.keys() and len(set(header)) == len(header)


def _cells(
    reading: _Reading, file: Document, line: int, header: list[str], cells: list[str]
) -> tuple[Any, ...]:
    """One line's values; an empty cell is null."""
    if len(cells) != len(header):
        columns = "1 column" if len(header) == 1 else f"{len(header)} columns"
        said = f"the first line names {columns}, and this one gives {len(cells)}"
        reading.problems.append(file.problem_at((line, 1), said))
        return (None,) * len(header)
    values: list[Any] = []
    for column, cell in zip(header, cells, strict=True):
        try:
            values.append(fitted(cell or None, reading.types[column], from_csv=True))
        except Misfit as error:
            values.append(None)
            reading.problems.append(file.problem_at((line, 1), f"{column}: {error}"))
    return tuple(values)
