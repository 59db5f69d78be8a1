"""Claims: the right to run a cause, for many of them in one transaction; a dead owner's run is taken over."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from secrets import token_hex
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    Row,
    and_,
    bindparam,
    select,
    union_all,
    update,
)
from sqlalchemy.exc import IntegrityError

from bot.store.database import Database
from bot.store.states import begin_in
from bot.store.tables import ONE_RUNNING, PLANNED, RETRIED, RUNNING, WAITING, policy_state
from bot.store.tables import runs as t
from bot.store.values import Ask, Done, Held, Waiting
from sensors.model.graph import policy_ref
from sensors.model.run import Cause, Run, RunStatus, Submitted
from sensors.model.window import Window

Claim = Run | Held | Done | Waiting
Known = Mapping[
    str, Sequence[Row[Any]]
]  # by policy: runs of the causes asked for, and what runs or waits now

# Statements are built once: what they cost is mostly their building.
POLICIES: BindParameter[str] = bindparam("policies", expanding=True)
CAUSES: BindParameter[str] = bindparam("causes", expanding=True)
ITS = t.c.policy.in_(POLICIES)
KNOWN = union_all(  # not one condition with OR: for that SQLite may read every run of these policies
    select(t).where(ITS, t.c.cause.in_(CAUSES)),
    select(t).where(ITS, ONE_RUNNING),
    select(t).where(ITS, WAITING),
)
WATERMARKS = (  # in one order for all, so that two who claim never wait for each other
    select(policy_state.c.policy, policy_state.c.watermark)
    .where(policy_state.c.policy.in_(POLICIES))
    .order_by(policy_state.c.policy)
)
HELD_WATERMARKS = WATERMARKS.with_for_update()


def claim_all(
    database: Database, c: Connection, asks: Sequence[Ask], now: datetime, lease: timedelta
) -> list[Claim]:
    """Each ask's run, who has it, or how it ended."""
    known = _known(c, asks)
    claims: dict[int, Claim] = {}
    fresh: dict[int, Ask] = {}
    for n, ask in enumerate(asks):
        mine, other, waits = _mine(known, ask.policy, ask.cause), _other(known, ask), _waiting(known, ask)
        if mine and mine.retry_at:
            claims[n] = _tried_again(c, mine, other, ask, now, lease)
        elif mine and mine.status != RunStatus.waiting:
            claims[n] = _taken_over(c, mine, now, lease)
        elif other:
            claims[n] = Held(other.lease_until, Cause.parse(other.cause))
        elif waits:
            claims[n] = _goes_on(database, c, waits, ask, now, lease)
        else:
            fresh[n] = ask
    if fresh:
        claims |= _begun(database, c, fresh, now, lease)
    return [claims[n] for n in range(len(asks))]


def _known(c: Connection, asks: Sequence[Ask]) -> Known:
    found: dict[str, list[Row[Any]]] = defaultdict(list)
    asked = {"policies": [ask.policy for ask in asks], "causes": list({str(ask.cause) for ask in asks})}
    for row in c.execute(KNOWN, asked):
        found[row.policy].append(row)
    return found


def _mine(known: Known, policy: str, cause: Cause) -> Row[Any] | None:
    return next((row for row in known.get(policy, ()) if row.cause == str(cause)), None)


def _other(known: Known, ask: Ask) -> Row[Any] | None:
    """The policy's run that stands in the way of an incremental one."""
    rows = known.get(ask.policy, ()) if ask.incremental else ()
    return next((row for row in rows if row.status == RunStatus.running and row.incremental), None)


def _waiting(known: Known, ask: Ask) -> Row[Any] | None:
    """The policy's run that waits for late data: whatever comes due meanwhile is looked at by that one."""
    rows = known.get(ask.policy, ()) if ask.cause.moves_watermark else ()
    return next((row for row in rows if row.status == RunStatus.waiting), None)


def _goes_on(
    database: Database, c: Connection, found: Row[Any], ask: Ask, now: datetime, lease: timedelta
) -> Claim:
    """The waiting run goes on to wait, with the newer cause and due time; or begins, over all."""
    mine = update(t).where(t.c.id == found.id, WAITING)
    asked = {"cause": str(ask.cause), "kind": ask.cause.kind.value, "due": max(found.due, ask.due)}
    try:
        with c.begin_nested():
            if ask.waits:
                kept = c.execute(mine.values(**asked, error=ask.waits)).rowcount == 1
                return Waiting(found.started_at, ask.waits) if kept else Held(now, ask.cause)
            hold = HELD_WATERMARKS if ask.incremental else WATERMARKS
            run = replace(
                _run(ask, dict(c.execute(hold, {"policies": [ask.policy]}).all()).get(ask.policy)),
                id=found.id,
            )
            values = {**_columns(run, now + lease, now), **asked, "incremental": ask.incremental}
            if c.execute(mine.values(**values, content=ask.content, error=None)).rowcount != 1:
                return Held(now, ask.cause)  # somebody was quicker: ask again
            _for_states(database, c, [ask], now)
            return run
    except IntegrityError:  # another run of the policy begins just now, or has this cause
        return _who_has_it(c, ask, now)


def _for_states(database: Database, c: Connection, begun: Iterable[Ask], now: datetime) -> None:
    """For which states of upstreams these runs are."""
    named = [(policy_ref(one.policy), one.cause.detail, one.states) for one in begun if one.states]
    begin_in(database, c, named, now)


