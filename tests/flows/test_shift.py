"""A shift with Patrol as a process: ana is on call, bo covers for her and is paged; then she is again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.flows.conftest import FILES, Town

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
