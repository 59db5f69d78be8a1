"""Block Kit at its limits: what is just allowed, and what is one too many."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.sandbox.blockkit import check_message, check_view, fill_ids, text_length

VIEWS = Path(__file__).parents[3] / "shared" / "slack" / "views"
Block = dict[str, Any]


def plain(text: str) -> Block:
    return {"type": "plain_text", "text": text}


def mrkdwn(text: str) -> Block:
    return {"type": "mrkdwn", "text": text}


def section(text: str = "hi", **more: Any) -> Block:
    return {"type": "section", "text": mrkdwn(text), **more}


def button(**more: Any) -> Block:
    return {"type": "button", "text": plain("Go"), **more}


def actions(*elements: Block) -> Block:
    return {"type": "actions", "elements": list(elements)}


def option(value: str = "a", text: str = "A") -> Block:
    return {"text": plain(text), "value": value}


def options(count: int) -> list[Block]:
    return [option(str(n), f"option {n}") for n in range(count)]


def select(**more: Any) -> Block:
    return {"type": "static_select", "options": options(1), **more}


def table(rows: int, columns: int, text: str = "x") -> Block:
    return {"type": "table", "rows": [[{"type": "raw_text", "text": text}] * columns for _ in range(rows)]}


def rich(*elements: Block) -> Block:
    return {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": list(elements)}]}


def element(**fields: Any) -> Block:
    return {"type": "input", "label": plain("Note"), "element": fields}


def modal(*blocks: Block, **more: Any) -> Block:
    return {"type": "modal", "title": plain("T"), "submit": plain("Go"), "blocks": list(blocks), **more}


JUST_ALLOWED: dict[str, list[Block]] = {
    "50 blocks": [section()] * 50,
    "a header of 150": [{"type": "header", "text": plain("x" * 150)}],
    "a section of 3000": [section("x" * 3000)],
    "10 fields of 2000": [{"type": "section", "fields": [mrkdwn("x" * 2000)] * 10}],
    "10 parts of a context": [{"type": "context", "elements": [mrkdwn("x")] * 10}],
    "25 buttons": [actions(*[button()] * 25)],
    "a button text of 75": [actions({"type": "button", "text": plain("x" * 75)})],
    "a button value of 2000": [actions(button(value="x" * 2000))],
    "an option text of 75": [actions(select(options=[option(text="x" * 75)]))],
    "an option value of 150": [actions(select(options=[option("x" * 150)]))],
    "100 options": [actions(select(options=options(100)))],
    "5 in an overflow": [section(accessory={"type": "overflow", "options": options(5)})],
    "100 rows of 20": [table(100, 20)],
    "an action_id of 255": [actions(button(action_id="x" * 255))],
    "a block_id of 255": [section(block_id="x" * 255)],
    "rich text": [rich({"type": "text", "text": "*not bold*", "style": {"code": True}})],
    "a null column": [{**table(2, 2), "column_settings": [None, {"align": "right"}]}],
    "feedback": [
        {
            "type": "context_actions",
            "elements": [
                {
                    "type": "feedback_buttons",
                    "positive_button": {"text": plain("Yes"), "value": "y"},
                    "negative_button": {"text": plain("No"), "value": "n"},
                }
            ],
        }
    ],
}
REFUSED: dict[str, tuple[list[Any], str]] = {
    "51 blocks": ([section()] * 51, "no more than 50 items allowed [json-pointer:/blocks]"),
    "a header of 151": ([{"type": "header", "text": plain("x" * 151)}], "must be less than 151 characters"),
    "a header in mrkdwn": ([{"type": "header", "text": mrkdwn("x")}], "unsupported type here: mrkdwn"),
    "a section of 3001": ([section("x" * 3001)], "must be less than 3001 characters"),
    "an empty text": ([section("")], "must be more than 0 characters"),
    "11 fields": ([{"type": "section", "fields": [mrkdwn("x")] * 11}], "no more than 10 items allowed"),
    "a field of 2001": ([{"type": "section", "fields": [mrkdwn("x" * 2001)]}], "less than 2001 characters"),
    "a section of nothing": ([{"type": "section"}], "missing required field: text or fields"),
    "an empty context": ([{"type": "context", "elements": []}], "no fewer than 1 items allowed"),
    "11 in a context": ([{"type": "context", "elements": [mrkdwn("x")] * 11}], "no more than 10 items"),
    "a button in a context": ([{"type": "context", "elements": [button()]}], "unsupported type: button"),
    "26 buttons": ([actions(*[button()] * 26)], "no more than 25 items allowed"),
    "no buttons": ([actions()], "no fewer than 1 items allowed"),
    "a button text of 76": ([actions({"type": "button", "text": plain("x" * 76)})], "less than 76"),
    "a button in mrkdwn": ([actions({"type": "button", "text": mrkdwn("x")})], "unsupported type here"),
    "a button value of 2001": ([actions(button(value="x" * 2001))], "less than 2001"),
    "a button of a colour": ([actions(button(style="green"))], "must be one of: primary, danger"),
    "a button with a wrong url": ([actions(button(url="not a url"))], "invalid url"),
    "an option text of 76": ([actions(select(options=[option(text="x" * 76)]))], "less than 76"),
    "an option value of 151": ([actions(select(options=[option("x" * 151)]))], "less than 151"),
    "101 options": ([actions(select(options=options(101)))], "no more than 100 items"),
    "no options": ([actions({"type": "static_select"})], "must provide either options or option_groups"),
    "a foreign initial option": ([actions(select(initial_option=option("zz")))], "must match one of"),
    "1 in an overflow": ([section(accessory={"type": "overflow", "options": options(1)})], "fewer than 2"),
    "6 in an overflow": ([section(accessory={"type": "overflow", "options": options(6)})], "more than 5"),
    "101 rows": ([table(101, 1)], "no more than 100 items allowed"),
    "21 columns": ([table(1, 21)], "no more than 20 items allowed"),
    "two tables": ([table(1, 1), table(1, 1)], "only_one_table_allowed"),
    "a table of too much text": ([table(11, 1, "x" * 1000)], "table text must be less than 10001"),
    "a crooked table": ([{"type": "table", "rows": [table(1, 1)["rows"][0], []]}], "no fewer than 1"),
    "a cell in mrkdwn": ([{"type": "table", "rows": [[mrkdwn("x")]]}], "unsupported type: mrkdwn"),
    "an empty cell": ([table(1, 1, "")], "must be more than 0 characters"),
    "two equal block ids": ([section(block_id="a"), section(block_id="a")], 'block_id "a" already exists'),
    "two equal action ids": ([actions(button(action_id="a"), button(action_id="a"))], "already exists"),
    "an unknown block": ([{"type": "carousel"}], "unsupported type: carousel"),
    "an unknown element": ([actions({"type": "slider"})], "unsupported type: slider"),
    "a text field in actions": ([actions({"type": "plain_text_input"})], "unsupported type here"),
    "an unknown field": ([section(colour="red")], "invalid additional property: colour"),
    "emoji in mrkdwn": ([{"type": "section", "text": {**mrkdwn("x"), "emoji": False}}], "emoji"),
    "verbatim in plain text": ([{"type": "header", "text": {**plain("x"), "verbatim": True}}], "verbatim"),
    "no type": ([{"text": plain("x")}], "missing required field: type"),
    "a string": (["hi"], "must provide an object"),
    "an image without a text": ([{"type": "image", "image_url": "https://x.example/a.png"}], "alt_text"),
}


@pytest.mark.parametrize("blocks", JUST_ALLOWED.values(), ids=JUST_ALLOWED.keys())
def test_what_slack_takes_is_taken(blocks: list[Block]) -> None:
    assert check_message(blocks) == []


@pytest.mark.parametrize(("blocks", "says"), REFUSED.values(), ids=REFUSED.keys())
def test_what_slack_refuses_is_refused_with_its_place(blocks: list[Any], says: str) -> None:
    lines = [problem.line() for problem in check_message(blocks)]

    assert any(says in line for line in lines), lines
    assert all("[json-pointer:/blocks" in line for line in lines)


@given(st.integers(1, 400), st.sampled_from([("header", 150), ("section", 3000), ("button", 75)]))
def test_a_text_is_refused_exactly_above_its_limit(over: int, place: tuple[str, int]) -> None:
    kind, limit = place
    length = limit - 200 + over if limit > 200 else over
    text = "x" * max(1, length)
    blocks = {
        "header": [{"type": "header", "text": plain(text)}],
        "section": [section(text)],
        "button": [actions({"type": "button", "text": plain(text)})],
    }[kind]

    assert bool(check_message(blocks)) == (len(text) > limit)


KEYS = st.sampled_from(
    ["type", "text", "elements", "rows", "fields", "accessory", "options", "option_groups", "initial_options"]
)
KINDS = st.sampled_from(["section", "actions", "table", "plain_text", "overflow", "button", "static_select"])
ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | KINDS | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner | KINDS, max_size=4),
)


@given(ODD)
def test_no_json_breaks_the_check(blocks: Any) -> None:
    check_message(blocks)
    check_message([{"type": "table", "rows": blocks}])
    check_message([actions({"type": "static_select", "options": blocks, "option_groups": blocks})])
    check_view(blocks, "modal")


VIEW_CASES: dict[str, tuple[Block, str | None]] = {
    "a title of 24": (modal(section(), title=plain("x" * 24)), None),
    "a title of 25": (modal(section(), title=plain("x" * 25)), "less than 25"),
    "100 blocks": (modal(*[section()] * 100), None),
    "101 blocks": (modal(*[section()] * 101), "no more than 100 items"),
    "private_metadata of 3000": (modal(private_metadata="x" * 3000), None),
    "private_metadata of 3001": (modal(private_metadata="x" * 3001), "less than 3001"),
    "a table in a modal": (modal(table(1, 1)), "unsupported type here: table"),
    "an input with a text field": (modal(element(type="plain_text_input")), None),
    "a number field": (modal(element(type="number_input", is_decimal_allowed=False)), None),
    "a number field that forgets decimals": (modal(element(type="number_input")), "is_decimal_allowed"),
    "a button in an input": (modal(element(**button())), "unsupported type here: button"),
    "a text field turned around": (
        modal(element(type="plain_text_input", min_length=5, max_length=2)),
        "min_length must not be greater",
    ),
    "a date in another form": (modal(element(type="datepicker", initial_date="1.2.2026")), "YYYY-MM-DD"),
    "a time in another form": (modal(element(type="timepicker", initial_time="25:00")), "HH:mm"),
    "11 checkboxes": (modal(element(type="checkboxes", options=options(11))), "no more than 10"),
    "ten radio buttons": (modal(element(type="radio_buttons", options=options(10))), None),
    "a picker of moments in a section": (
        modal(section(accessory={"type": "datetimepicker"})),
        "unsupported type here: datetimepicker",
    ),
}


@pytest.mark.parametrize(("view", "says"), VIEW_CASES.values(), ids=VIEW_CASES.keys())
def test_a_modal_at_its_limits(view: Block, says: str | None) -> None:
    lines = [problem.line() for problem in check_view(view, "modal")]

    if says is None:
        assert lines == []
    else:
        assert any(says in line for line in lines), lines


def test_inputs_need_a_way_to_submit_them() -> None:
    view = modal(element(type="plain_text_input"))
    del view["submit"]

    assert "submit" in check_view(view, "modal")[0].message


def test_a_home_tab_has_no_title() -> None:
    assert check_view({"type": "home", "blocks": [section()]}, "home") == []
    assert check_view({"type": "home", "title": plain("x"), "blocks": []}, "home")
    assert check_view(modal(section()), "home")[0].message == "unsupported type: modal"


def test_ids_that_were_left_out_are_filled_in_and_others_kept() -> None:
    first, second = fill_ids([actions(button(), button(action_id="mine")), section(accessory=button())])

    assert first["block_id"]
    assert first["elements"][0]["action_id"]
    assert first["elements"][1]["action_id"] == "mine"
    assert second["accessory"]["action_id"]


def test_the_text_of_a_message_is_counted_however_deep_it_stands() -> None:
    assert text_length([section("four"), table(2, 1, "ab"), rich({"type": "text", "text": "five5"})]) == 13


@pytest.mark.skipif(not VIEWS.is_dir(), reason="Slack's own samples are not here")
def test_slacks_own_views_are_taken() -> None:
    server_keys = {"id", "team_id", "state", "hash", "root_view_id", "app_id", "bot_id"}
    for path in sorted(VIEWS.glob("view_*.json")):
        view = {k: v for k, v in json.loads(path.read_text()).items() if k not in server_keys}
        assert check_view(view, view["type"]) == [], path.name
