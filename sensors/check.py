"""Rules over more than one file, or a warehouse: what a policy names must be there and mean something."""

from __future__ import annotations

from collections.abc import Iterator

from sensors.beside import Beside
from sensors.draft import Draft
from sensors.model.catalog import Problem


def rules(one: Draft, beside: Beside) -> Iterator[Problem]:
    """What is wrong with one policy, given everything beside it."""
    if one.file is not None:
        yield from _names(one, beside)


def _names(one: Draft, beside: Beside) -> Iterator[Problem]:
    file, document = one.file, one.document
    if file is None:
        return
    if said := beside.unknown("teams", file.owner):
        yield document.problem(("owner",), said)
    if file.violation and (said := beside.unknown("violations", file.violation)):
        yield document.problem(("violation",), said)
    for where in ("offer", "on_open"):
        for index, job in enumerate(getattr(file, where)):
            if said := beside.unknown("jobs", job):
                yield document.problem((where, index), said)
    for table in one.query.tables if one.query else ():
        if said := beside.unknown("assets", table):
            yield one.in_sql(f"{said}; declare it in policies/_assets.yml", table)
