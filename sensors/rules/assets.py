"""Rules for the ages of tables: whether the warehouse tells them, and whether they are ever young enough."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sensors.model.asset import LAST_ALTERED, Asset
from sensors.model.catalog import Problem
from sensors.model.clock import say_duration
from sensors.warehouse.able import ALTERING
from sensors.yaml_marks import Document

EMBEDDED = "duckdb"  # a file of one's own stands for the warehouse: there no table is ever late by its date
WHY_NOT = {
    "postgres": "postgres keeps no time of a table's last change: track_commit_timestamp dates rows, and"
    " pg_stat_all_tables counts since the statistics were reset",
    "duckdb": "DuckDB keeps no time of a table's last change, so it is never late there",
}


def undated(dialect: str) -> str:
    """Why a warehouse that speaks it cannot say when a table was altered; empty where it can."""
    known = WHY_NOT.get(dialect, f"Patrol does not know how {dialect} tells when a table was last changed")
    return "" if dialect in ALTERING else f"{known}: name a column in loaded_until"


def asset_rules(
    document: Document | None, assets: Mapping[str, Asset], dialect: str | None
) -> Iterator[Problem]:
    """`dialect`: of the warehouse that is asked, where it is known."""
    why = undated(dialect or EMBEDDED)
    if not why or document is None or not isinstance(document.data, dict):
        return
    for key, entry in document.data.items():
        asset = assets.get(str(key).lower())
        freshness = entry.get("freshness") if isinstance(entry, dict) else None
        said = isinstance(freshness, dict) and "by" in freshness  # here, and not by dbt
        if said and asset is not None and asset.aged_by == LAST_ALTERED:
            yield document.problem((key, "freshness", "by"), why, warning=dialect in (None, EMBEDDED))


def always_old(document: Document | None, assets: Mapping[str, Asset]) -> Iterator[Problem]:
    """Of what is old before each load its owner would be told each time, and each time that it is over."""
    for key in document.data if document is not None and isinstance(document.data, dict) else ():
        asset = assets.get(str(key).lower())
        if document is None or asset is None or asset.load_interval is None:
            continue
        spans = {"warn_after": asset.warn_after, "late_after": asset.late_after}
        name = next((name for name, span in spans.items() if span and span <= asset.load_interval), "")
        if name:
            each = say_duration(asset.load_interval)
            said = f"it is that old before each load, every {each} (load_interval); let it be older"
            yield document.problem((key, "freshness", name), said, warning=True)
