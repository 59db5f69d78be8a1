"""Makes a case of rows of the warehouse: sliced, shrunk to what is needed, masked, tried. Writes no file."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from bot.core.action import Fire
from bot.core.words import count
from bot.workbench.one_look import judged, window_at
from sensors.cases.pseudonyms import Pseudonyms, Rules, vocabulary
from sensors.cases.shrinking import shrunk
from sensors.cases.slicing import Looks, Slice, Tables, slice_of
from sensors.cases.text import CaseText, written
from sensors.model.asset import Asset
from sensors.model.case import Filled
from sensors.model.catalog import Catalog
from sensors.model.policy import Incremental, Policy
from sensors.model.violation import Values, shown
from sensors.sql.joins import Joins
from sensors.warehouse import Warehouse, WarehouseError
from sensors.warehouse.column_type import column_type
from sensors.warehouse.duck_memory import Memory

KEPT = 50  # rows of a table where nothing says which are needed
SECOND = timedelta(seconds=1)
Fires = Mapping[frozenset[tuple[str, str]], Fire]  # by the key's values as people see them


@dataclass(frozen=True)
class Wish:
    """What a case is to be made of. `raised`: the version of the policy that found the rows, if one did."""

    key: Values
    at: datetime
    raised: Policy | None = None
    silent: bool = False  # it is to say that nothing should alert
    severity: str = ""  # of the alert, if there was one
    name: str = ""
    notes: tuple[str, ...] = ()
    keep: frozenset[str] = frozenset()  # columns that are not masked
    most: int = 500  # rows that are read of each place in the query


@dataclass(frozen=True)
class Drafted:
    """A case, and what is to be said of it. `good`: it does what it is for."""

    case: CaseText
    fires: int  # alerts of the policy as it now stands, on the rows of the case
    good: bool
    said: tuple[str, ...] = ()
    wrong: tuple[str, ...] = ()


@dataclass
class Drafting:
    """One case in the making."""

    policy: Policy
    catalog: Catalog
    warehouse: Warehouse
    memory: Memory
    wish: Wish
    said: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def draft(self) -> Drafted:
        """Raises WarehouseError where the rows cannot be had, or the tables' columns are not declared."""
        wish, raised = self.wish, self.wish.raised or self.policy
        at, sliced, found = self._sliced(raised)
        like = found.get(_name(wish.key))
        tables, needed = self._fewer(raised, at, sliced.tables, like)
        self._say_rows(sliced, tables, needed)
        if like is not None and wish.severity and wish.severity != like.severity.name:
            self.said.append(
                f"the alert was {wish.severity}; one look at its rows makes it {like.severity.name}"
            )
        masks, masked = self._masked(raised, at, tables, like, sliced.joins)
        now = self._fires(self.policy, masked, at)
        if wish.raised is None and not any(tables.values()):
            self.wrong.append("the warehouse has no rows of it within the policy's window: see --at")
        if wish.raised is not None and like is None:
            self.wrong.append(_lost(sliced))
        if not wish.silent and wish.raised is not None and like is not None and not now:
            self.wrong.append("the policy as it now stands does not alert on it")
        expect = () if wish.silent else tuple(_expected(fire) for fire in now.values())
        case = CaseText(self._named(masks), at, masked, expect, self._notes(masks))
        return Drafted(case, len(now), not self.wrong, tuple(self.said), tuple(self.wrong))

    # ------------------------------------------------------------------------- rows

    def _sliced(self, raised: Policy) -> tuple[datetime, Slice, Fires]:
        """The rows as of the wish's time, rounded up to a second where that changes nothing."""
        exact = self.wish.at
        rounded = exact if not exact.microsecond else exact.replace(microsecond=0) + SECOND
        for at in dict.fromkeys((rounded, exact)):
            sliced = self._slice(raised, at)
            found = self._fires(raised, sliced.tables, at)
            if _name(self.wish.key) in found:
                break
        return at, sliced, found

    def _slice(self, raised: Policy, at: datetime) -> Slice:
        """The tables of both versions: a mended one may read more of them."""
        wanted = [Looks(one, window_at(one, at)) for one in (raised, self.policy)]
        return slice_of(wanted, self.catalog.assets, self.warehouse, self.wish.key, self.wish.most)

    def _fires(self, policy: Policy, tables: Tables, at: datetime) -> Fires:
        assets = self.catalog.assets
        reads = [table for table in policy.query.tables if table in assets]
        here = [_filled(assets[table], policy, rows) for table, rows in tables.items() if table in reads]
        with self.memory.holding([assets[table] for table in reads], policy.query.dialect, here):
            team = self.catalog.teams.get(policy.owner)
            looked, found = judged(policy, self.memory, window_at(policy, at), team)
        if not looked.ok:
            raise WarehouseError(looked.error or looked.status.value)
        return {_name(fire.key_values): fire for fire in found.fired}

    def _fewer(self, raised: Policy, at: datetime, tables: Tables, like: Fire | None) -> tuple[Tables, bool]:
        """The rows that the alert needs, and whether all of them are; the newest where there is no alert."""
        if like is None:
            return {table: rows[-KEPT:] for table, rows in tables.items()}, False
        return shrunk(tables, self._alerts(raised, at, self.wish.key, like, alike=self.wish.silent))

    def _alerts(
        self, policy: Policy, at: datetime, key: Values | None, like: Fire, *, alike: bool = False
    ) -> Callable[[Tables], bool]:
        """Whether rows still alert as `like` did: as bad, and with a value wherever it had one.

        `alike`: with the same count and values, too: one that is smaller than was reported is mended sooner.
        `key` None: it is not known how the rows tell it, so there must be one alert and no other.
        """

        def holds(tables: Tables) -> bool:
            try:
                fires = self._fires(policy, tables, at)
            except WarehouseError:
                return False
            only = next(iter(fires.values())) if len(fires) == 1 else None
            fire = only if key is None else fires.get(_name(key))
            if fire is None or (alike and (fire.count, fire.newest) != (like.count, like.newest)):
                return False
            return fire.severity is like.severity and _nulls(fire) == _nulls(like)

        return holds

    def _say_rows(self, sliced: Slice, tables: Tables, needed: bool) -> None:
        read, kept = (sum(len(rows) for rows in held.values()) for held in (sliced.tables, tables))
        more = "" if needed or not kept else f"; it may do with fewer than these {kept}"
        self.said.append(f"{count(read, 'row')} read of {', '.join(sliced.tables)}; {kept} kept{more}")
        for table in sliced.cut:
            self.said.append(f"{table} has more rows than the {self.wish.most} that were read: see --rows")
        for table in sliced.whole:
            self.said.append(f"nothing in the SQL ties {table} to the key: its newest rows were read")

    # ---------------------------------------------------------------------- masking

    def _masked(
        self, raised: Policy, at: datetime, tables: Tables, like: Fire | None, joins: Joins
    ) -> tuple[Pseudonyms, Tables]:
        """The rows with stand-ins; where these change what comes of them, the columns that do are named."""
        rules = self._rules(joins)
        masks = Pseudonyms(rules)
        masked = masks.tables(tables)
        self._say_kept(tables)
        if like is None or self._alerts(raised, at, _stands_for(masks, self.wish.key), like)(masked):
            return masks, masked
        guilty = [
            c for c in _changed(tables, masked) if self._alerts_with(raised, at, tables, like, rules, c)
        ]
        columns = ", ".join(guilty) or "several columns together"
        keep = f": --keep {guilty[0]} leaves it as it is" if guilty else ""
        self.wrong.append(f"masking {columns} changes what comes of the rows{keep}")
        return masks, masked

    def _say_kept(self, tables: Tables) -> None:
        """A column that was misspelt is masked all the same: nobody should think that it was kept."""
        cells = [cell for rows in tables.values() for row in rows for cell in row.items()]
        strange = self.wish.keep - {name for name, _ in cells}
        if cells and strange and not any(isinstance(value, Mapping) for _, value in cells):
            self.said.append(f"--keep {', '.join(sorted(strange))}: the rows have no such column")

    def _alerts_with(
        self, raised: Policy, at: datetime, tables: Tables, like: Fire, rules: Rules, column: str
    ) -> bool:
        masks = Pseudonyms(replace(rules, keep=rules.keep | {column}))
        masked = masks.tables(tables)
        return self._alerts(raised, at, _stands_for(masks, self.wish.key), like)(masked)

    def _rules(self, joins: Joins) -> Rules:
        columns = self.policy.alert.columns
        hidden = {name for name, how in columns.items() if how != "show"}
        hidden |= {column for name in hidden for _, column in joins.made_of.get(name, ())}
        ids = {column for name in self.policy.key for _, column in joins.made_of.get(name, ())}
        named = frozenset({*ids, *self.policy.key})
        ids |= {*named, *self.catalog.entities}
        texts = [*joins.words, *(str(value) for value in self.policy.query.params.values())]
        spread = _spread(frozenset(ids), joins)
        return Rules(spread, frozenset(hidden), self.wish.keep, vocabulary(texts), named)

    # ------------------------------------------------------------------------ words

    def _named(self, masks: Pseudonyms) -> str:
        """A name that no other case of the policy has."""
        name, taken = self._called(masks), {case.name for case in self.policy.cases}
        numbered = (name, *(f"{name} ({n})" for n in range(2, len(taken) + 2)))
        return next(one for one in numbered if one not in taken)

    def _called(self, masks: Pseudonyms) -> str:
        if self.wish.name:
            return self.wish.name
        known = _stands_for(masks, self.wish.key) or {
            n: masks.value("name", v) for n, v in self.wish.key.items()
        }
        key = ", ".join(f"{n} {v}" for n, v in known.items())
        return f"{key or 'the whole platform'} as of {self.wish.at:%Y-%m-%d %H:%M}"

    def _notes(self, masks: Pseudonyms) -> tuple[str, ...]:
        return tuple(str(masks.value("note", note)) for note in self.wish.notes)


