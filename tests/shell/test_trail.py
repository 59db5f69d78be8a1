"""Every act of a person leaves a line in the audit, also one that was refused; the command line proves it."""

from __future__ import annotations

import csv
import io
import json

import pytest

from bot.core.action import Acknowledge
from bot.core.reply import Person
from bot.core.trail import Kept
from bot.desk.waiting import Waiting
from bot.store import Store
from tests.shell.making import MINUTE, NOON, SECOND, Node, World
from tests.shell.outside import Outside
from tests.shell.test_approvals import JOBS, TEAMS
from tests.shell.trouble import BOTH, EVERY
from tests.shell.typing_in import Patrol

ANA = Person("U0ANA", "C0PAYMENTS", "button")
BO = Person("U0BO", "D0BO", "command")
STRANGER = Person("U0STRANGER", "C0OTHER", "mention")


@pytest.fixture
def bot(world: World, node: Node) -> Node:
    """Two alerts are open."""
    for n in (1, 2):
        world.table.says(f"s_{n}", NOON - MINUTE)
    node.tick()
    node.clock.on(SECOND)
    return node


def kept(node: Node) -> list[Kept]:
    return list(node.store.trail.lines())


def told(node: Node) -> list[tuple[str, ...]]:
    return [(k.line.by, k.line.deed, k.line.about, k.line.outcome) for k in kept(node)]


@BOTH
def test_each_act_is_a_line_with_who_how_where_on_what_and_why(bot: Node) -> None:
    bot.desk.command(ANA, "ack 1")
    bot.desk.command(BO, "snooze 2 1h the bank is closed")
    bot.desk.command(STRANGER, "resolve 1 tp")
    bot.desk.command(BO, "ack 1")
    bot.desk.command(BO, "ack 1")
    assert told(bot) == [
        ("U0ANA", "acknowledge", "ALR-1", "done"),
        ("U0BO", "snooze", "ALR-2", "done"),
        ("U0STRANGER", "resolve", "ALR-1", "refused"),
        ("U0BO", "acknowledge", "ALR-1", "done"),
        ("U0BO", "acknowledge", "ALR-1", "refused"),
    ]
    first, second, third, *_ = kept(bot)
    assert (first.line.via, first.line.channel, first.line.at) == ("button", "C0PAYMENTS", bot.clock())
    assert (second.line.via, second.line.channel) == ("command", "D0BO")
    assert "the bank is closed" in str(second.line.words)
    assert "Only a responder" in str(third.line.words)
    history = {event.seq: event for event in bot.store.alerts.history(2)}
    assert history[second.line.seq or 0].story == second.line.words


def test_a_click_on_the_past_is_kept_too_and_a_look_is_not(bot: Node) -> None:
    seq = bot.alert(1).work_seq
    bot.desk.command(ANA, "ack 1")
    bot.desk.act(BO, 1, Acknowledge(BO.slack), seq)
    for look in (
        "status",
        "list",
        "show 1",
        f"policy {EVERY}",
        "oncall",
        "help",
        "approvals",
        "zzz",
        "ack 99",
    ):
        bot.desk.command(ANA, look)
    assert told(bot) == [
        ("U0ANA", "acknowledge", "ALR-1", "done"),
        ("U0BO", "acknowledge", "ALR-1", "refused"),
    ]
    assert "⟦U0ANA⟧ has ALR-1 until" in str(kept(bot)[1].line.words)


def test_what_the_machine_does_is_no_act_of_a_person(world: World, bot: Node) -> None:
    bot.clock.on(11 * MINUTE)
    bot.engine.sweep()
    world.table.says("s_1", bot.clock())
    bot.next_tick()
    assert told(bot) == []


