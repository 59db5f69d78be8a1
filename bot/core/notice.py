"""What is said in Slack beside alerts: to one person, or in a team's channel. Once each, by its key."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.core.digest import Span
from sensors.model.policy import NOTHING


@dataclass(frozen=True)
class StepTold:
    """What it tells these people of is a step of an alert's ladder: `step`, once so many have been told."""

    alert: int
    step: int
    people: tuple[str, ...]


@dataclass(frozen=True)
class Notice:
    """`to` is a channel or a person's Slack id. `body` says what: a sentence as `text` with the `people` that
    it pings and the `steps` of alerts that tells; the id of a `handoff` or of a `backfill`; the span of a
    `digest`; or the id of an `approval` with which of its messages it `says`. `under` is the key of the
    notice in whose thread it stands.

    `id` is 0 until it is kept. `seq` counts what people would see change.
    """

    key: str
    team: str
    to: str
    body: Mapping[str, Any] = NOTHING
    id: int = 0
    seq: int = 1
    since: datetime | None = None

    @property
    def text(self) -> str:
        return str(self.body.get("text") or "")

    @property
    def people(self) -> tuple[str, ...]:
        return tuple(self.body.get("people") or ())

    @property
    def steps(self) -> tuple[StepTold, ...]:
        kept = self.body.get("steps") or ()
        return tuple(StepTold(int(alert), int(step), tuple(people)) for alert, step, people in kept)

    @property
    def under(self) -> str:
        return str(self.body.get("under") or "")

    @property
    def digest(self) -> Span | None:
        """The span whose digest it is."""
        said = self.body.get("digest")
        if not said:
            return None
        since, until = (datetime.fromisoformat(said[name]) for name in ("since", "until"))
        return Span(since, until, bool(said["weekly"]))

    @property
    def picture(self) -> str:
        """The id of the file that the digest shows, where it was there in time."""
        return str(self.body.get("picture") or "")

    @property
    def handoff(self) -> int:
        return int(self.body.get("handoff") or 0)

    @property
    def backfill(self) -> int:
        return int(self.body.get("backfill") or 0)

    @property
    def approval(self) -> int:
        return int(self.body.get("approval") or 0)

    @property
    def says(self) -> str:
        """Which of an approval's messages it is."""
        return str(self.body.get("says") or "")


def told(key: str, team: str, person: str, text: str) -> Notice:
    """A sentence to one person, as a direct message."""
    return Notice(f"{key}-{person}", team, person, {"text": text})
