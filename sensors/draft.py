"""One policy's pair of files, read and proved as far as they go. Judging across files is check's."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from sensors.file_policy import PolicyFile
from sensors.files import near, validated
from sensors.lineage import Columns, Flaw, output, prove
from sensors.model.asset import Asset
from sensors.model.catalog import Problem
from sensors.model.policy import Query
from sensors.sources import Sources, sql_path
from sensors.template import Macros, Shaped, shape
from sensors.yaml_marks import Document, line_of, read

BOUNDS = frozenset({"window_start", "window_end", "baseline_start"})


@dataclass
class Draft:
    """A policy's files and what could be made of them."""

    name: str
    path: str
    document: Document
    file: PolicyFile | None = None
    query: Query | None = None
    shaped: Shaped | None = None
    columns: Columns | None = None  # of the result, where they can be derived
    binds: frozenset[str] = frozenset()
    sql: str = ""  # the template's text
    texts: list[str] = field(default_factory=list)  # all that its runs depend on
    problems: list[Problem] = field(default_factory=list)

    def in_sql(self, what: str, word: str = "", *, warning: bool = False) -> Problem:
        """A problem in the SQL file, at the first place of `word`."""
        return place(sql_path(self.name), self.sql, Flaw(what, word), warning=warning)


def draft(
    name: str, path: str, found: Sources, macros: Macros, dialect: str, assets: Mapping[str, Asset]
) -> Draft:
    document = read(path, found.texts[path])
    one = Draft(name, path, document, texts=[found.texts[path]], problems=list(document.problems))
    if not document.problems:
        _validate(one)
    params = one.file.params if one.file else None
    file = sql_path(name)
    if file not in found.texts:
        one.problems.append(document.problem_at((1, 1), f"its SQL is missing: write {file}"))
        return one
    one.sql = found.texts[file]
    one.texts.append(one.sql)
    _query(one, file, macros, dialect, assets, params)
    if one.query is not None:
        _natives(one, found, macros)
    return one


def _validate(one: Draft) -> None:
    if not isinstance(one.document.data, dict):
        said = "a policy file is a mapping that begins with title: …"
        one.problems.append(one.document.problem_at((1, 1), said))
        return
    one.file, problems = validated(PolicyFile, one.document)
    one.problems += problems


def _query(
    one: Draft,
    file: str,
    macros: Macros,
    dialect: str,
    assets: Mapping[str, Asset],
    params: Mapping[str, object] | None,
) -> None:
    """Shapes and proves the SQL; without the YAML's params nothing is said of binds."""
    one.shaped = shape(file, one.sql, params if params is not None else _named(one.sql), macros)
    one.problems += one.shaped.problems
    if one.shaped.problems:
        return
    proof = prove(one.shaped.sql, dialect)
    one.problems += [place(file, one.sql, flaw) for flaw in proof.problems]
    one.binds = proof.binds
    one.texts += [macros.texts[path] for path in sorted(one.shaped.macros)]
    if params is not None:
        one.problems += [_unbound(one, name, params) for name in sorted(proof.binds - BOUNDS - params.keys())]
    if not proof.problems:
        schema = {name: asset.columns for name, asset in assets.items() if asset.columns}
        one.columns = proof.columns or output(proof.tree, schema)
        one.query = Query(one.shaped.sql, dialect, file, proof.tables, dict(params or {}))


def _named(sql: str) -> set[str]:
    return set(re.findall(r"param\(\s*['\"](\w+)", sql))


def _unbound(one: Draft, name: str, params: Mapping[str, object]) -> Problem:
    known = [*params, *BOUNDS]
    return one.in_sql(f":{name} has no value; add {name} to params{near(name, known)}", f":{name}")


def _natives(one: Draft, found: Sources, macros: Macros) -> None:
    """Hand-written versions for other warehouses, `.duckdb.sql`; each is proved in its own dialect."""
    query = one.query
    if query is None:
        return
    native: dict[str, str] = {}
    for dialect in ("duckdb", "snowflake", "postgres"):
        file = sql_path(one.name, dialect)
        if file not in found.texts:
            continue
        one.texts.append(found.texts[file])
        shaped = shape(file, found.texts[file], query.params, macros)
        proof = prove(shaped.sql, dialect)
        flaws = () if shaped.problems else proof.problems
        one.problems += [*shaped.problems, *(place(file, found.texts[file], flaw) for flaw in flaws)]
        native[dialect] = shaped.sql
    one.query = Query(query.sql, query.dialect, query.path, query.tables, query.params, native)


def place(path: str, text: str, flaw: Flaw, *, warning: bool = False) -> Problem:
    """A flaw of the shaped SQL in the file: where its word stands, first looked for from its line on."""
    lines = text.splitlines() or [""]
    start = min(max(flaw.line, 1), len(lines))
    line, column = start, 1
    if flaw.word:
        edge = r"\b" if re.match(r"\w", flaw.word) else ""
        word = re.compile(edge + re.escape(flaw.word), re.IGNORECASE)
        for number in (*range(start, len(lines) + 1), *range(1, start)):
            if found := word.search(lines[number - 1].split("--")[0]):
                line, column = number, found.start() + 1
                break
    return Problem(path, line, column, flaw.what, warning, line_of(text, line))
