"""The schedule of EventBridge by which a job is started over there: seen, stopped, and given another pace.

Its own pace is kept where it belongs, in the schedule's description, until it has it again."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from bot.jobs import own_pace
from bot.jobs.answer import one_line
from bot.jobs.sagemaker.client import Aws, answered_at
from bot.process.errors import JobRefused
from sensors.model.clock import utc

NAME = re.compile(r"(?:([0-9a-zA-Z_.-]{1,64})/)?([0-9a-zA-Z_.-]{1,64})")  # of its group, and its own
SPELLED = r"(?:rate|cron|at)\([^()\]]{1,200}\)"  # a pace
ROOM = 512  # characters of a description
KEPT = (
    "Name", "GroupName", "ScheduleExpression", "ScheduleExpressionTimezone", "StartDate", "EndDate", "State",
    "Description", "KmsKeyArn", "Target", "FlexibleTimeWindow", "ActionAfterCompletion",
)  # fmt: skip


def seen(aws: Aws, name: str) -> tuple[str, bool]:
    """How it says when it starts the job, and whether it is stopped."""
    found = _found(aws, name)
    zone = found.get("ScheduleExpressionTimezone") or "UTC"
    _, own = _kept(found)
    said = f"{found['ScheduleExpression']} {zone}" + (f", its own pace is {own}" if own else "")
    return one_line(said), found.get("State") == "DISABLED"


def pause(aws: Aws, name: str, paused: bool) -> str:
    state = "DISABLED" if paused else "ENABLED"
    found = _found(aws, name)
    if found.get("State", "ENABLED") == state:
        return f"The schedule {name} {'is stopped' if paused else 'goes'} already."
    _set(aws, found, State=state)
    return f"The schedule {name} {'is stopped' if paused else 'goes on'}."


def every(aws: Aws, name: str, interval: timedelta | None) -> str:
    found = _found(aws, name)
    (words, own), now = _kept(found), found["ScheduleExpression"]
    if interval is None:
        if not own:
            return f"The schedule {name} has its own pace already: {now}."
        _set(aws, found, ScheduleExpression=own, Description=words)
        return f"The schedule {name} has its own pace again: {own}."
    wanted, kept = _rate(interval), own_pace.keep(words, own or now)
    if len(kept) > ROOM:
        raise JobRefused(f"The description of the schedule {name} has no room in which to keep its own pace.")
    _set(aws, found, ScheduleExpression=wanted, Description=kept)
    return f"The schedule {name} has the pace {wanted}; its own is {own or now}."


def _rate(interval: timedelta) -> str:
    """In the largest whole unit that EventBridge knows."""
    minutes, rest = divmod(interval, timedelta(minutes=1))
    if rest or minutes < 1:
        raise JobRefused("EventBridge counts in whole minutes: give it a pace such as 5m or 2h.")
    unit, size = next(u for u in (("day", 1440), ("hour", 60), ("minute", 1)) if minutes % u[1] == 0)
    count = minutes // size
    return f"rate({count} {unit}{'' if count == 1 else 's'})"


def _kept(found: Mapping[str, Any]) -> tuple[str, str]:
    """The words of its description, and its own pace while it has another."""
    return own_pace.find(found.get("Description", ""), SPELLED)


def _found(aws: Aws, name: str) -> Mapping[str, Any]:
    group, _, own = name.rpartition("/")
    return aws.ask("scheduler", "GetSchedule", Name=own, **({"GroupName": group} if group else {}))


def _set(aws: Aws, found: Mapping[str, Any], **changed: Any) -> None:
    """Everything else about it stays as it is: an update without it would take it away. A beginning that lies
    behind it has no effect any more, and would be refused."""
    whole = {key: found[key] for key in KEPT if found.get(key) is not None} | changed
    begins, now = whole.get("StartDate"), answered_at(found)
    if begins is not None and now is not None and utc(begins) <= now:
        del whole["StartDate"]
    aws.ask("scheduler", "UpdateSchedule", **{key: value for key, value in whole.items() if value != ""})
