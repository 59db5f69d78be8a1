"""One call of the Web API: its arguments as Slack reads them, and the error that ends it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from bot.sandbox.names import Json


class SlackError(Exception):
    """Ends a call with {"ok": false, "error": …}; `details` are further keys of the answer."""

    def __init__(self, error: str, **details: Any) -> None:
        super().__init__(error)
        self.error = error
        self.details = details

    def answer(self) -> Json:
        return {"ok": False, "error": self.error, **self.details}


def invalid_arguments(*messages: str) -> SlackError:
    listed = [f"[ERROR] {message}" for message in messages]
    return SlackError("invalid_arguments", response_metadata={"messages": listed})


@dataclass(frozen=True)
class Call:
    """`at` is the moment of the call in seconds; `origin` is the address by which the caller reached us."""

    method: str
    args: Json
    token: str
    at: float
    origin: str

    def text(self, name: str, default: str = "") -> str:
        value = self.args.get(name, default)
        if value is None:
            return default
        return value if isinstance(value, str) else json.dumps(value)

    def need(self, name: str) -> str:
        value = self.text(name)
        if not value:
            raise invalid_arguments(f"missing required field: {name}")
        return value

    def flag(self, name: str, default: bool = False) -> bool:
        value = self.args.get(name, default)
        if isinstance(value, str):
            return value.lower() in ("1", "true")
        return bool(value)

    def number(self, name: str, default: int, low: int, high: int) -> int:
        """A count within its limits; Slack refuses what is no number and clips what is too large."""
        value = self.args.get(name)
        if value in (None, ""):
            return default
        try:
            number = int(str(value))
        except ValueError:
            raise invalid_arguments(f"must provide an integer [json-pointer:/{name}]") from None
        if number < low:
            raise SlackError("invalid_limit")
        return min(number, high)

    def structure(self, name: str, otherwise: str) -> Any:
        """A JSON argument, already read (JSON body) or as text (form body); None when absent.

        `otherwise` is the error for text that is not JSON.
        """
        value = self.args.get(name)
        if not isinstance(value, str):
            return value
        if not value.strip():
            return None
        try:
            return json.loads(value)
        except ValueError:
            raise SlackError(otherwise) from None
