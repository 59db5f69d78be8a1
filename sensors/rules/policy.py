"""Rules for one policy given everything beside it: what it names is there, and what it says has a meaning."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping

from sensors.beside import Beside
from sensors.draft import Draft, place
from sensors.file_policy import PolicyFile
from sensors.model.catalog import Problem
from sensors.model.job import Job
from sensors.near import near
from sensors.rules.count import count_rules
from sensors.rules.tables import table_rules
from sensors.rules.upstream import unknown
from sensors.rules.window import window_rules
from sensors.sources import sql_path
from sensors.sql.safety import Flaw
from sensors.title import title_names, title_problem
from sensors.yaml_marks import Path

BRACES = re.compile(r"(?<!\{)(\$?\{ *(\w+) *\})(?!\})")
NO_NUMBER = ("VARCHAR", "BOOLEAN", "DATE", "TIME", "UUID", "STRUCT")
MEASURE = re.compile(r"DOUBLE|FLOAT|INTERVAL|DECIMAL\(\d+,(?!0\))")


def rules(one: Draft, beside: Beside, policies: Collection[str]) -> Iterator[Problem]:
    """What is wrong with one policy; `policies` are the names of all."""
    yield from _tables(one, beside)
    for slip in one.facts.slips:
        yield place(sql_path(one.name), one.sql, Flaw(slip.what, slip.word, slip.line), warning=True)
    if one.file is None:
        return
    yield from _names(one, one.file, beside, policies)
    yield from _needs(one, one.file, beside)
    yield from _title(one, one.file)
    if one.columns is not None:
        yield from column_rules(one, one.file, one.columns)
    yield from _params(one, one.file, beside)
    yield from _unseen_updates(one, one.file, beside)
    yield from _entity(one, one.file, beside)
    yield from count_rules(one, one.file)
    if one.query is not None:
        yield from window_rules(one, one.file, beside)
        yield from table_rules(one, one.file, one.query, beside)


def _tables(one: Draft, beside: Beside) -> Iterator[Problem]:
    if one.query is None or one.shaped is None:
        return
    for table in one.query.tables:
        if said := beside.unknown("assets", table):
            yield one.in_sql(said, table)
        elif table not in one.shaped.tables:
            yield one.in_sql(f"write {{{{ table('{table}') }}}} instead of {table}", table)
        elif one.file and one.file.status == "live" and beside.tier(table) == "scratch":
            yield one.in_sql(f"{table} is a scratch table; a live policy reads only kept ones", table)


def _names(one: Draft, file: PolicyFile, beside: Beside, policies: Collection[str]) -> Iterator[Problem]:
    named: list[tuple[Path, str, str]] = [(("owner",), "teams", file.owner)]
    if file.violation:
        named.append((("violation",), "violations", file.violation))
    for where in ("offer", "on_open"):
        named += [((where, i), "jobs", job) for i, job in enumerate(getattr(file, where))]
    for at, kind, name in named:
        if said := beside.unknown(kind, name):
            yield one.document.problem(at, said)
    for index, upstream in enumerate(file.schedule.after or ()):
        if said := unknown(upstream, beside):
            yield one.document.problem(("schedule", "after", index), said)
    if file.renamed_from in policies:
        said = f"{file.renamed_from} is still there; a policy takes over only from one that is gone"
        yield one.document.problem(("renamed_from",), said)


def _needs(one: Draft, file: PolicyFile, beside: Beside) -> Iterator[Problem]:
    if one.query is None:
        return
    read = one.query.tables
    of_folder = "needs" in one.taken  # then it speaks of the tables of all policies there
    for table in file.needs:
        if said := beside.unknown("assets", table.lower()):
            yield one.document.problem(("needs", table), said, key=True)
        elif table.lower() not in read and not of_folder:
            said = f"the SQL does not read {table}{near(table, read)}"
            yield one.document.problem(("needs", table), said, key=True)
    given = {table.lower() for table in file.needs}
    missing = [] if of_folder else [t for t in read if t not in given and beside.usable("assets", t)]
    if file.needs and missing:
        said = f"the SQL also reads {' and '.join(missing)}; say wait, run or skip for it too"
        yield one.document.problem(("needs",), said)


def _title(one: Draft, file: PolicyFile) -> Iterator[Problem]:
    if "{{" in file.title or "{%" in file.title:
        yield one.document.problem(("title",), "a template belongs in alert.title; this is the policy's name")
    if file.alert.title and (said := title_problem(file.alert.title)):
        yield one.document.problem(("alert", "title"), said)
    if file.runbook and not re.match(r"https?://[^/\s]", file.runbook):
        said = "is no address, so the card cannot open it: write https://…, or say it in description"
        yield one.document.problem(("runbook",), said, warning=True)


def column_rules(one: Draft, file: PolicyFile, given: Collection[str]) -> Iterator[Problem]:
    """Every column that the YAML names is one of those that the query gives."""
    named: list[tuple[Path, str, bool]] = []
    for where in ("key", "row_key", "entity"):
        named += [((where, i), column, False) for i, column in enumerate(getattr(file, where))]
    named += [(("alert", "fields", i), column, False) for i, column in enumerate(file.alert.fields)]
    named += [(("alert", "columns", column), column, True) for column in file.alert.columns]
    if file.alert.title and not title_problem(file.alert.title):
        named += [(("alert", "title"), column, False) for column in sorted(title_names(file.alert.title))]
    if file.threshold.distinct:
        named.append((("threshold", "distinct"), file.threshold.distinct, False))
    if file.severity.by:
        named.append((("severity", "by"), file.severity.by, False))
    for at, column, key in named:
        if column not in given:
            said = f"the query gives no column {column}{near(column, given)}"
            yield one.document.problem(at, said, key=key)
    yield from _braces(one, file, given)


def _braces(one: Draft, file: PolicyFile, given: Collection[str]) -> Iterator[Problem]:
    """A title that names a column in the way of another language."""
    for whole, column in BRACES.findall(file.alert.title or ""):
        if column in (*given, "count"):
            said = f"{whole} is shown as it stands; a column is written {{{{ {column} }}}}"
            yield one.document.problem(("alert", "title"), said, warning=True)


def type_rules(one: Draft, file: PolicyFile, types: Mapping[str, str], *, warning: bool) -> Iterator[Problem]:
    """Columns used for what their type has no meaning for; `types` as DuckDB calls them. `warning`: another
    warehouse may have others."""
    by = file.severity.by or ""
    if types.get(by, "").startswith(NO_NUMBER):
        said = f"{by} is of type {types[by]}; severity is graded by a number"
        yield one.document.problem(("severity", "by"), said, warning=warning)
    for index, column in enumerate(file.key):
        if file.threshold.count > 1 or one.facts.one_row_per(file.key, column):
            continue  # what is counted may well be the same amount, or an hour of a seller
        timed = file.window is not None and column == file.window.column and types.get(column) != "DATE"
        alone = len(file.key) == 1 or column in one.facts.gathered
        if timed or (alone and MEASURE.match(types.get(column, ""))):
            what = "the time of the rows" if timed else f"of type {types[column]}"
            said = f"{column} is {what} and names nobody: each value of it is an alert of its own"
            yield one.document.problem(("key", index), said, warning=True)


def _params(one: Draft, file: PolicyFile, beside: Beside) -> Iterator[Problem]:
    """A job that starts by itself finds every value it needs in the row."""
    if one.columns is None:
        return
    for index, name in enumerate(file.on_open):
        job = beside.jobs.get(name)
        for param in _unfilled(job, one.columns) if job else ():
            said = f"{name} needs {param}, which the query does not give"
            yield one.document.problem(("on_open", index), said)


def _unfilled(job: Job, columns: Collection[str]) -> list[str]:
    return [p.name for p in job.params if p.required and p.default is None and p.name not in columns]


def _unseen_updates(one: Draft, file: PolicyFile, beside: Beside) -> Iterator[Problem]:
    """To run after an asset needs a way to see that it was updated."""
    for index, upstream in enumerate(file.schedule.after or ()):
        asset = beside.assets.get(upstream.lower())
        if asset is not None and not asset.is_dated:
            said = (
                f"nothing tells when {asset.name} is updated: give it loaded_until, or after: what makes it"
            )
            yield one.document.problem(("schedule", "after", index), said, warning=True)


def _entity(one: Draft, file: PolicyFile, beside: Beside) -> Iterator[Problem]:
    """Whom it is about is somebody whose page the card can open."""
    for index, column in enumerate(file.entity):
        if column not in beside.entities:
            known = near(column, beside.entities)
            said = f"no entry of _entities.yml has the column {column}, so the card opens nothing{known}"
            yield one.document.problem(("entity", index), said, warning=True)
