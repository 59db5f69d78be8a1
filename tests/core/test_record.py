"""Actions are kept in history and read again, exactly."""

from __future__ import annotations

import json
from dataclasses import fields
from decimal import Decimal
from typing import get_args

import pytest
from hypothesis import given

from bot.core import action as a
from bot.core.alert import Alert
from bot.core.record import action_of, action_record, decode, encode
from tests.core.acting import Life, lives
from tests.core.making import NOON, fire, opened


def again(action: a.Action) -> a.Action:
    return action_of(json.loads(json.dumps(action_record(action))))


@given(lives)
def test_whatever_happens_is_read_as_it_was_written(life: Life) -> None:
    alert, acts = life
    assert decode(Alert, json.loads(json.dumps(encode(alert)))) == alert
    for act in acts:
        assert again(act.action) == act.action


@pytest.mark.parametrize(
    "odd", [1.5, Decimal("1.10"), NOON, (1, [2]), {"$map": None}, float("inf"), b"x", None]
)
def test_values_of_rows_keep_their_kind(odd: object) -> None:
    found = again(fire(newest={"odd": odd}))
    assert isinstance(found, a.Fire)
    assert repr(found.newest["odd"]) == repr(odd)


def test_every_action_has_a_name_of_its_own_and_is_kept_under_it() -> None:
    kinds = get_args(a.Action)
    assert len({kind.__name__ for kind in kinds}) == len(kinds) > 15
    assert action_record(a.Timer()) == {"action": "Timer"}
    assert action_record(a.Wake("UANA")) == {"action": "Wake", "by": "UANA"}


def test_no_action_has_a_field_that_its_name_would_hide() -> None:
    assert [k for k in get_args(a.Action) if "action" in {f.name for f in fields(k)}] == []


def test_fields_that_came_later_have_their_defaults_and_ones_that_went_are_left() -> None:
    record = action_record(fire())
    del record["previous"]
    assert action_of({**record, "gone": 1}) == fire()
    kept = encode(opened())
    del kept["forgiven_until"]
    assert decode(Alert, {**kept, "gone": 1}) == opened()
