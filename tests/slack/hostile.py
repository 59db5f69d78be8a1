"""Text that rows of a marketplace really hold, or that somebody would put there to be seen at 3 a.m."""

from __future__ import annotations

import re
from typing import Any

HOSTILE = [
    "<!here> <!channel> <!everyone>",
    "<@U0ANA> <@U0ANA|boss> <#C0PAYMENTS> <!subteam^S1|@all>",
    "&lt;!here&gt; &amp;lt;!here&amp;gt;",
    "@here @channel @everyone @ana #payments",
    "<https://evil.example/login|Open seller>",
    "https://evil.example/x?a=1&b=2 HTTP://EVIL.EXAMPLE www.evil.example evil.example mailto:a@evil.example",
    "*HIGH* _resolved_ ~struck~ `code` ```pre\nblock```",
    "**x** *_~`all`~_* *a* b*c*d _a_b_",
    "> quoted\n>>> all of it",
    "\n\n# HIGH · all clear · ALR-1\n* a list\n1. one",
    ":rotating_light: :+1: :white_check_mark::tada:",
    "abc\u202eDESREVER\u202c \u2066iso\u2069 \u200bzero\u200dwidth\ufeff\u2060 \u00adsoft",
    "\x00\x01\x1b[31mred\x7f\x85\u2028\u2029\r\n\t",
    "Z\u0351\u036b\u0343\u036a\u0302\u036b\u033d\u034f\u0334\u0319\u0324\u031ealgo",
    "\u3164\u2800\u115f\u1160\uffa0",
    "\ud800 lone \udfff",
    "💳" * 200,
    "x" * 20_000,
    "<" * 3_000,
    "&" * 3_000,
    "⟦U0ANA⟧ ⟦t:1790000000⟧ ⟦t:999999999999⟧ ⟦",
    "<!date^1790000000^{date}|now> <!date^0^{ago}^https://evil.example|x>",
    "'; DROP TABLE alerts; -- {{ 7*7 }} {% raw %} %s %(x)s {0}",
    "",
    " ",
    "\u0000",
    "‮gpj.exe",
    "مرحبا שלום 你好 🏴󠁧󠁢󠁥󠁮󠁧󠁿",
]

# What a text may contain after all: our own tokens, which rows cannot bring forth.
OURS = re.compile(
    r"<@[UW][A-Z0-9]{1,20}>"
    r"|<!date\^\d{1,12}\^(?:\{time\}|\{ago\}|\{date_short_pretty\} at \{time\})\|[-\d]{4,12} \d\d:\d\d UTC>"
    r"|<https://(?:admin|wiki|slack)\.example\.com/[^\s<>|]*\|[^<>|]*>"
)


def mrkdwn_of(value: Any) -> list[str]:
    """Every text that Slack would parse as mrkdwn."""
    if isinstance(value, list):
        return [text for part in value for text in mrkdwn_of(part)]
    if not isinstance(value, dict):
        return []
    own = [value["text"]] if value.get("type") == "mrkdwn" else []
    return own + [text for part in value.values() for text in mrkdwn_of(part)]


def plain_of(value: Any) -> list[str]:
    """Every text that Slack shows as it is."""
    if isinstance(value, list):
        return [text for part in value for text in plain_of(part)]
    if not isinstance(value, dict):
        return []
    kinds = ("plain_text", "raw_text")
    own = [value["text"]] if value.get("type") in kinds else []
    return own + [text for part in value.values() for text in plain_of(part)]


INVISIBLE = re.compile(
    "[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]"
)
BARE_LINK = re.compile(r"\w+://|\bwww\.\w|mailto:|\w\.(?:com|example|net)\b", re.IGNORECASE)
PING = re.compile(r"(?<![\w.])@\w|(?<![\w&])#[a-z]")


# A link that somebody wrote shows where it leads.
HONEST = re.compile(r"<https?://[!-;=?-{}~]+>", re.IGNORECASE)


def dangers(text: str, ours: bool = True, honest: bool = False) -> list[str]:
    """What in a safe mrkdwn text could still ping, link, format, or hide; none may be left."""
    rest = OURS.sub("", text) if ours else text
    rest = HONEST.sub("", rest) if honest else rest
    found = [f"raw {c}" for c in "<>" if c in rest]
    rest = re.sub(r"`[^`\n]*`", " ", rest)  # code is not read further; row text brings no backtick of its own
    found += ["invisible"] if INVISIBLE.search(rest) else []
    found += ["a bare link"] if BARE_LINK.search(rest) else []
    found += ["a ping"] if PING.search(rest) else []
    found += ["an entity that is no escape"] if re.search(r"&(?!amp;|lt;|gt;)", rest) else []
    found += ["a quote"] if re.match(r"\s*&gt;", rest) else []
    found += ["an emoji"] if re.search(r":[\w+'-]*[a-z][\w+'-]*:", rest, re.IGNORECASE) else []
    return found


def formats(text: str) -> bool:
    """Whether mrkdwn marks stand where Slack would read them."""
    return bool(re.search(r"[*~`]|(?<![^\W_])_|_(?![^\W_])", text))
