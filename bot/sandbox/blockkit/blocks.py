"""The blocks of Block Kit: which fields each has, and on which surface it may stand."""

from __future__ import annotations

from typing import Any

from bot.sandbox.blockkit import elements as el
from bot.sandbox.blockkit.rich import RICH_TEXT
from bot.sandbox.blockkit.spec import (
    Check,
    Fields,
    Finding,
    Need,
    action_id,
    anything,
    array,
    block_id,
    boolean,
    choice,
    items,
    plain,
    record,
    string,
    text,
    typed,
    url,
)

TABLE_CHARACTERS = 10_000
KIND: Fields = {"type": Need(anything), "block_id": block_id}


def _block(fields: Fields, also: Any = None) -> Check:
    return record({**KIND, **fields}, also)


def _says_something(value: dict[str, Any], at: str, found: Finding) -> None:
    if "text" not in value and "fields" not in value:
        found.add("missing_field", "missing required field: text or fields", at)


CELL = typed(
    {"raw_text": record({"type": Need(anything), "text": Need(string(10_000))}), "rich_text": RICH_TEXT}
)
COLUMN = record({"align": choice("left", "center", "right"), "is_wrapped": boolean})


def _even_and_short(value: dict[str, Any], at: str, found: Finding) -> None:
    rows = [row for row in items(value, "rows") if isinstance(row, list)]
    if len({len(row) for row in rows}) > 1:
        found.add("invalid_table", "all rows must have the same number of cells", f"{at}/rows")
    if sum(len(part) for part in texts_in(rows)) > TABLE_CHARACTERS:
        found.add("too_long", f"table text must be less than {TABLE_CHARACTERS + 1} characters", f"{at}/rows")


def _column(value: Any, at: str, found: Finding) -> None:
    """A null stands for a column with the usual settings."""
    if value is not None:
        COLUMN(value, at, found)


def texts_in(value: Any) -> list[str]:
    """Every string under a `text` key, however deep."""
    if isinstance(value, list):
        return [part for item in value for part in texts_in(item)]
    if not isinstance(value, dict):
        return []
    own = [value["text"]] if isinstance(value.get("text"), str) else []
    return own + [part for item in value.values() for part in texts_in(item)]


FEEDBACK = record(
    {"text": Need(plain(75)), "value": Need(string(2000)), "accessibility_label": string(75)},
)
CONTEXT_ACTIONS: dict[str, Check] = {
    "feedback_buttons": record(
        {
            "type": Need(anything),
            "action_id": action_id,
            "positive_button": Need(FEEDBACK),
            "negative_button": Need(FEEDBACK),
        }
    ),
    "icon_button": record(
        {
            "type": Need(anything),
            "action_id": action_id,
            "icon": Need(choice("trash")),
            "text": Need(plain(75)),
            "value": string(2000),
            "confirm": el.CONFIRM,
            "accessibility_label": string(75),
            "visible_to_user_ids": array(string(30), 1, 100),
        }
    ),
}

_mrkdwn = text(3000)
CONTEXT_PARTS: dict[str, Check] = {"mrkdwn": _mrkdwn, "plain_text": _mrkdwn, "image": el.IMAGE}

BLOCKS: dict[str, Check] = {
    "section": _block(
        {
            "text": text(3000),
            "fields": array(text(2000), 1, 10),
            "accessory": el.accessory,
            "expand": boolean,
        },
        _says_something,
    ),
    "header": _block({"text": Need(plain(150))}),
    "divider": _block({}),
    "context": _block({"elements": Need(array(typed(CONTEXT_PARTS), 1, 10))}),
    "actions": _block({"elements": Need(array(el.action, 1, 25))}),
    "context_actions": _block({"elements": Need(array(typed(CONTEXT_ACTIONS), 1, 5))}),
    "image": _block(
        {
            "image_url": url(),
            "slack_file": el.SLACK_FILE,
            "alt_text": Need(string(2000)),
            "title": plain(2000),
        },
        el.one_source,
    ),
    "input": _block(
        {
            "label": Need(plain(2000)),
            "element": Need(el.input_element),
            "dispatch_action": boolean,
            "hint": plain(2000),
            "optional": boolean,
        }
    ),
    "rich_text": RICH_TEXT,
    "table": _block(
        {
            "rows": Need(array(array(CELL, 1, 20), 1, 100)),
            "column_settings": array(_column, 0, 20),
        },
        _even_and_short,
    ),
    "markdown": _block({"text": Need(string(12_000))}),
}
EVERYWHERE = {"section", "header", "divider", "context", "actions", "image", "input", "rich_text"}
SURFACES: dict[str, set[str]] = {
    "message": EVERYWHERE | {"table", "markdown", "context_actions"},
    "modal": EVERYWHERE,
    "home": EVERYWHERE,
}
MOST = {"message": 50, "modal": 100, "home": 100}
