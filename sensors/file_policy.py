"""The policy file's shape, and the Policy that it stands for. What needs other files is judged in check."""
# ruff: noqa: E501 - a description is one line, as it stands in the guide

from __future__ import annotations

import hashlib
import itertools
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from cronsim import CronSim, CronSimError
from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from sensors.file_case import CaseFile
from sensors.file_session import SessionFile
from sensors.files import (
    COLUMN,
    Channel,
    Column,
    Door,
    Duration,
    JobName,
    Schema,
    TableName,
    TeamName,
    Text,
    Upstream,
    ViolationName,
    one_of,
    shown,
    timezones,
    wrong,
)
from sensors.model.graph import as_ref
from sensors.model.policy import (
    After,
    AlertText,
    Cron,
    Every,
    Grades,
    Incremental,
    Now,
    Policy,
    Query,
    Schedule,
    Severity,
    Status,
    Threshold,
    Trailing,
    WhenLate,
    WindowKind,
)
from sensors.model.session import USUAL, Session
from sensors.near import near

SEVERITIES = [s.name for s in Severity]
GRADES = {
    "anyOf": [
        {"type": "string", "enum": SEVERITIES},
        {
            "type": "object",
            "properties": {**{word: {"type": "number"} for word in SEVERITIES}, "by": COLUMN},
            "additionalProperties": False,
            "minProperties": 1,
        },
    ],
    "examples": ["high", {"medium": 3, "high": 6}, {"by": "amount", "medium": 100, "high": 1000}],
}
TURNS = 12  # of a cron schedule that are looked at for the shortest time between two
PARAM = {"type": ["string", "number", "boolean"]}


def _grades(value: Any) -> Grades:
    """`high`, or `{medium: 3, high: 6}`, or `{by: column, medium: 0.5, high: 0.9}`."""
    if isinstance(value, str):
        return Grades(((_severity(value), 0),))
    if not isinstance(value, dict) or not value:
        raise wrong(
            f"must be a word such as high, or bounds such as {{medium: 3, high: 6}}, not {shown(value)}"
        )
    by = value.get("by")
    if by is not None and not (isinstance(by, str) and by):
        raise wrong(f"must be the name of a column, not {shown(by)}", "by")
    bounds = sorted((_severity(word, word), _bound(word, v)) for word, v in value.items() if word != "by")
    if not bounds:
        raise wrong("needs at least one bound, such as high: 6")
    for (lower, low), (higher, high) in itertools.pairwise(bounds):
        if high <= low:
            said = f"must be more than {lower.name}'s {low:g}, because {higher.name} is worse"
            raise wrong(said, higher.name)
    return Grades(tuple(bounds), by.lower() if by else None)


def _severity(word: str, *at: str) -> Severity:
    if word not in SEVERITIES:
        raise wrong(
            f'no severity "{word}"; it is one of {", ".join(SEVERITIES)}{near(word, SEVERITIES)}', *at
        )
    return Severity[word]


