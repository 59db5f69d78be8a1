"""Shapes a policy's SQL with sandboxed Jinja: tables, windows and macros. Values stay binds (`:name`)."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from jinja2 import StrictUndefined, Template, TemplateError, TemplateSyntaxError, UndefinedError, nodes
from jinja2.exceptions import SecurityError
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment

from sensors.model.catalog import Problem
from sensors.near import near
from sensors.title import title, title_names, title_problem
from sensors.yaml_marks import line_of

__all__ = ["Macros", "Shaped", "shape", "title", "title_names", "title_problem"]

FUNCTIONS = ("table", "in_window", "in_baseline", "param")
COLUMN = re.compile(r"[A-Za-z_][\w$]*(\.[A-Za-z_][\w$]*){0,3}")
LONGEST = 1_000_000  # characters of a query
OF_DBT = "a table, from dbt or not, is {{ table('schema.name') }} here"
DBT = {
    **dict.fromkeys(("ref", "source", "this"), OF_DBT),
    **dict.fromkeys(("config", "is_incremental"), "here the YAML says when and how: take it out"),
    "var": "here a value is :name, with params: {name: …} in the YAML",
}
PADDING = {"center", "expandtabs", "format", "format_map", "indent", "ljust", "rjust", "wordwrap", "zfill"}


class Queries(ImmutableSandboxedEnvironment):
    """A query is shaped, not computed: nothing here makes a long text of a short template."""

    intercepted_binops = frozenset({"*", "**", "%"})

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        if operator == "**" or not all(isinstance(one, int | float) for one in (left, right)):
            raise SecurityError(f"{operator} is for numbers")
        return super().call_binop(context, operator, left, right)

    def wrap_str_format(self, value: Any) -> None:
        """None: `format` of a text is an attribute as any other, and not let through."""

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        return attr not in PADDING and super().is_safe_attribute(obj, attr, value)


environment = Queries(undefined=StrictUndefined, keep_trailing_newline=True)
environment.globals = {}  # no range, no namespace
environment.filters = {name: one for name, one in environment.filters.items() if name not in PADDING}


class Mistake(Exception):
    """A function of the template was called with something that it cannot take."""


@dataclass
class Shaped:
    """A template's SQL and what it asked for on the way."""

    sql: str = ""
    tables: list[str] = field(default_factory=list)
    window: list[str] = field(default_factory=list)  # columns given to in_window
    baseline: list[str] = field(default_factory=list)
    macros: set[str] = field(default_factory=set)  # paths of the macro files that were used
    problems: list[Problem] = field(default_factory=list)


@dataclass(frozen=True)
class Macros:
    """The macros of sql/_macros, by name."""

    paths: Mapping[str, str] = field(default_factory=dict)  # macro -> its file
    templates: Mapping[str, Template] = field(default_factory=dict)  # file -> template
    texts: Mapping[str, str] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    broken: frozenset[str] = frozenset()  # names that stand in files which do not load

    @staticmethod
    def load(texts: Mapping[str, str], shared: Macros | None = None) -> Macros:
        """Those of these files, beside those of another bundle, whose names they may not take."""
        held = shared.marked() if shared else Macros()
        paths, templates = dict(held.paths), dict(held.templates)
        problems: list[Problem] = []
        broken = set(held.broken)
        for path, text in sorted(texts.items()):
            names = re.findall(r"\{%-?\s*macro\s+(\w+)", text)
            for name in names:
                if name in FUNCTIONS or name in paths:
                    problems.append(_find(path, text, name, f'there is another macro or function "{name}"'))
            try:
                templates[path] = _compile(path, text)
                paths |= {name: path for name in names if name not in FUNCTIONS and name not in paths}
            except TemplateSyntaxError as error:
                problems.append(_syntax(path, text, error))
                broken |= set(names)
        return Macros(paths, templates, {**held.texts, **texts}, tuple(problems), frozenset(broken))

    def marked(self) -> Macros:
        """The same under paths that no other bundle's file can have; their problems are told elsewhere."""
        paths = {name: f":{path}" for name, path in self.paths.items()}
        templates = {f":{path}": template for path, template in self.templates.items()}
        return Macros(paths, templates, {f":{p}": t for p, t in self.texts.items()}, broken=self.broken)


