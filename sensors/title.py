"""Alert titles: a small sandboxed template over the newest row, safe and short whatever the row holds."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

from jinja2 import StrictUndefined, Template, TemplateError, TemplateSyntaxError, nodes
from jinja2.exceptions import SecurityError
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment

from sensors.model.clock import utc
from sensors.model.policy import Policy

LONGEST = 200
VALUE = 500  # characters of a row's text that a title may look at
FILTERS = """
    abs default d float int length count lower upper title capitalize replace round string trim truncate
    first last
"""
STATEMENTS = (nodes.Output, nodes.TemplateData, nodes.If, nodes.Assign)
LARGEST = 10**40
PLAIN_NAME = re.compile(r"\{\{ *(?!(?:true|false|none|not|self)\b)([a-z_][a-z_0-9]*) *\}\}")
PLAIN = re.compile(rf"(?:[^{{}}#%\n]|{PLAIN_NAME.pattern})*")


class Titles(ImmutableSandboxedEnvironment):
    """Filters of a short list, no attributes, no calls: nothing that a hostile value could make large."""

    intercepted_binops = frozenset({"*", "**", "%"})

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Arithmetic on numbers only: text times a number, or a row's text as a format, has no bound."""
        if operator == "**" or not (_is_small(left) and _is_small(right)):
            raise SecurityError(f"{operator} is for numbers")
        return super().call_binop(context, operator, left, right)

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:  # noqa: ARG002 - Jinja's signature
        return False

    def is_safe_callable(self, obj: Any) -> bool:  # noqa: ARG002 - Jinja's signature
        return False


def _is_small(value: Any) -> bool:
    return isinstance(value, int | float | Decimal) and -LARGEST < value < LARGEST


def _said(value: Any) -> Any:
    """How a value stands in a title: NULL as a dash, times in UTC to the minute, floats without noise."""
    match value:
        case None:
            return "–"
        case datetime():
            return f"{utc(value):%Y-%m-%d %H:%M} UTC"
        case date():
            return value.isoformat()
        case float():
            return f"{value:.0f}" if 1e9 <= abs(value) < 1e15 else f"{value:.10g}"
        case Decimal():
            return f"{value:f}" if abs(value.adjusted()) < 40 else f"{value:.6g}"
    return value


environment = Titles(undefined=StrictUndefined, finalize=_said)
environment.filters = {name: environment.filters[name] for name in FILTERS.split()}
environment.globals = {}


def title(policy: Policy, values: Mapping[str, Any], count: int) -> str:
    """The alert's title over its newest row; the policy's own title where the row lacks what it needs.

    One line of at most 200 characters, never empty. `count` is the number of rows (or distinct values).
    """
    known = {name: _bounded(value) for name, value in values.items()}
    try:
        text = folded(_template(policy.alert.title).render({**known, "count": count}))
    except (TemplateError, TypeError, ValueError, ArithmeticError, LookupError, MemoryError, RecursionError):
        text = ""
    return text or folded(policy.title) or policy.name


@lru_cache(maxsize=4096)
def title_problem(text: str) -> str | None:
    """What is wrong with a title's template, in words, or None."""
    if PLAIN.fullmatch(text):
        return None
    try:
        tree = environment.parse(text)
    except TemplateSyntaxError:
        return "this is not a template that can be read: look at its braces and quotes"
    for node in tree.find_all(nodes.Stmt):
        if not isinstance(node, STATEMENTS):
            return "a title takes {{ … }} and {% if %}, nothing else"
    if next(tree.find_all((nodes.Pow, nodes.Call, nodes.Getattr)), None) is not None:
        return "a title takes columns, filters and sums; no calls, no attributes and no **"
    for call in tree.find_all(nodes.Filter):
        if call.name not in environment.filters:
            return f"a title knows only the filters {', '.join(environment.filters)}"
        if call.kwargs or not all(isinstance(arg, nodes.Const) for arg in call.args):
            return f"in a title, what {call.name} is given must be written out"
    return None


@lru_cache(maxsize=4096)
def title_names(text: str) -> frozenset[str]:
    """The columns that a title names."""
    if PLAIN.fullmatch(text):
        return frozenset(PLAIN_NAME.findall(text)) - {"count"}
    names = list(environment.parse(text).find_all(nodes.Name))
    own = {name.name for name in names if name.ctx != "load"}
    return frozenset(name.name for name in names) - own - {"count"}


class Plain:
    """A title of text and columns alone, as nearly all are: as Jinja renders it, with nothing to compile."""

    def __init__(self, text: str) -> None:
        self._parts = PLAIN_NAME.split(text)  # text and names by turns

    def render(self, known: Mapping[str, Any]) -> str:
        """Raises a LookupError where a column is missing."""
        said = [str(_said(known[part])) if n % 2 else part for n, part in enumerate(self._parts)]
        return "".join(said)


@lru_cache(maxsize=4096)
def _template(text: str) -> Template | Plain:
    if PLAIN.fullmatch(text):
        return Plain(text)
    if title_problem(text) is not None:
        raise TemplateError("not a title")
    return environment.from_string(text)


def _bounded(value: Any) -> Any:
    """A value small enough that no filter takes long over it."""
    match value:
        case None | bool() | float() | datetime() | date():
            return value
        case Decimal() if value.is_finite() and abs(value.adjusted()) < 400:
            return value
        case int() if abs(value) < LARGEST:
            return value
        case str():
            return value[:VALUE]
    return str(value)[:VALUE]


def folded(text: str) -> str:
    """One line: control, format and unpaired characters become spaces or go; long ones are cut."""
    kept = "".join(_kept(c) for c in text[: LONGEST * 20])
    line = " ".join(_calm(unicodedata.normalize("NFC", kept)).split())
    return line if len(line) <= LONGEST else line[: LONGEST - 1].rstrip() + "…"


def _kept(character: str) -> str:
    kind = unicodedata.category(character)
    if kind in ("Cf", "Cs", "Co"):  # invisible or direction-changing, unpaired, private
        return ""
    return " " if kind in ("Cc", "Zl", "Zp", "Zs") else character


def _calm(text: str) -> str:
    """No more than three marks heaped on one character."""
    kept: list[str] = []
    run = 0
    for character in text:
        run = run + 1 if unicodedata.category(character) in ("Mn", "Me") else 0
        if run <= 3:
            kept.append(character)
    return "".join(kept)
