"""Goes over every open alert: puts right what it can and shouts what it cannot. Judged in core/audit.py."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from bot.core import oncall
from bot.core.alert import Alert, Due, Lane, due
from bot.core.audit import (
    ABOUT,
    FORGOTTEN_ALERT,
    Behind,
    Finding,
    Flaw,
    Held,
    audit,
    due_is_wrong,
    forgotten,
)
from bot.core.builtin import mended
from bot.core.plan import EPOCH
from bot.core.route import channel_in
from bot.process.log import get
from bot.process.metrics import Metrics
from bot.project import Project
from bot.store import Store
from bot.store.alerts import UNREADABLE
from bot.store.audit import Standing
from bot.watch.trouble import Troubles
from sensors.model.violation import canonical

log = get("auditor")

BLIND_AFTER = timedelta(minutes=5)  # without a round of ours: this process, or the store, was away
READ_ANEW = timedelta(minutes=15)  # bodies, whatever their versions say
AT_ONCE = 1000
SAID = 20  # findings that are logged by themselves in a round


class Known(NamedTuple):
    """What an alert's body says, as long as its version stands."""

    version: int
    due: Due | None
    team: str


class Auditor:
    """Reads the body of an alert once for each of its versions, and anew now and then. By one thread."""

    def __init__(self, store: Store, troubles: Troubles, project: Project, metrics: Metrics) -> None:
        self.store = store
        self.troubles = troubles
        self.project = project
        self.metrics = metrics
        self.health = "ok"
        self._known: dict[int, Known] = {}  # by alert
        self._cardless: dict[int, datetime] = {}  # since when we see no card
        self._shouted: frozenset[tuple[int, Flaw]] = frozenset()
        self._last = self._watched = EPOCH  # our last round, and since when there was one in every minute
        self._read_at = EPOCH
        self._alone = False  # no alert of ours can be open

    def once(self) -> None:
        """One round over all open alerts."""
        now = self.troubles.clock()
        if now - self._last > BLIND_AFTER:
            self._watched = now
        self._last = now
        if now - self._read_at >= READ_ANEW:
            self._known, self._read_at = {}, now
        ids = self.store.audit.open_ids()
        self._known = {i: self._known[i] for i in ids if i in self._known}
        self._cardless = {i: self._cardless[i] for i in ids if i in self._cardless}
        found: list[Finding] = []
        for start in range(0, len(ids), AT_ONCE):
            found += self._part(ids[start : start + AT_ONCE], now)
        self._shout(found, len(ids), now)

    def _part(self, ids: Sequence[int], now: datetime) -> Iterator[Finding]:
        standing = self.store.audit.standing(ids)
        known = self._known
        unknown = [s.id for s in standing if s.id not in known or known[s.id].version != s.version]
        for alert_id, alert in self._alerts(unknown):
            if alert is None:
                self._known.pop(alert_id, None)
                yield Finding(alert_id, Flaw.unreadable, f"ALR-{alert_id} cannot be read from the store")
            else:
                self._known[alert_id] = Known(alert.version, due(alert), alert.terms.team)
        for one in standing:
            if one.id in known and known[one.id].version == one.version:  # else the next round sees it
                yield from self._judged(self._held(one, known[one.id], now), now)

    def _alerts(self, ids: Sequence[int]) -> Iterator[tuple[int, Alert | None]]:
        """Those alerts; None for one whose row says what is no alert."""
        try:
            yield from [(alert.id, alert) for alert in self.store.alerts.many(ids)]
        except UNREADABLE:
            if len(ids) == 1:
                yield ids[0], None
                return
            for one in ids:
                yield from self._alerts([one])

    def _held(self, one: Standing, known: Known, now: datetime) -> Held:
        if one.carded:
            self._cardless.pop(one.id, None)
        since = now if one.carded else self._cardless.setdefault(one.id, now)
        return Held(
            id=one.id,
            version=one.version,
            policy=one.policy,
            live=one.lane == Lane.live.value,
            due_at=one.due_at,
            due=known.due,
            team=known.team,
            carded=one.carded,
            parked=one.parked,
            error=one.error,
            waiting_since=max(since, one.waiting_since),
            effect_since=one.effect_since,
        )

    def _judged(self, held: Held, now: datetime) -> Iterator[Finding]:
        if due_is_wrong(held) and held.due:
            was, right = _said(held.due_at), _said(held.due.at)
            said = f"ALR-{held.id} is due {right}; the sweep would have come to it {was}"
            if self.store.audit.mend_due(held.id, held.version, held.due_at, held.due.at):
                self.metrics.audit_mended()
                log.error("put right", why=said)
        yield from audit(held, self._behind(held, now), now, self._watched)

    def _behind(self, held: Held, now: datetime) -> Behind:
        teams = self.project.catalog.teams
        team, owner = teams.get(held.team), teams.get(self.project.owner)
        ref = held.due.to if held.due else ""
        people = oncall.people("team" if ref == "digest" else ref, team, now)
        policy = self.project.catalog.policies.get(held.policy)
        channel = channel_in(Lane.live, policy, team or owner)  # where it is not live, none is asked for
        return Behind(people, () if people else oncall.instead(team, owner, now), channel)

    # --------------------------------------------------------------------- words

    def _shout(self, found: Sequence[Finding], among: int, now: datetime) -> None:
        shouted = frozenset((one.alert, one.flaw) for one in found)
        new = [one for one in found if (one.alert, one.flaw) not in self._shouted]
        for one in new[:SAID]:
            log.error("open alert may be forgotten", why=one.said)
        if len(new) > SAID:
            log.error("more open alerts may be forgotten", count=len(new) - SAID)
        self._shouted = shouted
        self.metrics.audited(Counter(one.flaw.value for one in found))
        alerts = len({one.alert for one in found})
        self.health = f"{alerts} of {among} open alerts: {found[0].said}" if found else "ok"
        self._tell(found, now)

    def _tell(self, found: Sequence[Finding], now: datetime) -> None:
        key = canonical(ABOUT)
        if found:
            self._alone = False
            owner = self.project.owner
            fire = forgotten(found, owner, self.project.catalog.teams.get(owner), now)
            self.troubles.tell(FORGOTTEN_ALERT, key, fire)
        elif not self._alone:
            self.troubles.tell(FORGOTTEN_ALERT, key, mended(now))
            self._alone = True


def _said(at: datetime | None) -> str:
    return f"at {at:%Y-%m-%d %H:%M:%S} UTC" if at else "never"
