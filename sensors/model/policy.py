"""A policy as the catalog read it: what to look for, when, how bad, whose it is. Values only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import IntEnum, StrEnum
from typing import Any

from sensors.model.case import Case
from sensors.model.session import USUAL, Session


class Nothing(Mapping[str, Any]):
    """The empty mapping, hashable so that it may be a dataclass's default."""

    def __getitem__(self, name: str) -> Any:
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0

    def __hash__(self) -> int:
        return 0


NOTHING = Nothing()


class Severity(IntEnum):
    """How bad; ordered, so that `max` and `>` mean what they say."""

    info = 0
    low = 1
    medium = 2
    high = 3
    critical = 4


class Status(StrEnum):
    """draft: checked, never run · shadow: runs, alerts go to the review channel · live · retired."""

    draft = "draft"
    shadow = "shadow"
    live = "live"
    retired = "retired"


class WhenLate(StrEnum):
    """What a policy does when a table it needs is late."""

    wait = "wait"
    run = "run"
    skip = "skip"


@dataclass(frozen=True)
class Every:
    """A fixed interval on the grid of the epoch, shifted by `offset`."""

    interval: timedelta
    offset: timedelta = timedelta()


@dataclass(frozen=True)
class Cron:
    """A five-field cron expression in a time zone."""

    expression: str
    timezone: str = "UTC"


@dataclass(frozen=True)
class After:
    """Runs when these assets or jobs have been updated (`core.orders`, `job:dbt_build`)."""

    upstream: tuple[str, ...]


Schedule = Every | Cron | After


@dataclass(frozen=True)
class Incremental:
    """Rows are events: each run looks at what has come since the last one, and `lookback` before it."""

    column: str
    lookback: timedelta = timedelta()
    delay: timedelta = timedelta()


@dataclass(frozen=True)
class Trailing:
    """Rows are conditions over the last `span`, as of the run; `baseline` lies before the span."""

    column: str
    span: timedelta
    baseline: timedelta | None = None


@dataclass(frozen=True)
class Now:
    """Rows are conditions of the world as it is."""


WindowKind = Incremental | Trailing | Now


@dataclass(frozen=True)
class Threshold:
    """Rows (or distinct values of a column) per key before it is a violation, over `within` if given."""

    count: int = 1
    within: timedelta | None = None
    distinct: str | None = None


@dataclass(frozen=True)
class Grades:
    """How bad a count is: the highest severity whose bound is reached. `by` grades a column instead."""

    bounds: tuple[tuple[Severity, float], ...]  # ascending by severity
    by: str | None = None

    @property
    def lowest(self) -> Severity:
        return self.bounds[0][0]

    def of(self, value: float) -> Severity:
        """The severity of `value`; the lowest one when no bound is reached."""
        return max((s for s, bound in self.bounds if value >= bound), default=self.lowest)


@dataclass(frozen=True)
class AlertText:
    """How an alert of this policy reads. `title` is a sandboxed Jinja template over the newest row."""

    title: str
    fields: tuple[str, ...] = ()
    columns: Mapping[str, str] = NOTHING  # column -> show | mask | hide; unlisted columns are shown


@dataclass(frozen=True, slots=True)
class Query:
    """The policy's SQL, shaped by Jinja already, in its bundle's dialect, values as `:name` binds."""

    sql: str
    dialect: str  # sqlglot's name: "snowflake", "duckdb"
    path: str  # of the .sql file, for messages
    tables: tuple[str, ...]  # that it reads, lower case
    params: Mapping[str, Any] = NOTHING  # bound besides the window's bounds
    native: Mapping[str, str] = NOTHING  # dialect -> hand-written SQL brought beside (.duckdb.sql)


@dataclass(frozen=True, slots=True)
class Policy:
    """One policy. `name` is its path with dots; `content` the SHA-256 of `body`, all that runs depend on."""

    name: str
    title: str
    owner: str
    severity: Grades
    schedule: Schedule
    key: tuple[str, ...]
    query: Query
    alert: AlertText
    content: str
    path: str  # of the .yml file, for messages
    body: str = field(default="", repr=False)
    bundle: str = "main"
    status: Status = Status.live
    window: WindowKind = field(default_factory=Now)
    needs: Mapping[str, WhenLate] = NOTHING
    row_key: tuple[str, ...] = ()  # () = every column
    threshold: Threshold = Threshold()
    offer: tuple[str, ...] = ()
    on_open: tuple[str, ...] = ()
    entity: tuple[str, ...] = ()  # columns that name whom it is about; default: the key
    violation: str | None = None
    description: str = ""
    runbook: str | None = None
    false_positives: str = ""
    tags: tuple[str, ...] = ()
    max_alerts: int = 25
    clear: str = "never"  # never | if_unacked | always
    repeat_interval: timedelta = timedelta(hours=4)
    catchup: str = "merge"  # merge | each | skip
    channel: str | None = None  # default: the owner's
    review_channel: str | None = None
    renamed_from: str | None = None
    timeout: timedelta = timedelta(minutes=5)
    budget: timedelta | None = None  # of warehouse time in 24 hours; over it the owner is told
    session: Session = USUAL  # as whom and with which compute its query is asked, and where
    sensitive: bool = False  # only its team sees its alerts, in private channels
    cases: tuple[Case, ...] = ()  # its own tests

    @property
    def domain(self) -> str:
        """The folder it lies in: `payments` of `payments.refund_spike`."""
        return self.name.rpartition(".")[0]

    @property
    def runs(self) -> bool:
        return self.status in (Status.live, Status.shadow)

    @property
    def accumulates(self) -> bool:
        """Whether its rows are events that add up, rather than conditions that come and go."""
        return isinstance(self.window, Incremental)
