"""The figures' own judgement: what is violated is seen, and what only looks different is not."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from bench.figures import ROWS, exit_code, main
from bench.figures_bots import standing
from bench.figures_posts import overtaken, too_fast
from bench.figures_table import Figure, quantile
from bot.sandbox import names

ROOT = Path(__file__).parents[2]


def test_a_quantile_is_a_value_that_was_seen() -> None:
    assert quantile([3.0, 1.0, 2.0], 0.5) == 2.0
    assert quantile([float(n) for n in range(1, 101)], 0.95) == 95.0
    assert quantile([float(n) for n in range(1, 101)], 0.99) == 99.0
    assert quantile([7.0], 0.99) == 7.0


@pytest.mark.parametrize(
    ("times", "fast"),
    [
        ([0.0, 1.0, 2.0, 3.0], False),
        ([0.0, 1.1, 2.0, 3.0], False),  # one was on its way a moment longer
        ([0.0, 1.0, 1.5, 3.0], True),
        ([0.9 * n for n in range(10)], True),  # little by little
        ([0.0, 5.0, 6.0, 6.2], True),  # also after a rest
    ],
)
def test_more_than_one_message_a_second_is_seen(times: list[float], fast: bool) -> None:
    assert too_fast(times) is fast


def test_a_card_that_came_before_an_earlier_one_is_named() -> None:
    assert overtaken([1, 2, 3, 5, 8]) == []
    assert overtaken([1, 3, 2, 4]) == ["ALR-3 came before ALR-2"]


def message(ts: str, text: str, thread: str | None = None, bot: str = names.BOT_ID) -> dict[str, Any]:
    return {"ts": ts, "text": text, "bot_id": bot, **({"thread_ts": thread} if thread else {})}


def room(*messages: dict[str, Any]) -> dict[str, Any]:
    return {"channels": [{"messages": list(messages)}]}


def test_numbers_and_times_make_no_difference_but_keys_words_and_copies_do() -> None:
    one = standing(room(message("1", "pair1x · ack 4 by 03:14"), message("2", "ALR-4 is worse", "1")))
    other = standing(room(message("8", "pair1x · ack 17 by 04:20"), message("9", "ALR-17 is worse", "8")))
    assert one == other
    assert sum(one.values()) == 2
    copy = standing(room(message("1", "pair1x · ack 4 by 03:14"), message("2", "pair1x · ack 5 by 03:14")))
    assert list(copy.values()) == [2]
    assert standing(room(message("1", "pair2x · ack 4 by 03:14"))) - one == Counter(
        {("pair2x", "card", "pair2x · … by …"): 1}
    )
    assert standing(room(message("1", "hello", bot="B0ANOTHER"))) == Counter()


def test_only_what_is_violated_ends_with_one() -> None:
    fine = Figure("slow", "≤ 1 s", "9 s", "once")
    assert exit_code([fine]) == 0
    assert exit_code([fine, Figure("order", "kept", "lost", "once", broken="out of order")]) == 1


def test_a_row_that_is_none_is_told_those_there_are() -> None:
    ended = CliRunner().invoke(main, ["--row", "speed"])
    assert ended.exit_code == 2
    assert all(name in " ".join(ended.output.split()) for name in ROWS)


@pytest.mark.slow
def test_a_row_is_measured_on_the_real_bot_by_its_command() -> None:
    words = [sys.executable, "-m", "bench.figures", "--row", "flood"]
    wide = {**os.environ, "COLUMNS": "200"}
    ended = subprocess.run(
        words, cwd=ROOT, env=wide, capture_output=True, text=True, timeout=300, check=False
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "1 alert, 1 card" in ended.stdout
    assert "ROW=flood" in ended.stdout
