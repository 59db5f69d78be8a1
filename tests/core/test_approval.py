"""Nothing is approved but by another, who may, in time, and for just what was asked; by default it is not."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from bot.core.access import Ground
from bot.core.approval import (
    GOOD_FOR,
    Answer,
    Approval,
    ApprovalState,
    binding,
    decide,
    expired,
    lacking,
    nobody_else,
    outcome,
)
from bot.core.change import Refused
from sensors.model.job import Job
from sensors.model.team import Member, Role, Team
from tests.core.making import ANA, BO, CY, NOON

TEAM = Team(
    "payments",
    "C1",
    "C2",
    (
        Member("ana", ANA, frozenset({Role.approver})),
        Member("bo", BO),
        Member("cy", CY, frozenset({Role.admin})),
    ),
)
GROUND = Ground("hold_payouts", TEAM, on_call=(BO,))
URL = {"url": "https://x.example"}
JOB = Job("hold_payouts", "http", "Hold payouts", "payments", URL, approval="second_person")
PARAMS = {"seller_id": "s_1"}
ASKED = Approval(12, JOB.name, JOB.title, PARAMS, binding(JOB, PARAMS), ANA, NOON, NOON + GOOD_FOR)
JOBS = (JOB, replace(JOB, config={"url": "https://y.example"}), replace(JOB, kind="sql"), None)


@given(
    st.sampled_from((ANA, BO, CY, "UDEE")),
    st.booleans(),
    st.sampled_from(("", ASKED.seen, "0" * 16)),
    st.sampled_from(JOBS),
    st.sampled_from(list(ApprovalState)),
    st.integers(0, 20).map(lambda minutes: NOON + timedelta(minutes=minutes)),
)
def test_only_another_who_may_approves_in_time_and_only_what_was_asked(
    by: str, yes: bool, seen: str, job: Job | None, state: ApprovalState, now: datetime
) -> None:
    decided = decide(replace(ASKED, state=state), Answer(by, yes, "", seen), job, GROUND, now)
    may_yes = by == CY and seen in ("", ASKED.seen) and now < ASKED.expires_at
    may_yes = may_yes and state is ApprovalState.waiting
    approved = isinstance(decided, Approval) and decided.state is ApprovalState.approved
    assert approved == (may_yes and yes and job is JOB)
    if isinstance(decided, Approval):
        assert (decided.decided_by, decided.decided_at) == (by, now)
        if yes and job is not JOB:
            assert decided.state is ApprovalState.void
        if not yes:
            assert decided.state is ApprovalState.refused
            assert by in (ANA, CY)
    else:
        assert isinstance(decided, Refused)


def test_what_would_be_done_is_bound_by_call_and_values() -> None:
    params = {"seller_id": "s_1", "n": 1}
    same = replace(JOB, title="x", timeout=timedelta(1))
    assert binding(JOB, params) == binding(same, dict(reversed(params.items())))
    values = (params, {"seller_id": "s_2"}, {"seller_id": "s_1"})
    others = [binding(job, given) for job in JOBS[:3] if job for given in values]
    assert len(set(others)) == len(others)
    assert binding(JOB, {"seller_id": "\ud800"}) != binding(JOB, {"seller_id": "?"})


def test_what_became_of_it_is_said() -> None:
    assert outcome(ASKED) == "waits for a second person"
    assert outcome(expired(ASKED, NOON)) == "was approved by nobody within 15 min: it was not started"
    refused = replace(ASKED, state=ApprovalState.refused, decided_by=CY, why="⟦UBO⟧ said no")
    assert outcome(refused) == "was refused by ⟦UCY⟧: [UBO] said no"
    assert outcome(replace(refused, decided_by=ANA, why="")) == "was withdrawn by ⟦UANA⟧"


def test_where_nobody_could_agree_it_is_said_beforehand() -> None:
    assert lacking(JOB, GROUND) == ""
    assert nobody_else(ANA, GROUND) is None
    alone = Ground("hold_payouts", replace(TEAM, members=TEAM.members[:2]))
    assert lacking(JOB, alone) == "only ana may agree to it: what he asks for himself cannot be started"
    assert nobody_else(ANA, alone) is not None
    assert nobody_else(BO, alone) is None
    nobody = Ground("hold_payouts", replace(TEAM, members=TEAM.members[1:2]))
    assert lacking(JOB, nobody) == "nobody of payments is an approver, so nobody can agree to it"
    assert lacking(replace(JOB, approval="none"), nobody) == ""
