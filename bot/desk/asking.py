"""What is shown before it is done and asked once, and what is ordered for a while. Part of the desk."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from bot.core import access
from bot.core.access import Deed
from bot.core.change import Refused
from bot.core.command import Command
from bot.core.entities import target_of
from bot.core.order import LONGEST as ORDERED_MOST
from bot.core.order import PAUSED_FOR, SHORTEST, SLOWEST, Order, OrderKind
from bot.core.reply import AskReply, Person, Said
from bot.core.snooze import LONGEST, Scope, Target
from bot.core.tell_snooze import named, preview_lines
from bot.core.unknown import no_such
from bot.core.words import when
from bot.desk.acting import Acting
from sensors.model.clock import say_duration
from sensors.model.graph import job_ref
from sensors.model.policy import Policy, Severity

Yes = Callable[[Person, Mapping[str, Any]], Said | Refused]  # does what was shown
HELD_FOR = timedelta(minutes=15)  # what was asked; then what it said may no longer be so
OVER = Said("That was asked too long ago, was done already, or was asked by somebody else.", "", ok=False)


class Asking:
    def __init__(self, acting: Acting, others: Mapping[str, Yes]) -> None:
        """`others` do what else was shown, by the word that says what it is."""
        self.acting = acting
        self.others = others
        self.view = acting.view
        self.engine = acting.engine
        self.store = acting.engine.store

    def snooze(self, person: Person, name: str, until: datetime, why: str) -> AskReply | Said | Refused:
        """The preview of a snooze of an entity or policy, to be confirmed; else why it cannot be."""
        target, now = target_of(name, self.engine.catalog), self.engine.clock()
        if isinstance(target, str):
            return Said(target, "Write it so: `snooze seller:s_1 3d reason`", ok=False)
        if refused := self._refused(person, target):
            return refused
        longest = LONGEST[target.scope]
        if not now < until <= now + longest:
            what = "A policy" if target.scope is Scope.policy else "An entity"
            most = f"{what} can be snoozed for {say_duration(longest)} at most."
            return Said(most if until > now else f"{when(until)} has passed.", "Nothing was done.", ok=False)
        shown = self.engine.snoozes.preview(target, until, person.slack)
        asked = {"name": name, "until": until, "why": why, "ceiling": int(shown.ceiling)}
        ask = self.store.snoozes.ask(person.slack, asked, now)
        return AskReply(ask, tuple(preview_lines(shown)), f"Snooze {target.name}")

    def confirm(self, person: Person, ask: int) -> Said | Refused:
        """Does what this person asked for and was shown, once."""
        now = self.engine.clock()
        asked = self.store.snoozes.take(ask, person.slack, now - HELD_FOR, now)
        if not asked:
            return OVER
        does = next((does for word, does in self.others.items() if word in asked), self._snoozed)
        return does(person, asked)

    def _snoozed(self, person: Person, asked: Mapping[str, Any]) -> Said | Refused:
        target = target_of(str(asked["name"]), self.engine.catalog)
        if isinstance(target, str):
            return Said(target, "Nothing was done.", ok=False)
        if refused := self._refused(person, target):
            return refused
        shown = self.engine.snoozes.preview(target, asked["until"], person.slack)
        if shown.span <= timedelta():
            return Said(f"{when(shown.until)} has passed.", "Nothing was done.", ok=False)
        as_shown = replace(shown, ceiling=Severity(asked["ceiling"]))  # what is worse since was not agreed to
        made = self.engine.snoozes.begin(as_shown, person.slack, str(asked["why"]))
        covered = self.store.snoozes.hid(made.id)
        quiet = f"; {named(covered)} with it" if covered else ""
        said = Said(
            f"`{target.name}` is snoozed until {when(shown.until)}{quiet}.",
            f"undo: `/patrol wake {target.name}`",
        )
        self.acting.kept(person, access.TO_SNOOZE[target.scope], _about(target), said)
        return said

    def wake(self, person: Person, name: str) -> Said | Refused:
        """Ends the snooze of an entity or policy."""
        target = target_of(name, self.engine.catalog)
        if isinstance(target, str):
            on = [one.target for one in self.store.snoozes.on() if one.target.name == name]
            target = next(iter(on), None) or Target(Scope.entity, "")
            if not on:
                return Said(f"`{name[:60]}` is not snoozed.", "`list snoozed` shows what is.", ok=False)
        if refused := self._refused(person, target):
            return refused
        ended = self.engine.snoozes.end(target, person.slack)
        if ended is None:
            return Said(f"`{target.name}` is not snoozed.", "`list snoozed` shows what is.", ok=False)
        said = Said(f"The snooze of `{target.name}` is over; its alerts go on.", "")
        self.acting.kept(person, Deed.wake, _about(target), said)
        return said

    def _refused(self, person: Person, target: Target) -> Refused | None:
        """Whoever may snooze so much may wake it, too."""
        ground, deed = self.view.house.ground_of_target(target), access.TO_SNOOZE[target.scope]
        return self.acting.refusal(person, deed, ground, _about(target))

    # ------------------------------------------------------------------- orders

    def order(self, person: Person, said: Command) -> Said | Refused:
        """`pause`, `resume` and `every`: done at once, loud, and over by itself."""
        policy = self.engine.catalog.policies.get(said.name)
        if policy is None:
            catalog = self.engine.catalog
            return no_such("policy", said.name, catalog.policies, map(job_ref, catalog.jobs))
        deed, ground = access.TO_ORDER[said.verb], self.view.house.ground_of_policy(policy.name)
        if refused := self.acting.refusal(person, deed, ground):
            return refused
        resumes = said.verb == "resume"
        answer = self._resume(person, policy.name) if resumes else self._begin(person, policy, said)
        self.acting.kept(person, said.verb, policy.name, answer)
        return answer

    def _begin(self, person: Person, policy: Policy, said: Command) -> Said:
        if not policy.runs:
            return _not_done(f"`{policy.name}` is {policy.status.value}: it is not run.")
        now, kind = self.engine.clock(), OrderKind.pause if said.verb == "pause" else OrderKind.every
        until = self.view.ends(person.slack, said) or now + PAUSED_FOR
        if wrong := too_much(kind, said.interval, until - now):
            return _not_done(wrong)
        wanted = Order(policy.name, kind, until, person.slack, said.words, now, said.interval)
        does, undo = self.engine.orders.begin(wanted).does, f"undo: `/patrol resume {policy.name}`"
        return Said(f"`{policy.name}` {does} until {when(until)}.", undo)

    def _resume(self, person: Person, policy: str) -> Said:
        if not self.engine.orders.end(policy, person.slack):
            return Said(f"`{policy}` runs by its own schedule.", "`status` shows what is paused.", ok=False)
        return Said(f"`{policy}` runs by its own schedule again, and makes up for what came meanwhile.")


def _about(target: Target) -> str:
    """As the audit names it for good: whom it is about stands in the words, which can be erased."""
    return target.name if target.scope is Scope.policy else "an entity"


def _not_done(why: str) -> Said:
    return Said(why, "Nothing was done.", ok=False)


def too_much(kind: OrderKind, interval: timedelta | None, span: timedelta, what: str = "A policy") -> str:
    """Why so much is not ordered, in words; empty where it may be."""
    if span > ORDERED_MOST[kind]:
        how = "be paused" if kind is OrderKind.pause else "run at another pace"
        return f"{what} can {how} for {say_duration(ORDERED_MOST[kind])} at most."
    if interval and not SHORTEST <= interval <= SLOWEST:
        return f"A pace lies between {say_duration(SHORTEST)} and {say_duration(SLOWEST)}."
    return ""
