"""What is said in Slack beside alerts: to one person, or in a team's channel. Once each, by its key."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sensors.model.policy import NOTHING


@dataclass(frozen=True)
class Notice:
    """`to` is a channel or a person's Slack id. `body` has a sentence as `text` and the `people` it pings, or
    the id of the `handoff` that it shows; `under` is the key of the notice in whose thread it stands.

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
    def under(self) -> str:
        return str(self.body.get("under") or "")

    @property
    def handoff(self) -> int:
        return int(self.body.get("handoff") or 0)


def told(key: str, team: str, person: str, text: str) -> Notice:
    """A sentence to one person, as a direct message."""
    return Notice(f"{key}-{person}", team, person, {"text": text})
