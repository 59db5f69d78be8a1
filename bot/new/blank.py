"""Fills the blanks of a text: `$name`, and lines that stand only where a fact holds.

What is written holds Jinja itself, so the blanks are not Jinja's: no brace has to be escaped.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from string import Template

FACT = re.compile(r"\?(!?\w+(?:\+!?\w+)*) ")


def fill(text: str, values: Mapping[str, str]) -> str:
    """The text with `$name` filled in. A value of several lines keeps its first line's indentation.

    A line that begins with `?time+!match ` stands, without that, where `time` is not empty and `match` is.
    """
    lines: list[str] = []
    for line in text.splitlines():
        asked = FACT.match(line)
        if asked is None or all(_holds(fact, values) for fact in asked[1].split("+")):
            lines.append(_filled(line[asked.end() :] if asked else line, values))
    return "\n".join(lines) + "\n"


def _holds(fact: str, values: Mapping[str, str]) -> bool:
    return bool(values[fact.lstrip("!")]) != fact.startswith("!")


def _filled(line: str, values: Mapping[str, str]) -> str:
    indent = line[: len(line) - len(line.lstrip())]
    return Template(line).substitute(values).rstrip().replace("\n", f"\n{indent}")
