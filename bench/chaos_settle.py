"""When faults have stopped: what the bot still has to do before the end can be judged."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import func, select

from bench.chaos_town import ADD_UP, POLICIES, Truth
from bot.process.errors import StoreAway
from bot.store import tables as t
from bot.store.database import Database

SAID = ("reply", "page", "tell")


def unsettled(store_url: str, truth: Truth, *, looks_again: bool) -> str:
    """What is not yet done, in words; empty when all is.

    `looks_again`: some requests may have landed so late that the bot has to look once more.
    """
    database = Database(store_url)
    try:
        return _unsettled(database, truth, looks_again)
    except StoreAway as away:
        return str(away)
    finally:
        database.close()


def _unsettled(database: Database, truth: Truth, looks_again: bool) -> str:
    unknown = select(func.count()).where(t.messages.c.state == "sending")
    unposted = select(func.count()).where(t.alerts.c.shown_seq < 0)
    effects = select(func.count()).where(t.UNDONE, t.effects.c.kind.in_(SAID))
    running = (
        select(func.count()).where(t.RUNNING, t.runs.c.lease_until < datetime.now(UTC)).select_from(t.runs)
    )
    again = select(func.count()).where(t.messages.c.look_again_at.is_not(None))
    with database.read() as c:
        counts = {
            "messages of unknown outcome": c.execute(unknown).scalar_one(),
            "alerts without a card": c.execute(unposted).scalar_one(),
            "effects to be told": c.execute(effects).scalar_one(),
            "dead runs": c.execute(running).scalar_one(),
            "messages to be looked at again": c.execute(again).scalar_one() if looks_again else 0,
        }
        marks = dict(c.execute(select(t.policy_state.c.policy, t.policy_state.c.watermark)).tuples().all())
        done = t.runs.c.status == "succeeded"
        looked = select(t.runs.c.policy, func.max(t.runs.c.id)).where(done).group_by(t.runs.c.policy)
        newest = dict(c.execute(looked).tuples().all())
        began = dict(
            c.execute(select(t.runs.c.id, t.runs.c.started_at).where(t.runs.c.id.in_(newest.values())))
            .tuples()
            .all()
        )
    waits = [f"{n} {what}" for what, n in counts.items() if n]
    for name in POLICIES:
        if truth.last_row and name in ADD_UP and not _passed(marks.get(f"chaos.{name}"), truth.last_row):
            waits.append(f"{name} has not looked at the last row")
        started = began.get(newest.get(f"chaos.{name}", 0))
        if name not in ADD_UP and not _passed(started, truth.last_published):
            waits.append(f"{name} has not looked since the last load")
    return "; ".join(waits)


def _passed(at: datetime | None, after: datetime | None) -> bool:
    return at is not None and (after is None or at > after)
