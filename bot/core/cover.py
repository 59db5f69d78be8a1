"""Who is on call for a while instead of who would be: one covers for another, or takes over."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Cover:
    """`person` is on call from `start` until `end` in the place of `instead_of`, or of whoever it is (None).

    People are Slack's user ids. Later ones are reckoned on top of earlier ones: one can cover for who covers.
    """

    id: int
    team: str
    person: str
    instead_of: str | None
    start: datetime
    end: datetime
    by: str  # who asked for it
    at: datetime  # … and when
    ended_at: datetime | None = None  # before its time
    ended_by: str | None = None

    @property
    def until(self) -> datetime:
        return min(self.end, self.ended_at) if self.ended_at else self.end

    def holds(self, at: datetime) -> bool:
        return self.start <= at < self.until

    @property
    def why(self) -> str:
        return "covers" if self.instead_of else "has taken over"


def covered(people: tuple[str, ...], covers: Iterable[Cover], at: datetime) -> tuple[tuple[str, ...], str]:
    """Who is on call once all covers of the team are reckoned in, and why; "" where none of them matters."""
    why = ""
    for cover in sorted(covers, key=lambda one: one.id):
        if not cover.holds(at) or not (cover.instead_of is None or cover.instead_of in people):
            continue
        why = cover.why
        if cover.instead_of is None:
            people = (cover.person,)
        else:
            people = tuple(dict.fromkeys(cover.person if p == cover.instead_of else p for p in people))
    return people, why
