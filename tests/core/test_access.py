"""Who may do what: the table as a property over any teams, people and acts, and what the refused are told."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.access import (
    RANK,
    RIGHTS,
    SIMPLE,
    Deed,
    Ground,
    deed_of,
    may,
    of_verb,
    role_in,
    say,
    who_may,
)
from bot.core.action import Assign, PersonAction, Resolve
from bot.core.alert import Disposition
from bot.core.verbs import BY_NAME
from sensors.model.team import Member, Role, Team
from tests.core.looking import TEAM
from tests.core.making import ANA, BO, CY, NOON, acknowledged, opened, resolved

PEOPLE = ("UANA", "UBO", "UCY", "UDEE", "UEVE")
roles = st.frozensets(st.sampled_from(list(Role)), max_size=3)
members = st.lists(st.builds(Member, st.just("x"), st.sampled_from(PEOPLE), roles), max_size=4).map(
    lambda found: tuple({m.slack: m for m in found}.values())
)
teams = st.builds(Team, st.sampled_from(("payments", "chat")), st.just("C1"), st.just("C2"), members)
grounds = st.builds(
    Ground,
    st.just("ALR-3"),
    st.none() | teams,
    st.none() | teams,
    st.frozensets(st.sampled_from(PEOPLE), max_size=2),
    st.lists(st.sampled_from(PEOPLE), max_size=2).map(tuple),
    beside=st.lists(teams, max_size=2).map(tuple),
)


def allowed(person: str, needed: Role | None, ground: Ground) -> bool:
    """The rule, said once more in other words."""
    if needed is None:
        return True
    theirs = [*([ground.team] if ground.team else []), *ground.beside]
    own = [m.roles for team in theirs for m in team.members if m.slack == person]
    best = max((RANK[role] for had in own for role in had), default=0 if own else -1)
    if person in ground.on_it:
        best = max(best, 0)
    of_owner = ground.owner.members if ground.owner else ()
    if any(m.slack == person and Role.admin in m.roles for m in of_owner):
        best = RANK[Role.admin]
    return best >= RANK[needed]


@given(st.sampled_from(PEOPLE), st.sampled_from(list(Deed)), grounds)
def test_nobody_does_what_he_may_not_and_everybody_what_he_may(
    person: str, deed: Deed, ground: Ground
) -> None:
    refused = may(person, deed, ground)
    assert (refused is None) == allowed(person, RIGHTS[deed].role, ground)
    if refused:
        assert ground.name in refused.why
        assert person not in who_may(RIGHTS[deed].role or Role.responder, ground)


def one_of(name: str, role: Role | None) -> Team:
    """A team of dee, with that role, or of somebody else."""
    return Team(
        name, "C1", "C2", (Member("dee", "UDEE", frozenset({role})) if role else Member("eve", "UEVE"),)
    )


@pytest.mark.parametrize("deed", Deed)
def test_every_role_in_every_relation_to_the_alert_is_as_the_table_says(deed: Deed) -> None:
    """Of its team or one whose it is as much, of the team that answers for Patrol, on it, or none of them."""
    needed = RIGHTS[deed].role
    for own, beside, of_patrols in product((None, *Role), repeat=3):
        for on_it in (False, True):
            held = frozenset({"UDEE"}) if on_it else frozenset[str]()
            ground = Ground("ALR-3", one_of("payments", own), one_of("platform", of_patrols), held)
            ground = replace(ground, beside=(one_of("chat", beside),))
            admin = of_patrols if of_patrols is Role.admin else None
            has = {own, beside, admin, Role.responder if own or beside or on_it else None}
            able = needed is None or any(role and RANK[role] >= RANK[needed] for role in has)
            assert (may("UDEE", deed, ground) is None) is able, (own, beside, of_patrols, on_it)


@given(st.sampled_from(PEOPLE), st.sampled_from(list(Deed)), grounds, st.sampled_from(list(Role)))
def test_a_higher_role_never_takes_anything_away(person: str, deed: Deed, ground: Ground, more: Role) -> None:
    team = ground.team or TEAM
    before = replace(ground, team=team)
    had = next((m.roles for m in team.members if m.slack == person), frozenset())
    others = tuple(m for m in team.members if m.slack != person)
    raised = replace(team, members=(*others, Member("x", person, had | {more})))
    if may(person, deed, before) is None:
        assert may(person, deed, replace(ground, team=raised)) is None


@given(grounds, st.sampled_from(list(Deed)))
def test_those_who_are_named_may_and_who_is_on_call_comes_first(ground: Ground, deed: Deed) -> None:
    needed = RIGHTS[deed].role
    if needed is None:
        return
    able = who_may(needed, ground)
    assert all(may(person, deed, ground) is None for person in able)
    called = [person in ground.on_call for person in able]
    assert called == sorted(called, reverse=True)


def test_every_deed_has_its_right_and_every_action_its_deed() -> None:
    assert set(RIGHTS) == set(Deed)
    assert set(SIMPLE.values()) <= set(Deed)
    assert {*SIMPLE, Assign, Resolve} == set(PersonAction.__args__)


def test_to_take_and_to_hand_over_is_a_responders_and_to_give_others_work_a_leads() -> None:
    assert deed_of(Assign(BO, BO), opened(), NOON) is Deed.take
    assert deed_of(Assign(ANA, BO), acknowledged(ANA), NOON) is Deed.hand_over
    assert deed_of(Assign(CY, BO), acknowledged(ANA), NOON) is Deed.assign


def test_a_day_after_it_was_resolved_another_role_is_needed_to_say_otherwise() -> None:
    action = Resolve(BO, Disposition.benign)
    day = timedelta(days=1)
    assert deed_of(action, opened(), NOON) is Deed.resolve
    assert deed_of(action, resolved(), NOON + day) is Deed.change
    assert deed_of(action, resolved(), NOON + day + timedelta(seconds=1)) is Deed.change_late


def test_whoever_has_it_works_on_it_whatever_his_team() -> None:
    ground = Ground("ALR-3", TEAM, on_it=frozenset({"UDEE"}))
    assert role_in("UDEE", ground) is Role.responder
    assert may("UDEE", Deed.resolve, ground) is None
    assert may("UDEE", Deed.resolve_several, ground) is not None


def test_an_admin_of_the_team_that_answers_for_patrol_is_one_everywhere() -> None:
    owner = Team(
        "platform", "C3", "C4", (Member("dee", "UDEE", frozenset({Role.admin})), Member("eve", "UEVE"))
    )
    ground = Ground("ALR-3", TEAM, owner)
    assert may("UDEE", Deed.pause, ground) is None
    assert may("UEVE", Deed.acknowledge, ground) is not None


def test_a_refused_person_hears_who_may_and_what_he_can_do_himself() -> None:
    refused = may("UBO", Deed.assign, Ground("ALR-3", TEAM, on_call=("UCY",), alert=3))
    assert refused is not None
    assert refused.why == "Only a lead of payments may give ALR-3 to others: ⟦UCY⟧ (on call)."
    assert refused.hint == "`take 3` makes it yours; then you may hand it over."
    stranger = may("UDEE", Deed.acknowledge, Ground("ALR-3", TEAM, alert=3))
    assert stranger is not None
    assert stranger.why == "Only a responder of payments may acknowledge ALR-3: ⟦UANA⟧, ⟦UBO⟧, ⟦UCY⟧."
    assert "policies/_teams.yml" in stranger.hint
    nobody = may("UBO", Deed.snooze_policy, Ground("payments.x", TEAM))
    assert nobody is not None
    assert "nobody has that role" in nobody.why
    assert "policies/_teams.yml" in nobody.hint


def test_help_is_made_from_the_table() -> None:
    assert [say(right) for right in of_verb("ack")] == ["to acknowledge an alert: a responder of its team"]
    assert [say(right) for right in of_verb("comment")] == ["to comment on an alert: everybody"]
    assert "a lead of its team, for 14 days at most" in say(RIGHTS[Deed.snooze_entity])
    assert of_verb("status") == ()
    acts = ("ack", "unack", "take", "assign", "snooze", "wake", "resolve", "reopen", "rerun", "start")
    acts = (*acts, "cover", "takeover", "uncover", "handoff", "pause", "resume", "every", "approve", "refuse")
    assert [verb for verb in acts if not of_verb(verb) or verb not in BY_NAME] == []


def test_the_table_is_what_was_agreed() -> None:
    """By role; whoever changes it changes it here, too."""
    by_role = {role: {deed for deed, right in RIGHTS.items() if right.role is role} for role in (None, *Role)}
    assert by_role == {
        None: {Deed.comment, Deed.share_rows, Deed.escalate},
        Role.responder: {
            *(Deed.acknowledge, Deed.hand_back, Deed.take, Deed.hand_over, Deed.snooze, Deed.wake),
            *(Deed.stand_in, Deed.hand_on, Deed.stop),
            *(Deed.resolve, Deed.change, Deed.reopen, Deed.rerun, Deed.start, Deed.cancel, Deed.reveal),
        },
        Role.lead: {
            *(
                Deed.assign,
                Deed.resolve_several,
                Deed.change_late,
                Deed.snooze_entity,
                Deed.reveal_hidden,
                Deed.pause,
                Deed.pace,
                Deed.backfill,
            ),
        },
        Role.approver: {Deed.approve},
        Role.admin: {Deed.snooze_policy},
    }
    at_most = {deed: right.at_most for deed, right in RIGHTS.items() if right.at_most}
    hour = timedelta(hours=1)
    assert at_most == {
        Deed.snooze: 24 * hour,
        Deed.snooze_entity: 14 * 24 * hour,
        Deed.snooze_policy: 72 * hour,
        Deed.pause: 72 * hour,
        Deed.pace: 14 * 24 * hour,
        Deed.stand_in: 14 * 24 * hour,
    }
