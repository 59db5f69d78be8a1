"""What a card says of time, of those who were told and of its rows: true, once, and no more than needed."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.core.alert import Alert, Condition, Disposition, Lane, Terms, Work
from bot.core.reply import Context, Earlier, Evidence
from bot.slack.face import card
from sensors.model.asset import ViolationKind
from sensors.model.policy import AlertText, Every, Grades, Policy, Query, Severity

from .conftest import NOW, a_context, an_alert
from .hostile import mrkdwn_of

CONDITION = Terms(team="payments", accumulates=False)
POLICY = Policy(
    name="payments.off_platform_payment",
    title="Off platform",
    owner="payments",
    severity=Grades(((Severity.high, 1),)),
    schedule=Every(timedelta(minutes=5)),
    key=("seller_id",),
    query=Query("select 1", "duckdb", "p.sql", ()),
    alert=AlertText("x"),
    runbook="https://wiki.example/off-platform",
    content="c",
    path="p.yml",
)
NAMES = {"U0ANA": "ana", "U0BO": "bo"}


def words(alert: Alert, context: Context) -> str:
    return "\n".join(mrkdwn_of(card(alert, context).blocks))


def table_of(*rows: dict[str, Any]) -> list[list[str]]:
    shown = card(an_alert(), a_context(evidence=Evidence(tuple(rows[0]), rows, len(rows)))).blocks
    table = next(block for block in shown if block["type"] == "table")
    return [[cell["text"] for cell in line] for line in table["rows"]]


def test_a_card_names_all_who_were_told_and_pings_only_whom_it_tells_itself() -> None:
    first = words(an_alert(step=1), a_context(told=("U0ANA",), names=NAMES))
    assert "<@U0ANA> told" in first
    later = words(an_alert(step=2), a_context(paged=(), told=("U0ANA", "U0BO"), names=NAMES))
    assert "ana, bo told" in later
    assert "<@" not in later


def test_a_condition_says_since_when_and_its_data_until_when() -> None:
    early = an_alert(terms=CONDITION, as_of=NOW - timedelta(minutes=1))
    said = words(early, a_context())
    assert "still there." in said
    assert "as of" not in said
    gone = words(replace(early, condition=Condition.cleared), a_context())
    assert "no longer there." in gone


def test_columns_that_are_the_same_in_every_row_are_left_out() -> None:
    assert table_of({"a": 1, "b": 2, "c": 3}, {"a": 1, "b": 4, "c": 3}) == [["b"], ["2"], ["4"]]
    assert table_of({"a": 1, "b": 2}) == [["a", "b"], ["1", "2"]]
    assert len(table_of(dict.fromkeys("abcdef", 1))[0]) == 4


def test_times_of_the_alerts_own_day_are_times_only() -> None:
    today, before = f"{NOW:%Y-%m-%d} 04:59:24Z", f"{NOW - timedelta(days=1):%Y-%m-%d} 04:59:24Z"
    assert table_of({"at": today})[1:] == [["04:59:24"]]
    assert table_of({"at": today}, {"at": before})[1:] == [[today[:-1]], [before[:-1]]]


def test_a_card_goes_from_what_it_is_to_what_happened_last() -> None:
    """In the order in which somebody who was woken by it reads."""
    kind = ViolationKind("off_platform", "Payment elsewhere", "A buyer is led off the market.")
    before = Earlier(2, "payments.refunds", "x", Disposition.benign, NOW - timedelta(hours=1))
    about = a_context(
        policy=POLICY,
        dispositions={Disposition.true_positive: 18, Disposition.false_positive: 2},
        earlier=(before,),
        violation=kind,
    )
    blocks = card(an_alert(id=142, step=1, comments=2, last_event="now 3 rows"), about).blocks
    assert [block["type"] for block in blocks] == [
        *("header", "section", "section", "actions", "actions", "table", "context", "context")
    ]
    head, state, finding, buttons, offers, _, small, last = blocks
    assert head["text"]["text"] == "HIGH · Ana Cards asked 3 times to be paid elsewhere · ALR-142"
    assert state["text"]["text"].startswith("🟠 *OPEN* · <@U0ANA> told · else the team is told at <!date^")
    assert finding["text"]["text"].startswith("Off platform: *3 rows* for seller_id s_1, first <!date^")
    assert [e["text"]["text"] for e in buttons["elements"]] == [
        *("Acknowledge", "Open seller", "Snooze 1 h", "Resolve…", "More…")
    ]
    assert [e["text"]["text"] for e in offers["elements"]] == ["Hold payouts…"]
    line, earlier, what = "\n".join(mrkdwn_of([small])).splitlines()
    counted, data, right, notes, runbook = line.split(" · ")
    assert (counted, right, notes) == ("37 more in *More…*", "right 18 of 20 in 30 days", "2 notes")
    assert data.startswith("data until <!date^")
    assert runbook == "<https://wiki.example/off-platform|Runbook>"
    assert earlier.startswith("before: ALR-2 `payments.refunds` real but allowed <!date^")
    assert what == "Payment elsewhere: A buyer is led off the market."
    assert mrkdwn_of([last])[0].startswith("now 3 rows · <!date^")
    for moment in ("data until", "before:", "now 3 rows"):
        assert "{ago}" in text_with(blocks, moment) or "{time}" in text_with(blocks, moment)


def text_with(blocks: list[dict[str, Any]], words: str) -> str:
    return next(text for text in mrkdwn_of(blocks) if words in text)


@pytest.mark.parametrize(
    ("badge", "changes"),
    [
        ("CLEARED", {"condition": Condition.cleared}),
        ("DATA LATE", {"condition": Condition.unknown}),
        ("REOPENED", {"reopened": 1}),
        ("SHADOW", {"lane": Lane.shadow}),
        ("HISTORICAL", {"lane": Lane.historical}),
    ],
)
def test_a_badge_stands_beside_the_word(badge: str, changes: dict[str, Any]) -> None:
    plain, marked = words(an_alert(), a_context()), words(an_alert(**changes), a_context())
    assert f"*OPEN* `{badge}` · " in marked
    assert badge not in plain


def test_a_resolved_card_says_once_who_and_why() -> None:
    closed = an_alert(
        work=Work.resolved,
        resolved_by="U0BO",
        resolved_at=NOW,
        disposition=Disposition.benign,
        note="see https://jira.example/T-1",
        last_event="resolved by ⟦U0BO⟧ as benign: see https://jira.example/T-1",
        last_event_at=NOW,
        last_event_by="U0BO",
    )
    assert words(closed, a_context()).count("<https://jira.example/T-1>") == 1
