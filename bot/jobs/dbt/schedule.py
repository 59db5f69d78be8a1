"""When dbt Cloud starts a job: read from what it says of it, spelled for a pace, kept in its description.

Which request says it to dbt Cloud is cloud.py's.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta
from typing import Any

from bot.jobs import own_pace
from bot.jobs.answer import one_line
from bot.jobs.dbt.results import mapping
from bot.process.errors import JobRefused

SPELLED = r"\{(?:[^{}]|\{[^{}]*\}){1,2000}\}"  # a schedule as JSON
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
EVEN = (1, 2, 3, 4, 6, 8, 12)  # hours after which midnight comes when it is due


def of(job: Mapping[str, Any]) -> dict[str, Any]:
    """Its schedule as it may be sent back, without what is null; empty where the job has none."""
    found = _without_null(mapping(job.get("schedule")))
    return found if _whole(found) else {}


def runs(job: Mapping[str, Any]) -> bool:
    """Whether dbt Cloud starts it by its schedule."""
    return mapping(job.get("triggers")).get("schedule") is True


def kept(job: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """The words of its description, and its own schedule while it has another, else empty."""
    words, own = own_pace.find(_description(job), SPELLED)
    with suppress(ValueError, RecursionError):  # which people may have written into
        if _whole(said := json.loads(own)):
            return words, said
    return words, {}


def keeping(words: str, own: Mapping[str, Any]) -> str:
    return own_pace.keep(words, json.dumps(own, ensure_ascii=False))


def at_pace(interval: timedelta) -> dict[str, Any]:
    """The schedule of a pace. dbt Cloud counts hours anew from each midnight, UTC."""
    if interval == DAY:
        return {"date": {"type": "every_day"}, "time": {"type": "at_exact_hours", "hours": [0]}}
    hours, rest = divmod(interval, HOUR)
    if rest or hours not in EVEN:
        raise JobRefused(
            "dbt Cloud counts in hours from midnight: give it a pace of 1h, 2h, 3h, 4h, 6h, 8h, 12h or 1d."
        )
    return {"date": {"type": "every_day"}, "time": {"type": "every_hour", "interval": hours}}


def words(schedule: Mapping[str, Any]) -> str:
    """As people read it: its cron expression, which dbt Cloud tells with each schedule."""
    cron = schedule.get("cron") or mapping(schedule.get("date")).get("cron")
    if isinstance(cron, str) and cron.strip():
        return f"cron {one_line(cron, 100)} UTC"
    return one_line(json.dumps(schedule), 200)


def _description(job: Mapping[str, Any]) -> str:
    said = job.get("description")
    return said if isinstance(said, str) else ""


def _whole(said: Any) -> bool:
    return isinstance(said, dict) and all(mapping(said.get(part)).get("type") for part in ("date", "time"))


def _without_null(value: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: _without_null(said) if isinstance(said, dict) else said
        for name, said in value.items()
        if said is not None
    }
