"""Faults on demand: rules that say which call fails, how, and how often.

Decides only; the doors carry it out.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from bot.sandbox.names import Json

API_FAULTS = (
    "429",
    "500",
    "503",
    "slow",
    "reset",
    "drop",
    "store_then_drop",
    "store_then_500",
    "drop_then_store_late",
)
WIRE_FAULTS = ("lose_ack", "duplicate", "lose")


@dataclass
class Rule:
    """Matches `method` (a pattern such as chat.*) and `channel`, skips the first `after`, hits every
    `every`-th, at most `times` times, each with `probability`."""

    method: str
    fault: str
    times: int | None = None
    channel: str | None = None
    seconds: float = 2.0
    retry_after: int = 1
    after: int = 0
    every: int = 1
    probability: float = 1.0
    seen: int = 0
    hit: int = 0

    def meets(self, method: str, channels: tuple[str, ...], dice: random.Random) -> bool:
        """Counts the call and says whether this rule strikes now."""
        if not fnmatchcase(method, self.method) or (self.times is not None and self.hit >= self.times):
            return False
        if self.channel is not None and self.channel.removeprefix("#") not in channels:
            return False
        self.seen += 1
        due = self.seen > self.after and (self.seen - self.after - 1) % self.every == 0
        if not due or (self.probability < 1 and dice.random() >= self.probability):
            return False
        self.hit += 1
        return True


class BadRule(ValueError):
    """A fault rule that cannot be understood; its text says what to write instead."""


class Faults:
    def __init__(self) -> None:
        self._rules: list[Rule] = []
        self._dice = random.Random()

    def add(self, wanted: Mapping[str, Any]) -> None:
        """Adds the rules of a request; `seed` and `probability` at the top are for all of them."""
        if wanted.get("seed") is not None:
            self._dice = random.Random(wanted["seed"])
        common = {"probability": wanted["probability"]} if "probability" in wanted else {}
        rules = wanted.get("rules") or ([wanted] if "fault" in wanted else [])
        self._rules += [_rule({**common, **rule}) for rule in rules]

    def clear(self) -> None:
        self._rules.clear()

    def strike(self, method: str, *channels: str) -> Rule | None:
        """The first rule that strikes this call; `channels` are the id and the name of its channel."""
        rules = (rule for rule in self._rules if rule.fault not in WIRE_FAULTS)
        return next((rule for rule in rules if rule.meets(method, channels, self._dice)), None)

    def strike_delivery(self, kind: str) -> Rule | None:
        """The first rule that strikes the delivery of a payload of this kind."""
        rules = (rule for rule in self._rules if rule.fault in WIRE_FAULTS)
        return next((rule for rule in rules if rule.meets(kind, (), self._dice)), None)

    def shown(self) -> Json:
        return {"rules": [vars(rule) for rule in self._rules]}


def _rule(wanted: Mapping[str, Any]) -> Rule:
    known = set(Rule.__dataclass_fields__) - {"seen", "hit"}
    given = {key: value for key, value in wanted.items() if key in known}
    fault = str(given.get("fault", ""))
    if fault not in (*API_FAULTS, *WIRE_FAULTS) and not fault.startswith("error:"):
        raise BadRule(f"fault {fault!r} is not one of {', '.join((*API_FAULTS, *WIRE_FAULTS))}, error:NAME")
    try:
        return Rule(**{"method": "*", **given, "fault": fault})
    except TypeError as mistake:
        raise BadRule(str(mistake)) from None
