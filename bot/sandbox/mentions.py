"""Who a message would ping: reads the mentions that Slack would honour, in text and in blocks."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from bot.sandbox.names import Json

USER = re.compile(r"<@([UW][A-Z0-9]+)(?:\|[^>]*)?>")
GROUP = re.compile(r"<!subteam\^(S[A-Z0-9]+)(?:\|[^>]*)?>")
EVERYONE = re.compile(r"<!(?:channel|here|everyone)(?:\|[^>]*)?>")
KINDS = ("user", "usergroup")
NAME = re.compile(r"(?<![\w@<])@([A-Za-z0-9._-]+)")
CHANNEL_NAME = re.compile(r"(?<![\w#<&])#([a-z0-9_-]+)")
TOKEN = re.compile(r"(<[@#!][^>\s]+>)")


def mentioned(text: str, blocks: Any) -> tuple[set[str], bool]:
    """Ids of the users and groups named, and whether the whole channel is called."""
    texts = [text, *_mrkdwn(blocks)]
    users = {found for part in texts for regex in (USER, GROUP) for found in regex.findall(part)}
    elements = list(_rich(blocks))
    users |= {str(e.get("user_id", e.get("usergroup_id"))) for e in elements if e["type"] in KINDS}
    everyone = any(EVERYONE.search(part) for part in texts)
    return users, everyone or any(element.get("type") == "broadcast" for element in elements)


def _walk(value: Any) -> Iterator[Json]:
    if isinstance(value, dict):
        yield value
        value = value.values()
    elif not isinstance(value, list):
        return
    for part in value:
        yield from _walk(part)


def _mrkdwn(blocks: Any) -> Iterator[str]:
    """Only mrkdwn is parsed for mentions; plain_text and raw_text never are."""
    for part in _walk(blocks):
        if part.get("type") in ("mrkdwn", "markdown") and isinstance(part.get("text"), str):
            yield part["text"]


def _rich(blocks: Any) -> Iterator[Json]:
    for part in _walk(blocks):
        if part.get("type") in (*KINDS, "broadcast"):
            yield part


def typed(
    text: str, users: Iterable[tuple[str, str]], channels: Iterable[tuple[str, str]], labels: bool = False
) -> str:
    """What a person typed as Slack stores it: escaped, @name and #name turned into ids (pairs of name, id).

    With `labels` as a command's text has it: <@U0BO|bo>.
    """
    by_name = dict(users)
    by_channel = dict(channels)

    def person(match: re.Match[str]) -> str:
        found = by_name.get(match[1].lower())
        if found is None:
            return match[0]
        return f"<@{found}|{match[1].lower()}>" if labels else f"<@{found}>"

    def channel(match: re.Match[str]) -> str:
        found = by_channel.get(match[1])
        return f"<#{found}|{match[1]}>" if found else match[0]

    def plain(part: str) -> str:
        escaped = part.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        return CHANNEL_NAME.sub(channel, NAME.sub(person, escaped))

    return "".join(part if TOKEN.fullmatch(part) else plain(part) for part in TOKEN.split(text))


def rich_text(text: str) -> list[Json]:
    """The rich_text block that Slack's composer makes of a typed line."""
    elements: list[Json] = []
    for part in TOKEN.split(text):
        match = USER.fullmatch(part)
        if match:
            elements.append({"type": "user", "user_id": match[1]})
        elif part:
            elements.append({"type": "text", "text": part})
    section = {"type": "rich_text_section", "elements": elements}
    return [{"type": "rich_text", "block_id": "typed", "elements": [section]}]
