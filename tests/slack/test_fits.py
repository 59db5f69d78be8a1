"""What of a card is lost on extreme rows is told from the card itself."""

# ruff: noqa: E501 - a table reads by its rows

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.slack.answers import COLUMNS_IN_FULL
from bot.slack.face import OFFERS_MOST
from bot.slack.fits import losses
from sensors.model.job import Job
from sensors.model.policy import AlertText, Every, Grades, Policy, Query, Severity
from sensors.title import title, title_names

POLICY = Policy(
    name="payments.held",
    title="Held",
    owner="payments",
    severity=Grades(((Severity.high, 0),)),
    schedule=Every(timedelta(minutes=5)),
    key=("seller_id",),
    query=Query("SELECT 1", "duckdb", "sql/payments/held.sql", ()),
    alert=AlertText("Held"),
    content="0",
    path="policies/payments/held.yml",
)


def lost(text: str, jobs: int = 0, **alert: Any) -> list[tuple[Any, str]]:
    offered = [Job(f"j{n}", "http", f"Job {n}", "payments") for n in range(jobs)]
    policy = replace(POLICY, alert=AlertText(text, **alert), offer=tuple(job.name for job in offered))
    return [(one.where, one.what) for one in losses(policy, sorted(title_names(text)), offered, title)]


TITLES = [
    ("Held", []),
    ("{{ seller_id }} refunded {{ refunds }} orders", []),
    ("{{ seller_id }} " + "x" * 150, ["is cut on every card: with the shortest values it has 152 characters, of which 120 are shown"]),
    ("{{ amount | round(2) }} paid", ["cannot be made where amount is NULL; write {{ amount | default(0, true) | … }}"]),
    ("{{ amount | default(0, true) | round(2) }} paid", []),
    ("{{ amount * 100 }} paid", ["cannot be made where amount is NULL; write {{ amount | default(0, true) | … }}"]),
    ("{{ seller_id + 1 }} paid", []),  # a key is never NULL
    ("{{ name | upper }} paid", []),
    ("{{ body }} is what {{ seller_id }} wrote", ["loses what stands behind body where that is long; write {{ body | default('–', true) | truncate(60) }}"]),
    ("{{ body | truncate(60) }} is what {{ seller_id }} wrote", ["cannot be made where body is NULL; write {{ body | default('–', true) | … }}"]),
    ("{{ body | default('–', true) | truncate(60) }} is what {{ seller_id }} wrote", []),
    ("{{ seller_id }} wrote {{ body }}", []),
    ("{{ seller_id / 0 }} paid", ["cannot be made of any row; the policy's own title is shown instead"]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "said"), TITLES, ids=[text[:40] for text, _ in TITLES])
def test_a_title_is_told_what_it_loses(text: str, said: list[str]) -> None:
    assert lost(text) == [(("alert", "title"), one) for one in said]


def test_a_number_that_is_never_missing_needs_no_default() -> None:
    named = sorted(title_names("{{ amount | round(2) }} paid"))
    policy = replace(POLICY, alert=AlertText("{{ amount | round(2) }} paid"))
    assert list(losses(policy, named, [], title, {"amount"})) == []


def test_fields_that_are_seen_nowhere_are_named() -> None:
    fields = tuple(f"f{n}" for n in range(COLUMNS_IN_FULL + 2))
    assert lost("Held", fields=fields) == [
        (("alert", "fields", 12), "f12, f13 are seen nowhere: a card shows 4 columns, the rows in full 12")
    ]
    hidden = {"f0": "hide", "f1": "hide"}
    assert lost("Held", fields=fields, columns=hidden) == []


def test_jobs_without_a_button_are_named() -> None:
    assert lost("Held", OFFERS_MOST) == []
    assert lost("Held", OFFERS_MOST + 1) == [
        (("offer", OFFERS_MOST), f"j{OFFERS_MOST} gets no button: a card has room for {OFFERS_MOST} jobs")
    ]
