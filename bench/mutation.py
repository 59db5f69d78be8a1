"""Whether a change of the core goes unnoticed: one small change at a time, and the tests of the core over it.

What no test notices stands in survivors.md with its reason. The exit code is 1 where more than one change in
ten lives in a module, or one lives that has no reason there.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_loader
from pathlib import Path
from types import FrameType, ModuleType

import hypothesis  # noqa: F401  loaded once, for all that are forked
import pytest

from bench.mutants import Mutant, mutants
from bench.survivors import UNKNOWN, Row, read, write

ROOT = Path(__file__).parents[1]
MODULES = ("bot/core/step.py", "bot/core/sensor_step.py", "bot/core/ladder.py")
TABLES = ("transitions", "firing", "ladder", "beside", "policy_changes", "unheard", "snooze")
NAMED = (*TABLES, "safety", "liveness")
TESTS = tuple(f"tests/core/test_{of}.py" for of in NAMED)  # one after another, the quick ones first
OPTIONS = ("-x", "-q", "-p", "no:cacheprovider", "--assert=plain")
TIMES = 4  # as much of the processor as the tests need over the module as it is: then a change never ends
LEAST_S = 10.0


class Verdict(StrEnum):
    noticed = "noticed"
    endless = "endless"  # noticed, too: whoever runs the tests sees that they do not end
    lived = "lived"
    unheard = "unheard"  # pytest gave no verdict


class Instead(MetaPathFinder, Loader):
    """Gives a module as it was changed, whoever imports it."""

    def __init__(self, name: str, path: Path, tree: ast.Module) -> None:
        self.name, self.path, self.tree = name, path, tree

    def find_spec(self, name: str, path: object = None, target: object = None) -> ModuleSpec | None:  # noqa: ARG002
        return spec_from_loader(name, self, origin=str(self.path)) if name == self.name else None

    def exec_module(self, module: ModuleType) -> None:
        exec(compile(self.tree, str(self.path), "exec"), module.__dict__)


@dataclass(frozen=True)
class Trial:
    """The tests over one module, changed or, with no mutant, as it is. `limit` is in seconds of the
    processor, so that what other processes do decides nothing; 0 is none."""

    path: Path
    mutant: Mutant | None
    tests: tuple[str, ...]
    limit: float = 0.0

    def verdict(self) -> tuple[Verdict, float]:
        """With the seconds that it took of the processor. To be asked in a process of its own that has
        imported nothing of ours."""
        if self.mutant:
            name = ".".join(self.path.relative_to(ROOT).with_suffix("").parts)
            sys.meta_path.insert(0, Instead(name, self.path, self.mutant.of(self.path.read_text())))
        over: list[int] = []
        signal.signal(signal.SIGPROF, lambda number, frame: _ends(over, number, frame))
        signal.setitimer(signal.ITIMER_PROF, self.limit)
        os.environ["HYPOTHESIS_PROFILE"] = "mutation"
        started = time.process_time()
        with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):
            said = next(
                (one for one in map(self._heard, self.tests) if one is not Verdict.lived), Verdict.lived
            )
        signal.setitimer(signal.ITIMER_PROF, 0)
        return Verdict.endless if over else said, time.process_time() - started

    def _heard(self, tests: str) -> Verdict:
        """What one file of tests says. A change that cannot even be imported is an interruption to pytest."""
        heard = {0: Verdict.lived, 1: Verdict.noticed, 2: Verdict.noticed}
        return heard.get(pytest.main([*OPTIONS, tests]), Verdict.unheard)


def _ends(over: list[int], number: int, frame: FrameType | None) -> None:
    over.append(number)
    signal.default_int_handler(number, frame)


def verdicts(
    path: Path, found: Sequence[Mutant], tests: Sequence[str], processes: int
) -> Iterator[tuple[Mutant, Verdict]]:
    """Of each change what the tests say of it, in order; first they must pass without any."""
    with multiprocessing.get_context("fork").Pool(processes, maxtasksperchild=1) as pool:
        plain, seconds = pool.apply(Trial(path, None, tuple(tests)).verdict)
        if plain is not Verdict.lived:
            raise SystemExit(f"the tests fail without any change: pytest {' '.join(tests)}")
        limit = max(LEAST_S, TIMES * seconds)
        trials = [Trial(path, mutant, tuple(tests), limit) for mutant in found]
        for mutant, (said, _) in zip(found, pool.imap(Trial.verdict, trials), strict=True):
            if said is Verdict.unheard:
                raise SystemExit(f"{path}:{mutant.line} {mutant.shown}: pytest gave no verdict")
            yield mutant, said


def judged(module: str, within: range, tests: Sequence[str], processes: int) -> tuple[list[Mutant], float]:
    """The changes of a module that no test notices, and the share that is noticed; says both as it goes."""
    path = ROOT / module
    found = [one for one in mutants(path.read_text()) if one.line in within]
    lived, endless = [], 0
    for n, (mutant, said) in enumerate(verdicts(path, found, tests, processes), 1):
        if said is Verdict.lived:
            lived.append(mutant)
            print(f"{module}:{mutant.line} {mutant.where}: {mutant.shown}", flush=True)
        endless += said is Verdict.endless
        if sys.stderr.isatty():
            print(f"\r{n} of {len(found)} ", end="", file=sys.stderr, flush=True)
    share = 1 - len(lived) / max(1, len(found))
    without_end = f", {endless} of them because the tests never ended" if endless else ""
    print(f"{module}: {len(found) - len(lived)} of {len(found)} changes noticed{without_end}, {share:.3f}")
    return lived, share


def _lines(text: str) -> range:
    first, _, last = text.partition("-")
    try:
        return range(int(first), int(last or first) + 1)
    except ValueError:
        raise argparse.ArgumentTypeError("as 120 or 120-160") from None


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("modules", nargs="*", default=MODULES, help="files to change; default: the steps")
    parser.add_argument("--lines", type=_lines, help="only changes on these lines of one module: 120-160")
    parser.add_argument("--tests", nargs="+", default=TESTS, help="what pytest is given, one by one")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--wanted", type=float, default=0.9, help="the share to be noticed in each module")
    parser.add_argument("--write", action="store_true", help="write what lives into survivors.md")
    return parser.parse_args()


def main() -> None:
    asked = _asked()
    known, enough, rows = read(), True, []
    for module in asked.modules:
        lived, share = judged(module, asked.lines or range(1_000_000), asked.tests, asked.processes)
        enough &= share >= asked.wanted
        rows += [
            Row(module, one.where, one.shown, known.get((module, one.where, one.shown), UNKNOWN))
            for one in lived
        ]
    for row in rows:
        if row.why == UNKNOWN:
            enough = False
            print(f"no reason is given in bench/survivors.md: {row.module} {row.where}: {row.shown}")
    if asked.write:
        write(rows, asked.modules)
    raise SystemExit(0 if enough else 1)


if __name__ == "__main__":
    main()
