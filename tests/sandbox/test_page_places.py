"""Messages keep their nodes while others change, and links to messages open in the page."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect
from slack_sdk import WebClient

from bot.sandbox import Sandbox

pytestmark = pytest.mark.browser

OpenPage = Callable[..., Page]
PAYMENTS = "C0PAYMENTS"


def card(state: str) -> list[dict[str, Any]]:
    pressed = {"type": "button", "action_id": "ack", "text": {"type": "plain_text", "text": "Acknowledge"}}
    text = {"type": "mrkdwn", "text": f"*{state}*"}
    return [
        {"type": "header", "text": {"type": "plain_text", "text": "Ana Cards asked to be paid elsewhere"}},
        {"type": "section", "text": text},
        {"type": "actions", "block_id": "acts", "elements": [pressed]},
    ]


def post(client: WebClient, text: str, **more: Any) -> str:
    return str(client.chat_postMessage(channel=PAYMENTS, text=text, **more)["ts"])


def row(page: Page, ts: str, where: str = "messages") -> Any:
    return page.get_by_test_id(where).locator(f"[data-testid=message][data-ts='{ts}']")


def test_a_node_stays_while_other_messages_come_change_and_go(open_page: OpenPage, client: WebClient) -> None:
    before = [post(client, f"message {n}\nof two lines") for n in range(30)]
    ts = post(client, "an alert", blocks=card("OPEN"))
    page = open_page("ana")
    held = row(page, ts).element_handle()
    pressed = held.query_selector("button[data-action-id=ack]")
    for n in range(12):
        client.chat_update(channel=PAYMENTS, ts=before[n], text=f"changed {n}\n\n\nand longer")
        client.chat_delete(channel=PAYMENTS, ts=before[-1 - n])
        after = post(client, f"later {n}")
        post(client, "why", thread_ts=ts)
        expect(row(page, after)).to_be_visible()
        held.scroll_into_view_if_needed()
        assert held.is_visible()
        page.get_by_test_id("messages").evaluate("node => { node.scrollTop -= 200; }")
    assert row(page, ts).evaluate("(node, held) => node === held", held)
    assert pressed.evaluate("node => node.isConnected")
    expect(row(page, ts).get_by_test_id("thread-summary")).to_contain_text("12 replies")


def test_a_message_that_changes_keeps_its_node_and_what_has_not_changed(
    open_page: OpenPage, client: WebClient
) -> None:
    ts = post(client, "an alert", blocks=card("OPEN"))
    page = open_page("ana")
    held = row(page, ts).element_handle()
    header = held.query_selector(".header")
    pressed = held.query_selector("button[data-action-id=ack]")
    pressed.focus()
    client.chat_update(channel=PAYMENTS, ts=ts, text="taken", blocks=card("ACKNOWLEDGED"))
    expect(row(page, ts)).to_contain_text("ACKNOWLEDGED")
    expect(row(page, ts)).to_contain_text("(edited)")
    assert [part.evaluate("node => node.isConnected") for part in (held, header, pressed)] == [True] * 3
    assert pressed.evaluate("node => node === document.activeElement")


def test_a_reader_who_has_just_scrolled_is_not_thrown_to_the_end(
    open_page: OpenPage, client: WebClient
) -> None:
    for n in range(40):
        post(client, f"message {n}")
    page = open_page("ana")
    # The page draws before the browser has said that its reader scrolled.
    scrolled = "node => { node.scrollTop = 300; document.dispatchEvent(new Event('visibilitychange')); }"
    page.get_by_test_id("messages").evaluate(scrolled)
    expect(row(page, post(client, "one more"))).to_be_attached()
    assert page.get_by_test_id("messages").evaluate("node => node.scrollTop") == 300


def test_a_link_of_slack_opens_here_at_its_message(
    open_page: OpenPage, client: WebClient, sandbox: Sandbox
) -> None:
    ts = post(client, "an old alert")
    reply = post(client, "an old answer", thread_ts=ts)
    for n in range(160):
        post(client, f"message {n}")
    theirs = f"https://acme.slack.com/archives/{PAYMENTS}/p{ts.replace('.', '')}"
    ours = client.chat_getPermalink(channel=PAYMENTS, message_ts=reply)["permalink"]
    away = "https://acme.slack.com/archives/C0ELSEWHERE/p1790000000000100"
    client.chat_postMessage(channel="C0CHAT", text=f"<{theirs}|the alert> <{ours}|the answer> <{away}|away>")
    page = open_page("bo", "#C0CHAT")

    page.get_by_role("link", name="the alert").click()
    expect(row(page, ts)).to_be_in_viewport()
    expect(page.get_by_test_id("thread-pane")).to_be_hidden()
    page.go_back()
    expect(page.get_by_role("link", name="away")).to_have_attribute("href", away)
    page.get_by_role("link", name="the answer").click()
    expect(row(page, reply, "thread-pane")).to_be_in_viewport()

    for link, where in (
        (theirs.replace("https://acme.slack.com", sandbox.url), "messages"),
        (ours, "thread-pane"),
    ):
        page.goto(link + ("&" if "?" in link else "?") + "as=cy")
        expect(row(page, ts if where == "messages" else reply, where)).to_be_in_viewport()
        expect(page).to_have_url(re.compile(r"\?as=cy#"))


def test_a_message_is_found_though_the_page_draws_while_older_ones_are_on_their_way(
    open_page: OpenPage, client: WebClient
) -> None:
    ts = post(client, "an old alert")
    for n in range(160):
        post(client, f"message {n}")
    page = open_page("bo", "#C0CHAT")

    def draw_first(route: Route) -> None:
        page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
        route.continue_()

    page.route("**/sandbox/state?*", draw_first)
    page.evaluate(f"location.hash = '#{PAYMENTS}//{ts}'")
    expect(row(page, ts)).to_be_in_viewport()


def test_who_was_pinged_before_the_first_visit_sees_it(open_page: OpenPage, client: WebClient) -> None:
    post(client, "look at this <@U0ANA>")
    client.chat_postMessage(channel="C0CHAT", text="and then something else")
    ana, bo = open_page("ana", "#C0CHAT"), open_page("bo", "#C0CHAT")
    badge = ana.get_by_test_id("channel-payments").locator(".badge")
    expect(badge).to_have_text("1")
    expect(bo.get_by_test_id("channel-payments").locator(".badge")).to_have_count(0)
    ana.get_by_test_id("channel-payments").click()
    ana.get_by_test_id("channel-chat").click()
    expect(badge).to_have_count(0)


def test_a_reply_that_also_stands_in_the_channel_says_to_what(open_page: OpenPage, client: WebClient) -> None:
    root = post(client, "an alert", blocks=card("OPEN"))
    loud = post(client, "it is worse", thread_ts=root, reply_broadcast=True)
    page = open_page("bo")
    above = row(page, loud).locator(".replied-to")
    expect(above).to_have_text("replied to a thread:Ana Cards asked to be paid elsewhere")
    above.get_by_role("button").click()
    expect(row(page, root, "thread-pane")).to_be_visible()
