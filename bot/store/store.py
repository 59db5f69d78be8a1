"""The store: its rooms, and the two writes in which alerts change. Holds no decision of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection, text

from bot.core.alert import Alert
from bot.core.change import Change
from bot.errors import LeaseLost
from bot.store.alerts import Alerts
from bot.store.changes import write_changes, write_evidence, write_memory
from bot.store.contents import Contents
from bot.store.database import PATIENCE, Database
from bot.store.job_runs import JobRuns
from bot.store.ledger import Ledger
from bot.store.outbox import Outbox
from bot.store.renames import Renames
from bot.store.requests import Requests
from bot.store.runs import Runs, change_run, ended_columns, move_watermark
from bot.store.values import RunSave
from sensors.model.run import RunStatus


class WatermarkMoved(LeaseLost):
    """Another run looked at these rows first. Drop the result: the run is recorded as skipped."""


class Store:
    """Everything that Patrol remembers. Each method is one short transaction; `StoreAway` where it fails."""

    def __init__(self, url: str, *, patience: timedelta = PATIENCE) -> None:
        self._database = Database(url, patience)
        self.runs = Runs(self._database)
        self.alerts = Alerts(self._database)
        self.outbox = Outbox(self._database)
        self.jobs = JobRuns(self._database)
        self.contents = Contents(self._database)
        self.requests = Requests(self._database)
        self.ledger = Ledger(self._database)
        self.renames = Renames(self._database)
        self.on_commit: Callable[[], None] | None = None  # called after `save` and `act`: there is work

    def save(self, saved: RunSave, now: datetime) -> tuple[Alert, ...]:
        """Ends a run with all that it found, in one transaction. The changed alerts, in order and with ids.

        Raises LeaseLost where the run is no longer ours or its watermark has moved, and Conflict where an
        alert was changed in between: load the alerts, decide again, save again; never query again.
        """
        try:
            with self._database.write() as c:
                alerts = self._save(c, saved, now)
        except WatermarkMoved as moved:
            self.runs.fail(saved.run, RunStatus.skipped, str(moved), now, saved.elapsed_s)
            raise
        self._committed()
        return alerts

    def _save(self, c: Connection, saved: RunSave, now: datetime) -> tuple[Alert, ...]:
        run = saved.run
        # the watermark first, as a claim does: two who lock in one order never block each other
        if saved.incremental and not move_watermark(self._database, c, run, saved.window.end):
            raise WatermarkMoved(f"Another run of {run.policy} has looked at these rows already.")
        ended = change_run(
            c,
            run,
            **ended_columns(saved.window, now),
            rows=saved.rows,
            violations=saved.violations,
            query_id=saved.query_id,
            elapsed_s=saved.elapsed_s,
            content=saved.content,
        )
        if not ended:
            raise LeaseLost(f"The run of {run.policy} for {run.cause} was taken over by another process.")
        alerts = write_changes(self._database, c, saved.changes, now)
        write_evidence(c, saved, alerts)
        write_memory(self._database, c, saved.remember, now)
        return alerts

    def act(self, changes: Sequence[Change], now: datetime) -> tuple[Alert, ...]:
        """Records changes that no run made: of people, of timers, of jobs. All or, with Conflict, none."""
        with self._database.write() as c:
            alerts = write_changes(self._database, c, changes, now)
        self._committed()
        return alerts

    def _committed(self) -> None:
        if self.on_commit:
            self.on_commit()

    def upgrade(self) -> str:
        """Brings the schema to the newest version; says what it did."""
        from bot.store import schema  # Alembic is slow to import, and rarely needed

        return schema.upgrade(self._database)

    def at_head(self) -> bool:
        """Whether the schema is the one that this code needs."""
        from bot.store import schema

        return schema.at_head(self._database)

    def ping(self) -> None:
        """Raises StoreAway where the database does not answer."""
        with self._database.read() as c:
            c.execute(text("SELECT 1"))

    def close(self) -> None:
        self._database.close()
