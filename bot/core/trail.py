"""The audit: one line for each act of a person, and the chain of seals that shows whether one was touched.

A line's words are sealed by their hash alone, with a salt, so that they can be erased and the chain holds.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from bot.core.change import Change, Outcome, Refused
from bot.core.reply import Person

BEGINNING = "0" * 64  # what the first seal follows
AT_ONCE = 1_000  # lines of a seal
COMMAND_LINE = "command line"


@dataclass(frozen=True)
class Line:
    """Who did what, when, from where, and what came of it. `words` say why, or why not."""

    at: datetime
    by: str  # a Slack user id; on the command line the name of the machine's user
    via: str  # button | command | mention | modal | shortcut | command line
    channel: str  # "" where there is none
    deed: str
    about: str  # ALR-3, APR-12, a policy, a job
    outcome: str = "done"  # done | refused | nothing
    words: str | None = ""  # None: erased
    alert: int | None = None
    seq: int | None = None  # of the alert's history, where the act is a line of it


@dataclass(frozen=True)
class Kept:
    """A line as it is kept."""

    id: int
    line: Line
    words_hash: str
    salt: str | None
    seal: int | None = None  # None: not sealed yet

    @property
    def hash(self) -> str:
        one = self.line
        said = [one.by, one.via, one.channel, one.deed, one.about, one.outcome, one.alert, one.seq]
        return _hash([self.id, _moment(one.at), *said, self.words_hash])


@dataclass(frozen=True)
class Seal:
    """Lines that can no longer change unseen: each with its hash, and the hash of the seal before."""

    number: int
    at: datetime
    previous: str
    lines: tuple[tuple[int, str], ...]  # id and hash, by id
    hash: str
    pruned_at: datetime | None = None  # its lines were too old to be kept

    @property
    def reckoned(self) -> str:
        return _hash([self.number, _moment(self.at), self.previous, [list(one) for one in self.lines]])


def line_of(person: Person, deed: str, about: str, now: datetime, refused: Refused | None = None) -> Line:
    """An act that is no change of an alert; `refused`: why it was not done."""
    outcome, words = ("refused", refused.why) if refused else ("done", "")
    return Line(now, person.slack, person.via, person.channel or "", deed, about, outcome, words)


def with_outcome(line: Line, alert: int, outcome: Outcome) -> Line:
    """The line of what somebody did to an alert; what was done refers to the line of its history."""
    match outcome:
        case Change(event=event):
            return replace(line, words=event.story, alert=alert, seq=event.seq)
        case Refused(why=why):
            return replace(line, outcome="refused", words=why, alert=alert)
    return replace(line, outcome="nothing", words=outcome.why, alert=alert)


def words_hash(words: str, salt: str) -> str:
    return _hash([salt, words])


def sealed(lines: Sequence[Kept], last: Seal | None, now: datetime) -> Seal:
    """The next seal, over these lines."""
    number, previous = (last.number + 1, last.hash) if last else (1, BEGINNING)
    listed = tuple((kept.id, kept.hash) for kept in sorted(lines, key=lambda kept: kept.id))
    seal = Seal(number, now, previous, listed, "")
    return replace(seal, hash=seal.reckoned)


@dataclass(frozen=True)
class Head:
    """A seal that was noted down elsewhere: `310:5d41…`, as the log and `patrol audit verify` say it."""

    number: int
    hash: str

    @staticmethod
    def read(text: str) -> Head | None:
        number, _, digest = text.partition(":")
        good = number.isdigit() and len(digest) >= 8 and not set(digest) - set("0123456789abcdef")
        return Head(int(number), digest) if good else None


def flaws(
    seals: Iterable[Seal], lines_of: Mapping[int, Sequence[Kept]], heads: Sequence[Head] = ()
) -> Iterator[str]:
    """What does not fit, each with its place. `lines_of` gives the lines of each seal."""
    last: Seal | None = None
    noted = {head.number: head.hash for head in heads}
    kept_before = False
    for seal in seals:
        yield from _of_seal(seal, last)
        if seal.pruned_at and kept_before:
            yield f"seal {seal.number} says that its lines were too old, but older ones are kept"
        if seal.number in noted and not seal.hash.startswith(noted.pop(seal.number)):
            yield f"seal {seal.number} is another than the one that was noted down"
        yield from _of_lines(seal, lines_of.get(seal.number, ()))
        kept_before = kept_before or not seal.pruned_at
        last = seal
    for number in noted:
        end = last.number if last else 0
        yield f"seal {number} was noted down and is not there: what came after seal {end} was removed"


def _of_seal(seal: Seal, last: Seal | None) -> Iterator[str]:
    expected = last.number + 1 if last else 1
    if seal.number != expected:
        missing = (
            f"seal {expected} is"
            if seal.number == expected + 1
            else f"seals {expected} to {seal.number - 1} are"
        )
        yield f"{missing} missing"
    elif seal.previous != (last.hash if last else BEGINNING):
        yield f"seal {seal.number} does not follow the one before it: one of the two was replaced"
    if seal.hash != seal.reckoned:
        yield f"seal {seal.number} was changed"


def _of_lines(seal: Seal, lines: Sequence[Kept]) -> Iterator[str]:
    there = {kept.id: kept for kept in lines}
    listed = dict(seal.lines)
    for number in sorted(listed.keys() - there.keys()) if not seal.pruned_at else ():
        yield f"line {number} was removed (seal {seal.number}, {_moment(seal.at)})"
    for number, kept in there.items():
        if number not in listed:
            yield f"line {number} was inserted (into seal {seal.number}, {_moment(seal.at)})"
        elif place := _place(kept, listed):
            yield f"line {number} was line {place}: their order is another (seal {seal.number})"
        elif listed[number] != kept.hash or _other_words(kept):
            yield f"line {number} was changed (seal {seal.number}, {_moment(kept.line.at)})"


def _place(kept: Kept, listed: Mapping[int, str]) -> int | None:
    """Where the line stood when it was sealed, if that was elsewhere."""
    if listed[kept.id] == kept.hash:
        return None
    return next((place for place, hashed in listed.items() if replace(kept, id=place).hash == hashed), None)


def _other_words(kept: Kept) -> bool:
    """Whether its words are not those that were sealed. Erased ones leave their salt out, too."""
    if kept.line.words is None:
        return kept.salt is not None
    return kept.salt is None or words_hash(kept.line.words, kept.salt) != kept.words_hash


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def _hash(parts: object) -> str:
    return hashlib.sha256(json.dumps(parts, separators=(",", ":")).encode()).hexdigest()
