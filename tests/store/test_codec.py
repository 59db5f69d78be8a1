"""What is written is what is read, whatever is in it."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.core import action as actions
from bot.core.alert import Alert, Snooze, Terms
from bot.core.change import Effect, EffectKind
from bot.core.record import action_of, action_record
from bot.store import Store
from bot.store.codec import decode, encode, pack, unpack
from bot.store.columns import write_json
from tests.databases import own_store
from tests.store.making import NOON, alert, change

ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=8)  # NUL and lone surrogates, too
MOMENTS = st.integers(-(10**15), 10**15).map(lambda n: NOON + timedelta(microseconds=n))
SPANS = st.timedeltas(timedelta(0), timedelta(days=400))
COUNTS = st.integers(0, 2**31 - 1)
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(allow_nan=False),
    ANY_TEXT,
    MOMENTS,
    st.datetimes().map(lambda at: at.replace(fold=0)),
    st.dates(),
    st.times().map(lambda at: at.replace(fold=0)),
    st.timedeltas(),
    st.decimals(allow_nan=False, allow_infinity=False),
    st.uuids(),
    st.binary(max_size=8),
    st.builds(Snooze),
)
NAMES = st.one_of(ANY_TEXT, st.sampled_from(["$map", "$float", "$tuple", "kind", "$Snooze"]))
ANYTHING = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.lists(inner, max_size=3).map(tuple),
        st.dictionaries(NAMES, inner, max_size=3),
    ),
    max_leaves=6,
)
st.register_type_strategy(str, ANY_TEXT)
st.register_type_strategy(datetime, MOMENTS)
st.register_type_strategy(timedelta, SPANS)
st.register_type_strategy(int, COUNTS)

VALUES = st.dictionaries(NAMES, ANYTHING, max_size=3)
ALERTS = st.builds(
    Alert,
    policy=ANY_TEXT,
    key=ANY_TEXT,
    terms=st.builds(Terms),
    key_values=VALUES,
    newest=VALUES,
    snooze=st.none() | st.builds(Snooze),
    id=st.just(0),
    version=st.just(1),
)


def through_json(value):
    return json.loads(write_json(value))


@given(ALERTS)
def test_any_alert_is_read_as_it_was_written(made: Alert) -> None:
    assert decode(Alert, through_json(encode(made))) == made


@given(VALUES)
def test_values_of_any_kind_are_read_as_they_were_written(values: dict) -> None:
    back = unpack(through_json(pack(values)))
    assert back == values
    assert repr(back) == repr(values)  # a tuple is not a list, 1 is not 1.0 and not True


@pytest.mark.parametrize("value", [float("inf"), float("nan"), -0.0, Decimal("1.10"), (1, [2]), {"$map": 1}])
def test_odd_values_keep_their_form(value: object) -> None:
    assert repr(unpack(through_json(pack(value)))) == repr(value)


def test_a_value_that_only_a_driver_knows_becomes_its_text() -> None:
    assert unpack(through_json(pack({"path": Path("/x"), "kind": EffectKind.page}))) == {
        "path": "/x",
        "kind": "page",
    }


def test_the_tagged_kinds_say_what_they_are() -> None:
    said = pack([date(2026, 1, 5), time(1, 2), timedelta(seconds=1), UUID(int=1), b"\x00", NOON])
    assert [next(iter(one)) for one in said] == [
        "$date",
        "$time",
        "$timedelta",
        "$UUID",
        "$bytes",
        "$datetime",
    ]


def test_a_field_that_a_stored_alert_lacks_has_its_default_and_one_too_many_is_left() -> None:
    stored = encode(alert())
    del stored["helpers"]
    assert decode(Alert, {**stored, "gone_since": 1}) == alert()


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def shared(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory):
    """One store for all examples of a property."""
    with own_store(request, request.param, tmp_path_factory.mktemp("codec")) as url:
        store = Store(url)
        yield store
        store.close()


ACTIONS = st.one_of(
    *(st.builds(kind) for kind in (actions.Acknowledge, actions.Resolve, actions.SnoozeFor, actions.Comment))
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(made=ALERTS, action=ACTIONS, story=ANY_TEXT, values=VALUES)
def test_any_alert_action_and_effect_come_back_from_the_database(
    shared: Store, made: Alert, action: actions.Action, story: str, values: dict
) -> None:
    held = shared.alerts.held(made.policy, made.lane, keys=[made.key], resolved_since=NOON.replace(year=1900))
    if any(one.is_open for one in held.values()):
        return
    effect = Effect(EffectKind.start_job, story, to=story, data=values)
    written = change(made, story, effect)
    written = replace(written, event=replace(written.event, action=action_record(action)))
    (kept,) = shared.act([written], NOON)
    assert shared.alerts.get(kept.id) == replace(made, id=kept.id)
    (event,) = shared.alerts.history(kept.id)
    assert event == written.event
    assert action_of(event.action) == action
    ours = [e.effect for e, its, _ in shared.outbox.effects(NOON, 10_000) if its.id == kept.id]
    assert ours == [effect]


def test_every_field_of_an_alert_is_kept() -> None:
    assert set(encode(alert())) == {field.name for field in fields(Alert)}
