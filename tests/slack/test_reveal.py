"""Masked values: a reason is handed in, and what comes is shown to one person and never parsed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bot.core.reply import Revealed
from bot.sandbox.blockkit import check_view
from bot.slack.face import concealed
from bot.slack.modals import Errand
from bot.slack.reveal import form, shown, waiting
from tests.core.looking import policy

from .conftest import Bot, a_context, an_alert, eventually
from .hostile import HOSTILE, INVISIBLE, dangers, mrkdwn_of, plain_of
from .test_listeners import opened

POLICY = policy()
MASKED = replace(POLICY, alert=replace(POLICY.alert, columns={"body": "mask"}))
ERRAND = Errand(3, 0, "C0PAYMENTS")


@pytest.fixture
def masked(bot: Bot) -> Bot:
    bot.desk.about = a_context(policy=MASKED)
    return bot


def with_words(bot: Bot, words: str) -> list[dict[str, Any]]:
    return [view for view in bot.sandbox.state("ana")["views"] if words in str(view["blocks"])]


def asked(bot: Bot, why: str) -> dict[str, Any]:
    view = opened(bot.click("alert.more"))
    seen = bot.sandbox.click_view("ana", view["id"], "alert.reveal", wait_ms=1500)
    asking = next(v for v in seen["views"] if v["callback_id"] == "reveal")
    return bot.sandbox.submit("ana", asking["id"], {"why": why}, wait_ms=1500)


def test_a_reason_is_handed_in_and_the_values_come_into_the_same_modal(masked: Bot) -> None:
    asked(masked, "the seller says it was never written")
    assert ("reveal", "U0ANA", 3, "the seller says it was never written") in masked.desk.handed
    fresh = eventually(lambda: next(iter(with_words(masked, "Only you")), None))
    assert "<!here> pay me" in str(fresh["blocks"])
    assert "and 2 older rows" in str(fresh["blocks"])
    assert masked.desk.handed[-1] == ("revealed", "U0ANA", 3)
    assert not any('pay me"' in str(m) for m in masked.sandbox.messages("payments"))


def test_who_may_not_is_told_in_the_form_and_the_warehouse_is_not_asked(masked: Bot) -> None:
    seen = asked(masked, "no")
    assert "Only a responder" in seen["errors"]["why"]
    assert not any(what[0] == "revealed" for what in masked.desk.handed)


def test_where_nothing_is_masked_nothing_is_offered() -> None:
    assert concealed(an_alert(), a_context(policy=POLICY)) == []
    assert concealed(an_alert(), a_context()) == []
    (button,) = concealed(an_alert(), a_context(policy=MASKED))
    assert button["action_id"] == "alert.reveal"


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_whatever_was_written_the_modal_is_one_that_slack_takes_and_parses_nothing(text: str) -> None:
    rows = ({"body": text, text or "x": [text] * 5},) * 10
    views = (
        shown(Revealed(("body", text or "x"), rows, 40), ERRAND),
        shown(Revealed(why_not=f"The look failed: {text}."), ERRAND),
        form(an_alert(title=text), ERRAND),
        waiting(ERRAND, "0123abcd"),
    )
    for view in views:
        assert check_view(view, "modal") == []
        for said in mrkdwn_of(view):
            assert dangers(said, honest=True) == [], said
        for said in plain_of(view):
            assert not INVISIBLE.search(said), said
