"""Has a DuckDB without data read every query over the tables as they are declared."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sensors.catalog import Around, Loaded, iter_only
from sensors.model.asset import Asset
from sensors.model.catalog import Problem
from sensors.near import near
from sensors.sql.refused import refusals
from sensors.warehouse.empty import Empty


def compiled(
    loaded: Loaded,
    *,
    demanded: bool,
    around: Around = iter_only,
) -> Iterator[Problem]:
    """What DuckDB refuses of queries, over the tables as they are declared.

    An error where DuckDB will run the query: `demanded` (it is the warehouse), or the policy has cases.
    Queries with problems of their own, and those over tables without declared columns, are passed over.
    """
    for part in loaded.each:
        yield from part.placed(_of(part, loaded.assets, demanded, around))


def _of(part: Loaded, assets: Mapping[str, Asset], demanded: bool, around: Around) -> Iterator[Problem]:
    empty = Empty(_wanted(part, assets), part.root.bundle.dialect)
    try:
        yield from _types(part, empty)
        for one in around(part.drafts, len(part.drafts), "queries"):
            if one.query is not None and not one.unknown and empty.tables.issuperset(one.query.tables):
                sure = demanded or bool(one.file and one.file.cases)
                unsure = empty.unsure.intersection(one.query.tables)
                yield from refusals(one, one.query, empty, warning=bool(unsure) or not sure)
    finally:
        empty.close()


def _wanted(part: Loaded, assets: Mapping[str, Asset]) -> list[Asset]:
    """Tables that a file declares or a query reads: dbt may know thousands of others."""
    read = {table for one in part.drafts if one.query is not None for table in one.query.tables}
    read |= {name.lower() for name in _declared(part)}
    return [asset for name, asset in assets.items() if name in read]


def _declared(loaded: Loaded) -> Mapping[str, Any]:
    document = loaded.documents.get("policies/_assets.yml")
    return document.data if document is not None and isinstance(document.data, dict) else {}


def _types(loaded: Loaded, empty: Empty) -> Iterator[Problem]:
    document = loaded.documents.get("policies/_assets.yml")
    for (table, column), declared in empty.unfit.items():
        for key, entry in _declared(loaded).items():
            columns = entry.get("columns") if str(key).lower() == table and isinstance(entry, dict) else None
            written = next((c for c in columns or () if c.lower() == column), None)
            if written is not None and document is not None:  # else dbt says it
                said = f'no type of SQL is called "{declared}"{near(declared, TYPES)}'
                yield document.problem((key, "columns", written), said)


TYPES = ("varchar", "text", "integer", "bigint", "double", "decimal", "boolean", "date", "timestamp", "time")
