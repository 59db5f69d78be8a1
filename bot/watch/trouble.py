"""Policies' own troubles become alerts to their owners, on the road of all violations. Looks at nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from itertools import takewhile

from bot.core import builtin, bundles
from bot.core.action import Action
from bot.core.alert import Lane
from bot.core.change import Change
from bot.core.plan import EPOCH
from bot.core.reconcile import RESOLVED_LATELY
from bot.core.step import step
from bot.process.errors import Conflict
from bot.store import Store
from sensors.model.catalog import NOT_YET, Catalog
from sensors.model.run import Looked, RunStatus
from sensors.model.team import Team

ASKED_EACH = timedelta(seconds=30)  # which policies are in trouble
TRIES = 6  # against others who tell of the same


def told(
    store: Store,
    clock: Callable[[], datetime],
    policy: str,
    key: str,
    action: Action,
    lane: Lane = builtin.LANE,
    lately: timedelta = RESOLVED_LATELY,
) -> bool:
    """Sends what a built-in policy found down the road of all violations. Whether an alert changed: none
    does where nobody holds what clears, where it says nothing new, or where it was resolved `lately`.
    """
    for _ in range(TRIES):
        now = clock()
        held = store.alerts.held(policy, lane, keys=[key], resolved_since=now - lately)
        outcome = step(held.get(key), action, now)
        if not isinstance(outcome, Change):
            return False
        try:
            store.act([outcome], now)
            return True
        except Conflict:
            continue
    return False


class Troubles:
    """What is wrong with a policy is told once and ended when it is over. Thread-safe."""

    def __init__(self, store: Store, clock: Callable[[], datetime]) -> None:
        self.store = store
        self.clock = clock
        self._troubled: set[str] = set()  # policies of which something is told, by whatever process
        self._asked_at = EPOCH
        self._told_of: Catalog | None = None  # the files whose troubles are told
        self._unread: str | None = None  # why they could not be read at all, as it was told; None: not yet

    def of_look(self, looked: Looked, teams: Mapping[str, Team]) -> None:
        """Whether the policy itself can be relied on is a violation like any other."""
        name, now = looked.policy.name, self.clock()
        if looked.ok and not looked.bad_rows and name not in self._troubled_at(now):
            return
        self._troubled.add(name)  # or about to be
        team = teams.get(looked.policy.owner)
        action = builtin.broken_sensor(looked, *self._failures(name, looked), team, now)
        if action:
            self.tell(builtin.BROKEN_SENSOR, builtin.broken_key(name), action)

    def _troubled_at(self, now: datetime) -> set[str]:
        """Asked of the store now and then: in most looks there is nothing to end."""
        if not timedelta() <= now - self._asked_at < ASKED_EACH:
            told = self.store.alerts.open(policy=builtin.BROKEN_SENSOR, limit=1000)
            self._troubled = {str(alert.key_values.get("policy")) for alert in told}
            self._asked_at = now
        return self._troubled

    def _failures(self, name: str, looked: Looked) -> tuple[int, int]:
        """Failed runs in a row, the last one included, and the tries that they made."""
        if looked.ok:
            return 0, 0
        looked_at = (RunStatus.succeeded, RunStatus.failed, RunStatus.timed_out)
        recent = [r for r in self.store.runs.recent(name, past=False) if r.status in looked_at]
        failed = list(takewhile(lambda r: r.status is not RunStatus.succeeded, recent))
        return len(failed), sum(run.attempt for run in failed)

    def tell(self, policy: str, key: str, action: Action) -> bool:
        """Whether it changed an alert."""
        return told(self.store, self.clock, policy, key, action)

    def of_reading(self, why: str, owner: str, catalog: Catalog) -> None:
        """That changed files cannot be read at all, and `why`, is told to those who answer for Patrol."""
        if why == self._unread:
            return
        now, team = self.clock(), catalog.teams.get(owner)
        action = builtin.unread_files(why, owner, team, now) if why else builtin.mended(now)
        self.tell(builtin.BROKEN_SENSOR, builtin.UNREAD_KEY, action)
        self._unread = why

    def of_files(self, catalog: Catalog) -> None:
        """What does not load is told; what was told and is over now, here or while nobody ran, is ended."""
        if self._told_of is catalog:
            return
        now = self.clock()
        for name in sorted(catalog.broken):
            self.tell(builtin.BROKEN_SENSOR, builtin.file_key(name), _file_trouble(catalog, name, now))
        for alert in self.store.alerts.open(policy=builtin.BROKEN_SENSOR, limit=1000):
            name = str(alert.key_values.get("policy"))
            policy = catalog.policies.get(name)
            over = {
                builtin.file_key(name): name not in catalog.broken,
                builtin.broken_key(name): policy is None or not policy.runs,
            }
            if over.get(alert.key):
                self.tell(builtin.BROKEN_SENSOR, alert.key, builtin.mended(now))
        self._of_bundles(catalog, now)
        self._told_of = catalog

    def _of_bundles(self, catalog: Catalog, now: datetime) -> None:
        wrong = {held.name: held for held in catalog.bundles if held.trouble and held.trouble != NOT_YET}
        for name, held in wrong.items():
            owner = bundles.owner(catalog, held)
            fire = builtin.broken_bundle(name, held.trouble, owner, catalog.teams.get(owner), now)
            self.tell(builtin.BROKEN_BUNDLE, builtin.bundle_key(name), fire)
        for alert in self.store.alerts.open(policy=builtin.BROKEN_BUNDLE, limit=1000):
            if str(alert.key_values.get("bundle")) not in wrong:
                self.tell(builtin.BROKEN_BUNDLE, alert.key, builtin.mended(now))


def _file_trouble(catalog: Catalog, name: str, now: datetime) -> Action:
    why = next(iter(catalog.errors_of(name)), "see `patrol check`")
    policy = catalog.policies.get(name)
    owner = policy.owner if policy else _owner_by_folder(catalog, name)
    return builtin.broken_file(name, owner, str(why), catalog.teams.get(owner), now)


def _owner_by_folder(catalog: Catalog, name: str) -> str:
    bundle, _, rest = name.rpartition(":")
    if held := next((one for one in catalog.bundles if one.name == bundle), None):
        return bundles.owner(catalog, held)
    folder = rest.partition(".")[0]
    return folder if folder in catalog.teams else next(iter(catalog.teams), folder)
