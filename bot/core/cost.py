"""What a policy costs the warehouse in a time, who is dearest, and when that is over its budget. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from math import ceil

from bot.core.action import Action, Clear, Fire
from bot.core.alert import Alert
from bot.core.builtin import terms_of, told
from bot.core.words import count
from sensors.model.clock import say_duration
from sensors.model.policy import Policy, Severity
from sensors.model.team import LadderStep, Team
from sensors.model.violation import canonical

OVER_BUDGET = "patrol.over_budget"
DAY = timedelta(days=1)  # over which a budget is, and over which its owner is told once
MOMENT = timedelta(microseconds=1)
WELL_WITHIN = 0.9  # of the budget: then it is over, so that one at its edge is not told of again and again
LADDER = (LadderStep(DAY, "oncall"),)  # nothing burns: the card first, and a word each day that nobody has it
SHORTEST_S = 0.05
SHORT_S = 10  # seconds below which tenths matter


@dataclass(frozen=True)
class Cost:
    """What the runs of a policy took in some time. `seconds`: from asking the warehouse until the rows were
    read, of all attempts. `bytes`: that the rows given hold, about; None where nobody counted."""

    policy: str
    seconds: float
    runs: int
    rows: int = 0
    bytes: int | None = None

    @property
    def each(self) -> str:
        """How long a run took on average, in words."""
        return seconds(self.seconds / self.runs if self.runs else 0)


@dataclass(frozen=True)
class Spent:
    """What many policies have cost together, and the dearest of them, by seconds."""

    total: float = 0  # seconds
    dearest: tuple[Cost, ...] = ()

    def share(self, one: Cost) -> float:
        return one.seconds / self.total if self.total else 0


NOTHING_SPENT = Spent()


def last_day(now: datetime) -> tuple[datetime, datetime]:
    """From when until when, what ended just now counted in."""
    return now - DAY + MOMENT, now + MOMENT


def spent(costs: Iterable[Cost], most: int) -> Spent:
    """Of these, the dearest first and equals by name."""
    found = sorted(costs, key=lambda one: (-one.seconds, one.policy))
    return Spent(sum(one.seconds for one in found), tuple(found[:most]))


def seconds(span: float) -> str:
    """`0.4 s`, `12 min`; what took less than a tenth of a second says so."""
    if 0 < span < SHORTEST_S:
        return "less than 0.1 s"
    return f"{span:.1f} s" if span < SHORT_S else say_duration(timedelta(seconds=span))


def budget_key(policy: str) -> str:
    return canonical({"policy": policy})


def over_budget(
    policy: Policy, cost: Cost | None, holder: Alert | None, team: Team | None, now: datetime
) -> Action | None:
    """What the last 24 hours say of its budget; None: nothing that is not said already.

    `holder` is the open alert that says it. What it says is said anew once a day; it ends when the policy has
    come well within its budget, or has none.
    """
    took = timedelta(seconds=cost.seconds) if cost else timedelta()
    if policy.budget is None or not policy.runs or took <= WELL_WITHIN * policy.budget:
        return Clear(now)
    if cost is None or took <= policy.budget or (holder is not None and now - holder.as_of < DAY):
        return None
    return _fire(policy, policy.budget, cost, team, now)


def _fire(policy: Policy, budget: timedelta, cost: Cost, team: Team | None, now: datetime) -> Fire:
    percent = ceil(100 * cost.seconds / budget.total_seconds())
    said = (
        f"{policy.name} is over its budget: {seconds(cost.seconds)} of warehouse time in 24 hours,"
        f" {percent:,}% of {say_duration(budget)}"
    )
    figures = f"{count(cost.runs, 'run')} of {cost.each} on average gave {count(cost.rows, 'row')}."
    advice = (
        f"{figures} It goes on as before. To spend less, let it look more rarely (`schedule`), at less time"
        f" (`window`) or at fewer rows (its SQL); to allow more, raise `budget` in `{policy.path}`."
    )
    values = {"policy": policy.name}
    severity = Severity.low
    fire = told(OVER_BUDGET, values, said, advice, policy.owner, team, now, severity=severity)
    terms = replace(terms_of(policy.owner, team, severity), ladder=LADDER, repeat_interval=DAY)
    return replace(fire, terms=terms, newest={**values, "advice": advice})
