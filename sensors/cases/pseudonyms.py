"""Makes rows fit for a repository: ids, names and ways to reach people become stand-ins. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from sensors.cases.slicing import Tables
from sensors.cases.values import from_json

ID = re.compile(r"(?:^|_)(?:id|uuid|guid|hash|key|token|fingerprint)s?$")
WHOSE = (
    r"(?:^|_)(?:(?:first|last|full|sur|user|nick)?name|email|mail|(?:tele)?phone|mobile|tel|address|street|city|zip|"
    r"zipcode|postcode|iban|card|account|passport|handle|user|nick|author|birthday|birthdate|birth|dob|ssn)"
)
PERSONAL = re.compile(rf"{WHOSE}(?:$|_)")
NUMBER = re.compile(rf"{WHOSE}(?:_(?:number|no|nr|num))?$")  # as a number it is somebody's, and no amount
BORN = re.compile(r"(?:^|_)(?:birthday|birthdate|birth|dob|born)(?:$|_)")
ADDRESS = re.compile(r"(?:^|_)(?:ip|ip_address|ip_addr)(?:$|_)")
# Ways to reach somebody, wherever they stand in a text. The longer ones come first. Texts are hostile: each
# way begins only where nothing of it stands before, or is bounded, so that none takes longer than its text.
REACHES = re.compile(
    r"(?P<url>\b(?:https?://|www\.)[^\s<>\"')\]]+)"
    r"|(?P<email>(?<![\w.+%-])[\w.+%-]++@[\w-]+(?:\.[\w-]+)+)"
    r"|(?P<ip>\b\d{1,3}(?:\.\d{1,3}){3}\b)"
    r"|(?P<hex>(?<![\w:])(?:(?:[0-9a-f]{1,4}:){3,7}[0-9a-f]{1,4}|(?:[0-9a-f]{1,4}:){1,7}:(?:[0-9a-f:]{0,40}[0-9a-f])?)(?![\w:]))"
    r"|(?P<handle>(?<![\w@$])[@$][A-Za-z_]\w{1,})"
    r"|(?P<phone>(?<![\w.:/-])\+?\d[\d ()./-]{6,40}\d(?![\w.:/-]))"
    r"|(?P<host>(?<![\w.-])[a-z0-9.-]+\.(?:com|net|org|io|me|co|app|shop|info|link|example|ru|cn)\b[^\s]*)",
    re.IGNORECASE,
)
DATE = re.compile(r"\d{4}-\d{2}-\d{2}|\d{1,2}[./]\d{1,2}[./]\d{2,4}")
WORD = re.compile(r"[^\W_]{2,}")
UUID_TEXT = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
SHORTEST_NAME = 4  # characters, to be looked for in other texts


@dataclass(frozen=True)
class Rules:
    """What is masked how. `hidden`: columns whose text goes whole; `keep`: columns left as they are;
    `ids`: columns that name things; `words`: what the query looks for in texts, which stays."""

    ids: frozenset[str] = frozenset()
    hidden: frozenset[str] = frozenset()
    keep: frozenset[str] = frozenset()
    words: frozenset[str] = frozenset()
    first: frozenset[str] = frozenset()  # columns that name a thing which has several names

    def kind(self, column: str) -> str:
        """keep | id | ip | whole | text: what becomes of the column."""
        if column in self.keep:
            return "keep"
        if column in self.ids or ID.search(column):
            return "id"
        if ADDRESS.search(column):
            return "ip"
        return "whole" if column in self.hidden or PERSONAL.search(column) else "text"

    def inside(self, column: str, name: str) -> str:
        """The column whose rule holds for what stands under `name` in a nested value."""
        snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
        return snake if self.kind(snake) != "text" else column

    def of_somebody(self, column: str) -> bool:
        """Whether even a number of the column is not to be told."""
        return column in self.hidden or NUMBER.search(column) is not None


def vocabulary(literals: Iterable[str]) -> frozenset[str]:
    """The words of the query's own texts and patterns: they are the policy's, and no person's."""
    return frozenset(
        word.lower() for text in literals for word in WORD.findall(re.sub(r"\\[a-zA-Z]", " ", text))
    )


