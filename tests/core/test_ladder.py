"""What the clock does to an alert, to the minute: steps, reminders, ends; what is judged again at sending."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.core.action import (
    Acknowledge,
    Assign,
    Clear,
    Comment,
    Escalate,
    Reopen,
    Resolve,
    SnoozeFor,
    Timer,
    Unknown,
    Wake,
)
from bot.core.alert import Alert, Disposition, Lane, Work, due
from bot.core.change import Change, Effect, EffectKind, Refused, Same
from bot.core.ladder import still_due
from bot.core.step import step
from bot.core.words import when
from sensors.model.policy import Severity
from tests.core.making import (
    ANA,
    BO,
    DAY,
    HOUR,
    MINUTE,
    NOON,
    SECOND,
    acknowledged,
    after,
    conditions,
    done,
    effects,
    events,
    fire,
    ladder,
    opened,
    told,
)

STEPS = ladder((0, "oncall"), (10, "team"), (25, "lead"))


def at_due(alert: Alert) -> Change:
    """What comes of it when its next time comes."""
    next_due = due(alert)
    assert next_due is not None
    assert isinstance(step(alert, Timer(), next_due.at - SECOND), Same)
    return done(alert, Timer(), next_due.at)


# ------------------------------------------------------------------------ steps


def test_each_step_waits_for_its_own_difference_and_a_minute_at_least() -> None:
    close = ladder((0, "oncall"), (10, "team"), (10.5, "lead"))
    alert = opened(fire(terms=events(ladder=close)))
    first = at_due(alert).alert
    assert first.step_due == NOON + 11 * MINUTE
    assert (alert.step_due, first.step) == (NOON + 10 * MINUTE, 2)


def test_a_repeat_interval_of_nothing_still_waits_a_minute() -> None:
    terms = events(ladder=ladder((0, "oncall"), (10, "team")), repeat_interval=0 * MINUTE)
    assert at_due(opened(fire(terms=terms))).alert.step_due == NOON + 11 * MINUTE


def test_a_step_says_who_is_told_and_for_how_long_nobody_has_come() -> None:
    change = at_due(opened(fire(terms=events(ladder=STEPS))))
    assert change.event.story == "escalated to the team: nobody has acknowledged it for 10 min"
    (page,) = effects(change, EffectKind.page)
    assert (page.to, page.broadcast, page.work_seq) == ("team", True, change.alert.work_seq)
    assert page.data == {"state": "OPEN", "step": 2, "by": "patrol"}


def test_time_with_somebody_on_it_is_not_time_in_which_nobody_came() -> None:
    terms = events(ladder=STEPS)
    ran_out = at_due(at_due(acknowledged(terms=terms)).alert).alert
    assert at_due(ran_out).event.story == "escalated to the team: nobody has acknowledged it for 10 min"


def test_what_people_were_told_is_kept_so_that_only_worse_is_news() -> None:
    grown = done(opened(fire(3)), fire(5)).alert
    assert grown.told_count == 3
    paged = at_due(grown).alert
    assert (paged.told_count, paged.told_severity) == (5, Severity.medium)


def test_a_page_says_how_bad_it_is_now_so_that_the_same_again_is_no_news() -> None:
    snoozed = after(opened(), SnoozeFor(ANA, NOON + HOUR))
    worse = done(snoozed, fire(3, severity=Severity.high), NOON + MINUTE).alert
    asleep = replace(worse, snooze=None, told_severity=Severity.medium)
    paged = done(asleep, Escalate(BO)).alert
    assert paged.told_severity is Severity.high


def test_a_person_who_escalates_makes_the_page_one_of_that_act() -> None:
    change = done(opened(), Escalate(BO))
    (page,) = effects(change, EffectKind.page)
    assert page.work_seq == change.alert.work_seq == 1


def about_whose_act(change: Change) -> object:
    (page,) = effects(change, EffectKind.page)
    return page.data["by"]


def test_a_page_knows_whose_act_it_is_about_so_that_he_is_not_pinged() -> None:
    reopened = after(opened(), Resolve(ANA, Disposition.benign), Reopen(BO))
    assert about_whose_act(at_due(reopened)) == BO
    assert about_whose_act(done(reopened, Escalate(ANA))) == ANA
    assert about_whose_act(done(opened(), Escalate(BO))) == BO
    commented = after(opened(), Comment(BO, "hm"))
    assert about_whose_act(at_due(commented)) == "patrol", "that nobody has come is nobody's act"


def test_escalating_what_is_acknowledged_leaves_its_deadline_alone() -> None:
    change = done(acknowledged(ANA), Escalate(ANA))
    assert (change.alert.step_due, change.alert.work) == (None, Work.acknowledged)
    next_due = due(change.alert)
    assert next_due is not None
    assert next_due.why == "a reminder"


# ------------------------------------------------------- an acknowledgement's end


def test_a_reminder_is_given_once_and_then_those_on_call_are_paged() -> None:
    reminded = at_due(acknowledged(ANA))
    (tell,) = effects(reminded, EffectKind.tell)
    assert (tell.to, tell.work_seq) == (ANA, reminded.alert.work_seq)
    end = when(NOON + 4 * HOUR)
    assert tell.text == f"ALR-3 is yours and still open; your acknowledgement runs out {end}."
    assert reminded.event.story == f"reminded ⟦UANA⟧: the acknowledgement runs out {end}"
    ended = at_due(reminded.alert)
    assert ended.event.at == NOON + 4 * HOUR
    assert (ended.alert.work, ended.alert.owner, told(ended)) == (Work.open, None, ["oncall"])
    assert ended.event.story == "⟦UANA⟧'s acknowledgement has run out; it is open again"


def test_whoever_is_reminded_may_say_that_it_is_still_his_and_nobody_else() -> None:
    alert = after(acknowledged(ANA), Acknowledge(BO))
    assert isinstance(step(alert, Acknowledge(ANA), NOON + HOUR), Refused)
    reminded = at_due(alert).alert
    assert isinstance(step(reminded, Acknowledge(BO), NOON + 200 * MINUTE), Refused)
    still = done(reminded, Acknowledge(ANA), NOON + 200 * MINUTE)
    assert still.event.story == f"⟦UANA⟧ is still on it, until {when(NOON + 200 * MINUTE + 4 * HOUR)}"
    assert (still.alert.owner, still.alert.helpers, still.effects) == (ANA, (BO,), ())
    again = at_due(still.alert)
    assert again.event.kind == "reminded"
    assert again.event.at == NOON + 200 * MINUTE + 4 * HOUR * 0.8
    assert isinstance(step(still.alert, Acknowledge(ANA), NOON + 201 * MINUTE), Refused)


def test_of_a_ladder_that_waits_first_nobody_is_paged_at_an_acknowledgements_end() -> None:
    late = events(ladder=ladder((5, "oncall"), (9, "lead")))
    ended = at_due(at_due(acknowledged(ANA, terms=late)).alert)
    assert (told(ended), ended.alert.step) == ([], 0)
    assert ended.alert.step_due == NOON + 4 * HOUR + 5 * MINUTE


def test_an_alert_that_came_back_is_not_reminded_of() -> None:
    again = after(at_due(acknowledged(ANA)).alert, (Assign(BO, BO), NOON + 200 * MINUTE))
    assert not again.reminded
    next_due = due(again)
    assert next_due is not None
    assert next_due.to == BO


# -------------------------------------------------------------- a snooze's end


@pytest.mark.parametrize(
    ("meanwhile", "said"),
    [
        ((), "the snooze has ended; still there"),
        ((Clear(NOON + HOUR),), "the snooze has ended; gone since"),
        ((Unknown("no data"),), "the snooze has ended; whether it is still there is not known"),
    ],
)
def test_a_snoozes_end_says_what_is_so_now(meanwhile: tuple[Clear | Unknown, ...], said: str) -> None:
    alert = after(opened(fire(terms=conditions())), SnoozeFor(ANA, NOON + 2 * HOUR), *meanwhile)
    change = at_due(alert)
    assert change.event.story == said
    (page,) = effects(change, EffectKind.page)
    assert (page.text, page.to, page.work_seq) == (said, "team", alert.work_seq)


def test_what_a_snoozes_end_tells_is_the_step_that_was_due_so_nobody_is_told_twice() -> None:
    alert = after(opened(fire(terms=events(ladder=STEPS))), SnoozeFor(ANA, NOON + HOUR))
    ended = at_due(alert).alert
    assert (ended.step, ended.step_due) == (2, NOON + HOUR + 15 * MINUTE)
    early = after(opened(fire(terms=events(ladder=STEPS))), SnoozeFor(ANA, NOON + 5 * MINUTE))
    woken = at_due(early)
    assert (told(woken), woken.alert.step_due) == (["team"], NOON + 10 * MINUTE)


def test_a_snoozes_end_is_told_to_whoever_has_it() -> None:
    taken = after(acknowledged(ANA), SnoozeFor(ANA, NOON + HOUR))
    (tell,) = effects(at_due(taken), EffectKind.tell)
    assert (tell.to, tell.work_seq, taken.work_seq) == (ANA, 2, 2)
    assert told(at_due(after(opened(), SnoozeFor(ANA, NOON + HOUR)))) == ["team"]


def test_while_it_sleeps_an_acknowledgement_stands_still_at_both_ends() -> None:
    alert = after(acknowledged(ANA), (SnoozeFor(ANA, NOON + 3 * HOUR), NOON + HOUR))
    woken = after(alert, (Wake(BO), NOON + 2 * HOUR))
    assert (woken.acknowledged_at, woken.acknowledged_until) == (NOON + HOUR, NOON + 5 * HOUR)
    assert woken.snooze is None


def test_woken_its_step_is_due_when_it_was_or_now() -> None:
    alert = opened(fire(terms=events(ladder=STEPS)))
    early = after(alert, SnoozeFor(ANA, NOON + 2 * HOUR), (Wake(BO), NOON + MINUTE))
    assert early.step_due == NOON + 10 * MINUTE
    late = after(alert, SnoozeFor(ANA, NOON + 2 * HOUR), (Wake(BO), NOON + HOUR))
    assert late.step_due == NOON + HOUR


# ------------------------------------------------------- what pages nobody


def test_in_shadow_it_comes_up_in_the_digest_and_stays_as_it_is() -> None:
    change = at_due(opened(fire(lane=Lane.shadow)))
    assert (change.event.kind, change.alert.work, change.effects) == ("digest", Work.open, ())


@pytest.mark.parametrize(
    ("opens", "comes_up"),
    [
        (timedelta(hours=-4, minutes=-29, seconds=-44, microseconds=-5), timedelta(hours=-3)),
        (timedelta(hours=-3, microseconds=-1), timedelta(hours=-3)),
        (timedelta(hours=-3), timedelta(hours=21)),
        (timedelta(), timedelta(hours=21)),
    ],
)
def test_in_shadow_it_comes_up_in_the_first_digest_after_it_at_nine_sharp(
    opens: timedelta, comes_up: timedelta
) -> None:
    alert = opened(fire(lane=Lane.shadow), NOON + opens)
    next_due = due(alert)
    assert next_due is not None
    assert (next_due.at, next_due.to) == (NOON + comes_up, "digest")


def test_in_shadow_a_snooze_ends_without_a_word() -> None:
    change = at_due(after(opened(fire(lane=Lane.shadow)), SnoozeFor(ANA, NOON + HOUR)))
    assert (change.event.kind, change.event.story) == ("woken", "the snooze has ended")
    assert (change.alert.snooze, change.effects) == (None, ())


def test_in_shadow_an_acknowledgement_ends_without_a_word() -> None:
    change = at_due(acknowledged(ANA, lane=Lane.shadow))
    assert (change.event.kind, change.alert.work, change.effects) == ("ran_out", Work.open, ())


def test_in_shadow_a_snoozed_acknowledgement_ends_only_when_its_time_is_over() -> None:
    alert = after(acknowledged(ANA, lane=Lane.shadow), SnoozeFor(ANA, NOON + 10 * HOUR))
    change = done(alert, Timer(), NOON + DAY)
    assert (change.event.kind, change.alert.work) == ("woken", Work.acknowledged)
    assert change.alert.acknowledged_until == NOON + 28 * HOUR


def test_in_shadow_the_digest_ends_nothing_that_still_lasts() -> None:
    alert = after(acknowledged(ANA, lane=Lane.shadow, terms=events(acknowledged_for=3 * DAY)))
    change = done(alert, Timer(), NOON + DAY)
    assert (change.event.kind, change.alert.work) == ("digest", Work.acknowledged)


# ------------------------------------------------------- judged again at sending


def test_only_pages_and_what_is_told_are_judged_again() -> None:
    gone = after(acknowledged(ANA), Comment(BO, "x"))
    assert still_due(Effect(EffectKind.reply, "x"), replace(gone, work=Work.resolved)) is None
    for kind in (EffectKind.page, EffectKind.tell):
        assert still_due(Effect(kind, "x"), replace(gone, work=Work.resolved)) == "resolved in between"


def test_what_is_told_to_one_person_is_told_though_somebody_has_taken_it() -> None:
    tell = Effect(EffectKind.tell, "x", data={"state": "OPEN"})
    assert still_due(tell, after(opened(), Acknowledge(ANA))) is None
    page = Effect(EffectKind.page, "x", data={"state": "OPEN"})
    assert still_due(page, after(opened(), Acknowledge(ANA))) == "acknowledged in between"
    assert still_due(page, opened()) is None


def test_a_page_in_the_state_that_it_was_decided_in_is_still_meant() -> None:
    page = Effect(EffectKind.page, "x", data={"state": "ACKNOWLEDGED"})
    assert still_due(page, acknowledged(ANA)) is None
    assert still_due(page, opened()) is None  # nobody has it now: all the more
