"""Backfills that the bot carries out: of a policy one at a time, under a lease, ended once."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from bot.core.alert import Lane
from bot.core.backfill import BackfillRun, BackfillState, Found, Stage
from bot.core.notice import Notice
from bot.core.trail import Line
from bot.store.columns import free
from bot.store.database import Database
from bot.store.notices import add_notices, changed
from bot.store.tables import alerts, runs
from bot.store.tables_backfills import BEGUN
from bot.store.tables_backfills import backfill_stages as s
from bot.store.tables_backfills import backfills as t
from bot.store.trail import add_lines
from sensors.model.run import CauseKind, RunStatus


class Backfills:
    def __init__(self, database: Database) -> None:
        self._database = database

    # ------------------------------------------------------------------- by people

    def begin(self, wanted: BackfillRun, line: Line, lease: timedelta | None = None) -> BackfillRun | None:
        """It is to be carried out from now on, and is told; None where one of its policies is being
        backfilled. `line` is the audit's, and gets its name. With a `lease` it is the caller's own."""
        values = {
            **_head(wanted),
            "by": wanted.by,
            "asked_at": wanted.asked_at,
            "team": wanted.team,
            "channel": wanted.channel,
            "again": wanted.again,
            "token": uuid.uuid4().hex if lease else "",
            "lease_until": wanted.asked_at + lease if lease else None,
        }
        try:
            with self._database.write() as c:
                made = c.execute(insert(t).values(values).returning(t.c.id)).scalar_one()
                kept = replace(wanted, id=made, token=str(values["token"]))
                for n, one in enumerate(kept.stages):
                    row = {"backfill_id": made, "n": n, "policy": one.policy, "held": True, **_stage(one)}
                    c.execute(insert(s).values(row))
                shown = Notice(kept.key, kept.team, kept.channel, {"backfill": made})
                add_notices(self._database, c, [shown], kept.asked_at)
                add_lines(c, [replace(line, about=f"{kept.name} {line.about}")])
                return kept
        except IntegrityError:  # of a policy one runs at a time
            return None

    def stop(self, backfill_id: int, by: str, line: Line) -> bool:
        """The window at hand is its last. False: it has ended, or somebody has said so before."""
        mine = and_(t.c.id == backfill_id, t.c.state == BackfillState.running.value)
        with self._database.write() as c:
            said = update(t).where(mine).values(state=BackfillState.stopping.value, ended_by=by)
            if not self._changed(c, said, backfill_id):
                return False
            add_lines(c, [line])
            return True

    def end_dead(self, backfill_id: int, by: str, line: Line, before: datetime) -> bool:
        """Ends one whose lease ran out before then, and which nobody has taken up since. False: somebody is
        at it, or it has ended."""
        dead = and_(t.c.id == backfill_id, BEGUN, t.c.lease_until < before)
        over = {
            "state": BackfillState.stopped.value,
            "ended_by": by,
            "ended_at": line.at,
            "lease_until": None,
        }
        with self._database.write() as c:
            if not self._changed(c, update(t).where(dead).values(over), backfill_id):
                return False
            self._let_go(c, backfill_id)
            add_lines(c, [line])
            return True

    def go_on(self, ended: BackfillRun, stages: Collection[Stage], line: Line) -> bool:
        """One that failed or was stopped is taken up again, with what its policies now are. False: it runs
        or is done, or one of its policies is being backfilled by another."""
        may = (BackfillState.failed.value, BackfillState.stopped.value)
        again = {"state": BackfillState.running.value, "why": "", "ended_at": None, "ended_by": ""}
        again |= {"token": "", "lease_until": None}  # whoever had it has it no longer
        try:
            with self._database.write() as c:
                mine = update(t).where(t.c.id == ended.id, t.c.state.in_(may))
                if not self._changed(c, mine.values(again), ended.id):
                    return False
                for n, one in enumerate(stages):
                    self._set_stage(c, ended.id, n, {**_stage(one), "held": True})
                add_lines(c, [line])
                return True
        except IntegrityError:  # of a policy one runs at a time
            return False

    # ------------------------------------------------------------------- by machines

    def take(self, now: datetime, lease: timedelta, most: int) -> list[BackfillRun]:
        """Those that nobody is at, or whose process died: ours by a new token until the lease runs out."""
        if most <= 0:
            return []
        nobodys = and_(BEGUN, free(t.c.lease_until, now))
        with self._database.read() as c:
            waiting = list(c.execute(select(t.c.id).where(nobodys).order_by(t.c.id).limit(most)).scalars())
        found = []
        for one in waiting:
            with self._database.write() as c:
                mine = update(t).where(t.c.id == one, nobodys)
                values = {"token": uuid.uuid4().hex, "lease_until": now + lease}
                if c.execute(mine.values(values)).rowcount == 1:
                    found += self._all(c, t.c.id == one)
        return found

    def keep(self, run: BackfillRun, now: datetime, lease: timedelta) -> BackfillState | None:
        """A longer lease, and how it is with it; None: it is no longer ours."""
        with self._database.write() as c:
            longer = _mine(run).values(lease_until=now + lease).returning(t.c.state)
            state = c.execute(longer).scalar()
            return BackfillState(state) if state else None

    def advance(self, run: BackfillRun, n: int, *, told: bool) -> BackfillState | None:
        """How far its n-th policy now is; `told`: in Slack, too. As `keep` answers."""
        stage = run.stages[n]
        so_far = {"looked": run.looked, "worked_s": run.worked.total_seconds(), "why": run.why}
        with self._database.write() as c:
            state = c.execute(_mine(run).values(so_far).returning(t.c.state)).scalar()
            if state is None:
                return None
            self._set_stage(c, run.id, n, {"done": stage.done, "bad_rows": stage.bad_rows})
            if told:
                changed(c, run.key)
            return BackfillState(state)

    def end(self, run: BackfillRun, notices: Collection[Notice], now: datetime) -> bool:
        """It is over, as `run` says. False: it is no longer ours."""
        assert run.state.ended
        with self._database.write() as c:
            over = _mine(run).values({**_head(run), "ended_at": now, "lease_until": None})
            if not self._changed(c, over, run.id):
                return False
            self._let_go(c, run.id)
            add_notices(self._database, c, notices, now)
            return True

    def give_back(self, run: BackfillRun, now: datetime) -> bool:
        """Whoever comes first takes it up, at once."""
        with self._database.write() as c:
            return c.execute(_mine(run).values(lease_until=now)).rowcount == 1

    def prune(self, before: datetime) -> int:
        """Forgets those that ended before then; how many."""
        with self._database.write() as c:
            return c.execute(delete(t).where(t.c.ended_at < before)).rowcount

    # ------------------------------------------------------------------- reading

    def get(self, backfill_id: int) -> BackfillRun | None:
        with self._database.read() as c:
            return next(iter(self._all(c, t.c.id == backfill_id)), None)

    def begun(self) -> list[BackfillRun]:
        """Those that have not ended, the oldest first."""
        with self._database.read() as c:
            return self._all(c, t.c.ended_at.is_(None))

    def of_policies(self, policies: Collection[str]) -> BackfillRun | None:
        """One that has not ended and is of one of these."""
        held = select(s.c.backfill_id).where(s.c.policy.in_(list(policies)), s.c.held)
        with self._database.read() as c:
            return next(iter(self._all(c, and_(BEGUN, t.c.id.in_(held)))), None)

    def found(self, run: BackfillRun) -> Found:
        """What it has found since it was asked for: read from runs and alerts, so that a crash loses none."""
        with self._database.read() as c:
            rows = sum(int(c.execute(_rows_of(run, one)).scalar() or 0) for one in run.stages)
            mine = (
                alerts.c.policy.in_([one.policy for one in run.stages]),
                alerts.c.opened_at >= run.asked_at,
            )
            opened = select(alerts.c.id).where(alerts.c.lane == Lane.historical.value, *mine)
            if run.ended_at:
                opened = opened.where(alerts.c.opened_at <= run.ended_at)
            return Found(rows, tuple(c.execute(opened.order_by(alerts.c.id)).scalars()))

    def _all(self, c: Connection, which: ColumnElement[bool]) -> list[BackfillRun]:
        found = c.execute(select(t).where(which).order_by(t.c.id)).all()
        mine = select(s).where(s.c.backfill_id.in_([row.id for row in found])).order_by(s.c.n)
        stages: dict[int, list[Stage]] = {}
        for row in c.execute(mine).all() if found else ():
            stages.setdefault(row.backfill_id, []).append(_read_stage(row))
        return [_read(row, tuple(stages.get(row.id, ()))) for row in found]

    def _changed(self, c: Connection, change: Any, backfill_id: int) -> bool:
        """Whether it was changed; then Slack shows so."""
        if c.execute(change).rowcount != 1:
            return False
        changed(c, f"backfill-{backfill_id}")
        return True

    def _let_go(self, c: Connection, backfill_id: int) -> None:
        """Others of its policies may be begun."""
        c.execute(update(s).where(s.c.backfill_id == backfill_id).values(held=False))

    def _set_stage(self, c: Connection, backfill_id: int, n: int, values: Mapping[str, Any]) -> None:
        c.execute(update(s).where(s.c.backfill_id == backfill_id, s.c.n == n).values(dict(values)))


def _mine(run: BackfillRun) -> Any:
    return update(t).where(t.c.id == run.id, t.c.token == run.token, BEGUN)


def _rows_of(run: BackfillRun, stage: Stage) -> Any:
    """Rows that runs over its time have given since it was asked for."""
    looked = (runs.c.kind == CauseKind.range.value, runs.c.status == RunStatus.succeeded.value)
    then = (runs.c.window_end > stage.start, runs.c.window_end <= stage.end)
    since = [runs.c.started_at >= run.asked_at]
    since += [runs.c.started_at <= run.ended_at] if run.ended_at else []
    return select(func.sum(runs.c.rows)).where(runs.c.policy == stage.policy, *looked, *then, *since)


def _head(run: BackfillRun) -> dict[str, Any]:
    return {
        "state": run.state.value,
        "why": run.why,
        "looked": run.looked,
        "worked_s": run.worked.total_seconds(),
        "ended_at": run.ended_at,
        "ended_by": run.ended_by,
    }


def _stage(one: Stage) -> dict[str, Any]:
    return {
        "content": one.content,
        "start": one.start,
        "end": one.end,
        "each_s": one.each.total_seconds() if one.each else None,
        "windows": one.windows,
        "done": one.done,
        "bad_rows": one.bad_rows,
    }


def _read_stage(row: Row[Any]) -> Stage:
    each = timedelta(seconds=row.each_s) if row.each_s else None
    return Stage(row.policy, row.content, row.start, row.end, row.windows, row.done, row.bad_rows, each)


def _read(row: Row[Any], stages: tuple[Stage, ...]) -> BackfillRun:
    return BackfillRun(
        by=row.by,
        asked_at=row.asked_at,
        stages=stages,
        team=row.team,
        channel=row.channel,
        again=row.again,
        state=BackfillState(row.state),
        id=row.id,
        token=row.token,
        why=row.why,
        looked=row.looked,
        worked=timedelta(seconds=row.worked_s),
        ended_at=row.ended_at,
        ended_by=row.ended_by,
    )