def shape(path: str, text: str, params: Collection[str], macros: Macros) -> Shaped:
    """The SQL that the template stands for. Where it has problems, `sql` is empty."""
    shaped = Shaped()
    try:
        tree = environment.parse(text)
        used = _free(tree)
        template = _compile(path, tree)
    except TemplateSyntaxError as error:
        shaped.problems.append(_syntax(path, text, error))
        return shaped
    known = [*FUNCTIONS, *macros.paths]
    for name in sorted(used - set(known)):
        said = f'"{name}" is not a function or macro{near(name, known)}'
        if unquoted := re.search(rf"\b({'|'.join(FUNCTIONS)})\(\s*({name}(?:\.\w+)*)\s*\)", text):
            said = f"{unquoted[1]} takes a name in quotes: {unquoted[1]}('{unquoted[2]}')"
        elif name in params:
            said = f"a parameter is written :{name} (a value is bound, never pasted into the SQL)"
        elif name in DBT:
            said = f"{name} is dbt's; {DBT[name]}"
        elif name in macros.broken:
            said = f'the macro "{name}" does not load; mend its file in sql/_macros'
        shaped.problems.append(_find(path, text, name, said))
    for node in tree.find_all((nodes.Include, nodes.Import, nodes.FromImport, nodes.Extends)):
        said = "nothing needs importing: macros of sql/_macros are there by name"
        shaped.problems.append(_problem(path, text, node.lineno, 1, said))
    if not shaped.problems:
        _render(path, text, template, _names(shaped, params, macros), shaped)
    return shaped


def _render(path: str, text: str, template: Template, names: dict[str, Any], shaped: Shaped) -> None:
    try:
        sql = template.render(names)
        if len(sql) > LONGEST:
            raise Mistake(f"the query would be {len(sql):,} characters long; {LONGEST:,} are the most")
        shaped.sql = sql
    except Mistake as error:
        shaped.problems.append(_problem(path, text, _line(error, path), 1, str(error)))
    except UndefinedError as error:
        said = f"something is used that is not there: {_word(error.message)}"
        shaped.problems.append(_problem(path, text, _line(error, path), 1, said))
    except SecurityError:
        said = "this reaches for something that a template may not use"
        shaped.problems.append(_problem(path, text, 1, 1, said))
    except RecursionError as error:
        said = "macros call one another without end"
        shaped.problems.append(_problem(path, text, _line(error, path), 1, said))
    except (TemplateError, TypeError, ValueError, ArithmeticError, LookupError) as error:
        said = "a function or macro is called with the wrong arguments"
        shaped.problems.append(_problem(path, text, _line(error, path), 1, said))


def _names(shaped: Shaped, params: Collection[str], macros: Macros) -> dict[str, Any]:
    """What a template can call; the calls are noted in `shaped`."""

    def table(name: Any) -> str:
        shaped.tables.append(_checked(name, "table", "core.orders").lower())
        return str(name)

    def in_window(column: Any) -> str:
        shaped.window.append(_checked(column, "in_window", "m.sent_at").lower())
        return f"({column} >= :window_start AND {column} < :window_end)"

    def in_baseline(column: Any) -> str:
        shaped.baseline.append(_checked(column, "in_baseline", "m.sent_at").lower())
        return f"({column} >= :baseline_start AND {column} < :window_start)"

    def param(name: Any) -> str:
        if name not in params:
            raise Mistake(f'no parameter "{name}" in params{near(name, params)}')
        return f":{name}"

    names: dict[str, Any] = {
        "table": table,
        "in_window": in_window,
        "in_baseline": in_baseline,
        "param": param,
    }
    for name, file in macros.paths.items():
        names[name] = _macro(name, file, macros, names, shaped)
    return names


