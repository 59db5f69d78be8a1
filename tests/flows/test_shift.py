"""Shifts with Patrol as a process: who is paged when, who stands in for whom; one in a real browser."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser import DESKTOP, PHONE, launched
from tests.flows.conftest import FILES, Town
from tests.flows.office import office

ROTATION = "  rotation: {members: [ana, bo], length: 7d, anchor: 2026-01-05T09:00:00, timezone: UTC}\n"


def told_on(town: Town, seller: str) -> str:
    """The line of the seller's card that says who is told."""
    card = town.card_of(seller)
    return str(card["blocks"][1]) if card else ""


def direct(town: Town, name: str) -> list[str]:
    channel = f"D0{name.upper()}"
    known = channel in town.slack.workspace.channels
    return [message["text"] for message in town.slack.messages(channel)] if known else []


def answer(seen: dict[str, Any]) -> str:
    return str([seen.get("response"), seen.get("ephemerals")])


def test_a_page_goes_to_whoever_is_on_call_at_that_moment(town: Town, wait: Callable[..., Any]) -> None:
    teams = FILES["policies/_teams.yml"]
    assert ROTATION in teams
    town.write("policies/_teams.yml", teams.replace(ROTATION, "  rotation: {members: [ana]}\n"))
    town.patrol()
    wait(lambda: "on patrol" in town.log, "it did not start")

    def says(who: str, text: str) -> str:
        return answer(town.slack.command(who, "payments", f"/patrol {text}", wait_ms=2500))

    town.says("s_1")
    wait(lambda: "U0ANA" in told_on(town, "s_1"), "ana was not told")
    wait(lambda: "On call" in says("ana", "oncall"), "it does not answer")
    assert "undo: `/patrol uncover 1`" in says("ana", "cover 2h @bo")
    wait(lambda: direct(town, "bo"), "bo was not told that he covers")
    assert "ana has asked you to cover" in direct(town, "bo")[0]
    town.says("s_2")
    wait(lambda: "U0BO" in told_on(town, "s_2"), "bo was not told")
    assert "U0ANA" not in told_on(town, "s_2")
    week = says("bo", "oncall payments week")
    assert "covers" in week
    assert "is on call for payments" in says("bo", "uncover 1")
    town.says("s_3")
    wait(lambda: "U0ANA" in told_on(town, "s_3"), "ana was not told again")
    wait(lambda: direct(town, "ana"), "ana was not told that it has ended")
    assert "bo has ended it" in direct(town, "ana")[0]


@pytest.mark.browser
@pytest.mark.slow
def test_ana_forgets_is_reminded_and_bo_is_paged_takes_over_resolves_and_hands_over(tmp_path: Path) -> None:
    with launched() as browser, office(tmp_path, browser) as at:
        ana, bo = at.sits("ana", DESKTOP), at.sits("bo", PHONE)
        hers, his = (person.card("Ana Cards asked 6 times") for person in (ana, bo))

        at.until(9, 5)
        at.chat("s_1", "Ana Cards", 6)
        ana.reads(hers, "HIGH", "OPEN", "@ana told", "else the team is told at 9:15 AM")
        ana.looks("card", hers, buzz=True)
        ana.presses("Acknowledge", hers)
        ana.reads(hers, "ACKNOWLEDGED", "@ana has it until today at 10:05 AM")

        at.until(9, 54)  # she is in a meeting
        hers.get_by_test_id("thread-summary").click()
        ana.reads(
            ana.thread, "@ana ALR-1 is yours and still open; your acknowledgement runs out today at 10:05"
        )
        expect(ana.thread.get_by_role("button", name="Still on it")).to_be_visible()
        ana.looks("reminded")
        at.until(10, 6)  # and has forgotten; she is on call still, so she is told first
        ana.reads(ana.thread, "@ana's acknowledgement has run out; it is open again")
        ana.reads(hers, "OPEN", "else the team is told at 10:16 AM")

        at.until(10, 17)
        bo.reads(bo.paged, "@bo", "ALR-1 · escalated to the team: nobody has acknowledged it for 11 min")
        bo.looks("paged", buzz=True)
        bo.types("/patrol takeover 2h")
        bo.reads(bo.answer, "@bo is on call for payments instead of @ana until today at 12:17 PM")
        bo.presses("Acknowledge", bo.paged)
        bo.reads(his, "ACKNOWLEDGED", "@bo has it until today at 11:17 AM")
        bo.looks("taken-over")
        ana.page.get_by_test_id("app-patrol").click()
        ana.page.get_by_test_id("app-tab-messages").click()
        ana.reads(
            ana.page.get_by_test_id("messages"),
            "bo has taken over: bo is on call for payments in your place, until today at 12:17",
        )
        ana.looks("told-of-takeover")
        ana.goes_to("C0PAYMENTS")

        bo.presses("Resolve…", his)
        bo.reads(bo.modal, "What was it?")
        bo.looks("resolve")
        bo.modal.get_by_label("True positive").check()
        bo.modal.get_by_label("Note").fill("six buyers, the same handle; payouts are held")
        bo.submits()
        for person, card in ((ana, hers), (bo, his)):
            person.reads(card, "RESOLVED", "true positive by @bo after 1 h 1")
        bo.looks("resolved", his)

        at.chat("s_2", "Bo Prints", 3)
        at.chat("s_3", "Cy Coins", 2)
        bo.presses("Snooze 1 h", bo.card("Cy Coins asked 2 times"))
        bo.reads(bo.card("Cy Coins asked 2 times"), "SNOOZED")
        at.until(11, 15)
        bo.types("/patrol handoff")
        bo.reads(bo.answer, "The handoff of payments to @ana goes to its channel")
        card = ana.card("Handoff · payments")
        ana.reads(card, "bo hands over to @ana", "Bo Prints asked 3 times", "not accepted yet")
        ana.looks("handoff", card)
        ana.presses("Accept", card)
        ana.reads(card, "accepted by ana")
        expect(card.get_by_role("button", name="Accept")).to_have_count(0)
        ana.reads(ana.answer, "The handoff of payments is yours")
