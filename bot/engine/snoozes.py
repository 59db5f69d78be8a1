"""Snoozes of entities and policies: begun, ended and announced, and their alerts kept in step with them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from bot.core.action import Action, Hush, Rouse
from bot.core.alert import Alert, Lane, Work, step_to
from bot.core.context import House
from bot.core.notice import Notice
from bot.core.route import channel_in
from bot.core.snooze import Preview, Scope, ScopeSnooze, Target, preview
from bot.core.tell_snooze import began, ended
from bot.process.log import get
from bot.project import Project
from bot.store import Store
from sensors.model.catalog import Catalog
from sensors.model.team import PAGER

log = get("snoozes")


class Snoozes:
    """What is on is in the store; each alert that it covers carries a copy, so that it is due by itself."""

    def __init__(
        self,
        store: Store,
        project: Project,
        clock: Callable[[], datetime],
        act: Callable[[int, Action], object],
    ) -> None:
        self.store = store
        self.project = project
        self.clock = clock
        self._act = act  # what the machine does to an alert, each by itself

    @property
    def catalog(self) -> Catalog:
        return self.project.catalog

    def preview(self, target: Target, until: datetime, by: str) -> Preview:
        """What it would have hidden over as long a time back, and what it covers now, of what he may see."""
        now, house = self.clock(), self._house()
        before = self.store.alerts.about(target, since=now - (until - now))
        seen = [alert for alert in before if house.sees(by, alert)]
        return preview(target, until, now, seen, [a for a in self._open(target) if house.sees(by, a)])

    def _house(self) -> House:
        """The files; who is on call does not matter to whose an alert is."""
        return House(self.catalog, self.project.owner, self.clock())

    def _open(self, target: Target) -> list[Alert]:
        return [alert for alert in self.store.alerts.about(target) if alert.is_open]

    def begin(self, shown: Preview, by: str, why: str) -> ScopeSnooze:
        """It is on from now, as its preview said; told in the channels that it quiets."""
        now = self.clock()
        snooze = ScopeSnooze(shown.target, shown.until, by, why, now, shown.ceiling)
        house, held = self._house(), self._open(shown.target)
        covered = [one for one in held if snooze.covers(one, now) and house.sees(by, one)]
        key = f"snooze-began-{by}-{now.timestamp()}"
        notices = [
            Notice(f"{key}-{channel}", self._team(channel), channel, {"text": began(snooze, alerts)})
            for channel, alerts in self._by_channel(snooze, covered).items()
            if channel
        ]
        made = self.store.snoozes.begin(snooze, notices, now)
        log.info("snoozed", target=made.target.name, by=by, until=f"{made.until:%Y-%m-%d %H:%M}")
        self.sweep()
        return made

    def end(self, target: Target, by: str) -> ScopeSnooze | None:
        """Ends the one that is on, early; None where none is."""
        now = self.clock()
        for one in self.store.snoozes.on():
            if one.target == target and self.store.snoozes.end(one.id, by, self._ended(one, by, now), now):
                log.info("woken", target=target.name, by=by)
                self.sweep()
                return one
        return None

    def sweep(self) -> int:
        """Ends those whose time is over, and brings every alert in step with what is on. How many changed.

        Comes before what is due of the alerts themselves, so that a longer snooze takes over in time.
        """
        now, house, done = self.clock(), self._house(), 0
        on = self.store.snoozes.on()
        for one in on:
            if one.until <= now:
                done += self.store.snoozes.end(one.id, None, self._ended(one, "", now), now)
                continue
            for alert in self.store.alerts.about(one.target, awake_before=one.until):
                if one.covers(alert, now) and house.sees(one.by, alert):
                    self._act(alert.id, Hush(one.copy(now), one.since))
                    done += 1
        return done + self._stray(on)

    def _stray(self, on: Sequence[ScopeSnooze]) -> int:
        """Alerts under a snooze that was ended early wake, or go on under another that is on."""
        stray, now, house = self.store.snoozes.stray(), self.clock(), self._house()
        alerts = {alert.id: alert for alert in self.store.alerts.many({alert for alert, _ in stray})}
        for alert_id, over in stray:
            alert = alerts[alert_id]
            mine = [
                one
                for one in on
                if one.target.has(alert.policy, alert.entities)
                and alert.severity <= one.ceiling
                and one.until > now
                and house.sees(one.by, alert)
            ]
            other = max(mine, key=lambda one: one.until, default=None)
            self._act(
                alert_id,
                Hush(other.copy(now), other.since, over.id) if other else Rouse(over.id, over.ended_by),
            )
        return len(stray)

    # -------------------------------------------------------------------- telling

    def _ended(self, snooze: ScopeSnooze, by: str, now: datetime) -> list[Notice]:
        """What each channel is told of what was hidden there, and those whom its open alerts would tell."""
        house = House(self.catalog, self.project.owner, now, self.store.covers.since(now))
        hid = self.store.alerts.many(self.store.snoozes.hid(snooze.id))
        notices: list[Notice] = []
        for channel, alerts in self._by_channel(snooze, hid).items():
            quiet = [one for one in alerts if one.snooze and one.snooze.of == snooze.id]
            waiting = [one for one in quiet if one.work is Work.open and step_to(one) != PAGER]
            steps = [_told(one, house, by) for one in waiting]
            people = sorted({slack for _, _, people in steps for slack in people})
            body = {"text": ended(snooze, by, alerts, quiet), "people": people, "steps": steps}
            key = f"snooze-{snooze.id}-ended-{channel}"
            notices += [Notice(key, self._team(channel), channel, body)] if channel else []
        return notices

    def _team(self, channel: str) -> str:
        """Whose channel it is; what another one is asked for goes to those who answer for Patrol."""
        teams = self.catalog.teams.values()
        return next((t.name for t in teams if channel in (t.channel, t.review_channel)), self.project.owner)

    def _by_channel(self, snooze: ScopeSnooze, alerts: Sequence[Alert]) -> dict[str, list[Alert]]:
        """The alerts by the channel of their cards; with none, the channel that is concerned most."""
        house = self._house()
        found: dict[str, list[Alert]] = {}
        for alert in alerts:
            channel = house.channel_of(alert)
            found.setdefault(channel, []).append(alert)
        return found or {self._own_channel(snooze): []}

    def _own_channel(self, snooze: ScopeSnooze) -> str:
        """The policy's; for an entity that of the team of whoever snoozed it."""
        teams = self.catalog.teams
        if snooze.target.scope is Scope.policy and (policy := self.catalog.policies.get(snooze.target.name)):
            return channel_in(Lane.live, policy, teams.get(policy.owner))
        mine = (team for team in teams.values() if team.member(snooze.by))
        team = next(mine, None) or teams.get(self.project.owner)
        return team.channel if team else ""


def _told(alert: Alert, house: House, by: str) -> tuple[int, int, list[str]]:
    """Whom the end of its snooze tells, which counts as the next step of its ladder; not who has ended it."""
    people = [slack for slack in house.people(step_to(alert), alert) if slack != by]
    return alert.id, min(alert.step + 1, len(alert.terms.ladder)), people
