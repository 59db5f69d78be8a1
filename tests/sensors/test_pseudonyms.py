"""Rows that are fit for a repository: nobody is in them, and joins still join."""

from __future__ import annotations

import json
import time
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensors.cases.pseudonyms import Pseudonyms, Rules, vocabulary

RULES = Rules(
    ids=frozenset({"author"}), hidden=frozenset({"secret"}), words=vocabulary(["%pay me%", r".*\bvenmo\b.*"])
)


def masked(value: Any, column: str = "body", rules: Rules = RULES) -> Any:
    return Pseudonyms(rules).value(column, value)


@pytest.mark.parametrize(
    ("text", "becomes"),
    [
        ("mail ana.b@mail.example now", "mail aaa.a@aaaa.aaaaaaa now"),
        ("call +49 151 2345678", "call +00 000 0000000"),
        ("see https://venmo.com/ana?x=1", "see https://venmo.aaa/aaa?a=0"),
        ("pay me at venmo @ana_cards", "pay me at venmo @aaa_aaaaa"),
        ("$anacards please", "$aaaaaaaa please"),
        ("from 10.20.30.40", "from 192.0.2.1"),
        ("from 2001:db8::8a2e:7334 at 12:30:59", "from 0000:aa0::0a0a:0000 at 12:30:59"),
        ("by aa:bb:cc:dd:ee:ff", "by aa:aa:aa:aa:aa:aa"),
        ('{"userName": "Zoe Quux", "n": 3}', '{"userName": "Aaa Aaaa", "n": 3}'),
        ('{"n":3}', '{"n":3}'),
        ("[not JSON, ana@mail.example", "[not JSON, aaa@aaaa.aaaaaaa"),
        ("on 2026-01-05 12:30 for 1234.50 in 3 parts", "on 2026-01-05 12:30 for 1234.50 in 3 parts"),
        ("nothing of anybody", "nothing of anybody"),
    ],
)
def test_ways_to_reach_somebody_go_and_the_rest_of_a_text_stays(text: str, becomes: str) -> None:
    assert masked(text) == becomes


@pytest.mark.parametrize(
    ("column", "value", "becomes"),
    [
        ("seller_id", "s_8812", "s_1"),
        ("author", "s_8812", "a_1"),
        ("order_id", 99120, 1),
        ("order_id", Decimal(99120), 1),
        ("device_uuid", UUID(int=77), UUID(int=1)),
        ("token", "7b1e1c1e-0000-4000-8000-000000000009", "00000000-0000-0000-0000-000000000001"),
        ("display_name", "Ana Cards", "Aaa Aaaaa"),
        ("secret", "Pay me, James", "Pay me, Aaaaa"),
        ("ip", "10.1.2.3", "192.0.2.1"),
        ("meta", {"email": "a@b.cd", "n": 1}, {"email": "a@a.aa", "n": 1}),
        (
            "meta",
            {"a@b.cd": 1, "deep": [{"firstName": "Ana"}]},
            {"a@a.aa": 1, "deep": [{"firstName": "Aaa"}]},
        ),
        ("secret", {"told": "by Ana", "n": 3}, {"told": "aa Aaa", "n": 1}),
        ("buyer_ids", ["b_99", "b_98"], ["b_1", "b_2"]),
        ("seller_id", ["s_99"], ["s_1"]),
        ("account_id", 8812345.0, 1),
        ("device", UUID(int=77), UUID(int=1)),
        ("phone", 491512345678, 1),
        ("card_number", Decimal(4111111111111111), Decimal(1)),
        ("secret", 77, 1),
        ("account_balance", 77, 77),
        ("birthday", date(1987, 3, 4), date(1987, 1, 1)),
        ("ordered_on", date(1987, 3, 4), date(1987, 3, 4)),
        ("body", b"abc", b"\0\0\0"),
        ("amount", Decimal("1.50"), Decimal("1.50")),
        ("body", None, None),
        ("seller_id", True, True),
    ],
)
def test_each_kind_of_column_has_its_stand_in(column: str, value: Any, becomes: Any) -> None:
    assert masked(value, column) == becomes


