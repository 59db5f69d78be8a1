"""The interactive elements of Block Kit: which fields each has, and where it may stand."""

from __future__ import annotations

from typing import Any

from bot.sandbox.blockkit.spec import (
    Check,
    Fields,
    Finding,
    Need,
    action_id,
    anything,
    array,
    boolean,
    choice,
    integer,
    items,
    pattern,
    plain,
    record,
    string,
    text,
    typed,
    url,
)

DATE = pattern(r"\d{4}-\d{2}-\d{2}", "must be a date of the form YYYY-MM-DD")
TIME = pattern(r"([01]\d|2[0-3]):[0-5]\d", "must be a time of the form HH:mm")
DECIMAL = pattern(r"-?\d+(\.\d+)?", "must be a number in a string")
ID = string(255)

CONFIRM = record(
    {
        "title": Need(plain(100)),
        "text": Need(text(300)),
        "confirm": Need(plain(30)),
        "deny": Need(plain(30)),
        "style": choice("primary", "danger"),
    }
)
DISPATCH = record(
    {"trigger_actions_on": array(choice("on_enter_pressed", "on_character_entered"), 1, 2)},
)


def _option(label: Check, link: bool = False) -> Check:
    fields: dict[str, Any] = {"text": Need(label), "value": Need(string(150)), "description": text(75)}
    return record({**fields, "url": url()} if link else fields)


OPTION = _option(plain(75))
OVERFLOW_OPTION = _option(plain(75), link=True)
CHOICE_OPTION = _option(text(75))
GROUP = record({"label": Need(plain(75)), "options": Need(array(OPTION, 1, 100))})

COMMON: Fields = {"type": Need(anything), "action_id": action_id}
FOCUS: Fields = {"focus_on_load": boolean, "placeholder": plain(150)}


def _element(fields: Fields, also: Any = None) -> Check:
    return record({**COMMON, **fields}, also)


def _listed(value: dict[str, Any]) -> list[Any]:
    groups = [group for group in items(value, "option_groups") if isinstance(group, dict)]
    return items(value, "options") + [option for group in groups for option in items(group, "options")]


def _initial_is_listed(value: dict[str, Any], at: str, found: Finding) -> None:
    options = _listed(value)
    first = [value["initial_option"]] if "initial_option" in value else []
    for option in [*first, *items(value, "initial_options")]:
        if option not in options:
            found.add("invalid_value", "initial option must match one of the options exactly", at)


def _one_list(value: dict[str, Any], at: str, found: Finding) -> None:
    if ("options" in value) == ("option_groups" in value):
        found.add("missing_field", "must provide either options or option_groups", at)
    _initial_is_listed(value, at, found)


def _lengths(value: dict[str, Any], at: str, found: Finding) -> None:
    low, high = value.get("min_length"), value.get("max_length")
    if isinstance(low, int) and isinstance(high, int) and low > high:
        found.add("out_of_range", "min_length must not be greater than max_length", at)


STATIC: Fields = {
    "options": array(OPTION, 1, 100),
    "option_groups": array(GROUP, 1, 100),
    "confirm": CONFIRM,
    **FOCUS,
}
MANY: Fields = {"max_selected_items": integer(1, 1_000_000)}
IDS = array(ID, 0, 1_000)
CHOICES = array(CHOICE_OPTION, 1, 10)

BUTTON = _element(
    {
        "text": Need(plain(75)),
        "url": url(),
        "value": string(2000),
        "style": choice("primary", "danger"),
        "confirm": CONFIRM,
        "accessibility_label": string(75),
    }
)
TEXT_INPUT = _element(
    {
        "initial_value": string(3000, low=0),
        "multiline": boolean,
        "min_length": integer(0, 3000),
        "max_length": integer(1, 3000),
        "dispatch_action_config": DISPATCH,
        **FOCUS,
    },
    _lengths,
)
NUMBER_INPUT = _element(
    {
        "is_decimal_allowed": Need(boolean),
        "initial_value": DECIMAL,
        "min_value": DECIMAL,
        "max_value": DECIMAL,
        "dispatch_action_config": DISPATCH,
        **FOCUS,
    }
)
TYPED_INPUT = _element({"initial_value": string(3000, low=0), "dispatch_action_config": DISPATCH, **FOCUS})
FILE_ID = pattern(r"F[A-Z0-9]{8,}", "input must match regex pattern: ^[F][A-Z0-9]{8,}$")


