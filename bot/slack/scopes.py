"""What the app asks of a workspace: the one list that the client, the listeners and manifest.yaml share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Method:
    """A Web API method that we call: the scopes it needs, and whether it reads a JSON body (else a form)."""

    scopes: tuple[str, ...] = ()
    json: bool = True


READS = ("channels:history", "groups:history", "im:history")
METHODS: Mapping[str, Method] = {
    "auth.test": Method(json=False),
    "chat.postMessage": Method(("chat:write",)),
    "chat.update": Method(("chat:write",)),
    "chat.delete": Method(("chat:write",)),
    "chat.postEphemeral": Method(("chat:write",)),
    "conversations.info": Method(("channels:read", "groups:read"), json=False),
    "conversations.history": Method(READS, json=False),
    "conversations.replies": Method(READS, json=False),
    "conversations.open": Method(("im:write",)),
    "dnd.info": Method(("dnd:read",), json=False),
    "files.getUploadURLExternal": Method(("files:write",), json=False),
    "files.completeUploadExternal": Method(("files:write",)),
    "files.delete": Method(("files:write",)),
    "files.info": Method(("files:read",), json=False),
    "usergroups.users.list": Method(("usergroups:read",), json=False),
    "users.info": Method(("users:read",), json=False),
    "views.open": Method(),
    "views.push": Method(),
    "views.update": Method(),
    "views.publish": Method(),
}

COMMANDS: tuple[Mapping[str, Any], ...] = (
    {
        "command": "/patrol",
        "description": "Alerts and policies: look, acknowledge, snooze, resolve, rerun",
        "usage_hint": "status | list mine | show 142 | ack 142 | help",
        "should_escape": True,
    },
)
SHORTCUTS: tuple[Mapping[str, Any], ...] = (
    {
        "name": "Add to an alert's notes",
        "type": "message",
        "callback_id": "add_note",
        "description": "Keeps this message in the history of an alert",
    },
)
EVENTS: Mapping[str, tuple[str, ...]] = {
    "app_home_opened": (),
    "app_mention": ("app_mentions:read",),
    "message.im": ("im:history",),
}

SCOPES: frozenset[str] = frozenset(
    {scope for method in METHODS.values() for scope in method.scopes}
    | {scope for scopes in EVENTS.values() for scope in scopes}
    | ({"commands"} if COMMANDS or SHORTCUTS else set())
)
