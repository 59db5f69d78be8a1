"""A sandbox for each test, the real slack_bolt app on it, and ways to speak to it without any SDK."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page
from slack_bolt import App
from slack_bolt.adapter.socket_mode.websocket_client import SocketModeHandler
from slack_sdk import WebClient

from bot.sandbox import Sandbox
from tests.browser import DESKTOP, PHONE, launched

CHANNELS = ("payments", "chat", "general")


def eventually(look: Callable[[], Any], seconds: float = 5.0) -> Any:
    """Waits until `look` gives something true, and gives that; fails when the time is over."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = look()
        if found:
            return found
        time.sleep(0.01)
    raise AssertionError("it did not come to pass")


def web(sandbox: Sandbox, **options: Any) -> WebClient:
    return WebClient(token=sandbox.bot_token, base_url=sandbox.api, retry_handlers=[], **options)


@contextmanager
def connected(
    sandbox: Sandbox, app: App, connections: int = 1, already: int = 0
) -> Iterator[list[SocketModeHandler]]:
    """The app on so many Socket Mode connections, all of them up beside those that are there `already`."""
    handlers = [SocketModeHandler(app, sandbox.app_token) for _ in range(connections)]
    for handler in handlers:
        handler.client.logger.setLevel(logging.CRITICAL)
        handler.connect()  # type: ignore[no-untyped-call]  # slack_bolt leaves it untyped
    eventually(lambda: sandbox.state()["connected"] >= connections + already)
    try:
        yield handlers
    finally:
        hang_up(sandbox, handlers)


def hang_up(sandbox: Sandbox, handlers: list[SocketModeHandler]) -> None:
    """Cut from the other side first: by itself the SDK's client takes up to ten seconds to close."""
    for handler in handlers:
        handler.client.auto_reconnect_enabled = False
    sandbox.cut_sockets()
    for handler in handlers:
        eventually(partial(_is_down, handler))
        handler.close()  # type: ignore[no-untyped-call]  # slack_bolt leaves it untyped


def _is_down(handler: SocketModeHandler) -> bool:
    session = handler.client.current_session
    return session is None or session.sock is None


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(channels=CHANNELS, pace=False) as running:
        yield running


@pytest.fixture
def client(sandbox: Sandbox) -> WebClient:
    return web(sandbox)


@pytest.fixture
def app(client: WebClient) -> App:
    return App(client=client)


@pytest.fixture
def on_slack(sandbox: Sandbox, app: App) -> Iterator[App]:
    """The app, to which listeners may be added, on one connection."""
    with connected(sandbox, app):
        yield app


@pytest.fixture
def until() -> Callable[..., Any]:
    """until(look, seconds=5): waits for something true."""
    return eventually


@pytest.fixture
def connect() -> Callable[..., Any]:
    """with connect(sandbox, app, connections): the app on that many sockets."""
    return connected


@pytest.fixture
def web_client() -> Callable[..., WebClient]:
    return web


@pytest.fixture
def api(sandbox: Sandbox) -> Callable[..., dict[str, Any]]:
    """api("chat.postMessage", channel=…): the answer's body, whether ok or not."""
    return caller(sandbox)


@pytest.fixture
def api_of() -> Callable[[Sandbox], Callable[..., dict[str, Any]]]:
    return caller


def caller(sandbox: Sandbox) -> Callable[..., dict[str, Any]]:
    http = httpx.Client(base_url=sandbox.api, trust_env=False, verify=False)

    def call(method: str, token: str | None = sandbox.bot_token, **args: Any) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        body: dict[str, Any] = http.post(method, json=args, headers=headers).json()
        return body

    return call


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with launched() as browser:
        yield browser


@pytest.fixture
def open_page(browser: Browser, sandbox: Sandbox) -> Iterator[Callable[..., Page]]:
    """open_page("bo", phone=True) is bo's own browser; whatever went wrong in it fails the test."""
    contexts, wrong = [], []

    def open_one(person: str, place: str = "#C0PAYMENTS", phone: bool = False) -> Page:
        options: dict[str, Any] = {"viewport": PHONE if phone else DESKTOP}
        options |= {"has_touch": True, "is_mobile": True} if phone else {}
        contexts.append(browser.new_context(**options))
        page = contexts[-1].new_page()
        page.set_default_timeout(8000)
        page.on("pageerror", lambda error: wrong.append(f"error: {error}"))
        page.on("dialog", lambda dialog: (wrong.append(f"dialog: {dialog.message}"), dialog.dismiss()))
        page.on(
            "request", lambda r: r.url.startswith((sandbox.url, "data:")) or wrong.append(f"request: {r.url}")
        )
        page.goto(f"{sandbox.url}/?as={person}{place}")
        page.wait_for_selector("body[data-ready]")
        return page

    yield open_one
    for context in contexts:
        context.close()
    assert not wrong
