"""What a new policy likely means, from names and types of the declared tables. A person can say otherwise."""

from __future__ import annotations

from collections.abc import Collection

from bot.new.column import NAMING, of_kind
from bot.new.shape import Shape
from sensors.model.asset import Asset
from sensors.model.catalog import Catalog

PLACES = ("device", "fingerprint", "ip", "hash", "payout", "phone", "email", "address", "card", "bank")
PEOPLE = ("account", "user", "seller", "buyer", "customer", "member", "author", "merchant")
TEXTS = ("body", "text", "message", "content", "description", "comment", "title", "reason", "email")
REASONS = ("reason", "why", "note", "comment", "label", "category")


def table(name: str, catalog: Catalog) -> str | None:
    """The table with a word of the policy's name in it, else the first."""
    known = list(catalog.tables)
    words = [word for word in name.replace(".", "_").split("_") if len(word) > 2]
    likely = [one for word in reversed(words) for one in known if word.rstrip("s") in one.rpartition(".")[2]]
    return next(iter([*likely, *known]), None)


def time(asset: Asset, dialect: str) -> str | None:
    """The column that says until when the table is loaded, else the first with a time."""
    times = of_kind(asset, ("time",), dialect)
    return asset.loaded_until if asset.loaded_until in times else next(iter(times), None)


def row_id(asset: Asset, dialect: str) -> str | None:
    """The first column, where a table has its id."""
    first = next(iter(asset.columns), None)
    return first if first in of_kind(asset, NAMING, dialect) else None


def key(
    asset: Asset, shape: Shape, catalog: Catalog, dialect: str, watchlist: Asset | None = None
) -> str | None:
    """Whom or what an alert is about: a person with an entity before other entities; for shapes about many,
    what they share; with a watch list, what that is a list of."""
    names = of_kind(asset, NAMING, dialect)
    own = row_id(asset, dialect)
    if watchlist is not None and (listed := [c for c in watchlist.columns if c in names and c != own]):
        return listed[0]
    if not shape.by_entity:
        known = [c for word in PLACES for c in names if _has(c, (word,)) and c != own]
    else:
        known = [c for c in names if c in catalog.entities and c != own and _has(c, PEOPLE)]
        known += [c for c in names if c in catalog.entities and c != own]
        known += [c for c in names if c.endswith("_id") and c != own]
        known += [c for c in names if c in catalog.entities]
    return next(iter([*known, *(c for c in names if c != own), *names]), None)


def distinct(asset: Asset, taken: Collection[str], dialect: str) -> str | None:
    """Of what there are many: a column of people, else the first id."""
    names = [c for c in of_kind(asset, NAMING, dialect) if c not in taken]
    return next(iter([*(c for c in names if _has(c, PEOPLE)), *names]), None)


def text(asset: Asset, dialect: str) -> str | None:
    """What a person would read first."""
    texts = of_kind(asset, ("text",), dialect)
    return next((c for word in TEXTS for c in texts if c == word), None)


def reasons(watchlist: Asset, on: str, beside: Asset, dialect: str) -> tuple[str, ...]:
    """What the watch list says of its entries, where no column of the other table is called so."""
    texts = of_kind(watchlist, ("text",), dialect)
    return tuple(c for c in texts if c in REASONS and c != on and c not in beside.columns)[:1]


def owner(asset: Asset, catalog: Catalog) -> str | None:
    return asset.owner if asset.owner in catalog.teams else next(iter(catalog.teams), None)


def violation(name: str, catalog: Catalog) -> str | None:
    """The violation that the policy's own name says, whole or within it."""
    last = f"_{name.rpartition('.')[2]}_"
    return next((one for one in catalog.violations if f"_{one}_" in last), None)


def match_example(asset: Asset, dialect: str, taken: Collection[str]) -> str:
    """A condition on a column that the table has."""
    texts = [c for c in of_kind(asset, ("text",), dialect) if c not in taken]
    if (found := text(asset, dialect)) and found in texts:
        return f"{found} LIKE '%…%'"
    if state := next((c for c in texts if _has(c, ("status", "state", "type", "kind", "reason"))), None):
        return f"{state} = '…'"
    numbers = [c for c in of_kind(asset, ("decimal", "integer", "float"), dialect) if c not in taken]
    return f"{numbers[0]} >= 100" if numbers else f"{next(iter(texts), 'status')} = '…'"


def _has(column: str, words: Collection[str]) -> bool:
    return any(word in column.split("_") for word in words)
