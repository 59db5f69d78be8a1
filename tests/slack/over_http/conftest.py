"""A site with the real Bolt app on it, a sandbox that posts to it, and requests as Slack signs them."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from slack_sdk.signature import SignatureVerifier

from bot.process import web
from bot.process.metrics import Metrics
from bot.sandbox import Sandbox
from bot.slack import http
from bot.slack.client import SlackClient
from bot.slack.listeners import new_app, register
from bot.store import Store

from ..conftest import MANIFEST, NOW, Bot, RecordingDesk

WELL = web.Health(True, True, {})
FORM = "application/x-www-form-urlencoded"


@dataclass
class Site:
    """One process as far as Slack can tell: a server with a door in it, and a store behind."""

    file: Path
    desk: RecordingDesk = field(default_factory=RecordingDesk)
    metrics: Metrics = field(default_factory=Metrics)
    talk: list[ThreadPoolExecutor] = field(default_factory=list)
    line: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=10, trust_env=False))
    door: http.Door | None = None
    handle: web.Handle | None = None
    entered: int = 0

    def open(self) -> Site:
        self.store = Store(f"sqlite:///{self.file}")
        self.store.upgrade()
        self.handle = web.serve(web.app(lambda: WELL, self.metrics.registry, {http.PATH: self._take}), 0)
        return self

    def _take(self, *request: Any) -> http.Answer:
        assert self.door
        self.entered += 1
        return self.door.take(*request)

    def listens(self, slack: Sandbox) -> SlackClient:
        client = SlackClient(slack.bot_token, slack.api, timeout_s=5)
        app = new_app(client)
        self.talk.append(ThreadPoolExecutor(8))
        register(app, self.desk, client, self.talk[-1], lambda: NOW, self.metrics.acked)
        self.door = http.Door(app, slack.signing_secret, self.store.requests)
        return client

    @property
    def url(self) -> str:
        assert self.handle
        return self.handle.url + http.PATH

    def post(self, body: bytes, headers: dict[str, str]) -> httpx.Response:
        return self.line.post(self.url, content=body, headers=headers)

    def fall_silent(self) -> None:
        """Ends once everybody was answered."""
        for pool in self.talk:
            pool.shutdown()

    def close(self) -> None:
        self.line.close()
        if self.handle:
            self.handle.close()
        self.store.close()


def signed(
    body: bytes, ago_s: float = 0, secret: str = Sandbox.signing_secret, kind: str = FORM
) -> dict[str, str]:
    """The headers that Slack's own library holds to be right for this body."""
    at = str(int(time.time() - ago_s))
    proof = SignatureVerifier(secret).generate_signature(timestamp=at, body=body)
    return {"content-type": kind, "x-slack-request-timestamp": at, "x-slack-signature": str(proof)}


def a_command(text: str, n: int = 0) -> bytes:
    fields = {"command": "/patrol", "text": text, "user_id": "U0ANA", "team_id": "T0PATROL"}
    return urlencode({**fields, "channel_id": "C0PAYMENTS", "trigger_id": f"{text}.{n}"}).encode()


def a_mention(event_id: str, text: str = "<@U0PATROL> status") -> bytes:
    event = {"type": "app_mention", "user": "U0ANA", "channel": "C0PAYMENTS", "text": text, "ts": "17.0001"}
    body = {"type": "event_callback", "team_id": "T0PATROL", "event_id": event_id, "event": event}
    return json.dumps(body).encode()


@pytest.fixture(scope="module")
def first_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    made = Site(tmp_path_factory.mktemp("site") / "patrol.db").open()
    yield made
    made.close()


@pytest.fixture(scope="module")
def house(first_site: Site) -> Iterator[Sandbox]:
    """In place of the house of Socket Mode: one that posts its payloads to the site."""
    with Sandbox(
        channels=("payments", "chat"), pace=False, manifest=MANIFEST, request_url=first_site.url, scale=0.01
    ) as running:
        yield running


@pytest.fixture(scope="module")
def listening(
    house: Sandbox, first_site: Site
) -> Iterator[tuple[RecordingDesk, SlackClient, web.Handle | None]]:
    """In place of the connection of Socket Mode."""
    yield first_site.desk, first_site.listens(house), first_site.handle
    first_site.fall_silent()


@pytest.fixture
def site(first_site: Site, bot: Bot) -> Site:
    """The site with a clean desk."""
    assert bot.desk is first_site.desk
    return first_site


@pytest.fixture
def second_site(house: Sandbox, first_site: Site) -> Iterator[Site]:
    """Another process with the same store, so far as that can be had in one process."""
    made = Site(first_site.file).open()
    made.listens(house)
    yield made
    made.fall_silent()
    made.close()
