"""After an erasure nothing of what was known is left in an alert or its history; both can be read."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings

from bot.core.action import MACHINE
from bot.core.alert import Alert
from bot.core.change import Change
from bot.core.erasure import Entity, erased, erased_record
from bot.core.record import action_of, decode, encode
from tests.core.acting import Life, lived, lives
from tests.core.making import opened

KNOWN = ("s_1", "looks odd", "said so", "refunded", "a\\nb")


def left(value: object) -> str:
    return json.dumps(value)


@settings(max_examples=60, deadline=None)
@given(lives)
def test_nothing_of_its_words_and_values_is_left(life: Life) -> None:
    for _, _, _, outcome in lived(*life):
        if not isinstance(outcome, Change):
            continue
        after = erased(outcome.alert)
        kept = left({name: part for name, part in encode(after).items() if name in TOLD})
        assert [word for word in KNOWN if word in kept] == []
        assert decode(Alert, json.loads(json.dumps(encode(after)))) == after
        record = erased_record(outcome.event.action)
        assert [word for word in KNOWN[:4] if word in left(record)] == []
        action = action_of(json.loads(left(record)))
        assert type(action).__name__ == outcome.event.action["action"]
        assert getattr(action, "by", MACHINE) == outcome.event.action.get("by", MACHINE)


TOLD = ("title", "key", "key_values", "newest", "note", "unknown_why", "last_event", "snooze")


def test_what_counts_stays() -> None:
    before = opened()
    after = erased(before)
    same = ("id", "policy", "lane", "severity", "count", "opened_at", "work", "disposition", "version")
    assert [name for name in same if getattr(before, name) != getattr(after, name)] == []
    assert after.face_seq == before.face_seq + 1
    assert after.title == "erased"


def test_an_entity_is_a_column_and_its_value() -> None:
    assert Entity.read(" Seller_ID = s_1 ") == Entity("seller_id", "s_1")
    assert Entity.read("a=b=c") == Entity("a", "b=c")
    for wrong in ("", "seller_id", "=s_1", "seller_id="):
        assert Entity.read(wrong) is None


@pytest.mark.parametrize(
    ("values", "is_it"),
    [
        ({"seller_id": "s_1"}, True),
        ({"SELLER_ID": "s_1", "x": 1}, True),
        ({"seller_id": "s_12"}, False),
        ({"buyer_id": "s_1"}, False),
        ({"seller_id": None}, False),
        ({}, False),
    ],
)
def test_only_the_whole_value_in_that_column_counts(values: dict[str, object], is_it: bool) -> None:
    assert Entity("seller_id", "s_1").within(values) == is_it
    assert Entity("n", "5").within({"n": 5})
