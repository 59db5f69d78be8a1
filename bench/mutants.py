"""The small changes of a module, one at a time, each with a name that outlives a shift of its lines.

A number is one more, a comparison includes its bound or not, a condition is always or never true, one of two
conditions is dropped, a field is not set, an answer is nothing, a case is missing. Wording is left alone.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

FLIPPED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
}
REVERSED: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
}
AROUND = 16  # characters of a line that are shown on either side of a change
LONGEST = 120  # characters of what is shown of either text


@dataclass(frozen=True)
class Mutant:
    """One change: in which function, on which line, and what became of what. `index` and `nth` find it again
    in the same text: the node among all nodes, and the change among those of that node."""

    where: str
    line: int
    shown: str
    index: int
    nth: int

    def of(self, source: str) -> ast.Module:
        """The module with this change made."""
        tree = ast.parse(source)
        node = next(one for at, one in enumerate(ast.walk(tree)) if at == self.index)
        list(_changes(node))[self.nth](node)
        return ast.fix_missing_locations(tree)


def mutants(source: str) -> list[Mutant]:
    """Every change of a module, from its first line to its last. No two in one function are shown alike."""
    tree = ast.parse(source)
    places, types = _places(tree), _types(tree)
    found = []
    for index, node in enumerate(ast.walk(tree)):
        is_code = isinstance(node, ast.expr | ast.stmt) and id(node) not in types
        for nth, change in enumerate(_changes(node) if is_code else ()):
            place = places[id(node)]
            shown = _shown(node, change, place)
            if shown:
                name = place.name if isinstance(place, ast.FunctionDef) else "(module)"
                found.append(Mutant(name, node.lineno, shown, index, nth))  # type: ignore[attr-defined]
    return list(_numbered(sorted(found, key=lambda one: one.line)))


def _numbered(found: list[Mutant]) -> Iterator[Mutant]:
    seen: Counter[tuple[str, str]] = Counter()
    for one in found:
        seen[one.where, one.shown] += 1
        n = seen[one.where, one.shown]
        yield one if n == 1 else Mutant(one.where, one.line, f"{one.shown} ({n})", one.index, one.nth)


def _places(tree: ast.Module) -> dict[int, ast.stmt]:
    """The function that a node lies in, else the statement of the module, by the node's id."""
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    return {id(node): place for place in (*tree.body, *functions) for node in ast.walk(place)}


def _types(tree: ast.Module) -> set[int]:
    """The ids of nodes that only say of what kind something is: annotations and decorators."""
    said: list[ast.AST] = []
    for node in ast.walk(tree):
        kinds = (getattr(node, "annotation", None), getattr(node, "returns", None))
        said += [one for one in (*kinds, *getattr(node, "decorator_list", ())) if one is not None]
    return {id(node) for one in said for node in ast.walk(one)}


Change = Callable[[ast.AST], None]


def _changes(node: ast.AST) -> Iterator[Change]:  # noqa: C901  a table of forms
    """What may be done to a node, each as a function of its copy."""
    match node:
        case ast.Compare(ops=[op]) if type(op) in FLIPPED:
            yield _put("ops", [FLIPPED[type(op)]()])
        case ast.BoolOp(op=op, values=values):
            yield _put("op", ast.Or() if isinstance(op, ast.And) else ast.And())
            yield from (_without("values", n) for n in range(len(values)))
        case ast.UnaryOp(op=ast.Not()):
            yield _put("operand", ast.UnaryOp(ast.Not(), node.operand))
        case ast.BinOp(op=op) if type(op) in REVERSED:
            yield _put("op", REVERSED[type(op)]())
        case ast.If() | ast.IfExp():
            yield from (_put("test", ast.Constant(value)) for value in (True, False))
        case ast.Constant(value=bool(value)):
            yield _put("value", not value)
        case ast.Constant(value=int(value)):
            yield _put("value", value + 1)
        case ast.Call(keywords=keywords):
            yield from (_without("keywords", n) for n in range(len(keywords)))
        case ast.Return(value=ast.expr()):
            yield _put("value", ast.Constant(None))
        case ast.Match(cases=cases) if len(cases) > 1:
            yield from (_without("cases", n) for n in range(len(cases)))
        case ast.Tuple(elts=elts, ctx=ast.Load()) if len(elts) > 1:
            yield from (_without("elts", n) for n in range(len(elts)))


def _put(field: str, value: object) -> Change:
    return lambda node: setattr(node, field, value)


def _without(field: str, n: int) -> Change:
    return lambda node: setattr(node, field, [one for at, one in enumerate(getattr(node, field)) if at != n])


def _shown(node: ast.AST, change: Change, whole: ast.AST) -> str:
    """The change within the lines of its function, which stays as it was; empty where nothing is another."""
    before, kept = ast.unparse(whole), dict(vars(node))
    change(node)
    after = ast.unparse(whole)
    vars(node).update(kept)
    return "" if before == after else f"{_cut(before, after)} → {_cut(after, before)}"


def _cut(text: str, other: str) -> str:
    """Where `text` is not as `other`, with a little of its line on either side."""
    start = next((n for n, (a, b) in enumerate(zip(text, other, strict=False)) if a != b), 0)
    pairs = zip(reversed(text[start:]), reversed(other[start:]), strict=False)
    same = next((n for n, (a, b) in enumerate(pairs) if a != b), min(len(text), len(other)) - start)
    end = len(text) - same
    line_start, line_end = text.rfind("\n", 0, start) + 1, (text + "\n").find("\n", end)
    left, right = max(line_start, start - AROUND), min(line_end, end + AROUND)
    while left > line_start and text[left - 1] != " ":  # by whole words
        left -= 1
    while right < line_end and text[right] != " ":
        right += 1
    cut = " ".join(text[left:right].split()) or "nothing"
    return cut if len(cut) <= LONGEST else f"{cut[: LONGEST // 2]} … {cut[-LONGEST // 2 :]}"
