"""Values for the store's tests, with everything filled in that a test does not care about."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.core.alert import Alert, Event, Lane, Terms, Work
from bot.core.change import Change, Effect
from bot.store import Store
from bot.store.claims import Claim
from bot.store.values import Ask
from sensors.model.policy import Severity
from sensors.model.run import Cause, CauseKind, Run
from sensors.model.violation import canonical
from sensors.model.window import Window

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
POLICY = "payments.refund_spike"


def alert(seller: str = "s_1", **fields: Any) -> Alert:
    """An alert that is about to open."""
    values = {"seller_id": seller}
    made = Alert(
        id=0,
        policy=POLICY,
        key=canonical(values),
        lane=Lane.live,
        terms=Terms(team="payments"),
        title=f"{seller} refunds too much",
        severity=Severity.medium,
        count=3,
        opened_at=NOON,
        fired_at=NOON,
        as_of=NOON,
        key_values=values,
        newest={"seller_id": seller, "amount": 12},
        step_due=NOON,
        version=1,
        face_seq=1,
    )
    return replace(made, **fields)


def change(made: Alert, story: str = "opened", *effects: Effect, at: datetime = NOON) -> Change:
    return Change(made, Event(made.version, at, "patrol", "fire", story, {"kind": "Fire"}), effects)


def opened(store: Store, seller: str = "s_1", *effects: Effect, **fields: Any) -> Alert:
    """An alert that stands in the store."""
    return store.act([change(alert(seller, **fields), "opened", *effects)], NOON)[0]


def stepped(was: Alert, *effects: Effect, visible: bool = True, **fields: Any) -> Change:
    """The next change of an alert, by a person."""
    fields |= {"version": was.version + 1, "face_seq": was.face_seq + visible}
    return change(replace(was, **fields), "changed", *effects)


def acknowledged(was: Alert, by: str = "ana") -> Change:
    until = NOON + timedelta(hours=4)
    return stepped(was, work=Work.acknowledged, owner=by, acknowledged_at=NOON, acknowledged_until=until)


def resolved(was: Alert, at: datetime = NOON, **fields: Any) -> Change:
    return stepped(was, work=Work.resolved, resolved_at=at, **fields)


def tick(due: datetime = NOON) -> Cause:
    return Cause(CauseKind.tick, due.isoformat())


def claimed(
    store: Store,
    cause: Cause | None = None,
    *,
    due: datetime = NOON,
    now: datetime | None = None,
    policy: str = POLICY,
    incremental: bool = True,
    minutes: int = 5,
) -> Claim:
    """A claim of the tick due at `due`, over the window from the watermark to there."""
    return store.runs.claim(
        ask(cause, due=due, policy=policy, incremental=incremental), now or due, MINUTE * minutes
    )


def ask(
    cause: Cause | None = None, *, due: datetime = NOON, policy: str = POLICY, incremental: bool = True
) -> Ask:
    """Who wants to run the tick due at `due`, over the window from the watermark to there."""

    def window(watermark: datetime | None) -> Window:
        return Window(watermark or due - MINUTE * 60, due)

    return Ask(policy, cause or tick(due), due, window, incremental, "c1")


def running(store: Store, *args: Any, **kwargs: Any) -> Run:
    """A claim that must succeed."""
    claim = claimed(store, *args, **kwargs)
    assert isinstance(claim, Run), claim
    return claim