def at_of(policy: Policy, as_of: datetime) -> datetime:
    """The time at which a case looks as far as a run did that ended there."""
    return as_of + (policy.window.delay if isinstance(policy.window, Incremental) else timedelta())


def _filled(asset: Asset, policy: Policy, rows: tuple[Values, ...]) -> Filled:
    columns = tuple(dict.fromkeys(name for row in rows for name in row))
    kinds = {name: column_type(asset.columns.get(name, ""), policy.query.dialect) for name in columns}
    nested = {name for name, kind in kinds.items() if kind and kind.kind == "json"}

    def cell(row: Values, name: str) -> Any:
        value = row.get(name)
        return value if name not in nested or value is None else json.dumps(written({"": value})[""])

    return Filled(asset.name, columns, tuple(tuple(cell(row, name) for name in columns) for row in rows))


def _name(key: Values) -> frozenset[tuple[str, str]]:
    return frozenset((name, str(shown(value))) for name, value in key.items())


def _nulls(fire: Fire) -> frozenset[str]:
    return frozenset(name for name, value in fire.newest.items() if value is None)


def _expected(fire: Fire) -> dict[str, Any]:
    return {**fire.key_values, "severity": fire.severity.name}


def _stands_for(masks: Pseudonyms, key: Values) -> dict[str, Any] | None:
    """The key as the masked rows have it; None where its values are not in them: the query makes them."""
    found = {name: masks.stand_in(value) for name, value in key.items()}
    return None if None in found.values() else found


def _changed(tables: Tables, masked: Tables) -> Iterator[str]:
    """Columns in which masking changed anything, each once."""
    pairs = ((a, b) for t, rows in tables.items() for a, b in zip(rows, masked[t], strict=True))
    return iter(dict.fromkeys(name for a, b in pairs for name in a if a[name] != b[name]))


def _spread(ids: frozenset[str], joins: Joins) -> frozenset[str]:
    """Columns that the query holds equal to ids are ids."""
    while True:
        firm = [(link.one[1], link.other[1]) for link in joins.links if not link.loose]
        more = {b for pair in firm for a, b in (pair, pair[::-1]) if a in ids}
        if more <= ids:
            return ids
        ids = ids | more


def _lost(sliced: Slice) -> str:
    """Why the rows do not do what they did."""
    why = (
        ", for rows were cut: say more --rows" if sliced.cut else ": the rows have changed since, or are gone"
    )
    return f"the version that raised the alert does not alert on what is in the warehouse now{why}"
