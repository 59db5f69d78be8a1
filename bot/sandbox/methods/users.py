"""users.*, bots.info, usergroups.users.list and dnd.info: who people are."""

from __future__ import annotations

from bot.sandbox import names
from bot.sandbox.call import Call, SlackError
from bot.sandbox.members import User
from bot.sandbox.methods.reads import paged
from bot.sandbox.methods.table import Method
from bot.sandbox.names import Json
from bot.sandbox.workspace import Workspace


def shown_user(user: User) -> Json:
    profile: Json = {"real_name": user.real_name, "display_name": user.name, "team": user.team_id}
    answer: Json = {
        "id": user.id,
        "team_id": user.team_id,
        "name": user.name,
        "deleted": user.deleted,
        "color": user.color,
        "real_name": user.real_name,
        "tz": user.tz,
        "tz_label": user.tz,
        "tz_offset": 0,
        "is_admin": False,
        "is_owner": False,
        "is_primary_owner": False,
        "is_restricted": user.is_restricted,
        "is_ultra_restricted": False,
        "is_bot": user.is_bot,
        "is_app_user": False,
        "updated": 0,
    }
    if user.is_bot:
        profile |= {"bot_id": names.BOT_ID, "api_app_id": names.APP_ID}
    if user.team_id != names.TEAM_ID:
        answer["is_stranger"] = True
    return {**answer, "profile": profile}


def info(workspace: Workspace, call: Call) -> Json:
    user = workspace.users.get(call.text("user"))
    if user is None:
        raise SlackError("user_not_found")
    return {"ok": True, "user": shown_user(user)}


def list_all(workspace: Workspace, call: Call) -> Json:
    page, cursor = paged(call, [shown_user(user) for user in workspace.users.values()], 1000)
    at = int(call.at)
    return {"ok": True, "members": page, "cache_ts": at, "response_metadata": {"next_cursor": cursor}}


def bot_info(_workspace: Workspace, call: Call) -> Json:
    if call.text("bot", names.BOT_ID) != names.BOT_ID:
        raise SlackError("bot_not_found")
    bot: Json = {"id": names.BOT_ID, "deleted": False, "name": names.BOT_NAME, "updated": 0}
    return {"ok": True, "bot": {**bot, "app_id": names.APP_ID, "user_id": names.BOT_USER, "icons": {}}}


def group_members(workspace: Workspace, call: Call) -> Json:
    group = workspace.groups.get(call.need("usergroup"))
    if group is None:
        raise SlackError("no_such_subteam")
    return {"ok": True, "users": list(group)}


def dnd_info(workspace: Workspace, call: Call) -> Json:
    """Of others than oneself no snooze is told: it shows as a span that has begun. 1 stands for never."""
    user = workspace.users.get(call.text("user", names.BOT_USER))
    if user is None:
        raise SlackError("user_not_found")
    start, end = user.dnd or (1, 1)
    return {"ok": True, "dnd_enabled": bool(user.dnd), "next_dnd_start_ts": start, "next_dnd_end_ts": end}


METHODS = (
    Method("users.info", info, "users:read"),
    Method("users.list", list_all, "users:read"),
    Method("bots.info", bot_info, "users:read"),
    Method("usergroups.users.list", group_members, "usergroups:read"),
    Method("dnd.info", dnd_info, "dnd:read"),
)
