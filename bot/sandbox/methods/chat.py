"""chat.*: posting, changing, deleting, whispering."""

from __future__ import annotations

from typing import Any

from bot.sandbox import names
from bot.sandbox.call import Call, SlackError
from bot.sandbox.members import Channel
from bot.sandbox.methods.messages import (
    AUTHOR,
    SPLIT_AT,
    checked_blocks,
    checked_metadata,
    checked_text,
    shown,
)
from bot.sandbox.methods.table import Method, channel_by_id, is_member, visible
from bot.sandbox.names import Json
from bot.sandbox.workspace import Workspace


def _target(workspace: Workspace, call: Call) -> Channel:
    """Posting also takes a channel's name, and a person's id for the direct message with them."""
    wanted = call.text("channel")
    person = workspace.users.get(wanted)
    if person is not None:
        return _dm(workspace, person.id)
    channel = visible(workspace.find_channel(wanted) if wanted else None)
    if channel.is_im and channel.user:
        return _dm(workspace, channel.user)
    if not is_member(channel):
        _may_post_uninvited(workspace)
    if channel.is_archived:
        raise SlackError("is_archived")
    return channel


def _dm(workspace: Workspace, user: str) -> Channel:
    if not workspace.app.messages_tab:
        raise SlackError("messages_tab_disabled")
    if user == names.BOT_USER or workspace.users[user].deleted:
        raise SlackError("channel_not_found" if user == names.BOT_USER else "account_inactive")
    return workspace.dm(user)


def _may_post_uninvited(workspace: Workspace) -> None:
    scopes = workspace.app.scopes
    if scopes is None or "chat:write.public" not in scopes:
        raise SlackError("not_in_channel")


def _thread(channel: Channel, call: Call) -> Json:
    """thread_ts and the broadcast flag as keys of the message; only a parent takes replies."""
    ts = call.text("thread_ts")
    if not ts:
        return {}
    parent = channel.messages.get(ts)
    if parent is None or parent.get("thread_ts", ts) != ts:
        raise SlackError("cannot_reply_to_message")
    broadcast = {"subtype": "thread_broadcast"} if call.flag("reply_broadcast") else {}
    return {"thread_ts": ts, "parent_user_id": parent["user"], **broadcast}


def post_message(workspace: Workspace, call: Call) -> Json:
    channel = _target(workspace, call)
    text = checked_text(call)
    blocks = checked_blocks(workspace, call.structure("blocks", "invalid_blocks_format"))
    if not text and not blocks:
        raise SlackError("no_text")
    metadata = checked_metadata(call)
    details: Json = {**AUTHOR, **_thread(channel, call)}
    details |= {"blocks": blocks} if blocks else {}
    details |= {"metadata": metadata} if metadata else {}
    pieces = [text] if blocks else [text[at : at + SPLIT_AT] for at in range(0, len(text), SPLIT_AT)]
    message, *_ = [workspace.post(channel, names.BOT_USER, piece, **details) for piece in pieces]
    return {"ok": True, "channel": channel.id, "ts": message["ts"], "message": shown(message, True)}


def _own_message(workspace: Workspace, call: Call, error: str) -> tuple[Channel, Json]:
    channel = channel_by_id(workspace, call)
    message = channel.messages.get(call.need("ts"))
    if message is None or message.get("subtype") == "tombstone":
        raise SlackError("message_not_found")
    if message.get("bot_id") != names.BOT_ID:
        raise SlackError(error)
    return channel, message


def update(workspace: Workspace, call: Call) -> Json:
    """What is absent is kept; an empty list of blocks, or an empty metadata object, takes them away."""
    channel, message = _own_message(workspace, call, "cant_update_message")
    window = workspace.edit_window
    if window is not None and call.at - float(message["ts"]) > window:
        raise SlackError("edit_window_closed")
    if channel.is_archived:
        raise SlackError("is_inactive")
    if not is_member(channel):
        raise SlackError("not_in_channel")
    changes: dict[str, Any] = {}
    raw = call.structure("blocks", "invalid_blocks_format")
    if raw is not None:
        changes["blocks"] = checked_blocks(workspace, raw) or None
    if "text" in call.args:
        changes["text"] = checked_text(call)
    metadata = checked_metadata(call)
    if metadata is not None:
        changes["metadata"] = metadata or None
    after = {**message, **changes}
    if not changes or not (after.get("text") or after.get("blocks")):
        raise SlackError("no_text")
    changes["edited"] = {"user": names.BOT_USER, "ts": workspace.new_ts()}
    workspace.update(channel, message, changes)
    text = message.get("text", "")
    return {
        "ok": True,
        "channel": channel.id,
        "ts": message["ts"],
        "text": text,
        "message": shown(message, True),
    }


def delete(workspace: Workspace, call: Call) -> Json:
    channel, message = _own_message(workspace, call, "cant_delete_message")
    workspace.delete(channel, message)
    return {"ok": True, "channel": channel.id, "ts": message["ts"]}


def post_ephemeral(workspace: Workspace, call: Call) -> Json:
    channel = _target(workspace, call)
    user = workspace.users.get(call.need("user"))
    if user is None:
        raise SlackError("user_not_in_channel")
    if user.id not in channel.members:
        raise SlackError("user_not_in_channel")
    text = checked_text(call)
    blocks = checked_blocks(workspace, call.structure("blocks", "invalid_blocks_format"))
    if not text and not blocks:
        raise SlackError("no_text")
    thread = call.text("thread_ts") or None
    if thread and not channel.replies(thread):  # Slack says ok, and shows it nowhere
        return {"ok": True, "message_ts": workspace.new_ts()}
    entry = workspace.whisper(channel, user.id, text, blocks=blocks or None, thread_ts=thread)
    return {"ok": True, "message_ts": entry["ts"]}


def get_permalink(workspace: Workspace, call: Call) -> Json:
    channel = channel_by_id(workspace, call)
    ts = call.need("message_ts")
    message = channel.messages.get(ts)
    if message is None:
        raise SlackError("message_not_found")
    link = f"{call.origin}/archives/{channel.id}/p{ts.replace('.', '')}"
    if message.get("thread_ts", ts) != ts:
        link += f"?thread_ts={message['thread_ts']}&cid={channel.id}"
    return {"ok": True, "channel": channel.id, "permalink": link}


def add_reaction(workspace: Workspace, call: Call) -> Json:
    channel = channel_by_id(workspace, call)
    message = channel.messages.get(call.need("timestamp"))
    if message is None:
        raise SlackError("message_not_found")
    name = call.need("name").strip(":")
    reactions = [dict(entry) for entry in message.get("reactions", [])]
    mine = next((entry for entry in reactions if entry["name"] == name), None)
    if mine is None:
        mine = {"name": name, "users": [], "count": 0}
        reactions.append(mine)
    if names.BOT_USER in mine["users"]:
        raise SlackError("already_reacted")
    mine |= {"users": [*mine["users"], names.BOT_USER], "count": mine["count"] + 1}
    workspace.update(channel, message, {"reactions": reactions})
    return {"ok": True}


METHODS = (
    Method("chat.postMessage", post_message, "chat:write", posts="channel"),
    Method("chat.update", update, "chat:write"),
    Method("chat.delete", delete, "chat:write"),
    Method("chat.postEphemeral", post_ephemeral, "chat:write"),
    Method("chat.getPermalink", get_permalink),
    Method("reactions.add", add_reaction, "reactions:write"),
)
