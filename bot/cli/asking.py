"""Asks on the terminal for what `patrol new` was not told, with what the tables suggest as the default."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import click

from bot.new import guess
from bot.new import wish as said
from bot.new.shape import SHAPES, Shape, shape_of
from bot.new.wish import NONE, Wish
from bot.process.errors import PatrolError
from sensors.model.asset import Asset
from sensors.model.catalog import Catalog


def ask(wish: Wish, catalog: Catalog, dialect: str) -> Wish:
    """The wish with every question answered; what was said by flags is not asked."""
    if sys.stdin is None:
        raise PatrolError("There is nobody to ask: the input is closed. Leave --ask out, and say flags.")
    wish = replace(wish, name=wish.name or _prompt("Name, such as payments/refund_spike", said.policy_name))
    said.policy_name(wish.name)
    shape = _shape(wish)
    wish = replace(wish, like=shape.name)
    table = wish.table or _table(wish, catalog)
    wish = replace(wish, table=table)
    asset = said.table_of(table, catalog, "--table")
    if shape.name == "watchlist" and wish.watchlist is None:
        wish = replace(wish, watchlist=_prompt("Table that is the watch list", lambda t: _list(t, catalog)))
    wish = _columns(wish, asset, shape, catalog, dialect)
    wish = _rows(wish, asset, shape, catalog, dialect)
    return _people(wish, asset, shape, catalog)


def _shape(wish: Wish) -> Shape:
    if wish.like:
        return shape_of(wish.like)
    for one in SHAPES.values():
        click.echo(f"  {one.name:<10} {one.finds}")
    shape: Shape = _prompt("Shape", shape_of)
    return shape


def _table(wish: Wish, catalog: Catalog) -> str:
    known = ", ".join(catalog.tables)
    if known:
        click.echo(f"  Declared: {known}")
    default = guess.table(wish.name or "", catalog)
    name: str = _prompt("Table", lambda text: said.table_of(text, catalog, "--table").name, default)
    return name


def _columns(wish: Wish, asset: Asset, shape: Shape, catalog: Catalog, dialect: str) -> Wish:
    click.echo(f"  {asset.name}: {', '.join(asset.columns)}")
    if wish.time is None and (shape.needs_time or guess.time(asset, dialect)):
        time = _prompt(
            "Column that says when" + ("" if shape.needs_time else f" ({NONE}: the table as it is now)"),
            lambda text: said.time_of(text, asset, shape, dialect) or NONE,
            guess.time(asset, dialect),
        )
        wish = replace(wish, time=time)
    if not wish.key:
        key = _prompt(
            "Key, what an alert is about (several with commas)",
            lambda text: said.key_of(listed((text,)), asset, shape, catalog, dialect),
            guess.key(asset, shape, catalog, dialect, said.list_of(wish.watchlist, catalog, shape)),
        )
        wish = replace(wish, key=key)
    if shape.needs_distinct and wish.distinct is None:
        distinct = _prompt(
            "Many of what, by column",
            lambda text: said.distinct_of(text, asset, shape, wish.key, dialect),
            guess.distinct(asset, wish.key, dialect),
        )
        wish = replace(wish, distinct=distinct)
    if wish.text is None and (shape.events and guess.text(asset, dialect)):
        text = _prompt(
            f"Column that a person reads first ({NONE}: there is none)",
            lambda one: said.text_of(one, asset, dialect) or NONE,
            guess.text(asset, dialect),
        )
        wish = replace(wish, text=text)
    return wish


def _rows(wish: Wish, asset: Asset, shape: Shape, catalog: Catalog, dialect: str) -> Wish:
    """Which rows it is after, and what they are held against."""
    known = said.list_of(wish.watchlist, catalog, shape)
    if known and wish.on is None and not set(wish.key) & set(known.columns):
        on = _prompt(f"Column of {known.name} that holds {wish.key[0]}", _one_of(known.columns))
        wish = replace(wish, on=on)
    if shape.name == "rate" and wish.of is None and wish.match is None:
        of = _prompt(
            "Table that the share is of, if it is another one",
            lambda text: (said.of_of(text, catalog, asset, shape, wish.key, dialect), text)[1],
            asset.name,
        )
        wish = replace(wish, of=of)
    alone = shape.needs_match or (shape.name == "rate" and wish.of in (None, asset.name))
    if wish.match is None and (alone or shape.events):
        taken = {wish.time or "", *wish.key, *([wish.distinct] if wish.distinct else [])}
        time = None if wish.time == NONE else wish.time
        taken |= set(said.row_key_of(wish.row_key, asset, shape, wish.key, time, dialect))
        example = guess.match_example(asset, dialect, taken)
        match = _prompt(
            f"Which rows, such as {example}" + ("" if alone else " (Enter: all)"),
            lambda text: text and (said.match_of(text, asset, shape, dialect, taken, False), text)[1],
            None if alone else "",
        )
        wish = replace(wish, match=match or None)
    return wish


def _list(text: str, catalog: Catalog) -> str:
    return said.table_of(text, catalog, "--watchlist").name


def _one_of(names: Any) -> Callable[[str], str]:
    def check(text: str) -> str:
        if text.lower() not in names:
            raise PatrolError(f"It is one of {', '.join(names)}.")
        return text.lower()

    return check


def _people(wish: Wish, asset: Asset, shape: Shape, catalog: Catalog) -> Wish:
    if wish.owner is None:
        default = said.owner_of(None, asset, catalog)
        owner = _prompt("Team that owns it", lambda text: said.owner_of(text, asset, catalog), default)
        wish = replace(wish, owner=owner)
    if wish.violation is None and catalog.violations:
        default = guess.violation(wish.name or "", catalog) or NONE
        violation = _prompt(
            f"Violation, of {', '.join(catalog.violations)}, or {NONE}",
            lambda text: text if text == NONE else said.violation_of(text, "", catalog),
            default,
        )
        wish = replace(wish, violation=violation)
    if wish.severity is None:
        wish = replace(wish, severity=_prompt("Severity", said.severity_of, "medium"))
    if wish.threshold is None and shape.number is not None:
        number = _prompt(
            f"Threshold: {shape.counts}", lambda text: _number(text, shape), str(shape.number[0])
        )
        wish = replace(wish, threshold=number)
    if wish.least_hits is None and shape.name == "rate":
        hits = _prompt("From how many hits on", lambda text: _least_hits(text, shape), str(said.LEAST_HITS))
        wish = replace(wish, least_hits=hits)
    return wish


def _least_hits(text: str, shape: Shape) -> int:
    return said.least_hits_of(_whole(text), shape)


def _whole(text: str) -> int:
    if not text.strip().isdecimal() or len(text) > 9:
        raise PatrolError("It is a whole number.")
    return int(text)


def _number(text: str, shape: Shape) -> int:
    return said.number_of(_whole(text), shape)


def listed(words: tuple[str, ...]) -> tuple[str, ...]:
    """`("a,b", "c")` → a, b, c."""
    return tuple(part.strip() for word in words for part in word.split(",") if part.strip())


def _prompt(question: str, check: Callable[[str], Any], default: str | None = None) -> Any:
    """Asks until the answer is one that can be; without a default there has to be one."""
    needed = default is None

    def checked(text: str) -> Any:
        if needed and not text.strip():
            raise click.UsageError("This needs an answer; Ctrl-C ends it, and nothing is written.")
        try:
            return check(text.strip())
        except PatrolError as error:
            raise click.UsageError(str(error)) from None

    try:
        return click.prompt(
            question, default="" if needed else default, value_proc=checked, show_default=not needed
        )
    except click.Abort as stop:
        if isinstance(stop.__context__, KeyboardInterrupt):
            raise
        raise PatrolError(f"Nothing was written: nobody answered {question!r}.") from None
