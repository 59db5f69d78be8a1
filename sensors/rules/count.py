"""Rules about counting: thresholds and bounds that no count can reach, and keys that change no count."""

from __future__ import annotations

from collections.abc import Iterator

from sensors.draft import Draft
from sensors.file_policy import PolicyFile
from sensors.model.catalog import Problem


def count_rules(one: Draft, file: PolicyFile) -> Iterator[Problem]:
    yield from _lowest(one, file)
    yield from _unreachable(one, file)
    yield from _limited(one, file)
    if "max_alerts" in file.model_fields_set and not file.key:
        said = "means nothing with key: [], which has one alert at most"
        yield one.document.problem(("max_alerts",), said, key=True)
    for column in file.alert.fields:
        if file.alert.columns.get(column) == "hide":
            said = f"{column} is hidden by alert.columns, so the card does not show it"
            yield one.document.problem(("alert", "fields", file.alert.fields.index(column)), said)


def _lowest(one: Draft, file: PolicyFile) -> Iterator[Problem]:
    bounds = file.severity.bounds
    if file.severity.by is None and len(bounds) > 1 and bounds[1][1] <= file.threshold.count:
        (lowest, _), (second, bound) = bounds[:2]
        said = f"is never given: an alert begins at {file.threshold.count}, {second.name} at {bound:g}"
        yield one.document.problem(("severity", lowest.name), said, warning=True)


def _unreachable(one: Draft, file: PolicyFile) -> Iterator[Problem]:
    """Where every key counts 1, nothing may ask for more."""
    why = _why_one(one, file)
    if why is None:
        return
    if file.threshold.count > 1:
        said = f"{file.threshold.count} is never reached: {why}"
        yield one.document.problem(("threshold", "count"), said)
    elif file.severity.by is None and (above := [(s, b) for s, b in file.severity.bounds if b > 1]):
        severity, bound = above[0]
        said = f"{bound:g} is never reached: {why}; grade a column: {{by: …, {severity.name}: {bound:g}}}"
        yield one.document.problem(("severity", severity.name), said)


def _why_one(one: Draft, file: PolicyFile) -> str | None:
    """Why each key counts one row, or one distinct value; None where it may count more."""
    distinct = file.threshold.distinct
    if distinct is not None and distinct in file.key:
        return f"{distinct} is part of the key, so each key has one value of it"
    incremental = file.window is not None and file.window.trailing is None
    if incremental:
        if file.row_key and set(file.row_key) <= set(file.key):
            return "row_key is within the key, so each key has one row for ever"
        return None
    if one.facts.one_row_per(file.key):
        return "the query gives one row for each key"
    return None


def _limited(one: Draft, file: PolicyFile) -> Iterator[Problem]:
    """A LIMIT drops rows without a word: of events for good, and of conditions as if they were gone."""
    limit = one.facts.limit
    if limit is None:
        return
    incremental = file.window is not None and file.window.trailing is None
    if not incremental and limit < file.threshold.count:
        said = f"LIMIT {limit} is less than the threshold of {file.threshold.count}, which is never reached"
        yield one.in_sql(said, "limit")
    else:
        gone = "are never looked at again" if incremental else "count as gone"
        said = f"rows beyond LIMIT {limit} {gone}; max_alerts keeps alerts few without losing any"
        yield one.in_sql(said, "limit", warning=True)
