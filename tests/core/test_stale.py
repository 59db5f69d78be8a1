"""What is told of an asset that is older than it may be: whose it is, since when, and what hangs on it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.action import Fire
from bot.core.alert import Condition
from bot.core.stale import Stale, is_untold, patience, stale_asset, stale_assets, untold_age
from sensors.model.asset import Asset
from sensors.model.policy import After, Policy, Severity, WhenLate
from tests.core.looking import TEAM, policy
from tests.core.making import HOUR, MINUTE, NOON, opened

ORDERS = Asset("core.orders", owner="payments", loaded_until="at", warn_after=HOUR, late_after=4 * HOUR)


def reading(name: str, when: WhenLate | None = None) -> Policy:
    needs = {ORDERS.name: when} if when else {}
    return replace(policy(), name=name, needs=needs, query=replace(policy().query, tables=(ORDERS.name,)))


def found(age: timedelta, *policies: Policy) -> Stale | None:
    return stale_assets([ORDERS], policies, {ORDERS.name: NOON - age}, NOON).get(ORDERS.name)


def fire(stale: Stale | None) -> Fire:
    assert stale
    made = stale_asset(stale, "payments", TEAM, None, NOON)
    assert isinstance(made, Fire)
    return made


@given(st.integers(0, 600), st.none() | st.integers(1, 600), st.none() | st.integers(1, 600))
def test_it_is_late_past_its_limit_and_old_before_that(age: int, warn: int | None, late: int | None) -> None:
    spans = [None if n is None else n * MINUTE for n in (warn, late)]
    asset = replace(ORDERS, warn_after=spans[0], late_after=spans[1])
    stale = stale_assets([asset], [], {asset.name: NOON - age * MINUTE}, NOON).get(asset.name)
    is_late, is_old = late is not None and age > late, warn is not None and age > warn
    assert (stale is not None) == (is_late or is_old)
    assert stale is None or stale.late == is_late


def test_of_what_nobody_knows_the_age_nothing_is_said() -> None:
    assert stale_assets([ORDERS], [], {}, NOON) == {}


def test_the_alert_says_how_late_and_which_policies_wait_are_passed_over_and_go_on() -> None:
    made = fire(
        found(
            5 * HOUR,
            *(reading(f"p.wait_{n}", WhenLate.wait) for n in range(2)),
            reading("p.skip", WhenLate.skip),
            reading("p.run", WhenLate.run),
            reading("p.says_nothing"),
        )
    )
    assert made.title == "core.orders is late: loaded until 2026-01-05 07:00 UTC; it may be 4 h old"
    assert made.newest["advice"] == (
        "2 policies (p.wait_0, p.wait_1) wait for it; p.skip is passed over meanwhile;"
        " 2 policies (p.run, p.says_nothing) look at it as it is."
        " They run by themselves as soon as it has come."
    )
    assert (made.severity, made.terms.team, made.terms.clear) == (Severity.medium, "payments", "always")
    assert made.key_values == {"asset": "core.orders"}


def test_a_warning_is_low_and_nobody_waits_yet() -> None:
    made = fire(found(2 * HOUR, reading("p.wait", WhenLate.wait)))
    assert made.severity is Severity.low
    assert made.title.startswith(
        "core.orders is getting old: loaded until 2026-01-05 10:00 UTC; it may be 1 h"
    )
    assert made.newest["advice"] == "p.wait reads it."


def test_many_are_counted() -> None:
    stale = found(5 * HOUR, *(reading(f"p.wait_{n:02}", WhenLate.wait) for n in range(40)))
    assert stale
    assert stale.hangs.startswith("40 policies (p.wait_00, p.wait_01")
    assert stale.hangs.endswith("p.wait_07 and 32 more) wait for it")


def test_while_it_trickles_in_nothing_more_is_said_until_that_is_worse_or_others_wait() -> None:
    waits = reading("p.wait", WhenLate.wait)
    held = opened(fire(found(2 * HOUR, waits)))

    def said(stale: Stale | None, now: datetime = NOON) -> object:
        assert stale
        return stale_asset(stale, "payments", TEAM, held, now)

    assert said(found(HOUR + MINUTE, waits)) is None
    assert isinstance(said(found(5 * HOUR, waits)), Fire)
    assert isinstance(said(found(2 * HOUR, waits, reading("p.other"))), Fire)


@pytest.mark.parametrize("condition", [Condition.cleared, Condition.unknown])
def test_one_that_was_over_and_is_back_is_told(condition: Condition) -> None:
    stale = found(5 * HOUR)
    held = replace(opened(fire(stale)), condition=condition)
    assert stale
    assert isinstance(stale_asset(stale, "payments", TEAM, held, NOON), Fire)


def test_an_asset_that_is_no_table_is_called_by_its_kind() -> None:
    model = Asset("model:reco", kind="model", late_after=HOUR)
    (stale,) = stale_assets([model], [], {model.name: NOON - 2 * HOUR}, NOON).values()
    assert stale.said.startswith("model:reco is late: ")
    assert stale.hangs == "No policy reads it"


def test_for_what_only_others_tell_of_nobody_waits() -> None:
    told = replace(ORDERS, loaded_until=None)
    stale = stale_assets([told], [reading("p.x", WhenLate.wait)], {told.name: NOON - 5 * HOUR}, NOON)
    assert stale[told.name].hangs == "p.x looks at it as it is"


# ------------------------------------------------------------------------ of no known age


def test_of_a_table_that_does_not_tell_it_is_said_why_who_waits_and_who_reads_it() -> None:
    after = replace(reading("p.after"), schedule=After((ORDERS.name,)))
    few = [after, reading("p.waits", WhenLate.wait), reading("p.needs", WhenLate.wait), reading("p.reads")]
    untold = untold_age(ORDERS, "you may not read it", [*few, policy()], {"p.waits", "p.reads"})
    made = stale_asset(untold, "payments", TEAM, None, NOON)
    assert isinstance(made, Fire)
    assert made.title == "how fresh core.orders is cannot be asked: you may not read it"
    assert made.newest["advice"] == (
        "Whether it is late is not known: 2 policies (p.after, p.waits) wait for it;"
        " 2 policies (p.needs, p.reads) read it."
        " Give Patrol the right to read core.orders, or mend it: the rest comes by itself."
    )
    assert is_untold(opened(made))


def test_it_is_told_once_whatever_the_warehouse_says_each_time_and_anew_when_it_is_late() -> None:
    held = opened(fire(found(5 * HOUR)))
    first = stale_asset(untold_age(ORDERS, "query 1 failed", [], ()), "payments", TEAM, held, NOON)
    assert isinstance(first, Fire)
    held = opened(first)
    again = untold_age(ORDERS, "query 2 failed", [], ())
    assert stale_asset(again, "payments", TEAM, held, NOON) is None
    late = found(5 * HOUR)
    assert late
    assert isinstance(stale_asset(late, "payments", TEAM, held, NOON), Fire)
    assert not is_untold(opened(fire(late)))


@given(st.none() | st.integers(1, 100))
def test_nobody_is_told_before_a_quarter_of_an_hour_or_its_own_limit(late: int | None) -> None:
    asset = replace(ORDERS, late_after=None if late is None else late * MINUTE)
    assert patience(asset) == min(15, late or 15) * MINUTE
