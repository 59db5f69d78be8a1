"""Rules for `session:`: who may name a role, and which warehouses know of roles, warehouses and schemas."""

from __future__ import annotations

from collections.abc import Iterator

from sensors.draft import Draft
from sensors.model.catalog import Problem
from sensors.model.session import Session
from sensors.sources import Root

TAKES = {"snowflake": ("role", "warehouse", "schema"), "postgres": ("schema",)}
EMBEDDED = "duckdb"  # a file of one's own stands for the warehouse: what is said of that one is passed over
WHY_NOT = {
    "role": "the role is that of the user in the warehouse's address",
    "warehouse": "nothing there is called a warehouse",
    "schema": "write the schema into the tables' names",
}


def refused(session: Session, dialect: str) -> dict[str, str]:
    """By key: why a warehouse that speaks `dialect` cannot be told so."""
    takes = TAKES.get(dialect, ())
    if dialect == EMBEDDED:
        return {}
    return {key: f"{dialect} takes no {key} here: {WHY_NOT[key]}" for key in session.said if key not in takes}


def session_rules(one: Draft, root: Root, carry_to: str | None) -> Iterator[Problem]:
    """`carry_to`: the dialect of the warehouse that is asked, where it is known."""
    if one.file is None:
        return
    own = one.file.session.value()
    for key, why in refused(own.over(root.bundle.session), carry_to or EMBEDDED).items():
        here = ("session", key) if key in own.said else ("title",)
        said = why if key in own.said else f"bundles.{root.bundle.name}.session of patrol.yml: {why}"
        yield one.document.problem(here, said)
    if own.role and root.prefix:
        said = f"may be said for a bundle in patrol.yml alone: bundles.{root.bundle.name}.session.role"
        yield one.document.problem(("session", "role"), said)
