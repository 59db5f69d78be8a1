"""What chaos counts as a planted alert's card, and what it does not."""

from __future__ import annotations

import json

import pytest

from bench.chaos_truth import _key


@pytest.mark.parametrize(
    ("head", "rows", "thread", "key"),
    [
        ("HIGH · exact_7 was planted for exact, 3 times · ALR-3", "m_1", None, "exact_7"),
        ("HIGH · exact_7 was planted for exact, 3 times · ALR-3", "m_1", "1.0", None),
        ("HIGH · Slack was away for 2 h · ALR-9", "opened: exact_7 was planted for exact", None, None),
    ],
)
def test_only_the_card_of_a_planted_alert_counts_for_it(
    head: str, rows: str, thread: str | None, key: str | None
) -> None:
    blocks = [{"type": "header", "text": {"text": head}}, {"type": "section", "text": {"text": rows}}]
    assert _key({"blocks": json.dumps(blocks), "thread_ts": thread}) == key
