"""Whether those whom a page would reach have asked Slack for no notifications: then the ladder goes on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from bot.core.action import Unheard
from bot.core.change import Change
from bot.core.step import step
from bot.deliver.posting import Posting
from bot.errors import Conflict, OutcomeUnknown, SlackBusy, SlackRefused
from bot.log import get
from bot.watch.trouble import TRIES

log = get("deliver")

KNOWN_FOR = timedelta(minutes=1)
JUST = timedelta(minutes=10)  # whoever has done something so lately is there, whatever Slack says


class Quiet:
    """Slack is asked once a minute of each person; where it does not say, he is held to be there."""

    def __init__(self, posting: Posting) -> None:
        self.store, self.slack, self.clock = posting.store, posting.slack, posting.clock
        self._known: dict[str, tuple[datetime, datetime | None]] = {}

    def passes_over(self, alert_id: int, told: int, people: Sequence[str]) -> bool:
        """Whether all these people want no notifications and the ladder has gone on for it, as is recorded.
        `told`: how many steps have been told with the page in question."""
        ends: list[datetime] = []
        for slack in people:
            if (end := self._until(slack)) is None:  # one who hears it is enough
                return False
            ends.append(end)
        if not ends:
            return False
        return self._goes_on(alert_id, Unheard(told, tuple(people), max(ends)))

    def _goes_on(self, alert_id: int, action: Unheard) -> bool:
        for _ in range(TRIES):
            now, alert = self.clock(), self.store.alerts.get(alert_id)
            outcome = step(alert, action, now)
            if alert is None or not isinstance(outcome, Change):
                return False
            try:
                self.store.act([outcome], now)
            except Conflict:
                continue
            log.info(outcome.event.kind, alert=alert_id, story=outcome.event.story)
            return True
        return False

    def _until(self, slack: str) -> datetime | None:
        """Until when the person is not to be disturbed; None where he is, or is there."""
        now = self.clock()
        at, until = self._known.get(slack, (None, None))
        if at is None or not timedelta() <= now - at < KNOWN_FOR:
            until = self._ask(slack, now)
            self._known[slack] = (now, until)
        if until is None or until <= now or self.store.alerts.has_acted(slack, now - JUST):
            return None
        return until

    def _ask(self, slack: str, now: datetime) -> datetime | None:
        try:
            return self.slack.quiet_until(slack, now)
        except (SlackRefused, SlackBusy, OutcomeUnknown) as trouble:
            log.info("do-not-disturb not known", person=slack, why=str(trouble))
            return None
