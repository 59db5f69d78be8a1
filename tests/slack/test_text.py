"""Row text can neither ping, link, format nor break anything."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.core.words import when, who
from bot.slack import text as t

from .hostile import HOSTILE, INVISIBLE, dangers, formats

ANY = st.one_of(
    st.text(st.characters()), st.sampled_from(HOSTILE), st.text("<>&@#*_~`:/.\n aé🎉", max_size=60)
)


@settings(deadline=None)
@given(ANY)
def test_escaped_text_holds_nothing_that_slack_would_read(text: str) -> None:
    safe = t.escape(text)
    assert dangers(safe, ours=False) == []
    assert not formats(safe)
    assert "\n" not in safe
    safe.encode()


@settings(deadline=None)
@given(ANY, st.integers(1, 200))
def test_plain_text_fits_is_never_empty_and_shows_what_it_is(text: str, limit: int) -> None:
    safe = t.plain(text, limit)
    assert 0 < t.width(safe) <= limit
    assert not INVISIBLE.search(safe)
    assert "\n" not in safe
    safe.encode()


@settings(deadline=None)
@given(ANY, st.integers(1, 120))
def test_fitted_text_fits_once_it_is_escaped(text: str, limit: int) -> None:
    safe = t.fitted(text, limit)
    assert t.width(safe) <= limit
    assert dangers(safe, ours=False) == []


@settings(deadline=None)
@given(ANY)
@example("⟦U0ANA⟧")
def test_a_sentence_pings_only_whom_the_core_has_marked(text: str) -> None:
    marked = f"{who('U0BO')} wrote {text.replace('⟦', '').replace('⟧', '')}"
    safe = t.sentence(marked)
    assert safe.startswith("<@U0BO> wrote")
    assert safe.count("<@") == 1
    assert dangers(safe) == []


@settings(deadline=None)
@given(ANY)
def test_a_name_in_code_stays_in_its_code(text: str) -> None:
    safe = t.code(text)
    assert safe[0] == safe[-1] == "`"
    assert "`" not in safe[1:-1]
    assert "\n" not in safe
    assert not set("<>") & set(safe)


def test_what_people_copy_stays_as_it_is() -> None:
    assert t.escape("s_1 payed 3 of 4 in v1.2, 14:05:09, 50%") == "s_1 payed 3 of 4 in v1.2, 14:05:09, 50%"
    assert t.code("payments.refund_spike") == "`payments.refund_spike`"
    assert t.plain("evil.example/x?a=*b*") == "evil.example/x?a=*b*"


@pytest.mark.parametrize(
    ("before", "after"), [("a < b & c", "a &lt; b &amp; c"), ("x\ny", "x y"), ("  a  ", "a")]
)
def test_ordinary_text_reads_as_before(before: str, after: str) -> None:
    assert t.escape(before) == after


def test_a_moment_is_shown_in_the_readers_zone_and_in_utc_where_that_fails() -> None:
    at = datetime(2026, 11, 23, 3, 14, tzinfo=UTC)
    assert t.date(at, t.CLOCK) == "<!date^1795403640^{time}|2026-11-23 03:14 UTC>"
    assert t.sentence(f"until {when(at)}.") == (
        "until <!date^1795403640^{date_short_pretty} at {time}|2026-11-23 03:14 UTC>."
    )


def test_only_an_address_becomes_a_link() -> None:
    assert (
        t.link("https://wiki.example.com/a?b=1&c=2", "Run_book")
        == "<https://wiki.example.com/a?b=1&amp;c=2|Run_book>"
    )
    assert t.link("javascript:alert(1)", "Open") == "Open"
    assert t.link("https://x.example/a|b>", "Open") == "Open"
    assert t.mention("U0ANA") == "<@U0ANA>"
    assert t.mention("here>") == "here&gt;"


def test_who_must_not_be_pinged_is_written_by_name() -> None:
    person = t.unpinged({"U0BO": "bo"}, ("U0ANA",))
    said = t.sentence(f"{who('U0BO')} gave it to {who('U0ANA')}, not {who('U0CY')}", person=person)
    assert said == f"bo gave it to <@U0ANA>, not {t.UNNAMED}"
