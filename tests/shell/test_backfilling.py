"""A backfill from Slack: shown first, begun once, stopped, and gone on with after a death."""

from __future__ import annotations

from threading import Thread

import pytest

from bot.core.alert import Lane
from bot.core.backfill import BackfillRun, BackfillState
from bot.core.reply import StatusReply
from bot.core.words import in_plain
from bot.engine import backfilling
from bot.engine.backfilling import LEASE, Backfills
from bot.process.errors import StoreAway
from bot.slack.home import home
from sensors.warehouse import WarehouseError
from tests.shell.backfilled import (
    ANA,
    BO,
    MORNING,
    STRANGER,
    begins,
    carries_out,
    goes_through,
    kept,
    looked_until_three,
    said,
    says,
    shown,
)
from tests.shell.making import ELSEWHERE, HOUR, MINUTE, NOON, SECOND, Node, World
from tests.shell.trouble import BOTH, EVERY, counting, failing, in_between


@pytest.fixture
def late(world: World, node: Node) -> Node:
    return looked_until_three(world, node)


# ------------------------------------------------------------------------------ from preview to end


def test_it_is_shown_first_and_nothing_is_done_before_somebody_says_yes(late: Node) -> None:
    asked = shown(late)
    lines = [in_plain(line) for line in asked.lines]
    assert lines[0] == f"Backfill of `{EVERY}`, 2026-01-05 07:00 UTC → 2026-01-05 12:00 UTC (5 h)"
    assert lines[1] == "5 windows of at most 1 h: 5 queries"
    assert lines[2].startswith("about 1 s: its runs took ")
    assert lines[4] == "alerts go to its review channel, page nobody and start no jobs"
    assert asked.does == "Start the backfill"
    carries_out(late)
    assert late.store.backfills.begun() == []
    assert late.alerts() == []


def test_it_looks_at_the_past_and_one_message_says_what_it_found(world: World, node: Node) -> None:
    world.table.says("s_0", NOON + 3 * HOUR, "hello")
    node.clock.on(3 * HOUR)
    node.tick()
    world.table.says("s_1", NOON - HOUR)
    answer = begins(node)
    assert (answer.ok, answer.hint) == (True, "undo: `/patrol stop BKF-1`")
    carries_out(node)
    done = kept(node)
    assert (done.state, done.done, done.windows, done.looked) == (BackfillState.done, 5, 5, 5)
    (alert,) = node.alerts()
    assert (alert.lane, alert.key_values["seller_id"]) == (Lane.historical, "s_1")
    found = node.store.backfills.found(done)
    assert (found.rows, found.alerts) == (1, (alert.id,))
    told = [notice.text for notice, _ in node.store.notices.waiting(node.clock())]
    assert told == [
        "",
        f"BKF-1, the backfill of `{EVERY}`, is done: 5 of 5 windows, 1 row, 1 new alert (ALR-1).",
    ]


def test_a_second_click_a_stale_click_and_somebody_elses_do_nothing(late: Node) -> None:
    ask = shown(late).ask
    assert "asked by somebody else" in said(late.desk.confirm(BO, ask))
    assert late.desk.confirm(ANA, ask).ok
    assert "was done already" in said(late.desk.confirm(ANA, ask))
    carries_out(late)
    stale = shown(late, f"backfill {EVERY} {MORNING} again").ask
    late.clock.on(16 * MINUTE)
    assert "too long ago" in said(late.desk.confirm(ANA, stale))
    assert len(late.store.backfills.begun()) == 0


def test_a_policy_that_was_changed_after_it_was_shown_is_not_begun(world: World, late: Node) -> None:
    ask = shown(late).ask
    world.write("policies/payments/elsewhere.yml", ELSEWHERE.replace("high: 4", "high: 5"))
    late.engine.reload()
    assert "was changed after you were shown it: nothing was begun" in said(late.desk.confirm(ANA, ask))
    assert late.store.backfills.begun() == []