@dataclass
class Pseudonyms:
    """Stand-ins by what they stand for. One for all tables of a case, so that joins still join."""

    rules: Rules
    known: dict[Any, Any] = field(default_factory=dict)  # ids
    names: dict[str, str] = field(
        default_factory=dict
    )  # texts of columns that are masked whole, in small letters
    numbers: dict[Any, Any] = field(default_factory=dict)  # of columns in which a number is somebody's
    shapes: dict[str, str] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    letters: dict[str, str] = field(default_factory=dict)  # how the ids of a column begin -> of which column
    taken: set[str] = field(default_factory=set)
    _pattern: tuple[int, re.Pattern[str] | None] = (0, None)

    def tables(self, tables: Tables) -> Tables:
        """Ids and names first, wherever they stand, so that texts that speak of them are understood."""
        rows = [row for held in tables.values() for row in held]
        cells = [leaf for row in rows for cell in row.items() for leaf in self._leaves(*cell)]
        cells.sort(key=lambda cell: cell[0] not in self.rules.first)
        for column, value in cells:
            kind = self.rules.kind(column)
            if kind == "id" or isinstance(value, UUID):
                self._id(column, value)
            elif kind == "whole" and isinstance(value, str) and len(value) >= SHORTEST_NAME:
                self.names.setdefault(value.lower(), self._shape(value))
        return {table: tuple(self.row(row) for row in rows) for table, rows in tables.items()}

    def _leaves(self, column: str, value: Any) -> Iterator[tuple[str, Any]]:
        """The value, or what stands in it, each with the column whose rule holds for it."""
        inside = _nested(value) if self.rules.kind(column) != "whole" else value
        match value if inside is None else inside:
            case _ if self.rules.kind(column) == "keep":
                return
            case Mapping() as named:
                for name, one in named.items():
                    yield from self._leaves(self.rules.inside(column, str(name)), one)
            case list() | tuple() as listed:
                for one in listed:
                    yield from self._leaves(column, one)
            case leaf:
                yield column, leaf

    def row(self, row: Mapping[str, Any]) -> dict[str, Any]:
        return {column: self.value(column, value) for column, value in row.items()}

    def value(self, column: str, value: Any) -> Any:
        """What stands in the column instead. Times, amounts and answers of yes or no stay."""
        kind = self.rules.kind(column)
        if kind == "keep":
            return value
        match value:
            case None | bool():
                return value
            case Mapping():
                inside = self.rules.inside
                return {
                    self._scrubbed(str(n)): self.value(inside(column, str(n)), v) for n, v in value.items()
                }
            case list() | tuple():
                return [self.value(column, inside) for inside in value]
            case bytes() | bytearray():
                return bytes(len(value))
            case str() if kind != "id":
                return self._text(column, kind, value)
            case UUID():
                return self._id(column, value)
        return self._id(column, value) if kind == "id" else self._figure(column, value)

    def _text(self, column: str, kind: str, text: str) -> str:
        if kind == "ip":
            return self._address(text)
        if kind == "whole":
            return self._shape(text)
        inside = _nested(text)
        if inside is None:
            return self._scrubbed(text)
        masked = self.value(column, inside)
        return text if masked == inside else json.dumps(masked, ensure_ascii=False)

    def _figure(self, column: str, value: Any) -> Any:
        """Numbers and times stay, but for a number that is somebody's and the day of a birth."""
        if isinstance(value, date):
            return value.replace(month=1, day=1) if BORN.search(column) else value
        if not isinstance(value, int | float | Decimal) or not self.rules.of_somebody(column):
            return value
        if value not in self.numbers:
            self.numbers[value] = type(value)(self._count(f"number of {column}"))
        return self.numbers[value]

    def stand_in(self, value: Any) -> Any:
        """What stands for a value that was met, be it told as text; None for one that was not."""
        told = {str(k): v for k, v in self.known.items() if not isinstance(k, str)}
        every: tuple[Mapping[Any, Any], ...] = (self.known, told, self.shapes)
        for known in every:
            if isinstance(value, str | int | Decimal | UUID) and value in known:
                return known[value]
        return None

    # ------------------------------------------------------------------------- ids

    def _id(self, column: str, value: Any) -> Any:
        if not isinstance(value, str | int | float | Decimal | UUID):
            return value
        if isinstance(value, str) and not _rest(value, self.rules.words).strip(" _-"):
            self.known[value] = value  # the query itself says it
        if value not in self.known:
            self.known[value] = self._new_id(column, value)
        return self.known[value]

    def _new_id(self, column: str, value: str | float | Decimal | UUID) -> Any:
        stem = ID.sub("", column).strip("_") or column
        if isinstance(value, int | float | Decimal):
            return self._count(f"number {stem}")
        if isinstance(value, UUID) or UUID_TEXT.fullmatch(value):
            made = UUID(int=self._count("uuid"))
            return made if isinstance(value, UUID) else str(made)
        first = next((s for s in (stem[0], stem) if self.letters.setdefault(s, stem) == stem), stem)
        return f"{first}_{self._count(first)}"

    def _count(self, of: str) -> int:
        self.counts[of] = self.counts.get(of, 0) + 1
        return self.counts[of]

    # ----------------------------------------------------------------------- texts

    def _scrubbed(self, text: str) -> str:
        """The text with ids that are known, and ways to reach people, replaced."""
        parts, end = [], 0
        for found in REACHES.finditer(text):
            if found.lastgroup == "phone" and (DATE.search(found[0]) or len(re.sub(r"\D", "", found[0])) < 7):
                continue
            parts += [self._named(text[end : found.start()]), self._reached(found)]
            end = found.end()
        return "".join([*parts, self._named(text[end:])])

    def _reached(self, found: re.Match[str]) -> str:
        if found.lastgroup == "ip":
            return self._address(found[0])
        if found.lastgroup == "url":
            scheme, slashes, rest = found[0].rpartition("//")
            return f"{scheme}{slashes}{self._shape(rest)}"
        return self._shape(found[0])

    def _named(self, text: str) -> str:
        """Ids in a text are found as whole words, names in any case. Numbers are not: amounts look so."""
        if self._pattern[0] != len(self.known) + len(self.names):
            texts = {k for k in self.known if isinstance(k, str) and len(k) > 1} | self.names.keys()
            listed = "|".join(re.escape(name) for name in sorted(texts, key=lambda t: (-len(t), t)))
            found = re.compile(rf"(?<!\w)(?:{listed})(?!\w)", re.IGNORECASE) if listed else None
            self._pattern = (len(self.known) + len(self.names), found)
        pattern = self._pattern[1]
        return text if pattern is None else pattern.sub(self._known, text)

    def _known(self, found: re.Match[str]) -> str:
        word = found[0]
        return str(self.known.get(word, self.names.get(word.lower(), word)))

    def _address(self, value: str) -> str:
        """Addresses of the ranges that are kept for examples."""
        if value not in self.shapes:
            number = self._count("ip")
            self.shapes[value] = f"{('192.0.2', '198.51.100', '203.0.113')[number // 255 % 3]}.{number % 255}"
        return self.shapes[value]

    def _shape(self, text: str) -> str:
        """Letters and digits replaced, everything else and the query's own words kept; no two become one."""
        if text not in self.shapes:
            number, made = 0, _masked(text, self.rules.words, 0)
            changes = made != text or any(c.isalnum() for c in _rest(text, self.rules.words))
            while changes and made in self.taken:
                number += 1
                made = _masked(text, self.rules.words, number)
            self.taken.add(made)
            self.shapes[text] = made
        return self.shapes[text]


