"""What is wrong with a policy's cases, before they run: what they give and expect, and which are missing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from sensors.cases.case import Ground, filled
from sensors.draft import Draft
from sensors.file_policy import SEVERITIES, PolicyFile
from sensors.files import shown
from sensors.model.asset import Asset
from sensors.model.case import OF_THE_ALERT
from sensors.model.catalog import Problem
from sensors.near import near

RUNNING = ("live", "shadow")


def case_rules(one: Draft, assets: Mapping[str, Asset], project: Path) -> Iterator[Problem]:
    """Problems of one policy's cases. None of them stops the policy: its runs do not need its cases."""
    if one.file is None:
        return
    yield from _twice(one, one.file)
    yield from _missing(one, one.file)
    if one.query is not None:
        keys = tuple(one.file.key), tuple(one.file.row_key)
        ground = Ground(one.document, one.query.tables, *keys, assets, one.query.dialect, project.joinpath)
        for index, case in enumerate(one.file.cases):
            yield from filled(ground, index, case.value())[1]
            yield from _expected(one, one.file, index)


def _expected(one: Draft, file: PolicyFile, index: int) -> Iterator[Problem]:
    """What a case expects of an alert is something that the alert has."""
    if one.columns is None:
        return
    known = [*file.key, *OF_THE_ALERT, *one.columns]
    for number, alert in enumerate(file.cases[index].expect):
        for name in alert:
            if name not in known:
                said = f"an alert of this policy has no {name}{near(name, known)}"
                yield one.document.problem(("cases", index, "expect", number, name), said, key=True)
        severity = alert.get("severity")
        if severity is not None and severity not in SEVERITIES:
            said = (
                f"must be one of {', '.join(SEVERITIES)}, not {shown(severity)}{near(severity, SEVERITIES)}"
            )
            yield one.document.problem(("cases", index, "expect", number, "severity"), said)


def _twice(one: Draft, file: PolicyFile) -> Iterator[Problem]:
    names = [case.name for case in file.cases]
    for index, name in enumerate(names):
        if name in names[:index]:
            yield one.document.problem(("cases", index, "name"), "another case has this name; choose one")


def _missing(one: Draft, file: PolicyFile) -> Iterator[Problem]:
    """A policy that runs shows by its cases when it fires and when it does not."""
    if file.status in RUNNING and (said := lacking([bool(case.expect) for case in file.cases])):
        yield one.document.problem(("cases",), said, key=bool(file.cases), warning=True)


def lacking(fires: list[bool]) -> str:
    """What a policy's cases leave open, in a sentence; empty where there is a firing and a silent one."""
    if not fires:
        return "no case at all; write one that fires and one that is silent, and run `patrol test`"
    if all(fires):
        return "no case that is silent; write one with expect: []"
    return "" if any(fires) else "no case that fires; write one that expects an alert"
