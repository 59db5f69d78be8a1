"""All that can be said against a project's files: what loading found and what a warehouse answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sensors.case_rules import case_rules
from sensors.draft import Draft
from sensors.files import near
from sensors.model.catalog import Catalog, Problem
from sensors.model.policy import Now, Policy, Trailing
from sensors.model.window import Window
from sensors.run import look
from sensors.warehouse import Warehouse, WarehouseError
from sensors.yaml_marks import Document

AT = datetime(2000, 1, 1, tzinfo=UTC)  # a time without data: the warehouse reads the SQL and scans nothing
TIMEOUT = timedelta(seconds=30)


def check(catalog: Catalog, warehouse: Warehouse | None = None) -> tuple[Problem, ...]:
    """Every problem, by place; with a warehouse also what it lacks and which SQL it refuses."""
    problems = {*catalog.problems, *_cases(catalog)}
    if warehouse is not None:
        documents: Mapping[str, Document] = getattr(catalog, "documents", {})
        try:
            warehouse.ping()
            problems.update(_assets(catalog, documents.get("policies/_assets.yml"), warehouse))
            for policy in catalog.policies.values():
                if policy.name not in catalog.broken:
                    problems.update(_policy(policy, documents.get(policy.path), warehouse))
        except WarehouseError as error:
            said = f"the warehouse cannot be asked: {error.message}"
            problems.add(Problem("patrol.yml", 1, 1, said, warning=error.transient))
    return tuple(sorted(problems))


def _cases(catalog: Catalog) -> Iterator[Problem]:
    drafts: tuple[Draft, ...] = getattr(catalog, "drafts", ())
    for one in drafts:
        yield from case_rules(one, catalog.assets, getattr(catalog, "project", Path()))


def _assets(catalog: Catalog, document: Document | None, warehouse: Warehouse) -> Iterator[Problem]:
    """Declared tables and columns that the warehouse does not have."""
    if document is None or not isinstance(document.data, dict):
        return
    for key in document.data:
        asset = catalog.assets.get(str(key).lower())
        if asset is None or asset.kind not in ("table", "model"):
            continue
        columns = warehouse.columns(asset.name)
        if not columns:
            yield document.problem_at(document.at((key,), key=True), f"the warehouse has no table {key}")
            continue
        for column in (*asset.columns, *([asset.loaded_until] if asset.loaded_until else [])):
            if column not in columns:
                said = f"the warehouse's {key} has no column {column}{near(column, columns)}"
                yield document.problem((key, "columns", column), said, key=True)


def _policy(policy: Policy, document: Document | None, warehouse: Warehouse) -> Iterator[Problem]:
    """Has the warehouse read the query, over a window without data."""
    try:
        warehouse.native(policy.query)
    except WarehouseError as error:
        yield Problem(policy.query.path, 1, 1, error.message.removeprefix(f"{policy.query.path}: "))
        return
    looked = look(replace(policy, timeout=TIMEOUT), warehouse, _nothing(policy), limit=1)
    if looked.error is None or looked.transient:
        return
    if looked.columns and document is not None:
        yield document.problem(("key",), looked.error)
    else:
        yield Problem(policy.query.path, 1, 1, looked.error + _advice(policy, warehouse))


def _advice(policy: Policy, warehouse: Warehouse) -> str:
    """Some SQL is carried over into what the warehouse still refuses."""
    read, write = policy.query.dialect, warehouse.dialect
    if read == write or write in policy.query.native:
        return ""
    return f" (carried from {read} to {write}; a .{write}.sql beside it is taken instead)"


def _nothing(policy: Policy) -> Window:
    match policy.window:
        case Now():
            return Window(None, AT)
        case Trailing(baseline=baseline):
            return Window(AT, AT + TIMEOUT, None if baseline is None else AT - TIMEOUT)
    return Window(AT, AT + TIMEOUT)
