"""Channels that take no posts: told to a team once, and gone round until they do again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from bot.core import builtin_slack
from bot.core.alert import Alert, Condition
from bot.core.builtin import LANE, mended
from bot.core.builtin_slack import UNREACHABLE, channel_key
from bot.core.reconcile import RESOLVED_LATELY
from bot.deliver.pacing import Pacing
from bot.deliver.privacy import Privacy
from bot.deliver.refusals import SEEN_FROM_OUTSIDE, WHOLE, of_channel
from bot.process.errors import OutcomeUnknown, SlackBusy, SlackRefused
from bot.process.log import get
from bot.slack.client import SlackClient
from bot.store import Store
from bot.view import View
from bot.watch.trouble import told
from sensors.model.team import Team

log = get("deliver")

READ_EVERY = timedelta(seconds=5)
ASK_EVERY = timedelta(minutes=1)  # whether a closed channel is open again
CLOSED_REST = timedelta(seconds=30)  # between two tries where there is no other way


class Channels:
    """What is known of a channel is an alert of `patrol.unreachable_channel`: all processes know it."""

    def __init__(
        self, store: Store, view: View, slack: SlackClient, clock: Callable[[], datetime], pacing: Pacing
    ) -> None:
        self.store = store
        self.view = view
        self.slack = slack
        self.clock = clock
        self.pacing = pacing
        self._closed: dict[str, str] = {}  # channel -> Slack's word
        self._shut_until: dict[str, datetime] = {}  # then the next card is a try
        self._ask_at: dict[str, datetime] = {}
        self._read_at: datetime | None = None
        self.privacy = Privacy(store, view, slack, clock)

    @property
    def words(self) -> tuple[str, ...]:
        """What is wrong, for /healthz."""
        return tuple(
            f"{self.named(channel)} takes no posts: {code}; {of_channel(code)}"
            for channel, code in sorted(self._closed.items())
        )

    def named(self, channel: str) -> str:
        return self.view.channel_names.get(channel, channel)

    # ------------------------------------------------------------------- which way

    def ways(self, alert: Alert) -> list[str]:
        """Where the alert may be shown: in its own channel, its team's, or that of who answers for Patrol."""
        team, owner = self.view.team_of(alert), self.view.owner
        wanted = (self.view.channel_of(alert), team.channel if team else "", owner.channel if owner else "")
        if self.view.files.sensitive(alert):
            return self.privacy.ways(alert, [channel for channel in dict.fromkeys(wanted[:2]) if channel])
        return [channel for channel in dict.fromkeys(wanted) if channel]

    def way(self, alert: Alert) -> str:
        """The first of them that is not closed; once in a while one is tried that was."""
        ways = self.ways(alert)
        return next((channel for channel in ways if not self.shut(channel)), ways[0] if ways else "")

    def closed(self, channel: str) -> bool:
        return channel in self._closed

    def shut(self, channel: str) -> bool:
        return channel in self._closed and self.clock() < self._shut_until.get(channel, self.clock())

    # ------------------------------------------------------------------- learning

    def refused(self, channel: str, team_name: str, code: str) -> None:
        """A post there was refused: the team whose channel it is is told, or else this one, once."""
        now = self.clock()
        self._shut_until[channel] = self._ask_at[channel] = now + ASK_EVERY
        if channel not in self._used():
            return  # a card stands there from a time when the files still named it
        self._closed[channel] = code
        team = self._whose(channel, team_name)
        owner = team.name if team else team_name
        self.learn_name(channel)
        fire = builtin_slack.unreachable_channel(
            channel, self.named(channel), code, of_channel(code), owner, team, now
        )
        if told(self.store, self.clock, UNREACHABLE, fire.key, fire):
            log.error("channel takes no posts", channel=channel, why=code, do=of_channel(code))

    def took(self, channel: str) -> None:
        """It takes posts: whoever waits for it goes on."""
        if self._closed.pop(channel, None) is None:
            return
        log.info("channel takes posts again", channel=channel)
        now = self.clock()
        told(self.store, self.clock, UNREACHABLE, channel_key(channel), mended(now))
        self.store.outbox.release(now, channel)

    def look_after(self) -> None:
        """Takes in what other processes have learned, and asks Slack of those that are closed."""
        now = self.clock()
        if self._read_at is None or not timedelta() <= now - self._read_at < READ_EVERY:
            self._read_at = now
            self._closed = self._known(now)
        if self.pacing.resting:
            return
        for channel in [c for c in self._closed if self._ask_at.get(c, now) <= now]:
            self._ask(channel, now)

    def _known(self, now: datetime) -> dict[str, str]:
        held = self.store.alerts.held(UNREACHABLE, LANE, resolved_since=now - RESOLVED_LATELY)
        return {
            str(alert.key_values["channel"]): str(alert.newest.get("code", ""))
            for key, alert in held.items()
            if alert.condition is not Condition.cleared
            and key == channel_key(str(alert.key_values["channel"]))
        }

    def _ask(self, channel: str, now: datetime) -> None:
        """Whether it is open by what Slack says of it. Where Slack does not say, the next card is the try."""
        if channel not in self._used():
            self.took(channel)
            return
        self._ask_at[channel] = now + ASK_EVERY
        if self._closed[channel] not in SEEN_FROM_OUTSIDE:
            return
        try:
            told = self.slack.channel(channel)
        except SlackRefused as refused:
            if refused.code not in WHOLE:
                self._shut_until[channel] = self._ask_at[channel]
            return
        except (SlackBusy, OutcomeUnknown):
            return
        self.view.channel_names[channel] = f"#{told.name}"
        if told.is_member and not told.is_archived:
            self.took(channel)
        else:
            self._shut_until[channel] = self._ask_at[channel]

    def learn_name(self, channel: str) -> None:
        """People know a channel by its name. Where Slack does not tell it, the id must do."""
        if channel in self.view.channel_names:
            return
        try:
            self.view.channel_names[channel] = f"#{self.slack.channel(channel).name}"
        except (SlackRefused, SlackBusy, OutcomeUnknown):
            self.view.channel_names[channel] = channel

    def _used(self) -> set[str]:
        """Every channel that the files name."""
        teams, policies = self.view.catalog.teams.values(), self.view.catalog.policies.values()
        named = {c for team in teams for c in (team.channel, team.review_channel)}
        return named | {c for policy in policies for c in (policy.channel, policy.review_channel) if c}

    def _whose(self, channel: str, team_name: str) -> Team | None:
        teams = self.view.catalog.teams
        own = (team for team in teams.values() if channel in (team.channel, team.review_channel))
        return next(own, None) or teams.get(team_name) or self.view.owner
