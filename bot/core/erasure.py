"""What is left of an alert when somebody it is about is erased: that it was, when, and what it came to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from bot.core.alert import Alert
from sensors.model.violation import canonical

ERASED = "erased"
# Of the actions in history: what was written by people or came from rows. Who, when and which stays.
TEXTS = frozenset({"title", "why", "note", "text", "answer", "outcome", "said"})
VALUES = frozenset({"key_values", "newest", "params"})


@dataclass(frozen=True)
class Entity:
    """Whom or what to forget: a column and its value, as `seller_id=s_1`."""

    column: str
    value: str

    @staticmethod
    def read(text: str) -> Entity | None:
        column, equals, value = text.partition("=")
        column, value = column.strip().lower(), value.strip()
        return Entity(column, value) if equals and column and value else None

    def within(self, values: Mapping[str, Any]) -> bool:
        """Whether the row or key is about it."""
        there = next((v for name, v in values.items() if name.lower() == self.column), None)
        return there is not None and str(there) == self.value


def erased(alert: Alert) -> Alert:
    """The alert without words and values; its card is drawn anew. Its key is its own from now on."""
    values = dict.fromkeys(alert.key_values, ERASED)
    snooze = replace(alert.snooze, why="", target="") if alert.snooze else None
    return replace(
        alert,
        title=ERASED,
        key=canonical({ERASED: alert.id}),
        key_values=values,
        newest={},
        entities=(),
        note="",
        unknown_why="",
        last_event=ERASED,
        snooze=snooze,
        face_seq=alert.face_seq + 1,
    )


def erased_record(record: Mapping[str, Any]) -> dict[str, Any]:
    """An action of history without words and values; what it was, and who did it, stays."""
    return {name: _erased(name, part) for name, part in record.items()}


def _erased(name: str, part: Any) -> Any:
    if name in VALUES and isinstance(part, Mapping):
        return {}
    if name == "entities":
        return []
    if name == "snooze" and isinstance(part, Mapping):
        return {**part, "why": "", "target": ""}
    if name == "key":
        return canonical({ERASED: True})
    return ERASED if name in TEXTS and isinstance(part, str) and part else part
