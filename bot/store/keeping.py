"""How long things are kept: what is older is forgotten, a little at a time, so that nobody waits for it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, delete, select, update

from bot.store.alerts import ALERTS, alert_of
from bot.store.changes import columns
from bot.store.database import Database
from bot.store.tables import alerts, evidence, job_runs, messages
from bot.store.tables_of_people import approvals, audit, audit_seals

AT_ONCE = 100


@dataclass(frozen=True)
class Keep:
    """How long each is kept after it is over; None: for ever."""

    evidence: timedelta | None = None
    history: timedelta | None = None
    audit: timedelta | None = None


FOR_EVER = Keep()


class Keeping:
    def __init__(self, database: Database) -> None:
        self._database = database

    def prune(self, keep: Keep, now: datetime) -> dict[str, int]:
        """Forgets what is older; of how many alerts the rows, how many alerts, how many audit lines."""
        done = {"evidence": 0, "history": 0, "audit": 0}
        if ages := [age for age in (keep.evidence, keep.history) if age]:
            done["evidence"] = self._evidence(now - min(ages))
        if keep.history:
            done["history"] = self._history(now - keep.history)
        if keep.audit:
            done["audit"] = self._audit(now - keep.audit, now)
        return done

    def _evidence(self, before: datetime) -> int:
        """The rows of alerts that were resolved before then, and what the newest of them said."""
        has_rows = alerts.c.id.in_(select(evidence.c.alert_id))
        gone = 0
        while ids := self._ids(_over(before), has_rows):
            with self._database.write() as c:
                query: Any = ALERTS.where(alerts.c.id.in_(ids), _over(before))
                for row in c.execute(query).all():
                    left = columns(replace(alert_of(row), newest={}))
                    c.execute(update(alerts).where(alerts.c.id == row.id).values(left))
                c.execute(delete(evidence).where(evidence.c.alert_id.in_(ids)))
            gone += len(ids)
        return gone

    def _history(self, before: datetime) -> int:
        """Alerts that were resolved before then, with all that belongs to them, and ended starts of jobs. An
        alert stays while its rows are in a file at Slack: else nobody would know of the file."""
        with_file = select(messages.c.alert_id).where(
            messages.c.file_id.is_not(None), messages.c.alert_id.is_not(None)
        )
        over, gone = _over(before) & alerts.c.id.not_in(with_file), 0
        while ids := self._ids(over):
            with self._database.write() as c:
                gone += c.execute(delete(alerts).where(alerts.c.id.in_(ids), over)).rowcount
        with self._database.write() as c:
            c.execute(delete(job_runs).where(job_runs.c.ended_at < before, job_runs.c.poll_at.is_(None)))
            c.execute(delete(approvals).where(approvals.c.decided_at < before))
        return gone

    def _ids(self, *which: ColumnElement[bool]) -> list[int]:
        with self._database.read() as c:
            return list(c.execute(select(alerts.c.id).where(*which).limit(AT_ONCE)).scalars())

    def _audit(self, before: datetime, now: datetime) -> int:
        """Lines of the oldest seals; the seals stay, so that the chain does. Never one out of the middle."""
        kept = select(audit_seals.c.number).where(audit_seals.c.at >= before).order_by(audit_seals.c.number)
        gone = 0
        with self._database.read() as c:
            first = c.execute(kept.limit(1)).scalar()
            older: Any = audit_seals.c.pruned_at.is_(None)
            older = older if first is None else older & (audit_seals.c.number < first)
            numbers = list(
                c.execute(select(audit_seals.c.number).where(older).order_by(audit_seals.c.number)).scalars()
            )
        for start in range(0, len(numbers), AT_ONCE):
            part = numbers[start : start + AT_ONCE]
            with self._database.write() as c:
                gone += c.execute(delete(audit).where(audit.c.seal.in_(part))).rowcount
                c.execute(update(audit_seals).where(audit_seals.c.number.in_(part)).values(pruned_at=now))
        return gone


def _over(before: datetime) -> ColumnElement[bool]:
    return (alerts.c.work == "resolved") & (alerts.c.resolved_at < before)
