"""Signed requests of others: they say that something was updated, or start a job. Knows no server.

A request is signed as Slack signs its own: HMAC-SHA256 of `v0:<timestamp>:<body>`. What it does is bound to
its delivery, which stands in the signed body, so that whoever sends it again does nothing again.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from bot.core.approval import Approval
from bot.core.upstream import DELIVERY, State, made
from bot.process.errors import PatrolError, SettingsError
from bot.process.log import get
from bot.process.settings_hooks import Hook
from bot.starting import Starting
from sensors.graph import graph
from sensors.model.clock import parse_time
from sensors.model.graph import JOB, as_ref, kind_of, name_of
from sensors.model.job import Job

LIFE_S = 300  # of a signature
MOST_BYTES = 64_000
SHORTEST = 16  # characters of a secret
TIMESTAMP, SIGNATURE = "x-patrol-timestamp", "x-patrol-signature"
log = get("hooks")


@dataclass(frozen=True)
class Answer:
    status: int
    said: str
    content_type: str = "application/json"

    @property
    def body(self) -> str:
        return json.dumps({"ok": self.status < 300, "said": self.said}, ensure_ascii=False) + "\n"


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """What the header X-Patrol-Signature must hold."""
    return "v0=" + hmac.new(secret.encode(), f"v0:{timestamp}:".encode() + body, hashlib.sha256).hexdigest()


class HookDoor:
    """Takes the requests of one hook; called by many threads at once."""

    def __init__(self, hook: Hook, starting: Starting, environ: Mapping[str, str]) -> None:
        """SettingsError where its secret is not to be had."""
        self.hook = hook
        self.starting = starting
        self.engine = starting.engine
        self.store = starting.store
        self._secret = environ.get(hook.secret, "").strip()
        if len(self._secret) < SHORTEST:
            what = "is not set" if not self._secret else f"is shorter than {SHORTEST} characters"
            raise SettingsError(f"hooks.{hook.name}: the environment variable {hook.secret} {what}.")

    def take(self, headers: Mapping[str, str], body: bytes, arrived: float) -> Answer:  # noqa: ARG002
        """The answer to one POST. Names of headers are lower case."""
        now = self.engine.clock()
        if len(body) > MOST_BYTES:
            return Answer(413, f"The body is longer than {MOST_BYTES:,} bytes.")
        if why := self._unproven(headers.get(TIMESTAMP, ""), headers.get(SIGNATURE, ""), body, now):
            log.warning("a hook was refused", hook=self.hook.name, why=why)
            return Answer(401, why)
        try:
            answer = self._taken(body, headers[SIGNATURE], now)
        except PatrolError as error:
            return Answer(503, f"Not recorded: {error} Send it again.")
        log.info("hook", hook=self.hook.name, status=answer.status, said=answer.said)
        return answer

    def _unproven(self, timestamp: str, given: str, body: bytes, now: datetime) -> str:
        """Why it may come from anybody; empty where it does not."""
        if not given or not re.fullmatch(r"[0-9]{1,12}", timestamp):
            return "It is not signed: X-Patrol-Timestamp and X-Patrol-Signature are needed."
        if abs(now.timestamp() - int(timestamp)) > LIFE_S:
            return "Its time is more than five minutes from this machine's clock."
        right = signature(self._secret, timestamp, body)
        same = hmac.compare_digest(right.encode(), given.encode("utf-8", "replace"))
        return "" if same else "Its signature is not that of this hook's secret."

    def _taken(self, body: bytes, signed: str, now: datetime) -> Answer:
        said = parsed(body)
        if said is None:
            return Answer(422, "The body must be a JSON object, or empty.")
        delivery = said.get("delivery", signed)
        if (
            not isinstance(delivery, str | int)
            or isinstance(delivery, bool)
            or not 0 < len(str(delivery)) <= 200
        ):
            return Answer(422, "delivery must be a text of at most 200 characters.")
        if self.hook.updates:
            return self._updated(said, str(delivery), now)
        return self._started(said, str(delivery))

    # ---------------------------------------------------------------------- what it does

    def _updated(self, said: Mapping[str, Any], delivery: str, now: datetime) -> Answer:
        ref = as_ref(self.hook.updates)
        if ref not in graph(self.engine.catalog).nodes:
            return Answer(422, f"There is no {ref} in the files any more.")
        asset = self.engine.catalog.assets.get(ref)
        if asset and asset.ages:  # a second state for a load would run what follows twice
            why = f"Nothing is recorded: {ref} tells by itself when it is loaded, and Patrol asks."
            return Answer(202, why)
        given = said.get("at")
        at = parse_time(given) if isinstance(given, str) else now
        if at is None or not isinstance(given, str | None) or at > now + timedelta(seconds=LIFE_S):
            return Answer(422, "at must be a time that has passed, such as 2026-01-05T09:00:00Z.")
        known = self.store.states.newest([ref]).get(ref)
        at = min(max(at, known.at), now) if known else min(at, now)  # what comes late makes nothing older
        mark, assets = f"{DELIVERY}{delivery}", self.engine.catalog.assets
        also = made(name_of(ref), mark, (), assets, at) if kind_of(ref) == JOB else ()
        if not self.store.states.record_all([State(ref, mark, at), *also], now):
            return Answer(202, f"It was known already that {ref} was updated by this delivery.")
        return Answer(202, f"{ref} was updated.")

    def _started(self, said: Mapping[str, Any], delivery: str) -> Answer:
        job = self.engine.catalog.jobs.get(self.hook.starts)
        if job is None:
            return Answer(422, f"There is no job {self.hook.starts} in the files any more.")
        given = said.get("params", {})
        if not isinstance(given, dict):
            return Answer(422, 'params must be an object such as {"seller_id": "s_1"}.')
        params, problems = job.fill(_plain(given), {})
        if problems:
            return Answer(422, f"{job.title} was not started: {'; '.join(problems)}.")
        return self._asked(job, params, f"hook-{self.hook.name}-{delivery}")

    def _asked(self, job: Job, params: Mapping[str, Any], key: str) -> Answer:
        known = self.store.jobs.of_key(key)
        found = self.starting.ask(job, f"hook {self.hook.name}", params, None, key)
        if isinstance(found, Approval):
            return Answer(202, f"{job.title} waits for a second person as {found.name}.")
        if known:
            return Answer(202, f"{job.title} was started by this delivery already, as {found.name}.")
        return Answer(202, f"{job.title} is starting as {found.name}.")


def _plain(given: Mapping[str, Any]) -> dict[str, Any]:
    """Values as they would be typed: null is none, true and false are words."""
    said = {str(name): value for name, value in given.items() if value is not None}
    return {name: str(v).lower() if isinstance(v, bool) else v for name, v in said.items()}


def parsed(body: bytes) -> dict[str, Any] | None:
    """The JSON object that a body holds, nothing if it is empty; None where it holds something else."""
    try:
        said = json.loads(body) if body.strip() else {}
    except (ValueError, RecursionError):
        return None
    return said if isinstance(said, dict) else None


def nobody(_headers: Mapping[str, str], _body: bytes, _arrived: float) -> Answer:
    """The answer to a hook that nobody has declared."""
    return Answer(404, "There is no such hook in patrol.yml.")
