"""What a policy should have looked at and did not. Pure: from its schedule and what is known of its looks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.core.ledger import Stretch, Stretches, common, holes, merged
from bot.core.plan import due_between
from sensors.model.policy import Every, Policy, Trailing

SECOND = timedelta(seconds=1)


@dataclass(frozen=True)
class Account:
    """One policy's: from its first look to its last, and the holes in between."""

    policy: str
    looked: Stretches = ()
    holes: Stretches = ()

    @property
    def until(self) -> datetime | None:
        """Until when it has looked; None: it never did."""
        return self.looked[-1].end if self.looked else None


def account(
    policy: Policy, by_schedule: Stretches, in_all: Iterable[Stretch], since: datetime | None = None
) -> Account:
    """What a policy with a window has looked at since its schedule began.

    A backfill of a time before that fills no hole, and makes none between then and the beginning.
    """
    if not by_schedule:
        return Account(policy.name)
    began = by_schedule[0].start
    known = [s for s in merged(in_all) if s.end > began]
    open_ones = [h for hole in holes(known, since) for h in _meant(policy, hole)]
    return Account(policy.name, merged(known), merged(open_ones))


def _meant(policy: Policy, hole: Stretch) -> Stretches:
    """The parts of a hole that the policy was meant to look at: all of it, but for a trailing window that is
    shorter than the time between two looks."""
    window, schedule = policy.window, policy.schedule
    if not isinstance(window, Trailing):
        return (hole,)
    if isinstance(schedule, Every) and schedule.interval <= window.span:
        return (hole,)
    dues = due_between(schedule, hole.start, hole.end + window.span)
    return common([hole], [Stretch(due - window.span, due) for due in dues])


def backfill(policy: str, hole: Stretch) -> str:
    """The command that looks at it, rounded outwards to whole seconds."""
    start, end = hole.start.replace(microsecond=0), hole.end.replace(microsecond=0)
    return f"patrol backfill {policy} {_iso(start)} {_iso(end if end == hole.end else end + SECOND)}"


def _iso(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"
