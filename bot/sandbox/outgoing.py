"""What an app answers outside the Web API: response_url, and the payload of an ack."""

from __future__ import annotations

from typing import Any

from bot.sandbox import names
from bot.sandbox.call import SlackError
from bot.sandbox.members import Channel
from bot.sandbox.methods.messages import AUTHOR, TEXT_LIMIT, checked_blocks
from bot.sandbox.methods.views import checked_view
from bot.sandbox.names import Json
from bot.sandbox.replies import ResponseUrl
from bot.sandbox.workspace import Workspace


def respond(workspace: Workspace, target: ResponseUrl, body: Json) -> None:
    """Carries out one answer to a response_url, or to a command's ack."""
    channel = workspace.channels[target.channel]
    if body.get("delete_original"):
        _delete_original(workspace, channel, target)
        return
    text = str(body.get("text") or "")
    blocks = checked_blocks(workspace, body.get("blocks"))
    if len(text) > TEXT_LIMIT:
        raise SlackError("msg_too_long")
    if not text and not blocks:
        raise SlackError("no_text")
    if body.get("replace_original"):
        _replace_original(workspace, channel, target, text, blocks)
    elif body.get("response_type") == "in_channel":
        _in_channel(workspace, channel, text, blocks, body)
    else:
        thread = body.get("thread_ts") or target.thread_ts
        workspace.whisper(
            channel,
            target.user,
            text,
            blocks=blocks or None,
            thread_ts=thread,
            in_reply_to=target.in_reply_to,
        )


def _in_channel(workspace: Workspace, channel: Channel, text: str, blocks: list[Json], body: Json) -> None:
    if channel.is_archived:
        raise SlackError("is_archived")
    details: Json = {**AUTHOR, **({"blocks": blocks} if blocks else {})}
    details |= {"thread_ts": body["thread_ts"]} if body.get("thread_ts") in channel.messages else {}
    details |= {"metadata": body["metadata"]} if body.get("metadata") else {}
    workspace.post(channel, names.BOT_USER, text, **details)


def _original(workspace: Workspace, channel: Channel, target: ResponseUrl) -> Json:
    ts = target.message_ts or ""
    found = workspace.find_whisper(target.user, ts) if target.is_ephemeral else channel.messages.get(ts)
    if found is None:
        raise SlackError("message_not_found")
    return found


def _delete_original(workspace: Workspace, channel: Channel, target: ResponseUrl) -> None:
    original = _original(workspace, channel, target)
    if target.is_ephemeral:
        workspace.unwhisper(original)
    else:
        workspace.delete(channel, original)


def _replace_original(
    workspace: Workspace, channel: Channel, target: ResponseUrl, text: str, blocks: list[Json]
) -> None:
    original = _original(workspace, channel, target)
    changes: Json = {"text": text, "blocks": blocks or None}
    if target.is_ephemeral:
        workspace.rewhisper(original, changes)
    else:
        edited = {"user": names.BOT_USER, "ts": workspace.new_ts()}
        workspace.update(channel, original, {**changes, "edited": edited})


def submitted(workspace: Workspace, view: Json, payload: Any) -> dict[str, str]:
    """Carries out the response_action of a submission's ack; returns the errors to show, by block."""
    action = (payload or {}).get("response_action")
    modals = workspace.modals
    if action is None:
        modals.close(view)
    elif action == "clear":
        modals.close(view, whole_stack=True)
    elif action == "errors":
        return _errors(view, payload.get("errors"))
    elif action in ("update", "push"):
        content = checked_view(workspace, payload.get("view"), "modal")
        _ = modals.update(view, content) if action == "update" else modals.push_on(view["user"], content)
    else:
        raise SlackError("invalid_response_action")
    return {}


def _errors(view: Json, errors: Any) -> dict[str, str]:
    """Slack shows errors only under input blocks; anything else is an error of the app."""
    known = {block["block_id"] for block in view["blocks"] if block["type"] == "input"}
    if not isinstance(errors, dict) or not errors or not set(errors) <= known:
        raise SlackError("invalid_errors")
    return {str(block): str(text) for block, text in errors.items()}
