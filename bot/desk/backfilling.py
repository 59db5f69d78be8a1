"""Backfills that people ask for: shown first, begun once, stopped, taken up again. Part of the desk.

How each is carried out, `engine/backfilling.py` says.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from bot.core.access import Deed
from bot.core.backfill import MOST_NAMED, BackfillRun, BackfillState, Stage, on_now, progress, takes
from bot.core.change import Refused
from bot.core.command import Command
from bot.core.past import between
from bot.core.record import decode, encode
from bot.core.reply import AskReply, Person, Reply, Said
from bot.core.saying import refusal, unrefused
from bot.core.trail import line_of
from bot.core.words import clean, when
from bot.desk.acting import Acting
from bot.engine.backfill import preview, queries, taken_up
from bot.engine.chain import Plans, chosen, plans
from sensors.model.clock import say_duration
from sensors.warehouse import WarehouseError

NAMED = re.compile(r"(?:bkf-|#)?(\d{1,9})")
ITS_CHANNEL = "its review channel"
CHAIN = "`backfill {name} {past} chain` looks with those that hang on it."


class Backfilling:
    """Thread-safe: what is asked and what runs lies in the store."""

    def __init__(self, acting: Acting) -> None:
        self.acting = acting
        self.view = acting.view
        self.engine = acting.engine
        self.store = acting.engine.store

    @property
    def asks(self) -> Mapping[str, Callable[[Person, Command], Reply]]:
        return {"backfill": self.ask, "stop": lambda person, said: self.stop(person, said.name)}

    # ---------------------------------------------------------------------- asking

    def ask(self, person: Person, said: Command) -> AskReply | Said:
        """What it would look at, to be confirmed; alone: those that run."""
        if not said.names:
            return self._running()
        of = chosen(self.engine.catalog, said.names, said.chain, CHAIN.replace("{past}", said.past))
        if isinstance(of, Refused):
            return Said(of.why, of.hint, ok=False)
        past = between(said.past, self.engine.clock().astimezone(self.view.zone_of(person.slack)))
        assert past  # or it would have been no command
        if refused := self._refused(person, of.policies):
            return refused
        try:
            found = plans(self.engine, of, past, again=said.again)
        except WarehouseError as error:
            away = f"The warehouse does not say until when it is loaded: {error}"
            return Said(away, "Nothing was done.", ok=False)
        if isinstance(found, Refused):
            return Said(found.why, found.hint or "Nothing was done.", ok=False)
        return self._asked(person, found, said.again)

    def _asked(self, person: Person, found: Plans, again: bool) -> AskReply | Said:
        if not found.left:
            hint = "`again` after the time looks at it once more, with the policies as they now are."
            return Said("All of that was backfilled before.", hint, ok=False)
        stages, channel = [encode(one.stage) for one in found.each], found.each[0].channel
        asked = {"backfill": stages, "again": again, "channel": channel}
        ask = self.store.snoozes.ask(person.slack, asked, self.engine.clock())
        return AskReply(ask, tuple(_shown(found)), "Start the backfill")

    def _running(self) -> Said:
        lines = [f"{on_now(one)}: {progress(one)}." for one in self.store.backfills.begun()]
        hint = (
            "`stop BKF-1` ends one after the window at hand."
            if lines
            else "`backfill payments.x 7d` begins one."
        )
        return Said("\n".join(lines) or "No backfill runs.", hint)

    def _refused(self, person: Person, policies: Sequence[str]) -> Said | None:
        """Why not: he may not, or one of them is at it already."""
        for name in policies:
            ground = self.view.house.ground_of_policy(name)
            if refused := self.acting.refusal(person, Deed.backfill, ground):
                return refusal(refused)
        if other := self.store.backfills.of_policies(policies):
            return _busy(other)
        return None

    # ------------------------------------------------------------- beginning, ending

    def confirmed(self, person: Person, asked: Mapping[str, Any]) -> Said:
        """Yes to what was shown: it begins, if its policies still are what they were."""
        stages = tuple(decode(Stage, one) for one in asked["backfill"])
        for one in stages:
            policy = self.engine.catalog.policies.get(one.policy)
            if policy is None or policy.content != one.content:
                changed = f"`{clean(one.policy)}` was changed after you were shown it: nothing was begun."
                return Said(changed, "Ask again: `backfill` shows what it would be now.", ok=False)
        policies = [one.policy for one in stages]
        if refused := self._refused(person, policies):
            return refused
        now, owner = self.engine.clock(), self.engine.catalog.policies[policies[0]].owner
        wanted = BackfillRun(person.slack, now, stages, owner, str(asked["channel"]), bool(asked["again"]))
        begun = self.store.backfills.begin(wanted, line_of(person, Deed.backfill, " ".join(policies), now))
        if begun is None:
            other = self.store.backfills.of_policies(policies)
            return _busy(other) if other else self.confirmed(person, asked)
        where = "in the review channel" if not stages[1:] else f"in the review channel of {clean(owner)}"
        return Said(
            f"{begun.name} begins; one message {where} shows how far it is.",
            f"undo: `/patrol stop {begun.name}`",
        )

    def steer(self, person: Person, backfill_id: int, does: str) -> Said:
        """What a button of its message asks for: `stop` or `go on`."""
        run = self.store.backfills.get(backfill_id)
        if run is None:
            return Said(f"There is no BKF-{backfill_id} any more.", "`backfill` shows what runs.", ok=False)
        return self._stop(person, run) if does == "stop" else self._go_on(person, run)

    def stop(self, person: Person, name: str) -> Said:
        """By its number, or by a policy of it."""
        if number := NAMED.fullmatch(name):
            run = self.store.backfills.get(int(number[1]))
            missing = f"There is no BKF-{number[1]}."
        else:
            run = self.store.backfills.of_policies([name.removeprefix("policy:")])
            missing = f"`{name[:60]}` is not being backfilled."
        return self._stop(person, run) if run else Said(missing, "`backfill` shows what runs.", ok=False)

    def _stop(self, person: Person, run: BackfillRun) -> Said:
        if refused := self._may_stop(person, run):
            return unrefused(refused)
        if run.state.ended:
            return Said(f"{run.name} has ended before: it is {run.state.value}.", ok=False)
        line = line_of(person, Deed.stop, run.name, self.engine.clock())
        if not self.store.backfills.stop(run.id, person.slack, line):
            return Said(f"{run.name} is stopping already, or has just ended.", ok=False)
        return Said(f"{run.name} ends after the window at hand.", "`Go on` in its message takes it up again.")

    def _may_stop(self, person: Person, run: BackfillRun) -> Refused | None:
        """Whoever asked for it, or is in the team of one of its policies."""
        if person.slack == run.by:
            return None
        catalog = self.engine.catalog
        owners = [run.team, *(p.owner for one in run.stages if (p := catalog.policies.get(one.policy)))]
        teams = [team for name in dict.fromkeys(owners) if (team := catalog.teams.get(name))]
        first = self.view.house.ground_of(run.name, next(iter(teams), None))
        return self.acting.refusal(person, Deed.stop, replace(first, beside=tuple(teams[1:])))

    def _go_on(self, person: Person, run: BackfillRun) -> Said:
        if run.state not in (BackfillState.failed, BackfillState.stopped):
            return Said(f"{run.name} {'is done' if run.state.ended else 'runs'}.", ok=False)
        if refused := self._refused(person, [one.policy for one in run.stages]):
            return refused
        stages = taken_up(self.engine, run)
        if isinstance(stages, Refused):
            return Said(stages.why, "Nothing was begun.", ok=False)
        line = line_of(person, Deed.backfill, f"{run.name} goes on", self.engine.clock())
        if not self.store.backfills.go_on(run, stages, line):
            return Said(f"{run.name} runs already, or one of its policies is being backfilled.", ok=False)
        return Said(f"{run.name} goes on where it was.", f"undo: `/patrol stop {run.name}`")


def _busy(other: BackfillRun) -> Said:
    return Said(f"One at a time: {on_now(other)} runs.", f"`/patrol stop {other.name}` ends it.", ok=False)


def _shown(found: Plans) -> list[str]:
    """The preview: of one policy at length, of several a line each."""
    first, past, left_out = found.each[0], found.each[0].past, found.left_out
    when_ = f"{when(past.start)} → {when(past.end)} ({say_duration(past.length)})"
    if not found.each[1:]:
        return [f"Backfill of `{clean(first.policy.name)}`, {when_}", *preview(first, ITS_CHANNEL), *left_out]
    each = [f"`{clean(one.policy.name)}`: {queries(one)}, {takes(one.left, one.cost)}" for one in found.each]
    more = [f"and {len(each) - MOST_NAMED} more"] if len(each) > MOST_NAMED else []
    return [
        f"Backfill of {len(found.each)} policies, one after the other, {when_}",
        *each[:MOST_NAMED],
        *more,
        *left_out[:3],
        "alerts go to their review channels, page nobody and start no jobs",
    ]
