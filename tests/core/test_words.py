"""Sentences with marks of people and times: what others write can never pass for one."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.words import MARK, clean, in_plain, spoken, when, where, who
from tests.core.making import NOON

texts = st.text(st.sampled_from("⟦⟧UANAt:0123456789 <@>\n`é"), max_size=30)


@given(texts)
def test_hostile_text_forges_no_mark(text: str) -> None:
    assert not MARK.search(clean(text))
    assert not MARK.search(f"{clean(text[:5])}{clean(text[5:])}")
    assert clean(clean(text)) == clean(text)


@given(texts)
def test_a_name_is_a_mark_only_as_a_whole(text: str) -> None:
    marked = who(text)
    assert (MARK.fullmatch(marked) is not None) is (marked != clean(text))
    assert len(MARK.findall(marked)) <= 1


@given(texts)
def test_showing_a_sentence_never_raises_and_keeps_all_other_text(text: str) -> None:
    assert spoken(text, lambda slack: f"⟦{slack}⟧", when, channel=where) == text or "t:" in text
    in_plain(text)


@given(st.integers(0, 9_999_999_999))
def test_every_moment_can_be_marked_and_read(seconds: int) -> None:
    at = datetime.fromtimestamp(seconds, UTC)
    assert spoken(f"until {when(at)}.", str, lambda read: read.isoformat()) == f"until {at.isoformat()}."


@pytest.mark.parametrize("text", ["⟦t:999999999999⟧", "⟦t:10000000000⟧"])
def test_a_time_that_no_calendar_has_stays_as_it_is(text: str) -> None:
    assert in_plain(text) == text


def test_people_and_times_in_plain_text() -> None:
    said = f"taken by {who('UANA')} until {when(NOON)}; {who('a passer-by')} saw it"
    assert in_plain(said, {"UANA": "ana"}) == "taken by @ana until 2026-01-05 12:00 UTC; a passer-by saw it"
    assert in_plain(who("UBO")) == "@UBO"


def test_what_lies_between_marks_is_shown_by_its_own_rule() -> None:
    assert spoken(f"<{who('UANA')}>", lambda s: f"[{s}]", str, lambda rest: rest.replace("<", "&lt;")) == (
        "&lt;[UANA]>"
    )
