"""A clock that was ahead and was put back: nothing waits for the times it left, and no row is passed over."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from bot.core.change import Effect, EffectKind
from bot.core.job_run import JobState
from bot.core.message import LEASE, Message, MessageState
from bot.process.errors import LeaseLost
from bot.store import RENAMED_AWAY, RunSave, Store
from sensors.model.run import Run, RunStatus
from tests.store.making import MINUTE, NOON, POLICY, claimed, opened, running, stepped

HOUR = timedelta(hours=1)
AHEAD = NOON + 5 * HOUR
SECOND = timedelta(seconds=1)


def test_what_is_as_it_should_be_is_left(store: Store) -> None:
    one = opened(store, "s_1", Effect(EffectKind.start_job, "hold"))
    run = running(store, minutes=1)
    store.pace.turn("C1", NOON, SECOND)
    store.pace.rest("C2", NOON + 10 * MINUTE)
    store.outbox.take(1, NOON, timedelta(minutes=6))
    card = Message("card-1", one.id, None, "C1", sending_since=NOON, retry_at=NOON + 10 * MINUTE)
    store.outbox.intend(card, NOON)
    store.jobs.ask("hold", "ana", {}, one.id, "k", NOON, NOON + 8 * HOUR, NOON)
    assert store.jobs.take(1, JobState.asked, JobState.starting, NOON, 8 * HOUR)
    assert store.set_right(NOON + SECOND) == 0
    assert store.save(RunSave(run, run.window, incremental=True), NOON) == ()


def test_a_run_that_died_while_the_clock_was_ahead_is_found_at_once(store: Store) -> None:
    running(store, due=AHEAD)
    assert store.runs.dead(NOON) == []
    assert store.set_right(NOON) == 1
    (dead,) = store.runs.dead(NOON)
    assert isinstance(claimed(store, dead.cause, due=dead.due, now=NOON), Run)


def test_messages_slots_and_effects_wait_for_no_time_of_a_wrong_clock(store: Store) -> None:
    opened(store, "s_1", Effect(EffectKind.start_job, "hold"))
    refused = Message("card-1", 1, None, "C1", retry_at=AHEAD)
    assert store.outbox.intend(refused, NOON)
    assert store.outbox.take(1, AHEAD, timedelta(minutes=6))
    store.pace.rest("C1", AHEAD)
    assert (store.outbox.cards(NOON), store.outbox.effects(NOON)) == ([], [])
    assert store.set_right(NOON) == 3
    ((alert, card),) = store.outbox.cards(NOON)
    assert (alert.id, card and card.retry_at) == (1, NOON)
    assert len(store.outbox.effects(NOON, kinds=[EffectKind.start_job])) == 1
    assert store.pace.turn("C1", NOON, SECOND) == NOON


def test_a_message_that_a_wrong_clock_sent_is_looked_for_far_back(store: Store) -> None:
    opened(store)
    sent = Message("card-1", 1, None, "C1", sending_since=AHEAD, lease_until=AHEAD + LEASE, absent_at=AHEAD)
    assert store.outbox.intend(sent, NOON)
    store.set_right(NOON)
    found = store.outbox.message(1)
    assert found
    assert found == replace(sent, sending_since=NOON - 24 * HOUR, lease_until=NOON, absent_at=NOON)
    assert found.state is MessageState.sending


def looked(store: Store, due: datetime) -> None:
    run = running(store, due=due)
    store.save(RunSave(run, run.window, incremental=True), due)


def test_a_watermark_ahead_goes_back_to_the_last_look_that_was_not(store: Store) -> None:
    for due in (NOON - MINUTE, NOON, AHEAD, AHEAD + MINUTE):
        looked(store, due)
    assert store.ledger.step_back(POLICY, NOON + 3 * MINUTE) == 2
    assert store.runs.watermark(POLICY) == NOON
    looked(store, NOON + 4 * MINUTE)
    assert store.runs.watermark(POLICY) == NOON + 4 * MINUTE


def test_a_run_that_began_by_the_wrong_clock_cannot_save_over_what_was_set_right(store: Store) -> None:
    looked(store, NOON)
    looked(store, AHEAD)
    run = running(store, due=AHEAD + MINUTE)
    store.ledger.step_back(POLICY, NOON + MINUTE)
    with pytest.raises(LeaseLost, match="has looked at these rows"):
        store.save(RunSave(run, run.window, incremental=True), AHEAD)
    assert store.runs.watermark(POLICY) == NOON


def test_a_job_asked_for_by_a_wrong_clock_has_its_own_time_from_now(store: Store) -> None:
    store.jobs.ask("hold", "ana", {}, None, "k", AHEAD, AHEAD + MINUTE, AHEAD)
    assert store.jobs.take(1, JobState.asked, JobState.starting, AHEAD, 2 * MINUTE)
    assert store.jobs.due(NOON) == []
    store.set_right(NOON)
    (run,) = store.jobs.due(NOON)
    assert (run.asked_at, run.deadline, run.poll_at) == (NOON, NOON + MINUTE, NOON)


def test_a_name_that_its_policy_has_left_stays_left(store: Store) -> None:
    looked(store, NOON)
    assert store.renames.carry(POLICY, "payments.moved", stepped, NOON)
    assert store.set_right(NOON + MINUTE) == 0
    assert store.runs.watermark(POLICY) == RENAMED_AWAY


def test_a_failed_run_is_not_tried_again_at_a_time_of_a_wrong_clock(store: Store) -> None:
    run = running(store)
    assert store.runs.fail(run, RunStatus.failed, "away", AHEAD, retry_at=AHEAD + SECOND)
    assert store.set_right(NOON) == 1
    assert len(store.runs.to_retry(NOON)) == 1


def test_a_policy_that_began_by_a_wrong_clock_begins_anew(store: Store) -> None:
    looked(store, AHEAD)
    looked(store, AHEAD + MINUTE)
    assert store.ledger.step_back(POLICY, NOON) == 2
    assert store.runs.watermark(POLICY) is None


def test_a_failed_run_of_a_time_to_come_is_not_tried_again(store: Store) -> None:
    run = running(store, due=AHEAD)
    store.runs.fail(run, RunStatus.failed, "away", AHEAD, retry_at=AHEAD + SECOND)
    assert store.ledger.step_back(POLICY, NOON) == 1
    assert store.runs.to_retry(AHEAD + HOUR) == []
