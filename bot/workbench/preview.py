"""The card that Slack would show for a policy's rows, without a store: a run's road, up to the posting."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from bot.core.action import Acknowledge, Fire, PersonAction, Resolve, SnoozeFor
from bot.core.alert import Alert, Disposition
from bot.core.change import Change
from bot.core.context import House, Known
from bot.core.reconcile import reconcile
from bot.core.reply import Context, Evidence
from bot.core.step import step
from bot.slack import face
from bot.slack.blocks import Face
from sensors.cases.example import rows as made_up
from sensors.model.policy import Policy
from sensors.model.run import Looked, RunStatus
from sensors.model.violation import violations_of
from sensors.model.window import Window, window_for
from sensors.sql.given import columns_given
from sensors.title import title

NUMBER = 142  # of an alert that is not in the store
SOMEBODY = "U0SOMEBODY"  # who acts where the team has no members
LATER = timedelta(minutes=4)  # after it opened somebody acts on it


class State(StrEnum):
    """What people have done about the alert that is shown."""

    open = "open"
    acknowledged = "acknowledged"
    snoozed = "snoozed"
    resolved = "resolved"


@dataclass(frozen=True)
class Preview:
    """An alert, what its card shows beside it, and the channel where it goes ("" where none is named)."""

    alert: Alert
    context: Context
    channel: str

    @property
    def face(self) -> Face:
        """The message as it would be posted."""
        return face.card(self.alert, self.context)


def example(policy: Policy, house: House, *, extreme: bool = False) -> Looked:
    """A look that finds rows made up by the types of the columns that the query gives."""
    columns = columns_given(policy.query, house.catalog.assets)
    rows = made_up(policy, columns, house.at, extreme=extreme)
    names = tuple(dict.fromkeys(name for row in rows for name in row.values))
    window = window_for(policy.window, house.at, None, None)
    return Looked(
        policy,
        Window(window.start, house.at),
        RunStatus.succeeded,
        columns=names,
        rows=rows,
        violations=violations_of(rows, policy.key),
    )


def preview(looked: Looked, house: House, state: State = State.open) -> Preview | None:
    """The worst alert that these rows would open; None where they open none."""
    policy = looked.policy
    team = house.catalog.teams.get(policy.owner)
    found = reconcile(policy, looked, team, {}, {}, title)
    fires = sorted(found.fired, key=lambda fire: -fire.severity)
    if not fires:
        return None
    rows = found.evidence.get(fires[0].key, ())
    known = Known(Evidence(looked.columns, rows, len(rows)), data_until=looked.window.end)
    return shown(fires[0], house, known, state)


def shown(fire: Fire, house: House, known: Known, state: State) -> Preview:
    """The alert that this opens, after what people do for it to be in that state."""
    alert = _opened(fire, house.at)
    people = house.people("oncall", alert) or (SOMEBODY,)
    later = house if state is State.open else replace(house, at=house.at + LATER)
    alert = _after(alert, _act(state, people[0], later.at), later.at)
    return Preview(alert, later.context(alert, known), house.channel_of(alert))


def _opened(fire: Fire, now: datetime) -> Alert:
    opened = step(None, fire, now)
    assert isinstance(opened, Change)
    return replace(opened.alert, id=NUMBER)


def _act(state: State, by: str, now: datetime) -> PersonAction | None:
    match state:
        case State.acknowledged:
            return Acknowledge(by)
        case State.snoozed:
            return SnoozeFor(by, now + timedelta(hours=1), "waiting for an answer")
        case State.resolved:
            return Resolve(by, Disposition.true_positive, note="as the rows say")
    return None


def _after(alert: Alert, action: PersonAction | None, now: datetime) -> Alert:
    if action is None:
        return alert
    done = step(alert, action, now)
    assert isinstance(done, Change), done
    return done.alert
