"""Rate limits, on a clock moved by hand."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from bot.sandbox import Sandbox
from bot.sandbox.limits import METHOD_TIERS, Limits
from bot.sandbox.methods import METHODS

HTTP = httpx.Client(trust_env=False)
TIERS = Path(__file__).parents[3] / "shared" / "slack" / "method_tiers.json"


class Clock:
    def __init__(self) -> None:
        self.now = 1_790_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def paced(clock: Clock) -> Iterator[Sandbox]:
    with Sandbox(channels=["payments", "chat"], clock=clock) as running:
        yield running


def call(sandbox: Sandbox, method: str, **args: Any) -> httpx.Response:
    headers = {"Authorization": f"Bearer {sandbox.bot_token}"}
    return HTTP.post(sandbox.api + method, json=args, headers=headers)


def test_a_channel_takes_a_short_burst_and_then_one_a_second(paced: Sandbox, clock: Clock) -> None:
    def post(channel: str) -> int:
        return call(paced, "chat.postMessage", channel=channel, text="x").status_code

    assert [post("C0PAYMENTS") for _ in range(4)] == [200, 200, 200, 429]
    assert post("payments") == 429, "a channel by its name is the same channel"
    assert post("C0CHAT") == 200
    clock.now += 1
    assert [post("C0PAYMENTS"), post("C0PAYMENTS")] == [200, 429]


def test_a_refusal_says_how_long_to_wait(paced: Sandbox, clock: Clock) -> None:
    for _ in range(3):
        call(paced, "chat.postMessage", channel="C0PAYMENTS", text="x")

    refused = call(paced, "chat.postMessage", channel="C0PAYMENTS", text="x")

    assert refused.headers["Retry-After"] == "1"
    assert refused.json() == {"ok": False, "error": "ratelimited"}
    clock.now += 1
    assert call(paced, "chat.postMessage", channel="C0PAYMENTS", text="x").status_code == 200


def test_updates_are_fifty_a_minute_for_the_whole_workspace(paced: Sandbox, clock: Clock) -> None:
    first = call(paced, "chat.postMessage", channel="C0PAYMENTS", text="x").json()["ts"]
    second = call(paced, "chat.postMessage", channel="C0CHAT", text="x").json()["ts"]

    def update(n: int) -> int:
        place = {"channel": "C0PAYMENTS", "ts": first} if n % 2 else {"channel": "C0CHAT", "ts": second}
        return call(paced, "chat.update", **place, text=str(n)).status_code

    assert {update(n) for n in range(50)} == {200}
    assert update(51) == 429
    clock.now += 60
    assert {update(n) for n in range(50)} == {200}


def test_listing_people_is_twenty_a_minute(paced: Sandbox) -> None:
    assert [call(paced, "users.list").status_code for _ in range(21)] == [200] * 20 + [429]


def test_the_workspace_takes_three_hundred_messages_a_minute() -> None:
    limits = Limits()

    waits = [limits.post(f"C{n}", 0.0) for n in range(301)]

    assert waits[:300] == [None] * 300
    assert waits[300]


def test_the_limits_can_be_lifted(sandbox: Sandbox) -> None:
    assert {call(sandbox, "users.list").status_code for _ in range(25)} == {200}


@pytest.mark.skipif(not TIERS.is_file(), reason="Slack's own tiers are not here")
def test_every_method_has_slacks_own_tier() -> None:
    known = json.loads(TIERS.read_text())["tiers"]
    for name in METHODS:
        tier = known.get(name, "")
        if name == "chat.postMessage":
            assert name not in METHOD_TIERS, "it is limited by its channel"
        elif tier.startswith("Tier"):
            assert METHOD_TIERS[name] == tier.removeprefix("Tier"), name
        elif tier:
            assert METHOD_TIERS[name] == "special", name
