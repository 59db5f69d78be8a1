"""Values for the core's tests: an alert about a seller, and what may happen to it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.core.action import Acknowledge, Action, Fire, Resolve
from bot.core.alert import Alert, Disposition, Lane, Terms
from bot.core.change import Change, Effect, EffectKind, Outcome
from bot.core.step import step
from sensors.model.policy import Severity
from sensors.model.team import DEFAULT_LADDER, LadderStep

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
ANA, BO, CY = "UANA", "UBO", "UCY"
TELLS = (EffectKind.page, EffectKind.tell, EffectKind.call_pager)


def ladder(*steps: tuple[float, str]) -> tuple[LadderStep, ...]:
    """Steps as (minutes, whom)."""
    return tuple(LadderStep(timedelta(minutes=minutes), to) for minutes, to in steps)


def events(**fields: Any) -> Terms:
    """Terms of a policy whose rows add up."""
    return replace(Terms(team="payments", ladder=DEFAULT_LADDER), **fields)


def conditions(**fields: Any) -> Terms:
    """Terms of a policy whose rows come and go."""
    return events(accumulates=False, **fields)


def fire(count: int = 3, **fields: Any) -> Fire:
    found = Fire(
        policy="payments.refund_spike",
        key='{"seller_id":"s_1"}',
        lane=Lane.live,
        terms=events(),
        title=f"s_1 refunded {count} times",
        severity=Severity.medium,
        count=count,
        as_of=NOON,
        new_evidence=True,
        key_values={"seller_id": "s_1"},
        newest={"seller_id": "s_1", "amount": 12},
    )
    return replace(found, **fields)


def opened(found: Fire | None = None, at: datetime = NOON) -> Alert:
    """ALR-3, as a run opens it."""
    return replace(done(None, found or fire(), at).alert, id=3)


def done(alert: Alert | None, action: Action, at: datetime = NOON) -> Change:
    """The change that the action makes; it must make one."""
    outcome = step(alert, action, at)
    assert isinstance(outcome, Change), outcome
    return outcome


def after(alert: Alert, *acts: tuple[Action, datetime] | Action, at: datetime = NOON) -> Alert:
    """The alert after several acts, each of which must change it."""
    for act in acts:
        action, when = act if isinstance(act, tuple) else (act, at)
        alert = done(alert, action, when).alert
    return alert


def acknowledged(by: str = ANA, **fields: Any) -> Alert:
    return after(opened(fire(**fields)), Acknowledge(by))


def resolved(disposition: Disposition = Disposition.true_positive, **fields: Any) -> Alert:
    """Resolved by ana at noon."""
    return after(opened(fire(**fields)), Resolve(ANA, disposition))


def told(outcome: Outcome) -> list[str | None]:
    """Whom the outcome pages or tells."""
    return [effect.to for effect in effects(outcome, *TELLS)]


def effects(outcome: Outcome, *kinds: EffectKind) -> list[Effect]:
    found: Iterable[Effect] = outcome.effects if isinstance(outcome, Change) else ()
    return [effect for effect in found if not kinds or effect.kind in kinds]


def why_not(outcome: Outcome) -> str:
    """Why nothing changed: it must not have."""
    assert not isinstance(outcome, Change), outcome
    return outcome.why
