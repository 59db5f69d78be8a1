"""The message of a backfill: within Slack's limits whatever it tells of, pinging nobody, with its button."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.backfill import BackfillRun, BackfillState, Found, Stage
from bot.core.reply import StatusReply
from bot.sandbox.blockkit import check_message
from bot.slack import payloads
from bot.slack.backfill import card, lines
from bot.slack.lines import Room
from tests.slack.anything import BACKFILL, SLACK, TEXT

from .conftest import NOW
from .hostile import mrkdwn_of

FOUND = st.builds(Found, st.integers(0, 10**7), st.lists(st.integers(1, 10**7), max_size=30).map(tuple))
HOUR = timedelta(hours=1)
STAGE = Stage("payments.x", "text", NOW - 5 * HOUR, NOW, 5, done=2)
ONE = BackfillRun("U0ANA", NOW, (STAGE,), "payments", "C1", id=3)


@given(BACKFILL, FOUND, st.booleans(), st.dictionaries(SLACK, TEXT, max_size=2))
def test_slack_takes_it_and_nobody_is_pinged(
    run: BackfillRun, found: Found, hidden: bool, names: dict[str, str]
) -> None:
    face = card(run, found, hidden, names)
    assert check_message(face.blocks) == []
    assert 0 < len(face.text) < 3_000
    shown = " ".join([face.text, *mrkdwn_of(face.blocks)])
    assert "<@" not in shown
    assert "<!here" not in shown
    assert not hidden or not any(f"ALR-{one}" in shown for one in found.alerts)


def buttons(run: BackfillRun) -> list[dict[str, Any]]:
    blocks = card(run, Found(), hidden=False, names={}).blocks
    return [element for block in blocks if block["type"] == "actions" for element in block["elements"]]


@pytest.mark.parametrize(
    ("state", "does"),
    [
        (BackfillState.running, "stop"),
        (BackfillState.stopping, ""),
        (BackfillState.stopped, "go on"),
        (BackfillState.failed, "go on"),
        (BackfillState.done, ""),
    ],
)
def test_its_button_is_read_back_as_what_it_says(state: BackfillState, does: str) -> None:
    found = buttons(replace(ONE, state=state))
    assert [payloads.steering({"actions": [one]}) for one in found] == ([(3, does)] if does else [])


@pytest.mark.parametrize(
    "action", ["backfill.stop", "backfill.on.x", "backfill.stop.-1", "backfill.go.3", ""]
)
def test_a_button_that_says_nothing_is_none(action: str) -> None:
    assert payloads.steering({"actions": [{"action_id": action, "value": "3"}]}) is None


def test_in_status_it_is_a_line_that_leads_to_its_message() -> None:
    room = Room(address=lambda channel, ts: f"https://town.slack.com/{channel}/{ts}")
    (line,) = lines(StatusReply((), (), backfills=(ONE,), notices={ONE.key: ("C1", "1.2")}), room)
    assert line.startswith("<https://town.slack.com/C1/1.2|BKF-3>: `payments.x`, ")
    (line,) = lines(StatusReply((), (), backfills=(ONE,)), room)
    assert line.startswith("*BKF-3*: `payments.x`, ")


def test_how_far_it_is_and_what_it_waits_for_is_said() -> None:
    slow = replace(ONE, looked=4, worked=timedelta(minutes=8), why="the warehouse is away")
    told = " ".join(mrkdwn_of(card(slow, Found(7, (1, 2)), hidden=False, names={"U0ANA": "ana"}).blocks))
    assert "████████░░░░░░░░░░░░  2 of 5 windows · about 6 min to go" in told
    assert "so far: 7 rows, 2 new alerts (ALR-1, ALR-2)" in told
    assert "waits: the warehouse is away" in told
    assert "asked for by ana" in told
