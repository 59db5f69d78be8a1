"""Who is answered: members of our own workspace. Guests, bots and other workspaces are told no."""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any

from bot.core.change import Refused
from bot.process.errors import PatrolError, SlackRefused
from bot.slack.client import SlackClient, User

FRESH_S = 600.0
log = logging.getLogger(__name__)
OUTSIDER = Refused(
    "Patrol answers only members of its own workspace, not guests or bots.", "Nothing was recorded."
)


def is_bot(body: Mapping[str, Any]) -> bool:
    event = body.get("event") or {}
    return bool(event.get("bot_id") or event.get("subtype") == "bot_message")


def foreign(body: Mapping[str, Any], team: str | None, ours: str | None) -> bool:
    """Whether it comes from another workspace, or from somebody of another one in a shared channel."""
    user, event = body.get("user"), body.get("event") or {}
    theirs = {team, event.get("user_team"), event.get("source_team")}
    theirs |= {user.get("team_id")} if isinstance(user, Mapping) else set()
    return ours is not None and bool(theirs - {None, "", ours})


class Gate:
    """Asks Slack about a person once in ten minutes; an old answer is good enough while Slack is away."""

    def __init__(
        self,
        client: SlackClient,
        clock: Callable[[], float] = time.monotonic,
        met: Callable[[str, str], None] = lambda _slack, _zone: None,
    ) -> None:
        """`met` is told the time zone of each person of whom Slack was asked."""
        self._client = client
        self._met = met
        self._clock = clock
        self._known: dict[str, tuple[float, User]] = {}

    def refusal(self, user_id: str) -> Refused | None:
        """Why this person is not answered, or None."""
        if not user_id:
            return OUTSIDER
        try:
            user = self._user(user_id)
        except SlackRefused:
            return OUTSIDER
        except PatrolError as away:
            log.warning("an act was not recorded: who %s is: %s", user_id, away)
            return Refused(
                "Slack did not say who you are, so nothing was recorded.", "Try again in a moment."
            )
        return OUTSIDER if user.is_bot or user.is_guest or user.deleted else None

    def _user(self, user_id: str) -> User:
        at, known = self._known.get(user_id, (0.0, None))
        if known and self._clock() - at < FRESH_S:
            return known
        try:
            found = self._client.user(user_id)
        except SlackRefused:
            raise
        except PatrolError:
            if known:
                return known
            raise
        self._known[user_id] = (self._clock(), found)
        self._met(user_id, found.zone)
        return found


class Seen:
    """The ids of the last events: Slack sends an event again until it is acked. In memory, per process."""

    def __init__(self, most: int = 2_000) -> None:
        self._most = most
        self._ids: OrderedDict[str, None] = OrderedDict()
        self._lock = threading.Lock()

    def first(self, event_id: str) -> bool:
        """Whether this is the first time; an event without an id always is."""
        with self._lock:
            if not event_id or event_id not in self._ids:
                self._ids[event_id] = None
                while len(self._ids) > self._most:
                    self._ids.popitem(last=False)
                return True
            return False
