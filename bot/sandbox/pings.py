"""Whose phone a message would make ring, and why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from bot.sandbox import names
from bot.sandbox.members import Channel, User
from bot.sandbox.mentions import mentioned
from bot.sandbox.names import Json


def pinged(
    message: Json, channel: Channel, users: Mapping[str, User], groups: Mapping[str, list[str]]
) -> dict[str, str]:
    """User → why (mention, dm, thread_broadcast), for members but neither the author nor the bot."""
    named, everyone = mentioned(message["text"], message.get("blocks"))
    called = named.union(*(groups.get(one, []) for one in named))
    why: dict[str, str] = {}
    if message.get("subtype") == "thread_broadcast":
        why |= dict.fromkeys(_followers(channel, message["thread_ts"]), "thread_broadcast")
    if channel.is_im:
        why |= dict.fromkeys(channel.members, "dm")
    why |= dict.fromkeys(channel.members if everyone else called, "mention")
    hear = set(channel.members) & set(users) - {message["user"], names.BOT_USER}
    return {user: why[user] for user in sorted(why) if user in hear}


def _followers(channel: Channel, thread_ts: str) -> Iterator[str]:
    """People who wrote in a thread or were named in it."""
    parent = channel.messages.get(thread_ts)
    for message in ([parent] if parent else []) + channel.replies(thread_ts):
        yield message["user"]
        yield from mentioned(message["text"], message.get("blocks"))[0]
