"""Reading alerts and what belongs to them: history, evidence, row memory. `changes.py` writes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import BindParameter, ColumnElement, Row, and_, bindparam, case, delete, func, or_, select

from bot.core.alert import Alert, Condition, Disposition, Event, Lane, Work
from bot.core.reconcile import Seen
from bot.core.reply import Earlier, Evidence
from bot.core.snooze import Scope, Target
from bot.core.trend import Opened
from bot.store.changes import hash_of
from bot.store.codec import decode, unpack_values
from bot.store.database import Database, in_parts
from bot.store.tables import BY_PEOPLE, HOLDS_KEY, evidence, history, runs, seen
from bot.store.tables import alerts as t
from bot.store.tables_snoozes import alert_entities
from bot.store.values import Behind, Keys
from sensors.model.policy import NOTHING, Severity
from sensors.model.violation import canonical
from sensors.model.window import Window

T = TypeVar("T")
ALERTS = select(t.c.id, t.c.body)
ANSWERS = ("acknowledged", "assigned", "snoozed", "resolved")  # by which somebody is on it, in a history
# Asked in every run, so built once.
POLICIES: BindParameter[str] = bindparam("policies", expanding=True)
KEYS: BindParameter[str] = bindparam("keys", expanding=True)
HELD = ALERTS.where(t.c.policy.in_(POLICIES), or_(HOLDS_KEY, t.c.resolved_at >= bindparam("since"))).order_by(
    t.c.id
)
HELD_KEYS = HELD.where(t.c.key_hash.in_(KEYS))
SEEN = select(seen).where(seen.c.policy.in_(POLICIES), seen.c.key_hash.in_(KEYS))
SEEN_SINCE = SEEN.where(or_(seen.c.event_time.is_(None), seen.c.event_time >= bindparam("since")))


BEHIND = (
    select(evidence.c.alert_id, runs.c.window_start, runs.c.window_end, runs.c.baseline_start, runs.c.content)
    .distinct()
    .add_columns(runs.c.id)
    .join_from(evidence, runs, runs.c.id == evidence.c.run_id)
    .where(evidence.c.alert_id.in_(bindparam("ids", expanding=True)), runs.c.window_end.is_not(None))
    .order_by(runs.c.id)
)


UNREADABLE = (KeyError, TypeError, ValueError, AttributeError)  # of a row whose body says what is no alert


def alert_of(row: Row[Any]) -> Alert:
    return decode(Alert, {**row.body, "id": row.id})


def readable(rows: Iterable[Row[Any]], made: Callable[[Row[Any]], T]) -> list[T]:
    """Those of many that can be read: one that cannot be hides no other, and the auditor tells of it."""
    found: list[T] = []
    for row in rows:
        with suppress(*UNREADABLE):
            found.append(made(row))
    return found


class Alerts:
    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, alert_id: int) -> Alert | None:
        return next(iter(self.many([alert_id])), None)

    def many(self, ids: Iterable[int]) -> list[Alert]:
        """Those of them that exist, by id."""
        query = ALERTS.where(t.c.id.in_(list(ids))).order_by(t.c.id)
        return self._all(query)

    def _all(self, query: Any, values: Mapping[str, Any] = NOTHING) -> list[Alert]:
        with self._database.read() as c:
            return [alert_of(row) for row in c.execute(query, dict(values))]

    def _readable(self, query: Any) -> list[Alert]:
        with self._database.read() as c:
            return readable(c.execute(query), alert_of)

    def held(
        self, policy: str, lane: Lane, *, keys: Iterable[str] | None = None, resolved_since: datetime
    ) -> dict[str, Alert]:
        """By key: the open alert, else the newest one resolved since then. `keys` None: every key."""
        return self.held_of([Keys(policy, keys, lane)], resolved_since)[0]

    def held_of(self, wanted: Sequence[Keys], resolved_since: datetime) -> list[dict[str, Alert]]:
        """The same for many policies, by two queries."""
        some = [one for one in wanted if one.keys is not None]
        hashes = {hash_of(key) for one in some for key in one.keys or ()}
        alerts = [
            *self._held({one.policy for one in wanted if one.keys is None}, [None], resolved_since),
            *self._held({one.policy for one in some}, list(in_parts(hashes)), resolved_since),
        ]
        found: dict[tuple[str, Lane], dict[str, Alert]] = {}
        for alert in alerts:
            by_key = found.setdefault((alert.policy, alert.lane), {})
            if alert.is_open or not (alert.key in by_key and by_key[alert.key].is_open):
                by_key[alert.key] = alert
        return [_only(found.get((one.policy, one.lane), {}), one.keys) for one in wanted]

    def _held(
        self, policies: Collection[str], parts: Sequence[Sequence[str] | None], since: datetime
    ) -> Iterator[Alert]:
        asked: dict[str, Any] = {"policies": list(policies), "since": since}
        for part in parts if policies else ():
            query, more = (HELD, {}) if part is None else (HELD_KEYS, {"keys": list(part)})
            yield from self._all(query, {**asked, **more})

    def open(
        self,
        *,
        policy: str | None = None,
        team: str | None = None,
        owner: str | None = None,
        unowned: bool = False,
        late: bool = False,
        snoozed: bool = False,
        severity: Severity | None = None,
        lane: Lane | None = None,
        limit: int = 200,
    ) -> list[Alert]:
        """Open alerts, worst first, newest first among equals."""
        conditions = [
            policy is None or t.c.policy == policy,
            team is None or t.c.team == team,
            owner is None or t.c.owner == owner,
            not unowned or t.c.owner.is_(None),
            not late or t.c.condition == Condition.unknown.value,
            not snoozed or t.c.snoozed_until.is_not(None),
            severity is None or t.c.severity == int(severity),
            lane is None or t.c.lane == lane.value,
        ]
        asked = [condition for condition in conditions if condition is not True]
        order = (t.c.severity.desc(), t.c.opened_at.desc(), t.c.id.desc())
        # ids alone are sorted; bodies are read only of those that are wanted
        ids = select(t.c.id).where(HOLDS_KEY, *asked).order_by(*order).limit(limit)
        return self._readable(ALERTS.where(t.c.id.in_(ids)).order_by(*order))

    def due(self, now: datetime, limit: int = 200) -> list[Alert]:
        """Open alerts whose next due time has come, longest due first."""
        due = ALERTS.where(HOLDS_KEY, t.c.due_at <= now).order_by(t.c.due_at, t.c.id).limit(limit)
        return self._readable(due)

    def has_acted(self, person: str, since: datetime) -> bool:
        """Whether the person has done anything to an alert since then."""
        theirs = (history.c.actor == person, history.c.at > since, BY_PEOPLE)
        with self._database.read() as c:
            return c.execute(select(history.c.at).where(*theirs).limit(1)).first() is not None

    def history(self, alert_id: int) -> tuple[Event, ...]:
        query = select(history).where(history.c.alert_id == alert_id).order_by(history.c.seq)
        with self._database.read() as c:
            return tuple(
                Event(r.seq, r.at, r.actor, r.kind, r.story, unpack_values(r.action))
                for r in c.execute(query)
            )

    def evidence(self, alert_id: int, limit: int = 100) -> Evidence:
        """The newest rows; `total` counts those not kept, too."""
        head = select(t.c.evidence_columns, t.c.evidence_total).where(t.c.id == alert_id)
        newest = select(evidence.c.row).where(evidence.c.alert_id == alert_id).order_by(evidence.c.id.desc())
        with self._database.read() as c:
            known = c.execute(head).first()
            rows = tuple(unpack_values(row) for row in c.execute(newest.limit(limit)).scalars())
        return (
            Evidence(tuple(known.evidence_columns or ()), rows, known.evidence_total) if known else Evidence()
        )

    def memory(self, policy: str, keys: Iterable[str], since: datetime | None) -> dict[str, dict[str, Seen]]:
        """By key and row hash: the rows seen whose event time is not before `since`, or that have none."""
        return self.memory_of([Keys(policy, keys, since=since)])[0]

    def memory_of(self, wanted: Sequence[Keys]) -> list[dict[str, dict[str, Seen]]]:
        """The same for many policies, by one query; a policy that is named twice gets all of it twice."""
        named = {hash_of(key): key for one in wanted for key in one.keys or ()}
        found: dict[str, dict[str, dict[str, Seen]]] = {one.policy: {} for one in wanted}
        sinces = [one.since for one in wanted]
        asked: dict[str, Any] = {"policies": list(found)}
        query = SEEN if None in sinces else SEEN_SINCE
        if query is SEEN_SINCE:
            asked["since"] = min(since for since in sinces if since)
        with self._database.read() as c:
            for part in in_parts(named):
                for r in c.execute(query, {**asked, "keys": list(part)}):
                    key = named[r.key_hash]
                    row = Seen(r.policy, key, r.row_hash, r.event_time, r.value, r.seen_at)
                    found[r.policy].setdefault(key, {})[r.row_hash] = row
        return [_since(found[one.policy], one.since) for one in wanted]

    def forget(self, policy: str, before: datetime) -> int:
        """Forgets rows that both happened and were seen before then."""
        old = and_(seen.c.seen_at < before, or_(seen.c.event_time.is_(None), seen.c.event_time < before))
        with self._database.write() as c:
            return c.execute(delete(seen).where(seen.c.policy == policy, old)).rowcount

    def earlier(self, alert: Alert, limit: int = 8) -> tuple[Earlier, ...]:
        """Other alerts about an entity of this one, or with its key values, under any policy: first those
        that are open, then the newest; none for an alert about nobody."""
        named = [hash_of(entity) for entity in alert.entities]
        same: list[ColumnElement[bool]] = []
        if alert.key_values:
            same.append(t.c.entity_hash == hash_of(canonical(alert.key_values)))
        if named:
            about = select(alert_entities.c.alert_id).where(alert_entities.c.entity_hash.in_(named))
            same.append(t.c.id.in_(about))
        if not same:
            return ()
        order = (case((HOLDS_KEY, 0), else_=1), t.c.id.desc())
        found = self._all(ALERTS.where(or_(*same), t.c.id != alert.id).order_by(*order).limit(limit))
        return tuple(map(_earlier, found))

    def notes(self, alert_ids: Iterable[int], limit: int = 50) -> list[tuple[int, Event]]:
        """What people wrote about these alerts, the newest first, each with the alert's id."""
        written = and_(history.c.alert_id.in_(list(alert_ids)), history.c.kind == "commented")
        query = select(history).where(written).order_by(history.c.at.desc(), history.c.seq.desc())
        with self._database.read() as c:
            return [
                (r.alert_id, Event(r.seq, r.at, r.actor, r.kind, r.story, unpack_values(r.action)))
                for r in c.execute(query.limit(limit))
            ]

    def about(
        self,
        target: Target,
        *,
        since: datetime | None = None,
        awake_before: datetime | None = None,
        limit: int = 1000,
    ) -> list[Alert]:
        """Alerts of that policy or about that entity, the newest first: of all, those opened since then, or
        those that are open and not quiet until `awake_before`."""
        if target.scope is Scope.policy:
            mine: ColumnElement[bool] = t.c.policy == target.name
        else:
            named = alert_entities.c.entity_hash == hash_of(target.name)
            mine = t.c.id.in_(select(alert_entities.c.alert_id).where(named))
        asked: list[Any] = [t.c.opened_at >= since] if since else []
        if awake_before:
            quiet = or_(t.c.snoozed_until.is_(None), t.c.snoozed_until < awake_before)
            asked += [HOLDS_KEY, quiet]
        return self._all(ALERTS.where(mine, *asked).order_by(t.c.id.desc()).limit(limit))

    def dispositions(self, policy: str, since: datetime, lane: Lane) -> dict[Disposition, int]:
        """How the policy's alerts of this lane that were resolved since then turned out."""
        query = (
            select(t.c.disposition, func.count())
            .where(
                t.c.policy == policy,
                t.c.lane == lane.value,
                t.c.resolved_at >= since,
                t.c.disposition.is_not(None),
            )
            .group_by(t.c.disposition)
        )
        with self._database.read() as c:
            return {Disposition(name): n for name, n in c.execute(query)}

    def resolved(self, policies: Iterable[str], since: datetime, disposition: Disposition) -> list[Alert]:
        """Alerts of these policies that were resolved as that since then, the newest of each part first."""
        asked = (t.c.resolved_at >= since, t.c.disposition == disposition.value)
        found = ALERTS.where(*asked).order_by(t.c.resolved_at.desc(), t.c.id.desc())
        parts = (self._all(found.where(t.c.policy.in_(part))) for part in in_parts(policies))
        return [alert for part in parts for alert in part]

    def answered(self, ids: Collection[int]) -> dict[int, datetime]:
        """When a person first acknowledged, took or gave, snoozed or resolved them; without those that nobody
        has."""
        first = select(history.c.alert_id, func.min(history.c.at)).group_by(history.c.alert_id)
        first = first.where(history.c.kind.in_(ANSWERS), BY_PEOPLE)
        found: dict[int, datetime] = {}
        with self._database.read() as c:
            for part in in_parts(list(ids)):
                for alert, at in c.execute(first.where(history.c.alert_id.in_(part))):
                    found[alert] = at
        return found

    def opened(self, policy: str, since: datetime, limit: int = 5000) -> list[Opened]:
        """The policy's alerts since then but those of backfills, which tell nothing of when; newest first."""
        query = select(t.c.opened_at, t.c.disposition, t.c.work).order_by(t.c.id.desc()).limit(limit)
        asked = (t.c.policy == policy, t.c.opened_at >= since, t.c.lane != Lane.historical.value)
        with self._database.read() as c:
            return [
                Opened(at, Disposition(what) if what else None, work != Work.resolved.value)
                for at, what, work in c.execute(query.where(*asked))
            ]

    def moved(self, team: str, since: datetime, until: datetime, limit: int = 5000) -> list[Alert]:
        """Alerts of the team that were opened or resolved in that time, the newest first."""
        times = [and_(at >= since, at < until) for at in (t.c.opened_at, t.c.resolved_at)]
        return self._all(ALERTS.where(t.c.team == team, or_(*times)).order_by(t.c.id.desc()).limit(limit))

    def fired(self, policy: str, since: datetime) -> list[Alert]:
        """Alerts of the policy that fired since then, open or not, the newest first."""
        return self._all(ALERTS.where(t.c.policy == policy, t.c.fired_at >= since).order_by(t.c.id.desc()))

    def behind(self, ids: Collection[int]) -> dict[int, Behind]:
        """What was looked at when their rows were found; those of which no rows are kept are left out."""
        found: dict[int, Behind] = {}
        with self._database.read() as c:
            for part in in_parts(list(ids)):
                for r in c.execute(BEHIND, {"ids": list(part)}):
                    found[r.alert_id] = _joined(found.get(r.alert_id), r)
        return found

    def counts(self) -> dict[str, int]:
        """Open alerts by policy."""
        query = select(t.c.policy, func.count().label("n")).where(HOLDS_KEY).group_by(t.c.policy)
        with self._database.read() as c:
            return {row.policy: row.n for row in c.execute(query)}


