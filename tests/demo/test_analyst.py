"""What the analyst's commands say of the marketplace's own files."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from bot import __main__ as command_line

ROOT = Path(__file__).parents[2]
Patrol = Callable[..., tuple[int, str, str]]


@pytest.fixture(name="patrol")
def _patrol(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Patrol:
    """Runs `patrol …` in a copy of the project; its exit code, and what it says."""
    for name in ("policies", "sql"):
        shutil.copytree(ROOT / name, tmp_path / name)
    monkeypatch.chdir(tmp_path)

    def run(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["patrol", *words])
        with pytest.raises(SystemExit) as ended:
            command_line.main()
        return int(ended.value.code or 0), *capsys.readouterr()

    return run


def test_check_counts_one_mistake_as_one_and_points_at_the_column(patrol: Patrol, tmp_path: Path) -> None:
    query = tmp_path / "sql/payments/card_testing.sql"
    query.write_text(query.read_text().replace("o.amount <", "o.amnt <"))
    code, out, _ = patrol("check")
    assert code == 1
    assert "card_testing.sql:6:7 core.orders has no column amnt; did you mean amount?" in out
    assert ": 1 mistake (1 in SQL)" in out


def test_check_of_a_path_that_is_none_says_so(patrol: Patrol, tmp_path: Path) -> None:
    code, out, err = patrol("check", "sql/nope")
    assert (code, out) == (2, "")
    assert err.startswith("patrol: 'sql/nope' does not exist, neither here nor in ")
    named = patrol("check", "payments.card_testing")[2]
    assert named.rstrip().endswith("Did you mean policies/payments/card_testing.yml?")
    assert patrol("check", "sql/chat", "--project", str(tmp_path))[0] == 0


def test_a_policy_that_is_none_gets_one_sentence(patrol: Patrol) -> None:
    code, _, err = patrol("next", "payments.nope")
    assert code == 2
    assert err.startswith("patrol: There is no policy payments.nope; there are accounts.")
    assert err.rstrip().endswith("… and 31 more")
    assert "Usage" not in err
    assert "did you mean payments.refund_spike?" in patrol("next", "payments.refund_spik")[2]
    assert "did you mean payments.refund_spike?" in patrol("run", "refund_spike")[2]


def test_next_says_utc_once(patrol: Patrol) -> None:
    code, out, _ = patrol("next", "payments.refund_spike", "--from", "2026-01-05T12:00Z", "--count", "1")
    assert (code, out) == (0, "Mon 2026-01-05 12:00:20 UTC\n")
