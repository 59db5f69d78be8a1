"""What is shown before it is done, and asked once: snoozes of entities and policies. Part of the desk."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from bot.core import access
from bot.core.change import Refused
from bot.core.entities import target_of
from bot.core.reply import AskReply, Person, Said
from bot.core.snooze import LONGEST, Scope, Target
from bot.core.tell_snooze import named, preview_lines
from bot.core.words import when
from bot.engine import Engine
from sensors.model.clock import say_duration

HELD_FOR = timedelta(minutes=15)  # what was asked; then what it said may no longer be so
OVER = Said("That was asked too long ago, was done already, or was asked by somebody else.", "", ok=False)


class Asking:
    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.store = engine.store

    def snooze(self, person: Person, name: str, until: datetime, why: str) -> AskReply | Said | Refused:
        """The preview of a snooze of an entity or policy, to be confirmed; else why it cannot be."""
        target, now = target_of(name, self.engine.catalog), self.engine.clock()
        if isinstance(target, str):
            return Said(target, "Write it so: `snooze seller:s_1 3d reason`", ok=False)
        if refused := access.may_snooze(person.slack, target.scope, self.engine.catalog.teams):
            return refused
        longest = LONGEST[target.scope]
        if not now < until <= now + longest:
            what = "A policy" if target.scope is Scope.policy else "An entity"
            most = f"{what} can be snoozed for {say_duration(longest)} at most."
            return Said(most if until > now else f"{when(until)} has passed.", "Nothing was done.", ok=False)
        shown = self.engine.snoozes.preview(target, until)
        asked = {"verb": "snooze", "name": name, "until": until, "why": why}
        ask = self.store.snoozes.ask(person.slack, asked, now)
        return AskReply(ask, tuple(preview_lines(shown)), f"Snooze {target.name}")

    def confirm(self, person: Person, ask: int) -> Said | Refused:
        """Does what this person asked for and was shown, once."""
        now = self.engine.clock()
        asked = self.store.snoozes.take(ask, person.slack, now - HELD_FOR, now)
        return self._snoozed(person, asked) if asked else OVER

    def _snoozed(self, person: Person, asked: Mapping[str, Any]) -> Said | Refused:
        target = target_of(str(asked["name"]), self.engine.catalog)
        if isinstance(target, str):
            return Said(target, "Nothing was done.", ok=False)
        if refused := access.may_snooze(person.slack, target.scope, self.engine.catalog.teams):
            return refused
        shown = self.engine.snoozes.preview(target, asked["until"])
        if shown.span <= timedelta():
            return Said(f"{when(shown.until)} has passed.", "Nothing was done.", ok=False)
        self.engine.snoozes.begin(shown, person.slack, str(asked["why"]))
        quiet = f"; {named(shown.held.open)} with it" if shown.held.open else ""
        return Said(
            f"`{target.name}` is snoozed until {when(shown.until)}{quiet}.",
            f"undo: `/patrol wake {target.name}`",
        )

    def wake(self, person: Person, name: str) -> Said | Refused:
        """Ends the snooze of an entity or policy."""
        target = target_of(name, self.engine.catalog)
        if isinstance(target, str):
            on = [one.target for one in self.store.snoozes.on() if one.target.name == name]
            target = next(iter(on), None) or Target(Scope.entity, "")
            if not on:
                return Said(f"`{name[:60]}` is not snoozed.", "`list snoozed` shows what is.", ok=False)
        if refused := access.may_snooze(person.slack, target.scope, self.engine.catalog.teams):
            return refused
        ended = self.engine.snoozes.end(target, person.slack)
        if ended is None:
            return Said(f"`{target.name}` is not snoozed.", "`list snoozed` shows what is.", ok=False)
        return Said(f"The snooze of `{target.name}` is over; its alerts go on.", "")
