"""Patrol as processes that Slack reaches over HTTP, and the sandbox as another, as one would start them."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from slack_sdk.signature import SignatureVerifier

from bot.sandbox.client import SandboxClient

from ...flows.conftest import ROOT, Town, eventually

pytestmark = pytest.mark.slow
WORDS = "s_1 asked 1 times to be paid elsewhere"


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.fixture
def ports() -> tuple[int, int]:
    return free_port(), free_port()


@pytest.fixture
def slack(ports: tuple[int, int]) -> Iterator[SandboxClient]:
    """`patrol sandbox --request-url …`: what people do is posted to the first Patrol."""
    url = f"http://127.0.0.1:{ports[0]}/slack/events"
    words = ("--port", "0", "--request-url", url, "--manifest", str(ROOT / "manifest.yaml"), "--quiet")
    rooms = ("--channel", "payments", "--channel", "payments-review")
    process = subprocess.Popen(
        [sys.executable, "-m", "bot", "sandbox", *words, *rooms], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout
    client = SandboxClient(process.stdout.readline().strip())
    yield client
    client.close_client()
    process.terminate()
    process.communicate(timeout=20)


@pytest.fixture
def town(tmp_path: Path, slack: SandboxClient) -> Iterator[Town]:
    made = Town(tmp_path, slack)  # type: ignore[arg-type]  # it needs no more of a sandbox than its client has
    yield made
    made.end()


def comes(town: Town, look: Callable[[], Any]) -> Any:
    """What `look` gives within a minute; else the end of the log is what fails."""
    try:
        return eventually(look, 60)
    except AssertionError:
        raise AssertionError(town.log[-3000:]) from None


def serve(town: Town, port: int) -> str:
    """`patrol serve` over HTTP, without an app token; its address, once it is ready."""
    secrets = {"SLACK_APP_TOKEN": "", "SLACK_SIGNING_SECRET": town.slack.signing_secret}
    process = town.patrol("serve", "--port", str(port), PATROL_SLACK_MODE="http", **secrets)
    url = f"http://127.0.0.1:{port}"

    def ready() -> bool:
        assert process.poll() is None, town.log[-2000:]
        try:
            return httpx.get(f"{url}/readyz", trust_env=False).status_code == 200
        except httpx.TransportError:
            return False

    comes(town, ready)
    return url


def signed(town: Town, body: bytes) -> dict[str, str]:
    at = str(int(time.time()))
    proof = SignatureVerifier(town.slack.signing_secret).generate_signature(timestamp=at, body=body)
    kind = "application/x-www-form-urlencoded"
    return {"x-slack-request-timestamp": at, "x-slack-signature": str(proof), "content-type": kind}


def test_an_alert_stands_and_ana_acknowledges_it_and_a_second_process_takes_nothing_twice(
    town: Town, ports: tuple[int, int]
) -> None:
    first = serve(town, ports[0])
    assert town.slack.state()["connected"] == 0

    town.says("s_1")
    card = comes(town, lambda: town.card_of(WORDS))
    seen = town.slack.click("ana", "payments", card["ts"], "alert.ack", wait_ms=1500)
    assert seen["acked"], town.log[-2000:]
    assert "acknowledged" not in card["text"]
    comes(town, lambda: "acknowledged" in (town.card_of(WORDS) or card)["text"])
    said = town.slack.command("bo", "payments", "/patrol list")
    assert "s_1" in str(said["ephemerals"])

    second = serve(town, ports[1])
    fields = {"command": "/patrol", "text": "comment 1 seen before", "user_id": "U0BO", "team_id": "T0PATROL"}
    body = urlencode({**fields, "channel_id": "C0PAYMENTS", "trigger_id": "1.2"}).encode()
    headers = signed(town, body)
    answers = [
        httpx.post(f"{url}/slack/events", content=body, headers=headers) for url in (first, second, first)
    ]
    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert "ALR-1" in answers[0].text
    assert [answer.text for answer in answers[1:]] == ["", ""]
    shown = str(town.slack.command("bo", "payments", "/patrol show 1")["ephemerals"])
    assert shown.count("seen before") == 1

    forged = httpx.post(f"{second}/slack/events", content=body + b"&text=ack+1", headers=headers)
    assert forged.status_code == 401
    for secret in (town.slack.signing_secret, headers["x-slack-signature"][3:], "xoxb-"):
        assert secret not in town.log


def test_without_its_signing_secret_it_does_not_start_and_says_what_to_set(town: Town) -> None:
    process = town.patrol(PATROL_SLACK_MODE="http", SLACK_APP_TOKEN="")
    assert process.wait(60) == 2
    assert "SLACK_SIGNING_SECRET is not set: slack_mode is http" in town.log
    assert "SLACK_APP_TOKEN is not set" not in town.log
