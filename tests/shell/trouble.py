"""Trouble at chosen moments: a warehouse that fails, and what happens between reading and saving."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

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


def in_between(node: Node, act: Callable[[], None]) -> None:
    """`act` happens once, after the rows were read and before they are saved."""
    real = node.store.save

    def save(*given: Any) -> Any:
        node.store.save = real  # type: ignore[method-assign]
        act()
        return real(*given)

    node.store.save = save  # type: ignore[method-assign]
