"""Slack's links to messages: the sandbox hands them out, and they lead to its page."""

from __future__ import annotations

import httpx
import pytest
from slack_sdk import WebClient

from bot.sandbox import Sandbox

PAYMENTS = "C0PAYMENTS"


def leads(sandbox: Sandbox, link: str) -> str:
    """Where the link sends a browser; the address is the sandbox's own."""
    answer = httpx.get(link, trust_env=False)
    assert answer.status_code == 307, answer.text
    return answer.headers["location"].removeprefix(sandbox.url)


def test_the_workspaces_address_is_the_page(sandbox: Sandbox, client: WebClient) -> None:
    url = client.auth_test()["url"]

    assert url == f"{sandbox.url}/"
    assert httpx.get(url, trust_env=False).headers["content-type"].startswith("text/html")


def test_a_permalink_leads_to_the_page_at_its_message(sandbox: Sandbox, client: WebClient) -> None:
    ts = client.chat_postMessage(channel=PAYMENTS, text="an alert")["ts"]
    reply = client.chat_postMessage(channel=PAYMENTS, text="why", thread_ts=ts)["ts"]

    link = client.chat_getPermalink(channel=PAYMENTS, message_ts=ts)["permalink"]
    deep = client.chat_getPermalink(channel=PAYMENTS, message_ts=reply)["permalink"]

    assert leads(sandbox, link) == f"/#{PAYMENTS}//{ts}"
    assert leads(sandbox, f"{link}?as=bo") == f"/?as=bo#{PAYMENTS}//{ts}"
    assert leads(sandbox, f"{deep}&as=bo") == f"/?as=bo#{PAYMENTS}/{ts}/{reply}"
    assert leads(sandbox, f"{sandbox.url}/archives/{PAYMENTS}") == f"/#{PAYMENTS}"


@pytest.mark.parametrize(
    "place", ["C0NOWHERE/p1790000000000100", f"{PAYMENTS}/p17", f"{PAYMENTS}/1790000000.1"]
)
def test_a_link_that_names_nothing_says_so(sandbox: Sandbox, place: str) -> None:
    answer = httpx.get(f"{sandbox.url}/archives/{place}", trust_env=False)

    assert (answer.status_code, answer.text) == (404, "There is no such channel or message here.")
