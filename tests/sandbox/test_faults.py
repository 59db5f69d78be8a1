"""Faults on demand, seen by the clients that must live with them."""

from __future__ import annotations

import http.client
import json
import socket
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.sandbox import Refused, Sandbox

Until = Callable[..., Any]
PAYMENTS = "C0PAYMENTS"
POST = "chat.postMessage"


def texts(sandbox: Sandbox) -> list[str]:
    return [message["text"] for message in sandbox.messages("payments")]


def raw_post(sandbox: Sandbox, text: str) -> http.client.HTTPResponse:
    """A post by hand, so that nothing hides what the network does."""
    connection = http.client.HTTPConnection(sandbox.url.removeprefix("http://"), timeout=5)
    headers = {"Authorization": f"Bearer {sandbox.bot_token}", "Content-Type": "application/json"}
    connection.request("POST", f"/api/{POST}", json.dumps({"channel": PAYMENTS, "text": text}), headers)
    return connection.getresponse()


def test_a_message_may_be_stored_and_its_answer_lost(sandbox: Sandbox) -> None:
    sandbox.faults({"method": POST, "fault": "store_then_drop", "times": 1})

    with pytest.raises(http.client.RemoteDisconnected):
        raw_post(sandbox, "one")

    assert texts(sandbox) == ["one"]
    entry = sandbox.journal(method=POST)[0]
    assert (entry["fault"], entry["ok"], entry["ts"]) == (
        "store_then_drop",
        True,
        sandbox.messages("payments")[0]["ts"],
    )


def test_the_sdks_default_client_then_posts_it_twice(sandbox: Sandbox) -> None:
    sandbox.faults({"method": POST, "fault": "store_then_drop", "times": 1})

    WebClient(token=sandbox.bot_token, base_url=sandbox.api).chat_postMessage(channel=PAYMENTS, text="one")

    assert texts(sandbox) == ["one", "one"]


def test_without_retries_the_outcome_is_unknown(sandbox: Sandbox, client: WebClient) -> None:
    sandbox.faults({"method": POST, "fault": "store_then_drop"})

    with pytest.raises((OSError, http.client.HTTPException)):
        client.chat_postMessage(channel=PAYMENTS, text="one")

    assert texts(sandbox) == ["one"]


def test_a_reset_stores_nothing(sandbox: Sandbox) -> None:
    sandbox.faults({"method": POST, "fault": "reset"})

    with pytest.raises(ConnectionResetError):
        raw_post(sandbox, "one")

    assert texts(sandbox) == []


def test_a_dropped_message_may_land_late(sandbox: Sandbox, until: Until) -> None:
    sandbox.faults({"method": POST, "fault": "drop_then_store_late", "seconds": 0.3, "times": 1})

    with pytest.raises(http.client.RemoteDisconnected):
        raw_post(sandbox, "late")

    assert texts(sandbox) == []
    until(lambda: texts(sandbox) == ["late"])
    faults = [entry["fault"] for entry in sandbox.journal(method=POST)]
    assert faults == ["drop_then_store_late", "stored_late"]


def test_a_message_may_be_stored_and_an_error_answered(sandbox: Sandbox) -> None:
    sandbox.faults({"method": POST, "fault": "store_then_500", "times": 1})

    assert raw_post(sandbox, "one").status == 500
    assert texts(sandbox) == ["one"]


def test_a_slow_answer_comes_when_the_client_has_given_up(sandbox: Sandbox, until: Until) -> None:
    sandbox.faults({"method": POST, "fault": "slow", "seconds": 1.3, "times": 1})
    impatient = WebClient(token=sandbox.bot_token, base_url=sandbox.api, timeout=1, retry_handlers=[])

    with pytest.raises(TimeoutError):
        impatient.chat_postMessage(channel=PAYMENTS, text="slow")

    until(lambda: texts(sandbox) == ["slow"])


