"""Two versions of the policies: which alerts are the same, gained, lost or changed."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from bot.core.alert import Lane
from bot.core.compare import Fate, Kind, Route, differences, pairs
from bot.core.held import Opening
from sensors.model.catalog import Catalog
from sensors.model.policy import Severity
from tests.core.looking import policy
from tests.core.making import DAY, HOUR, MINUTE, NOON

ROUTE = Route("payments", "C0PAYMENTS", Lane.live)
ONE = Opening(1, NOON, "s_1", {"seller_id": "s_1"}, "s_1 asked", Severity.medium, 3)

openings = st.builds(
    Opening,
    alert=st.just(1),
    at=st.integers(0, 400).map(lambda n: NOON + n * HOUR),
    key=st.sampled_from(["s_1", "s_2", "s_3"]),
    severity=st.sampled_from(list(Severity)),
    count=st.integers(1, 4),
)


def test_the_same_alert_a_little_later_has_changed_and_says_how() -> None:
    later = replace(ONE, at=NOON + 10 * MINUTE, severity=Severity.high, count=6)
    (found,) = differences([ONE], [later], ROUTE, ROUTE)
    assert found.kind is Kind.changed
    assert found.how == ("medium → high", "count 3 → 6", "came at 2026-01-05 12:00")
    (found,) = differences([ONE], [replace(ONE, at=NOON + MINUTE / 3)], ROUTE, ROUTE)
    assert found.how == ("came 20 s earlier",)


def test_far_apart_one_is_lost_and_another_gained() -> None:
    later = replace(ONE, at=NOON + 2 * DAY)
    assert [d.kind for d in differences([ONE], [later], ROUTE, ROUTE)] == [Kind.lost, Kind.gained]


def test_another_owner_or_channel_changes_every_alert() -> None:
    (found,) = differences([ONE], [ONE], ROUTE, Route("chat", "C0CHAT", Lane.shadow))
    assert found.how == ("owner payments → chat", "live → shadow", "channel C0PAYMENTS → C0CHAT")


@given(st.lists(openings, max_size=12))
def test_a_version_differs_in_nothing_from_itself(some: list[Opening]) -> None:
    assert differences(some, some, ROUTE, ROUTE) == ()


@given(st.lists(openings, max_size=12), st.lists(openings, max_size=12))
def test_no_alert_is_lost_on_the_way(base: list[Opening], head: list[Opening]) -> None:
    """And the other way round, what was gained is lost."""
    found = differences(base, head, ROUTE, ROUTE)
    kinds = [d.kind for d in found]
    assert len(head) - len(base) == kinds.count(Kind.gained) - kinds.count(Kind.lost)
    back = [d.kind for d in differences(head, base, ROUTE, ROUTE)]
    assert back.count(Kind.gained) == kinds.count(Kind.lost)
    assert back.count(Kind.changed) == kinds.count(Kind.changed)


def test_policies_are_added_removed_moved_changed_or_broken() -> None:
    was = {
        n: replace(policy(), name=n, content=n) for n in ("a.same", "a.gone", "a.old", "a.edited", "a.bad")
    }
    now = {
        "a.same": was["a.same"],
        "a.new": replace(policy(), name="a.new", content="n"),
        "b.place": replace(was["a.old"], name="b.place", renamed_from="a.old"),
        "a.edited": replace(was["a.edited"], content="e"),
    }
    base, head = Catalog(policies=was), Catalog(policies=now, broken=frozenset({"a.bad"}))
    found = {p.name: (p.fate, bool(p.broken)) for p in pairs(base, head)}
    assert found == {
        "a.new": (Fate.added, False),
        "a.gone": (Fate.removed, False),
        "b.place": (Fate.moved, False),
        "a.edited": (Fate.changed, False),
        "a.bad": (Fate.changed, True),
    }
    assert [p.name for p in pairs(base, head, ["a.old", "a.new"])] == ["a.new", "b.place"]


def test_a_name_that_is_still_there_was_not_moved() -> None:
    both = {"a.old": replace(policy(), name="a.old", content="1")}
    copy = replace(policy(), name="a.copy", content="2", renamed_from="a.old")
    found = pairs(Catalog(policies=both), Catalog(policies={**both, "a.copy": copy}))
    assert [(p.name, p.fate) for p in found] == [("a.copy", Fate.added)]
