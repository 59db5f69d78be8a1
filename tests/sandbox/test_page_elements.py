"""Menus, selects, dates, confirmations, files and long channels on the page: what the app is told of each."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from slack_bolt import App
from slack_sdk import WebClient

from bot.sandbox.server import Sandbox
from tests.browser import DESKTOP

pytestmark = pytest.mark.browser

Told = list[dict[str, Any]]


def plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text}


def options(*names: str) -> list[dict[str, Any]]:
    return [{"text": plain(name), "value": name.lower()} for name in names]


SURE = {
    "title": plain("Pause it?"),
    "text": plain("Nobody is paged."),
    "confirm": plain("Pause"),
    "deny": plain("No"),
}
BLOCKS = [
    {
        "type": "section",
        "block_id": "side",
        "text": {"type": "mrkdwn", "text": "*Policy* with a menu"},
        "accessory": {"type": "overflow", "action_id": "menu", "options": options("Show", "Hide")},
    },
    {
        "type": "actions",
        "block_id": "row",
        "elements": [
            {
                "type": "static_select",
                "action_id": "scope",
                "placeholder": plain("Scope"),
                "options": options("A", "B"),
            },
            {"type": "users_select", "action_id": "who", "placeholder": plain("Person")},
            {"type": "datepicker", "action_id": "until", "initial_date": "2026-01-02"},
            {"type": "datetimepicker", "action_id": "at", "initial_date_time": 1_772_620_200},
            {
                "type": "button",
                "action_id": "pause",
                "text": plain("Pause"),
                "style": "danger",
                "confirm": SURE,
            },
        ],
    },
]


@pytest.fixture
def told(sandbox: Sandbox, client: WebClient, connect: Callable[..., Any]) -> Iterator[Told]:
    """What an app hears of every action."""
    heard: Told = []
    app = App(client=client)

    @app.action({"action_id": re.compile(".*")})
    def listen(ack: Any, action: dict[str, Any]) -> None:
        ack()
        heard.append(action)

    with connect(sandbox, app):
        yield heard


@pytest.fixture
def page(browser: Browser, sandbox: Sandbox) -> Iterator[Page]:
    with browser.new_context(viewport=DESKTOP, timezone_id="UTC") as context:
        opened = context.new_page()
        opened.goto(f"{sandbox.url}/?as=ana#C0PAYMENTS")
        opened.wait_for_selector("body[data-ready]")
        yield opened


@pytest.fixture
def heard(
    told: Told, page: Page, client: WebClient, until: Callable[..., Any]
) -> Callable[[], dict[str, Any]]:
    """The card is up; heard() waits for the next action that the app is told of."""
    client.chat_postMessage(channel="C0PAYMENTS", text="card", blocks=BLOCKS)
    expect(page.get_by_test_id("message")).to_be_visible()
    return lambda: until(lambda: told and told.pop(0))


Heard = Callable[[], dict[str, Any]]


def test_an_overflow_menu_tells_the_chosen_option(page: Page, heard: Heard) -> None:
    page.locator("[data-action-id=menu]").click()
    page.get_by_role("menuitem", name="Hide").click()
    action = heard()
    assert (action["type"], action["selected_option"]["value"]) == ("overflow", "hide")


def test_selects_and_dates_tell_their_values(page: Page, heard: Heard) -> None:
    page.locator("select[data-action-id=scope]").select_option("b")
    assert heard()["selected_option"]["value"] == "b"
    page.locator("select[data-action-id=who]").select_option(label="cy")
    assert heard()["selected_user"] == "U0CY"
    page.locator("input[data-action-id=until]").fill("2026-03-04")
    assert heard()["selected_date"] == "2026-03-04"
    expect(page.locator("input[data-action-id=at]")).to_have_value("2026-03-04T10:30")
    page.locator("input[data-action-id=at]").fill("2026-03-04T18:45")
    assert heard()["selected_date_time"] == 1_772_649_900
    expect(page.locator("select[data-action-id=scope]")).to_have_value("b")


def test_a_confirmation_stands_before_the_click(page: Page, told: Told, heard: Heard) -> None:
    page.locator("[data-action-id=pause]").click()
    expect(page.get_by_test_id("confirm")).to_contain_text("Nobody is paged.")
    page.get_by_test_id("confirm-no").click()
    expect(page.get_by_test_id("confirm")).to_have_count(0)
    assert not told
    page.locator("[data-action-id=pause]").click()
    page.get_by_test_id("confirm-yes").click()
    assert heard()["action_id"] == "pause"


def test_a_file_can_be_fetched_from_its_card(page: Page, client: WebClient) -> None:
    client.files_upload_v2(
        channel="C0PAYMENTS", filename="rows.csv", content="a,b\n1,2\n", title="All 43 rows"
    )
    card = page.get_by_role("link", name="Download rows.csv")
    expect(card).to_contain_text("All 43 rows")
    answer = page.request.get(card.get_attribute("href") or "")
    assert answer.text() == "a,b\n1,2\n"


def test_old_messages_come_when_one_scrolls_up(page: Page, sandbox: Sandbox) -> None:
    with sandbox.workspace.lock:
        channel = sandbox.workspace.channels["C0PAYMENTS"]
        for n in range(150):
            sandbox.workspace.post(channel, "U0BO", f"line {n}")
    expect(page.get_by_text("line 149", exact=True)).to_be_visible()
    expect(page.get_by_text("line 0", exact=True)).to_have_count(0)
    page.get_by_test_id("messages").evaluate("node => { node.scrollTop = 0; }")
    expect(page.get_by_text("line 0", exact=True)).to_have_count(1)
    expect(page.get_by_text("line 30", exact=True)).to_be_in_viewport()
