"""A policy and what it would be with one small change, in its SQL or in the numbers of its YAML."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

from sensors.draft import place
from sensors.model.catalog import Catalog
from sensors.model.clock import say_duration
from sensors.model.policy import Grades, Policy
from sensors.sql.mutate import Change, beside, changes
from sensors.sql.safety import Flaw
from sensors.yaml_marks import Document
from sensors.yaml_marks import Path as Where

SOON = timedelta(seconds=5)  # a mutant that is at work longer has been noticed
WIDE = 70


@dataclass(frozen=True)
class Mutant:
    """One changed policy, and where and how it was changed."""

    policy: Policy
    operator: str
    path: str
    line: int
    column: int
    was: str
    now: str
    runs: bool = True

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column} {_short(self.was)} → {_short(self.now)}"


def _short(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= WIDE else f"{flat[:WIDE]}…"


def mutants(policy: Policy, catalog: Catalog) -> list[Mutant]:
    """Every mutant of a policy, always the same in the same order: those of the SQL, then of the YAML."""
    short = replace(policy, timeout=SOON)
    documents: dict[str, Document] = getattr(catalog, "documents", {})
    file: Callable[[str], Path] = getattr(catalog, "file", Path)
    document = documents.get(policy.path) or Document(policy.path, "")
    return [*_of_sql(short, file), *_of_yaml(short, document)]


def _of_sql(policy: Policy, file: Callable[[str], Path], native: str = "duckdb") -> Iterator[Mutant]:
    """Of the SQL that the cases run: a hand-written version for DuckDB, where there is one."""
    query = policy.query
    own = native in query.native
    path = f"{query.path.removesuffix('.sql')}.{native}.sql" if own else query.path
    dialect = native if own else query.dialect
    try:
        text = file(path).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError):
        text = ""
    sql = query.native[native] if own else query.sql
    for change in changes(sql, dialect, native):
        changed = replace(query, native={native: change.sql}) if own else replace(query, sql=change.sql)
        line, column = _placed(path, text, sql, change)
        mutant = replace(policy, query=changed)
        yield Mutant(mutant, change.operator, path, line, column, change.was, change.now, change.runs)


def _placed(path: str, text: str, sql: str, change: Change) -> tuple[int, int]:
    """Where the change stands in the template, which may say it with macros."""
    first = change.snippet.partition("\n")[0]
    words = [first, first.partition("(")[0], first.partition(" ")[0], first.partition(".")[0]]
    word = next((w for w in words if w and w in text), "")
    found = place(path, text, Flaw("", word, _came_from(text, sql, change.line)))
    macro = found.source.find("{{") + 1 if found.column == 1 else 0
    return found.line, macro or found.column


def _came_from(template: str, sql: str, line: int) -> int:
    """The template's line of which this line of its SQL was made: a macro makes many of one."""
    made, at, came_from = sql.splitlines(), 0, 1
    for number, text in enumerate(template.splitlines(), 1):
        if "{" in text or text not in made[at:]:
            continue
        at = made.index(text, at) + 1
        if at >= line:
            return number if at == line else came_from
        came_from = number + 1
    return came_from


# ------------------------------------------------------------------------------ numbers of the YAML


def _of_yaml(policy: Policy, document: Document) -> Iterator[Mutant]:
    yield from _count(policy, document)
    yield from _within(policy, document)
    yield from _severity(policy, document)
    yield from _params(policy, document)


def _mutant(policy: Policy, document: Document, where: Where, was: str, now: str) -> Mutant:
    said = document.layer(where)
    line, column = said.at(where)
    name = ".".join(str(part) for part in where)
    return Mutant(policy, "number", said.path, line, column, f"{name}: {was}", f"{name}: {now}")


def _count(policy: Policy, document: Document) -> Iterator[Mutant]:
    where, threshold = ("threshold", "count"), policy.threshold
    for count in (threshold.count - 1, threshold.count + 1) if where in document.values else ():
        if count >= 1:
            changed = replace(policy, threshold=replace(threshold, count=count))
            yield _mutant(changed, document, where, str(threshold.count), str(count))


def _within(policy: Policy, document: Document) -> Iterator[Mutant]:
    within = policy.threshold.within
    for span in (within / 2, within * 2) if within else ():
        changed = replace(policy, threshold=replace(policy.threshold, within=span))
        was = say_duration(within or span)
        yield _mutant(changed, document, ("threshold", "within"), was, say_duration(span))


def _severity(policy: Policy, document: Document) -> Iterator[Mutant]:
    """The lowest bound decides nothing: what reaches none of them has the lowest severity."""
    bounds = policy.severity.bounds
    for index, (severity, bound) in enumerate(bounds[1:], start=1):
        for value in beside(f"{bound:g}"):
            changed = (*bounds[:index], (severity, float(value)), *bounds[index + 1 :])
            graded = replace(policy, severity=Grades(changed, policy.severity.by))
            yield _mutant(graded, document, ("severity", severity.name), f"{bound:g}", value)


def _params(policy: Policy, document: Document) -> Iterator[Mutant]:
    params = policy.query.params
    for name, held in params.items():
        if isinstance(held, bool) or not isinstance(held, int | float):
            continue
        for text in beside(str(held)):
            value = int(text) if isinstance(held, int) else float(text)
            query = replace(policy.query, params={**params, name: value})
            yield _mutant(replace(policy, query=query), document, ("params", name), str(held), text)
