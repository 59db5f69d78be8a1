"""What a step gives back: the alert as it now is with its story and effects, or a refusal in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from bot.core.action import MACHINE, Action
from bot.core.alert import Alert, Event
from bot.core.record import action_record
from sensors.model.policy import NOTHING


class EffectKind(StrEnum):
    """What must happen once because of a change."""

    reply = "reply"  # a line in the alert's thread
    page = "page"  # a ladder step is told, in the thread and broadcast
    call_pager = "call_pager"  # a ladder step is told by the team's pager, which rings a phone
    tell = "tell"  # a person is told, in the thread, by name
    file = "file"  # all its rows, as a file in the thread
    start_job = "start_job"
    rerun = "rerun"


@dataclass(frozen=True)
class Effect:
    """Written with the change, done after it, in order, judged again when it is done.

    `text` is plain text (Slack's rooms escape it). `to` is a ladder reference (oncall, team, lead, pager, a
    member's name) or a Slack user id. `step` and `work_seq` say for which state of the alert it was meant.
    """

    kind: EffectKind
    text: str = ""
    to: str | None = None
    broadcast: bool = False
    work_seq: int = 0
    data: Mapping[str, Any] = NOTHING


ALL_ROWS = Effect(EffectKind.file, "All rows, as a file.")


@dataclass(frozen=True)
class Change:
    """The alert after the action, one line of history, and what must follow. `event.story` says why."""

    alert: Alert
    event: Event
    effects: tuple[Effect, ...] = ()
    before: Alert | None = None  # as it was; None where it was not there

    @property
    def opens(self) -> bool:
        return self.alert.version == 1


@dataclass(frozen=True)
class Refused:
    """Why not, in a sentence for the person who asked; `undo_hint` names what to do instead."""

    why: str
    hint: str = ""


@dataclass(frozen=True)
class Same:
    """Nothing to do: the action says nothing new. Not an error, and no line of history."""

    why: str = ""


Outcome = Change | Refused | Same


@dataclass(frozen=True)
class StoredEffect:
    """An effect as the store keeps it."""

    id: int
    alert: int
    change_seq: int  # the event's seq
    effect: Effect
    state: str  # pending | sending | done | dropped | parked
    attempts: int = 0
    at: datetime | None = None
    since: datetime | None = None  # when it came to be


def changed(
    before: Alert,
    after: Alert,
    now: datetime,
    actor: str,
    kind: str,
    story: str,
    action: Action,
    effects: tuple[Effect, ...] = (),
) -> Change:
    """`after` with its counters moved on: `work_seq` only where a person acted."""
    event = Event(before.version + 1, now, actor, kind, story, action_record(action))
    by_person = actor != MACHINE
    woken = before.snooze is not None and before.snooze.of > 0 and after.snooze is None and after.is_open
    counted = replace(
        after,
        apart_at=now if woken else after.apart_at,
        version=before.version + 1,
        work_seq=before.work_seq + by_person,
        face_seq=before.face_seq + 1,
        last_event=story,
        last_event_at=now,
        last_event_by=actor,
    )
    return Change(counted, event, effects, before)
