"""One look by a process of its own: `python -m tests.shell.looker PROJECT STORE WAREHOUSE SECONDS`.

It takes over what the dead have left, or does the tick of NOON, its clock the given seconds past NOON.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.engine.engine import Engine
from bot.project import Project
from bot.store import Store
from sensors.model.run import Cause, CauseKind
from sensors.warehouse import connect

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)


def main() -> None:
    folder, store_url, warehouse_url, seconds = sys.argv[1:]
    store, warehouse = Store(store_url), connect(warehouse_url)
    now = NOON + timedelta(seconds=float(seconds))
    engine = Engine(store, warehouse, Project(Path(folder), store), lambda: now)
    engine.reload()
    dead = engine.dead()
    for run in dead:
        engine.take_over(run)
    if not dead:
        engine.tick("payments.elsewhere", Cause(CauseKind.tick, NOON.isoformat()), NOON)
    warehouse.close()
    store.close()


if __name__ == "__main__":
    main()
