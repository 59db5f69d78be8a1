"""Modals, Home tabs and the trigger ids that open them: stacks per person, hashes, three-second triggers."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bot.sandbox import names
from bot.sandbox.call import SlackError
from bot.sandbox.names import Json

TRIGGER_SECONDS = 3.0
STACK_LIMIT = 3


@dataclass
class Trigger:
    """`view_id` is the modal it was clicked in, if any: only then may a view be pushed."""

    user: str
    at: float
    view_id: str | None = None
    used: bool = False


class Modals:
    """`stacks` holds each person's open modals, the last on top; `homes` each person's Home tab."""

    def __init__(
        self, clock: Callable[[], float], changed: Callable[[], None], keep: Callable[[str, str, Any], None]
    ) -> None:
        self._clock = clock
        self._changed = changed
        self._keep = keep
        self._triggers: dict[str, Trigger] = {}
        self.stacks: dict[str, list[Json]] = {}
        self.homes: dict[str, Json] = {}

    # -- triggers ------------------------------------------------------------------------------------------

    def issue_trigger(self, user: str, view_id: str | None = None) -> str:
        at = self._clock()
        key = f"{int(at * 1000)}.{secrets.randbelow(10**10)}.{secrets.token_hex(16)}"
        self._triggers[key] = Trigger(user, at, view_id)
        for old in [k for k, v in self._triggers.items() if at - v.at > 60]:
            del self._triggers[old]
        return key

    def use_trigger(self, key: str) -> Trigger:
        trigger = self._triggers.get(key)
        if trigger is None:
            raise SlackError("invalid_trigger_id")
        if trigger.used:
            raise SlackError("exchanged_trigger_id")
        if self._clock() - trigger.at > TRIGGER_SECONDS:
            raise SlackError("expired_trigger_id")
        trigger.used = True
        return trigger

    # -- modals --------------------------------------------------------------------------------------------

    def open(self, trigger: Trigger, content: Json) -> Json:
        """A new stack: whatever this person had open is replaced."""
        view = self._new(trigger.user, content, [])
        self.stacks[trigger.user] = [view]
        self._changed()
        return view

    def push(self, trigger: Trigger, content: Json) -> Json:
        stack = self.stacks.get(trigger.user, [])
        if trigger.view_id is None or not stack:
            raise SlackError("invalid_trigger_id")
        return self.push_on(trigger.user, content)

    def push_on(self, user: str, content: Json) -> Json:
        stack = self.stacks.setdefault(user, [])
        if len(stack) >= STACK_LIMIT:
            raise SlackError("push_limit_reached")
        view = self._new(user, content, stack)
        stack.append(view)
        self._changed()
        return view

    def update(self, view: Json, content: Json) -> Json:
        kept = {key: view[key] for key in ("id", "user", "root_view_id", "previous_view_id")}
        view.clear()
        view.update({**_filled(content), **kept, "hash": self._hash()})
        self._changed()
        return view

    def find(self, view_id: str) -> Json | None:
        return next((v for stack in self.stacks.values() for v in stack if v["id"] == view_id), None)

    def find_external(self, external_id: str) -> Json | None:
        open_views = (v for stack in self.stacks.values() for v in stack)
        return next((v for v in open_views if v.get("external_id") == external_id), None)

    def close(self, view: Json, whole_stack: bool = False) -> list[Json]:
        """Closes this view and those above it, or the whole stack; returns what was closed, the top first."""
        stack = self.stacks.get(view["user"], [])
        at = 0 if whole_stack else stack.index(view)
        closed = stack[at:][::-1]
        del stack[at:]
        self._changed()
        return closed

    # -- Home ----------------------------------------------------------------------------------------------

    def publish(self, user: str, content: Json) -> Json:
        known = self.homes.get(user)
        view_id = known["id"] if known else "V" + secrets.token_hex(5).upper()
        places = {"id": view_id, "user": user, "root_view_id": view_id, "previous_view_id": None}
        view = {**_filled(content), **places, "hash": self._hash()}
        self.homes[user] = view
        self._keep("home", user, view)
        return view

    # -- inside --------------------------------------------------------------------------------------------

    def _new(self, user: str, content: Json, stack: list[Json]) -> Json:
        view_id = "V" + secrets.token_hex(5).upper()
        root = stack[0]["id"] if stack else view_id
        previous = stack[-1]["id"] if stack else None
        places = {"id": view_id, "user": user, "root_view_id": root, "previous_view_id": previous}
        return {**_filled(content), **places, "hash": self._hash()}

    def _hash(self) -> str:
        at = self._clock()
        return f"{int(at)}.{hashlib.sha256(secrets.token_bytes(8)).hexdigest()[:8]}"


def _filled(content: Json) -> Json:
    """A view's content with the keys that Slack always answers."""
    return {
        "team_id": names.TEAM_ID,
        "type": content["type"],
        "blocks": content["blocks"],
        "private_metadata": content.get("private_metadata") or "",
        "callback_id": content.get("callback_id") or "",
        "external_id": content.get("external_id") or "",
        "state": {"values": {}},
        "title": content.get("title"),
        "close": content.get("close"),
        "submit": content.get("submit"),
        "clear_on_close": bool(content.get("clear_on_close")),
        "notify_on_close": bool(content.get("notify_on_close")),
        "submit_disabled": bool(content.get("submit_disabled")),
        "app_id": names.APP_ID,
        "app_installed_team_id": names.TEAM_ID,
        "bot_id": names.BOT_ID,
    }


def public(view: Json) -> Json:
    """A view as Slack shows it to the app: without the sandbox's own keys."""
    return {key: value for key, value in view.items() if key not in ("user", "errors")}
