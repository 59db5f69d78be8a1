"""The store: its rooms, and the two writes in which alerts change. Holds no decision of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta

from sqlalchemy import text

from bot.core.alert import Alert
from bot.core.change import Change
from bot.process.errors import Conflict, LeaseLost
from bot.store import ahead
from bot.store.alerts import Alerts
from bot.store.approvals import Approvals
from bot.store.audit import Audit
from bot.store.backfills import Backfills
from bot.store.changes import write_changes
from bot.store.contents import Contents
from bot.store.costs import Costs
from bot.store.covers import Covers
from bot.store.database import PATIENCE, Database
from bot.store.erasing import Erasing
from bot.store.evidence import add_evidence
from bot.store.groups import Groups
from bot.store.handoffs import Handoffs
from bot.store.job_runs import JobRuns
from bot.store.keeping import Keeping
from bot.store.ledger import Ledger
from bot.store.notices import Notices
from bot.store.orders import Orders
from bot.store.outage import Outage
from bot.store.outbox import Outbox, drop_unsent
from bot.store.pace import Pace
from bot.store.pulls import Pulls
from bot.store.renames import Renames
from bot.store.requests import Requests
from bot.store.runs import Runs
from bot.store.saving import WatermarkMoved, save_runs
from bot.store.sightings import Sightings
from bot.store.snoozes import Snoozes
from bot.store.states import UpstreamStates
from bot.store.tables import pacing
from bot.store.trail import Trail, add_lines
from bot.store.uploads import Uploads
from bot.store.values import Beside, RunSave
from bot.store.verdicts import Verdicts
from sensors.model.run import RunStatus

Saved = tuple[Alert, ...] | Conflict | LeaseLost  # the changed alerts of a run, or why it was not saved


class Store:
    """Everything that Patrol remembers. Each method is one short transaction; `StoreAway` where it fails."""

    def __init__(self, url: str, *, patience: timedelta = PATIENCE) -> None:
        self._database = Database(url, patience)
        self.runs = Runs(self._database)
        self.alerts = Alerts(self._database)
        self.outbox = Outbox(self._database)
        self.uploads = Uploads(self._database)
        self.pace = Pace(self._database)
        self.jobs = JobRuns(self._database)
        self.sightings = Sightings(self._database)
        self.approvals = Approvals(self._database)
        self.contents = Contents(self._database)
        self.pulls = Pulls(self._database, self.contents)
        self.requests = Requests(self._database)
        self.audit = Audit(self._database)
        self.costs = Costs(self._database)
        self.ledger = Ledger(self._database)
        self.renames = Renames(self._database)
        self.verdicts = Verdicts(self._database)
        self.trail = Trail(self._database)
        self.erasing = Erasing(self._database)
        self.keeping = Keeping(self._database)
        self.snoozes = Snoozes(self._database)
        self.orders = Orders(self._database)
        self.backfills = Backfills(self._database)
        self.states = UpstreamStates(self._database)
        self.covers = Covers(self._database)
        self.groups = Groups(self._database)
        self.handoffs = Handoffs(self._database)
        self.notices = Notices(self._database)
        self.on_commit: Callable[[], None] | None = None  # called after `save` and `act`: there is work

    def save(self, saved: RunSave, now: datetime) -> tuple[Alert, ...]:
        """Ends a run with all that it found, in one transaction. The changed alerts, in order and with ids.

        Raises LeaseLost where the run is no longer ours or its watermark has moved, and Conflict where an
        alert was changed in between: load the alerts, decide again, save again; never query again.
        """
        try:
            return self._saved([saved], now)[0]
        except WatermarkMoved as moved:
            self.runs.fail(saved.run, RunStatus.skipped, str(moved), now, saved.elapsed_s)
            raise

    def save_all(self, saves: Sequence[RunSave], now: datetime) -> list[Saved]:
        """The same for many runs in one transaction; where one of them cannot be saved, each by itself."""
        if len(saves) > 1:
            with suppress(Conflict, LeaseLost):
                return list(self._saved(saves, now))
        return [self._alone(one, now) for one in saves]

    def _alone(self, one: RunSave, now: datetime) -> Saved:
        try:
            return self.save(one, now)
        except (Conflict, LeaseLost) as why:
            return why

    def _saved(self, saves: Sequence[RunSave], now: datetime) -> list[tuple[Alert, ...]]:
        with self._database.write() as c:
            alerts = save_runs(self._database, c, saves, now)
        self._committed()
        return alerts

    def act(
        self, changes: Sequence[Change], now: datetime, beside: Beside | None = None
    ) -> tuple[Alert, ...]:
        """Records changes that no run made: of people, of timers, of jobs. All or, with Conflict, none."""
        with self._database.write() as c:
            alerts = write_changes(self._database, c, changes, now)
            if beside:
                add_evidence(c, beside.evidence, alerts)
                drop_unsent(c, beside.dropped, now)
                add_lines(c, beside.trail)
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

    def clock(self) -> float | None:
        """The database's own time in seconds since the epoch; None where it is this machine's."""
        from bot.store import schema

        return None if self._database.sqlite else schema.clock(self._database)

    def ping(self) -> None:
        """Raises StoreAway where the database does not answer."""
        with self._database.read() as c:
            c.execute(text("SELECT 1"))

    @property
    def outage(self) -> Outage:
        """Whether it can be written to, as its last writes found it."""
        return self._database.outage

    def try_to_write(self) -> None:
        """Writes something that means nothing, to find out whether that goes again; StoreAway where not."""
        insert = self._database.insert(pacing).values(name="probe", free_at_us=0)
        again = insert.on_conflict_do_update(index_elements=[pacing.c.name], set_={"free_at_us": 0})
        with self._database.write() as c:
            c.execute(again)

    def set_right(self, now: datetime) -> int:
        """Brings back what a clock that was ahead has put into the future; how much of it there was."""
        return ahead.set_right(self._database, now)

    def close(self) -> None:
        self._database.close()
