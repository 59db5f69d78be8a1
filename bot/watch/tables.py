"""Asks the warehouse until when tables are loaded: all by one query, and in turn among all processes."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.core.plan import EPOCH
from bot.core.stale import PATIENCE, patience
from bot.engine.engine import Engine
from bot.process.log import get
from sensors.model.asset import LAST_ALTERED, Asset
from sensors.seen import Seen, seen_of, untold
from sensors.warehouse import WarehouseError
from sensors.warehouse.able import mark, within

log = get("tables")

AWAITED = timedelta(seconds=10)  # between two looks at tables that something waits for or runs after
ALL = timedelta(seconds=60)  # … and at the others, of which only the age is told
LEFT_OUT = timedelta(minutes=5)  # a table that the warehouse refuses to tell of, so that it hides no other
TURN = "upstreams"
WHOLE = "warehouse:"  # no table's name: under it stand the marks of which one process has looked
NONE = Seen({}, {})


@dataclass(frozen=True)
class Untold:
    """A table of which the warehouse does not say how old it is."""

    since: datetime
    why: str
    asked_at: datetime
    refused: bool = False  # the query failed, so it is left out for a while
    empty: bool = False  # it is there and holds no row

    def left_out(self, now: datetime) -> bool:
        return self.refused and timedelta() <= now - self.asked_at < LEFT_OUT


class Tables:
    """What this process saw last, and when it is to look again."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.ages: Mapping[str, datetime] = {}  # by name, how old each is as it was seen last
        self.untold: Mapping[str, Untold] = {}  # by name, those whose age is not known, not for want of rows
        self.empty: Mapping[str, Untold] = {}  # those that should have an age and hold no row
        self._next, self._all_next = EPOCH, EPOCH
        self._mark = ""

    def due(self, now: datetime) -> bool:
        """Whether it is time to look, and no other process does: at once where the warehouse says that it has
        changed."""
        if self._moved(now):
            self._next = now + AWAITED
            self.engine.store.pace.rest(TURN, self._next)
            return True
        if self._next - AWAITED <= now < self._next:
            return False
        free = self.engine.store.pace.turn(TURN, now, AWAITED)
        self._next = now + AWAITED if free == now else free
        return free == now

    def _moved(self, now: datetime) -> bool:
        """Whether the warehouse says that it is another, and no other process has looked at it so. One that
        is back where it was waits for the next turn."""
        found = mark(self.engine.warehouse)
        if found in ("", self._mark):
            return False
        first = self.engine.store.states.record(WHOLE, found, now, now)
        self._mark = found
        return first

    def due_whole(self, now: datetime) -> bool:
        """Whether it is time to look at those that nothing waits for, too."""
        return not self._all_next - ALL <= now < self._all_next

    def look(self, wanted: Iterable[Asset], now: datetime, *, whole: bool) -> Seen:
        """`whole`: whether all that have an age are among them; what was refused is asked again only then.
        Raises WarehouseError."""
        tables = {asset.name: asset for asset in wanted}
        held = {name: one for name, one in self.untold.items() if one.refused}
        asked = [
            asset
            for name, asset in tables.items()
            if name not in held or (whole and not held[name].left_out(now))
        ]
        seen, untold = self._ask(asked, now)
        names = {asset.name for asset in asked}
        self.ages = {n: at for n, at in self.ages.items() if n not in tables} | dict(seen.ages)
        before = {n: one for n, one in self.untold.items() if n not in names and (n in tables or not whole)}
        self.untold = before | untold
        self.empty = self._empty(asked, seen, now, kept={} if whole else self.empty)
        if whole:
            self._all_next = now + ALL
        return seen

    def _empty(
        self, asked: Iterable[Asset], seen: Seen, now: datetime, kept: Mapping[str, Untold]
    ) -> dict[str, Untold]:
        """Since when each of these has held no row, beside what is `kept` of others."""
        found = dict(kept)
        for asset in asked:
            found.pop(asset.name, None)
            tells = asset.name in seen.ages or asset.name in self.untold or asset.aged_by == LAST_ALTERED
            if (asset.warn_after or asset.late_after) and not tells:
                known = self.empty.get(asset.name)
                since = known.since if known else self._lost(asset, now)
                found[asset.name] = Untold(since, "", now, empty=True)
        return found

    def _lost(self, asset: Asset, now: datetime) -> datetime:
        """Since when it counts as empty: as old as the newest row that any process has seen in it, but for
        the time that a load may take."""
        state = self.engine.store.states.newest([asset.name]).get(asset.name)
        latest = now - (patience(asset, empty=True) - PATIENCE)
        return min(now, max(state.at, latest)) if state else now

    def _ask(self, asked: Collection[Asset], now: datetime) -> tuple[Seen, dict[str, Untold]]:
        """By one query (and one for each bundle with a session of its own); where one cannot be asked each by
        itself. What is known, and of which it is not."""
        if not asked:
            return NONE, {}
        try:
            return self._asked(asked, now)
        except WarehouseError as error:
            if error.transient:
                raise
        self.engine.warehouse.ping()  # the whole of it may be away, which is told by itself
        found, untold = NONE, dict[str, Untold]()
        for asset in asked:
            try:
                one, gone = self._asked([asset], now)
            except WarehouseError as error:
                if error.transient:
                    raise
                log.warning("not seen how far a table is loaded", table=asset.name, why=error.message)
                untold[asset.name] = self._untold(asset.name, error.message, now, refused=True)
            else:
                found = found.with_(one)
                untold |= gone
        return found, untold

    def _asked(self, asked: Collection[Asset], now: datetime) -> tuple[Seen, dict[str, Untold]]:
        found, untold_of = NONE, dict[str, Untold]()
        for session in sorted({asset.session for asset in asked}):
            mine = [asset for asset in asked if asset.session == session]
            warehouse = within(self.engine.warehouse, session)
            seen = seen_of(mine, warehouse, now)
            found = found.with_(seen)
            why = {asset.name: untold(asset, warehouse, seen) for asset in mine}
            untold_of |= {name: self._untold(name, said, now) for name, said in why.items() if said}
        return found, untold_of

    def _untold(self, name: str, why: str, now: datetime, *, refused: bool = False) -> Untold:
        known = self.untold.get(name)
        return Untold(known.since if known else now, why, now, refused)
