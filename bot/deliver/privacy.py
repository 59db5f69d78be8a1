"""Where sensitive alerts may be posted: in private channels that no other workspace shares."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from bot.core.alert import Alert
from bot.core.builtin import mended
from bot.core.builtin_slack import EXPOSED, exposed_channel, policy_key
from bot.process.errors import OutcomeUnknown, SlackBusy, SlackRefused
from bot.process.log import get
from bot.slack.client import Channel, SlackClient
from bot.store import Store
from bot.view import View
from bot.watch.trouble import told

log = get("deliver")

ASK_EVERY = timedelta(minutes=1)


def open_to_others(channel: Channel) -> str:
    """Why others than its members could read what is posted there, in words; empty where nobody could."""
    if channel.is_shared:
        return "it is shared with another workspace"
    return "" if channel.is_private else "it is public"


class Privacy:
    """What Slack said of a channel is good for a minute. While it does not say, nothing is posted."""

    def __init__(self, store: Store, view: View, slack: SlackClient, clock: Callable[[], datetime]) -> None:
        self.store = store
        self.view = view
        self.slack = slack
        self.clock = clock
        self._known: dict[str, tuple[datetime, str | None]] = {}  # channel -> asked at, and why not
        self._told: dict[str, str] = {}  # policy -> of which channel its owner was told; "": none

    def ways(self, alert: Alert, wanted: Sequence[str]) -> list[str]:
        """Those of the channels that are private. Where none is, its owner is told, once."""
        why_not = {channel: self._why_not(channel) for channel in wanted}
        private = [channel for channel, why in why_not.items() if why == ""]
        exposed = {channel: why for channel, why in why_not.items() if why}
        if private:
            self._mended(alert)
        elif exposed:
            self._tell(alert, *next(iter(exposed.items())))
        return private

    def _why_not(self, channel: str) -> str | None:
        """Why nothing may be posted there, in words; empty where it may, None where Slack does not say."""
        now = self.clock()
        asked_at, why = self._known.get(channel, (now - ASK_EVERY, None))
        if not timedelta() <= now - asked_at < ASK_EVERY:
            try:
                found = self.slack.channel(channel)
            except (SlackRefused, SlackBusy, OutcomeUnknown) as trouble:
                log.warning("not known whether it is private", channel=channel, why=str(trouble))
                why = None
            else:
                why = open_to_others(found)
                self.view.channel_names[channel] = f"#{found.name}"
            self._known[channel] = (now, why)
        return why

    def _tell(self, alert: Alert, channel: str, why: str) -> None:
        """Its owner is told which channel is open to others; nothing of the alert itself."""
        name = self.view.channel_names.get(channel, channel)
        if self._told.get(alert.policy) == name:
            return
        self._told[alert.policy] = name
        owner, team = alert.terms.team, self.view.team_of(alert)
        fire = exposed_channel(alert.policy, name, why, owner, team, self.clock())
        if told(self.store, self.clock, EXPOSED, fire.key, fire):
            log.error("sensitive alert not posted", alert=alert.id, channel=channel, why=why)

    def _mended(self, alert: Alert) -> None:
        if self._told.get(alert.policy) != "":  # also what another process, or an earlier one, has told
            self._told[alert.policy] = ""
            told(self.store, self.clock, EXPOSED, policy_key(alert.policy), mended(self.clock()))