def test_jobs_reruns_and_approvals_are_kept(world: World) -> None:
    world.write("policies/_teams.yml", TEAMS)
    world.write("policies/_jobs.yml", JOBS)
    bot = world.node(runners=lambda _: Outside())
    bot.desk.command(ANA, f"rerun {EVERY}")
    bot.desk.command(STRANGER, f"rerun {EVERY}")
    bot.desk.command(ANA, "start hold_payouts seller_id=s_7")
    bot.desk.command(STRANGER, "start hold_payouts seller_id=s_7")
    bot.desk.command(ANA, "approve 1")
    bot.desk.command(Person("U0CY", "", "command"), "approve 1 looks right")
    assert told(bot) == [
        ("U0ANA", "rerun", EVERY, "done"),
        ("U0STRANGER", "rerun", EVERY, "refused"),
        ("U0ANA", "start", "hold_payouts", "done"),
        ("U0STRANGER", "start", "hold_payouts", "refused"),
        ("U0ANA", "approve", "APR-1 hold_payouts", "refused"),
        ("U0CY", "approve", "APR-1 hold_payouts", "done"),
    ]
    assert "looks right" in str(kept(bot)[-1].line.words)
    Waiting(bot.engine).sweep()
    assert len(kept(bot)) == 6


def test_who_stands_in_for_whom_is_kept_too(bot: Node) -> None:
    bot.desk.command(BO, "cover 2h @ana")
    bot.desk.command(STRANGER, "takeover 2h team:payments")
    bot.desk.command(BO, "oncall")
    assert told(bot) == [("U0BO", "cover", "", "done"), ("U0STRANGER", "takeover", "payments", "refused")]
    assert "is on call" in str(kept(bot)[0].line.words)