def _bound(word: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise wrong(f"must be a number, not {shown(value)}", word)
    return value


def _timezone(name: str) -> str:
    if name not in timezones():
        raise wrong(f'no time zone "{name}"{near(name, timezones())}')
    return name


def _cron(expression: str) -> str:
    fields = len(expression.split())
    if fields != 5:
        raise wrong(f'must have five fields (minute hour day month weekday), not {fields}: "{expression}"')
    try:
        next(CronSim(expression, datetime(2026, 1, 1, tzinfo=UTC)))
    except (CronSimError, StopIteration):
        raise wrong(f'is not a cron expression that ever comes due: "{expression}"') from None
    return expression


def _budget(span: timedelta) -> timedelta:
    if span > timedelta(days=1):
        raise wrong("must be 1 d at most: it is the warehouse time of 24 hours, such as 10m")
    return span


class ScheduleFile(Door):
    every: Duration | None = Field(
        default=None, description="A duration such as 30s, 15m, 2h or 1d, on the grid of the clock"
    )
    cron: Annotated[Text, AfterValidator(_cron)] | None = Field(
        default=None, description='Five fields: minute hour day month weekday, such as "0 9 * * 1-5"'
    )
    timezone: Annotated[Text, AfterValidator(_timezone)] | None = Field(
        default=None, description="Of `cron`; UTC unless said otherwise"
    )
    after: Annotated[list[Upstream], Field(min_length=1)] | None = Field(
        default=None,
        description="It runs once for each time that all of these have been updated: `core.orders`, `job:dbt_build`, `policy:payments.refund_spike`",
    )

    @model_validator(mode="after")
    def one(self) -> ScheduleFile:
        self.check()
        return self

    def check(self) -> None:
        """Raises what is wrong with it."""
        given = [name for name in ("every", "cron", "after") if getattr(self, name) is not None]
        if len(given) != 1:
            said = " and ".join(given) if given else "none"
            raise wrong(f"takes one of every, cron and after, not {said}")
        if self.every is not None and self.every < timedelta(seconds=1):
            raise wrong("must be at least 1s", "every")
        if self.timezone is not None and self.cron is None:
            raise wrong("means nothing without cron", "timezone")

    def shortest(self) -> timedelta | None:
        """The least time between two looks; None where what comes before says when."""
        if self.cron is None:
            return self.every
        times = list(itertools.islice(CronSim(self.cron, datetime(2026, 1, 1, tzinfo=UTC)), TURNS))
        return min((later - at for at, later in itertools.pairwise(times)), default=None)

    def value(self) -> Schedule:
        if self.every is not None:
            return Every(self.every)
        if self.cron is not None:
            return Cron(self.cron, self.timezone or "UTC")
        return After(tuple(map(as_ref, self.after or ())))


class WindowFile(Door):
    column: Column = Field(description="The column that says when a row happened, or when it came")
    lookback: Duration | None = Field(default=None, description="How late a row may come after others")
    delay: Duration | None = Field(default=None, description="How long to leave the newest rows alone")
    trailing: Duration | None = Field(
        default=None,
        description="Look at this long a time before the newest row, each time anew: rows are conditions",
    )
    baseline: Duration | None = Field(
        default=None, description="With `trailing`: how long a time before it `in_baseline` looks at"
    )

    @model_validator(mode="after")
    def kind(self) -> WindowFile:
        if self.trailing is not None:
            for name in ("lookback", "delay"):
                if getattr(self, name) is not None:
                    said = "means nothing with trailing, which looks at its whole span each time"
                    raise wrong(said, name)
        elif self.baseline is not None:
            raise wrong("means nothing without trailing", "baseline")
        return self

    def value(self) -> WindowKind:
        if self.trailing is not None:
            return Trailing(self.column, self.trailing, self.baseline)
        return Incremental(self.column, self.lookback or timedelta(), self.delay or timedelta())


class ThresholdFile(Door):
    count: Annotated[int, Field(ge=1)] = Field(
        default=1, description="Rows of a key before it is a violation"
    )
    within: Duration | None = Field(
        default=None, description="The time over which rows of an incremental window add up"
    )
    distinct: Column | None = Field(
        default=None, description="Count the different values of this column instead of rows"
    )


class AlertFile(Door):
    title: Text | None = Field(
        default=None, description="The alert's own title: columns of the newest row, and `count`"
    )
    fields: list[Column] = Field(
        default_factory=list, description="Columns that the card shows, in this order"
    )
    columns: dict[Column, Annotated[str, one_of("show", "mask", "hide")]] = Field(
        default_factory=dict, description="`{body: mask, email: hide}`: how columns are shown"
    )


def _window(value: Any) -> Any:
    return None if value == "none" else value


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _param(value: Any) -> Any:
    if isinstance(value, str | int | float | bool):
        return value
    raise wrong(f"must be a text, a number, true or false, not {shown(value)}")


class PolicyFile(Door):
    title: Text = Field(description="Its name for people")
    owner: TeamName = Field(
        description="A team of `_teams.yml`: its channel, people and ladder are the alert's"
    )
    severity: Annotated[Grades, BeforeValidator(_grades), Schema(GRADES)] = Field(
        description="One word, or bounds on the count: `{medium: 3, high: 6}`, or on a column: `{low: 100, high: 1000, by: amount}`"
    )
    schedule: ScheduleFile = Field(
        description='`{every: 5m}`, on the grid of the clock; `{cron: "0 9 * * 1-5", timezone: America/New_York}`; or `{after: [core.orders, job:dbt_build]}`, once all of these have been updated'
    )
    key: list[Column] = Field(
        description="The columns that say what an alert is about: one open alert per key; `[]` is the whole platform"
    )
    status: Annotated[str, one_of("draft", "shadow", "live", "retired")] = Field(
        default="live",
        description="`draft`: checked, never run · `shadow`: runs, its alerts go to the review channel and page nobody · `live` · `retired`",
    )
    violation: ViolationName | None = Field(
        default=None,
        description="An entry of `_violations.yml`: what it is, and what an agent may do about it",
    )
    runbook: Text | None = Field(default=None, description="Where it is written what to do: `https://…`")
    false_positives: Text | None = Field(
        default=None, description="What looks like it and is none, for the people who get the alert"
    )
    description: Text | None = Field(
        default=None, description="More about it, for the people who get the alert"
    )
    tags: list[Text] = Field(default_factory=list, description="Words to find it by")
    window: Annotated[WindowFile | None, BeforeValidator(_window), Schema(or_else={"const": "none"})] = Field(
        default=None, description="Which rows a look sees, by their time; without it the world as it is"
    )
    needs: dict[TableName, Annotated[str, one_of("wait", "run", "skip")]] = Field(
        default_factory=dict,
        description="`{core.orders: wait}`: what to do while that table is later than its `late_after`. `wait` looks as soon as it has come, `skip` at the next due time, `run` all the same, as with a table that is not named",
    )
    row_key: list[Column] = Field(
        default_factory=list,
        description="The columns that make a row the same row; all of them unless said otherwise",
    )
    threshold: ThresholdFile = Field(
        default=ThresholdFile(),
        description="`{count: 3, within: 24h}`: rows per key; `{distinct: buyer_id, count: 3, …}` counts values instead",
    )
    alert: AlertFile = Field(
        default=AlertFile(),
        description="`title` (columns come from the newest row, and `count`), `fields`, `columns: {body: mask, email: hide}`",
    )
    offer: list[JobName] = Field(
        default_factory=list, description="Jobs of `_jobs.yml` that the card offers as buttons"
    )
    on_open: list[JobName] = Field(
        default_factory=list, description="Jobs of `_jobs.yml` that are started when an alert opens"
    )
    params: dict[Column, Annotated[Any, BeforeValidator(_param), Schema(PARAM)]] = Field(
        default_factory=dict, description="Values that the SQL names as `:name`; they are bound, never pasted"
    )
    entity: Annotated[list[Column], BeforeValidator(_listed), Schema(or_else=COLUMN)] = Field(
        default_factory=list,
        description=(
            "Columns that name whom it is about, where that is not the key: their page of `_entities.yml` is"
            " what the card's button opens. Alerts are one for each key all the same"
        ),
    )
    max_alerts: Annotated[int, Field(ge=1, le=1000)] = Field(
        default=25, description="With more new keys in one run, one alert speaks for all"
    )
    clear: Annotated[str, one_of("never", "if_unacked", "always")] = Field(
        default="never",
        description="`never`, `if_unacked`, `always`: whether a condition that is gone closes its alert (trailing and state)",
    )
    repeat_interval: Duration = Field(
        default=timedelta(hours=4), description="How long after the last step of the ladder it is told again"
    )
    catchup: Annotated[str, one_of("merge", "each", "skip")] = Field(
        default="merge",
        description="How due times that nobody ran are made up for (incremental): `merge`, `each`, `skip`; see *What was missed*",
    )
    channel: Channel | None = Field(
        default=None, description="Slack's id of the channel of its alerts, instead of the team's"
    )
    review_channel: Channel | None = Field(
        default=None, description="Slack's id of the channel of its alerts in shadow, instead of the team's"
    )
    sensitive: bool | None = Field(
        default=None,
        description="`true`: only its team sees its alerts, and they are posted to private channels alone; see *Sensitive policies*",
    )
    renamed_from: Text | None = Field(
        default=None,
        description="The name it had before its files were moved: its alerts, rows and time go over",
    )
    timeout: Duration = Field(default=timedelta(minutes=5), description="How long its query may take")
    budget: Annotated[Duration, AfterValidator(_budget)] | None = Field(
        default=None,
        description="How much warehouse time all its runs of 24 hours may take, such as `10m`; over it its owner is told, and it goes on. See *What it costs*",
    )
    session: SessionFile = Field(
        default=SessionFile(),
        description="`{role: patrol_pii, warehouse: patrol_l, schema: payments}`, any of them: as whom, with which compute and where its query is asked, instead of what the warehouse's address says; see *Another role, another warehouse*",
    )
    cases: list[CaseFile] = Field(
        default_factory=list,
        description="The policy's own tests: rows given, alerts expected; see *Cases*",
    )

    def window_kind(self) -> WindowKind:
        return Now() if self.window is None else self.window.value()


def policy(
    file: PolicyFile, *, name: str, path: str, bundle: str, query: Query, body: str, session: Session = USUAL
) -> Policy:
    """The frozen value that everybody else holds. `body` is the text of all that its runs depend on.

    `session`: the bundle's, for what the file does not say.
    """
    return Policy(
        name=name,
        title=file.title,
        owner=file.owner,
        severity=file.severity,
        schedule=file.schedule.value(),
        key=tuple(file.key),
        query=query,
        alert=AlertText(file.alert.title or file.title, tuple(file.alert.fields), dict(file.alert.columns)),
        content=hashlib.sha256(body.encode()).hexdigest(),
        body=body,
        path=path,
        bundle=bundle,
        status=Status(file.status),
        window=file.window_kind(),
        needs={t.lower(): WhenLate(word) for t, word in file.needs.items() if t.lower() in query.tables},
        row_key=tuple(file.row_key),
        threshold=Threshold(file.threshold.count, file.threshold.within, file.threshold.distinct),
        offer=tuple(file.offer),
        on_open=tuple(file.on_open),
        entity=tuple(file.entity or file.key),
        violation=file.violation,
        description=file.description or "",
        runbook=file.runbook,
        false_positives=file.false_positives or "",
        tags=tuple(file.tags),
        max_alerts=file.max_alerts,
        clear=file.clear,
        repeat_interval=file.repeat_interval,
        catchup=file.catchup,
        channel=file.channel,
        review_channel=file.review_channel,
        renamed_from=file.renamed_from,
        timeout=file.timeout,
        budget=file.budget,
        session=file.session.value().over(session),
        sensitive=bool(file.sensitive),
        cases=tuple(case.value() for case in file.cases),
    )
