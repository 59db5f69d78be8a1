"""What is said beside alerts: to a person or in a team's channel, once each, edited when it has changed."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from bot.core import oncall
from bot.core.message import LEASE, LOOK_AGAIN, Message, Move, next_move
from bot.core.notice import Notice
from bot.deliver.approvals import ApprovalFaces
from bot.deliver.looking import Looking
from bot.deliver.pacing import CHANNEL_GAP, EDITS_BY_PEOPLE, PERSON_GAP
from bot.deliver.posting import Posting
from bot.deliver.quiet import Quiet
from bot.deliver.refusals import ELSEWHERE, GONE, WHOLE, of_place
from bot.process.errors import OutcomeUnknown, SlackBusy, SlackRefused
from bot.process.log import get
from bot.slack import backfill, duty
from bot.slack.blocks import Face
from bot.slack.digest import digest
from bot.slack.handoff import handoff
from bot.slack.lines import Room

log = get("deliver")

FORGOTTEN = "what it told of was forgotten"
TOO_LATE = timedelta(days=1)  # then it is of no use to anybody
AGAIN = timedelta(seconds=15)  # where Slack does not say who is meant
NO_SCOPE = frozenset({"missing_scope", "no_permission", "not_allowed_token_type"})  # then by the person's id


class Notices:
    def __init__(self, posting: Posting, looking: Looking, quiet: Quiet) -> None:
        self.quiet = quiet
        self.posting = posting
        self.looking = looking
        self.store, self.view, self.slack = posting.store, posting.view, posting.slack
        self.clock, self.pacing, self.channels = posting.clock, posting.pacing, posting.channels
        self.approvals = ApprovalFaces(posting)
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
        channel = root.channel if root else self._channel(notice, message)
        if not channel or self._must_wait(channel) or not self._may_stand(notice, channel):
            return False
        heard = self.quiet.heed(notice)
        if heard is None:
            return False
        face = self._face(heard)
        if face is None:
            return self.store.notices.end(notice, "dropped", FORGOTTEN)
        first = message or Message(f"notice-{notice.id}", 0, None, channel, notice=notice.id)
        there = replace(first, thread_ts=root.ts if root else None, channel=channel)
        return self.posting.post(there, message, notice.seq, lambda: face)

    def _must_wait(self, channel: str) -> bool:
        """Whether the line of the channel is not free: then nothing need be read for what waits there."""
        return self.pacing.waits(channel) and not self.pacing.turn(channel, CHANNEL_GAP)

    def _may_stand(self, notice: Notice, channel: str) -> bool:
        return not notice.approval or self.approvals.may_stand(notice, channel)

    def _face(self, notice: Notice, stands: bool = False) -> Face | None:
        """What it shows now; None where what it told of is no longer there."""
        if notice.approval:
            return self.approvals.face(notice, stands=stands)
        team, names = self.view.catalog.teams.get(notice.team), oncall.names(self.view.catalog.teams)
        if notice.digest and team:
            told = self.view.digest(team, notice.digest)
            return digest(told, Room(address=self.slack.address), notice.picture)
        if notice.backfill:
            return self._backfill(notice.backfill)
        shift = self.store.handoffs.get(notice.handoff) if notice.handoff else None
        return handoff(shift, names, self._address) if shift else duty.notice(notice, names)

    def _backfill(self, backfill_id: int) -> Face | None:
        run = self.store.backfills.get(backfill_id)
        if run is None:
            return None
        names = oncall.names(self.view.catalog.teams)
        return backfill.card(run, self.store.backfills.found(run), self.view.files.hides(run), names)

    def _address(self, alert: int) -> str:
        """Where the alert's card stands."""
        card = self.store.outbox.message(alert)
        return self.slack.address(card.channel, card.ts) if card and card.ts else ""

    def _channel(self, notice: Notice, message: Message | None) -> str:
        """Where it goes. A copy that may yet land late is watched for where it was sent. Empty: not now."""
        late = message is not None and message.look_again_at is not None
        if notice.approval and not (message and late and not self.channels.shut(message.channel)):
            return self.approvals.channel(notice)
        return message.channel if message else self._to(notice)

    def _to(self, notice: Notice) -> str:
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
                log.error("cannot be told", person=to, why=str(refused), notice=notice.key)
                self.store.notices.end(notice, "dropped", str(refused))
        except (SlackBusy, OutcomeUnknown) as away:
            self.pacing.told(away)
        return self._direct.get(to, "")

    def _update(self, notice: Notice, message: Message, ts: str) -> bool:
        """Edits it to what it now is. Doing so twice does no harm."""
        if not self._may_stand(notice, message.channel) or not self.pacing.turn(EDITS_BY_PEOPLE, PERSON_GAP):
            return False
        face = self._face(notice, stands=True)
        if face is None:
            return self.store.notices.end(notice, "dropped", FORGOTTEN)
        now = self.clock()
        taken = replace(message, lease_until=now + LEASE)
        if not self.store.outbox.intend(taken, now, was=message):
            return False
        free = replace(taken, lease_until=None, attempts=taken.attempts + 1)
        try:
            self.slack.update(message.channel, ts, face, message.delivery, notice.seq)
        except SlackRefused as refused:
            if refused.code in GONE:  # somebody has taken it away
                self.store.outbox.record(replace(free, shown_seq=notice.seq), was=taken)
                return False
            return self._refused(notice, taken, free, refused)
        except SlackBusy as busy:
            self.pacing.busy(busy.seconds, EDITS_BY_PEOPLE)
            return self.posting.later(taken, free, busy)
        except OutcomeUnknown as unknown:
            return self.posting.later(taken, replace(free, look_again_at=now + LOOK_AGAIN), unknown)
        self.posting.well("")
        shown = replace(free, shown_seq=notice.seq, attempts=0, retry_at=None, error="")
        return self.store.outbox.record(shown, was=taken)

    def _refused(self, notice: Notice, taken: Message, free: Message, refused: SlackRefused) -> bool:
        """A card whose channel takes nothing any more is posted anew, where it now belongs."""
        code = of_place(refused.code)
        if code in ELSEWHERE and notice.approval and not notice.under:
            self.channels.refused(taken.channel, notice.team, code)
            if (way := self.approvals.channel(notice)) and way != taken.channel:
                anew = Message(taken.delivery, 0, None, way, notice=notice.id)
                return self.store.outbox.record(anew, was=taken)
        return self.posting.later(taken, free, refused)
