"""Whatever is done to a sealed audit is found and named; words that are erased leave it whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from bot.core.action import Acknowledge
from bot.core.change import Refused, Same
from bot.core.reply import Person
from bot.core.trail import Head, Kept, Line, Seal, flaws, line_of, sealed, with_outcome, words_hash
from tests.core.making import ANA, BO, NOON, SECOND, done, opened

HOSTILE = ("", "why", "\x00", "\ud800", "a\nb", '","x":"', "⟦UBO⟧")
Audit = tuple[list[Seal], dict[int, list[Kept]]]


def a_line(number: int, words: str = "looks odd") -> Kept:
    line = Line(
        NOON + number * SECOND, ANA, "button", "C1", "acknowledge", f"ALR-{number}", "done", words, number, 2
    )
    return Kept(number, line, words_hash(words, "salt"), "salt")


def audit_of(words: Sequence[Sequence[str]]) -> Audit:
    """A seal for each group of lines."""
    seals: list[Seal] = []
    lines: dict[int, list[Kept]] = {}
    number = 0
    for group in words:
        kept = [a_line(number + n, text) for n, text in enumerate(group, 1)]
        number += len(group)
        seal = sealed(kept, seals[-1] if seals else None, NOON + number * timedelta(hours=1))
        seals.append(seal)
        lines[seal.number] = [replace(one, seal=seal.number) for one in kept]
    return seals, lines


audits = st.lists(st.lists(st.sampled_from(HOSTILE), min_size=1, max_size=4), min_size=1, max_size=5).map(
    audit_of
)


def found(seals: Sequence[Seal], lines: Mapping[int, Sequence[Kept]], *heads: Head) -> list[str]:
    return list(flaws(seals, lines, heads))


@given(audits)
def test_what_was_sealed_is_as_it_was(audit: Audit) -> None:
    assert found(*audit) == []
    last = audit[0][-1]
    assert found(*audit, Head(last.number, last.hash)) == []


@given(audits, st.data())
def test_a_changed_line_is_named(audit: Audit, data: st.DataObject) -> None:
    seals, lines = audit
    seal = data.draw(st.sampled_from(seals))
    at = data.draw(st.integers(0, len(lines[seal.number]) - 1))
    kept = lines[seal.number][at]
    change = data.draw(
        st.sampled_from(
            (
                {"by": BO},
                {"at": kept.line.at + SECOND},
                {"via": "command"},
                {"channel": "C2"},
                {"deed": "resolve"},
                {"about": "ALR-99"},
                {"outcome": "refused"},
                {"words": "something else"},
                {"alert": 99},
                {"seq": 3},
            )
        )
    )
    lines[seal.number][at] = replace(kept, line=replace(kept.line, **change))
    (flaw,) = found(seals, lines)
    assert flaw.startswith(f"line {kept.id} was changed (seal {seal.number}, ")


@given(audits, st.data())
def test_words_that_were_swapped_with_their_hash_are_found(audit: Audit, data: st.DataObject) -> None:
    seals, lines = audit
    seal = data.draw(st.sampled_from(seals))
    kept = lines[seal.number][0]
    forged = replace(kept, line=replace(kept.line, words="forged"), words_hash=words_hash("forged", "salt"))
    lines[seal.number][0] = forged
    assert f"line {kept.id} was changed" in found(seals, lines)[0]


@given(audits, st.data())
def test_a_removed_line_and_an_inserted_one_are_named(audit: Audit, data: st.DataObject) -> None:
    seals, lines = audit
    seal = data.draw(st.sampled_from(seals))
    gone = lines[seal.number].pop(data.draw(st.integers(0, len(lines[seal.number]) - 1)))
    (flaw,) = found(seals, lines)
    assert flaw.startswith(f"line {gone.id} was removed (seal {seal.number}, ")
    lines[seal.number].append(replace(a_line(77), seal=seal.number))
    assert [f.split(" (")[0] for f in found(seals, lines)] == [
        f"line {gone.id} was removed",
        "line 77 was inserted",
    ]


@given(audits, st.data())
def test_a_seal_that_was_changed_removed_or_made_anew_is_named(audit: Audit, data: st.DataObject) -> None:
    seals, lines = audit
    at = data.draw(st.integers(0, len(seals) - 1))
    was = seals[at]
    kept = [replace(lines[was.number][0], line=replace(lines[was.number][0].line, by=BO))]
    anew = sealed(kept, seals[at - 1] if at else None, was.at)
    assert any(
        f"seal {was.number} was changed" in f
        for f in found([*seals[:at], replace(was, lines=()), *seals[at + 1 :]], lines)
    )
    without = [*seals[:at], *seals[at + 1 :]]
    if at + 1 < len(seals):
        assert f"seal {was.number} is missing" in found(without, lines)[0]
        forged = found([*seals[:at], anew, *seals[at + 1 :]], {**lines, was.number: kept})
        assert forged == [
            f"seal {was.number + 1} does not follow the one before it: one of the two was replaced"
        ]
    else:  # only who noted the last one down finds that it is gone, or another
        assert found(without, lines) == []
        noted = Head(was.number, was.hash[:16])
        assert "was noted down and is not there" in found(without, lines, noted)[0]
        forged = found([*seals[:at], anew], {**lines, was.number: kept}, noted)
        assert forged == [f"seal {was.number} is another than the one that was noted down"]


@given(audits, st.data())
def test_erased_words_leave_the_chain_as_it_was(audit: Audit, data: st.DataObject) -> None:
    seals, lines = audit
    for kept in lines.values():
        if data.draw(st.booleans()):
            kept[0] = replace(kept[0], line=replace(kept[0].line, words=None), salt=None)
    assert found(seals, lines) == []


def test_what_was_too_old_to_be_kept_is_no_flaw_but_only_at_the_beginning() -> None:
    seals, lines = audit_of([["a"], ["b"], ["c"]])
    pruned = [replace(seals[0], pruned_at=NOON), *seals[1:]]
    assert found(pruned, {2: lines[2], 3: lines[3]}) == []
    hole = [seals[0], replace(seals[1], pruned_at=NOON), seals[2]]
    assert found(hole, {1: lines[1], 3: lines[3]}) == [
        "seal 2 says that its lines were too old, but older ones are kept"
    ]


def test_a_noted_seal_is_read_as_it_is_said() -> None:
    assert Head.read("12:0123456789abcdef") == Head(12, "0123456789abcdef")
    for wrong in ("", "12", "12:", "x:0123456789", "12:xyz123456", "12:0123"):
        assert Head.read(wrong) is None


def test_a_line_says_what_came_of_the_act() -> None:
    line = line_of(Person(ANA, "C1", "button"), "acknowledge", "ALR-3", NOON)
    change = done(opened(), Acknowledge(ANA))
    told = with_outcome(line, 3, change)
    assert (told.outcome, told.words, told.alert, told.seq) == (
        "done",
        change.event.story,
        3,
        change.event.seq,
    )
    refused = with_outcome(line, 3, Refused("it is bo's", "take 3"))
    assert (refused.outcome, refused.words, refused.seq) == ("refused", "it is bo's", None)
    assert with_outcome(line, 3, Same("so already")).outcome == "nothing"
    assert line_of(Person(ANA), "start", "hold", NOON, Refused("no")).outcome == "refused"


def test_lines_that_changed_places_are_named() -> None:
    seals, lines = audit_of([["a", "b", "c"], ["d"]])
    first, _, third = lines[1]
    lines[1][0], lines[1][2] = replace(third, id=1), replace(first, id=3)
    assert found(seals, lines) == [
        "line 1 was line 3: their order is another (seal 1)",
        "line 3 was line 1: their order is another (seal 1)",
    ]
