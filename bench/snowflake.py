"""`make bench WAREHOUSE=snowflake-local`: the same query by the bare connector and by Patrol, in one run."""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import track
from rich.table import Table
from snowflake import connector

from bot.demo.snowflake import process
from bot.engine.engine import Engine
from bot.project import Project
from bot.store import Store
from sensors.model.run import Cause, CauseKind
from sensors.warehouse.snowflake import Snowflake
from sensors.warehouse.snowflake_address import address

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
WARM = 5  # of each before it counts
SQL = "SELECT seller_id, held FROM core.sellers WHERE held AND seller_id <> ?"
TABLES = (
    "CREATE DATABASE market",
    "CREATE SCHEMA market.core",
    "CREATE TABLE market.core.sellers (seller_id VARCHAR, held BOOLEAN)",
    "INSERT INTO market.core.sellers SELECT 's_' || seq4(), FALSE FROM TABLE(GENERATOR(ROWCOUNT => 1000))",
    "INSERT INTO market.core.sellers VALUES ('s_bad', FALSE)",
)
FILES = {
    "policies/_teams.yml": "payments: {channel: C0PAYMENTS, members: {ana: {slack: U0ANA, roles: [lead]}}}\n",
    "policies/_assets.yml": "core.sellers: {owner: payments, columns: {seller_id: varchar, held: boolean}}\n",
    "policies/payments/held.yml": (
        "title: Held seller\nowner: payments\nseverity: high\nschedule: {every: 1m}\nkey: [seller_id]\n"
        'params: {none: ""}\nalert: {title: "{{ seller_id }} is held"}\n'
    ),
    "sql/payments/held.sql": (
        "-- One row per seller who is held.\n"
        "SELECT seller_id, held FROM {{ table('core.sellers') }} WHERE held AND seller_id <> :none\n"
    ),
}


def main() -> int:
    queries = _arguments().queries
    if not process.installed():
        print(process.MISSING, file=sys.stderr)
        return 2
    with process.running() as port, tempfile.TemporaryDirectory() as folder:
        where = address(process.address(port), process.USER)
        warehouse = Snowflake(where)
        with connector.connect(**where.arguments) as bare:
            for sql in TABLES:
                bare.cursor().execute(sql)
            took = _measured(queries, _ways(bare, warehouse, _engine(Path(folder), warehouse)))
        warehouse.close()
    _tell(took, queries)
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.snowflake", description=__doc__)
    parser.add_argument("--queries", type=int, default=200, help="of each way, one after the other in turn")
    return parser.parse_args()


def _ways(bare: Any, warehouse: Snowflake, engine: Engine) -> dict[str, Callable[[int], object]]:
    """What is measured, by name: each asks the same, once."""

    def plain(_: int) -> object:
        return bare.cursor().execute(SQL, ["x"]).fetchall()

    def submitted(_: int) -> object:
        cursor = bare.cursor()
        query_id = cursor.execute_async(SQL, ["x"])["queryId"]
        while bare.is_still_running(bare.get_query_status(query_id)):
            time.sleep(0.02)
        return cursor.query_result(query_id).fetchall()

    def adapter(_: int) -> object:
        return warehouse.query(SQL.replace("?", ":none"), {"none": "x"}, limit=100, timeout=MINUTE)

    def run(number: int) -> object:
        at = NOON + number * MINUTE
        return engine.tick("payments.held", Cause(CauseKind.tick, at.isoformat()), at)

    return {
        "the connector, waiting": plain,
        "the connector, submitted and polled": submitted,
        "Patrol's warehouse": adapter,
        "a run: claimed, looked, saved": run,
    }


def _engine(folder: Path, warehouse: Snowflake) -> Engine:
    for name, text in FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    store = Store(f"sqlite:///{folder / 'patrol.db'}")
    store.upgrade()
    engine = Engine(store, warehouse, Project(folder, store), lambda: datetime.now(UTC))
    engine.reload()
    return engine


def _measured(queries: int, ways: Mapping[str, Callable[[int], object]]) -> dict[str, list[float]]:
    """Milliseconds of each, in turn, so that what else the machine does falls on all alike."""
    took: dict[str, list[float]] = {name: [] for name in ways}
    console = Console(stderr=True)
    for number in track(range(WARM + queries), "asking", console=console, disable=not console.is_terminal):
        for name, way in ways.items():
            began = time.perf_counter()
            way(number)
            if number >= WARM:
                took[name].append((time.perf_counter() - began) * 1000)
    return took


def _tell(took: Mapping[str, list[float]], queries: int) -> None:
    table = Table("", "median", "95 of 100", "more than submitted and polled", title=f"{queries} each, ms")
    bare = statistics.median(took["the connector, submitted and polled"])
    for name, each in took.items():
        median, late = statistics.median(each), statistics.quantiles(each, n=20)[-1]
        table.add_row(name, f"{median:.1f}", f"{late:.1f}", f"{median - bare:+.1f}")
    Console(width=110).print(table)


if __name__ == "__main__":
    sys.exit(main())
