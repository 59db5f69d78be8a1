"""How long people took with alerts, and how often that was within what their team means to reach. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

from bot.core.alert import Alert
from sensors.model.policy import Severity

Spans = Mapping[Severity, timedelta]


@dataclass(frozen=True)
class Took:
    """`middle`: the median of the `n` that were done. `judged`: those of which it is known whether they were
    within the target, `in_time` those that were. `past`: open ones beyond it."""

    middle: timedelta | None = None
    n: int = 0
    in_time: int = 0
    judged: int = 0
    past: int = 0
    target: timedelta | None = None  # None: there is none, or it differs by severity


NO_TIME = Took()


@dataclass(frozen=True)
class Step:
    """What people were to do with one alert: `took` None where nobody has yet, for `waited`."""

    severity: Severity
    took: timedelta | None
    waited: timedelta


def taken(steps: Iterable[Step], target: Spans) -> Took:
    """What is not done yet counts as late once its target has passed, and for neither before."""
    steps = list(steps)
    done = [step.took.total_seconds() for step in steps if step.took is not None]
    known = [step for step in steps if step.severity in target]
    late = [s for s in known if s.took is None and s.waited > target[s.severity]]
    aimed = [(step.took, target[step.severity]) for step in known if step.took is not None]
    spans = set(target.values())
    return Took(
        middle=timedelta(seconds=round(median(done))) if done else None,
        n=len(done),
        in_time=sum(took <= aim for took, aim in aimed),
        judged=len(aimed) + len(late),
        past=len(late),
        target=next(iter(spans)) if len(spans) == 1 else None,
    )


def to_acknowledge(opened: Iterable[Alert], answered: Mapping[int, datetime], now: datetime) -> list[Step]:
    """Of alerts that came: until the first person did something about them (`answered`, by the alert's id).
    What the data closed before is not the people's."""
    return [
        Step(a.severity, at - a.opened_at if at else None, now - a.opened_at)
        for a in opened
        if (at := answered.get(a.id)) or a.is_open
    ]


def to_resolve(resolved: Iterable[Alert], standing: Iterable[Alert], now: datetime) -> list[Step]:
    """Of alerts that people resolved, and of those that are open now. Time in a snooze counts."""
    done = [
        Step(a.severity, a.resolved_at - a.opened_at, a.resolved_at - a.opened_at)
        for a in resolved
        if a.resolved_at and a.resolved_by
    ]
    return [*done, *(Step(a.severity, None, now - a.opened_at) for a in standing)]
