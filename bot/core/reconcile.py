"""From what a run found, was seen and is held, to actions. SQL picks rows; here they are counted."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from bot.core.action import Action, Clear, Fire
from bot.core.alert import Alert, Condition, Disposition, Lane
from bot.core.route import lane_of, terms_for
from sensors.model.policy import Policy, Severity
from sensors.model.run import Looked
from sensors.model.team import Team
from sensors.model.violation import FoundRow, Values, Violation, age, canonical, shown

KEPT_ROWS = 50  # of each key and run, as evidence
RESOLVED_LATELY = timedelta(days=14)  # for so long the resolved alert of a key is held against new rows
Title = Callable[[Policy, Values, int], str]


@dataclass(frozen=True)
class Seen:
    """A row that some run has looked at. `value` is kept for thresholds that count distinct values."""

    policy: str
    key: str
    row_hash: str
    event_time: datetime | None
    value: str | None = None
    seen_at: datetime | None = None


@dataclass(frozen=True)
class Reconciled:
    """What a run amounts to: actions by key, rows to remember, and the evidence of keys that fire."""

    actions: tuple[tuple[str, Action], ...] = ()
    remember: tuple[Seen, ...] = ()
    evidence: Mapping[str, tuple[Mapping[str, Any], ...]] = field(default_factory=dict)

    @property
    def fired(self) -> tuple[Fire, ...]:
        return tuple(action for _, action in self.actions if isinstance(action, Fire))


def reconcile(
    policy: Policy,
    looked: Looked,
    team: Team | None,
    memory: Mapping[str, Mapping[str, Seen]],
    held: Mapping[str, Alert],
    title: Title,
    lane: Lane | None = None,
) -> Reconciled:
    """What a good run says of every key, in the policy's own lane unless another is named.

    `memory` is what was seen before by key and row hash, over at least `threshold.within` before the window;
    `held` the open alert of each key, or else the one resolved lately. Rows of a key are new evidence when
    no run has seen them; events fire only on new evidence, conditions as long as they are there. An
    alert that opens shows also what was seen before and too little then, as far as this look finds it.
    """
    lane = lane or lane_of(policy)
    known = {v.key: memory.get(v.key, {}) for v in looked.violations}
    new = {v.key: tuple(r for r in v.rows if r.hash not in known[v.key]) for v in looked.violations}
    fires = [
        fire
        for violation in looked.violations
        if (
            fire := _fire(
                policy, violation, looked, team, known[violation.key], held.get(violation.key), title, lane
            )
        )
    ]
    rows = {v.key: v.rows if not policy.accumulates else new[v.key] for v in looked.violations}
    there = {f.key for f in fires}
    fresh = {f.key: f for f in fires if _opens(held.get(f.key), f)}
    if len(fresh) > policy.max_alerts:
        flood = _flood(policy, list(fresh.values()), team, looked, lane)
        fires = [f for f in fires if f.key not in fresh] + [flood]
        rows[flood.key] = tuple(sorted((row for key in fresh for row in rows[key]), key=age))
    counted = {f.key for f in fires if f.key not in held and f.count > len(rows[f.key])}
    rows |= {v.key: v.rows for v in looked.violations if v.key in counted}
    actions: list[tuple[str, Action]] = [(f.key, f) for f in fires]
    if not policy.accumulates and not looked.truncated:
        gone = set(held) - there - {f.key for f in fires}
        actions += [(key, Clear(looked.window.end)) for key in sorted(gone)]
    return Reconciled(tuple(actions), _remember(policy, new), _evidence(policy, fires, rows))


def remembered_since(looked: Looked) -> datetime | None:
    """The event time from which on rows that were seen before count; None where all do."""
    since, within = looked.window.start, looked.policy.threshold.within
    return since - within if since and within else since


def speaks_of(looked: Looked) -> tuple[str, ...] | None:
    """The keys of which a good look says something; None where that is every key that is held: what a look
    at conditions does not find is gone."""
    policy = looked.policy
    if not policy.accumulates:
        return None
    keys = tuple(v.key for v in looked.violations)
    return (*keys, flood_key(policy.name)) if keys else ()


def _opens(holder: Alert | None, fire: Fire) -> bool:
    """Whether it would open or reopen an alert: what is held open or stays resolved makes no flood."""
    if holder is None:
        return True
    return not holder.is_open and (fire.new_evidence or holder.condition is Condition.cleared)


def _fire(
    policy: Policy,
    violation: Violation,
    looked: Looked,
    team: Team | None,
    known: Mapping[str, Seen],
    holder: Alert | None,
    title: Title,
    lane: Lane,
) -> Fire | None:
    """The violation as an action, or None where it stays under the threshold or says nothing new."""
    new = any(row.hash not in known for row in violation.rows)
    if policy.accumulates and not new:
        return None
    count = count_of(policy, violation, known, holder, looked.window.end)
    if policy.accumulates and holder and holder.is_open:
        count = max(count, holder.count)
    elif count < policy.threshold.count:
        return None
    newest = masked(policy, violation.newest)
    severity = _severity(policy, violation, count)
    return Fire(
        policy=policy.name,
        key=violation.key,
        lane=lane,
        terms=terms_for(policy, team, severity),
        title=title(policy, {**newest, **_exact(policy, violation.newest)}, count),
        severity=severity,
        count=count,
        as_of=looked.window.end,
        new_evidence=new,
        key_values={name: shown(value) for name, value in violation.key_values.items()},
        newest=newest,
        on_open=policy.on_open if lane is Lane.live else (),  # else nothing acts on it yet
        forgiven_until=_forgiven_until(holder),
    )


def count_of(
    policy: Policy,
    violation: Violation,
    known: Mapping[str, Seen],
    holder: Alert | None,
    as_of: datetime,
) -> int:
    """Rows, or distinct values, of the key: of this run for conditions, with those remembered for events."""
    threshold = policy.threshold
    if not policy.accumulates:
        return _size(_as_seen(policy, violation.key, violation.rows, as_of), threshold.distinct)
    new = _as_seen(policy, violation.key, [r for r in violation.rows if r.hash not in known], as_of)
    forgiven = _forgiven_until(holder)
    old = [s for s in known.values() if forgiven is None or (s.seen_at or as_of) > forgiven]
    if threshold.within is None:
        before = holder.count if holder and holder.is_open and not threshold.distinct else 0
        return before + _size([*new, *(old if threshold.distinct else ())], threshold.distinct)
    return max((_size(group, threshold.distinct) for group in _windows(new, old, policy, as_of)), default=0)


def _windows(new: list[Seen], old: list[Seen], policy: Policy, as_of: datetime) -> Iterable[list[Seen]]:
    """Every stretch of `within` that ends at a row and holds at least one new row."""
    rows = sorted([*new, *old], key=lambda s: _at(s, as_of))
    fresh = {s.row_hash for s in new}
    first = 0
    for last, row in enumerate(rows):
        assert policy.threshold.within is not None
        while _at(row, as_of) - _at(rows[first], as_of) >= policy.threshold.within:
            first += 1
        group = rows[first : last + 1]
        if any(s.row_hash in fresh for s in group):
            yield group


def _at(seen: Seen, as_of: datetime) -> datetime:
    return seen.event_time or seen.seen_at or as_of


def _as_seen(policy: Policy, key: str, rows: Iterable[FoundRow], as_of: datetime) -> list[Seen]:
    column = policy.threshold.distinct
    return [
        Seen(policy.name, key, r.hash, r.event_time, _value(r.values.get(column or "")), as_of) for r in rows
    ]


def _value(value: Any) -> str | None:
    """A value of the column whose distinct values count. As in SQL, a null is none."""
    return None if value is None else str(shown(value))


def _size(rows: Iterable[Seen], distinct: str | None) -> int:
    rows = list(rows)
    return len({row.value for row in rows} - {None}) if distinct else len(rows)


def _forgiven_until(holder: Alert | None) -> datetime | None:
    """Rows seen until then were called a false positive: they are silenced, and no others."""
    if holder is None:
        return None
    called = not holder.is_open and holder.disposition is Disposition.false_positive
    return holder.resolved_at if called else holder.forgiven_until


def _severity(policy: Policy, violation: Violation, count: int) -> Severity:
    by = policy.severity.by
    if by is None:
        return policy.severity.of(count)
    try:
        return policy.severity.of(float(str(violation.newest.get(by))))
    except ValueError:
        return policy.severity.lowest


def masked(policy: Policy, values: Values) -> dict[str, Any]:
    """The row as it may be kept and shown: no hidden columns, of masked ones how their text begins."""
    rule = policy.alert.columns
    kept = {name: shown(v) for name, v in values.items() if rule.get(name, "show") != "hide"}
    return {n: _mask(values[n]) if rule.get(n) == "mask" and v is not None else v for n, v in kept.items()}


def _exact(policy: Policy, values: Values) -> dict[str, Any]:
    """Numbers and times that are shown as they are: a title may reckon with them."""
    rule = policy.alert.columns
    exact = {name: v for name, v in values.items() if rule.get(name, "show") == "show"}
    return {name: v for name, v in exact.items() if isinstance(v, float | Decimal | datetime)}


def _mask(value: Any) -> str:
    """At most two letters, and never more than a third of the text; nothing of a number."""
    begins = value[: min(2, len(value) // 3)] if isinstance(value, str) else ""
    return f"{begins}•••"


def _flood(policy: Policy, fires: list[Fire], team: Team | None, looked: Looked, lane: Lane) -> Fire:
    """More new keys in one run than anybody can work on: one alert on a reserved key speaks for all."""
    severity = max(f.severity for f in fires)
    return Fire(
        policy=policy.name,
        key=flood_key(policy.name),
        lane=lane,
        terms=terms_for(policy, team, severity),
        title=f"{policy.title}: {len(fires)} at once, more than {policy.max_alerts}",
        severity=severity,
        count=len(fires),
        as_of=looked.window.end,
        new_evidence=any(f.new_evidence for f in fires),
        newest={"keys": ", ".join(canonical(masked(policy, f.key_values)) for f in fires[:10])},
        as_file=True,
    )


def flood_key(policy: str) -> str:
    return canonical({"flood of": policy})


def _remember(policy: Policy, new: Mapping[str, tuple[FoundRow, ...]]) -> tuple[Seen, ...]:
    column = policy.threshold.distinct
    return tuple(
        Seen(policy.name, key, r.hash, r.event_time, _value(r.values.get(column or "")))
        for key, rows in new.items()
        for r in rows
    )


def _evidence(
    policy: Policy, fires: list[Fire], rows: Mapping[str, tuple[FoundRow, ...]]
) -> dict[str, tuple[Mapping[str, Any], ...]]:
    """Rows of each key that fires, newest first, masked; capped but for a flood, which keeps them all."""
    kept = {f.key: rows[f.key] if f.as_file else rows[f.key][-KEPT_ROWS:] for f in fires}
    return {key: tuple(masked(policy, row.values) for row in reversed(some)) for key, some in kept.items()}


def unknown_keys(held: Mapping[str, Alert]) -> tuple[str, ...]:
    """Conditions that are held firing and of which a failed run says nothing."""
    return tuple(
        key
        for key, alert in held.items()
        if alert.is_open and not alert.terms.accumulates and alert.condition is not Condition.unknown
    )
