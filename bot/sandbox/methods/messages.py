"""The content of a message as an app sends it: text, blocks and metadata, checked before it is stored."""

from __future__ import annotations

import json
from typing import Any

from bot.sandbox import names
from bot.sandbox.blockkit import check_message, fill_ids, text_length
from bot.sandbox.call import Call, SlackError
from bot.sandbox.names import Json
from bot.sandbox.workspace import Workspace

TEXT_LIMIT = 40_000
SPLIT_AT = 4_000
BLOCKS_TEXT_LIMIT = 12_000
METADATA_LIMIT = 8_000

BOT_PROFILE: Json = {
    "id": names.BOT_ID,
    "app_id": names.APP_ID,
    "name": names.BOT_NAME,
    "deleted": False,
    "updated": 0,
    "team_id": names.TEAM_ID,
    "icons": {},
}
AUTHOR: Json = {"bot_id": names.BOT_ID, "app_id": names.APP_ID, "bot_profile": BOT_PROFILE}


def checked_text(call: Call) -> str:
    text = call.text("text")
    if len(text) > TEXT_LIMIT:
        raise SlackError("msg_too_long")
    return text


def checked_blocks(workspace: Workspace, value: Any) -> list[Json]:
    """The blocks with their ids filled in; refuses what Slack would refuse."""
    if value is None:
        return []
    if not isinstance(value, list):
        raise SlackError("invalid_blocks_format")
    problems = check_message(value, shows=workspace.shows_file)
    if problems:
        lines = [problem.line() for problem in problems]
        listed = {"messages": [f"[ERROR] {line}" for line in lines]}
        raise SlackError("invalid_blocks", errors=lines, response_metadata=listed)
    if text_length(value) > BLOCKS_TEXT_LIMIT:
        raise SlackError("msg_blocks_too_long")
    return fill_ids(value)


def checked_metadata(call: Call) -> Json | None:
    """None when absent; {} when it is to be taken away."""
    value = call.structure("metadata", "invalid_metadata_format")
    if value is None:
        return None
    if value == {}:
        return {}
    known = isinstance(value, dict) and set(value) <= {"event_type", "event_payload", "entities"}
    if not known or not isinstance(value.get("event_type"), str):
        raise SlackError("invalid_metadata_format")
    if not value["event_type"] or not isinstance(value.get("event_payload"), dict):
        raise SlackError("invalid_metadata_schema")
    if len(json.dumps(value)) > METADATA_LIMIT:
        raise SlackError("metadata_too_large")
    return dict(value)


def shown(message: Json, with_metadata: bool) -> Json:
    """A message as a method answers it: its metadata only when it was asked for."""
    if with_metadata:
        return dict(message)
    return {key: value for key, value in message.items() if key != "metadata"}
