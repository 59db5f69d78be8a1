"""Gathers why an alert is as it is, or why somebody has none: from the files and the store."""

from __future__ import annotations

from collections.abc import Sequence

from bot.core import order, why
from bot.core.alert import Alert, due
from bot.core.change import Refused
from bot.core.entities import target_of
from bot.core.reconcile import Seen
from bot.core.reply import Said, WhyReply
from bot.core.snooze import Scope, Target
from bot.core.tell_snooze import on_now
from bot.core.why import Delivery, Look, Reason
from bot.core.words import clean, when
from bot.engine.engine import Engine
from bot.lateness import turn
from bot.store.values import RunRecord
from bot.view import View
from sensors.model.policy import Policy
from sensors.model.run import RunStatus
from sensors.model.violation import canonical

RUNS = 50  # of a policy, in which its last good look is searched
MOST_POLICIES = 12  # that are spoken of for one entity


class Why:
    def __init__(self, engine: Engine, view: View) -> None:
        self.engine = engine
        self.view = view
        self.store = engine.store

    def alert(self, alert: Alert, person: str) -> WhyReply | Refused:
        if refused := self.view.unseen(person, alert):
            return refused
        policy = self.view.policy_of(alert)
        behind = self.store.alerts.behind([alert.id]).get(alert.id)
        reasons: list[Reason | None] = [
            ("Found", why.of_count(alert, behind.window if behind else None)),
            ("Policy", why.of_policy(policy, alert.policy)),
            *(self._of_policy(policy) if policy else []),
            ("Rows", why.of_memory(policy, self._rows(policy, alert.key))) if policy else None,
            why.of_condition(alert),
            why.of_state(alert),
            ("Route", self._route(alert)),
            ("Delivery", why.of_delivery(alert, self._delivery(alert))),
        ]
        return WhyReply(f"{alert.name} {clean(alert.title)}", tuple(one for one in reasons if one))

    def _of_policy(self, policy: Policy) -> list[Reason]:
        away = self.engine.circuit.away()
        reasons = [
            ("Threshold", why.of_threshold(policy)),
            ("Window", why.of_window(policy)),
            ("Looks", self._looks(policy)),
        ]
        reasons += [("Its turn", words) for words in turn(self.store, policy).words]
        orders = [one for one in self.store.orders.on() if one.policy == policy.name]
        reasons = [*reasons, *(("For a while", f"{order.on_now(one)}.") for one in orders)]
        return [*reasons, ("Warehouse", f"{clean(away)}: no policy can look.")] if away else reasons

    def _looks(self, policy: Policy) -> str:
        runs = self.store.runs.recent(policy.name, RUNS, past=False)
        good = next((run for run in runs if run.status is RunStatus.succeeded), None)
        ended = next((run for run in runs if run.ended_at), None)
        return why.of_look(_look(ended), _look(good), self.engine.clock())

    def _rows(self, policy: Policy, key: str) -> Sequence[Seen]:
        return tuple(self.store.alerts.memory(policy.name, [key], None).get(key, {}).values())

    def _route(self, alert: Alert) -> str:
        following = due(alert)
        next_to = self.view.people(following.to, alert) if following and following.to != "digest" else ()
        return why.of_route(alert, self.view.told(alert), next_to)

    def _delivery(self, alert: Alert) -> Delivery:
        undone, parked = self.store.outbox.standing(alert.id)
        channel = self.view.channel_of(alert)
        return Delivery(channel, self.store.outbox.message(alert.id), undone, parked)

    # --------------------------------------------------------------- without an alert

    def named(self, name: str, policy_name: str, person: str) -> WhyReply | Said | Refused:
        """Why there is (or is not) an alert about an entity, of one policy or of all that look at such."""
        target = target_of(name, self.engine.catalog)
        if isinstance(target, str):
            return Said(target, "Write it so: `why seller:s_1 policy:payments.x`", ok=False)
        if target.scope is Scope.policy:
            found = self.engine.catalog.policies[target.name]
            return self.view.unseen_of(person, found) or self.policy(found)
        if not policy_name:
            return self._of_all(target, person)
        policy = self.engine.catalog.policies.get(policy_name)
        if policy is None:
            return Said(str(target_of(f"policy:{policy_name}", self.engine.catalog)), ok=False)
        hidden = self.view.unseen_of(person, policy)
        return hidden or self._of_one(target, policy, person)

    def policy(self, policy: Policy) -> WhyReply:
        opened = self.store.alerts.counts().get(policy.name, 0)
        first = ("Policy", f"{why.of_policy(policy, policy.name)} Open alerts: {opened}.")
        return WhyReply(f"`{policy.name}`", (first, *self._of_policy(policy), *self._snoozed(None, policy)))

    def _of_one(self, target: Target, policy: Policy, person: str) -> WhyReply | Refused:
        """Of an alert that there is, why it is so; else what the policy knows of it."""
        mine = [a for a in self.store.alerts.about(target) if a.policy == policy.name]
        held = next((alert for alert in mine if alert.is_open), None) or next(iter(mine), None)
        if held is not None and held.is_open:
            return self.alert(held, person)
        before = f"{held.name} was the last, opened {when(held.opened_at)}" if held else "there has been none"
        reasons: list[Reason] = [
            ("Alert", f"No open alert of `{policy.name}` is about {clean(target.name)}; {before}."),
            ("Policy", why.of_policy(policy, policy.name)),
            *self._of_policy(policy),
            ("Rows", self._remembered(target, policy)),
            *self._snoozed(target, policy),
        ]
        return WhyReply(f"`{target.name}` and `{policy.name}`", tuple(reasons))

    def _remembered(self, target: Target, policy: Policy) -> str:
        """What is remembered of the entity's key; of a key with more in it nothing can be said."""
        kind, _, value = target.name.partition(":")
        entity = next(e for e in self.engine.catalog.entities.values() if e.name == kind)
        if policy.key != (entity.column,):
            names = clean(", ".join(policy.key)) or "empty"
            if entity.column not in (policy.entity or policy.key):
                return f"It does not look at any {clean(kind)}: its key is {names}."
            return f"Its key is {names}, so its rows are not counted by {clean(kind)} alone."
        typed = (value, int(value)) if value.isdigit() else (value,)
        keys = [canonical({entity.column: one}) for one in typed]
        rows = next((found for key in keys if (found := self._rows(policy, key))), ())
        return why.of_memory(policy, rows)

    def _snoozed(self, target: Target | None, policy: Policy) -> list[Reason]:
        mine = {Target(Scope.policy, policy.name), target}
        return [("Snoozed", f"{on_now(one)}.") for one in self.store.snoozes.on() if one.target in mine]

    def _of_all(self, target: Target, person: str) -> WhyReply:
        kind = target.name.partition(":")[0]
        column = next(e.column for e in self.engine.catalog.entities.values() if e.name == kind)
        held = {alert.policy: alert for alert in self.store.alerts.about(target) if alert.is_open}
        looking = [
            policy
            for policy in self.engine.catalog.policies.values()
            if column in (policy.entity or policy.key)
        ]
        ranked = sorted(looking, key=lambda policy: (policy.name not in held, not policy.runs, policy.name))
        reasons = [
            (policy.name, self._shortly(target, policy, held.get(policy.name), person))
            for policy in ranked[:MOST_POLICIES]
        ]
        left = len(ranked) - len(reasons)
        more = (
            [("And", f"{left} more policies look at such; ask `why {target.name} policy:x`.")] if left else []
        )
        none = [("Policies", f"None looks at any {clean(kind)}.")] if not ranked else []
        return WhyReply(f"`{target.name}`", (*reasons, *more, *none))

    def _shortly(self, target: Target, policy: Policy, alert: Alert | None, person: str) -> str:
        hidden = self.view.unseen(person, alert) if alert else self.view.unseen_of(person, policy)
        if hidden:
            return hidden.why
        if alert is not None:
            return f"{alert.name} is {alert.word.lower()}: {clean(alert.title)}."
        if not policy.runs:
            return why.of_policy(policy, policy.name)
        return f"No open alert. {self._remembered(target, policy)} {self._looks(policy)}"


def _look(run: RunRecord | None) -> Look | None:
    if run is None:
        return None
    at = run.ended_at or run.started_at or run.due
    return Look(run.status, at, run.window, run.rows, run.violations, run.error, run.retry_at)
