"""The alerts of one policy while its history is replayed: in memory, worked on by people as it is assumed.

Each changes by `step` alone, as in the bot; what the store would keep is kept here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from heapq import heappop, heappush
from itertools import count

from bot.core.action import MACHINE, Acknowledge, Action, Resolve, Timer
from bot.core.alert import Alert, Disposition, Event, Lane, due
from bot.core.change import Change, Effect, EffectKind
from bot.core.ladder import PAGES
from bot.core.oncall import people
from bot.core.reconcile import RESOLVED_LATELY, flood_key
from bot.core.step import step
from sensors.model.policy import NOTHING, Severity
from sensors.model.team import Team

NOBODY = "U0NOBODY"  # who acts for a team that has no member
FOR_EVER = timedelta(days=3650)  # whoever answers keeps at it until it is resolved


@dataclass(frozen=True)
class Assumed:
    """What people would have done: how long after an alert came they answer it, and how long after it came it
    is resolved, as a true positive. None: never."""

    answered_after: timedelta | None = timedelta(minutes=5)
    resolved_after: timedelta | None = timedelta(hours=24)


@dataclass(frozen=True)
class Opening:
    """An alert that came, or came again at `at`; until it was resolved, how bad and how many it got to be."""

    alert: int  # its number within the replay
    at: datetime
    key: str
    key_values: Mapping[str, object] = NOTHING
    title: str = ""
    severity: Severity = Severity.info
    count: int = 0
    reopened: bool = False
    flood: bool = False  # more keys at once than `max_alerts`
    until: datetime | None = None


@dataclass(frozen=True)
class Page:
    """One person who is told, in a way that notifies, and why."""

    at: datetime
    to: str  # a Slack user id
    why: str
    alert: int
    severity: Severity


@dataclass(frozen=True)
class _Wake:
    """What is to be done about an alert at a time: the clock's, or what people are assumed to do."""

    alert: int
    action: Action
    version: int | None = None  # the clock's: only while the alert is as it was
    opening: int | None = None  # people's: only while it is the same opening


class Held:
    """The alerts by number, and what became of them."""

    def __init__(self, team: Team | None, assumed: Assumed) -> None:
        self.team = team
        self.assumed = assumed
        self.alerts: dict[int, Alert] = {}
        self.openings: list[Opening] = []
        self.pages: list[Page] = []
        self.events: list[tuple[int, Event]] = []
        self._newest: dict[str, int] = {}  # key -> its newest alert
        self._opening: dict[int, int] = {}  # alert -> its newest opening
        self._wakes: list[tuple[datetime, int, _Wake]] = []  # by time, then as they came up
        self._numbers = count()

    def of(self, keys: tuple[str, ...] | None, now: datetime) -> dict[str, Alert]:
        """The alert of each key (of all keys: None) that is open, or was resolved lately."""
        since = now - RESOLVED_LATELY
        wanted = self._newest if keys is None else [key for key in keys if key in self._newest]
        found = {key: self.alerts[self._newest[key]] for key in wanted}
        return {k: a for k, a in found.items() if a.is_open or (a.resolved_at and a.resolved_at >= since)}

    def take(self, alert: Alert | None, action: Action, now: datetime) -> None:
        """What the action makes of the alert, at `now`."""
        outcome = step(alert, action, now)
        if isinstance(outcome, Change):
            self._keep(outcome, now)

    def live_until(self, now: datetime) -> None:
        """Whatever the clock and people do until then, in its order."""
        while self._wakes and self._wakes[0][0] <= now:
            at, _, wake = heappop(self._wakes)
            alert = self.alerts[wake.alert]
            moved = wake.version is not None and wake.version != alert.version
            other = wake.opening is not None and wake.opening != self._opening[alert.id]
            if alert.is_open and not moved and not other:
                self.take(alert, wake.action, at)

    def _keep(self, change: Change, now: datetime) -> None:
        alert = change.alert
        if not alert.id:
            alert = replace(alert, id=len(self.alerts) + 1)
            self._newest[alert.key] = alert.id
        self.alerts[alert.id] = alert
        self.events.append((alert.id, change.event))
        if change.event.kind in ("opened", "reopened"):
            self._opens(alert, change, now)
        else:
            self._goes_on(alert, now)
        for effect in change.effects:
            if effect.kind in (*PAGES, EffectKind.tell):
                self._page(alert, effect, change.event.kind, now)
        if (following := due(alert)) is not None:
            self._wake(following.at, _Wake(alert.id, Timer(), version=alert.version))

    def _wake(self, at: datetime, wake: _Wake) -> None:
        heappush(self._wakes, (at, next(self._numbers), wake))

    def _opens(self, alert: Alert, change: Change, now: datetime) -> None:
        again = change.event.kind == "reopened"
        self._opening[alert.id] = len(self.openings)
        self.openings.append(
            Opening(
                alert.id,
                now,
                alert.key,
                alert.key_values,
                alert.title,
                alert.severity,
                alert.count,
                again,
                alert.key == flood_key(alert.policy),
            )
        )
        ladder = alert.terms.ladder
        if alert.lane is Lane.live and not again and ladder and not ladder[0].after:
            self._page(
                alert, Effect(EffectKind.page, to=ladder[0].to), "opened", now
            )  # the card itself tells
        self._people_act(alert, now)

    def _people_act(self, alert: Alert, now: datetime) -> None:
        """When it will be answered and resolved, as it is assumed."""
        answered, resolved = self.assumed.answered_after, self.assumed.resolved_after
        opening = self._opening[alert.id]
        by = next(iter(people("oncall", self.team, now)), NOBODY)
        if answered is not None and (resolved is None or answered < resolved):
            self._wake(now + answered, _Wake(alert.id, Acknowledge(by, FOR_EVER), opening=opening))
        if resolved is not None:
            ends = Resolve(by, Disposition.true_positive)
            self._wake(now + resolved, _Wake(alert.id, ends, opening=opening))

    def _goes_on(self, alert: Alert, now: datetime) -> None:
        n = self._opening[alert.id]
        one = self.openings[n]
        worse = replace(one, severity=max(one.severity, alert.severity), count=max(one.count, alert.count))
        if alert.is_open:
            self.openings[n] = replace(worse, title=alert.title if alert.count >= one.count else one.title)
        elif one.until is None:
            self.openings[n] = replace(worse, until=now)

    def _page(self, alert: Alert, effect: Effect, kind: str, now: datetime) -> None:
        """Those behind the reference; the one who acts is never told of it."""
        acts = alert.last_event_by if alert.last_event_by != MACHINE else None
        for person in people(effect.to or "oncall", self.team, now):
            if person != acts:
                self.pages.append(Page(now, person, kind, alert.id, alert.severity))
