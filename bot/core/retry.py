"""When a run that failed for a passing reason is tried again, and when it has failed for long. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.core.plan import next_due
from sensors.model.run import Looked, Run, RunStatus

FIRST = timedelta(seconds=10)
LONGEST = timedelta(minutes=10)
KEEPS_ON = timedelta(days=1)  # after a run was due; a schedule without a next time ends it so
TIMEOUTS = 3  # each costs the warehouse the policy's whole time, and mostly ends alike

TICKS = 3  # failed in a row, or …
TRIES = 5  # … tries of them (150 s after the first), before a passing reason is called a lasting one


def retry_at(run: Run, looked: Looked, now: datetime) -> datetime | None:
    """When the failed run is tried again; None where trying again is of no use.

    Bad SQL stays bad. What a person asked for he has been answered. And where the policy's next tick comes as
    soon, that one looks: it sees all that this one would have seen.
    """
    if looked.ok or not looked.transient or not run.cause.moves_watermark:
        return None
    if looked.status is RunStatus.timed_out and run.attempt >= TIMEOUTS:
        return None
    at = now + min(FIRST * 2 ** min(run.attempt - 1, 20), LONGEST)
    following = next_due(looked.policy.schedule, run.due)
    return None if at >= (following or run.due + KEEPS_ON) else at


def lasts(looked: Looked, ticks: int, tries: int) -> bool:
    """Whether a passing reason has kept a policy from looking for so long that its owner must hear of it.

    `ticks` counts failed runs in a row, `tries` the attempts that they made, both with the last one.
    """
    enough = TIMEOUTS if looked.status is RunStatus.timed_out else TRIES
    return ticks >= TICKS or tries >= enough
