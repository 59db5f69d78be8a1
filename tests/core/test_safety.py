"""What never happens to an alert, whatever happens to it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from hypothesis import given

from bot.core import action as a
from bot.core.alert import Alert, Condition, Event, Lane, Work
from bot.core.change import Change, EffectKind
from bot.core.record import action_of
from bot.core.step import step
from tests.core.acting import Life, lived, lives
from tests.core.making import NOON, done, fire

BY_PEOPLE = a.PersonAction.__args__  # type: ignore[attr-defined]


def changes(life: Life) -> list[tuple[Alert, a.Action, Change]]:
    return [(before, act, o) for before, act, _, o in lived(*life) if isinstance(o, Change) and not o.opens]


@given(lives)
def test_each_change_counts_one_version_and_only_people_move_the_work(life: Life) -> None:
    for before, action, change in changes(life):
        after = change.alert
        assert after.version == before.version + 1 == change.event.seq
        assert after.work_seq == before.work_seq + isinstance(action, BY_PEOPLE)
        assert after.face_seq >= before.face_seq
        assert (change.event.actor != a.MACHINE) is isinstance(action, BY_PEOPLE)


@given(lives)
def test_who_it_is_about_and_under_what_terms_never_changes(life: Life) -> None:
    for before, action, change in changes(life):
        if isinstance(action, a.Renamed):
            assert change.alert.policy == action.policy
            before = replace(before, policy=action.policy, key=action.key)
        fixed = ("id", "policy", "key", "lane", "terms", "opened_at", "previous", "key_values")
        assert all(getattr(before, name) == getattr(change.alert, name) for name in fixed)


@given(lives)
def test_what_is_resolved_has_a_disposition_unless_the_machine_closed_it(life: Life) -> None:
    for _, _, change in changes(life):
        after = change.alert
        if not after.is_open:
            assert after.resolved_at is not None
            assert after.disposition is not None or after.resolved_by is None
            assert after.snooze is None
            assert after.step_due is None
        else:
            assert (after.resolved_at, after.resolved_by, after.disposition) == (None, None, None)
            assert (after.false_cause, after.note, after.mended) == (None, "", "")


@given(lives)
def test_an_alert_is_acknowledged_by_somebody_until_some_time_or_not_at_all(life: Life) -> None:
    for _, _, change in changes(life):
        after = change.alert
        if after.work is Work.acknowledged:
            assert after.owner
            assert after.acknowledged_at is not None
            assert after.acknowledged_until is not None
            assert after.owner not in after.helpers
            assert len(set(after.helpers)) == len(after.helpers)
            assert after.step_due is None
        if after.work is Work.open:
            assert (after.owner, after.helpers, after.reminded) == (None, (), False)
            assert (after.acknowledged_at, after.acknowledged_until) == (None, None)
            assert after.step_due is not None or after.lane is not Lane.live


@given(lives)
def test_its_history_folded_again_gives_the_alert(life: Life) -> None:
    first, acts = life
    opening = fire(
        first.count, terms=first.terms, lane=first.lane, severity=first.severity, as_of=first.as_of
    )
    told: list[Event] = [done(None, opening).event]
    last = first
    for _, _, _, outcome in lived(first, acts):
        if isinstance(outcome, Change) and not outcome.opens:
            told.append(outcome.event)
            last = outcome.alert
    assert folded(told, first.id) == last


def folded(history: list[Event], alert_id: int) -> Alert:
    """The alert that its history tells of; the number of a note is given by the store."""
    alert: Alert | None = None
    for event in history:
        outcome = step(alert, action_of(event.action), event.at)
        assert isinstance(outcome, Change), event
        assert outcome.event == event
        alert = replace(outcome.alert, id=alert_id)
    assert alert is not None
    return alert


@given(lives)
def test_an_older_run_never_changes_a_newer_condition(life: Life) -> None:
    for before, action, _, outcome in lived(*life):
        old = isinstance(action, a.Fire | a.Clear) and action.as_of < before.as_of
        if old and not before.terms.accumulates:
            assert not isinstance(outcome, Change)


@given(lives)
def test_only_resolving_closes_except_as_the_policy_says_of_what_has_cleared(life: Life) -> None:
    for before, action, change in changes(life):
        if not before.is_open or change.alert.is_open:
            continue
        if isinstance(action, a.Clear):
            agreed = before.terms.clear
            assert agreed == "always" or (agreed == "if_unacked" and before.work is Work.open)
            assert change.alert.condition is Condition.cleared
        else:
            assert isinstance(action, a.Resolve)


@given(lives)
def test_nobody_is_told_of_what_he_did_himself(life: Life) -> None:
    for _, action, change in changes(life):
        if isinstance(action, BY_PEOPLE):
            tells = [e for e in change.effects if e.kind is EffectKind.tell]
            assert action.by not in [e.to for e in tells]


@given(lives)
def test_the_thread_is_no_log(life: Life) -> None:
    """Beside whom it pages or tells, it gets answers that were asked for, and what the pager said."""
    answers = (a.RerunEnded, a.JobEnded, a.JobDecided, a.PagerCalled, a.Mended)
    for _, action, change in changes(life):
        said = [e for e in change.effects if e.kind is EffectKind.reply]
        assert not said or isinstance(action, answers), action
        quiet = isinstance(action, a.Acknowledge | a.SnoozeFor | a.Wake | a.Resolve | a.Comment)
        assert not (quiet and change.effects), action


@given(lives)
def test_nothing_that_anybody_writes_can_stand_for_a_person_or_a_time(life: Life) -> None:
    for _, action, change in changes(life):
        texts = [change.event.story, *(e.text for e in change.effects)]
        assert not any("⟦t:999999999999⟧" in text for text in texts), action
        forged = [text for text in texts if "⟦UBO⟧ said so" in text]
        assert not forged, action


@given(lives)
def test_events_never_clear_and_are_never_unknown(life: Life) -> None:
    for _, _, change in changes(life):
        if change.alert.terms.accumulates:
            assert change.alert.condition is Condition.firing


@given(lives)
def test_while_it_is_snoozed_the_acknowledgement_stands_still(life: Life) -> None:
    for before, action, now, outcome in lived(*life):
        if not isinstance(outcome, Change) or not before.snooze or outcome.alert.snooze:
            continue
        if (
            isinstance(action, a.Timer | a.Wake | a.Rouse | a.Fire)
            and outcome.alert.work is Work.acknowledged
        ):
            assert before.acknowledged_until is not None
            assert outcome.alert.acknowledged_until is not None
            left = before.acknowledged_until - before.snooze.since
            assert outcome.alert.acknowledged_until - now == left


@given(lives)
def test_a_refusal_says_what_is_so_in_a_sentence(life: Life) -> None:
    for _, _, _, outcome in lived(*life):
        if not isinstance(outcome, Change):
            assert outcome.why


def test_the_opening_of_a_later_alert_tells_of_the_earlier_one_and_folds_again() -> None:
    earlier = replace(done(None, fire()).alert, id=3)
    closed = done(earlier, a.Resolve("UANA", a.Disposition.benign), NOON).alert
    later = done(closed, fire(4, as_of=NOON + timedelta(days=4)), NOON + timedelta(days=4))
    assert later.alert.previous == 3
    assert folded([later.event], 4) == replace(later.alert, id=4)
    assert isinstance(later.event.at, datetime)
