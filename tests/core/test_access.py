"""Who may act, and what a refused person is told."""

from __future__ import annotations

from dataclasses import replace

from bot.core.access import may_act, may_start
from sensors.model.job import Job
from tests.core.looking import TEAM

TEAMS = {"payments": TEAM, "chat": TEAM}
JOB = Job("rescore", "http", "Rescore the seller", "payments")


def test_a_member_of_any_team_may_act() -> None:
    assert may_act("UANA", TEAMS) is None
    assert may_start("UANA", JOB, TEAMS) is None


def test_others_may_look_and_are_told_where_membership_is_written() -> None:
    refused = may_act("UDEE", TEAMS)
    assert refused is not None
    assert "you may look but not act" in refused.why
    assert refused.hint == "Ask for a place in policies/_teams.yml: chat, payments."
    assert may_start("UDEE", JOB, TEAMS) == refused
    nobody = may_act("UDEE", {})
    assert nobody is not None
    assert "there are no teams yet" in nobody.hint


def test_what_needs_a_second_person_does_not_start_at_once() -> None:
    refused = may_start("UANA", replace(JOB, approval="second_person"), TEAMS)
    assert refused is not None
    assert "approval of a second person" in refused.why
    assert refused.hint == "Its owner is payments."
