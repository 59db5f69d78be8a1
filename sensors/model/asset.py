"""Tables and other assets that policies read, and the entities that alerts are about."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import quote

from sensors.model.policy import NOTHING, WhenLate
from sensors.model.session import USUAL, Session

AGED_BY = "loaded_until"
LAST_ALTERED = "last_altered"  # by the warehouse's own account, however it was changed


@dataclass(frozen=True)
class Asset:
    """A table, model, sheet, topic or dashboard that somebody owns and that has an age."""

    name: str  # its reference, lower case: "core.orders", "model:reco"
    kind: str = "table"
    tier: str = "core"  # raw | core | vetted | scratch
    owner: str | None = None
    columns: Mapping[str, str] = NOTHING  # lower-case name -> SQL type
    loaded_until: str | None = None  # the column whose maximum says until when the table is loaded
    load_interval: timedelta | None = None
    warn_after: timedelta | None = None
    late_after: timedelta | None = None
    aged_by: str = AGED_BY  # or LAST_ALTERED: what says how old it is
    description: str = ""
    after: tuple[str, ...] = ()  # references to what makes it
    session: Session = USUAL  # in which the warehouse is asked about it: that of the bundle that brings it

    @property
    def ages(self) -> bool:
        """Whether anything says how old it is; its last change says nothing of its rows' times."""
        return self.aged_by == LAST_ALTERED or self.loaded_until is not None

    @property
    def is_dated(self) -> bool:
        """Whether its age is known: by itself, or as the time of the last end of what makes it."""
        return self.ages or bool(self.after)

    def aged(self, until: datetime) -> str:
        """How old it is, in words."""
        at = "" if self.age_of == "loaded until" else " at"
        return f"{self.age_of}{at} {until:%Y-%m-%d %H:%M} UTC"

    @property
    def age_of(self) -> str:
        """What is known of its time: that it is loaded until then, was changed, or was made anew."""
        if self.aged_by == LAST_ALTERED:
            return "last changed"
        return "loaded until" if self.loaded_until else "last updated"

    def is_late(self, until: datetime, now: datetime) -> bool:
        """Whether data until then are older than it may be: policies that need it wait, as they say."""
        return self.late_after is not None and now - until > self.late_after

    def is_old(self, until: datetime, now: datetime) -> bool:
        """Whether its owner is to be warned; not yet that it is late."""
        return self.warn_after is not None and now - until > self.warn_after


@dataclass(frozen=True)
class LateTable:
    """A table that holds up a policy, and what the policy does about it."""

    asset: Asset
    until: datetime | None  # None: it holds no rows, as one that is just being loaded anew, or does not tell
    when: WhenLate = WhenLate.wait
    why: str = ""  # why it does not tell

    @property
    def said(self) -> str:
        """What is the matter, and whose it is."""
        if self.why:
            return f"how fresh {self.asset.name} is cannot be asked: {self.why}"
        if self.until is None:
            return f"{self.asset.name} holds no rows"
        whose = f"; {self.asset.owner} own it" if self.asset.owner else ""
        return f"{self.asset.name} is late: {self.asset.aged(self.until)}{whose}"


@dataclass(frozen=True)
class Entity:
    """Where an agent looks up an id: a fixed host, the id checked against a pattern and percent-encoded."""

    name: str  # "seller"
    column: str  # "seller_id"
    link: str  # "https://admin.example.com/sellers/{id}"
    pattern: str = r"[A-Za-z0-9_.-]{1,64}"
    label: str = ""

    def url(self, value: object) -> str | None:
        """The link for this id, or None where the id does not look like one."""
        text = str(value)
        if value is None or text in (".", "..") or not re.fullmatch(self.pattern, text):
            return None
        return self.link.replace("{id}", quote(text, safe=""))


@dataclass(frozen=True)
class ViolationKind:
    """An entry of the shared language of what is a problem."""

    name: str
    title: str
    what: str
    examples: tuple[str, ...] = ()
    may_do: str = ""  # what an agent may do about it
