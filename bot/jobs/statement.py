"""The shape of an SQL job's statement: its binds, and whether it is one. The database judges the rest."""

from __future__ import annotations

import re

QUOTED = re.compile(
    r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|--[^\n]*|/\*.*?\*/|\$(?P<tag>\w*)\$.*?\$(?P=tag)\$", re.DOTALL
)
BIND = re.compile(r"(?<![:\w\\]):([A-Za-z_]\w*)")


def bare(sql: str) -> str:
    """The statement without its strings, quoted names and comments."""
    return QUOTED.sub(" ", sql)


def binds(sql: str) -> set[str]:
    """The `:names` that values are bound to."""
    return set(BIND.findall(bare(sql)))


def quoted_binds(sql: str) -> set[str]:
    """`:names` inside of quotes, where nothing is bound."""
    return {name for m in QUOTED.finditer(sql) if m[0][0] in "'\"" for name in BIND.findall(m[0])}


def several(sql: str) -> bool:
    """Whether something follows the first semicolon."""
    return ";" in bare(sql).strip().rstrip("; \n\t")


def sealed(sql: str) -> str:
    """The statement with the colons of '12:30' and ::text escaped, since SQLAlchemy takes them for binds."""
    return re.sub(f"{QUOTED.pattern}|::", lambda m: m[0].replace(":", "\\:"), sql, flags=re.DOTALL)
