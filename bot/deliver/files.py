"""An alert's rows as a file in its thread. A file carries no mark of ours: its id is kept before it is shown,
and Slack is asked about that id after an unknown outcome, so that one stands and never two."""

from __future__ import annotations

from dataclasses import replace

from bot.core.alert import Alert
from bot.core.change import StoredEffect
from bot.core.message import LEASE, LOOK_AGAIN, Message, MessageState
from bot.deliver.looking import Looking
from bot.deliver.pacing import CHANNEL_GAP, LOOK_GAP, LOOKS
from bot.deliver.posting import Posting, Sending, nothing_sent
from bot.deliver.refusals import UNSEEN
from bot.process.errors import OutcomeUnknown, SlackBusy, SlackRefused
from bot.process.killpoint import reach
from bot.process.log import get
from bot.slack.blocks import Face
from bot.slack.sheet import sheet

log = get("deliver")

MOST_ROWS = 10_000  # as many as a look reads
NO_FILE = "file_not_found"
NOTHING = Face("", [])


class Files:
    def __init__(self, posting: Posting, looking: Looking) -> None:
        self.posting = posting
        self.looking = looking
        self.store, self.view, self.slack = posting.store, posting.view, posting.slack
        self.clock, self.pacing = posting.clock, posting.pacing

    def post(self, stored: StoredEffect, alert: Alert, there: Message, was: Message | None) -> bool:
        """Uploads the rows, unless that is done, and shows the file in the thread."""
        if not self.pacing.turn(there.channel, CHANNEL_GAP):
            return False
        intent = self.posting.intended(there)
        if not self.store.outbox.intend(intent, self.clock(), was=was):
            return False
        reach("send.before")
        uploaded = intent if intent.file_id else self._upload(intent, stored, alert)
        return self._share(uploaded, stored, alert) if uploaded else False

    def _upload(self, intent: Message, stored: StoredEffect, alert: Alert) -> Message | None:
        """The file is at Slack, seen by nobody, and we know its id; None where that was not to be."""
        evidence = self.store.alerts.evidence(alert.id, MOST_ROWS)
        policy = self.view.policy_of(alert)
        hidden = {n for n, how in (policy.alert.columns if policy else {}).items() if how == "hide"}
        content = sheet([name for name in evidence.columns if name not in hidden], evidence.rows)
        try:
            file_id = self.slack.upload(_name(alert), content)
        except SlackRefused as refused:
            self._refused(intent, stored, refused)
            return None
        except SlackBusy as busy:
            self.pacing.busy(busy.seconds, intent.channel)
            self.posting.later(intent, nothing_sent(intent), busy)
            return None
        except OutcomeUnknown as unknown:  # whatever came of it, nobody sees it
            self.posting.later(intent, nothing_sent(intent), unknown)
            return None
        known = replace(intent, file_id=file_id, lease_until=self.clock() + LEASE)
        if not self.store.outbox.record(known, was=intent):
            return None
        reach("upload.after")
        return known

    def _share(self, intent: Message, stored: StoredEffect, alert: Alert) -> bool:
        try:
            ts = self.slack.share(
                intent.file_id or "", _name(alert), intent.channel, intent.thread_ts, stored.effect.text
            )
        except SlackRefused as refused:
            return self._refused(intent, stored, refused)
        except SlackBusy as busy:
            self.pacing.busy(busy.seconds, intent.channel)
            return self.posting.later(intent, nothing_sent(intent), busy)
        except OutcomeUnknown as unknown:
            return self.posting.unknown(intent, unknown)
        reach("send.after")
        return self.posting.posted(Sending(intent, NOTHING, 0, stored), ts)

    def _refused(self, intent: Message, stored: StoredEffect, refused: SlackRefused) -> bool:
        if refused.code == NO_FILE:  # Slack has forgotten what was uploaded: that is done again
            self.pacing.told(refused)
            return self.posting.later(intent, replace(nothing_sent(intent), file_id=None), refused)
        if refused.code == "missing_scope":  # of files alone: all else goes on
            self.pacing.told(refused)
            return self.posting.park(intent, stored, refused)
        return self.posting.put_by(intent, stored, refused)

    # ------------------------------------------------------------------ looking

    def look(self, message: Message) -> bool:
        """Where the file is shown. What has no id yet was never shown."""
        if message.file_id is None:
            return self.store.outbox.record(nothing_sent(message), was=message)
        if not self.pacing.turn(LOOKS, LOOK_GAP):
            return False
        try:
            shown = self._shown(message)
            kept = message.ts if message.ts in shown else next(iter(shown), None)
            for ts in shown:
                if ts != kept:
                    self.looking.delete(message, ts)
        except (SlackRefused, SlackBusy, OutcomeUnknown) as trouble:
            return self.looking.not_now(message, trouble)
        self.pacing.answered()
        free = replace(message, attempts=0, retry_at=None, error="", lease_until=None)
        if message.state is MessageState.posted:
            return self.store.outbox.record(
                replace(free, ts=kept or message.ts, look_again_at=None), was=message
            )
        if kept is None:
            return self.looking.absent(message, replace(free, lease_until=message.lease_until))
        log.info("found after all", delivery=message.delivery, ts=kept)
        again = self.clock() + LOOK_AGAIN if message.look_again_at else None
        adopted = replace(free, state=MessageState.posted, ts=kept, absent_at=None, look_again_at=again)
        return self.store.outbox.record(replace(adopted, shown_seq=0), was=message)

    def _shown(self, message: Message) -> list[str]:
        try:
            return self.slack.shown_at(message.file_id or "", message.channel)
        except SlackRefused as refused:
            if refused.code not in UNSEEN | {NO_FILE}:
                raise
            return []


def _name(alert: Alert) -> str:
    return f"{alert.name}-{alert.policy.replace('.', '-')}.csv"
