"""Changes that no test notices: what is changed, what counts as noticed, and that their list is true."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from bench.mutants import mutants
from bench.survivors import PAGE, UNKNOWN, Row, rows, shown

ROOT = Path(__file__).parents[2]
SOURCE = """
def late(at: int | None, most: tuple[int, ...] = ()) -> tuple[int, ...]:
    if at and at > 5:
        return replace(most, n=1, why="")
    return most
"""
WANTED = {
    *(
        "if at and at > 5: → if True:",
        "if at and at > 5: → if False:",
        "if at and at > 5: → if at or at > 5:",
    ),
    *(
        "if at and at > 5: → if at > 5:",
        "if at and at > 5: → if at:",
        "if at and at > 5: → if at and at >= 5:",
    ),
    *("if at and at > 5: → if at and at > 6:", "return replace(most, n=1, why='') → return None"),
    *("return replace(most, n=1, why='') → return replace(most, why='')", "return most → return None"),
    *("return replace(most, n=1, why='') → return replace(most, n=1)",),
    *("return replace(most, n=1, why='') → return replace(most, n=2, why='')",),
}


def test_each_change_is_one_small_thing_and_types_are_left_alone() -> None:
    found = mutants(SOURCE)
    assert {one.where for one in found} == {"late"}
    assert len(found) == len({one.shown for one in found}) == len(WANTED)
    plain = ast.unparse(ast.parse(SOURCE)).splitlines()
    for one in found:
        changed = ast.unparse(one.of(SOURCE)).splitlines()
        assert len(changed) == len(plain)
        (differs,) = [(a, b) for a, b in zip(plain, changed, strict=True) if a != b]
        before, _, after = one.shown.partition(" → ")
        assert before in " ".join(differs[0].split()), one
        assert after in " ".join(differs[1].split()), one


def test_the_page_is_read_as_it_was_written() -> None:
    found = [
        Row("bot/core/a.py", "late", "a | b → `b`", "it is | so"),
        Row("bot/core/a.py", "soon", "1 → 2", UNKNOWN),
        Row("bot/core/b.py", "late", "x → y", "never"),
    ]
    assert rows(shown(found)) == found


def test_each_change_on_the_page_is_one_of_its_module_and_has_a_reason() -> None:
    listed = rows(PAGE.read_text())
    assert listed
    for module in {row.module for row in listed}:
        made = {(one.where, one.shown) for one in mutants((ROOT / module).read_text())}
        gone = [row for row in listed if row.module == module and (row.where, row.shown) not in made]
        assert gone == []
    assert [row for row in listed if row.why == UNKNOWN] == []


@pytest.mark.parametrize(
    ("body", "verdict"),
    [
        ("assert True", "lived"),
        ("assert False", "noticed"),
        ("while True: pass", "endless"),
        ("__import__('time').sleep(1)", "lived"),  # a machine that is busy with something else
    ],
)
def test_only_what_the_tests_themselves_do_counts_never_the_clock_on_the_wall(
    tmp_path: Path, body: str, verdict: str
) -> None:
    (tmp_path / "test_it.py").write_text(f"def test_it():\n    {body}\n")
    trial = f"Trial(Path('x'), None, ({str(tmp_path / 'test_it.py')!r},), 0.8).verdict()"
    code = f"from pathlib import Path; from bench.mutation import Trial; print('said', {trial}[0].value)"
    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert f"said {verdict}" in ran.stdout


def test_a_change_that_the_tests_do_not_see_is_named_and_ends_the_command_with_1() -> None:
    module = "bot/core/circuit.py"
    line = 1 + (ROOT / module).read_text().splitlines().index("    first = circuit.since is None")
    said = {}
    for tests in ("tests/core/test_circuit.py", "tests/core/test_score.py"):
        command = [sys.executable, "-m", "bench.mutation", module, "--lines", str(line), "--tests", tests]
        ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        said[tests] = (ran.returncode, ran.stdout.splitlines()[0])
    assert said == {
        "tests/core/test_circuit.py": (0, f"{module}: 1 of 1 changes noticed, 1.000"),
        "tests/core/test_score.py": (
            1,
            f"{module}:{line} failed: circuit.since is None → circuit.since is not None",
        ),
    }
