"""survivors.md: the changes of the core that no test notices, each with its reason. Reads and writes it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

PAGE = Path(__file__).parent / "survivors.md"
UNKNOWN = "?"
ROW = re.compile(r"\| `(?P<where>[^`]+)` \| `(?P<shown>.+)` \| (?P<why>.+) \|")
HEAD = "| in | the change | why no test can notice it |\n|---|---|---|\n"


@dataclass(frozen=True)
class Row:
    """A change that lives, named as `mutants.py` names it, and why it may."""

    module: str
    where: str
    shown: str
    why: str


def rows(page: str) -> list[Row]:
    """Each row of a page, in its order; a heading names the module of those below."""
    found, module = [], ""
    for line in page.splitlines():
        if line.startswith("## "):
            module = line.strip("# `")
        elif match := ROW.fullmatch(line):
            found.append(Row(module, match["where"], match["shown"].replace(r"\|", "|"), match["why"]))
    return found


def read() -> dict[tuple[str, str, str], str]:
    """The reasons by module, function and change."""
    return {(row.module, row.where, row.shown): row.why for row in rows(PAGE.read_text())}


def write(lived: Sequence[Row], modules: Sequence[str]) -> None:
    """The tables of these modules anew; those of others, and what stands above, stay."""
    page = PAGE.read_text()
    others = [row for row in rows(page) if row.module not in modules]
    everything = sorted([*others, *lived], key=lambda row: row.module)
    PAGE.write_text(page.partition("\n## ")[0].rstrip() + "\n" + shown(everything))


def shown(everything: Sequence[Row]) -> str:
    """As tables, each under the name of its module."""
    return "".join(
        f"\n## `{module}`\n\n{HEAD}" + "".join(map(_line, of_it))
        for module, of_it in groupby(everything, key=lambda row: row.module)
    )


def _line(row: Row) -> str:
    return f"| `{row.where}` | `{row.shown.replace('|', chr(92) + '|')}` | {row.why} |\n"
