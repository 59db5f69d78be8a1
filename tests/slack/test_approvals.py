"""The card of a job that waits for a second person: any of them is one that Slack takes, and its buttons."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.core.approval import Approval, ApprovalState
from bot.core.job_run import JobRun, JobState
from bot.core.reply import ApprovalsReply
from bot.slack.answers import render
from bot.slack.approvals import card, decided, ended

from .conftest import HOLD, NOW, Bot
from .hostile import HOSTILE
from .test_face import sound
from .test_listeners import words

ASKED = Approval(
    id=12,
    job="hold_payouts",
    title="Hold payouts",
    params={"seller_id": "s_1"},
    binding="0123456789abcdef" * 4,
    by="U0ANA",
    asked_at=NOW,
    expires_at=NOW + timedelta(minutes=15),
    alert=3,
)
RUN = JobRun(1, "hold_payouts", "U0ANA", "approval-12", NOW, NOW, state=JobState.succeeded, outcome="held")


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_whatever_it_holds_its_card_and_its_lines_are_sound(text: str) -> None:
    asked = replace(ASKED, title=text, params={text or "x": text, "n": [text] * 3}, why=text)
    job = replace(HOLD, title=text, changes=text, undo=text)
    run = replace(RUN, outcome=text, link=text)
    sound(card(asked, job, None, ("U0BO", "U0CY"), "https://slack.example.com/archives/C0/p1"))
    for state in ApprovalState:
        over = replace(asked, state=state, decided_by="U0CY", decided_at=NOW)
        sound(card(over, None, run), honest=False)
        sound(decided(over), honest=False)
    sound(ended(asked, run), honest=False)
    many = tuple(replace(asked, id=n) for n in range(1, 31))
    sound(render(ApprovalsReply(many, {12: ("U0BO",)}, tuple(range(1, 31)))))


def test_a_click_on_its_buttons_is_handed_in_with_what_was_shown(bot: Bot) -> None:
    ts = bot.client.post("C0PAYMENTS", card(ASKED, HOLD, None, ("U0BO",)), "approval-12-0")
    for action, yes in (("approval.yes.12", True), ("approval.no.12", False)):
        seen: dict[str, Any] = bot.sandbox.click("bo", "payments", ts, action, wait_ms=1500)
        assert seen["acked"]
        assert bot.desk.handed[-1] == ("decide", "U0BO", 12, yes, ASKED.binding[:16])
        assert "APR-12 was" in words(seen)


def test_a_button_that_says_nothing_is_answered_and_hands_in_nothing(bot: Bot) -> None:
    ts = bot.client.post("C0PAYMENTS", card(ASKED, HOLD, None), "approval-12-0")
    seen = bot.sandbox.click("bo", "payments", ts, "approval.yes.12", value="12:DROP", wait_ms=1500)
    assert "says nothing" in words(seen)
    assert bot.desk.handed == []
