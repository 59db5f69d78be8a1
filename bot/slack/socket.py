"""Socket Mode connections that stay up: Slack's library reconnects by itself, a watchdog sees to the rest.

What is wrong is told once, in words, and not at each try.
"""

from __future__ import annotations

import logging
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from socket import SHUT_RDWR

from slack_bolt import App
from slack_bolt.adapter.socket_mode.internals import run_bolt_app, send_response
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.socket_mode.client import BaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.websocket_client import SocketModeClient

from bot.process.errors import OutcomeUnknown, SlackBusy, SlackRefused
from bot.slack.client import api_address
from bot.slack.meaning import judge
from sensors.model.clock import say_duration

PING_S = 10.0
PONG_S = 3.0  # within which the other end answers a ping, or is gone
LOOK_S = 1.0
PATIENCE_S = 5.0  # a connection may take this long to come up before it is tried anew
LONGEST_PAUSE_S = 30.0
TOLD_AFTER_S = 3.0  # one that is back sooner is not spoken of
NONE_OPEN = "no Socket Mode connection is open"
APP_TOKEN = "start Patrol with an App-Level Token (xapp-…) that has connections:write: see Basic Information"
log = logging.getLogger(__name__)


class Client(SocketModeClient):
    """Slack's client, but one that waits for a pong. Without it a line that died silently is never noticed,
    and a session that was replaced may hold up the next one for 10 s (both measured).

    By itself only a session that has opened is followed by another, and none is dialled twice: its address is
    good for once, and while Slack is away that would be four requests a second.
    """

    _dialled: object = None

    def __init__(self, app_token: str, web: WebClient) -> None:
        super().__init__(
            app_token=app_token,
            logger=_quiet(),
            web_client=web,
            ping_interval=PING_S,
            auto_reconnect_enabled=False,
            on_open_listeners=[self._opened],
        )

    def _opened(self, _session: object) -> None:
        self.auto_reconnect_enabled = not self.closed

    def _run_current_session(self) -> None:
        session = self.current_session
        if session is None or session is self._dialled:
            return
        self._dialled = session
        try:
            session.run_forever(ping_interval=self.ping_interval, ping_timeout=PONG_S)
        except Exception as error:
            log.info("a Socket Mode session ended: %s: %s", type(error).__name__, error)
            session.close()


class Connection:
    """One Socket Mode connection, and when to try it anew."""

    def __init__(self, app: App, app_token: str, web: WebClient) -> None:
        self._app = app
        self.why = ""  # the last try came to nothing, in words
        self.client = Client(app_token, web)
        self.client.socket_mode_request_listeners.append(self._handle)
        self._up_at = 0.0
        self._tried_at = 0.0
        self._pause_s = PATIENCE_S

    def _handle(self, client: BaseSocketModeClient, request: SocketModeRequest) -> None:
        began = time.time()
        send_response(client, request, run_bolt_app(self._app, request), began)

    def is_up(self) -> bool:
        """Whether the handshake is done."""
        session = self.client.current_session
        sock = session.sock if session is not None else None
        return bool(sock is not None and sock.connected)

    def mend(self) -> None:
        """Connects anew what has been down for longer than the library needs, at growing intervals."""
        now = time.monotonic()
        if self.is_up():
            self._up_at, self._pause_s, self.why = now, PATIENCE_S, ""
        elif now - max(self._up_at, self._tried_at) >= self._pause_s:
            self.connect()
            self._pause_s = min(LONGEST_PAUSE_S, self._pause_s * 1.5)

    def connect(self) -> None:
        self._tried_at = time.monotonic()
        try:
            self.client.connect_to_new_endpoint(force=self.client.is_connected())
            self.why = ""
        except Exception as error:  # whatever the library meets, the watchdog tries again
            self.why = _why(error)

    def close(self) -> None:
        """Says goodbye and hangs up; by itself the library would notice its own goodbye only after 10 s."""
        session = self.client.current_session
        sock = session.sock if session is not None else None
        self.client.auto_reconnect_enabled = False
        if sock is not None and sock.sock is not None:
            with suppress(Exception):
                sock.send_close()
                sock.sock.shutdown(SHUT_RDWR)
        self.client.close()


class Handle:
    """The running connections."""

    def __init__(self, connections: list[Connection]) -> None:
        self._connections = connections
        self._down_since: float | None = None
        self._told = False
        self._stop = threading.Event()
        self._watchdog = threading.Thread(target=self._watch, name="socket-watchdog", daemon=True)
        self._watchdog.start()

    def connected(self) -> int:
        return sum(one.is_up() for one in self._connections)

    @property
    def trouble(self) -> str:
        """Why none is open, in words; empty while one is."""
        if self.connected():
            return ""
        why = next((one.why for one in self._connections if one.why), "")
        return f"{NONE_OPEN}: {why}" if why else NONE_OPEN

    def close(self) -> None:
        """Ends all connections; what is being answered is answered first."""
        self._stop.set()
        self._watchdog.join()
        with ThreadPoolExecutor(len(self._connections)) as pool:
            list(pool.map(lambda one: one.close(), self._connections))

    def _watch(self) -> None:
        while not self._stop.wait(LOOK_S):
            for one in self._connections:
                if not self._stop.is_set():
                    one.mend()
            self._tell()

    def _tell(self) -> None:
        """That none is open, when one does not come back at once; and that one is again."""
        now, trouble = time.monotonic(), self.trouble
        if trouble:
            self._down_since = self._down_since or now
            if not self._told and now - self._down_since >= TOLD_AFTER_S:
                self._told = True
                log.error("%s. Nobody can click or type until it is back.", trouble)
            return
        if self._told and self._down_since:
            away = say_duration(timedelta(seconds=round(now - self._down_since)))
            log.info("a Socket Mode connection is open again, after %s", away)
        self._down_since, self._told = None, False


def start(app: App, app_token: str, base_url: str | None = None, connections: int = 2) -> Handle:
    """Connects and keeps connected. Returns at once, also while Slack is away."""
    web = _web(base_url)
    made = [Connection(app, app_token, web) for _ in range(connections)]
    with ThreadPoolExecutor(connections) as pool:
        list(pool.map(lambda one: one.connect(), made))
    return Handle(made)


def refusal(app_token: str, base_url: str | None = None) -> str:
    """Why Slack would give no connection, in words; empty where it would. Takes none."""
    try:
        _web(base_url).apps_connections_open(app_token=app_token)
    except Exception as error:
        return _why(error)
    return ""


def _web(base_url: str | None) -> WebClient:
    return WebClient(base_url=api_address(base_url), timeout=10, retry_handlers=[], logger=_quiet())


def _why(error: Exception) -> str:
    """What is wrong, with what to do where that is ours."""
    try:
        if isinstance(error, SlackApiError):
            answer = error.response
            judge("apps.connections.open", answer.status_code, answer.headers, answer.data)
    except SlackRefused as refused:
        return f"Slack refuses SLACK_APP_TOKEN: {refused.code}; {APP_TOKEN}"
    except (SlackBusy, OutcomeUnknown) as busy:
        return str(busy)
    return f"Slack does not answer ({type(error).__name__}: {error})"[:300]


def _quiet() -> logging.Logger:
    """The library logs every reconnect as an error; what matters is said here."""
    quiet = logging.getLogger("bot.slack.socket.library")
    quiet.setLevel(logging.CRITICAL)
    return quiet
