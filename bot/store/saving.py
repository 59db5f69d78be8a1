"""How runs end well: watermark, alerts, history, evidence, row memory and effects, all in one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, update

from bot.core.alert import Alert
from bot.process.errors import LeaseLost
from bot.store.changes import write_changes
from bot.store.claims import window_columns
from bot.store.database import Database
from bot.store.evidence import write_evidence, write_memory
from bot.store.runs import MINE, in_all
from bot.store.tables import policy_state
from bot.store.values import RunSave
from sensors.model.run import RunStatus

MOVE = (
    update(policy_state)
    .where(policy_state.c.policy == bindparam("its_policy"), policy_state.c.watermark == bindparam("was"))
    .values(watermark=bindparam("aim"))
)
END = MINE.values(
    **{name: bindparam(f"its_{name}") for name in ("window_start", "window_end", "baseline_start")},
    **{name: bindparam(f"its_{name}") for name in ("status", "ended_at", "rows", "violations")},
    **{name: bindparam(f"its_{name}") for name in ("query_id", "bytes", "content")},
    elapsed_s=in_all(bindparam("its_elapsed_s")),
)


class WatermarkMoved(LeaseLost):
    """Another run looked at these rows first. Drop the result: the run is recorded as skipped."""


def save_runs(
    database: Database, c: Connection, saves: Sequence[RunSave], now: datetime
) -> list[tuple[Alert, ...]]:
    """The changed alerts of each run, in order and with ids. All are saved or, with an error, none."""
    # the watermark first, as a claim does: two who lock in one order never block each other
    move_watermarks(database, c, sorted((s for s in saves if s.incremental), key=_policy))
    _end(c, saves, now)
    alerts = write_changes(database, c, [change for one in saves for change in one.changes], now)
    parts, done = [], 0
    for one in saves:
        parts.append(alerts[done : done + len(one.changes)])
        done += len(one.changes)
    write_evidence(c, [(one, part) for one, part in zip(saves, parts, strict=True)])
    write_memory(database, c, [row for one in saves for row in one.remember], now)
    return parts


def _policy(one: RunSave) -> str:
    return one.run.policy


def move_watermarks(database: Database, c: Connection, saves: Sequence[RunSave]) -> None:
    """Forward only, and only from where each run began; a run that moves nothing still needs it there."""
    first = [_move(one) for one in saves if one.run.from_watermark is None]
    on = [_move(one) for one in saves if one.run.from_watermark is not None]
    moved = (c.execute(_first_mark(database), first).rowcount if first else 0) + (
        c.execute(MOVE, on).rowcount if on else 0
    )
    if moved != len(saves):
        raise WatermarkMoved(f"Another run of {saves[0].run.policy} has looked at these rows already.")


def _move(one: RunSave) -> dict[str, Any]:
    was, end = one.run.from_watermark, one.window.end
    aim = max(was or end, end) if one.run.cause.moves_watermark else was
    return {"its_policy": one.run.policy, "was": was, "aim": aim}


def _first_mark(database: Database) -> Any:
    def build() -> Any:
        mark = bindparam("aim", type_=policy_state.c.watermark.type)
        new = database.insert(policy_state).values(policy=bindparam("its_policy"), watermark=mark)
        none_yet = policy_state.c.watermark.is_(None)
        key = [policy_state.c.policy]
        mark_it = new.on_conflict_do_update(index_elements=key, set_={"watermark": mark}, where=none_yet)
        return mark_it.execution_options(preserve_rowcount=True)

    return database.statement("first mark", build)


def _end(c: Connection, saves: Sequence[RunSave], now: datetime) -> None:
    rows = []
    for one in saves:
        values = {
            **window_columns(one.window),
            "status": RunStatus.succeeded.value,
            "ended_at": now,
            "rows": one.rows,
            "violations": one.violations,
            "query_id": one.query_id,
            "elapsed_s": one.elapsed_s,
            "bytes": one.bytes,
            "content": one.content,
            "id": one.run.id,
            "token": one.run.token,
        }
        rows.append({f"its_{name}": value for name, value in values.items()})
    if c.execute(END, rows).rowcount != len(saves):
        run = saves[0].run
        raise LeaseLost(f"The run of {run.policy} for {run.cause} was taken over by another process.")