def test_a_policy_that_is_changed_in_the_middle_ends_it_and_goes_on_anew(world: World, late: Node) -> None:
    begins(late)

    def change() -> None:
        world.write("policies/payments/elsewhere.yml", ELSEWHERE.replace("high: 4", "high: 5"))
        late.engine.reload()

    in_between(late, change)
    carries_out(late)
    failed = kept(late)
    assert (failed.state, failed.done) == (BackfillState.failed, 1)
    assert failed.why == f"`{EVERY}` was changed meanwhile: half of it would be by another text"
    assert late.desk.steer(ANA, 1, "go on").ok
    asked = counting(late)
    carries_out(late)
    assert (kept(late).state, len(asked)) == (BackfillState.done, 4)


def test_what_was_looked_at_before_is_left_out_or_looked_at_again(late: Node) -> None:
    begins(late)
    carries_out(late)
    assert "All of that was backfilled before." in said(says(late, f"backfill {EVERY} {MORNING}"))
    asked = counting(late)
    late.clock.on(SECOND)
    begins(late, f"backfill {EVERY} {MORNING} again")
    carries_out(late)
    assert (len(asked), kept(late, 2).looked) == (5, 5)
    assert late.store.backfills.found(kept(late, 2)).alerts == ()


# ------------------------------------------------------------------------------ who may, and one at a time


def test_only_a_lead_begins_one_and_whoever_asked_or_is_of_the_team_stops_it(late: Node) -> None:
    for person in (BO, STRANGER):
        assert "Only a lead of payments may backfill" in said(says(late, f"backfill {EVERY} 7d", person))
    begins(late)
    assert "Only a responder of payments may stop BKF-1" in said(says(late, "stop BKF-1", STRANGER))
    assert "ends after the window at hand" in said(says(late, f"stop {EVERY}", BO))
    carries_out(late)
    stopped = kept(late)
    assert (stopped.state, stopped.ended_by, stopped.done) == (BackfillState.stopped, "U0BO", 0)
    deeds = [(k.line.by, k.line.deed, k.line.about, k.line.outcome) for k in late.store.trail.lines()]
    assert deeds == [
        ("U0BO", "backfill", EVERY, "refused"),
        ("U0STRANGER", "backfill", EVERY, "refused"),
        ("U0ANA", "backfill", f"BKF-1 {EVERY}", "done"),
        ("U0STRANGER", "stop", "BKF-1", "refused"),
        ("U0BO", "stop", "BKF-1", "done"),
    ]


@BOTH
def test_of_one_policy_one_runs_at_a_time(world: World, node: Node) -> None:
    world.table.says("s_0", NOON + 3 * HOUR, "hello")
    node.clock.on(3 * HOUR)
    node.tick()
    two = [shown(node).ask for _ in range(2)]
    assert node.desk.confirm(ANA, two[0]).ok
    refused = node.desk.confirm(ANA, two[1])
    assert "One at a time: BKF-1: `payments.elsewhere`" in said(refused)
    assert "`/patrol stop BKF-1` ends it" in said(refused)
    assert "One at a time" in said(says(node, f"backfill {EVERY} 2d"))
    carries_out(node)
    assert begins(node, f"backfill {EVERY} {MORNING} again").ok


def test_those_that_run_are_listed_in_status_in_home_and_by_the_verb_alone(late: Node) -> None:
    assert "No backfill runs." in said(says(late, "backfill"))
    begins(late)
    assert f"BKF-1: `{EVERY}`" in said(says(late, "backfill"))
    assert "by @U0ANA: 0 of 5 windows." in said(says(late, "backfill"))
    status = says(late, "status", BO)
    assert isinstance(status, StatusReply)
    assert [one.id for one in status.backfills] == [1]
    assert "*Backfills*" in str(home(late.desk.status(BO), BO))
    of_team = says(late, "status payments", BO)
    assert isinstance(of_team, StatusReply)
    assert [one.id for one in of_team.backfills] == [1]


# ------------------------------------------------------------------------------ stopping, failing, dying


def test_stop_ends_it_after_the_window_at_hand_and_it_can_go_on(late: Node) -> None:
    asked = counting(late)
    begins(late)
    in_between(late, lambda: late.desk.steer(BO, 1, "stop") and None)
    carries_out(late)
    stopped = kept(late)
    assert (stopped.state, stopped.done, len(asked)) == (BackfillState.stopped, 1, 1)
    assert "has ended before: it is stopped" in said(late.desk.steer(BO, 1, "stop"))
    assert "Only a lead" in said(late.desk.steer(BO, 1, "go on"))
    assert "goes on where it was" in said(late.desk.steer(ANA, 1, "go on"))
    carries_out(late)
    assert (kept(late).state, len(asked)) == (BackfillState.done, 5)
    assert "is done" in said(late.desk.steer(ANA, 1, "go on"))


