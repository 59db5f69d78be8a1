"""What came too late to be told one by one is told once: a digest to each team, an alert like any other."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from bot.core import oncall
from bot.core.action import Fire
from bot.core.alert import Alert, Lane, Work
from bot.core.builtin import LANE
from bot.core.builtin_slack import SLACK_AWAY, HeldBack, Outage, away_key, rows_of, slack_away
from bot.core.change import Change, EffectKind, StoredEffect
from bot.core.ladder import still_due
from bot.core.message import LATE, Message
from bot.core.reply import Evidence
from bot.core.step import step
from bot.deliver.channels import Channels
from bot.deliver.pacing import AWAY, BACK, Pacing
from bot.process.errors import Conflict
from bot.process.killpoint import reach
from bot.process.log import get
from bot.store import Store
from bot.store.values import Beside
from bot.view import View
from bot.watch.trouble import TRIES

log = get("deliver")

TOLD = (EffectKind.page, EffectKind.tell)
SHORT = timedelta(minutes=5)  # so short an absence is not what made messages late
LISTED_FOR = timedelta(days=2)  # so long a digest is remembered to have listed an alert
COLUMNS = ("alert", "severity", "what", "to", "when")
Card = tuple[Alert, Message | None]
Line = tuple[StoredEffect, Alert, Message | None]


class Away:
    def __init__(
        self,
        store: Store,
        view: View,
        clock: Callable[[], datetime],
        pacing: Pacing,
        channels: Channels,
    ) -> None:
        self.store = store
        self.view = view
        self.clock = clock
        self.pacing = pacing
        self.channels = channels
        self._listed: set[int] = set()  # alerts whose late cards a digest tells of; spares asking again

    def concerns(self, cards: Iterable[Card], lines: Iterable[Line]) -> bool:
        """Whether any of what could be sent now comes too late for that."""
        limit = self.clock() - LATE
        return any(self._late_card(alert, message, limit) for alert, message in cards) or any(
            self._late_line(stored, alert, message, limit) for stored, alert, message in lines
        )

    def _late_card(self, alert: Alert, message: Message | None, limit: datetime) -> bool:
        return (
            alert.opened_at <= limit
            and alert.id not in self._listed
            and _unsent(message)
            and alert.lane is Lane.live
            and alert.work is Work.open
            and not alert.snooze
            and self._told_of(alert)
        )

    def _late_line(
        self, stored: StoredEffect, alert: Alert, message: Message | None, limit: datetime
    ) -> bool:
        late = stored.since is not None and stored.since <= limit and stored.effect.kind in TOLD
        due = late and _unsent(message) and still_due(stored.effect, alert) is None
        return due and self._told_of(alert)

    def _told_of(self, alert: Alert) -> bool:
        """Not of a digest itself, nor while there is no channel that would take one."""
        if alert.policy == SLACK_AWAY or self.channels.view.files.sensitive(alert):
            return False  # others read a digest, too
        return not self.channels.closed(self.channels.way(alert))

    # ------------------------------------------------------------------- telling

    def settle(self) -> bool:
        """Puts all that is too late into digests; False where that could not be done now."""
        for _ in range(TRIES):
            held = self._gather()
            if not held:
                return True
            if not self.pacing.ping():
                return False
            try:
                for team in sorted({one.alert.terms.team for one in held}):
                    self._tell(team, [one for one in held if one.alert.terms.team == team])
                return True
            except Conflict:
                continue
        return False

    def _gather(self) -> list[HeldBack]:
        """Late cards, late lines, and with them every page of the same alerts: one mention is enough."""
        limit = self.clock() - LATE
        absent = self.store.outbox.unposted(self.clock())
        cards = [alert for alert, message in absent if self._late_card(alert, message, limit)]
        known = self._known_listed() if cards else set()
        self._listed |= known & {alert.id for alert in cards}
        lines = self.store.outbox.told(TOLD)
        about = {alert.id for alert in cards} - known
        about |= {line[1].id for line in lines if self._late_line(*line, limit)}
        opened = [alert for alert, _ in absent if alert.id in about - known]
        held = [HeldBack(alert, "opened", "oncall", alert.opened_at) for alert in opened]
        for stored, alert, message in lines:
            late = self._late_line(stored, alert, message, limit)
            superseded = stored.effect.kind is EffectKind.page and alert.id in about and _unsent(message)
            if late or (superseded and still_due(stored.effect, alert) is None and self._told_of(alert)):
                to = stored.effect.to or "oncall"
                at = stored.since or alert.fired_at
                held.append(HeldBack(alert, stored.effect.kind.value, to, at, stored.id, message))
        return held

    def _known_listed(self) -> set[int]:
        """The alerts that digests of late have listed."""
        digests = self.store.alerts.held(SLACK_AWAY, LANE, resolved_since=self.clock() - LISTED_FOR)
        rows = (row for one in digests.values() for row in self.store.alerts.evidence(one.id, 10_000).rows)
        return {int(str(row["alert"]).removeprefix("ALR-")) for row in rows}

    def _tell(self, name: str, held: list[HeldBack]) -> None:
        """The digest, its rows, and the end of what it stands for, in one transaction."""
        now, outage, known = self.clock(), self._outage(held), self._known_listed()
        team = self.view.catalog.teams.get(name)
        key = away_key(name, outage)
        before = self.store.alerts.held(SLACK_AWAY, LANE, keys=[key], resolved_since=now - LISTED_FOR).get(
            key
        )
        fire = slack_away(name, team, outage, held, before, known, now)
        outcome = step(before, fire, now)
        if not isinstance(outcome, Change):
            return
        reach("digest.before")
        (alert,) = self.store.act([outcome], now, self._beside(fire, held))
        reach("digest.after")
        self._listed |= {one.alert.id for one in held}
        log.warning("told late, in one digest", alert=alert.id, team=name, title=fire.title)

    def _beside(self, fire: Fire, held: list[HeldBack]) -> Beside:
        names = oncall.names(self.view.catalog.teams)
        rows = rows_of(held, names)
        dropped = {
            one.effect: (f"too late to be told by itself: {fire.title}", one.message)
            for one in held
            if one.effect is not None
        }
        return Beside({fire.key: Evidence(COLUMNS, tuple(reversed(rows)), len(rows))}, dropped)

    def _outage(self, held: list[HeldBack]) -> Outage:
        """What made it late: Slack's absence, where it was away meanwhile, else the length of the queue."""
        away, back = self.store.pace.noted(AWAY), self.store.pace.noted(BACK)
        oldest = min(one.at for one in held)
        if away:
            until = back if back and back >= away else self.clock()
            if until >= oldest and until - away >= SHORT:
                return Outage(away, until - away, True)
        return Outage(oldest.replace(minute=0, second=0, microsecond=0), self.clock() - oldest, False)


def _unsent(message: Message | None) -> bool:
    """Nothing of it can be at Slack."""
    return message is None or (message.ts is None and message.sending_since is None)
