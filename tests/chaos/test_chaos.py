"""Chaos in small: Patrol loses nothing and doubles nothing; with one rule broken, chaos says so."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LAST = re.compile(r"kills (\d+) faults (\d+) planted (\d+) lost (\d+) doubled (\d+)")
RUNS = {
    "healthy": ("--kills", "3"),
    "no-reconcile": ("--kills", "3", "--control", "no-reconcile"),
    "split-watermark": ("--kills", "8", "--control", "split-watermark"),
}


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, subprocess.CompletedProcess[str]]:
    """Each run, all at once: most of the time is spent waiting for leases to run out."""
    folder = str(tmp_path_factory.mktemp("chaos"))

    def run(name: str) -> subprocess.CompletedProcess[str]:
        words = [sys.executable, "-m", "bench.chaos", "--folder", folder, "--seed", "1", *RUNS[name]]
        return subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=400, check=False)

    with ThreadPoolExecutor(len(RUNS)) as pool:
        return dict(zip(RUNS, pool.map(run, RUNS), strict=True))


def counts(one: subprocess.CompletedProcess[str]) -> tuple[int, ...]:
    """kills, faults, planted, lost, doubled, from the last line."""
    found = LAST.fullmatch(one.stdout.splitlines()[-1])
    assert found, one.stdout + one.stderr
    return tuple(int(number) for number in found.groups())


@pytest.mark.slow
def test_patrol_loses_nothing_and_doubles_nothing(
    ended: Mapping[str, subprocess.CompletedProcess[str]],
) -> None:
    kills, faults, planted, lost, doubled = counts(ended["healthy"])
    assert (kills, lost, doubled) == (3, 0, 0), ended["healthy"].stdout
    assert faults > 0
    assert planted > 5
    assert ended["healthy"].returncode == 0


@pytest.mark.slow
def test_without_looking_first_cards_stand_twice(
    ended: Mapping[str, subprocess.CompletedProcess[str]],
) -> None:
    *_, doubled = counts(ended["no-reconcile"])
    assert doubled > 0
    assert ended["no-reconcile"].returncode == 1


@pytest.mark.slow
def test_with_the_watermark_saved_apart_violations_are_lost(
    ended: Mapping[str, subprocess.CompletedProcess[str]],
) -> None:
    *_, lost, _ = counts(ended["split-watermark"])
    assert lost > 0
    assert ended["split-watermark"].returncode == 1
