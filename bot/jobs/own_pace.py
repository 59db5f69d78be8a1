"""What a schedule's own pace was, kept in its description over there for as long as it has another one.

People write into descriptions: their words around it stay. How a pace is spelled, each kind says.
"""

from __future__ import annotations

import re


def keep(words: str, own: str) -> str:
    """A description of these words that keeps this pace."""
    return f"{words} [its own pace: {own}]" if words else f"[its own pace: {own}]"


def find(description: str, spelled: str) -> tuple[str, str]:
    """The words of a description without what is kept in it, and the pace that is, empty where none is.
    `spelled` is a pattern of a pace, without groups that capture."""
    mark = re.compile(rf" ?\[its own pace: ({spelled})\]")
    found = mark.search(description)
    return mark.sub("", description), found[1] if found else ""