def test_a_window_that_fails_ends_it_with_its_reason_and_it_goes_on_from_there(late: Node) -> None:
    begins(late)
    mend = failing(late, WarehouseError("no table ⟦U0BO⟧ of that name"))
    carries_out(late)
    failed = kept(late)
    assert (failed.state, failed.done) == (BackfillState.failed, 0)
    assert in_plain(failed.why) == (
        "2026-01-05 07:00 UTC → 2026-01-05 08:00 UTC: no table [U0BO] of that name"
    )
    assert late.broken() == []
    mend()
    late.desk.steer(ANA, 1, "go on")
    carries_out(late)
    assert (kept(late).state, kept(late).why) == (BackfillState.done, "")


def test_what_passes_is_tried_again_by_itself(late: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backfilling, "AGAIN_AFTER_S", 0.01)
    begins(late)
    real, left = late.warehouse.query, [2]

    def query(sql: str, binds: object, **how: object) -> object:
        if how.get("tag") and left[0]:
            left[0] -= 1
            raise WarehouseError("the line broke", transient=True)
        return real(sql, binds, **how)  # type: ignore[arg-type]

    late.warehouse.query = query  # type: ignore[method-assign, assignment]
    carries_out(late)
    assert (kept(late).state, left) == (BackfillState.done, [0])


def test_a_process_that_ends_leaves_the_rest_to_the_next_at_once(world: World, late: Node) -> None:
    asked = counting(late)
    begins(late)
    work, closing = Backfills(late.engine), list[Thread]()

    def ends() -> None:
        closing.append(Thread(target=work.close))
        closing[0].start()
        (one,) = work._at.values()
        assert one.over.wait(20)

    in_between(late, ends)
    work.once()
    (one,) = work._at.values()
    one.thread.join(20)
    closing[0].join(20)
    assert (kept(late).state, kept(late).done) == (BackfillState.running, 1)
    assert work.once() == 0
    carries_out(world.node())
    assert (kept(late).state, kept(late).done, len(asked)) == (BackfillState.done, 5, 5)


@BOTH
def test_what_a_dead_process_left_another_takes_up_and_looks_at_no_window_twice(
    world: World, node: Node
) -> None:
    world.table.says("s_0", NOON + 3 * HOUR, "hello")
    node.clock.on(3 * HOUR)
    node.tick()
    world.table.says("s_1", NOON - HOUR)
    asked = counting(node)
    begins(node)
    dead, other = Backfills(node.engine), world.node()
    counts = node.store.backfills.advance

    def dies(run: BackfillRun, n: int, *, told: bool) -> BackfillState | None:
        """After the window was saved, and before it was counted."""
        if run.stages[n].done == 3:
            node.store.backfills.advance = counts  # type: ignore[method-assign]
            raise StoreAway("it went away, and the process with it")
        return counts(run, n, told=told)

    node.store.backfills.advance = dies  # type: ignore[method-assign]
    dead.once()
    for one in dead._at.values():
        one.thread.join(20)
    assert kept(node).done == 2
    assert Backfills(other.engine).once() == 0, "its lease has not run out"
    node.clock.on(LEASE + SECOND)
    carries_out(other)
    done = kept(node)
    assert (done.state, done.done, len(asked)) == (BackfillState.done, 5, 5)
    assert other.store.backfills.found(done).rows == 1
    assert len(node.alerts()) == 1


def test_whoever_has_lost_it_stops_and_says_nothing(world: World, late: Node) -> None:
    begins(late)
    slow, other = Backfills(late.engine), world.node()

    def taken() -> None:
        late.clock.on(LEASE + SECOND)
        carries_out(other)

    in_between(late, taken)
    goes_through(slow)
    assert kept(late).state is BackfillState.done
    told = [notice.key for notice, _ in late.store.notices.waiting(late.clock())]
    assert len(told) == 2, told
