"""What people fill in: finding an element among blocks, and the state that Slack reports for it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from bot.sandbox.names import Json

# Element type → the key of its value in actions and state, and the key of its initial value.
PLAIN_VALUES = {
    "plain_text_input": ("value", "initial_value"),
    "number_input": ("value", "initial_value"),
    "email_text_input": ("value", "initial_value"),
    "url_text_input": ("value", "initial_value"),
    "datepicker": ("selected_date", "initial_date"),
    "timepicker": ("selected_time", "initial_time"),
    "datetimepicker": ("selected_date_time", "initial_date_time"),
    "users_select": ("selected_user", "initial_user"),
    "channels_select": ("selected_channel", "initial_channel"),
    "multi_users_select": ("selected_users", "initial_users"),
    "multi_channels_select": ("selected_channels", "initial_channels"),
}
ONE_OPTION = ("static_select", "radio_buttons", "overflow")
MANY_OPTIONS = ("multi_static_select", "checkboxes")


class NoSuchOption(ValueError):
    """A value was chosen that the element does not offer."""


def elements_of(blocks: Iterable[Json]) -> Iterator[tuple[Json, Json]]:
    """Every interactive element with the block it stands in."""
    for block in blocks:
        for element in block.get("elements") or []:
            if "action_id" in element:
                yield block, element
        for place in ("accessory", "element"):
            if "action_id" in (block.get(place) or {}):
                yield block, block[place]


def find(blocks: Iterable[Json], action_id: str, block_id: str | None = None) -> tuple[Json, Json] | None:
    for block, element in elements_of(blocks):
        if element["action_id"] == action_id and block_id in (None, block["block_id"]):
            return block, element
    return None


def options_of(element: Json) -> list[Json]:
    grouped = [option for group in element.get("option_groups") or [] for option in group["options"]]
    return [*(element.get("options") or []), *grouped]


def _option(element: Json, value: Any) -> Json:
    if isinstance(value, dict):
        value = value.get("value")
    for option in options_of(element):
        if option["value"] == value:
            return option
    raise NoSuchOption(f"{element['action_id']} has no option {value!r}")


def state_of(element: Json, value: Any) -> Json:
    """The state entry of an element holding this value; None stands for nothing chosen."""
    kind = element["type"]
    if kind in MANY_OPTIONS:
        chosen = value if isinstance(value, list) else [] if value in (None, "") else [value]
        return {"type": kind, "selected_options": [_option(element, one) for one in chosen]}
    if kind in ONE_OPTION:
        return {"type": kind, "selected_option": None if value in (None, "") else _option(element, value)}
    key, _ = PLAIN_VALUES[kind]
    return {"type": kind, key: value if value != "" else None}


def initial_state(element: Json) -> Json:
    kind = element["type"]
    if kind in MANY_OPTIONS:
        return {"type": kind, "selected_options": element.get("initial_options") or []}
    if kind in ONE_OPTION:
        return {"type": kind, "selected_option": element.get("initial_option")}
    key, initial = PLAIN_VALUES[kind]
    return {"type": kind, key: element.get(initial)}


def value_in(state: Json) -> Any:
    """What a state entry holds; falsy when nothing was given."""
    return next((value for key, value in state.items() if key != "type"), None)


def filled(view: Json, values: Mapping[str, Any]) -> Json:
    """The view's state after a person filled it in: values by action_id, or by block and action."""
    state: dict[str, Json] = {}
    for block, element in elements_of(view["blocks"]):
        if (
            element["type"] not in (*PLAIN_VALUES, *ONE_OPTION, *MANY_OPTIONS)
            or element["type"] == "overflow"
        ):
            continue
        entry = _entry(view, block, element, values)
        state.setdefault(block["block_id"], {})[element["action_id"]] = entry
    return state


def _entry(view: Json, block: Json, element: Json, values: Mapping[str, Any]) -> Json:
    block_id, action_id = block["block_id"], element["action_id"]
    nested = values.get(block_id)
    if isinstance(nested, Mapping) and action_id in nested:
        given = nested[action_id]
        return dict(given) if isinstance(given, Mapping) and "type" in given else state_of(element, given)
    if action_id in values:
        return state_of(element, values[action_id])
    before = view["state"]["values"].get(block_id, {}).get(action_id)
    return before or initial_state(element)


def refusals(view: Json, state: Mapping[str, Json]) -> dict[str, str]:
    """What Slack's own client says before it sends anything: block_id → complaint."""
    said: dict[str, str] = {}
    for block in view["blocks"]:
        if block["type"] != "input":
            continue
        element = block["element"]
        value = value_in(state[block["block_id"]][element["action_id"]])
        complaint = _complaint(element, value, bool(block.get("optional")))
        if complaint:
            said[block["block_id"]] = complaint
    return said


def _complaint(element: Json, value: Any, optional: bool) -> str | None:
    if not value:
        return None if optional else "Please complete this required field."
    if element["type"] == "plain_text_input":
        low, high = element.get("min_length", 0), element.get("max_length", 3000)
        if not low <= len(value) <= high:
            return f"Please use between {low} and {high} characters."
    if element["type"] == "number_input":
        return _number_complaint(element, str(value))
    return None


def _number_complaint(element: Json, value: str) -> str | None:
    try:
        number = float(value)
    except ValueError:
        return "Please enter a number."
    if not element["is_decimal_allowed"] and not number.is_integer():
        return "Please enter a whole number."
    low, high = float(element.get("min_value", "-inf")), float(element.get("max_value", "inf"))
    return None if low <= number <= high else f"Please enter a number from {low:g} to {high:g}."
