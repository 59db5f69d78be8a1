"""A person and a channel of the workspace, as values that it changes and keeps."""

from __future__ import annotations

from dataclasses import dataclass, field, fields

from bot.sandbox import names
from bot.sandbox.names import Json


@dataclass
class User:
    id: str
    name: str
    real_name: str
    is_bot: bool = False
    color: str = "9f69e7"
    deleted: bool = False
    is_restricted: bool = False
    team_id: str = names.TEAM_ID
    tz: str = "Etc/UTC"
    dnd: list[int] | None = None  # when do-not-disturb begins and ends next, or has begun


@dataclass
class Channel:
    id: str
    name: str
    members: list[str]
    is_private: bool = False
    is_archived: bool = False
    is_shared: bool = False  # with another workspace, over Slack Connect
    is_im: bool = False
    user: str | None = None
    topic: str = ""
    created: int = 0
    messages: dict[str, Json] = field(default_factory=dict)

    def kept(self) -> Json:
        return {f.name: getattr(self, f.name) for f in fields(self) if f.name != "messages"}

    def replies(self, thread_ts: str) -> list[Json]:
        """The replies of one thread, oldest first."""
        return [m for ts, m in self.messages.items() if m.get("thread_ts") == thread_ts and ts != thread_ts]
