"""A small double of an outside system, and the chore that starts things there."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from bot.core.job_run import Ability, JobState, Observed, Progress
from bot.core.reply import Person, Said
from bot.jobs import Runner
from sensors.model.job import Job
from tests.shell.making import SECOND, Node, World
from tests.shell.trouble import EVERY

ANA = Person("U0ANA", "C0PAYMENTS")


class Killed(BaseException):
    """What `kill -9` would be."""


@dataclass
class Outside(Runner):
    """A system that starts things by their key. What each call answers is said by the test."""

    can_repeat: bool = True
    starts: list[str] = field(default_factory=list)
    begun: set[str] = field(default_factory=set)
    polls: int = 0
    able: frozenset[Ability] = frozenset()
    cancels: list[str] = field(default_factory=list)
    orders: list[str] = field(default_factory=list)
    looks: list[datetime] = field(default_factory=list)  # since when it was asked each time
    on_cancel: Callable[[], str] = lambda: "it is being stopped"
    on_tail: Callable[[], str] = lambda: ""
    on_observe: Callable[[], Observed] = lambda: Observed()
    on_start: Callable[[], Progress] = lambda: Progress(JobState.running, "x1")
    on_poll: Callable[[], Progress] = lambda: Progress(
        JobState.succeeded, outcome="done", link="https://x.example/1"
    )

    def start(self, _job: Job, _params: Mapping[str, Any], idempotency_key: str) -> Progress:
        self.starts.append(idempotency_key)
        self.begun.add(idempotency_key)
        return self.on_start()

    def poll(self, _job: Job, _external_id: str) -> Progress:
        self.polls += 1
        return self.on_poll()

    def plan(self, job: Job, params: Mapping[str, Any]) -> str:
        return f"POST /{job.name} {dict(params)}"

    def abilities(self, _job: Job) -> frozenset[Ability]:
        return self.able

    def cancel(self, _job: Job, external_id: str) -> str:
        self.cancels.append(external_id)
        return self.on_cancel()

    def tail(self, _job: Job, _external_id: str) -> str:
        return self.on_tail()

    def observe(self, _job: Job, since: datetime) -> Observed:
        self.looks.append(since)
        return self.on_observe()

    def pause(self, _job: Job, paused: bool) -> str:
        self.orders.append(f"paused {paused}")
        return "taken"

    def every(self, _job: Job, interval: timedelta | None) -> str:
        self.orders.append(f"every {interval}")
        return "taken"

    def repeatable(self, _job: Job) -> bool:
        return self.can_repeat


def opened(world: World, bot: Node) -> int:
    world.table.says("s_1", bot.clock() - SECOND)
    bot.next_tick()
    return bot.alerts(EVERY)[0].id


def go_on(*nodes: Node, seconds: int = 1) -> None:
    """The chore of every process, and time."""
    for _ in range(seconds):
        for node in nodes:
            node.starting.effects()
            node.starting.jobs()
            at_rest(node)
        nodes[0].clock.on(SECOND)


def at_rest(node: Node) -> None:
    """Until all that was begun beside is done."""
    deadline = time.monotonic() + 10
    while node.starting._at_it and time.monotonic() < deadline:
        time.sleep(0.002)


def ended(node: Node, alert: int) -> list[str]:
    """What was said of jobs in the alert's history."""
    return [e.story for e in node.store.alerts.history(alert) if e.kind in ("job_ended", "rerun_ended")]


def asked(bot: Node, alert: int, **params: str) -> Said:
    return bot.desk.start_job(ANA, alert, "hold_payouts", params)
