"""response_url: one address per interaction, five uses within thirty minutes."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

USES = 5
LIFETIME = 30 * 60.0


@dataclass
class ResponseUrl:
    """Where its answers go. `message_ts` is the message (or ephemeral) that was acted on, if one was."""

    user: str
    channel: str
    at: float
    thread_ts: str | None = None
    message_ts: str | None = None
    is_ephemeral: bool = False
    in_reply_to: str | None = None
    used: int = 0

    def refusal(self, at: float) -> str | None:
        """Why it may no longer be used, or None."""
        if at - self.at > LIFETIME:
            return "expired_url"
        return "used_url" if self.used >= USES else None


class ResponseUrls:
    def __init__(self) -> None:
        self._known: dict[str, ResponseUrl] = {}

    def issue(self, target: ResponseUrl) -> str:
        """Returns the path of a new address."""
        key = secrets.token_hex(12)
        self._known[key] = target
        for old in [k for k, v in self._known.items() if target.at - v.at > 2 * LIFETIME]:
            del self._known[old]
        return f"/response/{key}"

    def find(self, key: str) -> ResponseUrl | None:
        return self._known.get(key)
