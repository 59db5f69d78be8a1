"""What must hold of an open alert for it not to be forgotten."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.core.alert import Due
from bot.core.audit import FORGOTTEN_ALERT, Behind, Finding, Flaw, Held, audit, due_is_wrong, forgotten
from sensors.model.policy import Severity
from tests.core.looking import TEAM
from tests.core.making import HOUR, MINUTE, NOON

SECOND = timedelta(seconds=1)
SOUND = Held(
    id=3,
    version=7,
    policy="payments.steering",
    live=True,
    due_at=NOON + HOUR,
    due=Due(NOON + HOUR, "oncall", "nobody has acknowledged it"),
    team="payments",
    carded=True,
    parked=False,
    error="",
    waiting_since=NOON,
    effect_since=None,
)
THERE = Behind(("UBO",), (), "C1")


def said(
    behind: Behind = THERE, after: timedelta = MINUTE, watched: timedelta = -HOUR, **fields: Any
) -> list[tuple[Flaw, str]]:
    found = audit(replace(SOUND, **fields), behind, NOON + after, NOON + watched)
    return [(f.flaw, f.said) for f in found]


def test_of_a_sound_alert_there_is_nothing_to_say() -> None:
    assert said() == []
    assert not due_is_wrong(SOUND)


@pytest.mark.parametrize("at", [None, NOON, NOON + HOUR + SECOND])
def test_the_sweep_must_come_by_when_it_is_due(at: Any) -> None:
    assert due_is_wrong(replace(SOUND, due_at=at))


def test_what_is_long_overdue_is_said() -> None:
    assert said(after=HOUR + 5 * MINUTE) == []
    assert said(after=HOUR + 6 * MINUTE) == [
        (Flaw.overdue, "ALR-3 has been due since 2026-01-05 13:00 UTC and nobody was told")
    ]


def test_due_to_nobody_is_said_with_who_hears_of_it_instead() -> None:
    assert said(Behind((), ("UANA",), "C1")) == [
        (
            Flaw.nobody,
            "ALR-3 is due to whoever is on call in team payments, where there is nobody: others hear of it",
        )
    ]
    ((_, sentence),) = said(Behind((), (), "C1"))
    assert sentence.endswith("where there is nobody: nobody hears of it")


def test_a_card_that_will_never_come_is_said_at_once_and_one_that_is_late_after_a_while() -> None:
    parked = said(carded=False, parked=True, error="Slack refused: is_archived")
    assert parked == [
        (Flaw.card, "ALR-3 has no card, and it is not tried any more: Slack refused: is_archived")
    ]
    no_channel = said(replace(THERE, channel=""), carded=False)
    assert no_channel == [(Flaw.card, "ALR-3 has no card, for team payments has no channel")]
    assert said(carded=False, after=15 * MINUTE) == []
    late = said(carded=False, after=16 * MINUTE)
    assert late == [(Flaw.card, "ALR-3 has had no card for more than 15 min")]


def test_what_was_to_be_told_long_ago_is_said_where_there_is_a_card_to_say_it_under() -> None:
    assert said(effect_since=NOON, after=15 * MINUTE) == []
    assert said(effect_since=NOON, after=16 * MINUTE) == [
        (
            Flaw.effect,
            "ALR-3 has something to be told or done since 2026-01-05 12:00 UTC that has not been",
        )
    ]
    assert [flaw for flaw, _ in said(effect_since=NOON, carded=False, after=16 * MINUTE)] == [Flaw.card]


def test_alerts_that_page_nobody_need_no_card_but_are_due_all_the_same() -> None:
    assert said(live=False, carded=False, parked=True, effect_since=NOON, after=16 * MINUTE) == []
    assert [f for f, _ in said(live=False, after=2 * HOUR)] == [Flaw.overdue]


def test_the_auditors_own_alert_is_not_audited_for_it_would_never_end() -> None:
    assert said(Behind((), (), ""), policy=FORGOTTEN_ALERT, carded=False, parked=True, after=5 * HOUR) == []


def test_what_came_due_while_nobody_was_there_is_not_late_at_once() -> None:
    slept = {"after": 5 * HOUR, "watched": 5 * HOUR - MINUTE}
    assert said(**slept) == []
    assert said(**slept, carded=False) == []
    assert said(**slept, effect_since=NOON) == []
    assert [f for f, _ in said(**{**slept, "watched": 4 * HOUR}, effect_since=NOON)] == [
        Flaw.overdue,
        Flaw.effect,
    ]


def test_all_of_it_is_one_alert_that_names_the_first() -> None:
    found = [Finding(n, Flaw.nobody, f"ALR-{n} is due to nobody") for n in range(1, 31)]
    fire = forgotten(found, "payments", TEAM, NOON)
    assert fire.title == "30 open alerts may be forgotten, the first: ALR-1 is due to nobody"
    assert fire.newest["why"].count("ALR-") == 20
    assert (fire.count, fire.severity) == (30, Severity.high)
    assert forgotten(found[:2], "payments", TEAM, NOON).title.startswith("2 open alerts may be forgotten")
    assert forgotten(found[:1], "payments", TEAM, NOON).title == "ALR-1 is due to nobody"
    both = [found[0], replace(found[0], flaw=Flaw.card)]
    assert forgotten(both, "payments", TEAM, NOON).count == 1
