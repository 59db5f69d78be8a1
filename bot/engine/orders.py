"""Pauses and other paces of policies and jobs: begun, ended, announced; policies as they therefore run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from bot.core.alert import Lane
from bot.core.notice import Notice
from bot.core.order import JOB, Order, OrderKind, began, ended, ordered
from bot.core.route import channel_in, lane_of
from bot.process.log import get
from bot.project import Project
from bot.store import Store
from sensors.model.policy import Policy

log = get("orders")


class Orders:
    """What is on is in the store; what this process knows of it is read anew at each sweep."""

    def __init__(self, store: Store, project: Project, clock: Callable[[], datetime]) -> None:
        self.store = store
        self.project = project
        self.clock = clock
        self._on: tuple[Order, ...] = ()

    def policies(self) -> Mapping[str, Policy]:
        """All policies, each with the schedule that it has just now."""
        found, on, now = self.project.catalog.policies, self._on, self.clock()
        changed = {one.policy: ordered(found[one.policy], on, now) for one in on if one.policy in found}
        return {**found, **changed} if changed else found

    @property
    def on(self) -> tuple[Order, ...]:
        """All that is on, of policies and of jobs, as this process knows it."""
        return self._on

    def paused(self) -> set[str]:
        now = self.clock()
        return {one.policy for one in self._on if one.kind is OrderKind.pause and now < one.until}

    def begin(self, order: Order) -> Order:
        key = f"order-began-{order.by}-{order.since.timestamp()}"
        made = self.store.orders.begin(order, self._notices(order, key, began(order)), self.clock())
        log.info("ordered", policy=order.policy, kind=order.kind.value, by=order.by)
        self.sweep()
        return made

    def end(self, policy: str, by: str) -> list[Order]:
        """Ends all that was ordered of the policy, early."""
        mine = [one for one in self.store.orders.on() if one.policy == policy]
        over = [one for one in mine if self._end(one, by)]
        self.sweep()
        return over

    def sweep(self) -> int:
        """Ends those whose time is over, and takes in what other processes were told. How many ended."""
        on, now = self.store.orders.on(), self.clock()
        over = [one for one in on if one.until <= now and self._end(one, "")]
        self._on = tuple(one for one in on if one.until > now)
        return len(over)

    def _end(self, order: Order, by: str) -> bool:
        notices = self._notices(order, f"order-{order.id}-ended", ended(order, by))
        return self.store.orders.end(order.id, by or None, notices, self.clock())

    def _notices(self, order: Order, key: str, text: str) -> list[Notice]:
        """Where the policy's alerts go, or those of the job's team; without a place nobody need know."""
        catalog = self.project.catalog
        policy, job = catalog.policies.get(order.policy), catalog.jobs.get(order.policy.removeprefix(JOB))
        owner = policy.owner if policy else job.owner if job else ""
        team = catalog.teams.get(owner)
        channel = channel_in(lane_of(policy) if policy else Lane.live, policy, team)
        return [Notice(key, owner, channel, {"text": text})] if channel else []
