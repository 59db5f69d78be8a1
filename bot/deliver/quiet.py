"""Whether those whom a page would reach have asked Slack for no notifications: then the ladder goes on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from bot.core.action import Unheard
from bot.core.alert import Work
from bot.core.change import Change
from bot.core.notice import Notice, StepTold
from bot.core.step import step
from bot.core.words import who
from bot.deliver.posting import Posting
from bot.process.errors import Conflict, OutcomeUnknown, SlackBusy, SlackRefused
from bot.process.log import get
from bot.watch.trouble import TRIES

log = get("deliver")

KNOWN_FOR = timedelta(minutes=1)
WAKES_WITHIN = timedelta(minutes=1)  # an alert whose snooze has been ended
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
            if (end := self.until(slack)) is None:  # one who hears it is enough
                return False
            ends.append(end)
        if not ends:
            return False
        return self._goes_on(alert_id, Unheard(told, tuple(people), max(ends)))

    def heed(self, notice: Notice) -> Notice | None:
        """The notice without those who would not hear it, where the ladders go on for them; None: not yet,
        since its alerts have not woken."""
        muted = {slack for slack in notice.people if self.until(slack)}
        pinged = set(notice.people) - muted
        for told in notice.steps:
            if told.people and muted.issuperset(told.people):
                alert = self.store.alerts.get(told.alert)
                if alert and alert.snooze and self._is_new(notice):
                    return None
                if not self._past(told):
                    pinged.update(told.people)
        return _without(notice, sorted(muted - pinged)) if muted - pinged else notice

    def _is_new(self, notice: Notice) -> bool:
        return notice.since is not None and self.clock() - notice.since < WAKES_WITHIN

    def _past(self, told: StepTold) -> bool:
        """Whether somebody else is told of the alert, or nobody need be."""
        if self.passes_over(told.alert, told.step, told.people):
            return True
        alert = self.store.alerts.get(told.alert)
        return alert is None or alert.work is not Work.open or alert.step != told.step

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

    def until(self, slack: str) -> datetime | None:
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


def _without(notice: Notice, people: Sequence[str]) -> Notice:
    """It names them without a ping, and says why."""
    named, has = " and ".join(map(who, people)), "has" if len(people) == 1 else "have"
    text = f"{notice.text} {named} {has} asked Slack not to be disturbed: the next step is told."
    heard = [slack for slack in notice.people if slack not in people]
    return replace(notice, body={**notice.body, "text": text, "people": heard})