def test_errors_of_slacks_own_and_of_its_servers(sandbox: Sandbox, client: WebClient) -> None:
    sandbox.faults(
        {"method": POST, "fault": "429", "retry_after": 7, "times": 1},
        {"method": POST, "fault": "503", "times": 1},
        {"method": POST, "fault": "error:account_inactive", "times": 1},
    )

    limited, broken = raw_post(sandbox, "a"), raw_post(sandbox, "b")
    assert (limited.status, limited.getheader("Retry-After")) == (429, "7")
    assert json.loads(limited.read()) == {"ok": False, "error": "ratelimited"}
    assert broken.status == 503
    with pytest.raises(SlackApiError, match="account_inactive"):
        client.chat_postMessage(channel=PAYMENTS, text="c")
    client.chat_postMessage(channel=PAYMENTS, text="d")
    assert texts(sandbox) == ["d"]


def test_a_fault_may_choose_a_channel_skip_some_and_come_again(sandbox: Sandbox) -> None:
    sandbox.faults({"method": "chat.*", "fault": "500", "channel": "#payments", "after": 1, "every": 2})
    api = httpx.Client(base_url=sandbox.api, headers={"Authorization": f"Bearer {sandbox.bot_token}"})

    def status(channel: str) -> int:
        return api.post(POST, json={"channel": channel, "text": "x"}).status_code

    assert [status("C0CHAT") for _ in range(3)] == [200, 200, 200]
    assert [status(PAYMENTS) for _ in range(5)] == [200, 500, 200, 500, 200]
    sandbox.no_faults()
    assert status(PAYMENTS) == 200


def test_chance_is_repeatable_by_its_seed(sandbox: Sandbox) -> None:
    http = httpx.Client(base_url=sandbox.api)

    def run() -> list[int]:
        sandbox.no_faults()
        sandbox.faults({"method": "api.test", "fault": "500"}, seed=7, probability=0.5)
        return [http.post("api.test").status_code for _ in range(20)]

    first = run()

    assert set(first) == {200, 500}
    assert run() == first


def test_a_rule_that_nobody_understands_is_refused(sandbox: Sandbox) -> None:
    with pytest.raises(Refused, match="'explode' is not one of 429"):
        sandbox.faults({"method": POST, "fault": "explode"})


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"rules": "junk"}, "rules must be a list"),
        ({"rules": ["junk"]}, "rules must be a list such as"),
        ({"foo": 1}, "a request has no 'foo'; it has rules, probability"),
        ({"rules": [{"fault": "500", "tims": 1}]}, "a rule has no 'tims'; it has method, fault, times"),
        ({"rules": [{"fault": "500", "times": "one"}]}, "times must be a whole number from 0, or null"),
        ({"fault": "500", "every": 0}, "every must be a whole number from 1"),
        ({"fault": "slow", "seconds": "long"}, "seconds must be a number from 0"),
        ({"rules": [], "probability": 2}, "probability must be a number from 0 to 1"),
        ({"refresh_sockets": "now"}, 'refresh_sockets must be true, "all" or "warning"'),
    ],
)
def test_a_request_for_faults_that_makes_no_sense_is_refused_and_changes_nothing(
    sandbox: Sandbox, body: dict[str, Any], said: str
) -> None:
    sandbox.faults({"method": POST, "fault": "429"})

    answer = httpx.post(f"{sandbox.url}/sandbox/faults", json={"clear": True, **body}, trust_env=False)

    assert answer.status_code == 400
    assert said in answer.json()["error"]
    assert [rule["fault"] for rule in sandbox.state()["faults"]["rules"]] == ["429"]


def test_the_journal_is_in_order_and_can_be_followed(sandbox: Sandbox, client: WebClient) -> None:
    client.chat_postMessage(channel=PAYMENTS, text="a")
    seen = sandbox.journal()[-1]["n"]
    client.chat_postMessage(channel=PAYMENTS, text="b")

    later = sandbox.journal(since=seen)

    assert [entry["kind"] for entry in later] == ["posted", "api"]
    assert later[1]["args"]["text"] == "b"
    numbers = [entry["n"] for entry in sandbox.journal()]
    assert numbers == sorted(numbers)
    assert all(entry["at"] <= time.time() for entry in later)


def test_a_caller_that_goes_away_in_the_middle_of_its_request_breaks_nothing(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    host, port = sandbox.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as line:
        line.sendall(f"POST /api/{POST} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 99\r\n\r\n".encode())
        line.sendall(b"half of")
        time.sleep(0.2)  # it has been taken, and the rest is waited for
    assert raw_post(sandbox, "one").status == 200
    assert texts(sandbox) == ["one"]
    assert "ClientDisconnect" not in caplog.text
