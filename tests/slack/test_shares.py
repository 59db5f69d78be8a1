"""How right a policy was: a percentage, with its interval, only from ten verdicts on, wherever it stands."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.core.alert import Disposition
from bot.core.digest import Digest, Fired, Span
from bot.core.earned import Record
from bot.core.reply import DigestReply, Worth
from bot.slack.answers import render
from bot.slack.wording import precision, worth
from sensors.model.policy import Status

from .conftest import NOW
from .hostile import mrkdwn_of
from .test_card_words import POLICY

TP, FP = Disposition.true_positive, Disposition.false_positive


def in_the_digest(right: int, wrong: int) -> str:
    fired = Fired("payments.off_platform_payment", opened=right + wrong, right=right, wrong=wrong)
    found = Digest("payments", Span(NOW - timedelta(days=7), NOW, weekly=True), fired=(fired,))
    return " ".join(mrkdwn_of(render(DigestReply(found)).blocks))


def on_its_page(right: int, wrong: int, status: Status) -> str:
    record = Record(right, wrong, right + wrong, span=timedelta(days=9))
    return worth(replace(POLICY, status=status), Worth(record))


@pytest.mark.parametrize("right", [0, 1, 8, 9])
def test_under_ten_there_is_no_percentage(right: int) -> None:
    wrong = 9 - right
    texts = [in_the_digest(right, wrong), precision({TP: right, FP: wrong})]
    texts += [on_its_page(right, wrong, status) for status in (Status.live, Status.shadow)]
    assert [text for text in texts if "%" in text] == []
    assert f"right {right} of 9" in texts[0]


def test_from_ten_on_it_has_n_and_an_interval() -> None:
    assert "right 8 of 10: 80% (49% to 94%)" in in_the_digest(8, 2)
    assert "right 8 of 10 (95% sure: 49%–94%)" in on_its_page(8, 2, Status.live)
    assert precision({TP: 8, FP: 2}) == "right 8 of 10 in 30 days"
