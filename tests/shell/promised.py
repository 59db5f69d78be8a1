"""What a life of Patrol is made of, and what may be expected of it: values and arithmetic, no part of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from bot.core.ledger import Stretches

POINTS = ("claim.before", "claim.after", "save.before", "save.inside", "save.after")
LONGEST_LATE = timedelta(hours=8)  # so that the next night still looks there
WITHIN = timedelta(hours=1)


@dataclass(frozen=True)
class Shape:
    """What a policy says; it changes when it is edited."""

    schedule: str = "{every: 5m}"
    lookback: timedelta = timedelta(minutes=15)
    delay: timedelta = timedelta()
    catchup: str = "merge"
    threshold: int = 1
    max_alerts: int = 25
    arrival: bool = False  # the window's column is the time of arrival
    sources: bool = True  # whether the table says until when it is loaded
    status: str = "live"
    remark: str = ""  # in its SQL

    @property
    def column(self) -> str:
        return "loaded_at" if self.arrival else "sent_at"

    def yml(self, renamed_from: str = "") -> str:
        delay = f", delay: {said(self.delay)}" if self.delay else ""
        within = f"threshold: {{count: {self.threshold}, within: 1h}}\n" if self.threshold > 1 else ""
        was = f"renamed_from: {renamed_from}\n" if renamed_from else ""
        return f"""title: Seller steers buyers to pay elsewhere
owner: payments
severity: medium
schedule: {self.schedule}
window: {{column: {self.column}, lookback: {said(self.lookback)}{delay}}}
catchup: {self.catchup}
status: {self.status}
max_alerts: {self.max_alerts}
key: [seller_id]
row_key: [message_id]
{within}alert: {{title: "{{{{ seller_id }}}} asked {{{{ count }}}} times", fields: [body]}}
{was}"""

    @property
    def sql(self) -> str:
        return f"""-- One row per message that asks to be paid elsewhere.{self.remark}
SELECT message_id, seller_id, body, sent_at, loaded_at
FROM {{{{ table('core.chat') }}}}
WHERE {{{{ in_window('{self.column}') }}}} AND body ILIKE '%pay me%'
"""

    @property
    def asset(self) -> str:
        said = f"loaded_until: {self.column}, " if self.sources else ""
        columns = (
            "message_id: varchar, seller_id: varchar, body: varchar, sent_at: timestamp, loaded_at: timestamp"
        )
        return f"core.chat: {{owner: payments, {said}load_interval: 1m,\n  columns: {{{columns}}}}}\n"


def said(span: timedelta) -> str:
    return f"{span.total_seconds():.0f}s"


@dataclass(frozen=True)
class Trouble:
    """What goes wrong, or is done, at a step; how many steps it lasts; and which of its kinds it is."""

    step: int
    kind: str
    lasts: int = 1
    which: int = 0


@dataclass(frozen=True)
class Plan:
    """A life to be lived."""

    seed: int
    shape: Shape = Shape()
    begins: datetime = datetime(2026, 1, 5, 12, tzinfo=UTC)
    steps: int = 25
    batch: int = 1  # the table is loaded every so many steps
    limit: int = 10_000  # rows that one look can read
    nodes: int = 1
    sellers: int = 6
    troubles: tuple[Trouble, ...] = ()

    def shown_as(self, flood: bool, row: Mapping[str, object]) -> str:
        """Of what counts together, the rows that a flood told stand on the card of their key once more."""
        return f"{row['message_id']}{' in a flood' if flood and self.shape.threshold > 1 else ''}"

    def has(self, *kinds: str) -> bool:
        return any(trouble.kind in kinds for trouble in self.troubles)


@dataclass
class Row:
    """A message. `at` is its time in the window's column; None: it has none."""

    name: str
    seller: str
    at: datetime | None
    arrives: datetime
    newest: datetime | None  # of the rows that were there before it came
    promised: bool = False

    def judge(self, shape: Shape) -> None:
        """Whether it came within the declared reach: not later after others than the lookback.

        A look ends at `due - delay`, or with the newest row where the table says how far it is loaded; the
        next begins a lookback before that. What is not older than that was promised to be looked at.
        """
        reach = self.arrives - shape.delay
        if shape.sources and self.newest is not None:
            reach = min(reach, self.newest)
        self.promised = self.at is not None and self.at >= reach - shape.lookback


