"""Whether a change of the core goes unnoticed: one small change at a time, and the tests of the core over it.

A number is one more, a comparison includes its bound or not, a condition is always or never true, one of two
conditions is dropped, a field is not set, an answer is nothing, a case is missing. Wording is left alone.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import copy
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_loader
from pathlib import Path
from types import ModuleType

import hypothesis  # noqa: F401  loaded once, for all that are forked
import pytest

ROOT = Path(__file__).parents[1]
MODULES = ("bot/core/step.py", "bot/core/sensor_step.py", "bot/core/ladder.py")
TESTS = tuple(f"tests/core/test_{of}.py" for of in ("transitions", "firing", "safety", "liveness"))
OPTIONS = ("-x", "-q", "-p", "no:cacheprovider", "--assert=plain")
TIMEOUT_S = 60
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


@dataclass(frozen=True)
class Mutant:
    """One change: where, what stood there, what stands there instead, and the module with it."""

    line: int
    before: str
    after: str
    tree: ast.Module


def mutants(tree: ast.Module) -> list[Mutant]:
    """Every change of a module, each by itself, from its first line to its last."""
    found = []
    for index, node in enumerate(ast.walk(tree)):
        for change in _changes(node) if _is_code(node) else ():
            whole = copy.deepcopy(tree)
            here = next(one for at, one in enumerate(ast.walk(whole)) if at == index)
            change(here)
            before, after = ast.unparse(node), ast.unparse(here)
            if before != after:
                found.append(Mutant(node.lineno, before, after, whole))  # type: ignore[attr-defined]
    return sorted(found, key=lambda one: one.line)


def _is_code(node: ast.AST) -> bool:
    return isinstance(node, ast.expr | ast.stmt) and not isinstance(node, ast.ClassDef)


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
    return lambda node: getattr(node, field).pop(n)


class Instead(MetaPathFinder, Loader):
    """Gives a module as it was changed, whoever imports it."""

    def __init__(self, name: str, path: Path, tree: ast.Module) -> None:
        self.name, self.path, self.tree = name, path, tree

    def find_spec(self, name: str, path: object = None, target: object = None) -> ModuleSpec | None:  # noqa: ARG002
        return spec_from_loader(name, self, origin=str(self.path)) if name == self.name else None

    def exec_module(self, module: ModuleType) -> None:
        exec(compile(ast.fix_missing_locations(self.tree), str(self.path), "exec"), module.__dict__)


@dataclass(frozen=True)
class Trial:
    """The tests over one module, changed or, with no mutant, as it is."""

    path: Path
    mutant: Mutant | None
    tests: tuple[str, ...]

    def passes(self) -> bool:
        """Whether all tests pass. To be asked in a process of its own that has imported nothing of ours."""
        if self.mutant:
            name = ".".join(self.path.relative_to(ROOT).with_suffix("").parts)
            sys.meta_path.insert(0, Instead(name, self.path, self.mutant.tree))
        signal.signal(signal.SIGALRM, signal.default_int_handler)  # what never ends is noticed, too
        signal.alarm(TIMEOUT_S)
        os.environ["HYPOTHESIS_PROFILE"] = "mutation"
        with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):
            return pytest.main([*OPTIONS, *self.tests]) == 0


def survivors(path: Path, tests: Sequence[str], processes: int) -> tuple[list[Mutant], int]:
    """The changes of a module that no test notices, and how many there were."""
    found = mutants(ast.parse(path.read_text()))
    trials = [Trial(path, mutant, tuple(tests)) for mutant in (None, *found)]
    with multiprocessing.get_context("fork").Pool(processes, maxtasksperchild=1) as pool:
        passed = pool.imap(Trial.passes, trials)
        if not next(passed):
            raise SystemExit(f"the tests fail without any change: pytest {' '.join(tests)}")
        lived = []
        for n, (mutant, passes) in enumerate(zip(found, passed, strict=True), 1):
            if passes:
                lived.append(mutant)
                print(f"{path.relative_to(ROOT)}:{mutant.line} {_shown(mutant)}", flush=True)
            if sys.stderr.isatty():
                print(f"\r{n} of {len(found)} ", end="", file=sys.stderr, flush=True)
    return lived, len(found)


def _shown(mutant: Mutant) -> str:
    before, after = (" ".join(text.split()) for text in (mutant.before, mutant.after))
    at = next((n for n, (one, other) in enumerate(zip(before, after, strict=False)) if one != other), 0)
    start = max(0, at - 40)
    return f"{before[start : at + 60]} → {after[start : at + 60]}"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("modules", nargs="*", default=MODULES, help="files to change; default: the steps")
    parser.add_argument("--tests", nargs="+", default=TESTS, help="what pytest is given")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--wanted", type=float, default=0.9, help="the share to be noticed in each module")
    asked = parser.parse_args()
    scores = []
    for module in asked.modules:
        lived, all_of_them = survivors(ROOT / module, asked.tests, asked.processes)
        scores.append(1 - len(lived) / max(1, all_of_them))
        print(f"{module}: {all_of_them - len(lived)} of {all_of_them} changes noticed, {scores[-1]:.3f}")
    raise SystemExit(0 if min(scores) >= asked.wanted else 1)


if __name__ == "__main__":
    main()
