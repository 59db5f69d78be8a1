"""Slack's rate limits: a bucket per method and workspace, and one per channel for all that posts together."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

TIERS: Mapping[str, int] = {"1": 1, "2": 20, "3": 50, "4": 100, "special": 600}
METHOD_TIERS: Mapping[str, str] = {
    "api.test": "4",
    "auth.test": "special",
    "apps.connections.open": "1",
    "blocks.validate": "4",
    "bots.info": "3",
    "chat.delete": "3",
    "chat.getPermalink": "special",
    "chat.postEphemeral": "4",
    "chat.update": "3",
    "conversations.history": "3",
    "conversations.info": "3",
    "conversations.join": "3",
    "conversations.list": "2",
    "conversations.members": "4",
    "conversations.open": "3",
    "conversations.replies": "3",
    "dnd.info": "3",
    "files.completeUploadExternal": "4",
    "files.getUploadURLExternal": "4",
    "files.delete": "3",
    "files.info": "4",
    "reactions.add": "3",
    "usergroups.users.list": "2",
    "users.info": "4",
    "users.list": "2",
    "views.open": "4",
    "views.publish": "4",
    "views.push": "4",
    "views.update": "4",
}
# Tier 1 says "one or more a minute": two processes with two connections each must be able to come back.
CONNECTIONS_BURST = 30
CHANNEL_BURST = 3
CHANNEL_PER_SECOND = 1.0
POSTS_PER_MINUTE = 300
POSTING = "posting"


@dataclass
class Bucket:
    """Holds up to `size` tokens and gains `rate` of them a second."""

    size: float
    rate: float
    tokens: float
    at: float

    def take(self, at: float) -> float:
        """Takes a token and returns 0, or the seconds until there is one."""
        self.tokens = min(self.size, self.tokens + max(0.0, at - self.at) * self.rate)
        self.at = at
        if self.tokens >= 1:
            self.tokens -= 1
            return 0.0
        return (1 - self.tokens) / self.rate


class Limits:
    """`pace` False lets everything through."""

    def __init__(self, pace: bool = True) -> None:
        self._pace = pace
        self._buckets: dict[str, Bucket] = {}

    def method(self, name: str, at: float) -> int | None:
        """Counts one call; the Retry-After in whole seconds when it is one too many."""
        tier = METHOD_TIERS.get(name)
        if tier is None:
            return None
        size = CONNECTIONS_BURST if name == "apps.connections.open" else TIERS[tier]
        return self._take(name, size, size / 60, at)

    def post(self, channel: str, at: float) -> int | None:
        """Counts one visible message: about one a second and channel, and a cap for the workspace."""
        waits = self._take(f"{POSTING}:{channel}", CHANNEL_BURST, CHANNEL_PER_SECOND, at)
        return waits or self._take(POSTING, POSTS_PER_MINUTE, POSTS_PER_MINUTE / 60, at)

    def _take(self, key: str, size: float, rate: float, at: float) -> int | None:
        if not self._pace:
            return None
        bucket = self._buckets.setdefault(key, Bucket(size, rate, size, at))
        wait = bucket.take(at)
        return math.ceil(wait) if wait else None
