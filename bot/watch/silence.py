"""Finds policies that ought to look and do not, whatever the cause. What silence is, core/silence.py says."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime, timedelta

from bot.core.alert import Alert, Condition
from bot.core.builtin import BROKEN_SENSOR, LANE, mended
from bot.core.plan import EPOCH
from bot.core.reconcile import RESOLVED_LATELY
from bot.core.silence import SILENT_SENSOR, Heard, looked_since, reason, silent_sensors
from bot.core.stale import STALE_ASSET
from bot.process.log import get
from bot.project import Project
from bot.store import Store
from bot.store.values import RunRecord
from bot.watch.circuit import Breaker
from bot.watch.trouble import Troubles
from sensors.model.policy import Policy, Schedule
from sensors.model.run import RunStatus

log = get("silence")

BLIND_AFTER = timedelta(minutes=5)  # without a round of ours: then nothing is known of that time
MOST = 5000  # alerts of one kind
Since = Mapping[str, datetime | None]  # by policy: since when it must have had a good look, if it must


class Silence:
    """Judges by the store, and from when this process began to watch a policy."""

    def __init__(
        self,
        store: Store,
        troubles: Troubles,
        project: Project,
        circuit: Breaker,
        policies: Callable[[], Mapping[str, Policy]],
        due: Callable[[Iterable[Policy]], Collection[str]],
    ) -> None:
        """`due`: which of these run after something that has come, and have not run for it."""
        self.store = store
        self.troubles = troubles
        self.project = project
        self.circuit = circuit
        self._policies = policies  # with the schedules that they have just now
        self._due = due
        self._watched: dict[str, tuple[Schedule, datetime]] = {}  # and since when
        self._last = EPOCH

    def once(self) -> None:
        """One round over all policies. Of a warehouse that is away something else tells."""
        now = self.troubles.clock()
        policies = {n: p for n, p in self._policies().items() if p.runs}
        if now - self._last > BLIND_AFTER or self.circuit.away():
            self._watched.clear()
        since = self._since(policies, now)
        self._watch(policies, since, now)
        self._last = now
        if not self.circuit.away():
            self._judge(policies, since, now)

    def _since(self, policies: Mapping[str, Policy], now: datetime) -> Since:
        due = self._due(policies.values())
        return {name: looked_since(policy, now, name in due) for name, policy in policies.items()}

    def _watch(self, policies: dict[str, Policy], since: Since, now: datetime) -> None:
        """A policy that is new, resumed, has another schedule, or need not look now begins afresh."""
        was = self._watched
        self._watched = {
            n: was[n] if n in was and was[n][0] == p.schedule and since[n] else (p.schedule, now)
            for n, p in policies.items()
        }

    def _judge(self, policies: dict[str, Policy], since: Since, now: datetime) -> None:
        newest = self.store.runs.newest_planned()
        good = {
            name for name, policy in policies.items() if self._good(policy, newest.get(name), since[name])
        }
        good |= self._told_of_the_asset(policies, newest)
        told_of = {_key(alert): alert for alert in self._open(SILENT_SENSOR)}
        broken = {name for _, name in map(_key, self._open(BROKEN_SENSOR))}
        silent = [
            policy
            for name, policy in policies.items()
            if name not in good | broken and self._long_enough(policy, since[name])
        ]
        owners: set[str] = set()
        for owner, mine in _by_owner(silent).items():
            if self._tell(owner, mine, newest, now):
                owners.add(owner)
        for (kind, name), alert in told_of.items():
            over = name not in owners if kind == "team" else name not in policies or name in good | broken
            if over:
                self.troubles.tell(SILENT_SENSOR, alert.key, mended(now))

    def _told_of_the_asset(self, policies: Mapping[str, Policy], newest: Mapping[str, RunRecord]) -> set[str]:
        """Those that wait for a table of which its owner is told: nobody need hear of each of them."""
        waits = [n for n in policies if n in newest and newest[n].status is RunStatus.waiting]
        if not waits:
            return set()
        now = self.troubles.clock()
        held = self.store.alerts.held(STALE_ASSET, LANE, resolved_since=now - RESOLVED_LATELY).values()
        late = {str(a.key_values.get("asset")) for a in held if a.condition is Condition.firing}
        return {name for name in waits if late & policies[name].needs.keys()}

    def _good(self, policy: Policy, newest: RunRecord | None, since: datetime | None) -> bool:
        """Whether it has had a good look in time: mostly its newest; asked more closely where not."""
        if since is None:
            return True
        if newest is None:
            return False
        heard = _heard(newest)
        if heard.status is RunStatus.succeeded and heard.at >= since:
            return True
        return self.store.runs.good_look(policy.name, since, since - 2 * policy.timeout)

    def _long_enough(self, policy: Policy, since: datetime | None) -> bool:
        """Whether this process has watched it for so long that it could have looked."""
        return since is not None and self._watched[policy.name][1] <= since

    def _tell(self, owner: str, mine: list[Policy], newest: dict[str, RunRecord], now: datetime) -> bool:
        """Whether they were too many to be told one by one."""
        why = {p.name: (p, reason(_heard(newest[p.name]) if p.name in newest else None)) for p in mine}
        fires = silent_sensors(owner, why, self.project.catalog.teams.get(owner), now)
        for fire in fires:
            self.troubles.tell(fire.policy, fire.key, fire)
        return len(fires) < len(mine)

    def _open(self, policy: str) -> list[Alert]:
        return self.store.alerts.open(policy=policy, limit=MOST)


def _key(alert: Alert) -> tuple[str, str]:
    """What a built-in policy's alert is about: ("policy", its name) or ("team", its name)."""
    return next(((str(k), str(v)) for k, v in alert.key_values.items()), ("", ""))


def _by_owner(policies: Iterable[Policy]) -> dict[str, list[Policy]]:
    found: dict[str, list[Policy]] = {}
    for policy in policies:
        found.setdefault(policy.owner, []).append(policy)
    return found


def _heard(run: RunRecord) -> Heard:
    return Heard(run.status, run.ended_at or run.started_at or run.due, run.error)
