"""What stands beside an alert's own state: comments, rows, reruns and jobs; and clicks on what it was."""

from __future__ import annotations

from dataclasses import replace

from bot.core.action import (
    Acknowledge,
    Comment,
    JobDecided,
    JobEnded,
    Reopen,
    Rerun,
    RerunEnded,
    ShareRows,
    SnoozeFor,
    StartJob,
    Timer,
    Unacknowledge,
)
from bot.core.alert import Disposition, Work, due
from bot.core.change import Change, EffectKind
from bot.core.step import stale, step
from tests.core.making import (
    ANA,
    BO,
    HOUR,
    MINUTE,
    NOON,
    acknowledged,
    after,
    done,
    effects,
    fire,
    opened,
    resolved,
    why_not,
)

TP = Disposition.true_positive
FP = Disposition.false_positive


# ---------------------------------------------------------------------- beside


def test_a_rerun_is_asked_for_and_its_answer_comes_in_the_thread() -> None:
    (ask,) = effects(done(opened(), Rerun(ANA)), EffectKind.rerun)
    assert ask.data["by"] == ANA
    ended = done(opened(), RerunEnded(ANA, "looked again: gone"))
    assert [e.text for e in effects(ended, EffectKind.reply)] == ["looked again: gone"]
    assert ended.alert.work is Work.open


def test_its_rows_are_put_into_the_thread() -> None:
    change = done(opened(), ShareRows(ANA))
    assert [one.kind for one in change.effects] == [EffectKind.file]
    assert change.event.story == "its rows put into the thread by ⟦UANA⟧"


def test_a_job_that_waits_for_a_second_person_says_so_and_what_was_answered_is_told_to_who_asked() -> None:
    asked = done(opened(), StartJob(ANA, "rescore", {}, waits=True))
    assert (asked.event.kind, asked.event.story) == (
        "job_asked",
        "rescore asked for by ⟦UANA⟧: it waits for a second person",
    )
    started = done(opened(), StartJob(ANA, "rescore"))
    assert (started.event.kind, started.event.story) == ("job_started", "rescore started by ⟦UANA⟧")
    for decided, kind, to in (
        (JobDecided(1, "approved", "rescore", ANA, "it was approved", BO), EffectKind.tell, ANA),
        (JobDecided(1, "refused", "rescore", ANA, "it was withdrawn", ANA), EffectKind.reply, None),
        (JobDecided(1, "expired", "rescore", "patrol", "nobody came"), EffectKind.reply, None),
        (JobDecided(1, "approved", "rescore", "patrol", "it was approved", BO), EffectKind.reply, None),
    ):
        change = done(opened(), decided)
        (told_of,) = change.effects
        assert (told_of.kind, told_of.to, told_of.text) == (kind, to, decided.said)
        assert (change.event.actor, change.event.story) == (decided.by, decided.said)


def test_what_became_of_a_job_leads_to_where_it_can_be_seen() -> None:
    ended = done(opened(), JobEnded(7, "rescore", True, "", "https://jobs.example.com/7"))
    (reply,) = effects(ended, EffectKind.reply)
    assert reply.text == "rescore succeeded"
    assert reply.data == {"job_run": 7, "link": "https://jobs.example.com/7"}
    (bare,) = effects(done(opened(), JobEnded(7, "rescore", True, "done")), EffectKind.reply)
    assert (bare.text, bare.data) == ("rescore succeeded: done", {"job_run": 7})


def test_a_job_is_started_once_and_its_outcome_comes_in_the_thread() -> None:
    (start,) = effects(done(opened(), StartJob(ANA, "rescore", {"seller_id": "s_1"})), EffectKind.start_job)
    assert start.data == {"by": ANA, "job": "rescore", "params": {"seller_id": "s_1"}}
    (reply,) = effects(done(opened(), JobEnded(1, "rescore", False, "no such seller")), EffectKind.reply)
    assert reply.text == "rescore failed: no such seller"