def _macro(name: str, file: str, macros: Macros, names: dict[str, Any], shaped: Shaped) -> Callable[..., str]:
    """Calls a macro with the policy's own functions, so that what it asks for is noted too."""

    def call(*args: Any, **kwargs: Any) -> str:
        shaped.macros.add(file)
        module = macros.templates[file].make_module(names)
        return str(getattr(module, name)(*args, **kwargs))

    return call


def _checked(name: Any, function: str, example: str) -> str:
    if isinstance(name, str) and name and not COLUMN.fullmatch(name):
        said = "letters a to z, digits, _ and $, in parts with . between"
        raise Mistake(f'{function} cannot take the name "{name[:60]}": it holds only {said}')
    if not isinstance(name, str) or not name:
        raise Mistake(f"{function} takes a name in quotes, such as {function}('{example}')")
    return name


def _free(tree: nodes.Template) -> set[str]:
    """Names that the template uses and does not set itself."""
    names = list(tree.find_all(nodes.Name))
    return {n.name for n in names if n.ctx == "load"} - {n.name for n in names if n.ctx != "load"}


def _compile(path: str, source: str | nodes.Template) -> Template:
    code = environment.compile(source, name=path, filename=path)
    return Template.from_code(environment, code, {})


def _line(error: BaseException, path: str) -> int:
    """The line of the template where a call went wrong; Jinja names it in the traceback."""
    line, trace = 1, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == path:
            line = trace.tb_lineno
        trace = trace.tb_next
    return line


def _word(message: str | None) -> str:
    found = re.search(r"'([^']*)'", message or "")
    return found[1] if found else "an unknown name"


SYNTAX = (
    (r"Encountered unknown tag '(\w+)'", "there is no tag {{% {0} %}}"),
    (r"No filter named '(\w+)'", "there is no filter {0}"),
    (r"No test named '(\w+)'", "there is no test {0}"),
    (r"Unexpected end of template.*?tags: '(\w+)'", "this is not closed: {{% {0} %}} is missing"),
    (r"unexpected end of template", "a {{{{ or {{% that was opened is not closed"),
    (r"expected token 'end of print statement', got '(.*?)'", "{0} is not expected before }}}}"),
    (r"unexpected '(.*?)'", "{0} is not expected here"),
    (r"unexpected char '(.*?)'", "{0} is not expected here"),
)


def _syntax(path: str, text: str, error: TemplateSyntaxError) -> Problem:
    said = "this template cannot be read: look at its braces and quotes"
    for pattern, sentence in SYNTAX:
        if found := re.search(pattern, error.message or "", re.IGNORECASE | re.DOTALL):
            said = sentence.format(*found.groups())
            break
    line = line_of(text, error.lineno)
    opening = re.search(r"\{[{%]", line)
    return _problem(path, text, error.lineno, opening.start() + 1 if opening else 1, said)


def _find(path: str, text: str, word: str, what: str) -> Problem:
    """A problem at the first place where `word` stands inside a Jinja tag, else anywhere."""
    for tag in re.finditer(r"\{[{%].*?[%}]\}", text, re.DOTALL):
        if found := re.search(rf"\b{re.escape(word)}\b", tag[0]):
            offset = tag.start() + found.start()
            before = text[:offset]
            return _problem(path, text, before.count("\n") + 1, offset - before.rfind("\n"), what)
    return _problem(path, text, 1, 1, what)


def _problem(path: str, text: str, line: int, column: int, what: str) -> Problem:
    shown = line_of(text, line)
    if column == 1 and (opening := re.search(r"\{[{%]", shown)):
        column = opening.start() + 1
    return Problem(path, line, column, what, source=shown)
