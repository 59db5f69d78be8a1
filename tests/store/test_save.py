"""The end of a run: all that it found in one transaction, or nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.core.alert import Lane, Snooze
from bot.core.change import Effect, EffectKind
from bot.core.reply import Evidence
from bot.process.errors import Conflict, LeaseLost
from bot.store import Done, RunSave, Seen, Store
from sensors.model.policy import Severity
from sensors.model.run import Cause, CauseKind, RunStatus
from tests.store.making import (
    MINUTE,
    NOON,
    POLICY,
    acknowledged,
    alert,
    change,
    claimed,
    opened,
    resolved,
    running,
    stepped,
    tick,
)


def test_a_save_keeps_the_alert_its_rows_its_effects_and_the_watermark(store: Store) -> None:
    run = running(store)
    found = alert()
    follow = Effect(EffectKind.start_job, "please", to="oncall", broadcast=True, data={"at": NOON})
    saved = RunSave(
        run,
        run.window,
        changes=(change(found, "opened: 3 refunds", follow),),
        evidence={found.key: Evidence(("id", "amount"), ({"id": 2, "amount": 5}, {"id": 1, "amount": 7}), 9)},
        remember=(Seen(POLICY, found.key, "r1", NOON), Seen(POLICY, found.key, "r2", None, "v")),
        rows=3,
        violations=1,
        query_id="q1",
        elapsed_s=0.5,
        incremental=True,
        content="c2",
    )
    (kept,) = store.save(saved, NOON + MINUTE)

    assert kept == replace(found, id=kept.id)
    assert store.alerts.get(kept.id) == kept
    assert store.alerts.history(kept.id)[0].story == "opened: 3 refunds"
    assert store.alerts.evidence(kept.id) == saved.evidence[found.key]
    assert set(store.alerts.memory(POLICY, [found.key], NOON)[found.key]) == {"r1", "r2"}
    assert store.runs.watermark(POLICY) == run.window.end
    ((effect, its_alert, message),) = store.outbox.effects(NOON)
    assert (effect.effect, its_alert, message) == (follow, kept, None)
    record = store.runs.last()[POLICY]
    assert (record.status, record.rows, record.violations, record.query_id, record.content) == (
        RunStatus.succeeded,
        3,
        1,
        "q1",
        "c2",
    )
    assert claimed(store) == Done(RunStatus.succeeded)


def test_a_conflict_with_a_click_leaves_nothing_of_the_run(store: Store) -> None:
    stands = opened(store)
    run = running(store)
    store.act([acknowledged(stands)], NOON)
    late = RunSave(
        run,
        run.window,
        changes=(change(alert("s_2")), stepped(stands, count=9)),
        evidence={stands.key: Evidence(("id",), ({"id": 1},), 1)},
        remember=(Seen(POLICY, stands.key, "r1", NOON),),
        incremental=True,
    )
    with pytest.raises(Conflict, match=f"ALR-{stands.id} was changed by somebody else"):
        store.save(late, NOON)

    assert [a.key for a in store.alerts.open()] == [stands.key]
    assert store.alerts.memory(POLICY, [stands.key], None) == {}
    assert store.alerts.evidence(stands.id).total == 0
    assert store.runs.watermark(POLICY) is None
    again = store.alerts.get(stands.id)
    assert again is not None
    store.save(replace(late, changes=(stepped(again, count=9),)), NOON)
    assert store.runs.watermark(POLICY) == run.window.end


def test_a_run_that_was_taken_over_cannot_save(store: Store) -> None:
    first = running(store)
    second = running(store, now=NOON + MINUTE * 6)
    with pytest.raises(LeaseLost, match="taken over"):
        store.save(RunSave(first, first.window, changes=(change(alert()),), incremental=True), NOON)
    assert store.alerts.open() == []
    assert not store.runs.fail(first, RunStatus.failed, "late", NOON)
    assert not store.runs.extend(first, NOON, MINUTE)
    store.save(RunSave(second, second.window, incremental=True), NOON)
    with pytest.raises(LeaseLost):
        store.save(RunSave(second, second.window, incremental=True), NOON)


def test_a_run_whose_watermark_moved_saves_nothing_and_is_not_run_again(store: Store) -> None:
    run = running(store)
    other = running(store, Cause(CauseKind.upstream, "u1"), incremental=False)
    store.save(RunSave(other, other.window, incremental=True), NOON)
    with pytest.raises(LeaseLost, match="looked at these rows"):
        store.save(RunSave(run, run.window, changes=(change(alert()),), incremental=True), NOON)
    assert store.alerts.open() == []
    assert claimed(store) == Done(RunStatus.skipped)


def test_the_watermark_goes_forward_only_and_by_ticks_only(store: Store) -> None:
    def save_over(cause: Cause, end_after: int) -> None:
        run = running(store, cause)
        store.save(RunSave(run, replace(run.window, end=NOON + MINUTE * end_after), incremental=True), NOON)

    save_over(Cause(CauseKind.manual, "m0"), 9)
    assert store.runs.watermark(POLICY) is None
    save_over(tick(), 10)
    save_over(Cause(CauseKind.upstream, "u1"), 5)
    assert store.runs.watermark(POLICY) == NOON + MINUTE * 10
    save_over(Cause(CauseKind.manual, "m1"), 60)
    save_over(Cause(CauseKind.range, "r1"), 60)
    assert store.runs.watermark(POLICY) == NOON + MINUTE * 10
    save_over(Cause(CauseKind.upstream, "u2"), 20)
    assert store.runs.watermark(POLICY) == NOON + MINUTE * 20


def test_one_open_alert_for_each_policy_key_and_lane(store: Store) -> None:
    first = opened(store)
    with pytest.raises(Conflict, match="holds this key"):
        opened(store)
    opened(store, lane=Lane.shadow)
    opened(store, policy="payments.other")
    opened(store, seller="s_2")
    store.act([resolved(first)], NOON)
    assert opened(store).id > first.id


def test_a_key_longer_than_an_index_holds_its_place_too(store: Store) -> None:
    long = "x" * 20_000
    held = opened(store, seller=long)
    with pytest.raises(Conflict):
        opened(store, seller=long)
    assert store.alerts.held(POLICY, Lane.live, keys=[held.key], resolved_since=NOON) == {held.key: held}


def test_several_changes_of_one_alert_in_one_save_are_one_step_after_another(store: Store) -> None:
    new = alert()
    second = stepped(new, count=5)
    first_kept, second_kept = store.act([change(new), second], NOON)
    assert (first_kept.version, second_kept.version) == (1, 2)
    assert store.alerts.get(first_kept.id) == second_kept
    third = stepped(second_kept, count=6)
    store.act([third, stepped(third.alert, count=7)], NOON)
    stored = store.alerts.get(first_kept.id)
    assert stored is not None
    assert (stored.version, stored.count) == (4, 7)
    assert [e.seq for e in store.alerts.history(stored.id)] == [1, 2, 3, 4]


def test_changes_come_back_in_the_order_in_which_they_were_given(store: Store) -> None:
    names = ["s_3", "s_1", "s_2"]
    kept = store.act([change(alert(name)) for name in names], NOON)
    assert [a.key_values["seller_id"] for a in kept] == names


def test_a_snooze_has_a_row_of_its_own_until_it_ends(store: Store) -> None:
    one = opened(store)
    quiet = Snooze(NOON + MINUTE * 60, "ana", "checking \x00", NOON, Severity.high)
    (one,) = store.act([stepped(one, snooze=quiet)], NOON)
    (one,) = store.act([stepped(one, count=4)], NOON)
    assert store.alerts.open(snoozed=True) == [one]
    longer = replace(quiet, until=NOON + MINUTE * 120, since=NOON + MINUTE)
    (one,) = store.act([stepped(one, snooze=longer)], NOON + MINUTE)
    (one,) = store.act([stepped(one, snooze=None)], NOON + MINUTE * 2)
    assert store.alerts.open(snoozed=True) == []
    with store._database.read() as c:
        rows = c.exec_driver_sql("SELECT until, ended_at, why FROM snoozes ORDER BY id").all()
    assert len(rows) == 2
    assert all(row.ended_at is not None for row in rows)


def test_after_a_commit_the_deliverer_is_woken_and_after_a_conflict_not(store: Store) -> None:
    woken: list[str] = []
    store.on_commit = lambda: woken.append("now")
    one = opened(store)
    assert woken == ["now"]
    run = running(store)
    store.save(RunSave(run, run.window), NOON)
    assert len(woken) == 2
    with pytest.raises(Conflict):
        store.act([stepped(replace(one, version=7))], NOON)
    assert len(woken) == 2
