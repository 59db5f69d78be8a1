"""What Airflow answers, in our words: states, runs, lines of a log. Asks nothing."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any
from urllib.parse import quote

from bot.core.job_run import JobState, Sighted
from bot.jobs.answer import at, one_line

OURS = "patrol__"  # how the ids of runs begin that Patrol started
CANCELLED = "Cancelled from Patrol."  # the note of a run that Patrol ended: Airflow knows it only as failed
STATES = {"success": JobState.succeeded, "failed": JobState.failed}
OPEN = ("queued", "running")
UNSCHEDULED = ("", "none", "null")  # how a DAG without a schedule says so


def run_id(key: str) -> str:
    """The id of the run that is started with this key: the key itself, where Airflow takes it."""
    fit = re.fullmatch(r"[A-Za-z0-9_.~:+-]{1,200}", key)
    return OURS + (key if fit else sha256(key.encode("utf-8", "replace")).hexdigest())


def state(run: Mapping[str, Any]) -> JobState:
    if run.get("state") == "failed" and str(run.get("note") or "").startswith(CANCELLED):
        return JobState.cancelled
    return STATES.get(str(run.get("state")), JobState.running)


def sighted(run: Mapping[str, Any], address: str | None) -> Sighted:
    """A run as others see it."""
    name: str = run["dag_run_id"]
    key = name.removeprefix(OURS) if name.startswith(OURS) else ""
    kind = str(run.get("run_type") or "")
    by = one_line(run.get("triggering_user_name") or (kind if kind != "manual" else ""), 100)
    return Sighted(
        external_id=name,
        state=state(run),
        started_at=moment(run.get("start_date")) or moment(run.get("queued_at")),
        ended_at=moment(run.get("end_date")),
        by="Patrol" if key else by,
        link=f"{address}{page(str(run['dag_id']), name)}" if address else None,
        outcome=one_line(run.get("state") or "", 40),
        key=key,
    )


def page(dag: str, run: str) -> str:
    """Where people look at a run, below Airflow's address."""
    return f"/dags/{quote(dag, '')}/runs/{quote(run, '')}"


def schedule(dag: Mapping[str, Any]) -> str:
    """`0 3 * * * (At 03:00)`. Of its zone Airflow says nothing that could be relied on."""
    rule = one_line(dag.get("timetable_summary") or "", 100)
    if rule.lower() in UNSCHEDULED:
        return ""
    told = one_line(dag.get("timetable_description") or "", 100)
    return f"{rule} ({told})" if told and told != rule else rule


def telling(tasks: Sequence[Any]) -> Mapping[str, Any] | None:
    """The task whose log says most: the one that failed last, else one that runs, else the last."""
    begun = [task for task in tasks if at(task, "start_date") and at(task, "try_number")]
    order = ("failed", "up_for_retry", "running")

    def rank(task: Mapping[str, Any]) -> tuple[int, str]:
        known = str(task.get("state"))
        return (len(order) - order.index(known) if known in order else 0, str(task["start_date"]))

    return max(begun, key=rank, default=None)


def lines(log: str) -> Iterator[str]:
    """Lines of a log that came as one JSON object a line; the first may be cut off, and is left out then."""
    for each in log.splitlines():
        try:
            entry = json.loads(each)
        except (ValueError, RecursionError):
            continue
        if isinstance(entry, dict) and (told := _told(entry)):
            yield told


def _told(entry: Mapping[str, Any]) -> str:
    event = one_line(entry.get("event") or "", 1000)
    if event.startswith("::"):  # its marks for folding
        return ""
    errors = [
        f"{at(error, 'exc_type')}: {one_line(at(error, 'exc_value'), 1000)}"
        for error in entry.get("error_detail") or ()
    ]
    when = moment(entry.get("timestamp"))
    level = str(entry.get("level") or "").upper()
    parts = (f"{when:%H:%M:%S}" if when else "", level, event, *errors)
    return " ".join(part for part in parts if part)


def moment(text: Any) -> datetime | None:
    try:
        told = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return told.astimezone(UTC) if told.tzinfo else told.replace(tzinfo=UTC)
