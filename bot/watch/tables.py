"""Asks the warehouse until when tables are loaded: all by one query, and in turn among all processes."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta

from bot.core.plan import EPOCH
from bot.engine.engine import Engine
from bot.process.log import get
from sensors.model.asset import Asset
from sensors.run import Seen, seen_of
from sensors.warehouse import WarehouseError

log = get("tables")

AWAITED = timedelta(seconds=10)  # between two looks at tables that something waits for or runs after
ALL = timedelta(seconds=60)  # … and at the others, of which only the age is told
LEFT_OUT = timedelta(minutes=10)  # a table that cannot be asked, so that it hides no other
TURN = "upstreams"
NONE = Seen({}, {})


class Tables:
    """What this process saw last, and when it is to look again."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.ages: Mapping[str, datetime] = {}  # by name, how old each is as it was seen last
        self._next, self._all_next = EPOCH, EPOCH
        self._left_out: dict[str, datetime] = {}  # by name: until when

    def due(self, now: datetime) -> bool:
        """Whether it is time to look, and no other process does."""
        if self._next - AWAITED <= now < self._next:
            return False
        free = self.engine.store.pace.turn(TURN, now, AWAITED)
        self._next = now + AWAITED if free == now else free
        return free == now

    def due_whole(self, now: datetime) -> bool:
        """Whether it is time to look at those that nothing waits for, too."""
        return not self._all_next - ALL <= now < self._all_next

    def look(self, wanted: Iterable[Asset], now: datetime, *, whole: bool) -> Seen:
        """`whole`: whether all that have an age are among them. Raises WarehouseError."""
        tables = {asset.name: asset for asset in wanted}
        seen = self._ask([a for a in tables.values() if self._left_out.get(a.name, EPOCH) <= now], now)
        self.ages = {n: at for n, at in self.ages.items() if n not in tables} | dict(seen.ages)
        if whole:
            self._all_next = now + ALL
        return seen

    def _ask(self, asked: Collection[Asset], now: datetime) -> Seen:
        """By one query; where one cannot be asked each by itself, and that one not again for a while."""
        try:
            return seen_of(asked, self.engine.warehouse) if asked else NONE
        except WarehouseError as error:
            if error.transient or len(asked) == 1:
                raise
        found = NONE
        for asset in asked:
            try:
                one = seen_of([asset], self.engine.warehouse)
            except WarehouseError as error:
                log.warning("not seen how far a table is loaded", table=asset.name, why=error.message)
                self._left_out[asset.name] = now + LEFT_OUT
            else:
                found = Seen({**found.loaded, **one.loaded}, {**found.ages, **one.ages})
        return found
