"""What a method is, and the questions that many of them ask first: scope, channel, membership."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bot.sandbox import names
from bot.sandbox.call import Call, SlackError
from bot.sandbox.members import Channel
from bot.sandbox.names import Json
from bot.sandbox.workspace import Workspace

Run = Callable[[Workspace, Call], Json]


@dataclass(frozen=True)
class Method:
    """`scope` is needed in any case; what depends on the channel is asked inside `run`.

    `posts` marks what puts a visible message into the channel named by the argument of that name.
    """

    name: str
    run: Run
    scope: str | None = None
    app_token: bool = False
    posts: str | None = None


def require(workspace: Workspace, scope: str) -> None:
    if not workspace.app.has(scope):
        provided = ",".join(sorted(workspace.app.scopes or ()))
        raise SlackError("missing_scope", needed=scope, provided=provided)


def kind_of(channel: Channel) -> str:
    """The word by which scopes name this kind of conversation."""
    if channel.is_im:
        return "im"
    return "groups" if channel.is_private else "channels"


def is_member(channel: Channel) -> bool:
    return names.BOT_USER in channel.members


def visible(channel: Channel | None) -> Channel:
    """The channel if the bot may know of it: private ones only as a member."""
    if channel is None or (channel.is_private and not is_member(channel)):
        raise SlackError("channel_not_found")
    return channel


def channel_by_id(workspace: Workspace, call: Call) -> Channel:
    """Most methods take ids only, never names."""
    wanted = call.text("channel")
    if not wanted:
        raise SlackError("channel_not_found")
    return visible(workspace.channels.get(wanted))
