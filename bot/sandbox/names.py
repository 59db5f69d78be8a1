"""The fixed names of the sandbox's one workspace, and the rule that makes an id of a name."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]

TEAM_ID = "T0PATROL"
TEAM_NAME = "Patrol Sandbox"
TEAM_DOMAIN = "patrol-sandbox"
APP_ID = "A0PATROL"
BOT_ID = "B0PATROL"
BOT_USER = "U0PATROL"
BOT_NAME = "patrol"
SLACKBOT = "USLACKBOT"

BOT_TOKEN = "xoxb-sandbox"
APP_TOKEN = "xapp-sandbox"
SIGNING_SECRET = "sandbox-signing-secret"
VERIFICATION_TOKEN = "sandbox-verification-token"
DEFAULT_PORT = 8765


def _letters(name: str) -> str:
    return "".join(c for c in name if c.isalnum()).upper()


def user_id(name: str) -> str:
    return "U0" + _letters(name)


def channel_id(name: str) -> str:
    return "C0" + _letters(name)


def group_id(handle: str) -> str:
    return "S0" + _letters(handle)


def dm_id(user: str) -> str:
    """The direct message between the bot and a person, from the person's id."""
    return "D0" + user.removeprefix("U0")