@dataclass
class Found:
    """What Patrol has made of it: read from its store at the end."""

    began: datetime  # of its first look
    seen: set[str]
    evidence: Counter[str]
    keys: Counter[str]  # of open alerts
    by_seller: Mapping[str, tuple[int, int]]  # of its open alert: the count, and the rows of evidence
    flooded: bool
    told: set[str]  # by patrol.late_rows
    rewritten: datetime | None  # when its SQL was edited last
    nights: list[datetime]  # when it looked for late rows
    holes: Stretches
    left: list[str] = field(default_factory=list)  # runs that never ended


def wrong(plan: Plan, rows: Iterable[Row], found: Found) -> list[str]:
    """All that is not as promised, in words."""
    rows = list(rows)
    since = [row for row in rows if row.at is None or row.at >= found.began]
    return [
        *(f"{name} is shown {n} times" for name, n in found.evidence.items() if n > 1),
        *(f"{n} open alerts of {key}" for key, n in found.keys.items() if n > 1),
        *_unseen(plan, since, found),
        *_counted(plan, rows, found),
        *(f"the run {run} never ended" for run in found.left),
        *_gaps(plan, found),
    ]


def _unseen(plan: Plan, rows: Iterable[Row], found: Found) -> Iterable[str]:
    for row in rows:
        if row.name in found.seen:
            continue
        said = f"{row.name} of {row.at}, which came {row.arrives},"
        in_hole = row.at is not None and any(h.start <= row.at < h.end for h in found.holes)
        if row.promised and not may_be_passed_over(plan):
            yield f"{said} was promised and not looked at"
        if row.name not in found.told and not in_hole and not too_old(plan, row, found):
            yield f"{said} was neither looked at nor told"


def too_old(plan: Plan, row: Row, found: Found) -> bool:
    """Late rows are looked for in the 48 hours behind the reach, in the night after they came, and only where
    the policy has looked with the SQL that it has now: others may be none of its rows."""
    if row.at is None:
        return False
    if found.rewritten and row.at < found.rewritten:
        return True
    unsure = timedelta(hours=8) if plan.has("clock") else timedelta()
    night = min((night for night in found.nights if night > row.arrives + unsure), default=row.arrives)
    return night - row.at > timedelta(hours=48) - unsure


def may_be_passed_over(plan: Plan) -> bool:
    """`catchup: skip` passes over what came while nobody looked, be it that the warehouse was away. And
    nobody can know that a clock was wrong if he has not seen it jump: then rows come late, and are told."""
    away = ("outage", "paused", "away", "between", "crash", "clock", "warehouse")
    skips = plan.shape.catchup == "skip" and plan.has(*away)
    unnoticed = plan.has("clock") and plan.has("outage", "crash")
    return skips or unnoticed


def _gaps(plan: Plan, found: Found) -> Iterable[str]:
    if not may_be_passed_over(plan) and found.holes:
        yield f"holes: {found.holes}"


def _counted(plan: Plan, rows: Iterable[Row], found: Found) -> Iterable[str]:
    times: dict[str, dict[str, datetime]] = {}
    for row in rows:
        if row.name in found.seen and row.at is not None:
            times.setdefault(row.seller, {}).setdefault(row.name, row.at)
    if plan.shape.threshold > 1:
        for seller, its in times.items():
            most = densest(its.values())
            wanted = most if most >= plan.shape.threshold else 0
            count = found.by_seller.get(seller, (0, 0))[0]
            if count != wanted and not found.flooded:
                yield f"{seller} counts {count}, not {wanted}"
        return
    for name in found.seen:
        if name not in found.evidence:
            yield f"{name} was looked at and is shown nowhere"
    for seller, (count, shown) in found.by_seller.items():
        if count != shown or (not found.flooded and count != len(times.get(seller, ()))):
            yield f"{seller} counts {count}, shows {shown}, and has {len(times.get(seller, ()))}"


def densest(times: Iterable[datetime]) -> int:
    """The most rows that lie in one stretch of `within`."""
    ordered = sorted(times)
    return max((sum(at - WITHIN < other <= at for other in ordered) for at in ordered), default=0)


def edited(shape: Shape, which: int, schedules: tuple[str, ...]) -> Shape:
    """Another wording of the policy: its schedule, its lookback or a remark in its SQL."""
    match which % 4:
        case 0:
            at = schedules.index(shape.schedule)
            return replace(shape, schedule=schedules[(at + 1) % len(schedules)])
        case 1:
            return replace(shape, lookback=shape.lookback * 2 + timedelta(minutes=1))
        case 2:
            return replace(shape, lookback=max(shape.lookback / 2, timedelta(minutes=1)))
        case _:
            return replace(shape, remark=shape.remark + "!")
