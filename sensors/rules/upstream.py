"""Rules for `after`: what a policy, a job or an asset says that it comes after is there."""

from __future__ import annotations

from collections.abc import Iterator

from sensors.beside import Beside
from sensors.model.catalog import Problem
from sensors.model.graph import ASSETS, JOB, KINDS, POLICY, as_ref, job_ref, kind_of, name_of
from sensors.near import near

PLURAL = {JOB: "jobs", POLICY: "policies"}


def unknown(upstream: str, beside: Beside) -> str | None:
    """`no job "dbt_biuld"; did you mean "dbt_build"?`, or None where there is such a thing."""
    ref = as_ref(upstream)
    kind, name = kind_of(ref), name_of(ref)
    if kind == JOB:
        return beside.unknown("jobs", name)
    if kind == POLICY:
        return None if name in beside.policies else f'no policy "{name}"{near(name, beside.policies)}'
    if ":" not in ref or kind in ASSETS[1:]:
        return _no_asset(ref, beside)
    meant = f"; a table is its bare name, {name}" if kind == ASSETS[0] else near(kind, KINDS[1:])
    return f'"{kind}" is no kind of thing to come after: {", ".join(KINDS[1:-1])} or {KINDS[-1]}{meant}'


def _no_asset(ref: str, beside: Beside) -> str | None:
    """A policy or a job by its bare name is what one tries first."""
    said = beside.unknown("assets", ref)
    if said and ref in beside.policies:
        return f"{ref} is a policy; write {POLICY}:{ref}"
    if said and ref in (jobs := {name.lower(): name for name in beside.jobs}):
        return f"{jobs[ref]} is a job; write {JOB}:{jobs[ref]}"
    return said


def upstream_rules(beside: Beside) -> Iterator[Problem]:
    """What the bundle's own jobs and assets come after."""
    for kind in ("jobs", "assets"):
        document = beside.documents.get(kind)
        for key in document.data if document and isinstance(document.data, dict) else ():
            name = key.lower() if kind == "assets" else key
            if document is None or name in beside.broken[kind] or not beside.usable(kind, name):
                continue
            mine = name if kind == "assets" else job_ref(name)
            for index, upstream in enumerate(document.data[key].get("after") or ()):
                said = unknown(upstream, beside)
                if as_ref(upstream) == mine:
                    said = "comes after itself; take it out"
                if said:
                    yield document.problem((key, "after", index), said)
