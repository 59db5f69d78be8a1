"""What a new workspace starts with, and what the app's manifest says it may do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from bot.sandbox.names import Json

PEOPLE = ("ana", "bo", "cy")
TEAMS = ("payments", "chat", "listings", "accounts", "shipping", "promotions", "care", "platform")
CHANNELS = ("general", *TEAMS, *(f"{team}-review" for team in TEAMS), "patrol-ops")
EVENTS = frozenset({"app_mention", "app_home_opened", "message.im"})
COMMAND: Json = {"command": "/patrol", "description": "Alerts and policies", "usage_hint": "help"}


@dataclass(frozen=True)
class Seed:
    """Names of the people and channels that exist at the first start; the bot is a member of all channels."""

    users: Sequence[str] = PEOPLE
    channels: Sequence[str] = CHANNELS


@dataclass(frozen=True)
class AppProfile:
    """What the app was installed with. `scopes` None: no manifest was given and every scope is granted.

    `escaping` names the commands in whose text people and channels are turned into ids.
    """

    scopes: frozenset[str] | None = None
    commands: tuple[Json, ...] = (COMMAND,)
    shortcuts: tuple[Json, ...] = ()
    events: frozenset[str] = EVENTS
    escaping: frozenset[str] = frozenset()
    home_tab: bool = True
    messages_tab: bool = True

    def has(self, scope: str) -> bool:
        return self.scopes is None or scope in self.scopes


def profile_of(manifest: Mapping[str, Any] | str | Path | None) -> AppProfile:
    """Reads a manifest: a mapping, a YAML file's path, or None for an app that may do everything."""
    if manifest is None:
        return AppProfile()
    read: Mapping[str, Any] = manifest if isinstance(manifest, Mapping) else _file(manifest)
    features = read.get("features") or {}
    settings = read.get("settings") or {}
    scopes = ((read.get("oauth_config") or {}).get("scopes") or {}).get("bot") or []
    events = (settings.get("event_subscriptions") or {}).get("bot_events") or []
    commands = features.get("slash_commands") or []
    tabs = features.get("app_home") or {}
    return AppProfile(
        scopes=frozenset(scopes),
        commands=tuple(_command(entry) for entry in commands),
        shortcuts=tuple(dict(entry) for entry in features.get("shortcuts") or []),
        events=frozenset(events),
        escaping=frozenset(entry["command"] for entry in commands if entry.get("should_escape")),
        home_tab=bool(tabs.get("home_tab_enabled", True)),
        messages_tab=bool(tabs.get("messages_tab_enabled", True)),
    )


def _file(path: str | Path) -> Mapping[str, Any]:
    read: Mapping[str, Any] = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    return read


def _command(entry: Mapping[str, Any]) -> Json:
    return {
        "command": entry["command"],
        "description": entry.get("description", ""),
        "usage_hint": entry.get("usage_hint", ""),
    }