def _shown_file(value: dict[str, Any], at: str, found: Finding) -> None:
    """By its id or its address, never both; a picture that Slack has looked at and the app may see."""
    named = [name for name in ("id", "url") if name in value]
    if len(named) != 1:
        found.add("missing_field", "must provide either url or id", at)
    elif isinstance(value[named[0]], str) and not found.shows(value[named[0]]):
        found.add("invalid_slack_file", "invalid slack file", at)


def one_source(value: dict[str, Any], at: str, found: Finding) -> None:
    """Of an image: from outside, or uploaded."""
    if ("image_url" in value) == ("slack_file" in value):
        found.add("missing_field", "must provide either image_url or slack_file", at)


SLACK_FILE = record({"id": FILE_ID, "url": url()}, _shown_file)
IMAGE = record(
    {
        "type": Need(anything),
        "image_url": url(),
        "alt_text": Need(string(2000)),
        "slack_file": SLACK_FILE,
    },
    one_source,
)

CHOICES_FIELDS: Fields = {"options": Need(CHOICES), "confirm": CONFIRM, "focus_on_load": boolean}
ELEMENTS: dict[str, Check] = {
    "button": BUTTON,
    "overflow": _element({"options": Need(array(OVERFLOW_OPTION, 2, 5)), "confirm": CONFIRM}),
    "static_select": _element({**STATIC, "initial_option": OPTION}, _one_list),
    "multi_static_select": _element({**STATIC, **MANY, "initial_options": array(OPTION, 1, 100)}, _one_list),
    "users_select": _element({"initial_user": ID, "confirm": CONFIRM, **FOCUS}),
    "multi_users_select": _element({"initial_users": IDS, "confirm": CONFIRM, **MANY, **FOCUS}),
    "channels_select": _element(
        {"initial_channel": ID, "response_url_enabled": boolean, "confirm": CONFIRM, **FOCUS}
    ),
    "multi_channels_select": _element({"initial_channels": IDS, "confirm": CONFIRM, **MANY, **FOCUS}),
    "radio_buttons": _element({**CHOICES_FIELDS, "initial_option": CHOICE_OPTION}, _initial_is_listed),
    "checkboxes": _element(
        {**CHOICES_FIELDS, "initial_options": array(CHOICE_OPTION, 1, 10)}, _initial_is_listed
    ),
    "datepicker": _element({"initial_date": DATE, "confirm": CONFIRM, **FOCUS}),
    "timepicker": _element({"initial_time": TIME, "timezone": string(100), "confirm": CONFIRM, **FOCUS}),
    "datetimepicker": _element(
        {
            "initial_date_time": integer(1_000_000_000, 9_999_999_999),
            "confirm": CONFIRM,
            "focus_on_load": boolean,
        }
    ),
    "plain_text_input": TEXT_INPUT,
    "number_input": NUMBER_INPUT,
    "email_text_input": TYPED_INPUT,
    "url_text_input": TYPED_INPUT,
    "image": IMAGE,
}

SELECTS = {"static_select", "users_select", "channels_select"}
MULTI = {"multi_static_select", "multi_users_select", "multi_channels_select"}
PICKERS = {"datepicker", "timepicker", "radio_buttons", "checkboxes"}
IN_SECTION = SELECTS | MULTI | PICKERS | {"button", "overflow", "image"}
IN_ACTIONS = SELECTS | MULTI | PICKERS | {"button", "overflow", "datetimepicker"}
IN_INPUT = (
    SELECTS
    | MULTI
    | PICKERS
    | {"datetimepicker", "plain_text_input", "number_input", "email_text_input", "url_text_input"}
)

accessory = typed(ELEMENTS, IN_SECTION)
action = typed(ELEMENTS, IN_ACTIONS)
input_element = typed(ELEMENTS, IN_INPUT)
