"""Masked values of an alert, for one person, by asking the warehouse again: recorded, and never kept."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from bot.core import access
from bot.core.access import Deed
from bot.core.alert import Alert
from bot.core.change import Refused
from bot.core.reply import Person, Revealed
from bot.core.trail import line_of
from bot.desk.acting import Acting
from sensors.model.policy import Incremental, Policy, Trailing
from sensors.model.violation import Violation, shown
from sensors.model.window import Window, window_for
from sensors.run import look

PATIENCE = timedelta(seconds=30)  # somebody sits before it
ROWS = 10
SHORTEST = 3  # characters of a reason
NO_WHY = Refused("Say why: whoever reads the audit wants to know.")


class Revealing:
    """Two steps, since a query takes its time: `ask` records it, `look` then looks."""

    def __init__(self, acting: Acting) -> None:
        self.acting = acting
        self.view = acting.view
        self.engine = acting.engine

    def ask(self, person: Person, alert_id: int, why: str) -> Refused | None:
        """Records that the person wants to see it, and why; or says why he may not."""
        alert = self.engine.store.alerts.get(alert_id)
        if alert is None:
            return Refused("There is no such alert any more.")
        if len(why.strip()) < SHORTEST:
            return NO_WHY
        refused = self._refused(person, alert)
        line = line_of(person, Deed.reveal, alert.name, self.engine.clock(), refused)
        words = refused.why if refused else f"{', '.join(self._columns(person, alert))}: {why.strip()}"
        self.engine.store.trail.add(replace(line, words=words, alert=alert.id))
        return refused

    def _refused(self, person: Person, alert: Alert) -> Refused | None:
        ground = self.view.house.ground(alert)
        return self.view.unseen(person.slack, alert) or access.may(person.slack, Deed.reveal, ground)

    def look(self, person: Person, alert_id: int) -> Revealed:
        """The rows as they are now, newest first, with what the person may see of them."""
        alert = self.engine.store.alerts.get(alert_id)
        policy = self.view.policy_of(alert) if alert else None
        if alert and (refused := self._refused(person, alert)):  # it may be no longer so, since he asked
            return Revealed(why_not=refused.why)
        if alert is None or policy is None:
            return Revealed(why_not="Its policy is no longer there, so nobody can look.")
        if away := self.engine.circuit.away():
            return Revealed(why_not=f"The warehouse cannot be asked: {away}.")
        window = self._window(alert, policy, self.engine.clock())
        looked = look(replace(policy, timeout=min(policy.timeout, PATIENCE)), self.engine.warehouse, window)
        if not looked.ok:
            return Revealed(why_not=f"The look failed: {looked.error or looked.status.value}.")
        found = next((one for one in looked.violations if one.key == alert.key), None)
        if found is None:
            return Revealed(
                why_not="The rows are no longer there: the warehouse does not find them any more."
            )
        return self._revealed(person, alert, found)

    def _revealed(self, person: Person, alert: Alert, found: Violation) -> Revealed:
        columns = [name for name in self._columns(person, alert) if name in found.newest]
        key = [name for name in alert.key_values if name in found.newest and name not in columns]
        rows = tuple(
            {name: shown(row.values[name]) for name in (*key, *columns)}
            for row in reversed(found.rows[-ROWS:])
        )
        return Revealed((*key, *columns), rows, len(found.rows))

    def _columns(self, person: Person, alert: Alert) -> tuple[str, ...]:
        """What is masked, and for who may see that, too, what is hidden."""
        policy = self.view.policy_of(alert)
        ground = self.view.house.ground(alert)
        hidden = access.may(person.slack, Deed.reveal_hidden, ground) is None
        ways = policy.alert.columns if policy else {}
        return tuple(name for name, how in ways.items() if how == "mask" or (how == "hide" and hidden))

    def _window(self, alert: Alert, policy: Policy, now: datetime) -> Window:
        """What the runs that found its rows looked at; of the world as it is, now."""
        behind = self.engine.store.alerts.behind([alert.id]).get(alert.id)
        if behind and isinstance(policy.window, Incremental | Trailing):
            return behind.window
        return window_for(policy.window, now, None, None)