def _nested(value: Any) -> Any:
    """What a text of JSON holds, if it is one that holds more than one value."""
    if not isinstance(value, str) or value.lstrip()[:1] not in ("{", "["):
        return None
    try:
        return from_json(value)
    except ValueError:
        return None


def _kept(text: str, words: Collection[str]) -> list[bool]:
    """By character: whether it belongs to a word of the query. Short words must stand by themselves."""
    kept = [False] * len(text)
    lowered = text.lower()
    if len(lowered) != len(text):  # letters that have no single lower-case one
        return kept
    for word in words:
        edge = r"\b" if len(word) < 4 else ""
        for found in re.finditer(f"{edge}{re.escape(word)}{edge}", lowered):
            kept[found.start() : found.end()] = [True] * len(word)
    return kept


def _rest(text: str, words: Collection[str]) -> str:
    return "".join(c for c, kept in zip(text, _kept(text, words), strict=True) if not kept)


def _masked(text: str, words: Collection[str], number: int) -> str:
    """`number` makes it another text of the same shape; where the shape has no room for it, it is longer."""
    masked = list(text)
    for at in reversed([n for n, kept in enumerate(_kept(text, words)) if not kept and text[n].isalnum()]):
        c = text[at]
        base = 10 if c.isdigit() else 26
        number, digit = divmod(number, base)
        masked[at] = str(digit) if c.isdigit() else chr((ord("A") if c.isupper() else ord("a")) + digit)
    return "".join(masked) + (str(number) if number else "")
