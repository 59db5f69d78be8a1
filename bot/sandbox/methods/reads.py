"""conversations.history and conversations.replies: what was said, a page at a time."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence

from bot.sandbox.call import Call, SlackError
from bot.sandbox.members import Channel
from bot.sandbox.methods.messages import shown
from bot.sandbox.methods.table import Method, channel_by_id, is_member, kind_of, require
from bot.sandbox.names import Json
from bot.sandbox.workspace import Workspace


def _readable(workspace: Workspace, call: Call) -> Channel:
    channel = channel_by_id(workspace, call)
    require(workspace, f"{kind_of(channel)}:history")
    if not is_member(channel):
        raise SlackError("not_in_channel")
    return channel


def _moment(call: Call, name: str, default: float) -> float:
    value = call.text(name)
    if not value:
        return default
    try:
        return float(value)
    except ValueError:
        raise SlackError(f"invalid_ts_{name}") from None


def _within(call: Call, messages: Sequence[Json]) -> list[Json]:
    """Between oldest and latest; both ends only with inclusive."""
    oldest, latest = _moment(call, "oldest", 0.0), _moment(call, "latest", float("inf"))
    inclusive = call.flag("inclusive")

    def stands(ts: float) -> bool:
        return oldest < ts < latest or (inclusive and ts in (oldest, latest))

    return [message for message in messages if stands(float(message["ts"]))]


def cursor_for(offset: int) -> str:
    return base64.urlsafe_b64encode(f"next:{offset}".encode()).decode()


def offset_of(call: Call) -> int:
    cursor = call.text("cursor")
    if not cursor:
        return 0
    try:
        return int(base64.urlsafe_b64decode(cursor).decode().removeprefix("next:"))
    except (ValueError, binascii.Error):
        raise SlackError("invalid_cursor") from None


def paged(call: Call, items: Sequence[Json], default: int) -> tuple[list[Json], str]:
    """This call's page of the items, and the cursor of the next one ("" at the end)."""
    limit = call.number("limit", default, 1, 1000)
    start = offset_of(call)
    page = list(items[start : start + limit])
    return page, cursor_for(start + limit) if start + limit < len(items) else ""


def _answer(call: Call, messages: Sequence[Json]) -> Json:
    page, cursor = paged(call, messages, 100)
    with_metadata = call.flag("include_all_metadata")
    answer: Json = {"ok": True, "messages": [shown(message, with_metadata) for message in page]}
    answer |= {"has_more": bool(cursor)}
    return {**answer, "response_metadata": {"next_cursor": cursor}} if cursor else answer


def history(workspace: Workspace, call: Call) -> Json:
    """Newest first; replies only where they were broadcast."""
    channel = _readable(workspace, call)
    top = [m for ts, m in channel.messages.items() if _in_channel(ts, m)]
    return {**_answer(call, _within(call, top[::-1])), "pin_count": 0}


def _in_channel(ts: str, message: Json) -> bool:
    return message.get("thread_ts", ts) == ts or message.get("subtype") == "thread_broadcast"


def replies(workspace: Workspace, call: Call) -> Json:
    """The parent first, whatever the bounds say, then its replies in order."""
    channel = _readable(workspace, call)
    message = channel.messages.get(call.need("ts"))
    if message is None:
        raise SlackError("thread_not_found")
    root = channel.messages.get(str(message.get("thread_ts", message["ts"])), message)
    return _answer(call, [root, *_within(call, channel.replies(root["ts"]))])


METHODS = (
    Method("conversations.history", history),
    Method("conversations.replies", replies),
)
