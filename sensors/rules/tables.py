"""Rules about the tables that a query reads: whose they are, how often they change, how much is read."""

from __future__ import annotations

from collections.abc import Iterator

from sensors.beside import Beside
from sensors.draft import Draft, place
from sensors.file_policy import PolicyFile
from sensors.model.asset import Asset
from sensors.model.catalog import Problem
from sensors.model.clock import say_duration
from sensors.model.policy import Query
from sensors.sql.safety import Flaw

MOST_LOOKS = 10  # in one load of the table that is loaded most often


def table_rules(one: Draft, file: PolicyFile, query: Query, beside: Beside) -> Iterator[Problem]:
    assets = [beside.assets[table] for table in query.tables if table in beside.assets]
    for asset in assets:
        if asset.owner is None:
            said = f"nobody owns {asset.name}; give it an owner in policies/_assets.yml"
            yield one.in_sql(said, asset.name, warning=True)
    if len(assets) == len(query.tables):
        yield from _too_often(one, file, assets)
    yield from _never_late(one, file, beside)
    yield from _scans(one, file, beside)


def _too_often(one: Draft, file: PolicyFile, assets: list[Asset]) -> Iterator[Problem]:
    """Looks between two loads see the same rows, unless the passing of time itself is asked about."""
    every, loads = file.schedule.shortest(), [a.load_interval for a in assets]
    if every is None or not loads or (file.window is None and "window_end" in one.binds):
        return
    soonest = min((load for load in loads if load), default=None)
    if None in loads or soonest is None or soonest < MOST_LOOKS * every:
        return
    looks = int(soonest / every)
    said = (
        f"looks {looks} times in each load: what it reads is loaded every {say_duration(soonest)}"
        " at the most often (load_interval in policies/_assets.yml)"
    )
    where = ("schedule", "cron" if file.schedule.cron else "every")
    yield one.document.problem(where, said, warning=True)


def _never_late(one: Draft, file: PolicyFile, beside: Beside) -> Iterator[Problem]:
    """To wait for a table needs a way to tell that it is late: its own, or the end of what makes it."""
    for table, when in file.needs.items():
        asset = beside.assets.get(table.lower())
        read = one.query is not None and table.lower() in one.query.tables
        if asset is None or not read or when == "run":
            continue
        if asset.late_after and asset.is_dated:
            continue
        missing = " and ".join(
            word
            for word, there in (
                ("loaded_until", asset.is_dated),
                ("freshness: {late_after: …}", asset.late_after),
            )
            if not there
        )
        said = f"has no effect: {table} says no {missing} in policies/_assets.yml, so it is never late"
        yield one.document.problem(("needs", table), said, warning=True)


def _scans(one: Draft, file: PolicyFile, beside: Beside) -> Iterator[Problem]:
    bounds = [column.rpartition(".")[2] for column in one.shaped.window] if one.shaped else []
    if one.unknown or (file.window is not None and file.window.column not in bounds):
        return  # the bound was meant, and what is wrong with it is said
    for scan in one.facts.scans:
        asset = beside.assets.get(scan.table)
        if asset is None or one.query is None or (file.window is None and scan.kept):
            continue  # the world as it is may be asked for by any condition
        bound = "in_window" if file.window is not None else f"{asset.loaded_until} >= …"
        said = f"reads all of {scan.table}, which grows; bound it by {asset.loaded_until} ({bound})"
        yield place(one.query.path, one.sql, Flaw(said, scan.table, scan.line), warning=True)
