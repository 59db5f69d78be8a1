"""Each undo, typed as it is told, gives back what was there."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.action import Acknowledge, Action, Assign, Reopen, Resolve, SnoozeFor, Unacknowledge, Wake
from bot.core.alert import Disposition, FalseCause
from bot.core.command import Command, parse
from bot.core.undo import undo
from bot.core.verdict import CAUSES, near_cause
from tests.core.making import ANA, BO, CY, HOUR, MINUTE, NOON, after, done, opened, resolved

NAMES = {ANA: "ana", BO: "bo"}
CAUSED = [(d, None) for d in Disposition] + [(Disposition.false_positive, cause) for cause in FalseCause]
NOTES = st.one_of(
    st.sampled_from(["", *CAUSES, "Rule", "rule of thumb", " a", "a  b", "`x`", "⟦UBO⟧", "– so", "x" * 90]),
    st.text(max_size=70),
)


@given(st.sampled_from(CAUSED), NOTES, st.booleans())
def test_the_undo_of_a_reopening_or_of_another_verdict_gives_the_earlier_one(
    verdict: tuple[Disposition, FalseCause | None], note: str, reopens: bool
) -> None:
    before = replace(resolved(verdict[0]), false_cause=verdict[1], note=note)
    other = Resolve(BO, Disposition.test if verdict[0] is not Disposition.test else Disposition.benign)
    told = parse(undo(done(before, Reopen(BO) if reopens else other), NAMES))
    assert isinstance(told, Command), told
    assert (told.verb, told.alerts) == ("resolve", (before.id,))
    assert (told.disposition, told.false_cause) == verdict
    assert told.words in ("", note)
    plain = note.isascii() and note.replace(" ", "").isalnum() and near_cause(note.split(" ")[0]) is None
    if plain and note == " ".join(note.split()) and len(note) <= 60:
        assert told.words == note


@pytest.mark.parametrize(
    ("acts", "last", "way"),
    [
        ([], Acknowledge(ANA), "unack 3"),
        ([Acknowledge(ANA)], Acknowledge(BO), "unack 3"),
        ([Acknowledge(ANA), Acknowledge(BO)], Unacknowledge(BO), "ack 3"),
        ([], Assign(ANA, ANA), "unack 3"),
        ([Acknowledge(ANA)], Assign(BO, BO), "assign 3 @ana"),
        ([Acknowledge(ANA)], Assign(ANA, BO), "take 3"),
        ([Acknowledge(CY)], Assign(ANA, BO), "unack 3"),  # who is in no file cannot be named
        ([Acknowledge(ANA)], Unacknowledge(ANA), "ack 3"),
        ([], SnoozeFor(ANA, NOON + HOUR), "wake 3"),
        ([SnoozeFor(ANA, NOON + 5 * HOUR)], Wake(BO), "snooze 3 5h"),
        ([SnoozeFor(ANA, NOON + 50.5 * MINUTE)], Wake(BO), "snooze 3 51m"),
        ([SnoozeFor(ANA, NOON + 5 * HOUR - 57 * MINUTE)], Wake(BO), "snooze 3 4h3m"),
        ([], Resolve(ANA, Disposition.benign), "reopen 3"),
    ],
)
def test_the_way_back_names_what_was_before(acts: list[Action], last: Action, way: str) -> None:
    assert undo(done(after(opened(), *acts), last), NAMES) == way
