"""One policy's pair of files, read and proved as far as they go. Judging across files is check's."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from sensors.defaults import Defaults, Layered, chain, layered
from sensors.file_policy import PolicyFile
from sensors.files import validated
from sensors.model.asset import Asset
from sensors.model.catalog import Problem
from sensors.model.policy import Query
from sensors.near import near
from sensors.sources import sql_path
from sensors.sql.facts import UNKNOWN, Facts
from sensors.sql.lineage import Columns, Proof, prove
from sensors.sql.safety import Flaw
from sensors.sql.template import Macros, Shaped, shape
from sensors.warehouse.alchemy_ways import WAYS
from sensors.yaml_marks import Document, line_of, read

BOUNDS = frozenset({"window_start", "window_end", "baseline_start"})
NATIVES = tuple(sorted({"duckdb", "snowflake", *(way.dialect for way in WAYS.values())}))


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
    unknown: frozenset[str] = frozenset()  # columns that the declared tables do not have
    facts: Facts = UNKNOWN
    sql: str = ""  # the template's text
    natives: dict[str, str] = field(default_factory=dict)  # the same of hand-written versions, by dialect
    texts: list[str] = field(default_factory=list)  # all that its runs depend on
    problems: list[Problem] = field(default_factory=list)
    wrong_defaults: str = ""  # the path of a _defaults.yml that does not load

    @property
    def taken(self) -> Mapping[str, Any]:
        """What the YAML does not say, but the folder's defaults do."""
        return self.document.taken if isinstance(self.document, Layered) else {}

    def in_sql(self, what: str, word: str = "", *, warning: bool = False) -> Problem:
        """A problem in the SQL file, at the first place of `word`."""
        return place(sql_path(self.name), self.sql, Flaw(what, word), warning=warning)


@dataclass(frozen=True)
class Setting:
    """What every draft of a load shares."""

    dialect: str
    macros: Macros
    schema: Mapping[str, Mapping[str, str]]  # of the declared tables
    times: Mapping[str, str]  # of those that grow, the column that says when
    carry_to: str | None = None  # the dialect that queries will run in
    defaults: Defaults = field(default_factory=Defaults)
    place: str = ""  # differs from bundle to bundle
    functions: tuple[str, ...] = ()  # that queries may call besides those that are known to only compute

    @classmethod
    def over(
        cls, dialect: str, macros: Macros, assets: Mapping[str, Asset], carry_to: str | None = None
    ) -> Setting:
        """What is shared by all that read these tables."""
        schema = {name: asset.columns for name, asset in assets.items() if asset.columns}
        times = {name: asset.loaded_until for name, asset in assets.items() if asset.loaded_until}
        return cls(dialect, macros, schema, times, carry_to)

    @cached_property
    def mark(self) -> str:
        """Differs when a draft of the same files may come out otherwise."""
        tables = sorted((name, tuple(columns)) for name, columns in self.schema.items())
        own = (self.dialect, self.carry_to, self.functions)
        return repr((own, sorted(self.macros.texts.items()), tables, self.times))


# The last draft of each policy and what it was made from, so that a reload reads only what has changed.
_drafts: dict[tuple[str, str], tuple[object, Draft]] = {}


def proved() -> dict[tuple[str, str], tuple[object, Draft]]:
    """All drafts of this process, for the shelf."""
    return _drafts


def draft(name: str, path: str, texts: Mapping[str, str], setting: Setting) -> Draft:
    """The policy's draft; made again only if one of its files has changed."""
    files = (path, *chain(path), sql_path(name), *(sql_path(name, dialect) for dialect in NATIVES))
    inputs = (setting.mark, tuple(texts.get(file) for file in files))
    place = (setting.place + path, setting.dialect)
    held = _drafts.get(place)
    if held is not None and held[0] == inputs:
        return held[1]
    one = unkept(name, path, texts, setting)
    _drafts[place] = (inputs, one)
    return one


def unkept(name: str, path: str, texts: Mapping[str, str], setting: Setting) -> Draft:
    """A draft that nobody keeps: of files as they are, or as they were."""
    document = read(path, texts[path])
    one = Draft(name, path, document, texts=[texts[path]], problems=list(document.problems))
    if not document.problems:
        _validate(one, setting.defaults)
    file = sql_path(name)
    if file not in texts:
        one.problems.append(document.problem_at((1, 1), f"its SQL is missing: write {file}"))
        return one
    one.sql = texts[file]
    one.texts.append(one.sql)
    _query(one, file, setting)
    if one.query is not None:
        _natives(one, one.query, texts, setting)
    return one