def test_one_thing_has_one_stand_in_in_every_table_and_text() -> None:
    made = Pseudonyms(RULES).tables(
        {
            "core.chat": ({"author": "seller-8812", "body": "seller-8812 is Ana Cards, not seller-881"},),
            "core.sellers": (
                {"seller_id": "seller-8812", "display_name": "Ana Cards"},
                {"seller_id": "seller-881", "display_name": "Bob Cards"},
            ),
        }
    )
    assert made["core.chat"] == ({"author": "a_1", "body": "a_1 is Aaa Aaaaa, not s_1"},)
    assert [row["seller_id"] for row in made["core.sellers"]] == ["a_1", "s_1"]
    assert made["core.sellers"][1]["display_name"] == "Aaa Aaaab"


def test_a_name_is_found_in_nested_values_and_in_any_case() -> None:
    (row,) = Pseudonyms(RULES).tables(
        {
            "core.chat": (
                {
                    "display_name": "Zoe Quux",
                    "body": "ZOE QUUX and zoe quux",
                    "tags": ["Zoe Quux"],
                    "meta": {"Zoe Quux": {"ownerName": "Eli Frick", "said": "Eli Frick"}},
                    "raw": '["Zoe Quux", "eli frick"]',
                },
            )
        }
    )["core.chat"]
    assert row == {
        "display_name": "Aaa Aaaa",
        "body": "Aaa Aaaa and Aaa Aaaa",
        "tags": ["Aaa Aaaa"],
        "meta": {"Aaa Aaaa": {"ownerName": "Aaa Aaaaa", "said": "Aaa Aaaaa"}},
        "raw": '["Aaa Aaaa", "Aaa Aaaaa"]',
    }


people = st.sampled_from(["Zoe Quux", "zoe.quux@mail.example", "+49 151 2345678", "2001:db8::77", "k_8812"])
nested = st.recursive(
    people | st.integers(0, 9),
    lambda inside: (
        st.lists(inside, max_size=3) | st.dictionaries(people | st.just("said"), inside, max_size=3)
    ),
    max_leaves=8,
)


@given(nested, st.booleans())
def test_nobody_is_left_at_whatever_depth_of_a_nested_value(value: Any, as_text: bool) -> None:
    meta = json.dumps(value) if as_text else value
    rows = ({"display_name": "Zoe Quux", "customer_id": "k_8812", "meta": meta},)
    made = json.dumps(Pseudonyms(RULES).tables({"t": rows})["t"])
    assert not [one for one in ("Quux", "quux", "mail.example", "2345678", "db8", "8812") if one in made]


def test_columns_whose_names_begin_alike_are_told_apart() -> None:
    row = Pseudonyms(RULES).row({"seller_id": "x", "show_id": "y", "size_id": "z"})
    assert row == {"seller_id": "s_1", "show_id": "show_1", "size_id": "size_1"}


def test_what_is_to_be_kept_is_kept() -> None:
    assert masked("Ana", "display_name", Rules(keep=frozenset({"display_name"}))) == "Ana"


ids = st.text(min_size=1, max_size=8) | st.integers() | st.uuids()


@given(st.lists(st.tuples(st.sampled_from(["seller_id", "show_id", "buyer_id", "author"]), ids), max_size=30))
def test_equal_ids_stay_equal_and_others_stay_different(cells: list[tuple[str, Any]]) -> None:
    masks = Pseudonyms(Rules(ids=frozenset({"author"})))
    made = [masks.value(column, value) for column, value in cells]
    for (_, one), first in zip(cells, made, strict=True):
        for (_, other), second in zip(cells, made, strict=True):
            assert (type(one), one) != (type(other), other) or first == second
            if isinstance(one, str) and isinstance(other, str) and one != other:
                assert first != second


@given(st.lists(st.text(max_size=12), max_size=20, unique=True))
def test_names_keep_their_length_as_long_as_there_is_room_and_stay_different(names: list[str]) -> None:
    masks = Pseudonyms(Rules())
    made = [masks.value("display_name", name) for name in names]
    assert len(set(made)) == len(names)
    assert all(len(m) >= len(n) for m, n in zip(made, names, strict=True))


@pytest.mark.parametrize("text", ["a", "a.", "a-", "1.", "1 /", "a%", "1:", "@a", "http://", "(1"])
def test_a_hostile_text_takes_no_longer_than_its_length(text: str) -> None:
    """A message of 20 kB took 14 seconds where the ways to reach somebody were sought from each letter."""
    started = time.monotonic()
    assert masked(text * (200_000 // len(text)) + "!")
    assert time.monotonic() - started < 10
