"""files.*: the two-step upload, and what is known of a file."""

from __future__ import annotations

from bot.sandbox import names
from bot.sandbox.call import Call, SlackError, invalid_arguments
from bot.sandbox.members import Channel
from bot.sandbox.methods.messages import AUTHOR, checked_blocks
from bot.sandbox.methods.table import Method, is_member, visible
from bot.sandbox.names import Json
from bot.sandbox.workspace import Workspace, short_id

ALT_LIMIT = 1_000


def get_upload_url(workspace: Workspace, call: Call) -> Json:
    name = call.need("filename")
    length = call.number("length", 0, 1, 2**40)
    if not length:
        raise invalid_arguments("missing required field: length")
    file: Json = {"id": short_id("F0"), "name": name, "title": name, "expected": length, "size": 0}
    words = call.text("alt_txt")
    if len(words) > ALT_LIMIT:
        raise SlackError("alt_txt_too_large")
    file |= {"alt_txt": words} if words else {}
    file |= {"user": names.BOT_USER, "created": int(call.at), "state": "waiting", "mode": "hosted"}
    workspace.files[file["id"]] = file
    workspace.keep("file", file["id"], file)
    return {"ok": True, "upload_url": f"{call.origin}/upload/{file['id']}", "file_id": file["id"]}


def complete_upload(workspace: Workspace, call: Call) -> Json:
    """Shares the uploaded files as one message, if a channel is named."""
    wanted = call.structure("files", "invalid_arguments")
    if not isinstance(wanted, list) or not wanted:
        raise invalid_arguments("missing required field: files")
    channel = _channel(workspace, call)
    blocks = checked_blocks(workspace, call.structure("blocks", "invalid_blocks_format"))
    files = [_completed(workspace, entry) for entry in wanted]
    if channel is not None:
        thread = call.text("thread_ts")
        details: Json = {**AUTHOR, "files": [shown_file(file, call.origin) for file in files]}
        details |= {"thread_ts": thread} if thread else {}
        details |= {"blocks": blocks} if blocks else {}
        message = workspace.post(channel, names.BOT_USER, call.text("initial_comment"), **details)
        for file in files:
            file.setdefault("shares", {}).setdefault(channel.id, []).append(message["ts"])
            workspace.keep("file", file["id"], file)
    return {"ok": True, "files": [shown_file(file, call.origin) for file in files]}


def _channel(workspace: Workspace, call: Call) -> Channel | None:
    wanted = call.text("channel_id") or call.text("channels").split(",")[0]
    if not wanted:
        return None
    channel = visible(workspace.channels.get(wanted))
    if channel.is_archived or not is_member(channel):
        raise SlackError("is_archived" if channel.is_archived else "not_in_channel")
    return channel


def _completed(workspace: Workspace, entry: object) -> Json:
    key = str(entry.get("id")) if isinstance(entry, dict) else ""
    file = workspace.files.get(key)
    if file is None or file["state"] == "waiting":
        raise SlackError("file_not_found")
    if isinstance(entry, dict) and entry.get("title"):
        file["title"] = entry["title"]
    file["state"] = "complete"
    workspace.look_at_file(key)
    workspace.keep("file", key, file)
    return file


def shown_file(file: Json, origin: str) -> Json:
    kind = file["name"].rsplit(".", 1)[-1] if "." in file["name"] else "text"
    link = f"{origin}/files/{file['id']}/{file['name']}"
    shown = {channel: [{"ts": ts} for ts in every] for channel, every in file.get("shares", {}).items()}
    shares = {"public": shown} if shown else {}
    known = ("id", "created", "name", "title", "user", "size", "mode", "alt_txt")
    answer: Json = {key: file[key] for key in known if key in file} | {
        "timestamp": file["created"],
        "filetype": kind,
    }
    return answer | {"url_private": link, "permalink": link, "shares": shares, "is_external": False}


def info(workspace: Workspace, call: Call) -> Json:
    file = workspace.files.get(call.need("file"))
    if file is None or file["state"] != "complete":
        raise SlackError("file_not_found")
    told = shown_file(file, call.origin) | {"mimetype": workspace.mimetype(file["id"])}
    return {"ok": True, "file": told, "comments": []}


def remove(workspace: Workspace, call: Call) -> Json:
    """Messages that showed it say from then on that it was deleted."""
    file = workspace.files.get(call.need("file"))
    if file is None:
        raise SlackError("file_not_found")
    workspace.remove_file(file["id"])
    return {"ok": True}


METHODS = (
    Method("files.getUploadURLExternal", get_upload_url, "files:write"),
    Method("files.completeUploadExternal", complete_upload, "files:write", posts="channel_id"),
    Method("files.delete", remove, "files:write"),
    Method("files.info", info, "files:read"),
)
