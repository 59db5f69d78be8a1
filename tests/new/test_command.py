"""`patrol new` as a person meets it: by flags, asked on a terminal, and refused with what to do instead."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml
from click.testing import CliRunner

from bot.cli.group import patrol as command
from bot.new.shape import SHAPES
from tests.new.shaping import MARKET, ROOT, made, wished
from tests.shell.typing_in import Patrol, clean

EVENT = (
    "chat/pays_outside",
    "--like",
    "event",
    "--table",
    "core.chat_messages",
    "--match",
    "body like '%paypal%'",
)
PAIR = ("policies/chat/pays_outside.yml", "sql/chat/pays_outside.sql")


# ------------------------------------------------------------------------------ by flags


def test_one_command_writes_a_pair_that_check_and_test_find_right(patrol: Patrol, folder: Path) -> None:
    before = patrol("check").out.splitlines()[-1]
    ran = patrol("new", *EVENT)
    assert ran.code == 0, ran.err
    assert all((folder / path).exists() and f"wrote {path}" in ran.out for path in PAIR)
    assert "chat.pays_outside: 2 cases pass. It is in shadow" in ran.out
    assert "pays_outside" not in patrol("check", "policies/chat/pays_outside.yml", "sql/chat").out
    many = int(before.split()[0])
    assert patrol("check").out.splitlines()[-1] == before.replace(f"{many} policies", f"{many + 1} policies")
    tested = patrol("test", "chat.pays_outside")
    assert (tested.code, "2 cases of 1 policy: all passed" in tested.out) == (0, True)


def test_a_name_may_be_written_as_a_path_or_with_dots(patrol: Patrol, folder: Path) -> None:
    for name in ("a.one", "a/two", "policies/a/three.yml"):
        assert patrol("new", name, *EVENT[1:]).code == 0
    assert {path.stem for path in (folder / "sql/a").iterdir()} == {"one", "two", "three"}


def test_a_dry_run_prints_and_writes_nothing(patrol: Patrol, folder: Path) -> None:
    ran = patrol("new", *EVENT, "--dry-run")
    assert "status: shadow" in ran.out
    assert "FROM {{ table('core.chat_messages') }} e" in ran.out
    assert not (folder / PAIR[0]).exists()
    told = json.loads(patrol("new", *EVENT, "--dry-run", "--json").out)
    assert (told["written"], told["cases"], tuple(told["files"])) == (False, 2, PAIR)


def test_nothing_is_written_over_unless_it_is_said(patrol: Patrol, folder: Path) -> None:
    (folder / PAIR[1]).write_text("SELECT 1")
    ran = patrol("new", *EVENT)
    assert ran.code == 2
    assert ran.err.startswith("patrol: sql/chat/pays_outside.sql is there already; nothing was written.")
    assert not (folder / PAIR[0]).exists()
    assert patrol("new", *EVENT, "--force").code == 0
    assert "SELECT 1" not in (folder / PAIR[1]).read_text()


def test_a_violation_that_the_name_says_is_taken(patrol: Patrol, folder: Path) -> None:
    patrol("new", "payments/card_testing_fast", "--like", "threshold", "--table", "core.orders")
    assert "\nviolation: card_testing\n" in (folder / "policies/payments/card_testing_fast.yml").read_text()


def test_the_shapes_are_listed(patrol: Patrol) -> None:
    assert all(shape in patrol("new", "--list").out for shape in SHAPES)
    assert [one["shape"] for one in json.loads(patrol("new", "--list", "--json").out)] == list(SHAPES)


def test_the_guide_s_table_of_shapes_is_the_list() -> None:
    rows = re.findall(
        r"^\| `(\w+)` \| ([^|]+) \|.*`--", (ROOT / "docs/policies.md").read_text(), re.MULTILINE
    )
    assert [name for name, _ in rows] == list(SHAPES)
    assert all(SHAPES[name].finds.startswith(finds) for name, finds in rows)


REFUSED = (
    ("", "Say what it is called: patrol new payments/refund_spike"),
    ("Pay/Refund-Spike", "cannot be a policy's name", "take pay.refund_spike."),
    ("a/x", "Say which shape it is like: --like event | threshold"),
    ("a/x --like rat", 'There is no shape "rat"; did you mean "rate"?'),
    ("a/x --like stale", "Say which table: --table with one of core."),
    ("a/x --like stale --table core.oders", "core.oders is not declared", 'did you mean "core.orders"?'),
    ("a/x --like stale --table core.sellers --time nope", "core.sellers has no column nope"),
    ("a/x --like stale --table core.sellers --time country", "country is of type varchar; a window needs a"),
    ("a/x --like stale --table core.sellers --time none", "core.sellers has no column that says when"),
    ("a/x --like event --table core.orders", 'Say which rows it is after: --match, such as --match "s'),
    ("a/x --like rate --table core.orders", "Say what the share is of: --match", "--of TABLE"),
    ("a/x --like rate --table core.orders --of core.buyers", "core.buyers has no column seller_id"),
    ("a/x --like stale --table core.orders --key sellerid", 'no column sellerid; did you mean "seller_id"?'),
    ("a/x --like stale --table core.orders --key created_at", "an alert is about a text or a whole number"),
    ("a/x --like stale --table core.orders --owner paymnts", 'did you mean "payments"?'),
    (
        "a/x --like stale --table core.orders --severity hihg",
        "it is one of info, low, medium, high, critical",
    ),
    ("a/x --like stale --table core.orders --violation nope", 'there is no violation "nope"'),
    ("a/x --like stale --table core.orders --threshold 0", "goes from 2 to 1000"),
    ("a/x --like stale --table core.orders --window 100d", "--window goes from 1m to 14d"),
    ("a/x --like stale --table core.orders --distinct amount", "--distinct is for burst and ring"),
    ("a/x --like stale --table core.orders --of core.refunds", "--of is for rate"),
    (
        "a/x --like stale --table core.orders --watchlist core.buyers",
        "--watchlist and --on are for watchlist",
    ),
    (
        "a/x --like ring --table core.orders --key buyer_id --distinct buyer_id",
        "--distinct: buyer_id is the key",
    ),
    ("a/x --like watchlist --table core.orders", "Say which table is the list: --watchlist with one of"),
    (
        "a/x --like watchlist --table core.orders --watchlist core.signups",
        "say with --on which of its columns",
    ),
    ("a/x --like threshold --table core.sellers --time none --key seller_id", "--row-key: say a column"),
    ("a/x --like event --table core.orders --match seller_id='s_1'", "seller_id has its part in this policy"),
)


@pytest.mark.parametrize(("words", "said"), [(words, said) for words, *said in REFUSED])
def test_what_is_missing_or_wrong_is_one_sentence_that_says_what_to_do(
    patrol: Patrol, folder: Path, words: str, said: list[str]
) -> None:
    ran = patrol("new", *words.split())
    assert ran.code == 2
    assert ran.err.startswith("patrol: ")
    assert [part for part in said if part not in ran.said] == []
    assert not (folder / "policies/a").exists()


def test_a_project_without_tables_or_teams_is_told_what_to_write(patrol: Patrol, folder: Path) -> None:
    (folder / "policies/_teams.yml").write_text("")
    assert "write policies/_teams.yml, such as payments: {channel:" in patrol("new", *EVENT).err
    (folder / "policies/_assets.yml").unlink()
    said = patrol("new", *EVENT).err
    assert "core.chat_messages is not declared in policies/_assets.yml. Declare it there" in said
    assert "--declare writes it from the warehouse's columns." in said
    few = ("new", "a/x", "--like", "stale")
    assert "No table is declared in policies/_assets.yml yet. Declare it there" in patrol(*few).err


# ------------------------------------------------------------------------------ what the cases hold


def test_no_change_of_a_new_policy_goes_unnoticed_but_those_that_change_nothing(
    patrol: Patrol, folder: Path
) -> None:
    for shape, wishes in MARKET.items():
        files, _ = made(folder, wished(shape, wishes[0], f"tried.{shape}"))
        for path, text in files.items():
            (folder / path).parent.mkdir(exist_ok=True)
            (folder / path).write_text(text)
    told = json.loads(patrol("test", "policies/tried", "--mutate", "--json").out)
    assert len(told) == len(SHAPES)
    assert sum(one["changes"] for one in told) > 80
    survivors = [(one["policy"], s["now"]) for one in told for s in one["survivors"]]
    # WHERE asks for the joined columns, so a row without a partner is dropped by either join
    assert [said for said in survivors if "LEFT JOIN" not in said[1]] == []
    assert {policy for policy, _ in survivors} <= {"tried.rate", "tried.anomaly"}


# ------------------------------------------------------------------------------ a table that is not declared


def warehouse(folder: Path) -> None:
    with duckdb.connect(str(folder / "w.duckdb")) as made:
        made.execute("CREATE SCHEMA shop")
        made.execute(
            'CREATE TABLE shop.bills (bill_id VARCHAR, "Odd Name" INT, user_id VARCHAR, paid_at TIMESTAMP)'
        )
    (folder / "patrol.yml").write_text("warehouse_url: duckdb:///w.duckdb\n")


BILLS = ("new", "a/quiet", "--like", "stale", "--table", "shop.bills", "--owner", "payments")


def test_declare_adds_the_table_with_the_warehouse_s_columns_and_keeps_the_file(
    patrol: Patrol, folder: Path
) -> None:
    warehouse(folder)
    assets = folder / "policies/_assets.yml"
    before = assets.read_bytes()
    assert "shop.bills is not declared" in patrol(*BILLS).err
    shown = patrol(*BILLS, "--declare", "--dry-run")
    assert "    paid_at: timestamp\n" in shown.out
    assert assets.read_bytes() == before
    ran = patrol(*BILLS, "--declare")
    assert ran.code == 0, ran.err
    assert "added shop.bills to policies/_assets.yml" in ran.out
    after = assets.read_bytes()
    assert after.startswith(before)
    added = yaml.safe_load(after[len(before) :])["shop.bills"]
    assert added["columns"] == {"bill_id": "varchar", "user_id": "varchar", "paid_at": "timestamp"}
    assert (added["owner"], added["loaded_until"]) == ("payments", "paid_at")
    assert patrol("check").code == 0


def test_declare_without_a_warehouse_or_such_a_table_says_so(patrol: Patrol, folder: Path) -> None:
    ran = patrol(*BILLS, "--declare")
    assert (ran.code, "warehouse_url" in ran.said) == (2, True)
    warehouse(folder)
    said = patrol(*BILLS[:5], "shop.gone", "--declare").err
    assert said.startswith("patrol: The warehouse has no table shop.gone")


# ------------------------------------------------------------------------------ asked


def ask(*words: str, answers: list[str]) -> str:
    ran = CliRunner().invoke(command, ["new", "--ask", *words], input="".join(f"{a}\n" for a in answers))
    assert ran.exit_code == 0, ran.output
    return ran.output


def test_ana_answers_the_questions_and_slips_three_times(patrol: Patrol, folder: Path) -> None:
    said = ask(
        answers=[
            "payments/Refund-Rate",  # no name
            "payments/refund_rate",
            "rat",  # no shape
            "rate",
            "",  # core.refunds, by the name
            "",  # refunded_at
            "",  # seller_id
            "core.orders",
            "",  # payments
            "refund_abuse",
            "",  # medium
            "three",  # no number
            "3",
            "",  # from 3 hits on
        ]
    )
    assert "take payments.refund_rate." in said
    assert 'did you mean "rate"?' in said
    assert "Table [core.refunds]" in said
    assert "It is a whole number." in said
    assert "payments.refund_rate: 2 cases pass" in said
    yml = (folder / "policies/payments/refund_rate.yml").read_text()
    assert "violation: refund_abuse\n" in yml
    assert "params: {least: 10, least_hits: 3, times: 3}" in yml
    assert "table('core.orders')" in (folder / "sql/payments/refund_rate.sql").read_text()
    assert patrol("check").code == 0


@pytest.mark.parametrize(
    ("shape", "words", "answers"),
    [
        (
            "event",
            "a/x --table core.orders",
            ["", "buyer_id", "", "nope = 1", "amount >= 900", "", "none", "high"],
        ),
        ("threshold", "a/x", ["core.refunds", "", "buyer_id", "", "", "", "", "", "4"]),
        ("burst", "a/x", ["core.signups", "", "ip", "", "", "", "", ""]),
        ("ring", "a/x --table core.listings", ["none", "image_hash", "seller_id", "", "", "", "2"]),
        (
            "watchlist",
            "a/x --table core.orders",
            ["core.signups", "", "buyer_id", "account_id", "", "", "", ""],
        ),
        ("anomaly", "a/x --table core.orders --key seller_id,buyer_id", ["", "", "", "", ""]),
        ("stale", "a/x --table core.orders --owner payments --severity low", ["", "", "", "7"]),
    ],
)
def test_each_shape_asks_for_what_it_needs(folder: Path, shape: str, words: str, answers: list[str]) -> None:
    said = ask("--like", shape, *words.split(), answers=answers)
    assert " cases pass. It is in shadow" in said
    assert ("This needs an answer" in said) == (shape == "event")
    assert (folder / "sql/a/x.sql").exists()


@pytest.mark.parametrize(
    ("words", "key"),
    [
        ("event --table core.chat_messages --match body='a'", "author_id"),  # a person, not the show
        ("watchlist --table core.signups --watchlist vetted.banned_devices", "device_id"),  # what is listed
        ("ring --table core.payouts", "bank_account"),  # not the payout's own id
    ],
)
def test_what_an_alert_is_about_is_guessed(patrol: Patrol, words: str, key: str) -> None:
    assert f"\nkey: [{key}] " in patrol("new", "a/x", "--dry-run", "--like", *words.split()).out


def on_a_terminal(folder: Path, *words: str, answers: str) -> tuple[int, str]:
    """Runs `patrol` with a terminal of its own."""
    ours, theirs = pty.openpty()
    env: dict[str, Any] = {**clean(), "PYTHONPATH": str(ROOT), "TERM": "dumb"}
    ran = subprocess.Popen(
        [sys.executable, "-m", "bot", *words], cwd=folder, env=env, stdin=theirs, stdout=theirs, stderr=theirs
    )
    os.close(theirs)
    os.write(ours, answers.encode())
    said, deadline = b"", time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            more = os.read(ours, 4096)
        except OSError:  # the other end is closed
            break
        if not more:
            break
        said += more
    os.close(ours)
    return ran.wait(30), said.decode()


def test_on_a_terminal_it_asks_and_with_yes_it_does_not(folder: Path) -> None:
    code, said = on_a_terminal(folder, "new", *EVENT, answers="\nauthor_id\n\nchat\nnone\nlow\n")
    assert (code, "Key, what an alert is about" in said) == (0, True), said
    assert "key: [author_id]" in (folder / PAIR[0]).read_text()
    code, said = on_a_terminal(folder, "new", *EVENT, "--force", "--yes", answers="")
    assert (code, "Key, what" in said) == (0, False), said
