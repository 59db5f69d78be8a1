"""Jobs that wait for a second person: a card in the owner's channel, and in its thread what became of it.

As for alerts: the intent first, one attempt, and after an unknown outcome a look. A first message that lands
later than half a minute after its attempt may stand twice.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from bot.core.approval import Approval, ApprovalState, Posted
from bot.core.job_run import JobRun
from bot.core.message import LEASE, LOOK_APART
from bot.deliver.looking import SKEW
from bot.deliver.pacing import CHANNEL_GAP, EDITS_BY_PEOPLE, LOOK_GAP, LOOKS, PERSON_GAP
from bot.deliver.posting import Posting
from bot.deliver.refusals import ELSEWHERE, GONE, UNSEEN, WHOLE
from bot.errors import OutcomeUnknown, SlackBusy, SlackRefused
from bot.log import get
from bot.slack import approvals as faces
from bot.slack.blocks import Face

log = get("deliver")

AGAIN = timedelta(seconds=30)  # after a refusal by Slack
CLOSED = timedelta(minutes=10)  # for so long a channel that takes nothing is passed over
Waiting = tuple[Approval, Posted, JobRun | None]


class ApprovalCards:
    def __init__(self, posting: Posting) -> None:
        self.posting = posting
        self.store, self.view, self.slack = posting.store, posting.view, posting.slack
        self.clock, self.pacing, self.channels = posting.clock, posting.pacing, posting.channels
        self._closed: dict[
            str, datetime
        ] = {}  # channels that took nothing, and until when they are passed over

    def waiting(self) -> list[tuple[str, Callable[[], bool]]]:
        """What Slack does not show yet, and what moves it."""
        found = self.store.approvals.unshown(self.clock())
        return [(one[0].key, lambda one=one: self._move(one)) for one in found]  # type: ignore[misc]

    def _move(self, one: Waiting) -> bool:
        asked, posted, run = one
        if posted.sending_since is not None:
            return self._look(asked, posted)
        if posted.said < len(_lines(asked, run)):
            return self._post(one)
        shows = _shows(asked, run)
        if posted.shown != shows:
            return self._update(one, shows)
        over = not asked.waits and (
            asked.state is not ApprovalState.approved or bool(run and run.state.ended)
        )
        return over and self.store.approvals.show(asked.id, posted, posted, all_shown=True)

    # ------------------------------------------------------------------- posting

    def _post(self, one: Waiting) -> bool:
        asked, posted, run = one
        channel = posted.channel or self._channel(asked)
        if not channel or not self.pacing.turn(channel, CHANNEL_GAP):
            return False
        began = replace(posted, channel=channel, sending_since=self.clock(), retry_at=None)
        if not self.store.approvals.show(asked.id, posted, began):
            return False
        face, number = _lines(asked, run)[posted.said](self, one), posted.said
        try:
            ts = self.slack.post(channel, face, _delivery(asked, number), thread_ts=posted.ts or None)
        except SlackRefused as refused:
            return self._refused(asked, began, refused)
        except SlackBusy as busy:
            self.pacing.busy(busy.seconds, channel)
            self.store.approvals.show(asked.id, began, replace(began, sending_since=None))
            return False
        except OutcomeUnknown as unknown:
            log.warning("outcome unknown", delivery=_delivery(asked, number), why=str(unknown))
            self.pacing.told(unknown)
            return False
        self.posting.well(channel)
        return self._said(one, began, ts)

    def _said(self, one: Waiting, began: Posted, ts: str) -> bool:
        asked, _, run = one
        card = began.said == 0
        said = replace(began, said=began.said + 1, sending_since=None, retry_at=None, ts=began.ts or ts)
        shown = _shows(asked, run) if card else said.shown
        return self.store.approvals.show(asked.id, began, replace(said, shown=shown))

    def _channel(self, asked: Approval) -> str:
        """The channel of the job's team; that of who answers for Patrol where it takes nothing."""
        alert = self.store.alerts.get(asked.alert) if asked.alert else None
        if alert and self.view.files.sensitive(alert):
            return self.channels.way(alert)
        job = self.view.catalog.jobs.get(asked.job)
        team, owner = self.view.catalog.teams.get(job.owner) if job else None, self.view.owner
        ways = [one.channel for one in (team, owner) if one and one.channel]
        now = self.clock()
        return next((way for way in ways if self._closed.get(way, now) <= now), next(iter(ways), ""))

    def _refused(self, asked: Approval, began: Posted, refused: SlackRefused) -> bool:
        now = self.clock()
        if refused.code in WHOLE:
            self.pacing.refused(refused.code)
        log.error("approval not shown", approval=asked.id, channel=began.channel, why=str(refused))
        if refused.code in ELSEWHERE:
            self._closed[began.channel] = now + CLOSED
        first = (
            began.said == 0 or refused.code in GONE | ELSEWHERE
        )  # the card goes elsewhere, or is posted anew
        free = Posted(said=0) if first else replace(began, sending_since=None)
        self.store.approvals.show(asked.id, began, replace(free, retry_at=now + AGAIN))
        return False

    # ------------------------------------------------------------------- looking

    def _look(self, asked: Approval, posted: Posted) -> bool:
        """Whether it was sent is not known: found it stands, absent for long enough it is free again."""
        assert posted.sending_since
        waited = self.clock() - posted.sending_since
        if waited < LEASE or not self.pacing.turn(LOOKS, LOOK_GAP):
            return False
        delivery, oldest = _delivery(asked, posted.said), posted.sending_since - SKEW - self.posting.ahead
        try:
            found = self.slack.find(posted.channel, delivery, oldest=oldest, thread_ts=posted.ts or None)
        except SlackRefused as refused:
            if refused.code not in UNSEEN:
                return False
            found = []
        except (SlackBusy, OutcomeUnknown):
            return False
        if found:
            return self._said((asked, posted, None), posted, found[0].ts)
        if waited < LEASE + LOOK_APART:
            return False
        return self.store.approvals.show(asked.id, posted, replace(posted, sending_since=None))

    # ------------------------------------------------------------------- editing

    def _update(self, one: Waiting, shows: str) -> bool:
        asked, posted, _ = one
        if not self.pacing.turn(EDITS_BY_PEOPLE, PERSON_GAP):
            return False
        try:
            self.slack.update(posted.channel, posted.ts, self._card(one), _delivery(asked, 0), 0)
        except SlackRefused as refused:
            if refused.code not in GONE:
                return self._refused(asked, posted, refused)
        except (SlackBusy, OutcomeUnknown) as trouble:
            later = replace(posted, retry_at=self.clock() + AGAIN)
            log.warning("not sent", delivery=asked.key, why=str(trouble))
            return self.store.approvals.show(asked.id, posted, later)
        return self.store.approvals.show(asked.id, posted, replace(posted, shown=shows, retry_at=None))

    def _card(self, one: Waiting) -> Face:
        asked, posted, run = one
        job = self.view.catalog.jobs.get(asked.job)
        able = self.view.may_approve(asked) if asked.waits and not posted.said else ()
        place = self.store.outbox.message(asked.alert) if asked.alert else None
        url = self.slack.address(place.channel, place.ts) if place and place.ts else ""
        return faces.card(asked, job, run, able, url)


def _lines(asked: Approval, run: JobRun | None) -> list[Callable[[ApprovalCards, Waiting], Face]]:
    """The messages that there are to be, in their order: the card, the answer, the job's end."""
    lines: list[Callable[[ApprovalCards, Waiting], Face]] = [ApprovalCards._card]
    if not asked.waits:
        lines.append(lambda _, one: faces.decided(one[0]))
    if run and run.state.ended:
        lines.append(lambda _, one: faces.ended(one[0], run))
    return lines


def _shows(asked: Approval, run: JobRun | None) -> str:
    return f"{asked.state.value}/{run.state.value}/{run.outcome[:80]}" if run else asked.state.value


def _delivery(asked: Approval, number: int) -> str:
    return f"{asked.key}-{number}"
