"""What a new policy is to be, everything decided: the shape, the table and the part that each column has."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from bot.new.column import NAMING, kind_of
from bot.new.condition import Condition
from bot.new.shape import Shape
from sensors.model.asset import Asset


@dataclass(frozen=True)
class Idea:
    """All that the two files depend on."""

    name: str  # payments.refund_spike
    shape: Shape
    table: Asset
    key: tuple[str, ...]
    owner: str
    dialect: str
    severity: str = "medium"
    row_key: tuple[str, ...] = ()
    time: str | None = None
    text: str | None = None
    match: tuple[Condition, ...] = ()
    number: int = 1
    least_hits: int = 1  # rate: fewer never alert
    span: timedelta = timedelta(days=1)
    distinct: str | None = None
    of: Asset | None = None  # rate: the table whose rows the share is of
    of_time: str | None = None
    watchlist: Asset | None = None
    on: str = ""  # its column
    list_columns: tuple[str, ...] = ()  # what it says beside
    violation: str | None = None

    @property
    def on_key(self) -> str:
        """The column of the key that is looked for in the watch list."""
        return self.on if self.on in self.key else self.key[0]

    @property
    def tables(self) -> tuple[Asset, ...]:
        """The tables that the SQL reads, each once."""
        every = (self.table, self.of, self.watchlist)
        return tuple({one.name: one for one in every if one is not None}.values())

    def ids(self, asset: Asset) -> list[str]:
        """The columns that tell one row of the table from another."""
        if asset is self.table and self.row_key:
            return list(self.row_key)
        first = next(iter(asset.columns), "")
        return [first] if first and kind_of(asset, first, self.dialect) in NAMING else []