def _validate(one: Draft, defaults: Defaults) -> None:
    """Nothing is said of a file whose defaults do not load: what it lacks may stand there."""
    one.wrong_defaults = next((path for path in chain(one.path) if path in defaults.broken), "")
    if one.wrong_defaults:
        return
    if not isinstance(one.document.data, dict):
        said = "a policy file is a mapping that begins with title: …"
        one.problems.append(one.document.problem_at((1, 1), said))
        return
    one.document = layered(one.document, defaults.over(one.path))
    one.file, problems = validated(PolicyFile, one.document)
    one.problems += problems


def _query(one: Draft, file: str, setting: Setting) -> None:
    """Shapes and proves the SQL; where the YAML does not load, nothing is said of parameters."""
    params = one.file.params if one.file else dict.fromkeys(_named(one.sql))
    one.shaped = shape(file, one.sql, params, setting.macros)
    one.problems += one.shaped.problems
    if one.shaped.problems:
        return
    known = (setting.schema, setting.carry_to, setting.times, setting.functions)
    proof = prove(one.shaped.sql, setting.dialect, *known)
    one.problems += [place(file, one.sql, flaw) for flaw in proof.problems]
    one.problems += [place(file, one.sql, Flaw(u.what, u.word, u.line)) for u in proof.unknown]
    one.facts = proof.facts
    one.binds, one.unknown = proof.binds, frozenset(u.name for u in proof.unknown)
    one.texts += [setting.macros.texts[path] for path in sorted(one.shaped.macros)]
    if one.file is not None and proof.read:
        one.problems += _binds(one, one.file.params)
    if not proof.problems:
        one.columns = proof.columns
        one.query = Query(one.shaped.sql, setting.dialect, file, proof.tables, dict(params))


def _named(sql: str) -> set[str]:
    return set(re.findall(r"param\(\s*['\"](\w+)", sql))


def _binds(one: Draft, params: Mapping[str, object]) -> Iterator[Problem]:
    known = [*params, *BOUNDS]
    for name in sorted(one.binds - BOUNDS - params.keys()):
        said = f":{name} has no value; give it one in params"
        yield one.in_sql(f"{said}{near(name, known)}", f":{name}")
    for name in sorted(params.keys() - one.binds):
        said = f"the SQL does not use :{name}"
        if re.search(rf"'[^'\n]*:{name}\b[^'\n]*'", one.sql):
            said += f"; between quotes :{name} is a text and not the value: leave them out"
        yield one.document.problem(("params", name), said, key=True, warning=True)
    for name in sorted(params.keys() & BOUNDS):
        yield one.document.problem(
            ("params", name), "the engine gives this value; choose another name", key=True
        )


def _natives(one: Draft, query: Query, texts: Mapping[str, str], setting: Setting) -> None:
    """Hand-written versions for other warehouses, `.duckdb.sql`; each is proved in its own dialect."""
    native: dict[str, str] = {}
    for dialect in NATIVES:
        file = sql_path(one.name, dialect)
        if file not in texts:
            continue
        one.texts.append(texts[file])
        one.natives[dialect] = texts[file]
        shaped = shape(file, texts[file], query.params, setting.macros)
        one.problems += shaped.problems
        if not shaped.problems:
            proof = prove(shaped.sql, dialect, functions=setting.functions)
            one.problems += _native_flaws(file, texts[file], proof, query)
        native[dialect] = shaped.sql
    one.query = replace(query, native=native)


def _native_flaws(file: str, text: str, proof: Proof, query: Query) -> Iterator[Problem]:
    for flaw in proof.problems:
        yield place(file, text, flaw)
    for table in proof.tables:
        if table not in query.tables:
            yield place(file, text, Flaw(f"{table} is not read by {query.path}; both read the same", table))
    for name in sorted(proof.binds - BOUNDS - query.params.keys()):
        yield place(file, text, Flaw(f":{name} has no value; give it one in params", name))


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
