"""What a query may not do, told from its parsed form: write, reach out, ask the clock, the session or chance.

This is lint: the guard is the warehouse's read-only role."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

from sqlglot import exp

from sensors.sql.clock import clock_in
from sensors.sql.functions import owned, refusal, unfolds


@dataclass(frozen=True)
class Flaw:
    """Why the SQL is refused: a sentence, the word it is about, and the line of the SQL (from 1)."""

    what: str
    word: str = ""
    line: int = 1


CHANGING = (
    exp.DML,
    exp.Create,
    exp.Drop,
    exp.Alter,
    exp.TruncateTable,
    exp.Command,
    exp.Copy,
    exp.Set,
    exp.Use,
    exp.Pragma,
    exp.Attach,
    exp.Detach,
    exp.Kill,
    exp.Describe,
    exp.Execute,
)
SOURCES = (exp.Table, exp.TableFromRows, exp.Lateral)
# Words that are no columns in these dialects, whatever a table has.
BARE = {
    "postgres": ("user", "current_role", "system_user"),
    "redshift": ("user",),
    "oracle": ("user", "uid", "sysdate", "systimestamp"),
    "tsql": ("system_user", "user"),
}
SYSTEM = re.compile(
    r"(^|\.)(information_schema|pg_catalog|pg_toast|sys|performance_schema)\."
    r"|(^|\.)(pg_|duckdb_|sqlite_)\w+$"
)
LOCKING = {"UPDLOCK", "XLOCK", "HOLDLOCK", "TABLOCK", "TABLOCKX", "PAGLOCK", "ROWLOCK", "SERIALIZABLE"}


def flaws_of(root: exp.Expr, dialect: str, functions: Collection[str] = ()) -> Iterator[Flaw]:
    """Each reason why it may not run. `functions`: what patrol.yml lets policies call besides."""
    bare = BARE.get(dialect, ())
    for node in root.walk():
        if said := clock_in(node, dialect):
            what = f"{said} depends on the clock; write :window_end, the time of the look"
            yield _flaw(what, said.strip("'"), node)
        if isinstance(node, CHANGING):
            yield Flaw(f"a policy may only SELECT; {verb(node)} is refused", verb(node), line_of(node))
        elif isinstance(node, SOURCES):
            yield from _source(node, dialect)
        elif isinstance(node, exp.Func) and not isinstance(node.parent, SOURCES):
            yield from _call(node, dialect, functions)
        elif isinstance(node, exp.Column):
            yield from _column(node, bare)
        elif (simple := SIMPLE.get(type(node))) and (found := simple(node)):
            yield found


def _flaw(what: str, word: str, node: exp.Expr) -> Flaw:
    return Flaw(what, word, line_of(node))


def _into(node: exp.Expr) -> Flaw:
    return _flaw("SELECT … INTO writes a table; a policy may only read", "INTO", node)


def _lock(node: exp.Expr) -> Flaw:
    return _flaw("FOR UPDATE locks rows; a policy may only read", "FOR", node)


def _parameter(node: exp.Expr) -> Flaw:
    return _flaw(f"write parameters as :name, not ${node.name}", node.name, node)


def _placeholder(node: exp.Expr) -> Flaw | None:
    return None if node.this else _flaw("write parameters as :name, not ?", "?", node)


def _sample(node: exp.Expr) -> Flaw:
    return _flaw("SAMPLE may not be used: it gives another answer each time", "SAMPLE", node)


def _script(node: exp.Expr) -> Flaw:
    return _flaw("TRANSFORM … USING runs a program; a policy may only read", "TRANSFORM", node)


def _operator(node: exp.Expr) -> Flaw | None:
    name = str(node.args.get("operator", ""))
    own = "." in name
    return _flaw(f"{name} is an operator of your own; use a plain one", "OPERATOR", node) if own else None


def _hint(node: exp.Expr) -> Flaw | None:
    locks = [one.name.upper() for one in node.expressions if one.name.upper() in LOCKING]
    return _flaw(f"{locks[0]} locks rows; a policy may only read", locks[0], node) if locks else None


def _settings(node: exp.Expr) -> Flaw | None:
    """What ClickHouse lets a query say of itself: how long it may take, even whether it may write."""
    said = next((key.upper() for key in ("settings", "format") if node.args.get(key)), "")
    return _flaw(f"{said} may not be used: it is the session's, not a query's", said, node) if said else None


SIMPLE: dict[type[exp.Expr], Callable[[exp.Expr], Flaw | None]] = {
    exp.Into: _into,
    exp.Lock: _lock,
    exp.Parameter: _parameter,
    exp.SessionParameter: _parameter,
    exp.Placeholder: _placeholder,
    exp.TableSample: _sample,
    exp.QueryTransform: _script,
    exp.Operator: _operator,
    exp.WithTableHint: _hint,
    exp.Select: _settings,
}


def _column(node: exp.Column, bare: Collection[str]) -> Iterator[Flaw]:
    name = node.name.lower()
    if node.table and name in ("nextval", "currval"):
        yield _flaw(f"{node.table}.{name} counts a sequence up; a policy may only read", node.name, node)
    elif name in bare and not node.table and not node.this.args.get("quoted"):
        said = f"{name} may not be used: it asks about the session; quote it if it is a column"
        yield _flaw(said, node.name, node)


def _call(node: exp.Func, dialect: str, functions: Collection[str]) -> Iterator[Flaw]:
    if isinstance(node, exp.Cast) and isinstance(node.to, exp.ObjectIdentifier):
        asks = f"{node.to.name.lower()} asks the catalogue; a policy reads only declared tables"
        yield _flaw(asks, node.to.name, node)
    name, dot = _name(node), node.parent
    if isinstance(dot, exp.Dot) and dot.expression is node:
        why = owned(name := dot.sql().partition("(")[0], functions)
    else:
        why = refusal(name, dialect, functions)
    if why:
        yield _flaw(why, name.rpartition(".")[2], node)


def _name(node: exp.Func) -> str:
    known = not isinstance(node, exp.Anonymous | exp.AnonymousAggFunc)
    return node.sql_names()[0] if known else str(node.this)


def _source(node: exp.Expr, dialect: str) -> Iterator[Flaw]:
    """What stands in FROM: a table by name, or a function that unfolds values of the query."""
    this = node.this
    if isinstance(node, exp.Table) and isinstance(this, exp.Identifier):
        yield from _table(node)
    elif isinstance(this, exp.Generator) and this.args.get("timelimit"):
        yield _flaw("TIMELIMIT gives another answer each time; write ROWCOUNT", "TIMELIMIT", node)
    elif isinstance(this, exp.Var | exp.Literal | exp.Placeholder | exp.Parameter):
        said = f"{node.sql()[:60]} is a file or stage; a policy reads only declared tables"
        yield _flaw(said, str(this.name), node)
    elif isinstance(this, exp.Func) and not isinstance(this, exp.Subquery):
        name, own = _name(this), bool(node.args.get("db"))
        if own or not (unfolds(name, dialect) or isinstance(this, exp.Unnest | exp.Explode)):
            said = f"{name.lower()} may not stand in FROM: it reaches outside the declared tables"
            yield _flaw(said, name, this)
    elif isinstance(node, exp.Table) and this is not None:
        said = f"{node.sql()[:60]} is no table that can be declared; a policy reads only declared tables"
        yield _flaw(said, next((part.name for part in node.find_all(exp.Identifier)), ""), node)


def _table(node: exp.Table) -> Iterator[Flaw]:
    name = ".".join(part.name for part in node.parts).lower()
    if re.search(r"[/\\*?]|\.(csv|parquet|json|txt|gz)$", node.name):
        yield _flaw(f"{node.name} is a file; a policy reads only declared tables", node.name, node)
    elif SYSTEM.search(name):
        yield _flaw(f"{name} is the warehouse's own; a policy reads only tables of data", node.name, node)


def verb(node: exp.Expr) -> str:
    """What it does, as it is written."""
    if isinstance(node, exp.Command):
        return str(node.this).upper()
    return "TRUNCATE" if isinstance(node, exp.TruncateTable) else node.key.upper()


def line_of(node: exp.Expr) -> int:
    """The line of the first name or call in the node that knows where it stands."""
    return next((int(n.meta["line"]) for n in node.walk() if "line" in n.meta), 1)
