"""The notices of jobs that wait for a second person: what they show, and where they go."""

from __future__ import annotations

from bot.core.alert import Alert
from bot.core.approval import Approval, Says
from bot.core.notice import Notice
from bot.deliver.posting import Posting
from bot.slack import approvals as faces
from bot.slack.blocks import Face


class ApprovalFaces:
    def __init__(self, posting: Posting) -> None:
        self.store, self.view, self.slack = posting.store, posting.view, posting.slack
        self.channels = posting.channels

    def face(self, notice: Notice, *, stands: bool) -> Face | None:
        """As it now is; None where it was forgotten. Who may agree is pinged when it is posted, once."""
        asked = self.store.approvals.get(notice.approval)
        if asked is None:
            return None
        run = self.store.jobs.of_key(asked.key)
        match notice.says:
            case Says.decided:
                return faces.decided(asked)
            case Says.ended:
                return faces.ended(asked, run) if run else None
        able = self.view.may_approve(asked) if asked.waits and not stands else ()
        card = self.store.outbox.message(asked.alert) if asked.alert else None
        url = self.slack.address(card.channel, card.ts) if card and card.ts else ""
        return faces.card(asked, self.view.catalog.jobs.get(asked.job), run, able, url)

    def channel(self, notice: Notice) -> str:
        """That of the job's team; of who answers for Patrol where it takes nothing. What is for a sensitive
        alert goes where that one may be shown, or nowhere."""
        asked = self.store.approvals.get(notice.approval)
        alert = self._sensitive(asked) if asked else None
        if alert:
            return self.channels.way(alert)
        job = self.view.catalog.jobs.get(asked.job) if asked else None
        team, owner = self.view.catalog.teams.get(job.owner) if job else None, self.view.owner
        ways = [one.channel for one in (team, owner) if one and one.channel]
        return next((way for way in ways if not self.channels.shut(way)), next(iter(ways), ""))

    def may_stand(self, notice: Notice, channel: str) -> bool:
        """Whether something may be added to it there: a channel may be open to others by now."""
        asked = self.store.approvals.get(notice.approval)
        alert = self._sensitive(asked) if asked else None
        return alert is None or bool(self.channels.privacy.ways(alert, [channel]))

    def _sensitive(self, asked: Approval) -> Alert | None:
        """The alert that it is for, where only some may see that."""
        alert = self.store.alerts.get(asked.alert) if asked.alert else None
        return alert if alert and self.view.files.sensitive(alert) else None
