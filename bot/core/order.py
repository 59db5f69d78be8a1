"""What people order of a policy or a job for a while: that it rests, or runs at another pace. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from bot.core.tell_snooze import because
from bot.core.words import clean, when, who
from sensors.model.clock import say_duration
from sensors.model.policy import After, Every, Policy


class OrderKind(StrEnum):
    """What is ordered."""

    pause = "pause"
    every = "every"


LONGEST: Mapping[OrderKind, timedelta] = {
    OrderKind.pause: timedelta(hours=72),
    OrderKind.every: timedelta(days=14),
}
PAUSED_FOR = timedelta(hours=2)  # where nobody says how long
SHORTEST, SLOWEST = timedelta(minutes=1), timedelta(days=1)  # of another pace
JOB = "job:"  # what begins so is ordered of a job
NO_SCHEDULE = After(())  # nothing makes it due


@dataclass(frozen=True)
class Order:
    """One order of a policy, or of a job (`policy` is `job:x` then); of each kind one is on at a time."""

    policy: str
    kind: OrderKind
    until: datetime
    by: str
    why: str
    since: datetime
    interval: timedelta | None = None  # of `every`
    id: int = 0
    ended_at: datetime | None = None
    ended_by: str = ""

    @property
    def does(self) -> str:
        """What it does to the policy, as part of a sentence."""
        if self.kind is OrderKind.every and self.interval:
            return f"runs every {say_duration(self.interval)}"
        return "is paused"


def ordered(policy: Policy, orders: Iterable[Order], now: datetime) -> Policy:
    """The policy as it runs now: with no schedule while it is paused, else at the pace that was ordered.

    Nothing is lost by a pause: its first run afterwards makes up for what came, by its `catchup`.
    """
    mine = {one.kind: one for one in orders if one.policy == policy.name and now < one.until}
    if OrderKind.pause in mine:
        return replace(policy, schedule=NO_SCHEDULE)
    every = mine.get(OrderKind.every)
    return replace(policy, schedule=Every(every.interval)) if every and every.interval else policy


def on_now(order: Order) -> str:
    """One that is on, in a line."""
    by = f"by {who(order.by)}{because(order.why)}"
    return f"`{clean(order.policy)}` {order.does} until {when(order.until)}, {by}"


def began(order: Order) -> str:
    later = " Nothing is looked at meanwhile; what comes is looked at afterwards."
    if order.policy.startswith(JOB):
        later = " It is not started by itself meanwhile; afterwards once, if it was due."
    name, until = f"`{clean(order.policy)}`", f"until {when(order.until)}"
    if order.kind is OrderKind.pause:
        return f"⏸ {who(order.by)} paused {name} {until}{because(order.why)}.{later}"
    return f"⏱ {name} {order.does} {until}: {who(order.by)} has ordered it{because(order.why)}."


def ended(order: Order, by: str) -> str:
    how = f"{who(by)} has ended it" if by else "its time is over"
    was = "was paused" if order.kind is OrderKind.pause else order.does.replace("runs", "ran")
    by = f"by {who(order.by)}{because(order.why)}"
    own = f"`{clean(order.policy)}` runs by its own schedule again"
    return f"▶ {own}: {how}. It {was} since {when(order.since)}, {by}."
