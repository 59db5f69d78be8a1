"""A policy that is run again and again over rows, with the memory that a store would keep."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from bot.core.action import Action
from bot.core.alert import Alert, Severity
from bot.core.change import Change
from bot.core.reconcile import Reconciled, Seen, reconcile
from bot.core.step import step
from sensors.model.policy import (
    AlertText,
    Every,
    Grades,
    Incremental,
    Now,
    Policy,
    Query,
    WindowKind,
)
from sensors.model.run import Looked, RunStatus
from sensors.model.team import Member, Role, Team
from sensors.model.violation import FoundRow, row_hash, violations_of
from sensors.model.window import Window
from sensors.title import title
from tests.core.making import DAY, HOUR, MINUTE, NOON

EVENTS = Incremental("sent_at", HOUR)
TEAM = Team(
    "payments",
    "C1",
    "C2",
    (
        Member("ana", "UANA"),
        Member("bo", "UBO"),
        Member("cy", "UCY", frozenset({Role.lead})),
    ),
)


def policy(window: WindowKind = EVENTS, **fields: Any) -> Policy:
    made = Policy(
        name="payments.steering",
        title="Seller steers buyers away",
        owner="payments",
        severity=Grades(((Severity.medium, 1),)),
        schedule=Every(timedelta(minutes=5)),
        key=("seller_id",),
        query=Query("select 1", "duckdb", "sql/payments/steering.sql", ("core.chat",)),
        alert=AlertText("{{ seller_id }} did it {{ count }} times"),
        content="c1",
        path="policies/payments/steering.yml",
        window=window,
        row_key=("id",),
    )
    return replace(made, **fields)


def row(number: int, seller: str = "s_1", at: datetime | None = None, **values: Any) -> dict[str, Any]:
    """A row that happened so many minutes after noon, if no time is given."""
    return {"id": number, "seller_id": seller, "sent_at": at or NOON + number * MINUTE, **values}


def looked(made: Policy, rows: Iterable[Mapping[str, Any]], end: datetime, **fields: Any) -> Looked:
    timed = not isinstance(made.window, Now)
    found = tuple(FoundRow(row_hash(r, made.row_key), r, r["sent_at"] if timed else None) for r in rows)
    window = Window(end - DAY if timed else None, end)
    result = Looked(made, window, RunStatus.succeeded, rows=found, violations=violations_of(found, made.key))
    return replace(result, **fields)


@dataclass
class Runs:
    """What a store would remember between the runs of one policy."""

    policy: Policy
    alerts: dict[str, Alert] = field(default_factory=dict)
    memory: dict[str, dict[str, Seen]] = field(default_factory=dict)
    now: datetime = NOON + DAY

    def run(self, *rows: Mapping[str, Any], end: datetime | None = None, **fields: Any) -> Reconciled:
        """One good run over these rows, saved."""
        self.now += MINUTE
        seen = looked(self.policy, rows, end or self.now, **fields)
        found = reconcile(self.policy, seen, TEAM, self.memory, self.alerts, title)
        for key, action in found.actions:
            self.act(key, action)
        for one in found.remember:
            self.memory.setdefault(one.key, {}).setdefault(one.row_hash, replace(one, seen_at=self.now))
        return found

    def act(self, key: str, action: Action) -> None:
        outcome = step(self.alerts.get(key), action, self.now)
        if isinstance(outcome, Change):
            self.alerts[key] = replace(outcome.alert, id=outcome.alert.id or len(self.alerts) + 1)

    @property
    def counts(self) -> dict[str, int]:
        """Open alerts: how many rows each says."""
        return {a.key_values.get("seller_id", a.key): a.count for a in self.alerts.values() if a.is_open}

    def alert(self, seller: str = "s_1") -> Alert:
        return next(a for a in self.alerts.values() if a.key_values.get("seller_id") == seller)
