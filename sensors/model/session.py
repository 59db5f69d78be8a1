"""As whom, with which compute and where a query is asked: what a warehouse's session is opened with."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_$]{0,254}")  # what Snowflake calls an unquoted identifier
SHAPE = "must be a plain name: letters, digits, _ and $, the first one no digit"


@dataclass(frozen=True, slots=True, order=True)
class Session:
    """Empty parts are as the warehouse's address says. Names are plain: letters, digits, `_` and `$`."""

    role: str = ""
    warehouse: str = ""  # Snowflake's word for what computes
    schema: str = ""  # where a name without one is looked for

    def over(self, other: Session) -> Session:
        """This one, with what it does not say taken from the other."""
        return Session(*(getattr(self, f.name) or getattr(other, f.name) for f in fields(self)))

    @property
    def said(self) -> Mapping[str, str]:
        """The parts that it says, by their names."""
        return {f.name: value for f in fields(self) if (value := getattr(self, f.name))}

    @property
    def words(self) -> str:
        """For people: `role patrol_pii, warehouse patrol_l`; empty where it says nothing."""
        return ", ".join(f"{name} {value}" for name, value in self.said.items())


USUAL = Session()
