"""What is still to be said: cards behind their alerts, effects in order."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.core.alert import Terms
from bot.core.change import Effect, EffectKind, StoredEffect
from bot.core.message import LEASE, LOOK_APART, Message, MessageState
from bot.core.reply import Evidence
from bot.process.errors import Conflict
from bot.store import Store
from bot.store.values import Beside, Waits
from tests.store.making import MINUTE, NOON, acknowledged, alert, change, opened, stepped

SECOND = timedelta(seconds=1)
REPLY, START = EffectKind.reply, EffectKind.start_job


def intent(alert_id: int, at=NOON, **fields) -> Message:
    made = Message(
        f"card-{alert_id}", alert_id, None, "C1", sending_since=at, lease_until=at + LEASE, attempts=1
    )
    return replace(made, **fields)


def posted(store: Store, alert_id: int, shown_seq: int = 1, ts: str = "1.1") -> Message:
    """A card that stands in Slack."""
    sending = intent(alert_id)
    assert store.outbox.intend(sending, NOON)
    card = replace(
        sending, state=MessageState.posted, ts=ts, shown_seq=shown_seq, lease_until=None, attempts=0
    )
    assert store.outbox.record(card, was=sending)
    return card


def waiting(store: Store, now=NOON, limit: int = 50) -> list[int]:
    return [alert.id for alert, _ in store.outbox.cards(now, limit)]


def test_a_new_alert_waits_for_its_card_until_the_card_shows_it(store: Store) -> None:
    one = opened(store)
    assert store.outbox.cards(NOON) == [(one, None)]
    card = posted(store, one.id)
    assert waiting(store) == []
    assert store.outbox.message(one.id) == card == store.outbox.by_ts("C1", "1.1")
    (one,) = store.act([acknowledged(one)], NOON)
    assert store.outbox.cards(NOON) == [(one, card)]


def test_a_change_that_nobody_sees_makes_no_work(store: Store) -> None:
    one = opened(store)
    posted(store, one.id)
    store.act([stepped(one, visible=False, step=1)], NOON)
    assert waiting(store) == []


def test_a_card_being_sent_is_left_alone_until_its_lease_then_looked_for_twice(store: Store) -> None:
    one = opened(store)
    sending = intent(one.id)
    assert store.outbox.intend(sending, NOON)
    assert waiting(store) == []
    late = NOON + LEASE
    assert store.outbox.cards(late) == [(one, sending)]
    absent = replace(sending, absent_at=late)
    assert store.outbox.record(absent, was=sending)
    assert waiting(store, late) == []
    assert store.outbox.cards(late + LOOK_APART) == [(one, absent)]
    refused = replace(sending, sending_since=None, lease_until=None, retry_at=late + SECOND)
    assert store.outbox.record(refused, was=absent)
    assert waiting(store, late) == []
    assert waiting(store, late + SECOND) == [one.id]
    assert store.outbox.record(replace(refused, state=MessageState.parked, retry_at=None), was=refused)
    assert waiting(store, late + MINUTE * 60) == []


def test_of_many_who_would_send_one_card_one_may(store: Store) -> None:
    one = opened(store)
    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(lambda _: store.outbox.intend(intent(one.id), NOON), range(8)))
    assert won.count(True) == 1
    lost = store.outbox.message(one.id)
    assert lost is not None
    late = NOON + LEASE * 2
    again = replace(lost, sending_since=late, lease_until=late + LEASE, attempts=2)
    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(lambda _: store.outbox.intend(again, late, was=lost), range(8)))
    assert won.count(True) == 1


def test_a_card_under_a_lease_cannot_be_taken_even_by_one_who_has_read_it(store: Store) -> None:
    one = opened(store)
    sending = intent(one.id)
    assert store.outbox.intend(sending, NOON)
    assert not store.outbox.intend(replace(sending, attempts=2), NOON + SECOND, was=sending)
    assert store.outbox.intend(replace(sending, attempts=2), NOON + LEASE, was=sending)


def test_an_outcome_is_recorded_only_by_the_one_who_holds_the_message(store: Store) -> None:
    one = opened(store)
    card = posted(store, one.id)
    assert not store.outbox.record(replace(card, ts="2.2"), was=intent(one.id))
    assert store.outbox.message(one.id) == card


def test_the_card_that_has_waited_longest_comes_first_however_often_it_changes(store: Store) -> None:
    first, second = opened(store, "s_1"), opened(store, "s_2")
    for one, ts in ((first, "1.1"), (second, "1.2")):
        posted(store, one.id, ts=ts)
    (first,) = store.act([stepped(first, count=4)], NOON + SECOND)
    store.act([stepped(second, count=4)], NOON + SECOND * 2)
    store.act([stepped(first, count=5)], NOON + SECOND * 3)
    assert waiting(store) == [first.id, second.id]


def test_a_full_queue_hides_neither_another_team_nor_a_persons_click(store: Store) -> None:
    clicked = opened(store, "s_clicked")
    posted(store, clicked.id)
    edited = opened(store, "s_edited")
    posted(store, edited.id, ts="1.2")
    store.act([change(alert(f"s_{n}")) for n in range(60)], NOON)
    store.act([stepped(edited, count=9, last_event_by="patrol")], NOON + SECOND)
    store.act([stepped(clicked, count=9, last_event_by="U_ANA")], NOON + SECOND)
    other = opened(store, "s_other", terms=Terms(team="chat"))
    assert {clicked.id, edited.id, other.id} < set(waiting(store, limit=4))


def test_effects_come_one_at_a_time_and_in_order(store: Store) -> None:
    one = opened(store, "s_1", Effect(START, "a"), Effect(START, "b"))
    store.act([stepped(one, Effect(START, "c"))], NOON)
    opened(store, "s_2", Effect(START, "other"))
    done = []
    for _ in range(3):
        ours = [e for e, its, _ in store.outbox.effects(NOON) if its.id == one.id]
        assert len(ours) == 1
        done.append(ours[0].effect.text)
        assert store.outbox.take(ours[0].id, NOON, MINUTE)
        assert store.outbox.end(ours[0].id, "done", "", NOON)
    assert done == ["a", "b", "c"]
    assert [e.effect.text for e, _, _ in store.outbox.effects(NOON)] == ["other"]


def test_a_taken_effect_is_due_again_when_its_lease_runs_out(store: Store) -> None:
    opened(store, "s_1", Effect(START, "a"))
    ((effect, _, _),) = store.outbox.effects(NOON)
    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(lambda _: store.outbox.take(effect.id, NOON, MINUTE), range(8)))
    assert won.count(True) == 1
    assert store.outbox.effects(NOON) == []
    ((again, _, _),) = store.outbox.effects(NOON + MINUTE)
    assert (again.id, again.state, again.attempts) == (effect.id, "sending", 1)
    assert store.outbox.later(effect.id, NOON + MINUTE * 3, "busy")
    assert store.outbox.effects(NOON + MINUTE * 2) == []
    ((later, _, _),) = store.outbox.effects(NOON + MINUTE * 3)
    assert (later.at, later.state) == (NOON + MINUTE * 3, "pending")


def test_a_parked_effect_blocks_nothing_and_stays_parked(store: Store) -> None:
    opened(store, "s_1", Effect(START, "a"), Effect(START, "b"))
    ((effect, _, _),) = store.outbox.effects(NOON)
    assert store.outbox.end(effect.id, "parked", "refused", NOON)
    assert not store.outbox.end(effect.id, "done", "", NOON)
    assert not store.outbox.later(effect.id, NOON, "")
    assert not store.outbox.take(effect.id, NOON, MINUTE)
    assert [e.effect.text for e, _, _ in store.outbox.effects(NOON)] == ["b"]


def test_what_is_said_waits_for_the_card_and_jobs_need_not_wait_for_it(store: Store) -> None:
    one = opened(store, "s_1", Effect(REPLY, "hello"), Effect(START, "job"))
    assert store.outbox.effects(NOON) == []
    assert [e.effect.text for e, _, _ in store.outbox.effects(NOON, kinds=[START])] == ["job"]
    posted(store, one.id)
    ((effect, _, message),) = store.outbox.effects(NOON)
    assert (effect.effect.text, message) == ("hello", None)


def test_an_effect_knows_the_message_it_sent_and_waits_with_it(store: Store) -> None:
    one = opened(store, "s_1", Effect(REPLY, "hello"))
    posted(store, one.id)
    ((effect, _, _),) = store.outbox.effects(NOON)
    sending = intent(one.id, delivery=f"effect-{effect.id}", effect=effect.id, thread_ts="1.1")
    assert store.outbox.intend(sending, NOON)
    assert store.outbox.effects(NOON) == []
    ((_, _, message),) = store.outbox.effects(NOON + LEASE)
    assert message == sending
    sent = replace(sending, state=MessageState.posted, ts="1.2", lease_until=None)
    assert store.outbox.record(sent, was=sending)
    ((_, _, message),) = store.outbox.effects(NOON)
    assert message == sent
    assert store.outbox.message(one.id).ts == "1.1"


def test_what_was_put_off_is_released_in_one_channel_or_everywhere(store: Store) -> None:
    one, two = opened(store, "s_1"), opened(store, "s_2")
    for alert_id, channel in ((one.id, "C1"), (two.id, "C2")):
        sending = intent(alert_id, channel=channel)
        assert store.outbox.intend(sending, NOON)
        later = replace(sending, sending_since=None, lease_until=None, retry_at=NOON + MINUTE)
        assert store.outbox.record(later, was=sending)
    assert waiting(store) == []
    store.outbox.release(NOON, "C2")
    assert waiting(store) == [two.id]
    store.outbox.release(NOON)
    assert waiting(store) == [one.id, two.id]


def test_what_waits_is_counted_by_where_it_belongs(store: Store) -> None:
    first, _ = opened(store, "s_1", Effect(REPLY, "one"), Effect(REPLY, "two")), opened(store, "s_2")
    assert store.outbox.waiting() == [Waits("payments.refund_spike", "payments", "live", "", 2, 2)]
    posted(store, first.id)
    found = {one.channel: (one.cards, one.lines) for one in store.outbox.waiting()}
    assert found == {"C1": (0, 2), "": (1, 0)}


def told(store: Store) -> tuple[StoredEffect, Message | None]:
    ((stored, _, message),) = store.outbox.told([EffectKind.page])
    return stored, message


def test_an_effect_knows_since_when_it_is_due(store: Store) -> None:
    opened(store, "s_1", Effect(EffectKind.page, "look", to="oncall"))
    stored, message = told(store)
    assert (stored.since, message) == (NOON, None)


def dropping(store: Store, effect: int, message: Message | None) -> None:
    """Another alert opens that tells of it, and the effect ends, in one transaction."""
    beside = Beside(
        {alert("s_9").key: Evidence(("alert",), ({"alert": "ALR-1"},), 1)}, {effect: ("too late", message)}
    )
    store.act([change(alert("s_9"))], NOON, beside)


def test_what_was_never_sent_ends_in_one_transaction_with_what_tells_of_it(store: Store) -> None:
    one = opened(store, "s_1", Effect(EffectKind.page, "look", to="oncall"))
    stored, _ = told(store)
    dropping(store, stored.id, None)
    assert store.outbox.told([EffectKind.page]) == []
    ((digest, _),) = [found for found in store.outbox.unposted(NOON) if found[0].id != one.id]
    assert store.alerts.evidence(digest.id) == Evidence(("alert",), ({"alert": "ALR-1"},), 1)
    sending = intent(one.id, delivery="effect-1", effect=stored.id)
    assert not store.outbox.intend(sending, NOON)  # and nobody can send it any more


def test_what_somebody_has_begun_to_send_is_not_dropped_and_nothing_tells_of_it(store: Store) -> None:
    one = opened(store, "s_1", Effect(EffectKind.page, "look", to="oncall"))
    stored, _ = told(store)
    sending = intent(one.id, delivery="effect-1", effect=stored.id)
    assert store.outbox.intend(sending, NOON)
    with pytest.raises(Conflict):
        dropping(store, stored.id, None)
    assert [found.id for found, _ in store.outbox.unposted(NOON)] == [one.id]
    free = replace(sending, sending_since=None, lease_until=None)
    assert store.outbox.record(free, was=sending)
    again = replace(sending, attempts=2)
    assert store.outbox.intend(again, NOON, was=free)
    with pytest.raises(Conflict):  # what was read as refused is being sent again
        dropping(store, stored.id, free)
    assert store.outbox.record(free, was=again)
    dropping(store, stored.id, free)
    assert store.outbox.told([EffectKind.page]) == []


def test_of_a_sender_and_one_who_drops_just_one_wins(store: Store) -> None:
    one = opened(store, "s_1", Effect(EffectKind.page, "look", to="oncall"))
    stored, _ = told(store)
    sending = intent(one.id, delivery="effect-1", effect=stored.id)

    def drops() -> bool:
        try:
            dropping(store, stored.id, None)
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        sent, dropped = pool.submit(store.outbox.intend, sending, NOON), pool.submit(drops)
        assert sent.result() != dropped.result()


def test_a_parked_message_gets_another_try_after_a_while_but_not_for_ever(store: Store) -> None:
    one = opened(store, "s_1", Effect(REPLY, "one"))
    posted(store, one.id)
    ((stored, _, _),) = store.outbox.effects(NOON)
    sending = intent(one.id, delivery="effect-1", effect=stored.id)
    assert store.outbox.intend(sending, NOON)
    parked = replace(sending, state=MessageState.parked, sending_since=None, lease_until=None)
    assert store.outbox.record(parked, was=sending)
    assert store.outbox.end(stored.id, "parked", "odd", NOON)
    assert store.outbox.parked() == [parked]
    hour, days = MINUTE * 60, timedelta(days=3)
    assert store.outbox.unpark(NOON + MINUTE, after=hour, until=days) == 0
    assert store.outbox.unpark(NOON + days, after=hour, until=days) == 0
    assert store.outbox.unpark(NOON + hour, after=hour, until=days) == 1
    assert store.outbox.parked() == []
    ((_, _, again),) = store.outbox.effects(NOON + hour)
    assert again == replace(parked, state=MessageState.sending, attempts=0)
