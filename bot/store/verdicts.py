"""What people have called alerts, and with what text of the policy each was found. Reads only."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import case, func, select

from bot.core.alert import Disposition, FalseCause, Lane
from bot.core.earned import Verdict
from bot.store.database import Database
from bot.store.tables import alerts as t
from bot.store.tables import evidence, runs

WRONG = t.c.disposition == Disposition.false_positive.value


class Tally(NamedTuple):
    """How many alerts a policy opened in a lane, of which so many were judged and so many left alone."""

    policy: str
    opened: int
    judged: int
    left_alone: int


class Verdicts:
    def __init__(self, database: Database) -> None:
        self._database = database

    def tallies(self, lane: Lane, since: datetime) -> list[Tally]:
        """Of every policy that has opened an alert in this lane since then, by one query."""
        judged = t.c.disposition.in_([Disposition.true_positive.value, Disposition.false_positive.value])
        query = (
            select(
                t.c.policy,
                func.count(),
                func.sum(case((judged, 1), else_=0)),
                func.sum(case((t.c.work_seq == 0, 1), else_=0)),
            )
            .where(t.c.lane == lane.value, t.c.opened_at >= since)
            .group_by(t.c.policy)
        )
        with self._database.read() as c:
            return [Tally(name, opened, right, alone) for name, opened, right, alone in c.execute(query)]

    def of(self, policy: str, lane: Lane, since: datetime) -> list[tuple[str, Verdict]]:
        """The policy's alerts that were opened since then, each with the content of its newest run."""
        newest = select(func.max(evidence.c.run_id)).where(evidence.c.alert_id == t.c.id).scalar_subquery()
        said = case((WRONG, t.c.body), else_=None).label("body")
        query = (
            select(t.c.opened_at, t.c.disposition, t.c.work_seq, said, runs.c.content)
            .join_from(t, runs, runs.c.id == newest)
            .where(t.c.policy == policy, t.c.lane == lane.value, t.c.opened_at >= since)
            .order_by(t.c.id)
        )
        with self._database.read() as c:
            return [
                (
                    r.content,
                    Verdict(
                        r.opened_at,
                        Disposition(r.disposition) if r.disposition else None,
                        FalseCause(cause) if (cause := (r.body or {}).get("false_cause")) else None,
                        r.work_seq > 0,
                    ),
                )
                for r in c.execute(query)
            ]

    def contents(self, policy: str) -> list[str]:
        """The texts under which its remembered runs were made."""
        with self._database.read() as c:
            asked = select(runs.c.content).where(runs.c.policy == policy, runs.c.content != "").distinct()
            return list(c.execute(asked).scalars())

    def first_run(self, policy: str, contents: Collection[str]) -> datetime | None:
        """When the first run with one of these began: that one is never forgotten."""
        mine = (runs.c.policy == policy, runs.c.content.in_(contents), runs.c.started_at.is_not(None))
        with self._database.read() as c:
            return c.execute(select(runs.c.started_at).where(*mine).order_by(runs.c.id).limit(1)).scalar()
