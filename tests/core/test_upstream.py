"""What runs after something runs once for each of its states, and waits until all of them have come."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from bot.core.upstream import State, awaited, due_upstream, made, made_by, makers_of, said_all, stamp
from bot.core.words import when
from sensors.model.asset import Asset
from tests.core.making import HOUR, NOON

REFS = ("core.orders", "job:dbt_build", "policy:payments.refund_spike")
Moves = list[tuple[str, int]]


def state(ref: str, n: int) -> State:
    return State(ref, str(n), NOON + timedelta(minutes=n), n)


def newest(moves: Moves) -> dict[str, State]:
    return {ref: state(ref, n) for ref, n in moves}


moves = st.lists(st.tuples(st.sampled_from(REFS), st.integers(0, 3)), max_size=12)
refs = st.lists(st.sampled_from(REFS), max_size=4)


@given(refs, moves, moves)
def test_a_run_is_due_if_and_only_if_every_upstream_is_in_another_state(
    after: list[str], now: Moves, last: Moves
) -> None:
    states, ran = newest(now), newest(last)
    due = due_upstream(after, states, ran)
    others = all(ref in states and (ref not in ran or ran[ref].mark != states[ref].mark) for ref in after)
    assert (due is not None) == (bool(after) and others)
    assert due is None or {one.ref: one for one in due} == {ref: states[ref] for ref in after}


@given(refs, moves)
def test_a_run_is_never_due_twice_for_the_same_states(after: list[str], now: Moves) -> None:
    due = due_upstream(after, newest(now), {})
    if due is not None:
        assert due_upstream(after, newest(now), {one.ref: one for one in due}) is None


@given(refs, moves, moves)
def test_what_is_awaited_is_what_keeps_a_run_back(after: list[str], now: Moves, last: Moves) -> None:
    waits = awaited(after, newest(now), newest(last))
    assert (due_upstream(after, newest(now), newest(last)) is None) == (bool(waits) or not after)
    assert set(waits) <= set(after)


@given(st.permutations(REFS), moves, st.data())
def test_a_stamp_names_the_states_in_whatever_order_and_no_others(
    order: list[str], now: Moves, data: st.DataObject
) -> None:
    states = [newest(now).get(ref, state(ref, 0)) for ref in order]
    assert stamp(states) == stamp(sorted(states, key=lambda one: one.ref))
    other = data.draw(st.sampled_from(states))
    moved = [state(one.ref, 9) if one == other else one for one in states]
    assert stamp(moved) != stamp(states)
    assert "+" not in stamp(states)  # parts of a window that did not fit are numbered so


def test_a_run_says_for_which_states_it_was() -> None:
    found = (State("core.orders", "x", NOON), State("job:dbt_build", "17", NOON + HOUR))
    assert said_all(found) == (
        f"`core.orders` as of {when(NOON)}; `job:dbt_build` run 17, which ended at {when(NOON + HOUR)}"
    )


NAMES = ("core.a", "core.b", "model:m", "sheet:s")
assets = st.fixed_dictionaries(
    {
        name: st.builds(
            lambda aged, by_job, name=name: Asset(
                name, loaded_until="at" if aged else None, after=("job:x",) if by_job else ("core.z",)
            ),
            st.booleans(),
            st.booleans(),
        )
        for name in NAMES
    }
)
TOLD = ("core.a", "prod.core.a", "dev.core.b", "core.z", "prod.core")
updated = st.lists(st.sampled_from(TOLD), max_size=4)


@given(assets, updated)
def test_a_run_makes_each_asset_once_by_what_it_says_or_else_by_what_is_declared(
    known: dict[str, Asset], told: list[str]
) -> None:
    found = made("x", "17", told, known, NOON)
    names = [one.ref for one in found]
    assert len(set(names)) == len(names)
    assert {one.mark for one in found} <= {"job:x 17"}
    built = {"core.a": {"core.a", "prod.core.a"}, "core.b": {"dev.core.b"}}
    for name, asset in known.items():
        said = bool(built.get(name, set()) & {*told})
        wanted = said if told and name in built else "job:x" in asset.after
        assert (name in names) == (wanted and not asset.ages)


@given(assets, st.text(min_size=1, max_size=20))
def test_an_asset_is_never_updated_by_a_job_and_by_what_it_comes_after_as_well(
    known: dict[str, Asset], mark: str
) -> None:
    for one in made("x", mark, ("core.a", "core.b"), known, NOON):
        assert makers_of(known[one.ref], one, {"x"}) == ()
        assert made_by(one)[0] == "job:x"


def test_a_state_says_which_run_has_made_it() -> None:
    assert said_all([State("model:m", "job:x 17", NOON)]).endswith(", made by `job:x` run 17")
    assert said_all([State("model:m", "job:x seen a b", NOON)]).endswith(", made by `job:x`")
    assert said_all([State("core.a", NOON.isoformat(), NOON)]).endswith(when(NOON))
