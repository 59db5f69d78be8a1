"""What somebody said of a new policy → an Idea: the rest is taken from the declared tables and teams."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from bot.new import guess
from bot.new.column import NAMING, kind_of
from bot.new.condition import Condition, parse
from bot.new.idea import Idea
from bot.new.shape import SHAPES, Shape, shape_of
from bot.process.errors import PatrolError
from sensors.model.asset import Asset
from sensors.model.catalog import Catalog
from sensors.model.policy import Severity
from sensors.near import near
from sensors.sources import PART

LONGEST = 100
LEAST_HITS, MOST_HITS = 3, 100
NONE = "none"  # said of a column or a violation: there is to be none


@dataclass(frozen=True)
class Wish:
    """What was said; None or empty where nothing was."""

    name: str | None = None
    like: str | None = None
    table: str | None = None
    time: str | None = None
    key: tuple[str, ...] = ()
    row_key: tuple[str, ...] = ()
    text: str | None = None
    match: str | None = None
    distinct: str | None = None
    of: str | None = None
    watchlist: str | None = None
    on: str | None = None
    owner: str | None = None
    severity: str | None = None
    threshold: int | None = None
    least_hits: int | None = None
    window: timedelta | None = None
    violation: str | None = None


def idea(wish: Wish, catalog: Catalog, dialect: str) -> Idea:
    """All of it decided; PatrolError says in a sentence what is missing or wrong, and what to say instead."""
    name = policy_name(wish.name)
    if wish.like is None:
        raise PatrolError(f"Say which shape it is like: --like {' | '.join(SHAPES)}.")
    shape = shape_of(wish.like)
    asset = table_of(wish.table, catalog, "--table")
    time = time_of(wish.time, asset, shape, dialect)
    listed = list_of(wish.watchlist, catalog, shape)
    key = key_of(wish.key, asset, shape, catalog, dialect, listed)
    distinct = distinct_of(wish.distinct, asset, shape, key, dialect)
    rows = row_key_of(wish.row_key, asset, shape, key, time, dialect)
    taken = {*key, *rows, distinct, time}
    of, of_time = of_of(wish.of, catalog, asset, shape, key, dialect)
    watchlist, on = watchlist_of(wish, catalog, shape, key)
    return Idea(
        name=name,
        shape=shape,
        table=asset,
        key=key,
        owner=owner_of(wish.owner, asset, catalog),
        dialect=dialect,
        severity=severity_of(wish.severity),
        row_key=rows,
        time=time,
        text=text_of(wish.text, asset, dialect),
        match=match_of(wish.match, asset, shape, dialect, {t for t in taken if t}, of is not None),
        number=number_of(wish.threshold, shape),
        least_hits=least_hits_of(wish.least_hits, shape),
        span=span_of(wish.window, shape),
        distinct=distinct,
        of=of,
        of_time=of_time,
        watchlist=watchlist,
        on=on,
        list_columns=guess.reasons(watchlist, on, asset, dialect) if watchlist else (),
        violation=violation_of(wish.violation, name, catalog),
    )


def policy_name(said: str | None) -> str:
    """`payments.refund_spike` of payments/refund_spike, or of the path of its file."""
    if not said:
        raise PatrolError("Say what it is called: patrol new payments/refund_spike --like rate.")
    name = re.sub(r"^policies/|\.yml$", "", said.strip()).replace("/", ".")
    if all(PART.fullmatch(part) for part in name.split(".")) and len(name) <= LONGEST:
        return name
    better = ".".join(re.sub(r"[^a-z0-9]+", "_", p.lower()).strip("_0123456789") for p in name.split("."))
    hint = f"; take {better}" if better != name and policy_fits(better) else ""
    raise PatrolError(
        f'"{said[:LONGEST]}" cannot be a policy\'s name: its parts hold only a–z, 0–9 and _, a letter first, '
        f"{LONGEST} characters in all{hint}."
    )


def policy_fits(name: str) -> bool:
    return len(name) <= LONGEST and all(PART.fullmatch(part) for part in name.split("."))


def table_of(said: str | None, catalog: Catalog, flag: str) -> Asset:
    """A declared table with columns."""
    tables = catalog.tables
    if said is None:
        if len(tables) == 1:
            return next(iter(tables.values()))
        if tables:
            raise PatrolError(f"Say which table: {flag} with one of {', '.join(sorted(tables)[:20])}.")
        raise PatrolError(f"No table is declared in policies/_assets.yml yet. {DECLARE}")
    asset = tables.get(said.lower())
    if asset is None:
        hint = near(said, tables)
        raise PatrolError(f"{said} is not declared in policies/_assets.yml{hint or '.'} {DECLARE}")
    if not asset.columns:
        raise PatrolError(
            f"{asset.name} is declared without its columns, which a policy's cases need with their types: "
            f"write columns: {{…_id: varchar, …_at: timestamp}} under it in policies/_assets.yml."
        )
    if not re.fullmatch(r"[A-Za-z_][\w$]*(\.[A-Za-z_][\w$]*){0,3}", asset.name):
        raise PatrolError(
            f"{asset.name} cannot be named in a policy's SQL: table('…') takes letters, digits, _ and dots."
        )
    return asset


DECLARE = (
    "Declare it there: core.orders: {owner: payments, loaded_until: created_at, columns: {order_id: varchar, "
    "…, created_at: timestamp}}; --declare writes it from the warehouse's columns."
)


def _column(said: str, asset: Asset, flag: str) -> str:
    if said.lower() not in asset.columns:
        raise PatrolError(f"{flag}: {asset.name} has no column {said}{near(said, asset.columns) or '.'}")
    return said.lower()


def time_of(said: str | None, asset: Asset, shape: Shape, dialect: str) -> str | None:
    if said is None:
        found = guess.time(asset, dialect)
    elif said.lower() == NONE and NONE not in asset.columns:
        found = None
    else:
        found = _column(said, asset, "--time")
        if (kind := asset.columns[found]) and kind_of(asset, found, dialect) != "time":
            raise PatrolError(f"--time: {found} is of type {kind}; a window needs a timestamp.")
    if found is None and shape.needs_time:
        raise PatrolError(
            f"The shape {shape.name} looks at a stretch of time; {asset.name} has no column that says when: "
            "say --time COLUMN, or take event, threshold, watchlist or ring."
        )
    return found


def list_of(said: str | None, catalog: Catalog, shape: Shape) -> Asset | None:
    """The declared table that is the watch list, where one is asked for and named."""
    return catalog.tables.get(said.lower()) if said and shape.name == "watchlist" else None


def key_of(
    said: tuple[str, ...],
    asset: Asset,
    shape: Shape,
    catalog: Catalog,
    dialect: str,
    watchlist: Asset | None = None,
) -> tuple[str, ...]:
    if not said:
        found = guess.key(asset, shape, catalog, dialect, watchlist)
        if found is None:
            raise PatrolError(f"Say what an alert is about: --key with a column of {asset.name}.")
        return (found,)
    key = tuple(dict.fromkeys(_column(one, asset, "--key") for one in said))
    for column in key:
        if kind_of(asset, column, dialect) not in NAMING:
            kind = asset.columns[column]
            raise PatrolError(
                f"--key: {column} is of type {kind}; an alert is about a text or a whole number."
            )
    return key


def row_key_of(
    said: tuple[str, ...], asset: Asset, shape: Shape, key: tuple[str, ...], time: str | None, dialect: str
) -> tuple[str, ...]:
    """The columns that tell rows apart; none, where only all of them together do."""
    rows = tuple(dict.fromkeys(_column(one, asset, "--row-key") for one in said))
    if not said and (found := guess.row_id(asset, dialect)) and (found not in key or time is None):
        rows = (found,)
    if shape.number and shape.events and set(rows) <= set(key) and (said or time is None):
        raise PatrolError("--row-key: say a column that tells the rows of one key apart, so that they count.")
    return rows


def distinct_of(
    said: str | None, asset: Asset, shape: Shape, key: tuple[str, ...], dialect: str
) -> str | None:
    if not shape.needs_distinct:
        if said is not None:
            raise PatrolError(f"--distinct is for burst and ring; the shape {shape.name} counts rows.")
        return None
    if said is None:
        found = guess.distinct(asset, key, dialect)
        if found is None:
            raise PatrolError(f"Say of what there are many: --distinct with a column of {asset.name}.")
        return found
    found = _column(said, asset, "--distinct")
    if found in key:
        raise PatrolError(f"--distinct: {found} is the key; say another column, of which the key has many.")
    if kind_of(asset, found, dialect) not in NAMING:
        raise PatrolError(f"--distinct: {found} is of type {asset.columns[found]}; take a text or a number.")
    return found


def text_of(said: str | None, asset: Asset, dialect: str) -> str | None:
    if said is None:
        return guess.text(asset, dialect)
    return None if said.lower() == NONE and NONE not in asset.columns else _column(said, asset, "--text")


def match_of(
    said: str | None, asset: Asset, shape: Shape, dialect: str, taken: set[str], has_of: bool
) -> tuple[Condition, ...]:
    if said:
        return parse(said, asset, dialect, taken)
    example = guess.match_example(asset, dialect, taken)
    if shape.needs_match:
        raise PatrolError(f'Say which rows it is after: --match, such as --match "{example}".')
    if shape.name == "rate" and not has_of:
        raise PatrolError(
            f'Say what the share is of: --match, such as --match "{example}" for a part of the rows, '
            "or --of TABLE for the table whose rows they are compared with."
        )
    return ()


def of_of(
    said: str | None, catalog: Catalog, asset: Asset, shape: Shape, key: tuple[str, ...], dialect: str
) -> tuple[Asset | None, str | None]:
    """The table that the share is of, and its column of time."""
    if said is None:
        return None, None
    if shape.name != "rate":
        raise PatrolError(f"--of is for rate; the shape {shape.name} has no share.")
    of = table_of(said, catalog, "--of")
    if of.name == asset.name:
        return None, None
    if missing := [column for column in key if column not in of.columns]:
        raise PatrolError(f"--of: {of.name} has no column {missing[0]}, which is the key.")
    time = guess.time(of, dialect)
    if time is None:
        raise PatrolError(f"--of: {of.name} has no column that says when.")
    return of, time


def watchlist_of(
    wish: Wish, catalog: Catalog, shape: Shape, key: tuple[str, ...]
) -> tuple[Asset | None, str]:
    """The watch list and its column that is looked for."""
    if shape.name != "watchlist":
        if wish.watchlist or wish.on:
            raise PatrolError(f"--watchlist and --on are for watchlist, not for the shape {shape.name}.")
        return None, ""
    if wish.watchlist is None:
        tables = ", ".join(sorted(catalog.tables)[:20])
        raise PatrolError(f"Say which table is the list: --watchlist with one of {tables}.")
    found = table_of(wish.watchlist, catalog, "--watchlist")
    if found.name == (wish.table or "").lower():
        raise PatrolError("--watchlist: a table cannot be its own watch list.")
    if wish.on is not None:
        return found, _column(wish.on, found, "--on")
    shared = [column for column in key if column in found.columns]
    if not shared:
        raise PatrolError(
            f"--watchlist: {found.name} has no column {key[0]}; say with --on which of its columns holds it: "
            f"{', '.join(found.columns)}."
        )
    return found, shared[0]


def owner_of(said: str | None, asset: Asset, catalog: Catalog) -> str:
    if said is None:
        found = guess.owner(asset, catalog)
        if found is None:
            raise PatrolError(
                "There is no team that could own it: write policies/_teams.yml, such as "
                "payments: {channel: C0PAYMENTS, members: {ana: {slack: U0ANA}}}."
            )
        return found
    if said not in catalog.teams:
        raise PatrolError(f'--owner: there is no team "{said}"{_or_those(said, catalog.teams)}')
    return said


def severity_of(said: str | None) -> str:
    words = [severity.name for severity in Severity]
    if said is not None and said not in words:
        raise PatrolError(f'--severity: "{said}" is none; it is one of {", ".join(words)}.')
    return said or "medium"


def number_of(said: int | None, shape: Shape) -> int:
    if shape.number is None:
        if said is not None:
            raise PatrolError(
                f"--threshold means nothing here: with the shape {shape.name} one row is enough."
            )
        return 1
    default, least, most = shape.number
    if said is not None and not least <= said <= most:
        raise PatrolError(
            f"--threshold ({shape.counts}) goes from {least} to {most}; change the files later."
        )
    return default if said is None else said


def least_hits_of(said: int | None, shape: Shape) -> int:
    """From how many hits on a share may alert: one that had none before would by its first."""
    if said is not None and shape.name != "rate":
        raise PatrolError(f"--least-hits is for rate; the shape {shape.name} has no share.")
    if said is not None and not 1 <= said <= MOST_HITS:
        raise PatrolError(f"--least-hits goes from 1 to {MOST_HITS}; change the files later.")
    return LEAST_HITS if said is None else said


def span_of(said: timedelta | None, shape: Shape) -> timedelta:
    if said is None:
        return shape.span or timedelta(days=1)
    if shape.span is None:
        raise PatrolError(f"--window means nothing for the shape {shape.name}.")
    if not timedelta(minutes=1) <= said <= timedelta(days=14):
        raise PatrolError("--window goes from 1m to 14d; change the files later.")
    return said


def violation_of(said: str | None, name: str, catalog: Catalog) -> str | None:
    if said is None:
        return guess.violation(name, catalog)
    if said == NONE and said not in catalog.violations:
        return None
    if said not in catalog.violations:
        raise PatrolError(f'--violation: there is no violation "{said}"{_or_those(said, catalog.violations)}')
    return said


def _or_those(said: str, known: Iterable[str]) -> str:
    names = sorted(known)
    return near(said, names) or f"; there are {', '.join(names[:20])}." if names else "; there is none yet."
