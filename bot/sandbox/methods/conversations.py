"""conversations.*: which channels there are, who is in them, opening direct messages."""

from __future__ import annotations

from bot.sandbox import names
from bot.sandbox.call import Call, SlackError
from bot.sandbox.members import Channel
from bot.sandbox.methods.reads import paged
from bot.sandbox.methods.table import Method, channel_by_id, is_member, kind_of, require
from bot.sandbox.names import Json
from bot.sandbox.workspace import Workspace

TYPES = {"channels": "public_channel", "groups": "private_channel", "im": "im"}


def shown_channel(channel: Channel) -> Json:
    common: Json = {
        "id": channel.id,
        "created": channel.created,
        "is_archived": channel.is_archived,
        "is_im": channel.is_im,
        "is_org_shared": False,
    }
    if channel.is_im:
        return {**common, "user": channel.user, "is_user_deleted": False, "priority": 0}
    note = {"value": channel.topic, "creator": "", "last_set": 0}
    return common | {
        "name": channel.name,
        "name_normalized": channel.name,
        "is_channel": not channel.is_private,
        "is_group": channel.is_private,
        "is_mpim": False,
        "is_private": channel.is_private,
        "is_general": channel.name == "general",
        "is_member": is_member(channel),
        "is_shared": channel.is_shared,
        "is_ext_shared": channel.is_shared,
        "is_pending_ext_shared": False,
        "pending_shared": [],
        "pending_connected_team_ids": [],
        "shared_team_ids": [names.TEAM_ID],
        "unlinked": 0,
        "creator": names.SLACKBOT,
        "topic": note,
        "purpose": {"value": "", "creator": "", "last_set": 0},
        "previous_names": [],
        "num_members": len(channel.members),
    }


def info(workspace: Workspace, call: Call) -> Json:
    channel = channel_by_id(workspace, call)
    require(workspace, f"{kind_of(channel)}:read")
    return {"ok": True, "channel": shown_channel(channel)}


def list_all(workspace: Workspace, call: Call) -> Json:
    wanted = {part.strip() for part in call.text("types", "public_channel").split(",")}
    if not wanted <= {*TYPES.values(), "mpim"}:
        raise SlackError("invalid_types")
    for kind, word in TYPES.items():
        if word in wanted:
            require(workspace, f"{kind}:read")
    found = [channel for channel in workspace.channels.values() if TYPES[kind_of(channel)] in wanted]
    found = [channel for channel in found if not channel.is_private or is_member(channel)]
    if call.flag("exclude_archived"):
        found = [channel for channel in found if not channel.is_archived]
    page, cursor = paged(call, [shown_channel(channel) for channel in found], 100)
    return {"ok": True, "channels": page, "response_metadata": {"next_cursor": cursor}}


def members(workspace: Workspace, call: Call) -> Json:
    channel = channel_by_id(workspace, call)
    require(workspace, f"{kind_of(channel)}:read")
    page, cursor = paged(call, [{"id": member} for member in channel.members], 100)
    ids = [entry["id"] for entry in page]
    return {"ok": True, "members": ids, "response_metadata": {"next_cursor": cursor}}


def open_dm(workspace: Workspace, call: Call) -> Json:
    """By user id, or by the id of a direct message that is there already. One person only."""
    if call.text("channel"):
        channel = channel_by_id(workspace, call)
        if not channel.is_im:
            raise SlackError("channel_not_found")
        return _opened(call, channel, already=True)
    wanted = [part.strip() for part in call.text("users").split(",") if part.strip()]
    if not wanted:
        raise SlackError("users_list_not_supplied")
    if len(wanted) > 1:
        require(workspace, "mpim:write")
        raise SlackError("method_not_supported_for_channel_type")
    user = workspace.users.get(wanted[0])
    if user is None or user.id == names.BOT_USER:
        raise SlackError("user_not_found" if user is None else "cannot_dm_bot")
    if user.deleted:
        raise SlackError("user_disabled")
    already = names.dm_id(user.id) in workspace.channels
    return _opened(call, workspace.dm(user.id), already)


def _opened(call: Call, channel: Channel, already: bool) -> Json:
    known = {"no_op": True, "already_open": True} if already else {}
    whole = call.flag("return_im")
    return {"ok": True, **known, "channel": shown_channel(channel) if whole else {"id": channel.id}}


def join(workspace: Workspace, call: Call) -> Json:
    channel = channel_by_id(workspace, call)
    if channel.is_im or channel.is_private:
        raise SlackError("method_not_supported_for_channel_type")
    if channel.is_archived:
        raise SlackError("is_archived")
    already = is_member(channel)
    workspace.join(channel, names.BOT_USER)
    answer: Json = {"ok": True, "channel": shown_channel(channel)}
    if already:
        answer |= {"warning": "already_in_channel", "response_metadata": {"warnings": ["already_in_channel"]}}
    return answer


METHODS = (
    Method("conversations.info", info),
    Method("conversations.list", list_all),
    Method("conversations.members", members),
    Method("conversations.open", open_dm, "im:write"),
    Method("conversations.join", join, "channels:join"),
)
