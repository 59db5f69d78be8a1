"""The whole of a message's blocks or of a view, checked as Slack does before it stores anything."""

from __future__ import annotations

import secrets
from typing import Any

from bot.sandbox.blockkit.blocks import BLOCKS, MOST, SURFACES, texts_in
from bot.sandbox.blockkit.spec import (
    Check,
    Finding,
    Need,
    Problem,
    Shows,
    any_file,
    anything,
    array,
    boolean,
    plain,
    record,
    string,
    typed,
)
from bot.sandbox.names import Json


def _blocks(surface: str, low: int) -> Check:
    return array(typed(BLOCKS, SURFACES[surface]), low, MOST[surface])


_LISTS = {"message": _blocks("message", 0), "modal": _blocks("modal", 0), "home": _blocks("home", 0)}


def check_message(blocks: Any, at: str = "/blocks", shows: Shows = any_file) -> list[Problem]:
    """All problems of a message's blocks, in the order of their places. `shows`: which files may be shown."""
    found = Finding("message", shows)
    _LISTS["message"](blocks, at, found)
    if isinstance(blocks, list):
        tables = [index for index, block in enumerate(blocks) if _kind(block) == "table"]
        for index in tables[1:]:
            found.add("only_one_table_allowed", "only_one_table_allowed", f"{at}/{index}")
    return found.problems


_VIEWS: dict[str, dict[str, Check | Need]] = {
    "modal": {
        "type": Need(anything),
        "title": Need(plain(24)),
        "blocks": Need(_LISTS["modal"]),
        "close": plain(24),
        "submit": plain(24),
        "private_metadata": string(3000, low=0),
        "callback_id": string(255, low=0),
        "external_id": string(255, low=0),
        "clear_on_close": boolean,
        "notify_on_close": boolean,
        "submit_disabled": boolean,
    },
    "home": {
        "type": Need(anything),
        "blocks": Need(_LISTS["home"]),
        "private_metadata": string(3000, low=0),
        "callback_id": string(255, low=0),
        "external_id": string(255, low=0),
        "clear_on_close": boolean,
        "notify_on_close": boolean,
    },
}


def check_view(view: Any, kind: str, at: str = "/view", shows: Shows = any_file) -> list[Problem]:
    """All problems of a view that must be of this kind, "modal" or "home"."""
    found = Finding(kind, shows)
    typed({kind: record(_VIEWS[kind], _submittable if kind == "modal" else None)})(view, at, found)
    return found.problems


def _submittable(view: dict[str, Any], at: str, found: Finding) -> None:
    blocks = view.get("blocks")
    inputs = [block for block in blocks if _kind(block) == "input"] if isinstance(blocks, list) else []
    if inputs and "submit" not in view:
        found.add("missing_field", "missing required field: submit (a view with inputs needs one)", at)


def _kind(block: Any) -> Any:
    return block.get("type") if isinstance(block, dict) else None


def text_length(blocks: Any) -> int:
    """Characters of text in all blocks together, which Slack limits for a message."""
    return sum(len(part) for part in texts_in(blocks))


def fill_ids(blocks: list[Json]) -> list[Json]:
    """The blocks with a fresh block_id and action_id wherever the app left one out."""
    return [_filled(block) for block in blocks]


def _filled(block: Json) -> Json:
    block = {**block, "block_id": block.get("block_id") or secrets.token_urlsafe(4)}
    if block["type"] in ("actions", "context_actions"):
        block["elements"] = [_acted(element) for element in block["elements"]]
    for place in ("accessory", "element"):
        if place in block and block[place]["type"] != "image":
            block[place] = _acted(block[place])
    return block


def _acted(element: Json) -> Json:
    return {**element, "action_id": element.get("action_id") or secrets.token_urlsafe(4)}
