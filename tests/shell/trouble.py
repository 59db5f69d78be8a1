"""Trouble at chosen moments: a warehouse that fails, and what happens between reading and saving."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from bot.process.errors import StoreAway
from sensors.warehouse import WarehouseError
from tests.shell.making import Node

BOTH = pytest.mark.parametrize("url", ["sqlite", "postgres"], indirect=True)
EVERY = "payments.elsewhere"
HELD_NAME = "payments.held"


def counting(node: Node) -> list[str]:
    """Every query of a policy from now on."""
    asked: list[str] = []
    real = node.warehouse.query

    def query(sql: str, binds: Any, **how: Any) -> Any:
        if how.get("tag"):
            asked.append(how["tag"])
        return real(sql, binds, **how)

    node.warehouse.query = query  # type: ignore[method-assign]
    return asked


def failing(node: Node, error: WarehouseError, *, all_of_it: bool = False) -> Callable[[], None]:
    """The policies' queries fail until the answer is called; or whatever is asked of the warehouse."""
    real = node.warehouse.query

    def query(sql: str, binds: Any, **how: Any) -> Any:
        if all_of_it or how.get("tag"):
            raise error
        return real(sql, binds, **how)

    node.warehouse.query = query  # type: ignore[method-assign]

    def mend() -> None:
        node.warehouse.query = real  # type: ignore[method-assign]

    return mend


def store_away(node: Node) -> Callable[[], None]:
    """The node's store is away until the answer is called."""
    database = node.store._database
    real = database.write, database.read

    @contextmanager
    def away() -> Iterator[Any]:
        raise StoreAway("The store does not answer. Nothing was recorded; try again.")
        yield

    database.write = database.read = away  # type: ignore[method-assign]

    def back() -> None:
        database.write, database.read = real  # type: ignore[method-assign]

    return back


def in_between(node: Node, act: Callable[[], None]) -> None:
    """`act` happens once, after the rows were read and before they are saved."""
    real = node.store.save_all

    def save(*given: Any) -> Any:
        node.store.save_all = real  # type: ignore[method-assign]
        act()
        return real(*given)

    node.store.save_all = save  # type: ignore[method-assign]
