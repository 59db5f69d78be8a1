"""A page that reached nobody: the ladder goes on at once, never in a circle. A pager is one of its steps."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.action import Acknowledge, PagerCalled, SnoozeFor, Timer, Unheard
from bot.core.alert import Lane, due
from bot.core.change import Change, EffectKind, Same
from bot.core.ladder import still_due
from bot.core.step import step
from bot.core.words import when
from tests.core.making import ANA, BO, HOUR, MINUTE, NOON, done, effects, events, fire, ladder, opened

SAID = f"escalated to the team: ⟦U0ANA⟧ has asked Slack not to be disturbed until {when(NOON + HOUR)}"
STEPS = ladder((0, "oncall"), (10, "team"), (25, "pager"), (30, "bo"))


def test_the_next_step_is_told_at_once_with_the_reason() -> None:
    alert = opened(fire(terms=events(ladder=STEPS)))
    change = done(alert, Unheard(1, ("U0ANA",), NOON + HOUR), NOON + MINUTE)
    assert change.event.story == SAID
    assert [effect.to for effect in effects(change, EffectKind.page)] == ["team"]
    assert change.alert.step == 2
    assert change.alert.step_due == NOON + MINUTE + 15 * MINUTE


def test_what_has_moved_on_meanwhile_stays_as_it_is() -> None:
    alert = opened(fire(terms=events(ladder=STEPS)))
    moved = (
        done(alert, Acknowledge(ANA)).alert,
        done(alert, SnoozeFor(ANA, NOON + HOUR)).alert,
        done(alert, Unheard(1, ("U0ANA",))).alert,
        opened(fire(terms=events(ladder=STEPS), lane=Lane.shadow)),
    )
    assert [type(step(one, Unheard(1, ("U0ANA",)), NOON + MINUTE)) for one in moved] == [Same] * 4


def test_what_pages_nobody_and_what_is_not_waiting_is_not_escalated_whatever_was_unheard() -> None:
    quiet = opened(fire(terms=events(ladder=STEPS), lane=Lane.historical))
    assert quiet.step == 0
    assert isinstance(step(quiet, Unheard(0, why="the pager refused"), NOON), Same)


@pytest.mark.parametrize(
    ("unheard", "why"),
    [
        (Unheard(1, ("U0ANA", "U0BO")), "⟦U0ANA⟧ and ⟦U0BO⟧ have asked Slack not to be disturbed"),
        (Unheard(1, ("U0ANA",)), "⟦U0ANA⟧ has asked Slack not to be disturbed"),
    ],
)
def test_those_who_are_not_to_be_disturbed_are_named(unheard: Unheard, why: str) -> None:
    alert = opened(fire(terms=events(ladder=STEPS)))
    assert done(alert, unheard).event.story == f"escalated to the team: {why}"


@given(st.integers(1, 6))
def test_do_not_disturb_passes_over_the_ladder_once_and_then_somebody_is_told(n: int) -> None:
    steps = ladder(*[(5 * k, "oncall") for k in range(n)])
    alert, passed = opened(fire(terms=events(ladder=steps))), 0
    while isinstance(outcome := step(alert, Unheard(alert.step, ("U0ANA", "U0BO")), NOON), Change):
        alert, passed = outcome.alert, passed + 1
        assert passed < n, "it goes on for ever"
    assert passed == n - 1
    next_due = due(alert)
    assert next_due is not None
    assert next_due.to == "lead"


def test_a_pager_is_called_by_its_own_effect_and_when_it_fails_the_next_is_told() -> None:
    alert = opened(fire(terms=events(ladder=STEPS)))
    for _ in range(2):
        change = done(alert, Timer(), due(alert).at)  # type: ignore[union-attr]
        alert = change.alert
    assert change.event.story.startswith("escalated to the pager: nobody has acknowledged it")
    (call,) = effects(change, EffectKind.call_pager)
    assert effects(change, EffectKind.page) == []
    assert call.data["step"] == 3
    failed = done(alert, Unheard(3, why="the pager refused: 401"), NOON + HOUR)
    assert failed.event.story == "escalated to bo: the pager refused: 401"
    last = done(failed.alert, Unheard(4, why="the pager refused: ⟦U0BO⟧"), NOON + HOUR)
    assert last.event.story == "escalated to the lead: the pager refused: [U0BO]"


def test_what_the_pager_said_stands_in_the_thread() -> None:
    change = done(opened(fire(terms=events(ladder=STEPS))), PagerCalled(7, "queued ⟦U0BO⟧"))
    (reply,) = effects(change, EffectKind.reply)
    assert reply.text == change.event.story == "the pager was called: queued [U0BO]"
    silent = done(opened(fire(terms=events(ladder=STEPS))), PagerCalled(7, ""))
    assert silent.event.story == "the pager was called"


@pytest.mark.parametrize(("wait", "rings"), [(0, 1), (5, 0)])
def test_a_ladder_that_begins_with_the_pager_rings_as_it_opens(wait: int, rings: int) -> None:
    terms = events(ladder=ladder((wait, "pager"), (10, "lead")))
    for lane, expected in ((Lane.live, rings), (Lane.shadow, 0)):
        outcome = step(None, fire(terms=terms, lane=lane), NOON)
        assert isinstance(outcome, Change)
        assert len(effects(outcome, EffectKind.call_pager)) == expected


def test_a_call_is_judged_again_before_it_rings() -> None:
    terms = events(ladder=ladder((0, "pager"), (10, "lead")))
    outcome = step(None, fire(terms=terms), NOON)
    assert isinstance(outcome, Change)
    (call,) = effects(outcome, EffectKind.call_pager)
    assert (call.to, call.data) == ("pager", {"state": "OPEN", "step": outcome.alert.step})
    assert still_due(call, outcome.alert) is None
    assert still_due(call, done(outcome.alert, Acknowledge(BO)).alert) == "acknowledged in between"
