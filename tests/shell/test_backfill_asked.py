"""What may be asked of a backfill: chains of policies, times, and what is typed wrongly."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from bot.cli import backfill
from bot.cli.carrying import say_ended
from bot.core.backfill import BackfillRun, BackfillState, Found, Stage
from bot.core.reply import Said
from bot.core.words import in_plain
from bot.engine import runs
from sensors.model.policy import Policy
from sensors.model.run import CauseKind, Looked
from sensors.model.window import Window
from sensors.warehouse import Warehouse
from tests.shell.backfilled import (
    ANA,
    MORNING,
    begins,
    carries_out,
    kept,
    looked_until_three,
    said,
    says,
    shown,
)
from tests.shell.making import ELSEWHERE, ELSEWHERE_SQL, FILES, HOUR, MINUTE, NOON, Node, World
from tests.shell.trouble import EVERY, counting
from tests.shell.typing_in import Patrol


@pytest.fixture
def late(world: World, node: Node) -> Node:
    return looked_until_three(world, node)


# ------------------------------------------------------------------------------ chains

FLAGGED = ELSEWHERE.replace("Seller steers", "Flagged seller steers").replace(
    "schedule: {every: 1m}", "schedule: {after: [core.chat]}"
)


@pytest.fixture
def chained(world: World, late: Node) -> Node:
    """A second policy reads the same table."""
    world.write("policies/payments/flagged.yml", FLAGGED)
    world.write("sql/payments/flagged.sql", ELSEWHERE_SQL)
    late.engine.reload()
    assert "payments.flagged" in late.engine.catalog.policies
    return late


def test_a_table_stands_for_the_policies_that_hang_on_it_one_after_the_other(chained: Node) -> None:
    refused = said(says(chained, "backfill core.chat 7d"))
    assert "`core.chat` is no policy" in refused
    assert "`backfill core.chat 7d chain`" in refused
    asked = shown(chained, f"backfill core.chat {MORNING} chain")
    lines = [in_plain(line) for line in asked.lines]
    assert lines[0].startswith("Backfill of 2 policies, one after the other, 2026-01-05 07:00 UTC")
    assert lines[1].startswith(f"`{EVERY}`: 5 windows of at most 1 h: 5 queries, about 1 s")
    assert lines[2].startswith("`payments.flagged`: 5 windows")
    chained.desk.confirm(ANA, asked.ask)
    queries = counting(chained)
    carries_out(chained)
    assert [tag.partition(" ")[0] for tag in queries] == [EVERY] * 5 + ["payments.flagged"] * 5
    assert kept(chained).state is BackfillState.done
    assert len(chained.store.backfills.found(kept(chained)).alerts) == 4


def test_whoever_is_of_the_team_of_one_of_its_policies_stops_it(world: World, chained: Node) -> None:
    risk = "risk: {channel: C0RISK, members: {ana: {slack: U0ANA, roles: [lead]}, dee: {slack: U0DEE}}}\n"
    world.write("policies/_teams.yml", FILES["policies/_teams.yml"] + risk)
    world.write("policies/payments/flagged.yml", FLAGGED.replace("owner: payments", "owner: risk"))
    chained.engine.reload()
    assert not chained.engine.catalog.errors
    asked = shown(chained, f"backfill core.chat {MORNING} chain")
    chained.desk.confirm(ANA, asked.ask)
    refused = said(says(chained, "stop BKF-1", replace(ANA, slack="U0EVE")))
    assert "Only a responder of payments or risk may stop BKF-1" in refused
    assert "ends after the window at hand" in said(says(chained, "stop BKF-1", replace(ANA, slack="U0DEE")))


def test_what_hangs_on_it_and_has_no_past_is_left_out_by_name(world: World, chained: Node) -> None:
    world.write("policies/payments/flagged.yml", FLAGGED + "status: draft\n")
    chained.engine.reload()
    lines = shown(chained, f"backfill core.chat {MORNING} chain").lines
    assert "left out: payments.flagged is draft: make it shadow or live first." in lines
    refused = said(says(chained, f"backfill payments.flagged {MORNING}"))
    assert "is draft: make it shadow or live first" in refused


# ------------------------------------------------------------------------------ what is typed


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("backfill payments.elswhere 7d", "Did you mean `payments.elsewhere`?"),
        (f"backfill {EVERY}", "Since when? Say 7d, 30d..7d or 2026-11-01..2026-11-08."),
        (f"backfill {EVERY} 2026-13-01..now", "is no time in the past"),
        (f"backfill {EVERY} 7d chian", "Did you mean `chain`?"),
        (f"backfill {EVERY} 7d at once", "`at once` is too much."),
        ("backfill 7d", "Name a policy, then the time."),
        (f"backfill {EVERY} 1d..2d", "FROM must be before TO."),
        ("backfill payments.held 7d", "how it was is not kept"),
        (f"backfill {EVERY} 1006-01-05..now", "are the most: take a shorter time"),
        ("backfill core.sellers 7d chain", "how it was is not kept"),
        ("stop BKF-7", "There is no BKF-7."),
        (f"stop {EVERY}", "is not being backfilled."),
        ("stop", "Which one?"),
    ],
)
def test_what_is_typed_wrongly_is_told_what_is_right(late: Node, text: str, told: str) -> None:
    found = says(late, text)
    assert isinstance(found, Said)
    assert (found.ok, told in said(found)) == (False, True), said(found)


def test_a_time_is_by_the_clock_of_the_one_who_types_it(late: Node) -> None:
    late.desk.met("U0ANA", "America/New_York")
    lines = shown(late, f"backfill {EVERY} 2026-01-05T02:00..2026-01-05T07:00").lines
    assert "2026-01-05 07:00 UTC → 2026-01-05 12:00 UTC" in in_plain(lines[0])


def test_a_warehouse_that_does_not_answer_is_said_plainly(world: World, late: Node) -> None:
    world.table.breaks()
    assert "does not say until when it is loaded" in said(says(late, f"backfill {EVERY} 7d"))


def test_runs_of_a_backfill_name_who_asked(late: Node) -> None:
    begins(late)
    carries_out(late)
    mine = [run for run in late.store.runs.recent(EVERY) if run.cause.kind is CauseKind.range]
    assert len(mine) == 5
    assert replace(kept(late), token="").by == "U0ANA"
    assert isinstance(kept(late).ended_at, datetime)


# ------------------------------------------------------------------------------ the command line


@pytest.fixture
def now(world: World) -> datetime:
    """A bot has looked, by the real clock, and a row came that is two hours late."""
    world.write("policies/payments/flagged.yml", FLAGGED)
    world.write("sql/payments/flagged.sql", ELSEWHERE_SQL)
    now = datetime.now(UTC).replace(microsecond=0)
    world.table.says("s_0", now - MINUTE, "hello")
    bot = world.node()
    bot.clock.at = now
    bot.tick()
    world.table.says("s_1", now - 150 * MINUTE)
    return now


@pytest.mark.usefixtures("now")
def test_the_command_line_takes_a_chain_and_says_that_a_table_is_no_policy(
    world: World, patrol: Patrol
) -> None:
    ran = patrol("backfill", "core.chat", "4h", "1h")
    assert (ran.code, "core.chat is no policy: only policies look. With --chain" in ran.err) == (2, True)
    ran = patrol("backfill", "core.chat", "4h", "1h", "--chain", "--yes")
    assert ran.code == 0, ran.said
    assert f"{EVERY}: 4 of 4 windows" in ran.out
    assert "payments.flagged: 4 of 4 windows" in ran.out
    assert {a.policy for a in world.nodes[0].alerts()} == {EVERY, "payments.flagged"}
    (line,) = [kept.line for kept in world.nodes[0].store.trail.lines()]
    assert (line.deed, line.about) == ("backfill", f"BKF-1 {EVERY} payments.flagged")


@pytest.mark.usefixtures("now")
def test_the_command_line_leaves_alone_what_the_bot_is_at(world: World, patrol: Patrol) -> None:
    bot = world.nodes[0]
    ask = shown(bot, f"backfill {EVERY} 4h..1h").ask
    assert bot.desk.confirm(ANA, ask).ok
    ran = patrol("backfill", EVERY, "4h", "1h", "--yes")
    assert ran.code == 2
    assert f"One at a time: BKF-1: {EVERY}" in ran.err
    assert "/patrol stop BKF-1 ends it" in ran.err


@pytest.mark.usefixtures("now")
def test_one_whose_command_was_killed_holds_up_nobody_where_no_bot_runs(
    world: World, patrol: Patrol, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object) -> BackfillRun:
        raise SystemExit(137)

    with monkeypatch.context() as patch:
        patch.setattr(backfill, "carried_out", killed)
        patrol("backfill", EVERY, "4h", "1h", "--yes")
    again = patrol("backfill", EVERY, "4h", "1h", "--yes")
    assert (again.code, "One at a time" in again.err) == (2, True), "a bot may be about to take it up"
    store = world.nodes[0].store
    (dead,) = store.backfills.begun()
    store.backfills.give_back(dead, datetime.now(UTC) - MINUTE)
    ran = patrol("backfill", EVERY, "4h", "1h", "--yes")
    assert ran.code == 0, ran.said
    assert "BKF-1 is ended: nobody was at it." in ran.err
    assert "is stopped" in said(says(world.nodes[0], "stop BKF-1"))
    assert [kept.line.deed for kept in store.trail.lines()] == ["backfill", "stop", "backfill"]


@pytest.mark.usefixtures("now")
def test_the_bot_lists_what_the_command_line_is_at_and_stops_it(
    world: World, patrol: Patrol, monkeypatch: pytest.MonkeyPatch
) -> None:
    bot, real, heard = world.nodes[0], runs.look, list[str]()

    def look(policy: Policy, warehouse: Warehouse, window: Window) -> Looked:
        heard.extend(said(says(bot, text)) for text in ("backfill", "stop BKF-1"))
        return real(policy, warehouse, window)

    monkeypatch.setattr(runs, "look", look)
    ran = patrol("backfill", EVERY, "4h", "now", "--yes", "--json")
    monkeypatch.undo()
    assert heard[0].startswith(f"BKF-1: `{EVERY}`, ")
    assert heard[1].startswith("BKF-1 ends after the window at hand.")
    told = json.loads(ran.out)
    assert (ran.code, told["state"], told["policies"][0]["done"]) == (1, "stopped", 1)


def test_what_is_left_to_the_bot_while_it_waits_has_not_failed(capsys: pytest.CaptureFixture[str]) -> None:
    stage = Stage(EVERY, "text", NOON, NOON + 4 * HOUR, 4)
    left = BackfillRun("ana", NOON, (stage,), "payments", "C0PAYMENTS", id=1, why="the warehouse is away")
    say_ended(left, Found(0, ()), as_json=False)
    said = capsys.readouterr().out
    assert "failed" not in said
    assert "BKF-1 is left to the bot" in said
