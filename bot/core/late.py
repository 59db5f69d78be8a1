"""`patrol.late_rows`: rows that came after their time had been looked at, or that have none. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.core.action import Action, Clear, Fire
from bot.core.alert import Alert
from bot.core.builtin import LANE, SEVERITY, terms_of
from bot.core.gaps import backfill
from bot.core.ledger import Stretch
from bot.core.reconcile import Seen
from bot.core.words import count
from sensors.model.policy import Policy
from sensors.model.team import Team
from sensors.model.violation import FoundRow, Violation, canonical

LATE_ROWS = "patrol.late_rows"
BEHIND = timedelta(hours=48)  # so far behind a policy's reach its rows are looked at once more
FAR_BEHIND = timedelta(days=13)  # once a week, and while some are told of; runs are kept for a day longer
SUNDAY = 6
SECOND = timedelta(seconds=1)


@dataclass(frozen=True)
class Late:
    """What a policy has not seen though it has looked there, oldest first; and its rows without a time."""

    rows: tuple[FoundRow, ...] = ()
    untimed: tuple[FoundRow, ...] = ()

    @property
    def count(self) -> int:
        return len(self.rows) + len(self.untimed)


def late_key(policy: str) -> str:
    return canonical({"policy": policy})


def behind(reach: datetime, night: datetime, holder: Alert | None) -> Stretch:
    """The time in which nothing should come any more, as far as it is looked at in this night."""
    far = night.weekday() == SUNDAY or (holder is not None and holder.is_open)
    return Stretch(reach - (FAR_BEHIND if far else BEHIND), reach)


def unseen(
    violations: tuple[Violation, ...], memory: Mapping[str, Mapping[str, Seen]]
) -> tuple[FoundRow, ...]:
    """The rows that no run has looked at."""
    return tuple(row for v in violations for row in v.rows if row.hash not in memory.get(v.key, {}))


def late_rows(policy: Policy, found: Late, team: Team | None, holder: Alert | None, now: datetime) -> Action:
    """What it means for the owner: an alert that says what to do, or that all is well."""
    if not found.count:
        return Clear(now)
    times = [row.event_time for row in found.rows if row.event_time]
    newest = f"{max(times):%Y-%m-%d %H:%M:%S} UTC" if times else ""
    more = holder is None or found.count > holder.count or newest > str(holder.newest.get("newest", ""))
    return Fire(
        policy=LATE_ROWS,
        key=late_key(policy.name),
        lane=LANE,
        terms=replace(terms_of(policy.owner, team), sensitive=policy.sensitive),  # it shows its rows
        title=f"{policy.name}: {_title(found, newest)}"[:200],
        severity=SEVERITY,
        count=found.count,
        as_of=now,
        new_evidence=more,
        key_values={"policy": policy.name},
        newest={"policy": policy.name, "why": _advice(policy, found, times), "newest": newest},
    )


def _title(found: Late, newest: str) -> str:
    parts = []
    if found.rows:
        parts.append(f"{count(len(found.rows), 'row')} came too late to be looked at, the newest of {newest}")
    if found.untimed:
        parts.append(f"{count(len(found.untimed), 'row')} without a time, so in no window")
    return "; ".join(parts)


def _advice(policy: Policy, found: Late, times: list[datetime]) -> str:
    said = []
    if times:
        command = backfill(policy.name, Stretch(min(times), max(times) + SECOND))
        said.append(
            f"look at them with `{command} --again`; if it goes on, give the window a larger lookback, "
            "correct the table's load_interval, or use the time of arrival as the window's column"
        )
    if found.untimed:
        said.append("give the rows a time where they are loaded, or use a column that always has one")
    return "; ".join(said)