def test_a_comment_is_kept_and_an_empty_one_is_not() -> None:
    change = done(opened(), Comment(ANA, " the bank knows \n"))
    assert (change.alert.comments, change.event.story) == (1, "⟦UANA⟧: the bank knows")
    assert why_not(step(opened(), Comment(ANA, " \n"), NOON)) == "The comment is empty."


def test_nothing_can_be_done_to_what_does_not_exist() -> None:
    assert why_not(step(None, Acknowledge(ANA), NOON)) == "There is no such alert."


# ----------------------------------------------------------------- stale clicks


def test_of_a_hundred_clicks_at_once_one_counts_and_the_others_are_told_who_has_it() -> None:
    alert = opened()
    people = [f"U{n:03}" for n in range(100)]
    decided = [step(alert, Acknowledge(person), NOON) for person in people]  # all have read the same
    assert all(isinstance(outcome, Change) for outcome in decided)
    stands = done(alert, Acknowledge(people[0])).alert  # the first to be saved; the others read again
    answers = [stale(stands, person, alert.work_seq) for person in people[1:]]
    assert {answer.why for answer in answers if answer} == {"⟦U000⟧ has ALR-3 until ⟦t:1767628800⟧."}
    assert None not in answers
    assert stands.version == alert.version + 1


def test_a_click_on_the_past_is_told_what_is_so_now() -> None:
    assert stale(opened(), BO, 0) is None
    slept = after(opened(), SnoozeFor(ANA, NOON + HOUR))
    refused = stale(slept, BO, 0)
    assert refused is not None
    assert refused.why == "ALR-3 is snoozed by ⟦UANA⟧ until ⟦t:1767618000⟧."
    assert refused.hint == "wake 3"
    closed = stale(resolved(), BO, 0)
    assert closed is not None
    assert "resolved by ⟦UANA⟧" in closed.why


def test_a_click_of_the_past_is_good_where_nobody_else_stands_in_its_way() -> None:
    mine = after(acknowledged(ANA), SnoozeFor(ANA, NOON + HOUR))
    assert stale(mine, ANA, 0) is None
    back = after(acknowledged(ANA), Unacknowledge(ANA))
    assert stale(back, BO, 0) is None
    as_it_is = after(acknowledged(ANA), SnoozeFor(ANA, NOON + HOUR))
    assert stale(as_it_is, BO, as_it_is.work_seq) is None
    assert stale(resolved(), BO, resolved().work_seq) is None
    theirs = stale(acknowledged(ANA), BO, 0)
    assert theirs is not None
    assert theirs.hint == "take 3"
    quiet = stale(after(acknowledged(ANA), SnoozeFor(BO, NOON + HOUR)), ANA, 0)
    assert quiet is not None
    assert "snoozed by ⟦UBO⟧" in quiet.why


def test_ones_own_second_click_is_not_stale_and_new_rows_make_no_click_stale() -> None:
    mine = acknowledged(ANA)
    assert stale(mine, ANA, 0) is None
    more = done(opened(), fire(4)).alert
    assert stale(more, BO, 0) is None
    assert isinstance(step(more, Acknowledge(BO), NOON), Change)


def test_a_button_carries_the_latest_act_and_no_row_that_comes_afterwards_makes_it_stale() -> None:
    shown = acknowledged(ANA)
    more = done(done(shown, fire(4), NOON + MINUTE).alert, fire(5), NOON + MINUTE).alert
    assert stale(more, BO, shown.work_seq) is None
    assert stale(more, BO, opened().work_seq) is not None


def test_an_answer_never_names_nobody() -> None:
    machine = replace(resolved(), resolved_by=None, disposition=None)
    assert why_not(step(machine, Acknowledge(BO), NOON)) == (
        "ALR-3 was resolved by its policy: the condition cleared."
    )


def test_who_is_on_call_hears_why_an_alert_came_back_rather_than_how_old_it_is() -> None:
    back = done(resolved(), Reopen(BO)).alert
    when_due = due(back)
    assert when_due
    change = step(back, Timer(), when_due.at)
    assert isinstance(change, Change)
    assert change.event.story == "who is on call is told: reopened by ⟦UBO⟧"
