"""What is said beside alerts: to a person or in a team's channel, once each, edited when it has changed."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from bot.core import oncall
from bot.core.message import LEASE, LOOK_AGAIN, Message, Move, next_move
from bot.core.notice import Notice
from bot.deliver.looking import Looking
from bot.deliver.pacing import EDITS_BY_PEOPLE, PERSON_GAP
from bot.deliver.posting import Posting
from bot.deliver.refusals import GONE, WHOLE
from bot.errors import OutcomeUnknown, SlackBusy, SlackRefused
from bot.log import get
from bot.slack import duty
from bot.slack.blocks import Face
from bot.slack.digest import digest
from bot.slack.handoff import handoff
from bot.slack.lines import Room

log = get("deliver")

TOO_LATE = timedelta(days=1)  # then it is of no use to anybody
AGAIN = timedelta(seconds=15)  # where Slack does not say who is meant
NO_SCOPE = frozenset({"missing_scope", "no_permission", "not_allowed_token_type"})  # then by the person's id


class Notices:
    def __init__(self, posting: Posting, looking: Looking) -> None:
        self.posting = posting
        self.looking = looking
        self.store, self.view, self.slack = posting.store, posting.view, posting.slack
        self.clock, self.pacing = posting.clock, posting.pacing
        self._direct: dict[str, str] = {}  # person -> channel of direct messages
        self._asked: dict[str, datetime] = {}

    def move(self, notice: Notice, message: Message | None) -> bool:
        now = self.clock()
        unsent = message is None or (message.ts is None and message.sending_since is None)
        if unsent and notice.since and now - notice.since > TOO_LATE:
            return self.store.notices.end(notice, "dropped", "too late")
        match next_move(message, notice.seq, now):
            case Move.post:
                return self._post(notice, message)
            case Move.look if message:
                return self.looking.look(message)
            case Move.update if message and message.ts:
                return self._update(notice, message, message.ts)
            case Move.nothing:
                return self.store.notices.end(notice, "done")
        return False

    def _post(self, notice: Notice, message: Message | None) -> bool:
        root = self.store.notices.message(notice.under) if notice.under else None
        if notice.under and (root is None or root.ts is None):
            return False
        channel = message.channel if message else self._channel(notice)
        if not channel:
            return False
        first = message or Message(f"notice-{notice.id}", 0, None, channel, notice=notice.id)
        there = replace(first, thread_ts=root.ts, channel=root.channel) if root else first
        return self.posting.post(there, message, notice.seq, lambda: self._face(notice))

    def _face(self, notice: Notice) -> Face:
        team, names = self.view.catalog.teams.get(notice.team), oncall.names(self.view.catalog.teams)
        if notice.digest and team:
            told = self.view.digest(team, notice.digest)
            return digest(told, Room(address=self.slack.address), notice.picture)
        shift = self.store.handoffs.get(notice.handoff) if notice.handoff else None
        return handoff(shift, names, self._address) if shift else duty.notice(notice, names)

    def _address(self, alert: int) -> str:
        """Where the alert's card stands."""
        card = self.store.outbox.message(alert)
        return self.slack.address(card.channel, card.ts) if card and card.ts else ""

    def _channel(self, notice: Notice) -> str:
        """A channel is itself; a person has one of direct messages. Empty: not now, or never."""
        to, now = notice.to, self.clock()
        if to[:1] not in ("U", "W") or to in self._direct:
            return self._direct.get(to, to)
        if self._asked.get(to, now) > now:
            return ""
        self._asked[to] = now + AGAIN
        try:
            self._direct[to] = self.slack.direct(to) or to
        except SlackRefused as refused:
            if refused.code in NO_SCOPE:  # then nobody can look whether it stands: at least once
                self._direct[to] = to
            elif refused.code not in WHOLE:
                log.error("cannot be told", person=to, why=str(refused), text=notice.text)
                self.store.notices.end(notice, "dropped", str(refused))
        except (SlackBusy, OutcomeUnknown) as away:
            self.pacing.told(away)
        return self._direct.get(to, "")

    def _update(self, notice: Notice, message: Message, ts: str) -> bool:
        """Edits it to what it now is. Doing so twice does no harm."""
        if not self.pacing.turn(EDITS_BY_PEOPLE, PERSON_GAP):
            return False
        now = self.clock()
        taken = replace(message, lease_until=now + LEASE)
        if not self.store.outbox.intend(taken, now, was=message):
            return False
        free = replace(taken, lease_until=None, attempts=taken.attempts + 1)
        try:
            self.slack.update(message.channel, ts, self._face(notice), message.delivery, notice.seq)
        except SlackRefused as refused:
            if refused.code in GONE:  # somebody has taken it away
                self.store.outbox.record(replace(free, shown_seq=notice.seq), was=taken)
                return False
            return self.posting.later(taken, free, refused)
        except SlackBusy as busy:
            self.pacing.busy(busy.seconds, EDITS_BY_PEOPLE)
            return self.posting.later(taken, free, busy)
        except OutcomeUnknown as unknown:
            return self.posting.later(taken, replace(free, look_again_at=now + LOOK_AGAIN), unknown)
        self.posting.well("")
        shown = replace(free, shown_seq=notice.seq, attempts=0, retry_at=None, error="")
        return self.store.outbox.record(shown, was=taken)
