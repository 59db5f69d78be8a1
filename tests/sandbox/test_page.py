"""The sandbox's page in a real browser: presses reach a real Bolt app, its posts are seen."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Locator, Page, expect
from slack_bolt import App
from slack_sdk import WebClient

from bot.sandbox.server import Sandbox

pytestmark = pytest.mark.browser

DESKTOP = {"width": 1280, "height": 800}
BIDI = "\u202egnp.elif\u202c \u200b"
LONG = "w" * 600
HOSTILE = f"&lt;script&gt;alert(1)&lt;/script&gt; &lt;@U0ANA&gt; <javascript:alert(2)|press me> {BIDI}{LONG}"

OpenPage = Callable[..., Page]


def plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text}


def button(text: str, action_id: str, value: str = "142", **more: Any) -> dict[str, Any]:
    return {"type": "button", "text": plain(text), "action_id": action_id, "value": value, **more}


def card(state: str) -> list[dict[str, Any]]:
    rows = [["Message", "Text"], ["m_1", "pay me elsewhere <img src=x onerror=alert(3)>"], ["m_2", LONG]]
    cells = [[{"type": "raw_text", "text": cell} for cell in row] for row in rows]
    buttons = [button("Acknowledge", "ack", style="primary"), button("Resolve…", "resolve")]
    buttons += [button("Open seller", "open", url="https://tool.example/s_1"), button("More…", "more")]
    return [
        {"type": "header", "text": plain("HIGH · Ana Cards asked to be paid elsewhere")},
        {"type": "context", "elements": [{"type": "mrkdwn", "text": f"*{state}* · ALR-142"}]},
        {"type": "section", "text": {"type": "mrkdwn", "text": "Asked *3 buyers*", "verbatim": True}},
        {"type": "actions", "elements": buttons},
        {"type": "table", "column_settings": [{}, {"is_wrapped": False}], "rows": cells},
    ]


def resolve_view() -> dict[str, Any]:
    note = {"type": "plain_text_input", "action_id": "note", "multiline": True}
    block = {"type": "input", "block_id": "note", "label": plain("Note"), "element": note}
    kinds = [{"text": plain(kind), "value": kind.lower()} for kind in ("Benign", "Duplicate")]
    chosen = {"type": "static_select", "action_id": "kind", "options": kinds}
    what = {"type": "input", "block_id": "kind", "label": plain("What was it?"), "element": chosen}
    view: dict[str, Any] = {"type": "modal", "callback_id": "resolve", "title": plain("Resolve ALR-142")}
    return view | {"submit": plain("Resolve"), "blocks": [what, block]}


def build_app(client: WebClient) -> App:
    """A small alert bot: one button edits the card, one asks in a modal, a command answers in private."""
    app = App(client=client, signing_secret="sandbox-signing-secret")

    @app.action("ack")
    def acknowledge(ack: Any, body: dict[str, Any]) -> None:
        ack()
        blocks = card(f"ACKNOWLEDGED by <@{body['user']['id']}>")
        client.chat_update(
            channel=body["channel"]["id"], ts=body["message"]["ts"], text="taken", blocks=blocks
        )

    @app.action("resolve")
    def ask(ack: Any, body: dict[str, Any]) -> None:
        ack()
        client.views_open(trigger_id=body["trigger_id"], view=resolve_view())

    @app.view("resolve")
    def resolved(ack: Any, view: dict[str, Any]) -> None:
        values = view["state"]["values"]
        note = values["note"]["note"]["value"]
        if len(note) < 5:
            ack(response_action="errors", errors={"note": "Say what you saw."})
            return
        ack()
        kind = values["kind"]["kind"]["selected_option"]["value"]
        client.chat_postMessage(channel="C0PAYMENTS", text=f"resolved as {kind}: {note}")

    @app.command("/patrol")
    def command(ack: Any, command: dict[str, Any]) -> None:
        ack(f"You asked for {command['text']}")

    @app.event("app_home_opened")
    def home(event: dict[str, Any]) -> None:
        mine = [{"type": "section", "text": {"type": "mrkdwn", "text": f"Alerts of <@{event['user']}>"}}]
        client.views_publish(user_id=event["user"], view={"type": "home", "blocks": mine})

    @app.event("app_mention")
    def mentioned(event: dict[str, Any], say: Any) -> None:
        say(text="at your service", thread_ts=event["ts"])

    return app


@pytest.fixture
def bot(sandbox: Sandbox, client: WebClient, connect: Callable[..., Any]) -> Iterator[App]:
    built = build_app(client)
    with connect(sandbox, built):
        yield built


def messages(page: Page) -> Locator:
    return page.get_by_test_id("messages").get_by_test_id("message")


def press(page: Page, action_id: str) -> None:
    page.get_by_test_id("messages").locator(f"[data-action-id={action_id}]").first.click()


def write(page: Page, text: str, where: str = "composer") -> None:
    page.get_by_test_id(where).fill(text)
    page.get_by_test_id(where).press("Escape")
    page.get_by_test_id(where).press("Enter")


def post_card(client: WebClient) -> str:
    posted = client.chat_postMessage(channel="C0PAYMENTS", text="HIGH · Ana Cards", blocks=card("OPEN"))
    return str(posted["ts"])


def test_a_post_of_the_real_client_appears_without_a_reload(open_page: OpenPage, client: WebClient) -> None:
    page = open_page("ana")
    posted = client.chat_postMessage(channel="C0PAYMENTS", text="*HIGH* · refunds of bo are 4× their usual")
    row = messages(page).and_(page.locator(f"[data-ts='{posted['ts']}']"))
    expect(row).to_contain_text("HIGH · refunds of bo are 4× their usual")
    expect(row.locator("strong")).to_have_text("HIGH")
    expect(row.locator(".app-badge")).to_have_text("APP")


def test_an_edit_and_a_deletion_show_too(open_page: OpenPage, client: WebClient) -> None:
    page = open_page("ana")
    ts = post_card(client)
    expect(messages(page)).to_have_count(1)
    client.chat_update(channel="C0PAYMENTS", ts=ts, text="cleared", blocks=card("CLEARED"))
    expect(messages(page)).to_contain_text("CLEARED")
    expect(messages(page)).to_contain_text("(edited)")
    client.chat_delete(channel="C0PAYMENTS", ts=ts)
    expect(messages(page)).to_have_count(0)


def test_hostile_text_is_shown_as_text(open_page: OpenPage, client: WebClient) -> None:
    page = open_page("ana")
    blocks = [{"type": "section", "text": plain("<b>bold?</b> <@U0ANA>")}, *card("OPEN")]
    client.chat_postMessage(channel="C0PAYMENTS", text=HOSTILE)
    client.chat_postMessage(channel="C0PAYMENTS", text="rows", blocks=blocks)
    expect(messages(page)).to_have_count(2)
    first, second = messages(page).first, messages(page).last
    expect(first).to_contain_text("<script>alert(1)</script> <@U0ANA>")
    expect(second).to_contain_text("<b>bold?</b> <@U0ANA>")
    expect(second).to_contain_text("<img src=x onerror=alert(3)>")
    expect(first.locator("a, button.mention, script, img")).to_have_count(0)
    expect(second.locator("b, img, script, button.mention")).to_have_count(0)
    assert not sideways(page)


def test_pictures_of_other_hosts_are_not_fetched(open_page: OpenPage, client: WebClient) -> None:
    picture = {"type": "image", "image_url": "https://tracker.example/a.png", "alt_text": "trend"}
    page = open_page("ana")
    client.chat_postMessage(channel="C0PAYMENTS", text="trend", blocks=[picture])
    expect(messages(page).get_by_role("link", name="trend")).to_be_visible()
    expect(messages(page).locator("img")).to_have_count(0)


def test_a_picture_that_was_uploaded_is_shown_with_its_words(
    open_page: OpenPage, client: WebClient, sandbox: Sandbox
) -> None:
    dot = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
    sandbox.workspace.scan = 0.0
    content = base64.b64decode(dot)
    place = client.files_getUploadURLExternal(filename="a.png", length=len(content))
    httpx.post(str(place["upload_url"]), content=content, trust_env=False).raise_for_status()
    client.files_completeUploadExternal(files=[{"id": place["file_id"], "title": "a"}])
    picture = {"type": "image", "slack_file": {"id": place["file_id"]}, "alt_text": "3 alerts in 7 days"}
    page = open_page("ana")
    client.chat_postMessage(channel="C0PAYMENTS", text="trend", blocks=[picture])
    shown = messages(page).get_by_role("img", name="3 alerts in 7 days")
    expect(shown).to_be_visible()
    expect(shown).to_have_js_property("naturalWidth", 1)


@pytest.mark.usefixtures("bot")
def test_a_click_reaches_the_app_and_changes_the_card_for_everybody(
    open_page: OpenPage, client: WebClient
) -> None:
    ana, bo = open_page("ana"), open_page("bo")
    post_card(client)
    press(ana, "ack")
    for page in (ana, bo):
        expect(messages(page).first).to_contain_text("ACKNOWLEDGED by @ana")


@pytest.mark.usefixtures("bot")
def test_a_modal_refuses_names_the_mistake_and_then_submits(open_page: OpenPage, client: WebClient) -> None:
    page, other = open_page("ana"), open_page("bo")
    post_card(client)
    press(page, "resolve")
    modal = page.get_by_test_id("modal")
    expect(modal).to_contain_text("Resolve ALR-142")
    expect(other.get_by_test_id("modal")).to_have_count(0)
    page.get_by_test_id("modal-submit").click()
    expect(modal.get_by_test_id("input-error").first).to_have_text("Please complete this required field.")
    modal.locator("select").select_option("benign")
    modal.locator("textarea").fill("no")
    page.get_by_test_id("modal-submit").click()
    expect(modal.get_by_test_id("input-error")).to_have_text("Say what you saw.")
    expect(modal.locator("select")).to_have_value("benign")
    modal.locator("textarea").fill("a known seller")
    page.get_by_test_id("modal-submit").click()
    expect(modal).to_have_count(0)
    expect(messages(other).last).to_contain_text("resolved as benign: a known seller")


@pytest.mark.usefixtures("bot")
def test_escape_closes_the_modal_and_tab_stays_inside(open_page: OpenPage, client: WebClient) -> None:
    page = open_page("ana")
    post_card(client)
    press(page, "resolve")
    expect(page.get_by_test_id("modal")).to_be_visible()
    for _ in range(9):
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.closest('[data-testid=modal]') !== null")
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("modal")).to_have_count(0)


@pytest.mark.usefixtures("bot")
def test_a_command_is_answered_to_the_one_who_asked_and_can_be_dismissed(open_page: OpenPage) -> None:
    ana, bo = open_page("ana"), open_page("bo")
    ana.get_by_test_id("composer").fill("/pat")
    expect(ana.get_by_test_id("composer-suggest")).to_contain_text("/patrol")
    ana.get_by_test_id("composer").press("Enter")
    ana.get_by_test_id("composer").press_sequentially("list mine")
    ana.get_by_test_id("composer").press("Enter")
    answer = ana.get_by_test_id("ephemeral")
    expect(answer).to_contain_text("Only visible to you")
    expect(answer).to_contain_text("You asked for list mine")
    expect(bo.get_by_test_id("ephemeral")).to_have_count(0)
    ana.get_by_test_id("dismiss").click()
    expect(answer).to_have_count(0)


def test_a_command_in_a_thread_is_refused_there(open_page: OpenPage, client: WebClient) -> None:
    ts = post_card(client)
    page = open_page("ana", f"#C0PAYMENTS/{ts}")
    write(page, "/patrol ack", "thread-composer")
    thread = page.get_by_test_id("thread-pane")
    expect(thread.get_by_test_id("ephemeral")).to_contain_text("not supported in threads")
    expect(page.get_by_test_id("ephemeral")).to_have_count(1)


@pytest.mark.usefixtures("bot")
def test_a_mention_is_completed_and_answered_in_a_thread(open_page: OpenPage, sandbox: Sandbox) -> None:
    page = open_page("bo")
    page.get_by_test_id("composer").press_sequentially("<b>hi</b> @pat")
    page.get_by_test_id("composer").press("Enter")
    page.get_by_test_id("composer").press_sequentially("why")
    page.get_by_test_id("composer").press("Enter")
    expect(page.get_by_test_id("thread-summary")).to_contain_text("1 reply")
    expect(messages(page).first).to_contain_text("<b>hi</b> @Patrol why")
    assert sandbox.messages("payments")[0]["text"] == "&lt;b&gt;hi&lt;/b&gt; <@U0PATROL> why"
    page.get_by_test_id("thread-summary").click()
    expect(page.get_by_test_id("thread-pane")).to_contain_text("at your service")


def test_a_click_that_nobody_answers_is_said_beside_the_message(browser: Browser) -> None:
    with Sandbox(channels=["payments"], pace=False, deadline=0.2) as alone:
        post_card(WebClient(token=alone.bot_token, base_url=alone.api))
        page = browser.new_page(viewport=DESKTOP)
        page.goto(f"{alone.url}/?as=ana#C0PAYMENTS")
        press(page, "ack")
        expect(page.get_by_test_id("message-error")).to_contain_text("did not respond in time")
        page.close()


def test_a_page_says_that_its_server_is_gone(browser: Browser) -> None:
    page = browser.new_page(viewport=DESKTOP)
    with Sandbox(channels=["payments"]) as short:
        page.goto(f"{short.url}/?as=ana")
        page.wait_for_selector("body[data-ready]")
        expect(page.locator("#banner")).to_be_hidden()
    expect(page.locator("#banner")).to_contain_text("cannot be reached", timeout=10_000)
    page.close()


def test_a_ping_is_a_notification_a_badge_and_a_place_to_go(open_page: OpenPage, client: WebClient) -> None:
    page = open_page("ana", "#C0CHAT")
    other = open_page("bo", "#C0CHAT")
    client.chat_postMessage(channel="C0PAYMENTS", text="HIGH · look at this <@U0ANA>")
    expect(page.get_by_test_id("toast")).to_contain_text("ana, #payments:")
    expect(page.get_by_test_id("channel-payments").locator(".badge")).to_have_text("1")
    expect(other.get_by_test_id("channel-payments")).to_have_class(re.compile("unread"))
    expect(other.get_by_test_id("toast")).to_have_count(0)
    page.get_by_test_id("toast").locator(".toast-body").click()
    expect(messages(page).last).to_contain_text("look at this @ana")
    expect(page.get_by_test_id("channel-payments").locator(".badge")).to_have_count(0)


def test_the_readers_place_is_kept_while_messages_come(open_page: OpenPage, client: WebClient) -> None:
    for n in range(40):
        client.chat_postMessage(channel="C0PAYMENTS", text=f"message {n}\nof two lines")
    page = open_page("ana")
    expect(messages(page).last).to_be_in_viewport()
    client.chat_postMessage(channel="C0PAYMENTS", text="one more")
    expect(messages(page).last).to_contain_text("one more")
    expect(messages(page).last).to_be_in_viewport()
    page.get_by_test_id("messages").evaluate("node => { node.scrollTop = 300; }")
    page.wait_for_function("document.querySelector('.messages').scrollTop === 300")
    client.chat_postMessage(channel="C0PAYMENTS", text="and another")
    expect(messages(page).last).to_contain_text("and another")
    assert page.get_by_test_id("messages").evaluate("node => node.scrollTop") == 300


@pytest.mark.usefixtures("bot")
def test_home_is_drawn_for_whoever_opens_it(open_page: OpenPage) -> None:
    page = open_page("cy")
    page.get_by_test_id("app-patrol").click()
    expect(page.get_by_test_id("home")).to_contain_text("Alerts of @cy")
    page.get_by_test_id("app-tab-messages").click()
    write(page, "hello")
    expect(messages(page).last).to_contain_text("hello")


def test_one_may_act_as_somebody_else_and_stays_so(open_page: OpenPage, sandbox: Sandbox) -> None:
    page = open_page("ana")
    page.get_by_test_id("act-as").click()
    page.get_by_test_id("act-as-bo").click()
    write(page, "it is me")
    expect(messages(page).last).to_contain_text("it is me")
    assert sandbox.messages("payments")[-1]["user"] == "U0BO"
    page.goto(f"{sandbox.url}/")
    expect(page.get_by_test_id("act-as")).to_contain_text("bo")


def sideways(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth > innerWidth"))


@pytest.mark.usefixtures("bot")
def test_on_a_phone_each_pane_fills_the_screen_and_nothing_scrolls_sideways(
    open_page: OpenPage, client: WebClient
) -> None:
    ts = post_card(client)
    client.chat_postMessage(channel="C0PAYMENTS", thread_ts=ts, text=HOSTILE)
    page = open_page("ana", "#list", phone=True)
    assert not sideways(page)
    page.get_by_test_id("channel-payments").tap()
    expect(messages(page).first).to_be_visible()
    expect(page.locator("#sidebar")).to_be_hidden()
    assert not sideways(page)
    tall = page.locator("[data-action-id=ack]").bounding_box()
    assert tall is not None
    assert tall["height"] >= 40
    page.get_by_test_id("thread-summary").tap()
    expect(page.get_by_test_id("thread-pane")).to_be_visible()
    expect(page.locator("#main")).to_be_hidden()
    assert not sideways(page)
    page.get_by_test_id("thread-pane").get_by_test_id("back").tap()
    page.get_by_test_id("messages").locator("[data-action-id=resolve]").first.tap()
    expect(page.get_by_test_id("modal")).to_be_visible()
    assert not sideways(page)
    page.get_by_test_id("modal-close").tap()
    expect(page.get_by_test_id("modal")).to_have_count(0)
    page.locator("#main").get_by_test_id("back").first.tap()
    expect(page.get_by_test_id("channel-chat")).to_be_visible()
