"""Reads `--match`: conditions on columns, joined by AND. Gives their SQL, params, and values for cases."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from bot.new.column import NUMBERS, Value, kind_of, spelled, step
from bot.process.errors import PatrolError
from sensors.model.asset import Asset
from sensors.near import near

VALUE = r"'(?:[^']|'')*'|[-+]?\d+(?:\.\d+)?(?!\w)|true\b|false\b"
TERM = re.compile(
    rf"\s*(?P<column>[A-Za-z_][\w$]*)\s*(?P<op><>|!=|<=|>=|=|<|>|\bI?LIKE\b|\bIN\b)\s*"
    rf"(?P<value>{VALUE}|\(\s*(?:{VALUE})(?:\s*,\s*(?:{VALUE}))*\s*\))\s*",
    re.IGNORECASE,
)
AND = re.compile(r"AND\b", re.IGNORECASE)
WORDS = {"=": "is", "<>": "is_not", ">=": "least", ">": "above", "<=": "most", "<": "below", "LIKE": "like"}
OTHERS = ("something else", "good morning", "xyz")  # texts that a pattern hardly matches
LONGEST = 200


@dataclass(frozen=True)
class Condition:
    """`column op values`; LIKE looks at no letter's case."""

    column: str
    op: str  # = <> < <= > >= LIKE IN
    values: tuple[Value, ...]
    step: Decimal = Decimal(1)

    def holds(self, value: Value) -> bool:
        first = self.values[0]
        match self.op:
            case "=" | "IN":
                return value in self.values
            case "<>":
                return value != first
            case "LIKE":
                return _like(str(first)).fullmatch(str(value)) is not None
        a, b = Decimal(value), Decimal(first)
        return {"<": a < b, "<=": a <= b, ">": a > b, ">=": a >= b}[self.op]

    def near(self) -> Iterator[Value]:
        """Values on both sides of what it asks, the bound first."""
        first = self.values[0]
        match first:
            case bool():
                yield from (first, not first)
            case str() if self.op == "LIKE":
                yield _sample(first)
                yield from OTHERS
            case str():
                yield first
                yield next(text for text in OTHERS if text != first)
            case _:
                yield from (first, Decimal(first) + self.step, Decimal(first) - self.step)
                yield max(Decimal(one) for one in self.values) + self.step

    def binds(self) -> dict[str, Value]:
        """Names and values of its params, before they are made unique."""
        stem = self.column.replace("$", "_")
        if self.op == "IN":
            return {f"{stem}_{n}": value for n, value in enumerate(self.values, start=1)}
        value = self.values[0]
        return {f"{stem}_{WORDS[self.op]}": str(value).lower() if self.op == "LIKE" else value}

    def sql(self, alias: str, dialect: str, names: Iterable[str]) -> str:
        column, bound = spelled(alias, self.column, dialect), [f":{name}" for name in names]
        if self.op == "LIKE":
            return f"LOWER({column}) LIKE {bound[0]}"
        return f"{column} IN ({', '.join(bound)})" if self.op == "IN" else f"{column} {self.op} {bound[0]}"


def parse(text: str, asset: Asset, dialect: str, taken: Collection[str]) -> tuple[Condition, ...]:
    """The conditions; `taken` are columns that have a part in the policy already. Raises PatrolError."""
    if len(text) > LONGEST or not text.isprintable():
        raise PatrolError(f"--match takes one line of at most {LONGEST} characters; write more into the SQL.")
    found: list[Condition] = []
    rest = text
    while True:
        term = TERM.match(rest)
        if term is None:
            raise _unreadable(rest.strip() or text)
        found.append(_condition(term, asset, dialect, taken))
        rest = rest[term.end() :]
        if not rest:
            break
        if (joined := AND.match(rest)) is None:
            raise _unreadable(rest)
        rest = rest[joined.end() :]
    hit(found)
    return tuple(found)


def _unreadable(rest: str) -> PatrolError:
    return PatrolError(
        f'--match cannot be read from "{rest[:40]}" on: it takes conditions such as '
        "\"status = 'declined' AND amount >= 100\", joined by AND. Write more into the SQL once it is there."
    )


def _condition(term: re.Match[str], asset: Asset, dialect: str, taken: Collection[str]) -> Condition:
    column = term["column"].lower()
    op = term["op"].upper().replace("ILIKE", "LIKE").replace("!=", "<>")
    if column not in asset.columns:
        raise PatrolError(f"--match: {asset.name} has no column {column}{near(column, asset.columns) or '.'}")
    if column in taken:
        raise PatrolError(f"--match: {column} has its part in this policy already; take another column.")
    kind = kind_of(asset, column, dialect)
    values = tuple(_value(one) for one in re.findall(VALUE, term["value"], re.IGNORECASE))
    ordered = op in ("<", "<=", ">", ">=")
    fits = {"text": str, "boolean": bool, **dict.fromkeys(NUMBERS, int | Decimal)}.get(kind)
    if fits is None or (kind == "text" and ordered) or (kind == "boolean" and op not in ("=", "<>")):
        raise PatrolError(f"--match cannot compare {column}, of type {asset.columns[column]}, by {op}.")
    if op == "LIKE" and kind != "text":
        raise PatrolError(f"--match: LIKE is for text, and {column} is of type {asset.columns[column]}.")
    if not all(isinstance(v, fits) and isinstance(v, bool) == (kind == "boolean") for v in values):
        raise PatrolError(f"--match: {column} is of type {asset.columns[column]}; {term['value']} is not.")
    if op == "LIKE" and not re.search(r"[^%_\s]", str(values[0])):
        raise PatrolError(f"--match: {column} LIKE {term['value']} is true of every text.")
    return Condition(column, op, values, step(asset, column, dialect) if kind in NUMBERS else Decimal(1))


def _value(text: str) -> Value:
    if text.startswith("'"):
        return text[1:-1].replace("''", "'")
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    return Decimal(text) if "." in text else int(text)


def _like(pattern: str) -> re.Pattern[str]:
    parts = {"%": ".*", "_": "."}
    return re.compile("".join(parts.get(c, re.escape(c)) for c in pattern), re.IGNORECASE | re.DOTALL)


def _sample(pattern: str) -> str:
    """A text that matches the pattern, its first letter a capital, as people write."""
    text = pattern.replace("%", "").replace("_", "x")
    return text[:1].upper() + text[1:]


def hit(conditions: Iterable[Condition]) -> dict[str, Value]:
    """Values that meet every condition, on the bound where there is one. Raises PatrolError if none do."""
    return _chosen(tuple(conditions), None)


def misses(conditions: Iterable[Condition]) -> list[dict[str, Value]]:
    """For each condition, values that meet all the others and not this one, as near as can be."""
    every = tuple(conditions)
    return [_chosen(every, condition) for condition in every]


def _chosen(every: tuple[Condition, ...], broken: Condition | None) -> dict[str, Value]:
    by_column: Mapping[str, list[Condition]] = {
        c.column: [one for one in every if one.column == c.column] for c in every
    }
    chosen: dict[str, Value] = {}
    for column, mine in by_column.items():
        candidates = [value for one in mine for value in one.near()]
        good = [v for v in candidates if all(one.holds(v) != (one is broken) for one in mine)]
        if not good and broken in mine and broken is not None:
            good = [v for v in candidates if not broken.holds(v)]
        if not good:
            raise PatrolError(f"--match: no value of {column} was found for the policy's cases to use.")
        chosen[column] = good[0]
    return chosen
