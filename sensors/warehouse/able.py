"""What only some warehouses can: be asked in another session, say when a table was last changed, say for
nothing whether anything has."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol, runtime_checkable

from sensors.model.asset import Asset
from sensors.model.session import Session
from sensors.warehouse import Warehouse, WarehouseError

ALTERING = ("snowflake",)  # dialects of those that say when a table was last changed


@runtime_checkable
class Sessional(Protocol):
    """A warehouse with roles, warehouses or schemas to choose from."""

    def within(self, session: Session) -> Warehouse: ...


@runtime_checkable
class Dated(Protocol):
    """A warehouse that keeps a date of each table."""

    def altered(self, assets: Iterable[Asset]) -> dict[str, datetime]: ...


@runtime_checkable
class Marked(Protocol):
    """A warehouse that says for nothing, many times a second, whether it has changed."""

    def mark(self) -> str: ...


@runtime_checkable
class Granting(Protocol):
    """A warehouse that tells what roles may do."""

    def grants(self, role: str) -> Sequence[Mapping[str, Any]]: ...


def within(warehouse: Warehouse, session: Session) -> Warehouse:
    """The same warehouse, asked in this session; one that has no such thing is asked as ever."""
    return warehouse.within(session) if session.said and isinstance(warehouse, Sessional) else warehouse


def altered(warehouse: Warehouse, assets: Iterable[Asset]) -> dict[str, datetime]:
    """When each table was last changed, however that was; tables of which it is not known are left out."""
    return warehouse.altered(assets) if isinstance(warehouse, Dated) else {}


def mark(warehouse: Warehouse) -> str:
    """What is another once anything in the warehouse may be; empty where that cannot be asked for nothing,
    or not just now."""
    try:
        return warehouse.mark() if isinstance(warehouse, Marked) else ""
    except WarehouseError:
        return ""
