"""What Slack sends to an app: commands, interactions and events, with Slack's own keys."""

from __future__ import annotations

from typing import Any

from bot.sandbox import names
from bot.sandbox.members import Channel, User
from bot.sandbox.modals import public
from bot.sandbox.names import Json
from bot.sandbox.workspace import Workspace, short_id


def _common() -> Json:
    return {
        "team": {"id": names.TEAM_ID, "domain": names.TEAM_DOMAIN},
        "enterprise": None,
        "is_enterprise_install": False,
        "api_app_id": names.APP_ID,
        "token": names.VERIFICATION_TOKEN,
    }


def _person(user: User) -> Json:
    return {"id": user.id, "username": user.name, "name": user.name, "team_id": user.team_id}


def channel_label(channel: Channel) -> str:
    if channel.is_im:
        return "directmessage"
    return "privategroup" if channel.is_private else channel.name


def _place(channel: Channel) -> Json:
    return {"id": channel.id, "name": channel_label(channel)}


def command(user: User, channel: Channel, name: str, text: str, trigger_id: str, response_url: str) -> Json:
    return {
        "token": names.VERIFICATION_TOKEN,
        "team_id": user.team_id,
        "team_domain": names.TEAM_DOMAIN,
        "channel_id": channel.id,
        "channel_name": channel_label(channel),
        "user_id": user.id,
        "user_name": user.name,
        "command": name,
        "text": text,
        "api_app_id": names.APP_ID,
        "is_enterprise_install": "false",
        "response_url": response_url,
        "trigger_id": trigger_id,
    }


def message_click(user: User, channel: Channel, message: Json, action: Json, trigger: str, url: str) -> Json:
    container: Json = {"type": "message", "message_ts": message["ts"], "channel_id": channel.id}
    container |= {"is_ephemeral": False}
    if message.get("thread_ts"):
        container["thread_ts"] = message["thread_ts"]
    return {
        "type": "block_actions",
        "user": _person(user),
        **_common(),
        "container": container,
        "trigger_id": trigger,
        "channel": _place(channel),
        "message": message,
        "state": {"values": {}},
        "response_url": url,
        "actions": [action],
    }


def ephemeral_click(user: User, channel: Channel, entry: Json, action: Json, trigger: str, url: str) -> Json:
    """As for a message, but Slack does not show what an ephemeral said."""
    payload = message_click(user, channel, entry, action, trigger, url)
    del payload["message"]
    payload["container"]["is_ephemeral"] = True
    return payload


def view_click(user: User, view: Json, action: Json, trigger: str) -> Json:
    return {
        "type": "block_actions",
        "user": _person(user),
        **_common(),
        "container": {"type": "view", "view_id": view["id"]},
        "trigger_id": trigger,
        "view": public(view),
        "actions": [action],
    }


def view_submission(user: User, view: Json, trigger: str) -> Json:
    kind: Json = {"type": "view_submission", "user": _person(user)}
    return {**kind, **_common(), "trigger_id": trigger, "view": public(view), "response_urls": []}


def view_closed(user: User, view: Json, is_cleared: bool) -> Json:
    kind: Json = {"type": "view_closed", "user": _person(user)}
    return {**kind, **_common(), "view": public(view), "is_cleared": is_cleared}


def message_shortcut(
    user: User, channel: Channel, message: Json, callback_id: str, trigger: str, url: str, at: str
) -> Json:
    return {
        "type": "message_action",
        "user": _person(user),
        **_common(),
        "callback_id": callback_id,
        "trigger_id": trigger,
        "action_ts": at,
        "message_ts": message["ts"],
        "response_url": url,
        "channel": _place(channel),
        "message": message,
    }


def global_shortcut(user: User, callback_id: str, trigger: str, at: str) -> Json:
    kind: Json = {"type": "shortcut", "user": _person(user)}
    return {**kind, **_common(), "callback_id": callback_id, "trigger_id": trigger, "action_ts": at}


def event(workspace: Workspace, inner: Json, channel: Channel | None = None) -> Json:
    """The envelope around an event; `event_id` is what an app must dedupe on."""
    place = channel.id if channel else names.TEAM_ID
    return {
        "token": names.VERIFICATION_TOKEN,
        "team_id": names.TEAM_ID,
        "api_app_id": names.APP_ID,
        "event": inner,
        "type": "event_callback",
        "event_id": short_id("Ev0"),
        "event_time": int(workspace.clock()),
        "authorizations": [
            {
                "enterprise_id": None,
                "team_id": names.TEAM_ID,
                "user_id": names.BOT_USER,
                "is_bot": True,
                "is_enterprise_install": False,
            }
        ],
        "is_ext_shared_channel": False,
        "event_context": f"1-{inner['type']}-{names.TEAM_ID}-{place}",
    }


def message_event(kind: str, channel: Channel, message: Json, blocks: list[Any]) -> Json:
    """`kind` is "message" or "app_mention"; only a message says what sort of channel it was in."""
    inner: Json = {
        "client_msg_id": message.get("client_msg_id", ""),
        "type": kind,
        "text": message["text"],
        "user": message["user"],
        "ts": message["ts"],
        "team": message["team"],
        "blocks": blocks,
        "channel": channel.id,
        "event_ts": message["ts"],
    }
    if message.get("thread_ts"):
        inner |= {"thread_ts": message["thread_ts"], "parent_user_id": message.get("parent_user_id")}
    if kind == "message":
        inner["channel_type"] = "im" if channel.is_im else "group" if channel.is_private else "channel"
    return inner


def home_opened(user: User, dm: Channel, view: Json | None, at: str) -> Json:
    inner: Json = {"type": "app_home_opened", "user": user.id, "channel": dm.id, "tab": "home"}
    inner["event_ts"] = at
    return {**inner, "view": public(view)} if view else inner
