"""All that can be said against a project's files: what loading found and what a warehouse answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sensors.catalog import Loaded
from sensors.model.catalog import Catalog, Problem
from sensors.model.policy import Query
from sensors.near import near
from sensors.rules.assets import always_old, asset_rules
from sensors.rules.cases import case_rules
from sensors.rules.graph import graph_rules
from sensors.sql.refused import refusals
from sensors.warehouse import Result, Warehouse, WarehouseError
from sensors.warehouse.able import within
from sensors.yaml_marks import Document

TIMEOUT = timedelta(seconds=30)


def check(catalog: Loaded, warehouse: Warehouse | None = None) -> tuple[Problem, ...]:
    """Every problem, by place; with a warehouse also what it lacks and which SQL it refuses."""
    problems = {*catalog.problems, *_cases(catalog), *graph_rules(catalog), *_ages(catalog)}
    if warehouse is not None:
        try:
            warehouse.ping()
            for part in catalog.each:
                problems.update(part.placed(_asked(part, warehouse)))
        except WarehouseError as error:
            said = f"the warehouse cannot be asked: {error.message}"
            problems.add(Problem("patrol.yml", 1, 1, said, warning=error.transient))
    return tuple(sorted(problems))


def _cases(catalog: Loaded) -> Iterator[Problem]:
    for part in catalog.each:
        for one in part.drafts:
            yield from part.placed(case_rules(one, catalog.assets, part.root.folder))


def _ages(catalog: Loaded) -> Iterator[Problem]:
    for part in catalog.each:
        yield from part.placed(always_old(part.documents.get("policies/_assets.yml"), part.assets))


def _asked(part: Loaded, warehouse: Warehouse) -> Iterator[Problem]:
    document, usual = part.documents.get("policies/_assets.yml"), part.root.bundle.session
    yield from _assets(part, document, within(warehouse, usual))
    yield from asset_rules(document, part.assets, warehouse.dialect)
    for one in part.drafts:
        if one.query is not None and one.file is not None and not one.unknown:
            own = one.file.session.value().over(usual)
            yield from refusals(one, one.query, Asked(within(warehouse, own)))


def _assets(catalog: Catalog, document: Document | None, warehouse: Warehouse) -> Iterator[Problem]:
    """Declared tables and columns that the warehouse does not have."""
    if document is None or not isinstance(document.data, dict):
        return
    for key in document.data:
        asset = catalog.assets.get(str(key).lower())
        if asset is None or asset.kind != "table":
            continue
        columns = warehouse.columns(asset.name)
        if not columns:
            yield document.problem_at(document.at((key,), key=True), f"the warehouse has no table {key}")
            continue
        for column in (*asset.columns, *([asset.loaded_until] if asset.loaded_until else [])):
            if column not in columns:
                said = f"the warehouse's {key} has no column {column}{near(column, columns)}"
                yield document.problem((key, "columns", column), said, key=True)


@dataclass(frozen=True)
class Asked:
    """A warehouse as a reader of queries: a window without data is asked for, so that it scans nothing."""

    warehouse: Warehouse

    @property
    def dialect(self) -> str:
        return self.warehouse.dialect

    def native(self, query: Query) -> str:
        return self.warehouse.native(query)

    def read(self, query: Query, binds: Mapping[str, Any]) -> Result:
        return self.warehouse.query(self.native(query), binds, limit=1, timeout=TIMEOUT)