def test_a_change_and_its_line_are_kept_together_or_not_at_all(
    bot: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(*_: object) -> None:
        raise RuntimeError("just then")

    with monkeypatch.context() as patch:
        patch.setattr("bot.store.store.add_lines", breaks)
        with pytest.raises(RuntimeError):
            bot.desk.command(ANA, "ack 1")
    assert bot.alert(1).owner is None
    assert told(bot) == []


# ------------------------------------------------------------------ the command line


@pytest.fixture
def acted(bot: Node) -> Node:
    bot.desk.command(ANA, "ack 1")
    bot.store.trail.seal(bot.clock())
    bot.clock.on(MINUTE)
    bot.desk.command(BO, "comment 2 =HYPERLINK(1) <@U0ANA>")
    bot.store.trail.seal(bot.clock())
    return bot


def test_verify_says_that_all_is_as_it_was_and_how_to_note_it_down(acted: Node, patrol: Patrol) -> None:
    ran = patrol("audit", "verify")
    assert (ran.code, ran.err) == (0, "")
    assert "2 lines in 2 seals, all as it was sealed." in ran.out
    last = acted.store.trail.last()
    assert last is not None
    assert f"2:{last.hash}" in ran.out
    assert patrol("audit", "verify", "--head", f"2:{last.hash}").code == 0
    assert patrol("audit", "verify", "--head", f"2:{last.hash[:12]}").code == 0


def test_verify_names_what_was_touched_and_where(acted: Node, patrol: Patrol) -> None:
    store = Store(acted.store._database.url.render_as_string(hide_password=False))
    with store._database.write() as c:
        c.exec_driver_sql("UPDATE audit SET by = 'U0CY' WHERE id = 1")
        c.exec_driver_sql("DELETE FROM audit WHERE id = 2")
    store.close()
    ran = patrol("audit", "verify")
    assert ran.code == 1
    assert "line 1 was changed (seal 1, 2026-01-05T12:00:01" in ran.out
    assert "line 2 was removed (seal 2, 2026-01-05T12:01:01" in ran.out
    found = json.loads(patrol("audit", "verify", "--json").out)
    assert (len(found["flaws"]), found["lines"], found["seals"]) == (2, 1, 2)
    ran = patrol("audit", "verify", "--head", "9:0123456789abcdef")
    assert "seal 9 was noted down and is not there" in ran.out


COLUMNS = "at, by, via, channel, deed, about, outcome, words, salt, words_hash, alert_id, seq"
TOUCHES = {
    "a row changed": (
        ["UPDATE audit SET at = '2026-01-05T11:00:00.000000' WHERE id = 1"],
        "line 1 was changed",
    ),
    "words changed": (["UPDATE audit SET words = 'nothing' WHERE id = 2"], "line 2 was changed (seal 1"),
    "a row removed": (["DELETE FROM audit WHERE id = 1"], "line 1 was removed (seal 1"),
    "a row inserted": (
        [f"INSERT INTO audit (id, {COLUMNS}, seal) SELECT 9, {COLUMNS}, 1 FROM audit WHERE id = 1"],
        "line 9 was inserted (into seal 1",
    ),
    "rows that changed places": (
        [f"UPDATE audit SET id = {b} WHERE id = {a}" for a, b in ((1, 99), (2, 1), (99, 2))],
        "line 1 was line 2: their order is another (seal 1)",
    ),
    "a row moved to another seal": (["UPDATE audit SET seal = 2 WHERE id = 2"], "line 2 was removed (seal 1"),
    "the end cut off": (["DELETE FROM audit WHERE id = 4"], "line 4 was removed (seal 2"),
    "a seal removed": (["DELETE FROM audit_seals WHERE number = 1"], "seal 1 is missing"),
    "the last seal removed": (
        ["DELETE FROM audit_seals WHERE number = 2"],
        "line 4 is of seal 2, which is not",
    ),
    "a seal changed": (["UPDATE audit_seals SET lines = '[]' WHERE number = 2"], "seal 2 was changed"),
    "the end cut off with its seal": (
        ["DELETE FROM audit WHERE seal = 2", "DELETE FROM audit_seals WHERE number = 2"],
        "seal 2 was noted down and is not there: what came after seal 1 was removed",
    ),
}


@pytest.mark.parametrize("touch", TOUCHES)
def test_whatever_is_done_to_the_rows_is_found_and_named(bot: Node, patrol: Patrol, touch: str) -> None:
    for n, text in enumerate(("ack 1", "comment 1 first", "comment 2 second", "comment 2 last")):
        bot.desk.command(ANA, text)
        bot.clock.on(SECOND)
        if n != 0 and n != 2:
            bot.store.trail.seal(bot.clock())
    noted = bot.store.trail.last()
    assert noted is not None
    statements, said = TOUCHES[touch]
    with bot.store._database.write() as c:
        for statement in statements:
            c.exec_driver_sql(statement)
    ran = patrol("audit", "verify", "--head", f"{noted.number}:{noted.hash}")
    assert ran.code == 1
    assert said in ran.out
    assert patrol("audit", "verify").code == (0 if "with its seal" in touch else 1)


@pytest.mark.usefixtures("node")
def test_verify_of_an_audit_without_a_line(patrol: Patrol) -> None:
    ran = patrol("audit", "verify")
    assert (ran.code, ran.out.strip()) == (0, "0 lines in 0 seals, all as it was sealed.")
    assert patrol("audit", "export").out == ""


@pytest.mark.usefixtures("acted")
def test_export_writes_json_lines_or_a_sheet_of_a_time(patrol: Patrol) -> None:
    lines = [json.loads(line) for line in patrol("audit", "export").out.splitlines()]
    assert [line["deed"] for line in lines] == ["acknowledge", "comment"]
    assert (lines[0]["name"], lines[0]["seal"], lines[0]["alert"], lines[0]["seq"]) == ("ana", 1, 1, 2)
    assert lines[0]["words"].startswith("acknowledged by @ana until 2026-01-05")
    later = patrol("audit", "export", "--from", "2026-01-05T12:00:30Z").out.splitlines()
    assert [json.loads(line)["id"] for line in later] == [2]
    earlier = patrol("audit", "export", "--to", "2026-01-05T12:00:30Z").out.splitlines()
    assert [json.loads(line)["id"] for line in earlier] == [1]
    sheet = list(csv.DictReader(io.StringIO(patrol("audit", "export", "--csv").out.lstrip("\ufeff"))))
    assert [row["about"] for row in sheet] == ["ALR-1", "ALR-2"]
    assert not any(str(cell).startswith("=") for row in sheet for cell in row.values())


def test_wrong_input_is_told_what_is_right(acted: Node, patrol: Patrol) -> None:
    assert acted.alert(1).owner == "U0ANA"
    ran = patrol("audit", "verify", "--head", "nonsense")
    assert ran.code == 2
    assert "write it as `verify` and the log say it" in ran.err
    ran = patrol("audit", "export", "--from", "1d", "--to", "2d")
    assert (ran.code, "must be before" in ran.err) == (2, True)
    ran = patrol("audit", "export", "--from", "yesterday")
    assert (ran.code, "is no time" in ran.err) == (2, True)
    assert patrol("audit", "verfy").code == 2