def _begun(
    database: Database, c: Connection, fresh: Mapping[int, Ask], now: datetime, lease: timedelta
) -> dict[int, Claim]:
    """New runs, all inserted at once; where somebody was quicker between our look and our insert, who."""
    fresh = dict(sorted(fresh.items(), key=lambda item: item[1].policy))  # in one order for all, here too
    hold = any(ask.incremental for ask in fresh.values())
    query, named = HELD_WATERMARKS if hold else WATERMARKS, {"policies": [a.policy for a in fresh.values()]}
    marks = dict(c.execute(query, named).all())
    runs = {n: _run(ask, marks.get(ask.policy)) for n, ask in fresh.items()}
    rows = [_row(run, ask, now, lease) for run, ask in zip(runs.values(), fresh.values(), strict=True)]
    ids = {token: run_id for run_id, token in c.execute(_new_runs(database), rows)}
    _for_states(
        database, c, [fresh[n] for n, run in runs.items() if run.token in ids and not fresh[n].waits], now
    )
    return {n: _made(c, run, fresh[n], ids.get(run.token), now) for n, run in runs.items()}


def _row(run: Run, ask: Ask, now: datetime, lease: timedelta) -> dict[str, Any]:
    row = {**_columns(run, now + lease, now), "incremental": ask.incremental, "content": ask.content}
    waits = {**NO_WINDOW, "status": RunStatus.waiting.value, "lease_until": None, "error": ask.waits}
    return {**row, **waits} if ask.waits else {**row, "error": None}


def _made(c: Connection, run: Run, ask: Ask, run_id: int | None, now: datetime) -> Claim:
    if run_id is None:
        return _who_has_it(c, ask, now)
    return Waiting(now, ask.waits) if ask.waits else replace(run, id=run_id)


def _new_runs(database: Database) -> Any:
    return database.statement(
        "new runs", lambda: database.insert(t).on_conflict_do_nothing().returning(t.c.id, t.c.token)
    )


def _run(ask: Ask, mark: datetime | None) -> Run:
    window = ask.window_of(mark)
    return Run(0, ask.policy, ask.cause, ask.due, window, token_hex(8), mark, 1, ask.by, ask.alert)


def _taken_over(c: Connection, found: Row[Any], now: datetime, lease: timedelta) -> Claim:
    if found.status != RunStatus.running:
        return Done(RunStatus(found.status))
    if found.lease_until > now:
        return Held(found.lease_until, Cause.parse(found.cause))
    taken = _begun_again(c, found, and_(RUNNING, t.c.lease_until <= now), now, lease)
    if not isinstance(taken, Run):
        return taken
    known = found.query_id and found.query_asks
    submitted = Submitted(found.query_id, found.query_asks) if known else None
    return replace(taken, taken_over=True, submitted=submitted)


def _tried_again(
    c: Connection, found: Row[Any], other: Row[Any] | None, ask: Ask, now: datetime, lease: timedelta
) -> Claim:
    """A failed run once more, when its time has come; a newer tick of its policy looks for it, too."""
    if found.retry_at > now:
        return Done(RunStatus(found.status))
    if other:
        return Held(other.lease_until, Cause.parse(other.cause))
    newer = select(t.c.id).where(t.c.policy == found.policy, PLANNED, t.c.due > found.due).limit(1)
    if c.execute(newer).first():
        c.execute(update(t).where(t.c.id == found.id, RETRIED).values(retry_at=None))
        return Done(RunStatus(found.status))
    try:
        with c.begin_nested():  # another run of the policy may begin just now, and only one may be at it
            return _begun_again(c, found, and_(RETRIED, t.c.retry_at <= now), now, lease)
    except IntegrityError:
        return _who_has_it(c, ask, now)


def _begun_again(
    c: Connection, found: Row[Any], still: ColumnElement[bool], now: datetime, lease: timedelta
) -> Claim:
    """The run under a new token, with what it began with, where it `still` is to be had."""
    cause, token, attempt = Cause.parse(found.cause), token_hex(8), found.attempt + 1
    mine = update(t).where(t.c.id == found.id, t.c.token == found.token, still)
    taken = mine.values(
        status=RunStatus.running.value,
        token=token,
        attempt=attempt,
        lease_until=now + lease,
        started_at=now,
        ended_at=None,
        error=None,
        retry_at=None,
    )
    if c.execute(taken).rowcount != 1:
        return Held(now, cause)  # somebody was quicker: ask again
    return Run(
        found.id,
        found.policy,
        cause,
        found.due,
        Window(found.window_start, found.window_end, found.baseline_start),
        token,
        found.from_watermark,
        attempt,
        found.asked_by,
        found.alert_id,
    )


def _who_has_it(c: Connection, ask: Ask, now: datetime) -> Held | Done:
    """Who was quicker. Where even he is gone already, `Held` until now: ask again."""
    known = _known(c, [ask])
    mine = _mine(known, ask.policy, ask.cause)
    if mine and mine.status not in (RunStatus.running, RunStatus.waiting):
        return Done(RunStatus(mine.status))
    holder = mine or _other(known, replace(ask, incremental=True))
    until = holder.lease_until if holder else None
    return Held(until, Cause.parse(holder.cause)) if holder and until else Held(now, ask.cause)


def _columns(run: Run, until: datetime, now: datetime) -> dict[str, Any]:
    return {
        "policy": run.policy,
        "cause": str(run.cause),
        "kind": run.cause.kind.value,
        "due": run.due,
        "status": RunStatus.running.value,
        **window_columns(run.window),
        "from_watermark": run.from_watermark,
        "token": run.token,
        "lease_until": until,
        "attempt": run.attempt,
        "asked_by": run.by,
        "alert_id": run.alert,
        "started_at": now,
    }


NO_WINDOW = {"window_start": None, "window_end": None, "baseline_start": None}


def window_columns(window: Window) -> dict[str, datetime | None]:
    return {
        "window_start": window.start,
        "window_end": window.end,
        "baseline_start": window.baseline_start,
    }
