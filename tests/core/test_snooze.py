"""Snoozes of entities and policies: what they cover, and that nothing under them is ever forgotten."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from hypothesis import given
from hypothesis import strategies as st

from bot.core import action as a
from bot.core.access import Deed, may
from bot.core.alert import Alert, Disposition, Lane, Snooze, Work, due
from bot.core.change import Change, EffectKind
from bot.core.context import House
from bot.core.entities import entities_of, target_of
from bot.core.snooze import NEVER_HIDDEN, Scope, ScopeSnooze, Target, preview, quieted
from bot.core.step import step
from bot.core.tell_snooze import preview_lines
from sensors.model.asset import Entity
from sensors.model.catalog import Catalog
from sensors.model.policy import Severity
from sensors.model.team import Member, Role, Team
from tests.core.acting import Life, lives
from tests.core.looking import TEAM
from tests.core.looking import policy as a_policy
from tests.core.making import (
    ANA,
    BO,
    CY,
    DAY,
    HOUR,
    MINUTE,
    NOON,
    after,
    done,
    fire,
    ladder,
    opened,
    told,
    why_not,
)
from tests.core.test_liveness import attended, ended

SELLER = Target(Scope.entity, "seller:s_1")
REFUNDS = Target(Scope.policy, "payments.refund_spike")
ENTITIES = {"seller_id": Entity("seller", "seller_id", "https://a.example/{id}", r"s_\d+")}

targets = st.sampled_from(
    [SELLER, REFUNDS, Target(Scope.entity, "seller:s_2"), Target(Scope.policy, "chat.x")]
)
scopes = st.builds(
    ScopeSnooze,
    target=targets,
    until=st.integers(0, 400).map(lambda n: NOON + n * HOUR),
    by=st.sampled_from([ANA, BO]),
    why=st.sampled_from(["", "they are on it", "⟦UCY⟧ said so"]),
    since=st.integers(-10, 100).map(lambda n: NOON + n * HOUR),
    ceiling=st.sampled_from(list(Severity)),
    id=st.integers(1, 3),
)


def snooze(**changes: object) -> ScopeSnooze:
    plain = ScopeSnooze(SELLER, NOON + 3 * DAY, ANA, "they are on it", NOON, Severity.high, 7)
    return replace(plain, **changes)  # type: ignore[arg-type]


def about_s_1(**fields: object) -> a.Fire:
    return fire(entities=("seller:s_1",), **fields)


def hushed(alert: Alert, by: ScopeSnooze, at: datetime = NOON) -> Alert:
    return done(alert, a.Hush(by.copy(at), by.since), at).alert


# ------------------------------------------------------------------------- properties


@given(lives, scopes, scopes, st.integers(0, 300))
def test_whatever_covers_an_alert_it_stays_due_to_somebody_and_goes_on(
    life: Life, one: ScopeSnooze, other: ScopeSnooze, hours: int
) -> None:
    alert, now = ended(*life)
    alert = replace(alert, entities=("seller:s_1",))
    for scope in (one, other):
        outcome = step(alert, a.Hush(scope.copy(now), scope.since), now)
        assert isinstance(outcome, Change) or outcome.why  # type: ignore[union-attr]
        alert = outcome.alert if isinstance(outcome, Change) else alert
    assert (due(alert) is not None) is alert.is_open
    if next_due := due(alert):
        attended(alert, max(next_due.at, now) + hours * HOUR)


@given(lives, scopes)
def test_it_covers_just_what_the_step_lets_it(life: Life, scope: ScopeSnooze) -> None:
    alert, now = ended(*life)
    alert = replace(alert, entities=("seller:s_1",))
    if scope.covers(alert, now):
        change = done(alert, a.Hush(scope.copy(now), scope.since), now)
        assert change.alert.word == "SNOOZED"
        assert told(change) == []
        assert not scope.covers(change.alert, now)
    elif scope.target.has(alert.policy, alert.entities):
        assert not isinstance(step(alert, a.Hush(scope.copy(now), scope.since), now), Change)


@given(
    st.lists(scopes, max_size=4),
    st.integers(0, 300),
    st.sampled_from(list(Severity)),
    st.sampled_from(list(Lane)),
)
def test_what_opens_under_a_snooze_is_quiet_until_the_last_of_them_ends(
    on: list[ScopeSnooze], hours: int, severity: Severity, lane: Lane
) -> None:
    now = NOON + hours * HOUR
    found = quieted(about_s_1(severity=severity, lane=lane), on, now)
    change = done(None, found, now)
    mine = [
        one.until
        for one in on
        if one.target in (SELLER, REFUNDS)
        and one.until > now
        and severity <= one.ceiling
        and lane is Lane.live
    ]
    quiet = change.alert.snooze
    assert (quiet.until if quiet else None) == max(mine, default=None)
    assert told(change) == []
    if quiet:
        assert change.alert.step == 0, "its card tells nobody"
        next_due = due(change.alert)
        assert next_due is not None
        assert next_due.at == quiet.until


@given(st.lists(st.tuples(st.sampled_from(list(Severity)), st.booleans()), max_size=8))
def test_a_preview_counts_what_it_hides_and_never_hides_what_is_critical(
    found: list[tuple[Severity, bool]],
) -> None:
    alerts = [replace(opened(about_s_1(severity=severity)), id=n) for n, (severity, _) in enumerate(found)]
    before = [alert for alert, (_, past) in zip(alerts, found, strict=True) if past]
    held = [alert for alert, (_, past) in zip(alerts, found, strict=True) if not past]
    shown = preview(SELLER, NOON + DAY, NOON, before, held)
    assert shown.ceiling < NEVER_HIDDEN
    assert shown.before.alerts == sum(one.severity <= shown.ceiling for one in before)
    assert set(shown.held.open) | set(shown.beyond) == {one.id for one in held}
    assert set(shown.beyond) == {one.id for one in held if one.severity is Severity.critical}
    lines = " ".join(preview_lines(shown))
    assert f"What is worse than {shown.ceiling.name} comes through." in lines


# ---------------------------------------------------------------------------- stories


def test_an_open_alert_comes_under_it_without_a_page_and_its_buttons_stay_good() -> None:
    alert = opened(about_s_1())
    change = done(alert, a.Hush(snooze().copy(NOON), NOON))
    assert change.event.story == ("snoozed with seller:s_1 by ⟦UANA⟧, until ⟦t:1767873600⟧: they are on it")
    assert (change.alert.work_seq, change.event.actor) == (alert.work_seq, a.MACHINE)
    assert told(change) == []


def test_when_it_ends_the_step_counts_as_told_by_the_announcement_and_the_next_is_due() -> None:
    terms = replace(about_s_1().terms, ladder=ladder((0, "oncall"), (10, "team")))
    quiet = done(None, replace(about_s_1(terms=terms), snooze=snooze().copy(NOON))).alert
    quiet = replace(quiet, id=3)
    assert (quiet.step, quiet.word) == (0, "SNOOZED")
    woken = done(quiet, a.Timer(), NOON + 3 * DAY)
    assert woken.event.story == "the snooze has ended of seller:s_1; still there"
    assert told(woken) == []
    assert woken.alert.step == 1
    next_due = due(woken.alert)
    assert next_due is not None
    assert (next_due.to, next_due.at) == ("team", NOON + 3 * DAY + 10 * MINUTE)


def test_what_is_announced_rings_no_phone_so_a_pager_is_called_all_the_same() -> None:
    terms = replace(about_s_1().terms, ladder=ladder((0, "pager"), (10, "team")))
    quiet = replace(done(None, about_s_1(terms=terms, snooze=snooze().copy(NOON))).alert, id=3)
    woken = done(quiet, a.Timer(), NOON + 3 * DAY)
    assert [(one.kind, one.to) for one in woken.effects] == [(EffectKind.call_pager, "pager")]
    assert woken.alert.step == 1


def test_whoever_has_it_is_told_when_it_ends() -> None:
    alert = hushed(after(opened(about_s_1()), a.Acknowledge(BO)), snooze())
    woken = done(alert, a.Rouse(7, CY), NOON + HOUR)
    assert told(woken) == [BO]
    assert woken.effects[0].text == f"ALR-3 is yours: {woken.event.story}"
    assert woken.effects[0].work_seq == alert.work_seq == 1
    assert woken.event.story == "⟦UCY⟧ ended the snooze of seller:s_1; still there"
    assert woken.alert.acknowledged_until == NOON + 5 * HOUR


def test_one_that_was_woken_or_taken_stays_apart_until_a_new_snooze_begins() -> None:
    for act in (a.Wake(BO), a.Acknowledge(BO), a.Assign(BO, CY)):
        apart = after(hushed(opened(about_s_1()), snooze()), (act, NOON + HOUR))
        assert not snooze().covers(apart, NOON + 2 * HOUR)
        again = a.Hush(snooze().copy(NOON), NOON)
        assert why_not(step(apart, again, NOON + 2 * HOUR)) == "it was woken by itself"
        assert snooze(since=NOON + 2 * HOUR).covers(apart, NOON + 2 * HOUR)


def test_what_is_opened_again_comes_under_the_snooze_that_it_was_apart_from() -> None:
    apart = after(hushed(opened(about_s_1()), snooze()), (a.Wake(BO), NOON + HOUR))
    closed = after(apart, (a.Resolve(BO, Disposition.benign), NOON + HOUR))
    again = after(closed, (a.Reopen(BO), NOON + 2 * HOUR))
    assert again.apart_at is None
    assert snooze().covers(again, NOON + 2 * HOUR)


def test_it_wakes_when_it_gets_worse_than_what_was_snoozed() -> None:
    alert = hushed(opened(about_s_1()), snooze(ceiling=Severity.medium))
    worse = done(alert, about_s_1(count=9, severity=Severity.high), NOON + HOUR)
    assert worse.alert.snooze is None
    assert told(worse) == ["oncall"]
    assert not snooze().covers(worse.alert, NOON + HOUR)


def test_a_snooze_of_its_own_that_lasts_longer_stays() -> None:
    own = after(opened(about_s_1()), a.SnoozeFor(BO, NOON + 20 * HOUR))
    assert not snooze(until=NOON + 10 * HOUR).covers(own, NOON)
    longer = hushed(own, snooze())
    assert longer.snooze
    assert (longer.snooze.of, longer.snooze.until) == (7, NOON + 3 * DAY)


def test_new_rows_after_it_was_resolved_reopen_it_quietly() -> None:
    closed = after(opened(about_s_1()), a.Resolve(BO, Disposition.true_positive))
    again = done(closed, replace(about_s_1(count=4), snooze=snooze().copy(NOON)), NOON + HOUR)
    assert again.event.story.startswith("reopened: new rows, snoozed with seller:s_1")
    assert (again.alert.work, again.alert.word) == (Work.open, "SNOOZED")
    assert told(again) == []


def test_a_copy_of_another_snooze_is_not_ended_by_this_ones_end() -> None:
    alert = hushed(opened(about_s_1()), snooze())
    assert "another snooze" in why_not(step(alert, a.Rouse(8, ANA), NOON))


# --------------------------------------------------------------------- who and by whom


def test_the_entity_of_an_alert_is_what_the_files_say_of_its_key() -> None:
    plain = a_policy(key=("seller_id",))
    assert entities_of(plain, {"seller_id": "s_1"}, {}, ENTITIES) == ("seller:s_1",)
    assert entities_of(plain, {"seller_id": "no id"}, {}, ENTITIES) == ()
    assert entities_of(plain, {"seller_id": None}, {}, ENTITIES) == ()
    assert (
        entities_of(a_policy(key=("listing_id",)), {"listing_id": "l_1"}, {"seller_id": "s_1"}, ENTITIES)
        == ()
    )
    named = a_policy(key=("listing_id",), entity=("seller_id",))
    assert entities_of(named, {"listing_id": "l_1"}, {"seller_id": "s_1"}, ENTITIES) == ("seller:s_1",)
    hidden = replace(plain, alert=replace(plain.alert, columns={"seller_id": "mask"}))
    assert entities_of(hidden, {"seller_id": "s_1"}, {}, ENTITIES) == ()


def test_what_is_snoozed_is_named_as_people_write_it_or_met_with_what_was_meant() -> None:
    catalog = Catalog(policies={"payments.x": a_policy(name="payments.x")}, entities=ENTITIES)
    assert target_of("seller:s_1", catalog) == SELLER
    assert target_of("Seller:s_1", catalog) == SELLER
    assert target_of("Payments.X", catalog) == target_of("policy:payments.x", catalog)
    assert (
        target_of("seler:s_1", catalog)
        == "There is no policy or entity `seler:s_1`. Did you mean `seller:s_1`?"
    )
    assert "Did you mean `payments.x`?" in str(target_of("payment.x", catalog))
    assert target_of("seller:Bob", catalog) == "`Bob` does not look like the id of a seller."


def test_an_entity_is_everybodys_whose_policies_look_at_it_and_a_policy_its_owners() -> None:
    admin = Team("trust", "C1", "C2", (Member("cy", CY, frozenset({Role.admin})),))
    lead = Team("chat", "C1", "C2", (Member("bo", BO, frozenset({Role.lead})),))
    ours = replace(TEAM, members=(Member("ana", ANA, frozenset({Role.lead})),))
    policies = {
        "payments.x": a_policy(name="payments.x", owner="payments", key=("seller_id",)),
        "chat.y": a_policy(name="chat.y", owner="chat", key=("seller_id",)),
        "trust.z": a_policy(name="trust.z", owner="trust", key=("listing_id",)),
    }
    catalog = Catalog(policies, teams={"payments": ours, "trust": admin, "chat": lead}, entities=ENTITIES)
    house = House(catalog, "payments", NOON)
    entity, policy = house.ground_of_target(SELLER), house.ground_of_target(Target(Scope.policy, "chat.y"))
    assert [team.name for team in entity.teams] == ["chat", "payments"]
    assert [may(one, Deed.snooze_entity, entity) is None for one in (ANA, BO, CY)] == [True, True, False]
    assert [may(one, Deed.pause, policy) is None for one in (ANA, BO, CY)] == [False, True, False]
    refused = may(CY, Deed.snooze_entity, entity)
    assert refused is not None
    assert refused.why == (
        "Only a lead of chat or payments may snooze all alerts of seller:s_1: ⟦UBO⟧ (on call),"
        " ⟦UANA⟧ (on call)."
    )


def test_a_copy_says_what_it_is_a_copy_of() -> None:
    copy = Snooze(NOON + 3 * DAY, ANA, "they are on it", NOON, Severity.high, 7, "seller:s_1")
    assert snooze().copy(NOON) == copy
