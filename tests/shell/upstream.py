"""One node's chore that sees what has moved upstream, and what it wakes, looked at at once."""

from __future__ import annotations

from datetime import timedelta

from bot.core.job_run import JobState
from bot.engine.asked import Ticked
from bot.engine.due import due_runs
from bot.engine.rounds import Want
from bot.store.values import RunRecord
from bot.watch.upstreams import Upstreams
from tests.shell.making import ELSEWHERE, FILES, HELD, HOUR, SECOND, Node, World

AFTER = ELSEWHERE.replace("{every: 1m}", "{after: [core.chat]}")
BOTH_OF_THEM = HELD.replace("{every: 1m}", "{after: [core.chat, 'job:hold_payouts']}")
NEXT = HELD.replace("{every: 1m}", "{after: ['policy:payments.elsewhere']}")
LATE = FILES["policies/_assets.yml"].replace("load_interval: 1m,", "freshness: {late_after: 1h},", 1)
NIGHTLY = ELSEWHERE.replace("{every: 1m}", '{cron: "0 6 * * *"}') + "needs: {core.chat: wait}\n"


class Beat:
    """A node whose chore wakes policies, each of which is looked at at once."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self.came: list[tuple[str, Ticked]] = []
        self.upstreams = Upstreams(node.engine, lambda woken: self.runs(sorted(woken)))

    def runs(self, names: list[str]) -> None:
        """As the rounds do: whatever of these is due."""
        engine, policies = self.node.engine, self.node.engine.orders.policies()
        due = due_runs(self.node.store, [policies[n] for n in names], self.node.clock())
        for name in names:
            for tick in due[name]:
                self.came.append((name, engine.runs.one(Want(name, (tick,)).asked())))

    def once(self, after: timedelta = 10 * SECOND) -> list[str]:
        """Time goes on, then one round; what was looked at."""
        self.node.clock.on(after)
        self.came.clear()
        self.upstreams.once()
        return [name for name, ticked in self.came if ticked.looked]

    def newest(self, name: str) -> RunRecord:
        return self.node.store.runs.recent(name, 1)[0]


def with_policies(world: World, **texts: str) -> Beat:
    for name, text in texts.items():
        world.write(f"policies/payments/{name}.yml", text)
    return Beat(world.node())


def job_ends(node: Node, key: str, state: JobState = JobState.succeeded) -> None:
    made = node.store.jobs.ask("hold_payouts", "ana", {}, None, key, node.clock(), node.clock() + HOUR)
    ended = type(made)(**{**vars(made), "state": state, "ended_at": node.clock()})
    assert node.store.jobs.record(ended, JobState.asked)