def _only(alerts: dict[str, Alert], keys: Iterable[str] | None) -> dict[str, Alert]:
    """Those of these keys; another policy's may have been read with them."""
    return alerts if keys is None else {key: alerts[key] for key in keys if key in alerts}


def _since(by_key: dict[str, dict[str, Seen]], since: datetime | None) -> dict[str, dict[str, Seen]]:
    """Without the rows that happened before; another policy may reach further back."""
    if since is None:
        return by_key
    kept = {
        key: {name: row for name, row in rows.items() if row.event_time is None or row.event_time >= since}
        for key, rows in by_key.items()
    }
    return {key: rows for key, rows in kept.items() if rows}


def _joined(known: Behind | None, run: Row[Any]) -> Behind:
    """The windows of several runs as one, from the first moment to the last."""
    window = Window(run.window_start, run.window_end, run.baseline_start)
    if known is not None:
        window = Window(
            _least(known.window.start, window.start),
            max(known.window.end, window.end),
            _least(known.window.baseline_start, window.baseline_start),
        )
    return Behind(window, run.content)


def _least(one: datetime | None, other: datetime | None) -> datetime | None:
    return min(one, other) if one and other else None


def _earlier(a: Alert) -> Earlier:
    terms = a.terms
    return Earlier(
        a.id, a.policy, a.title, a.disposition, a.opened_at, a.is_open, terms.team, terms.sensitive
    )
