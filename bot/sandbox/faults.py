"""Faults on demand: rules that say which call fails, how, and how often.

Decides only; the doors carry it out.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
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


Words = tuple[str, Callable[[Any], bool]]  # what a value must be, in words and as a test


def _number(value: Any, least: float, whole: bool = False) -> bool:
    kinds = (int,) if whole else (int, float)
    return isinstance(value, kinds) and not isinstance(value, bool) and value >= least


def _whole(least: int) -> Words:
    return f"a whole number from {least}", lambda value: _number(value, least, whole=True)


def _either(wanted: Words) -> Words:
    return f"{wanted[0]}, or null", lambda value: value is None or wanted[1](value)


TEXT: Words = ("text", lambda value: isinstance(value, str))
YES: Words = ("true or false", lambda value: isinstance(value, bool))
PROBABILITY: Words = ("a number from 0 to 1", lambda value: _number(value, 0) and value <= 1)
RULE: dict[str, Words] = {
    "method": TEXT,
    "fault": ("a name or a status", lambda value: isinstance(value, (str, int))),
    "times": _either(_whole(0)),
    "channel": _either(TEXT),
    "seconds": ("a number from 0", lambda value: _number(value, 0)),
    "retry_after": _whole(0),
    "after": _whole(0),
    "every": _whole(1),
    "probability": PROBABILITY,
}
REQUEST: dict[str, Words] = {
    "rules": ("a list of rules", lambda value: isinstance(value, list)),
    "probability": PROBABILITY,
    "seed": ("a number or text", lambda value: value is None or isinstance(value, (int, float, str))),
    "clear": YES,
    "cut_sockets": YES,
    "refresh_sockets": (
        'true, "all" or "warning"',
        lambda value: isinstance(value, bool) or value in ("all", "warning"),
    ),
}


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

    def change(self, wanted: Mapping[str, Any]) -> None:
        """Ends all faults if asked to, then adds the rules of a request. A bad request changes nothing."""
        rules = _rules(wanted)
        if wanted.get("clear"):
            self.clear()
        if wanted.get("seed") is not None:
            self._dice = random.Random(wanted["seed"])
        self._rules += rules

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


def _rules(wanted: Mapping[str, Any]) -> list[Rule]:
    """A request is one rule, or `rules` and a `probability` for all of them; anything unknown is refused."""
    alone = "fault" in wanted
    _check(wanted, {**REQUEST, **RULE} if alone else REQUEST, "a request")
    if alone:
        return [_rule({key: value for key, value in wanted.items() if key in RULE})]
    common = {"probability": wanted["probability"]} if "probability" in wanted else {}
    given = wanted.get("rules", [])
    if not isinstance(given, list) or not all(isinstance(rule, Mapping) for rule in given):
        raise BadRule('rules must be a list such as [{"method": "chat.postMessage", "fault": "429"}]')
    return [_rule({**common, **rule}) for rule in given]


def _rule(wanted: Mapping[str, Any]) -> Rule:
    _check(wanted, RULE, "a rule")
    fault = str(wanted.get("fault", ""))
    if fault not in (*API_FAULTS, *WIRE_FAULTS) and not fault.startswith("error:"):
        raise BadRule(f"fault {fault!r} is not one of {', '.join((*API_FAULTS, *WIRE_FAULTS))}, error:NAME")
    return Rule(**{"method": "*", **wanted, "fault": fault})


def _check(wanted: Mapping[str, Any], known: Mapping[str, Words], what: str) -> None:
    for key, value in wanted.items():
        if key not in known:
            raise BadRule(f"{what} has no {key!r}; it has {', '.join(known)}")
        words, holds = known[key]
        if not holds(value):
            raise BadRule(f"{key} must be {words}, not {value!r}")
