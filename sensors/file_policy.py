"""The policy file's shape, and the Policy that it stands for. What needs other files is judged in check."""

from __future__ import annotations

import hashlib
import itertools
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from cronsim import CronSim, CronSimError
from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from sensors.files import Column, Door, Duration, Moment, Text, near, one_of, shown, timezones, wrong
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

SEVERITIES = [s.name for s in Severity]


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


class ScheduleFile(Door):
    every: Duration | None = None
    cron: Annotated[Text, AfterValidator(_cron)] | None = None
    timezone: Annotated[Text, AfterValidator(_timezone)] | None = None
    after: Annotated[list[Text], Field(min_length=1)] | None = None

    @model_validator(mode="after")
    def one(self) -> ScheduleFile:
        given = [name for name in ("every", "cron", "after") if getattr(self, name) is not None]
        if len(given) != 1:
            said = " and ".join(given) if given else "none"
            raise wrong(f"takes one of every, cron and after, not {said}")
        if self.every is not None and self.every < timedelta(seconds=1):
            raise wrong("must be at least 1s", "every")
        if self.timezone is not None and self.cron is None:
            raise wrong("means nothing without cron", "timezone")
        return self

    def value(self) -> Schedule:
        if self.every is not None:
            return Every(self.every)
        if self.cron is not None:
            return Cron(self.cron, self.timezone or "UTC")
        return After(tuple(name.lower() for name in self.after or ()))


class WindowFile(Door):
    column: Column
    lookback: Duration | None = None
    delay: Duration | None = None
    trailing: Duration | None = None
    baseline: Duration | None = None

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
    count: Annotated[int, Field(ge=1)] = 1
    within: Duration | None = None
    distinct: Column | None = None


class AlertFile(Door):
    title: Text | None = None
    fields: list[Column] = Field(default_factory=list)
    columns: dict[Column, Annotated[str, one_of("show", "mask", "hide")]] = Field(default_factory=dict)


class CaseFile(Door):
    name: Text
    at: Moment
    given: dict[str, list[dict[str, Any]] | str]
    expect: list[dict[str, Any]]


def _window(value: Any) -> Any:
    return None if value == "none" else value


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _param(value: Any) -> Any:
    if isinstance(value, str | int | float | bool):
        return value
    raise wrong(f"must be a text, a number, true or false, not {shown(value)}")


class PolicyFile(Door):
    title: Text
    owner: Text
    severity: Annotated[Grades, BeforeValidator(_grades)]
    schedule: ScheduleFile
    key: list[Column]
    status: Annotated[str, one_of("draft", "shadow", "live", "retired")] = "live"
    violation: Text | None = None
    runbook: Text | None = None
    false_positives: Text | None = None
    description: Text | None = None
    tags: list[Text] = Field(default_factory=list)
    window: Annotated[WindowFile | None, BeforeValidator(_window)] = None
    needs: dict[str, Annotated[str, one_of("wait", "run", "skip")]] = Field(default_factory=dict)
    row_key: list[Column] = Field(default_factory=list)
    threshold: ThresholdFile = ThresholdFile()
    alert: AlertFile = AlertFile()
    offer: list[Text] = Field(default_factory=list)
    on_open: list[Text] = Field(default_factory=list)
    params: dict[Column, Annotated[Any, BeforeValidator(_param)]] = Field(default_factory=dict)
    entity: Annotated[list[Column], BeforeValidator(_listed)] = Field(default_factory=list)
    max_alerts: Annotated[int, Field(ge=1, le=1000)] = 25
    clear: Annotated[str, one_of("never", "if_unacked", "always")] = "never"
    repeat_interval: Duration = timedelta(hours=4)
    catchup: Annotated[str, one_of("merge", "each", "skip")] = "merge"
    channel: Text | None = None
    review_channel: Text | None = None
    renamed_from: Text | None = None
    timeout: Duration = timedelta(minutes=5)
    cases: list[CaseFile] = Field(default_factory=list)

    def window_kind(self) -> WindowKind:
        return Now() if self.window is None else self.window.value()


def policy(file: PolicyFile, *, name: str, path: str, bundle: str, query: Query, body: str) -> Policy:
    """The frozen value that everybody else holds. `body` is the text of all that its runs depend on."""
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
    )
