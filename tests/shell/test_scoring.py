"""`patrol score` in a small world: what is counted, what is refused, and what is shown of mistakes."""

from __future__ import annotations

import json

import pytest

from tests.shell.making import ELSEWHERE, FILES, MINUTE, NOON, World
from tests.shell.typing_in import Patrol

NAME = "payments.elsewhere"
LABELS = ("--labels", "core.truth.is_scam")
TRUTH = """
core.truth: {owner: payments, columns: {message_id: varchar, seller_id: varchar, body: varchar,
  is_scam: boolean, sent_at: timestamp}}
"""


@pytest.fixture
def labelled(world: World) -> World:
    """Six messages: two found rightly, one wrongly, one missed, one left rightly, one without a label."""
    world.write("policies/_assets.yml", FILES["policies/_assets.yml"] + TRUTH)
    world.write("policies/payments/elsewhere.yml", ELSEWHERE.replace("every: 1m", "every: 1h"))
    world.table.says("s_1", NOON, "pay me", times=2)
    world.table.says("s_2", NOON + 5 * MINUTE, "pay me in store credit")
    world.table.says("s_3", NOON + 6 * MINUTE, "send gift cards")
    world.table.says("s_4", NOON + 7 * MINUTE, "hello")
    world.table.says("s_5", NOON + 8 * MINUTE, "pay me, maybe")
    truth = "CASE seller_id WHEN 's_1' THEN true WHEN 's_3' THEN true WHEN 's_5' THEN NULL ELSE false END"
    world.table.does(f"CREATE TABLE core.truth AS SELECT *, {truth} AS is_scam FROM core.chat")
    return world


@pytest.mark.usefixtures("labelled")
def test_rows_and_keys_are_counted(patrol: Patrol) -> None:
    found = json.loads(patrol("score", NAME, *LABELS, "--json").out)
    rows, keys = found["rows"], found["keys"]
    assert [rows[n] for n in ("tp", "fp", "fn", "tn", "unlabelled")] == [2, 1, 1, 1, 1]
    assert [keys[n] for n in ("tp", "fp", "fn", "tn", "unlabelled")] == [1, 1, 1, 1, 1]
    assert rows["precision"]["value"] == 0.6667
    assert rows["precision"]["interval"] == [0.2077, 0.9385]
    assert found["without_label"] == 1
    assert [row["message_id"] for row in found["false_positives"]] == ["m_3"]
    assert [row["message_id"] for row in found["false_negatives"]] == ["m_4"]


@pytest.mark.usefixtures("labelled")
def test_people_read_a_table_and_examples(patrol: Patrol) -> None:
    ran = patrol("score", NAME, *LABELS)
    assert ran.code == 0
    assert "rows: precision 2 of 3 (20.8% to 93.9%), recall 2 of 3" in ran.out
    assert "found wrongly, for example:\n  message_id=m_3" in ran.out
    assert "missed, for example:\n  message_id=m_4" in ran.out
    assert "found, but without a label: 1 row," in ran.out


def test_labels_of_no_calendar_are_counted_and_stop_nothing(labelled: World, patrol: Patrol) -> None:
    for at in ("infinity", "-infinity", "0001-01-01"):
        labelled.table.does(f"INSERT INTO core.truth VALUES ('m', 's_9', 'pay me', '{at}', true)")
    ran = patrol("score", NAME, *LABELS)
    assert ran.code == 0, ran.said
    assert "rows: precision 2 of 3" in ran.out
    assert "labelled, but without a time that a window may hold: 3 rows" in ran.out


def test_examples_are_masked_as_on_a_card(labelled: World, patrol: Patrol) -> None:
    yaml = ELSEWHERE.replace("fields: [body]", "fields: [body], columns: {body: mask, seller_id: hide}")
    labelled.write("policies/payments/elsewhere.yml", yaml)
    for words in ([], ["--json"]):
        ran = patrol("score", NAME, *LABELS, *words)
        assert ran.code == 0
        assert "gift" not in ran.out
        assert "store credit" not in ran.out
        assert "s_2" not in ran.out


def test_a_policy_that_may_read_its_label_is_refused(labelled: World, patrol: Patrol) -> None:
    cheats = {
        "is_scam": "SELECT message_id, seller_id, body, sent_at FROM {{ table('core.truth') }}"
        " WHERE {{ in_window('sent_at') }} AND is_scam",
        "star": "SELECT * FROM {{ table('core.truth') }} WHERE {{ in_window('sent_at') }}",
    }
    for said, sql in cheats.items():
        labelled.write("sql/payments/elsewhere.sql", f"-- One row per message.\n{sql}\n")
        ran = patrol("score", NAME, *LABELS)
        assert (ran.code, said in ran.said) == (2, True), ran.said
        assert "A score would mean nothing" in ran.said


def test_a_hand_written_query_is_held_to_the_same(labelled: World, patrol: Patrol) -> None:
    own = "SELECT * FROM {{ table('core.chat') }} WHERE {{ in_window('sent_at') }}"
    labelled.write("sql/payments/elsewhere.duckdb.sql", f"-- One row per message.\n{own}\n")
    ran = patrol("score", NAME, *LABELS)
    assert (ran.code, "a star stands for every column" in ran.said) == (2, True), ran.said


@pytest.mark.usefixtures("labelled")
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--labels", "core.truth.is_scamm"], "did you mean is_scam?"),
        (["--labels", "core.truht.is_scam"], "did you mean core.truth.is_scam?"),
        (["--labels", "is_scam"], "is no column of a declared table"),
        (["--labels", "core.truth.body"], "is varchar; a label is a boolean"),
        ([*LABELS, "--on", "amount"], "has no column amount"),
        ([], "Missing option '--labels'"),
        (["--labels", "core.sellers.held"], "has no column message_id"),
    ],
)
def test_what_is_no_label_is_said(patrol: Patrol, words: list[str], said: str) -> None:
    ran = patrol("score", NAME, *words)
    assert (ran.code, said in ran.said) == (2, True), ran.said


def test_a_policy_without_a_row_key_needs_on(labelled: World, patrol: Patrol) -> None:
    labelled.write("policies/payments/elsewhere.yml", ELSEWHERE.replace("row_key: [message_id]\n", ""))
    assert "--on" in patrol("score", NAME, *LABELS).said
    assert patrol("score", NAME, *LABELS, "--on", "message_id").code == 0


def test_more_keys_than_max_alerts_are_judged_each_by_itself(labelled: World, patrol: Patrol) -> None:
    labelled.write("policies/payments/elsewhere.yml", ELSEWHERE + "max_alerts: 1\n")
    assert json.loads(patrol("score", NAME, *LABELS, "--json").out)["keys"]["tp"] == 1


def test_the_label_table_may_be_absent_from_the_warehouse(labelled: World, patrol: Patrol) -> None:
    labelled.table.does("DROP TABLE core.truth")
    ran = patrol("score", NAME, *LABELS)
    assert (ran.code, "The labels cannot be read" in ran.said) == (2, True)
