"""What a policy masks or hides is shown by no verb that reads real rows, and no row leaves its line."""

from __future__ import annotations

import pytest

from tests.shell.making import ELSEWHERE, FILES, MINUTE, NOON, World
from tests.shell.typing_in import Patrol

NAME = "payments.elsewhere"
AT = ("--at", "2026-01-05T12:30:00Z", "--over", "1h")
SPAN = ("--from", "2026-01-05", "--to", "2026-01-06")
SECRET, BODY = "seller-number-9", "pay me at 4111-1111"
HOSTILE = "\x1b[2J\u202e[bold]pay me[/]\x9b\n<script>"
TRUTH = """
core.truth: {owner: payments, columns: {message_id: varchar, seller_id: varchar, body: varchar,
  sent_at: timestamp, is_scam: boolean}}
"""
VERBS = {
    "run": ("run", NAME, *AT),
    "run for scripts": ("run", NAME, *AT, "--json"),
    "backtest": ("backtest", NAME, *SPAN),
    "backtest for scripts": ("backtest", NAME, *SPAN, "--json"),
    "diff": ("diff", "before", ".", *SPAN),
    "diff for scripts": ("diff", "before", ".", *SPAN, "--json"),
    "diff for a pull request": ("diff", "before", ".", *SPAN, "--markdown"),
    "score": ("score", NAME, "--labels", "core.truth.is_scam", *SPAN),
    "score for scripts": ("score", NAME, "--labels", "core.truth.is_scam", *SPAN, "--json"),
    "preview": ("preview", NAME, "--from-warehouse"),
    "preview for scripts": ("preview", NAME, "--from-warehouse", "--json"),
}


@pytest.fixture
def private(world: World) -> World:
    """A policy that masks its key and hides the text, and another version of it, which looks for less."""
    columns = "columns: {body: hide, seller_id: mask}"
    yaml = ELSEWHERE.replace("fields: [body]", f"fields: [seller_id], {columns}")
    yaml = yaml.replace("lookback: 5m", "lookback: 300d")
    world.write("policies/_assets.yml", FILES["policies/_assets.yml"] + TRUTH)
    for place in ("", "before/"):
        for name, text in FILES.items():
            if "elsewhere" in name or name.startswith(("policies/_", "patrol")):
                world.write(place + name, text)
        world.write(place + "policies/_assets.yml", FILES["policies/_assets.yml"] + TRUTH)
        world.write(place + "policies/payments/elsewhere.yml", yaml)
    world.write(
        "before/sql/payments/elsewhere.sql", FILES["sql/payments/elsewhere.sql"].replace("pay", "buy")
    )
    return world


@pytest.mark.parametrize("verb", VERBS)
def test_what_is_masked_or_hidden_is_not_shown(private: World, patrol: Patrol, verb: str) -> None:
    private.table.says(SECRET, NOON + MINUTE, BODY)
    private.table.does("CREATE TABLE core.truth AS SELECT *, false AS is_scam FROM core.chat")
    ran = patrol(*VERBS[verb])
    assert ran.code == 0, ran.said
    assert "se•••" in ran.out  # it has come so far as to show the row
    assert SECRET not in ran.out + ran.err
    assert "4111" not in ran.out + ran.err


@pytest.mark.parametrize("verb", VERBS)
def test_rows_move_no_cursor_and_turn_no_line(world: World, patrol: Patrol, verb: str) -> None:
    truth = FILES["policies/_assets.yml"] + TRUTH
    world.write("policies/_assets.yml", truth)
    world.write("policies/payments/elsewhere.yml", ELSEWHERE.replace("lookback: 5m", "lookback: 300d"))
    for name, text in FILES.items():
        world.write(f"before/{name}", text.replace("pay me", "buy me"))
    world.table.says("s_1", NOON + MINUTE, HOSTILE)
    world.table.says(HOSTILE, NOON + MINUTE)
    world.table.does("CREATE TABLE core.truth AS SELECT *, false AS is_scam FROM core.chat")
    ran = patrol(*VERBS[verb])
    assert ran.code == 0, ran.said
    as_text = not any(one in VERBS[verb] for one in ("--json", "--blocks"))
    assert "\x1b" not in ran.out
    assert not as_text or not {"\u202e", "\x9b"} & set(ran.out)


def test_a_column_with_a_hostile_name_is_shown_as_it_is(world: World, patrol: Patrol) -> None:
    sql = FILES["sql/payments/elsewhere.sql"].replace("body,", 'body AS "[red]\x1b[2Ja|b[/]",', 1)
    world.write("sql/payments/elsewhere.sql", sql)
    world.write("policies/payments/elsewhere.yml", ELSEWHERE.replace(", fields: [body]", ""))
    world.table.says("s_1", NOON)
    ran = patrol("run", NAME, *AT, COLUMNS="120")
    assert (ran.code, "[red] [2ja|b[/]" in ran.out) == (0, True), ran.said
    assert "\x1b" not in ran.out
