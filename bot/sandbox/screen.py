"""GET /sandbox/state: everything that is there, or what one person sees of it."""

from __future__ import annotations

from bot.sandbox import names
from bot.sandbox.members import Channel, User
from bot.sandbox.names import Json
from bot.sandbox.workspace import Workspace


def screen(workspace: Workspace, connected: int, faults: Json, user: User | None, limit: int | None) -> Json:
    """`limit` keeps only the last messages of each channel; None keeps all."""
    mine = None if user is None else user.id
    modals = workspace.modals
    return {
        "rev": workspace.rev,
        "now": workspace.clock(),
        "connected": connected,
        "team": {"id": names.TEAM_ID, "name": names.TEAM_NAME, "domain": names.TEAM_DOMAIN},
        "users": [_user(known) for known in workspace.users.values()],
        "channels": [_channel(c, limit) for c in workspace.channels.values() if _sees(mine, c)],
        "views": [v for u, stack in modals.stacks.items() for v in stack if mine in (None, u)],
        "homes": {u: view for u, view in modals.homes.items() if mine in (None, u)},
        "ephemerals": _of(workspace.ephemerals, mine),
        "notifications": _of(workspace.notifications, mine),
        "commands": list(workspace.app.commands),
        "shortcuts": list(workspace.app.shortcuts),
        "faults": faults,
    }


def _of(entries: list[Json], mine: str | None) -> list[Json]:
    return [entry for entry in entries if mine in (None, entry["user"])]


def _sees(mine: str | None, channel: Channel) -> bool:
    return mine is None or mine in channel.members or not (channel.is_private or channel.is_im)


def _user(user: User) -> Json:
    flags = {"deleted": user.deleted, "is_restricted": user.is_restricted}
    known = {"id": user.id, "name": user.name, "real_name": user.real_name, "is_bot": user.is_bot}
    return {**known, "color": user.color, **flags}


def _channel(channel: Channel, limit: int | None) -> Json:
    messages = list(channel.messages.values())
    return {**channel.kept(), "messages": messages[-limit:] if limit else messages}
