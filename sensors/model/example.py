"""A short text that fits a pattern, for people to whom the pattern says nothing; none of odd patterns."""

from __future__ import annotations

import re
from collections import deque
from itertools import cycle, islice

DIGITS, LETTERS = "1234567890", "abcdefghijklmnopqrstuvwxyz"
PARTS = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\((?:\?:)?|\{\d+(?:,\d*)?\}\??|[*+?]\??|.", re.DOTALL)
ALPHABETS = {"\\d": DIGITS, "0-9": DIGITS, "\\w": LETTERS, "a-z": LETTERS, "A-Z": LETTERS.upper()}
LONGEST = 60


def example_of(pattern: str) -> str:
    """`s_1` of `s_\\d+`; empty where none is found."""
    said = _alternative(deque(PARTS.findall(pattern)))
    return said if len(said) <= LONGEST and re.fullmatch(pattern, said) else ""


def _alternative(parts: deque[str]) -> str:
    """The first of them, up to the bracket that closes it."""
    first, said = None, ""
    while parts and parts[0] != ")":
        part = parts.popleft()
        if part == "|":
            first, said = said if first is None else first, ""
        elif part.startswith("("):
            inner = _alternative(parts)
            if parts:
                parts.popleft()
            said += inner * min(_times(parts), LONGEST)
        elif part not in "^$":
            said += "".join(islice(cycle(_alphabet(part)), min(_times(parts), LONGEST)))
    return said if first is None else first


def _times(parts: deque[str]) -> int:
    """How often the last part must come, by what follows it."""
    if not parts or not re.fullmatch(r"[*+?]\??|\{\d+.*", parts[0]):
        return 1
    said = parts.popleft()
    return int(re.sub(r"\D.*", "", said[1:])) if said.startswith("{") else int(said.startswith("+"))


def _alphabet(part: str) -> str:
    """The characters that may stand there, at least one."""
    if part.startswith("[^"):
        return LETTERS
    inner = part[1:-1] if part.startswith("[") else part
    for begins, letters in ALPHABETS.items():
        if inner.startswith(begins):
            return letters
    return LETTERS[0] if part == "." else inner.lstrip("\\")[:1] or "\\"
