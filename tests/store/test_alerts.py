"""Reading alerts: who holds a key, what is due, what is worst, what was seen."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.core.alert import Disposition, Lane, Snooze, Terms, due
from bot.core.reconcile import Seen
from bot.core.reply import Evidence
from bot.store import RunSave, Store
from sensors.model.policy import Severity
from sensors.model.run import Cause, CauseKind
from tests.store.making import (
    MINUTE,
    NOON,
    POLICY,
    acknowledged,
    alert,
    change,
    opened,
    resolved,
    running,
    stepped,
)

DAY = timedelta(days=1)


def test_an_unknown_alert_is_none(store: Store) -> None:
    assert store.alerts.get(99) is None
    assert store.alerts.many([1, 2]) == []
    assert store.alerts.history(99) == ()
    assert store.alerts.evidence(99) == Evidence()


def test_a_key_is_held_by_its_open_alert_else_by_the_newest_resolved_lately(store: Store) -> None:
    old = opened(store)
    (old,) = store.act([resolved(old, NOON - DAY * 5)], NOON)
    lately = opened(store)
    (lately,) = store.act([resolved(lately, NOON)], NOON)
    shadow = opened(store, lane=Lane.shadow)

    def held(**given) -> dict:
        return store.alerts.held(POLICY, Lane.live, resolved_since=NOON - DAY, **given)

    assert held() == held(keys=[old.key]) == {old.key: lately}
    assert held(keys=[]) == held(keys=["{}"]) == {}
    now_open = opened(store)
    assert held() == {old.key: now_open}
    assert store.alerts.held(POLICY, Lane.shadow, resolved_since=NOON) == {old.key: shadow}
    assert store.alerts.held("other", Lane.live, resolved_since=NOON) == {}


def test_an_older_alert_that_was_opened_again_holds_its_key(store: Store) -> None:
    first = opened(store)
    (first,) = store.act([resolved(first)], NOON)
    second = opened(store)
    store.act([resolved(second)], NOON)
    (first,) = store.act([stepped(first, work=alert().work, resolved_at=None, reopened=1)], NOON)
    assert store.alerts.held(POLICY, Lane.live, resolved_since=NOON - DAY) == {first.key: first}


def test_thousands_of_keys_are_asked_for_at_once(store: Store) -> None:
    one = opened(store)
    keys = [f"key {n}" for n in range(2500)] + [one.key]
    assert store.alerts.held(POLICY, Lane.live, keys=keys, resolved_since=NOON) == {one.key: one}


def test_open_alerts_come_worst_first_then_newest(store: Store) -> None:
    low = opened(store, "s_1", severity=Severity.low)
    high = opened(store, "s_2", severity=Severity.high, opened_at=NOON)
    newer = opened(store, "s_3", severity=Severity.high, opened_at=NOON + MINUTE)
    gone = opened(store, "s_4", severity=Severity.critical)
    store.act([resolved(gone)], NOON)
    assert store.alerts.open() == [newer, high, low]
    assert store.alerts.open(limit=1) == [newer]
    assert store.alerts.counts() == {POLICY: 3}


def test_open_alerts_can_be_asked_for_by_what_they_are(store: Store) -> None:
    plain = opened(store, "s_1")
    (mine,) = store.act([acknowledged(opened(store, "s_2"), "U_ANA")], NOON)
    quiet = opened(store, "s_3", snooze=Snooze(NOON + DAY, "bo", "", NOON, Severity.high))
    chat = opened(store, "s_4", terms=Terms(team="chat"), policy="chat.spam", severity=Severity.high)
    shadow = opened(store, "s_5", lane=Lane.shadow)
    assert store.alerts.open(owner="U_ANA") == [mine]
    assert mine not in store.alerts.open(unowned=True)
    assert store.alerts.open(snoozed=True) == [quiet]
    assert store.alerts.open(team="chat") == store.alerts.open(policy="chat.spam") == [chat]
    assert store.alerts.open(severity=Severity.high) == [chat]
    assert store.alerts.open(lane=Lane.shadow) == [shadow]
    assert plain in store.alerts.open(unowned=True, team="payments", lane=Lane.live)


def test_every_open_alert_is_due_at_the_time_that_the_core_says(store: Store) -> None:
    waits = opened(store, "s_1", step_due=NOON + MINUTE)
    quiet = opened(store, "s_2", snooze=Snooze(NOON + DAY, "bo", "", NOON, Severity.high))
    (owned,) = store.act([acknowledged(opened(store, "s_3"))], NOON)
    shadow = opened(store, "s_4", lane=Lane.shadow)
    gone = opened(store, "s_5")
    store.act([resolved(gone)], NOON)
    assert store.alerts.due(NOON) == []
    assert store.alerts.due(NOON + MINUTE) == [waits]
    for one in (waits, quiet, owned, shadow):
        at = due(one).at
        assert one in store.alerts.due(at)
        assert one not in store.alerts.due(at - timedelta(microseconds=1))
    assert len(store.alerts.due(NOON + DAY * 9)) == 4


def save(store: Store, name: str, rows: list[int], *, events: bool, **alert_fields) -> None:
    """A run that changes the alert of s_1 and brings these rows."""
    held = store.alerts.held(POLICY, Lane.live, resolved_since=NOON)
    was = next(iter(held.values()), None)
    step = stepped(was, **alert_fields) if was else change(alert())
    run = running(store, Cause(CauseKind.manual, name), incremental=events)
    found = Evidence(("id",), tuple({"id": n} for n in rows), len(rows) + 1)
    store.save(RunSave(run, run.window, (step,), {step.alert.key: found}, incremental=events), NOON)


def test_the_rows_of_events_add_up_newest_first(store: Store) -> None:
    save(store, "1", [2, 1], events=True)
    save(store, "2", [4, 3], events=True)
    (one,) = store.alerts.open()
    kept = store.alerts.evidence(one.id)
    assert [row["id"] for row in kept.rows] == [4, 3, 2, 1]
    assert (kept.total, kept.columns) == (6, ("id",))
    assert [row["id"] for row in store.alerts.evidence(one.id, 2).rows] == [4, 3]


def test_new_rows_reach_an_open_alert_that_they_did_not_change(store: Store) -> None:
    one = opened(store)
    run = running(store)
    rows = {one.key: Evidence(("id",), ({"id": 1},), 1), "{}": Evidence(("id",), ({"id": 2},), 1)}
    store.save(RunSave(run, run.window, evidence=rows, incremental=True), NOON)
    assert store.alerts.evidence(one.id).total == 1


def test_the_rows_of_a_condition_are_those_of_the_newest_look(store: Store) -> None:
    save(store, "1", [2, 1], events=False)
    save(store, "2", [3, 2], events=False)
    (one,) = store.alerts.open()
    kept = store.alerts.evidence(one.id)
    assert ([row["id"] for row in kept.rows], kept.total) == ([3, 2], 3)


def test_memory_gives_rows_since_a_time_and_those_without_one(store: Store) -> None:
    run = running(store)
    rows = (
        Seen(POLICY, "k1", "old", NOON - DAY),
        Seen(POLICY, "k1", "new", NOON, "a\x00b"),
        Seen(POLICY, "k2", "timeless", None),
        Seen("other", "k1", "theirs", NOON),
    )
    store.save(RunSave(run, run.window, remember=rows, incremental=True), NOON)
    found = store.alerts.memory(POLICY, ["k1", "k2", "k3"], NOON)
    assert found == {
        "k1": {"new": replace(rows[1], seen_at=NOON)},
        "k2": {"timeless": replace(rows[2], seen_at=NOON)},
    }
    assert set(store.alerts.memory(POLICY, ["k1"], None)["k1"]) == {"old", "new"}
    assert store.alerts.memory(POLICY, [], None) == {}


def test_a_row_seen_again_keeps_the_moment_of_the_first_time(store: Store) -> None:
    for n in range(2):
        run = running(store, due=NOON + DAY * n)
        again = Seen(POLICY, "k", "r", NOON + MINUTE * n)
        store.save(RunSave(run, run.window, remember=(again, again), incremental=True), NOON + DAY * n)
    assert store.alerts.memory(POLICY, ["k"], None)["k"]["r"] == Seen(POLICY, "k", "r", NOON, None, NOON)


def test_rows_are_forgotten_when_both_event_and_sight_are_old(store: Store) -> None:
    run = running(store)
    rows = (
        Seen(POLICY, "k", "old", NOON - DAY * 9),
        Seen(POLICY, "k", "none", None),
        Seen("x", "k", "x", None),
    )
    ahead = Seen(POLICY, "k", "ahead", NOON + DAY * 9)
    store.save(RunSave(run, run.window, remember=(*rows, ahead), incremental=True), NOON)
    assert store.alerts.forget(POLICY, NOON - DAY) == 0
    assert store.alerts.forget(POLICY, NOON + DAY) == 2
    assert set(store.alerts.memory(POLICY, ["k"], None)["k"]) == {"ahead"}
    assert store.alerts.memory("x", ["k"], None)


def test_earlier_alerts_on_the_same_entity_are_found_under_any_policy(store: Store) -> None:
    first = opened(store, "s_1", policy="chat.spam")
    (first,) = store.act([resolved(first, disposition=Disposition.benign)], NOON)
    opened(store, "s_2")
    second = opened(store, "s_1")
    (found,) = store.alerts.earlier(second)
    assert (found.id, found.policy, found.disposition, found.at) == (
        first.id,
        "chat.spam",
        Disposition.benign,
        NOON,
    )
    whole = opened(store, "all", key="{}", key_values={})
    assert store.alerts.earlier(whole) == ()


def test_dispositions_are_counted_by_policy_and_lane_since_a_time(store: Store) -> None:
    for n, (what, days) in enumerate(
        [("true_positive", 0), ("true_positive", 1), ("benign", 1), ("test", 40)]
    ):
        one = opened(store, f"s_{n}")
        store.act([resolved(one, NOON - DAY * days, disposition=Disposition(what))], NOON)
    opened(store, "s_open")
    shadow = opened(store, "s_0", lane=Lane.shadow)
    store.act([resolved(shadow, NOON, disposition=Disposition.false_positive)], NOON)
    assert store.alerts.dispositions(POLICY, NOON - DAY * 30, Lane.live) == {
        Disposition.true_positive: 2,
        Disposition.benign: 1,
    }
    assert store.alerts.dispositions(POLICY, NOON - DAY * 30, Lane.shadow) == {Disposition.false_positive: 1}
    assert store.alerts.dispositions("other", NOON - DAY * 30, Lane.live) == {}


def test_a_time_without_a_zone_is_refused(store: Store) -> None:
    with pytest.raises(Exception, match="without a zone"):
        store.alerts.due(NOON.replace(tzinfo=None))
