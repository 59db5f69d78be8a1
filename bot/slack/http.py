"""What Slack sends over HTTP: proven to be Slack's, taken once, given to the listeners. Knows no server."""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import re
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as Overdue
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from urllib.parse import parse_qsl

from slack_bolt import App, BoltRequest

from bot.process.errors import PatrolError, SettingsError
from bot.slack.listeners import ARRIVED, DOUBT, now_utc
from bot.slack.turns import PATIENCE_S

PATH = "/slack/events"
LIFE_S = 300  # of a signature, as Slack says
QUIET_S = 60.0  # the same refusal is logged once within it: anybody can send here
MOST_FIELDS = 100
log = logging.getLogger(__name__)


class Memory(Protocol):
    """What was taken already, shared by all processes; PatrolError where it does not answer."""

    def first(self, name: str, now: datetime) -> bool:
        """Remembers the name; whether nobody had."""

    def known(self, name: str) -> bool:
        """Whether somebody remembered the name."""


@dataclass(frozen=True)
class Answer:
    status: int
    body: str = ""
    content_type: str = "text/plain"


class Door:
    """Takes requests; each method may be called by many threads at once.

    A signed request is acted on once, since whoever has got hold of one can send it again. An event that
    Slack sends again is signed anew: its id is remembered after it was acted on, so that one whose process
    died before is not lost. Where the memory does not answer, no act is recorded and its person is told.
    """

    def __init__(
        self, app: App, signing_secret: str, memory: Memory, clock: Callable[[], datetime] = now_utc
    ) -> None:
        if not signing_secret.strip():
            raise SettingsError("SLACK_SIGNING_SECRET is empty: without it anybody could sign.")
        self._app = app
        self._secret = signing_secret.encode()
        self._memory = memory
        self._clock = clock
        self._beside = ThreadPoolExecutor(8, thread_name_prefix="taken")
        self._logged: dict[str, float] = {}

    def take(self, headers: Mapping[str, str], body: bytes, arrived: float) -> Answer:
        """The answer to one POST that came at `arrived` (monotonic). Names of headers are lower case."""
        signature = headers.get("x-slack-signature", "")
        why = self._unproven(signature, headers.get("x-slack-request-timestamp", ""), body)
        if why:
            return self._refused(401, why)
        request = parsed(body, headers.get("content-type", ""))
        if request is None:
            return self._refused(400, "It is signed, but not a payload of Slack's.")
        event = _event(request.body)
        new, doubt = self._is_new(signature, event, arrived)
        if not new:
            log.warning("a request of Slack's came a second time and was not acted on")
            return Answer(200)
        request.context.update({ARRIVED: arrived, DOUBT: doubt})
        answer = self._dispatched(request)
        if event and not doubt and answer.status == 200:
            self._in_time(lambda: self._memory.first(event, self._clock()), arrived)
        return answer

    def _unproven(self, signature: str, timestamp: str, body: bytes) -> str:
        """Why it may not come from Slack; empty where it does."""
        if not signature or not re.fullmatch(r"[0-9]{1,12}", timestamp):
            return "It is not signed as Slack signs."
        if abs(self._clock().timestamp() - int(timestamp)) > LIFE_S:
            return "Its time is more than five minutes from this machine's clock."
        digest = hmac.new(self._secret, f"v0:{timestamp}:".encode() + body, hashlib.sha256).hexdigest()
        same = hmac.compare_digest(f"v0={digest}".encode(), signature.encode("utf-8", "replace"))
        return "" if same else "Its signature is not that of SLACK_SIGNING_SECRET."

    def _refused(self, status: int, why: str) -> Answer:
        now = time.monotonic()
        if now - self._logged.get(why, -QUIET_S) >= QUIET_S:
            self._logged[why] = now
            log.warning("a request to %s was refused: %s", PATH, why)
        return Answer(status, f"Refused: {why}\n")

    def _is_new(self, signature: str, event: str, arrived: float) -> tuple[bool, str]:
        """Whether nobody has taken it; and, where that is not known in time, why not."""

        def look() -> bool:
            return self._memory.first(signature, self._clock()) and not (event and self._memory.known(event))

        new, doubt = self._in_time(look, arrived)
        return new is not False, doubt

    def _in_time(self, ask: Callable[[], bool], arrived: float) -> tuple[bool | None, str]:
        """What the memory says by `arrived` + patience; else None and what is wrong."""
        future = self._beside.submit(ask)
        try:
            return future.result(timeout=max(0.0, arrived + PATIENCE_S - time.monotonic())), ""
        except Overdue:
            return None, "the store did not answer in time."
        except PatrolError as error:
            return None, str(error)
        except Exception:
            log.exception("the memory of requests failed")
            return None, "something broke on Patrol's side."

    def _dispatched(self, request: BoltRequest) -> Answer:
        try:
            response = self._app.dispatch(request)
        except Exception:
            log.exception("a request of Slack's failed")
            return Answer(500, "Something broke on Patrol's side. It is in Patrol's log.\n")
        kind = response.first_headers_without_set_cookie().get("content-type", "text/plain")
        return Answer(response.status, response.body, kind.partition(";")[0])


def parsed(body: bytes, content_type: str) -> BoltRequest | None:
    """JSON as it is, a form's field `payload`, or a form as it is; None for what Slack never sends.

    Bolt takes a payload that somebody else has read and verified only as one of Socket Mode's. Its own
    adapter dispatches on the event loop, where one slow act holds up all others; its verifier raises on odd
    headers; its parser loses a command whose text has the word "payload" in it.
    """
    try:
        text = body.decode()
        if content_type.lower().startswith("application/json"):
            read = json.loads(text)
        else:
            form = dict(parse_qsl(text, keep_blank_values=True, max_num_fields=MOST_FIELDS))
            read = json.loads(form["payload"]) if "payload" in form else form
        return BoltRequest(body=read, mode="socket_mode") if isinstance(read, dict) and read else None
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError):
        return None


def _event(payload: Mapping[str, Any]) -> str:
    """What an event is remembered by; empty for what Slack sends only once."""
    known = payload.get("type") == "event_callback" and payload.get("event_id")
    return f"event {known}" if known else ""
