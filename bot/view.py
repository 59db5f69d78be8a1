"""Reads what cards and answers show beside the alert itself: rows, links, offers, who is paged."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TypeVar
from zoneinfo import ZoneInfo, available_timezones

from bot.core import builtin, bundles, oncall, order
from bot.core.access import who_may
from bot.core.alert import Alert, Disposition, Lane, Work
from bot.core.approval import Approval
from bot.core.audit import FORGOTTEN_ALERT
from bot.core.builtin_earned import EARNED_LIVE, NOISY_POLICY
from bot.core.change import Refused
from bot.core.command import Command
from bot.core.context import House, Known
from bot.core.cost import OVER_BUDGET, spent
from bot.core.digest import Span, digest
from bot.core.job_run import JobRun
from bot.core.message import Queue
from bot.core.plan import next_due
from bot.core.reply import (
    Context,
    DigestReply,
    EntityReply,
    Note,
    OnCall,
    Place,
    PolicyLine,
    Said,
    ShowReply,
    StatusReply,
)
from bot.core.reports import REPORTED_FOR, open_reports
from bot.core.route import channel_in
from bot.core.silence import SILENT_SENSOR
from bot.core.snooze import Target
from bot.core.tell_snooze import on_now, was_on
from bot.core.trend import Trend, opened, trend
from bot.core.words import clean, when
from bot.lateness import late_assets
from bot.project import Project
from bot.store import Store
from bot.store.values import RunRecord
from sensors.model.catalog import Catalog
from sensors.model.policy import Policy
from sensors.model.run import RunStatus
from sensors.model.team import Role, Team

STORY_MOST = 100  # alerts of an entity that its story lists
WANTED = 50  # open alerts of a kind that Home and `status` look at
PICTURED = timedelta(days=8)  # before a digest's end: enough for seven days of any clock
TREND_DAYS = 30
DEAREST = 3  # policies that a week's digest names
Told = TypeVar("Told", Approval, JobRun)
RIGHT_OVER = timedelta(days=30)  # how right a policy has been, on its cards


@cache
def known_zones() -> frozenset[str]:
    return frozenset(available_timezones())


class View:
    """What people get to see, from the catalog as it is now and the store."""

    def __init__(self, store: Store, project: Project, clock: Callable[[], datetime]) -> None:
        self.store = store
        self.project = project
        self.clock = clock
        self.zones: dict[str, str] = {}  # of people, as far as Slack has told them: "Europe/Berlin"
        self.channel_names: dict[str, str] = {}  # by id, as far as Slack has told them: "#payments"

    @property
    def catalog(self) -> Catalog:
        return self.project.catalog

    @property
    def house(self) -> House:
        """The files and who is there, as of now."""
        now = self.clock()
        return House(self.catalog, self.project.owner, now, self.store.covers.since(now))

    @property
    def files(self) -> House:
        """The files alone, for what is no question of who is on call."""
        return House(self.catalog, self.project.owner, self.clock())

    def zone_of(self, person: str) -> ZoneInfo:
        """By whose clock the person speaks: his own, as Slack tells it, else that of his team's rotation."""
        told = self.zones.get(person, "")
        if told in known_zones():
            return ZoneInfo(told)
        teams = (team for _, team in sorted(self.catalog.teams.items()) if team.member(person))
        return next((team.zone for team in teams if team.rotation), ZoneInfo("UTC"))

    def ends(self, person: str, said: Command) -> datetime | None:
        """When it is over, with a time of day or a weekday by the person's own clock. In UTC."""
        end = said.ends(self.clock().astimezone(self.zone_of(person)))
        return end.astimezone(UTC) if end else None

    def policy_of(self, alert: Alert) -> Policy | None:
        return self.files.policy_of(alert)

    def team_of(self, alert: Alert) -> Team | None:
        return self.files.team_of(alert)

    @property
    def owner(self) -> Team | None:
        """The team that answers for Patrol itself."""
        return self.catalog.teams.get(self.project.owner)

    def channel_of(self, alert: Alert) -> str:
        return self.files.channel_of(alert)

    def people(self, ref: str | None, alert: Alert) -> tuple[str, ...]:
        return self.house.people(ref, alert)

    def paged(self, alert: Alert) -> tuple[str, ...]:
        return self.house.paged(alert)

    def told(self, alert: Alert) -> tuple[str, ...]:
        return self.house.told(alert)

    def told_last(self, person: str) -> Alert | None:
        """Of the alerts that wait for somebody, that of which this person was told last."""
        house = self.house
        waiting = (a for a in self.store.alerts.open() if a.work is Work.open and not a.snooze)
        mine = {alert.id: alert for alert in waiting if person in house.told(alert)}
        told = self.store.outbox.pages(mine)

        def at(alert: Alert) -> tuple[datetime, int]:
            to_me = [at for to, at in told.get(alert.id, ()) if person in house.people(to, alert)]
            return max(to_me, default=alert.opened_at), alert.id

        return max(mine.values(), key=at, default=None)

    def unseen(self, person: str, alert: Alert) -> Refused | None:
        """Why the person may not even look at it; None where he may."""
        if self.house.sees(person, alert):
            return None
        said = f"{alert.name} is sensitive: only members of {clean(alert.terms.team)} see it."
        return Refused(said, "Who is in a team stands in policies/_teams.yml.")

    def unseen_of(self, person: str, policy: Policy) -> Refused | None:
        """Why the person may not know what the policy finds; None where he may."""
        if self.house.sees_of(person, policy):
            return None
        said = f"`{policy.name}` is sensitive: only members of {clean(policy.owner)} see what it finds."
        return Refused(said, "Who is in a team stands in policies/_teams.yml.")

    def seen_of(self, person: str, about: Iterable[Told]) -> tuple[Told, ...]:
        """Those of them that are about no alert, or about one that the person may see."""
        listed = list(about)
        named = {one.alert for one in listed if one.alert}
        seen = {alert.id for alert in self.seen(person, self.store.alerts.many(named))}
        return tuple(one for one in listed if one.alert is None or one.alert in seen)

    def seen(self, person: str, alerts: Iterable[Alert]) -> tuple[Alert, ...]:
        """Those of them that the person may see."""
        house = self.house
        return tuple(alert for alert in alerts if house.sees(person, alert))

    def waiting(self, person: str) -> tuple[Approval, ...]:
        """What waits for a second person, but for what is about an alert that this person may not see."""
        return self.seen_of(person, self.store.approvals.waiting())

    def context(self, alert: Alert, rows: int = 100) -> Context:
        """What the card shows beside its alert, read now; at most so many rows."""
        runs = self.store.runs.recent(alert.policy, 5, past=False) if self.policy_of(alert) else None
        known = Known(
            evidence=self.store.alerts.evidence(alert.id, rows),
            earlier=self.store.alerts.earlier(alert),
            dispositions=self.store.alerts.dispositions(alert.policy, self.clock() - RIGHT_OVER, alert.lane),
            data_until=None if runs is None else _data_until(alert, runs),
        )
        return self.house.context(alert, known)

    def trend(self, policy: str, team: Team | None) -> Trend:
        """The policy's alerts by the days of the team's clock, as of now."""
        now = self.clock()
        found = self.store.alerts.opened(policy, now - (TREND_DAYS + 1) * timedelta(days=1))
        return trend(found, now, TREND_DAYS, team.zone if team else ZoneInfo("UTC"))

    def show_with_trend(self, alert_id: int, person: str) -> ShowReply | Refused | None:
        """The same with how its policy has been lately."""
        found = self.show(alert_id, person)
        if not isinstance(found, ShowReply):
            return found
        return replace(found, trend=self.trend(found.alert.policy, self.team_of(found.alert)))

    def show(self, alert_id: int, person: str, rows: int = 100) -> ShowReply | Refused | None:
        """All of an alert, where the person may see it; None where there is none."""
        alert = self.store.alerts.get(alert_id)
        if alert is None:
            return None
        if refused := self.unseen(person, alert):
            return refused
        return ShowReply(
            alert,
            self.context(alert, rows),
            self.store.alerts.history(alert_id),
            tuple(self.store.jobs.of_alert(alert_id)),
            self.cards([alert]).get(alert_id),
        )

    def entity(self, target: Target, person: str = "") -> EntityReply:
        """All that is known of an entity, as this person may see it."""
        found = self.seen(person, self.store.alerts.about(target, limit=STORY_MOST + 1))
        alerts, ids = tuple(found[:STORY_MOST]), [alert.id for alert in found]
        covered = self.store.snoozes.of_alerts(ids)
        snoozes = {one.id: one for one in (*self.store.snoozes.of(target), *covered)}
        kind, _, value = target.name.partition(":")
        entity = next((e for e in self.catalog.entities.values() if e.name == kind), None)
        url = entity.url(value) if entity else None
        return EntityReply(
            target.name,
            (entity.label or f"Open {kind}", url) if entity and url else None,
            alerts,
            tuple(Note(i, event.actor, event.at, event.story) for i, event in self.store.alerts.notes(ids)),
            tuple(was_on(one) for one in sorted(snoozes.values(), key=lambda s: s.id, reverse=True)),
            self.cards(alerts),
            len(found) > STORY_MOST,
            trend(opened(alerts), self.clock(), TREND_DAYS, ZoneInfo("UTC")),
        )

    def cards(self, alerts: Iterable[Alert]) -> dict[int, Place]:
        """Where the cards of these alerts stand, in one read."""
        found = self.store.outbox.cards_of([alert.id for alert in alerts])
        return {alert: (card.channel, card.ts) for alert, card in found.items() if card.ts}

    def lines(self, names: list[str] | None = None) -> tuple[PolicyLine, ...]:
        """Every policy, or those named, on a line each."""
        now = self.clock()
        last, counts = self.store.runs.last(names), self.store.alerts.counts()
        worth, orders = self._worth(counts), self.store.orders.on()
        does = {one.policy: one.does for one in reversed(orders) if now < one.until}
        wanted = names or sorted(self.catalog.policies)
        return tuple(
            PolicyLine(
                name=name,
                title=policy.title,
                owner=policy.owner,
                status=policy.status.value,
                last_run=last[name].ended_at if name in last else None,
                last_status=last[name].status if name in last else None,
                last_error=_error(last[name]) if name in last else "",
                next_due=next_due(order.ordered(policy, orders, now).schedule, now) if policy.runs else None,
                open_alerts=counts.get(name, 0),
                worth=worth.get(name, ""),
                order=does.get(name, ""),
                nothing_since=_nothing_since(last[name]) if name in last else None,
            )
            for name in wanted
            if (policy := self.catalog.policies.get(name))
        )

    def lines_for(self, person: str, house: House, names: list[str] | None = None) -> tuple[PolicyLine, ...]:
        """The same without what a sensitive one found where the person may not know it."""
        hidden = {p.name for p in self.catalog.policies.values() if not house.sees_of(person, p)}
        return tuple(
            replace(line, open_alerts=0, worth="") if line.name in hidden else line
            for line in self.lines(names)
        )

    def reports(self, policy: Policy) -> int:
        """Of how many false positives nobody has made a case yet."""
        since, false = self.clock() - REPORTED_FOR, Disposition.false_positive
        return len(open_reports(policy, self.store.alerts.resolved([policy.name], since, false)))

    def _worth(self, counts: Mapping[str, int]) -> dict[str, str]:
        """By policy, what an open alert of ours says of its place; nothing is asked where there is none."""
        said = {OVER_BUDGET: "over its budget", EARNED_LIVE: "has earned live", NOISY_POLICY: "noisy"}
        return {
            str(alert.key_values.get("policy")): words
            for name, words in said.items()
            if counts.get(name)
            for alert in self.store.alerts.open(policy=name, limit=1000)
        }

    def status(self, person: str = "") -> StatusReply:
        """As this person may see it; without one, what anybody may."""
        house = self.house
        teams = tuple(name for name, team in sorted(self.catalog.teams.items()) if team.member(person))
        opened = self.seen(person, self._most_wanted(person, teams))
        waiting, begun = self.waiting(person)[:20], tuple(self.store.backfills.begun())
        wrong = (
            *(FORGOTTEN_ALERT, builtin.WAREHOUSE_AWAY, builtin.BROKEN_BUNDLE),
            *(builtin.BROKEN_SENSOR, SILENT_SENSOR),
        )
        broken = [a.title for name in wrong for a in self.store.alerts.open(policy=name, limit=20)]
        return StatusReply(
            policies=self.lines_for(person, house),
            open_alerts=opened,
            on_call=tuple(self.on_call(team, house) for _, team in sorted(self.catalog.teams.items())),
            jobs=self.seen_of(person, self.store.jobs.recent(20))[:5],
            problems=(*broken, *(queue.words() for queue in self.waits() if queue.is_long)),
            version=self.catalog.version[:12],
            bundles=tuple(map(bundles.line, held)) if len(held := self.catalog.bundles) > 1 else (),
            open_total=self._open_total(person, house),
            teams=teams,
            cards=self.cards(opened),
            told={alert.id: house.told(alert) for alert in opened},
            approvals=waiting,
            able={asked.id: self.may_approve(asked) for asked in waiting},
            standing=self.standing(),
            late=late_assets(self.store, self.catalog, self.clock()),
            backfills=begun,
            notices=self.store.notices.places([one.key for one in begun]),
        )

    def _open_total(self, person: str, house: House) -> int:
        """How many there are of those that the person may see."""
        counts, policies = self.store.alerts.counts(), self.catalog.policies
        hidden = {name for name, one in policies.items() if not house.sees_of(person, one)}
        return sum(number for name, number in counts.items() if name not in hidden)

    def _most_wanted(self, person: str, teams: Iterable[str]) -> list[Alert]:
        """The worst of all, and whatever the person has or his teams have, however many there are."""
        read = self.store.alerts.open
        own = read(owner=person, limit=WANTED) if person else []
        found = {
            a.id: a
            for some in (read(limit=WANTED), own, *(read(team=t, limit=WANTED) for t in teams))
            for a in some
        }
        return sorted(found.values(), key=lambda a: (-a.severity, -a.opened_at.timestamp(), -a.id))

    def standing(self) -> tuple[str, ...]:
        """What people have ordered for a time, in sentences."""
        snoozes = [on_now(snooze) for snooze in self.store.snoozes.on()]
        return (*(order.on_now(one) for one in self.store.orders.on()), *snoozes)

    def on_call(self, team: Team, house: House) -> OnCall:
        """Who is on call now, and who is next."""
        held, coming = oncall.now_and_next(team, house.at, house.covers)
        until, following = (coming.start, coming.people) if coming else (None, ())
        return OnCall(team.name, held.people, held.why, until, following)

    def digest(self, team: Team, span: Span) -> DigestReply:
        """What the team is told of that time, and of what is open now."""
        standing = self.seen("", self.store.alerts.open(team=team.name, limit=1000))  # a channel reads it
        since = min(span.since, span.until - PICTURED)
        moved = self.seen("", self.store.alerts.moved(team.name, since, span.until))
        answered = self.store.alerts.answered([a.id for a in moved if a.opened_at >= span.since])
        mine = [name for name, one in self.catalog.policies.items() if one.owner == team.name]
        costs = self.store.costs.between(span.since, span.until, mine) if span.weekly and mine else {}
        dear = spent(costs.values(), DEAREST)
        found = digest(team, span, standing=standing, moved=moved, answered=answered, spent=dear)
        return DigestReply(found, self.cards(found.open[:50]))

    def may_approve(self, asked: Approval) -> tuple[str, ...]:
        """Who may agree to it, on call first: never the one who asks, nor who may not see what it is for."""
        house, alert = self.house, self.store.alerts.get(asked.alert) if asked.alert else None
        able = who_may(Role.approver, house.ground_to_approve(asked.job))
        others = (person for person in able if person != asked.by)
        return tuple(person for person in others if alert is None or house.sees(person, alert))

    def waits(self) -> tuple[Queue, ...]:
        """What waits to be posted, by channel, the longest line first."""
        cards: Counter[str] = Counter()
        lines: Counter[str] = Counter()
        for one in self.store.outbox.waiting():
            policy, team = self.catalog.policies.get(one.policy), self.catalog.teams.get(one.team)
            channel = one.channel or channel_in(Lane(one.lane), policy, team)
            cards[channel] += one.cards
            lines[channel] += one.lines
        names = self.channel_names
        found = (Queue(c, cards[c], lines[c], names.get(c, "")) for c in dict.fromkeys((*cards, *lines)))
        return tuple(sorted(found, key=lambda queue: -queue.posts))

    def unknown_alert(self, alert_id: int) -> Said:
        return Said(f"There is no ALR-{alert_id}.", "`list` shows the open ones.", ok=False)


def _nothing_since(last: RunRecord) -> datetime | None:
    """Until when all was looked at before, where the run was over an empty window and so did not ask."""
    window = last.window
    return window.end if last.status is RunStatus.succeeded and window and window.empty else None


def _error(run: RunRecord) -> str:
    """What went wrong, and when it is tried again."""
    again = f" (next try: {when(run.retry_at)})" if run.retry_at else ""
    return f"{clean(run.error)}{again}"


def _data_until(alert: Alert, runs: Iterable[RunRecord]) -> datetime:
    """How far the data have been looked at, by the policy's good runs of late."""
    good = [run.window.end for run in runs if run.window and run.status is RunStatus.succeeded]
    return max(alert.as_of, *good)
