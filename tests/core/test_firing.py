"""What the data do to an alert: firing opens, adds and reopens; clearing never closes a person's work."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.core.action import Acknowledge, Clear, Fire, Resolve, SnoozeFor, Unknown
from bot.core.alert import Alert, Condition, Disposition, Lane, Snooze, Terms, Work, due
from bot.core.change import Change, EffectKind
from bot.core.step import step
from sensors.model.policy import Severity
from tests.core.making import (
    ANA,
    DAY,
    HOUR,
    MINUTE,
    NOON,
    after,
    conditions,
    done,
    effects,
    events,
    fire,
    ladder,
    opened,
    resolved,
    told,
    why_not,
)

COMES_AND_GOES = conditions()


def condition(count: int = 3, minutes: int = 0, **fields: object) -> Fire:
    """A condition that a run finds so many minutes after noon."""
    return fire(count, **{"terms": COMES_AND_GOES, "as_of": NOON + minutes * MINUTE, **fields})


def cleared(minutes: int) -> Clear:
    return Clear(NOON + minutes * MINUTE)


# ------------------------------------------------------------------------ opening


def test_a_new_key_opens_an_alert_whose_card_tells_the_first_step() -> None:
    change = done(None, fire(on_open=("snapshot_chat",)))
    assert change.opens
    assert change.event.story == "opened"
    assert told(change) == []  # the card mentions them
    next_due = due(change.alert)
    assert next_due is not None
    assert (next_due.at, next_due.to) == (NOON + 10 * MINUTE, "team")
    (start,) = effects(change, EffectKind.start_job)
    assert start.data["job"] == "snapshot_chat"


def test_a_new_alert_holds_all_that_was_found_of_it() -> None:
    found = fire(
        7,
        severity=Severity.high,
        key_values={"seller_id": "s_9"},
        newest={"seller_id": "s_9", "amount": 40},
        entities=("seller:s_9",),
        as_of=NOON - MINUTE,
        previous=2,
        forgiven_until=NOON - HOUR,
    )
    alert = done(None, found, NOON).alert
    same = ("policy", "key", "lane", "terms", "title", "severity", "count", "as_of", "key_values", "newest")
    for name in (*same, "entities", "previous", "forgiven_until"):
        assert getattr(alert, name) == getattr(found, name), name
    assert (alert.id, alert.opened_at, alert.fired_at) == (0, NOON, NOON)
    assert (alert.told_count, alert.told_severity) == (7, Severity.high)


@pytest.mark.parametrize("as_file", [True, False])
def test_rows_that_are_too_many_for_a_card_go_into_its_thread_where_they_are_new(as_file: bool) -> None:
    much = {"as_file": as_file, "new_evidence": True}
    changes = (
        done(None, fire(40, **much)),
        done(opened(), fire(4, **much)),
        done(opened(), fire(40, **much)),
        done(resolved(), fire(40, **much), NOON + HOUR),
    )
    assert [bool(effects(change, EffectKind.file)) for change in changes] == [as_file] * 4
    known = done(opened(), fire(4, as_file=as_file, new_evidence=False))
    assert not effects(known, EffectKind.file)
    whole = done(opened(condition()), condition(4, 1, **much))
    assert not effects(whole, EffectKind.file), "a condition's rows are on its card"


def test_what_opens_or_comes_back_under_a_snooze_says_so() -> None:
    quiet = Snooze(NOON + DAY, ANA, "", NOON - HOUR, Severity.high, 7, "seller:s_1")
    new = done(None, fire(snooze=quiet), NOON)
    assert new.event.story == "opened, snoozed with seller:s_1"
    assert new.alert.snooze == replace(quiet, since=NOON)
    again = done(resolved(), fire(snooze=quiet), NOON + HOUR)
    assert again.event.story == (
        "reopened: new rows, snoozed with seller:s_1; last called true positive by ⟦UANA⟧"
    )
    assert again.alert.snooze == replace(quiet, since=NOON + HOUR)
    over = done(None, fire(snooze=quiet), NOON + DAY)
    assert (over.event.story, over.alert.snooze) == ("opened", None)
    unseen = done(None, fire(snooze=quiet, lane=Lane.shadow), NOON)
    assert (unseen.event.story, unseen.alert.snooze) == ("opened", None)


def test_where_the_first_step_waits_the_card_tells_nobody_and_the_ladder_begins_later() -> None:
    alert = opened(fire(terms=events(ladder=ladder((5, "oncall"), (9, "lead")))))
    next_due = due(alert)
    assert next_due is not None
    assert (next_due.at, next_due.to) == (NOON + 5 * MINUTE, "oncall")


@pytest.mark.parametrize("lane", [Lane.shadow, Lane.historical])
def test_what_pages_nobody_is_due_to_its_owners_digest(lane: Lane) -> None:
    next_due = due(opened(fire(lane=lane)))
    assert next_due is not None
    assert (next_due.at, next_due.to) == (NOON + 21 * HOUR, "digest")
    assert opened(fire(lane=Lane.shadow)).step_due is None


def test_a_shadow_alert_that_comes_back_is_told_to_nobody_either() -> None:
    back = done(resolved(lane=Lane.shadow), fire(), NOON + HOUR).alert
    assert (back.reopened, back.step_due) == (1, None)


# ------------------------------------------------------------------------- adding


def test_more_of_the_same_is_edited_in_without_a_word() -> None:
    change = done(opened(), fire(5))
    assert (change.alert.count, change.event.story) == (5, "now 5 rows")
    assert told(change) == []


@pytest.mark.parametrize(
    ("found", "story"),
    [
        (fire(6), "worse: 6 now, 3 when last told"),
        (fire(4, severity=Severity.high), "worse: high now, with 4"),
    ],
)
def test_people_are_told_when_it_doubled_or_got_more_severe(found: Fire, story: str) -> None:
    change = done(opened(), found)
    assert change.event.story == story
    assert told(change) == ["oncall"]
    assert told(done(change.alert, replace(found, count=found.count + 1))) == []


def test_its_owner_is_told_when_it_gets_worse() -> None:
    assert told(done(after(opened(), Acknowledge(ANA)), fire(6))) == [ANA]


def test_a_run_that_finds_the_same_changes_nothing() -> None:
    assert why_not(step(opened(), fire(), NOON + HOUR)) == "nothing that people would see has changed"


LATER = {
    "title": "s_1 again",
    "newest": {"seller_id": "s_1", "amount": 99},
    "as_of": NOON + 9 * MINUTE,
}


@pytest.mark.parametrize("terms", [events(), conditions()])
def test_an_open_alert_shows_what_the_newest_run_found(terms: Terms) -> None:
    before = opened(fire(terms=terms))
    after_it = done(before, fire(4, terms=terms, **LATER), NOON + HOUR).alert
    assert {name: getattr(after_it, name) for name in LATER} == LATER
    assert (after_it.count, after_it.fired_at, after_it.opened_at) == (4, NOON + HOUR, NOON)


@pytest.mark.parametrize("name", ["title", "newest"])
def test_whatever_people_would_see_of_it_is_a_change(name: str) -> None:
    change = done(opened(), fire(**{name: LATER[name]}))
    assert change.event.story == "now 3 rows"


def test_an_older_run_of_events_adds_its_rows_and_takes_no_time_back() -> None:
    alert = done(opened(fire(as_of=NOON)), fire(5, as_of=NOON - HOUR)).alert
    assert (alert.count, alert.as_of) == (5, NOON)


def test_events_never_become_fewer_or_milder_and_conditions_do() -> None:
    less = {"severity": Severity.low, "title": "less"}
    added = done(opened(fire(5)), fire(2, **less)).alert
    assert (added.count, added.severity) == (5, Severity.medium)
    now = done(opened(condition(5)), condition(2, 1, **less)).alert
    assert (now.count, now.severity) == (2, Severity.low)


def test_who_is_told_that_it_is_worse_is_told_for_the_state_that_it_was_in() -> None:
    taken = after(opened(), Acknowledge(ANA))
    (tell,) = effects(done(taken, fire(6)), EffectKind.tell)
    assert (tell.text, tell.work_seq) == ("ALR-3: worse: 6 now, 3 when last told", taken.work_seq)
    assert taken.work_seq == 1


def test_while_snoozed_it_is_only_counted_and_wakes_when_it_gets_more_severe() -> None:
    snoozed = after(opened(), SnoozeFor(ANA, NOON + 2 * HOUR))
    counted = done(snoozed, fire(9), NOON + HOUR)
    assert counted.alert.snooze is not None
    assert (counted.alert.count, told(counted)) == (9, [])
    woken = done(snoozed, fire(9, severity=Severity.high), NOON + HOUR)
    assert woken.alert.snooze is None
    assert told(woken) == ["oncall"]
    assert woken.event.story == "worse: high now, with 9; the snooze has ended"


def test_a_snooze_ends_above_its_ceiling_even_where_it_was_as_severe_before() -> None:
    high = opened(condition(severity=Severity.high))
    low = after(high, condition(severity=Severity.low, minutes=1))
    snoozed = after(low, SnoozeFor(ANA, NOON + 2 * HOUR), at=NOON + 2 * MINUTE)
    change = done(snoozed, condition(severity=Severity.medium, minutes=3), NOON + HOUR)
    assert change.alert.snooze is None
    assert change.event.story == "medium now, with 3; the snooze has ended"
    assert told(change) == ["oncall"]


# ---------------------------------------------------------------------- reopening


def test_new_rows_reopen_what_was_resolved_within_three_days_and_page_again() -> None:
    change = done(resolved(), fire(1, new_evidence=True), NOON + 72 * HOUR)
    assert (change.alert.id, change.alert.reopened) == (3, 1)
    assert change.event.story == "reopened: new rows; last called true positive by ⟦UANA⟧"
    next_due = due(change.alert)
    assert next_due is not None
    assert (next_due.at, next_due.to) == (NOON + 72 * HOUR, "oncall")


def test_later_they_open_a_new_alert_that_knows_the_earlier_one() -> None:
    change = done(resolved(), fire(), NOON + 72 * HOUR + MINUTE)
    assert change.opens
    assert (change.alert.previous, change.alert.reopened) == (3, 0)
    assert change.event.story == "opened; ALR-3 was about the same"


@pytest.mark.parametrize("terms", [events(), conditions()])
def test_what_comes_back_shows_what_was_found_and_nothing_of_before(terms: Terms) -> None:
    unknown = replace(resolved(terms=terms), condition=Condition.unknown, unknown_why="late")
    found = fire(2, terms=terms, severity=Severity.low, forgiven_until=NOON - DAY, **LATER)
    back = done(unknown, found, NOON + HOUR).alert
    for name in ("title", "severity", "count", "as_of", "newest", "forgiven_until"):
        assert getattr(back, name) == getattr(found, name), name
    assert (back.condition, back.unknown_why) == (Condition.firing, "")
    assert (back.fired_at, back.opened_at, back.snooze) == (NOON + HOUR, NOON, None)


def test_a_condition_with_new_rows_reopens_though_it_never_cleared() -> None:
    was = resolved(terms=COMES_AND_GOES)
    assert done(was, condition(minutes=20), NOON + HOUR).alert.reopened == 1
    held = why_not(step(was, condition(minutes=20, new_evidence=False), NOON + HOUR))
    assert held == "ALR-3 was resolved, and run as of 12:20 brings no new evidence"


def test_what_comes_back_after_it_had_cleared_by_itself_says_so() -> None:
    alert = after(opened(condition(terms=conditions(clear="always"))), cleared(5))
    back = done(alert, condition(minutes=9, terms=conditions(clear="always")), NOON + HOUR)
    assert back.event.story == "reopened: the condition is back; it had cleared"


def test_without_new_evidence_what_was_resolved_stays_so() -> None:
    assert not isinstance(step(resolved(), fire(9, new_evidence=False), NOON + HOUR), Change)


def test_a_condition_that_cleared_and_fired_again_reopens() -> None:
    was = resolved(terms=COMES_AND_GOES)
    again = condition(minutes=20, new_evidence=False)
    assert not isinstance(step(was, again, NOON + HOUR), Change)
    change = done(after(was, cleared(10)), again, NOON + HOUR)
    assert change.event.story.startswith("reopened: the condition is back")


def test_a_condition_called_a_false_positive_holds_until_it_clears_or_for_fourteen_days() -> None:
    was = resolved(Disposition.false_positive, terms=COMES_AND_GOES)
    new = condition(minutes=20)
    assert not isinstance(step(was, new, NOON + 14 * DAY), Change)
    assert done(was, new, NOON + 14 * DAY + MINUTE).opens
    assert done(after(was, cleared(10)), new, NOON + HOUR).alert.reopened == 1


def test_new_rows_after_a_false_positive_say_who_called_it_so() -> None:
    change = done(resolved(Disposition.false_positive), fire(1), NOON + HOUR)
    assert change.event.story == "reopened: new rows; last called false positive by ⟦UANA⟧"


# ----------------------------------------------------------------------- clearing


def working() -> Alert:
    return after(opened(condition()), Acknowledge(ANA))


@pytest.mark.parametrize(
    ("clear", "acknowledged", "closes"),
    [
        ("never", False, False),
        ("never", True, False),
        ("if_unacked", False, True),
        ("if_unacked", True, False),
        ("always", False, True),
        ("always", True, True),
    ],
)
def test_clearing_closes_only_as_the_policy_says(clear: str, acknowledged: bool, closes: bool) -> None:
    alert = opened(condition(terms=conditions(clear=clear)))
    alert = after(alert, Acknowledge(ANA)) if acknowledged else alert
    change = done(alert, cleared(5))
    assert change.alert.condition is Condition.cleared
    assert change.alert.is_open is not closes
    assert closes or "CLEARED" in change.alert.badges
    assert (change.alert.resolved_by, change.alert.disposition) == (None, None)


def test_what_clearing_closes_is_no_longer_snoozed_nor_due() -> None:
    terms = conditions(clear="always")
    snoozed = after(opened(condition(terms=terms)), SnoozeFor(ANA, NOON + HOUR))
    over = done(snoozed, cleared(5), NOON + 5 * MINUTE).alert
    assert (over.snooze, over.step_due, over.resolved_at) == (None, None, NOON + 5 * MINUTE)


def test_acknowledging_never_closes() -> None:
    assert working().work is Work.acknowledged
    assert done(working(), cleared(5)).alert.work is Work.acknowledged


def test_an_older_run_changes_nothing() -> None:
    newer = opened(condition(minutes=10))
    assert why_not(step(newer, cleared(9), NOON)) == "known already"
    assert "older run" in why_not(step(newer, condition(9, minutes=9), NOON))
    gone = after(newer, cleared(12))
    assert "older run" in why_not(step(gone, condition(minutes=11), NOON))


def test_another_look_as_of_the_same_moment_counts() -> None:
    assert done(opened(condition()), condition(9)).alert.count == 9
    assert done(opened(condition()), cleared(0)).alert.condition is Condition.cleared


def test_firing_again_takes_the_badge_away() -> None:
    gone = after(working(), cleared(5))
    back = done(gone, condition(minutes=6))
    assert back.alert.condition is Condition.firing
    assert told(back) == []


# ---------------------------------------------------------------------- not known


def test_late_data_are_not_clear_they_are_not_known() -> None:
    change = done(working(), Unknown("core.orders is late"))
    assert change.alert.condition is Condition.unknown
    assert change.event.story == "not known now: core.orders is late"
    assert "DATA LATE" in change.alert.badges
    assert why_not(step(change.alert, Unknown("core.orders is late"), NOON)) == "known already"
    assert done(change.alert, Unknown("the run failed")).event.story == "not known now: the run failed"


def test_the_next_good_run_says_what_is_so() -> None:
    unknown = after(working(), Unknown("late"))
    for found, so in ((condition(minutes=5), Condition.firing), (cleared(5), Condition.cleared)):
        alert = done(unknown, found).alert
        assert (alert.condition, alert.unknown_why) == (so, "")


def test_what_is_resolved_stays_so_whatever_is_late() -> None:
    closed = after(working(), Resolve(ANA, Disposition.benign))
    assert not isinstance(step(closed, Unknown("late"), NOON), Change)


def test_events_neither_clear_nor_become_unknown() -> None:
    assert not isinstance(step(opened(), cleared(5), NOON), Change)
    assert not isinstance(step(opened(), Unknown("late"), NOON), Change)
    assert timedelta() < due(opened()).at - NOON  # type: ignore[union-attr]
