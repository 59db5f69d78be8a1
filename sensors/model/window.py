"""The stretch of time that a run looks at. Half-open, aware UTC."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sensors.model.policy import Incremental, Now, Trailing, WindowKind


@dataclass(frozen=True)
class Window:
    """`[start, end)`; `start` is None where a policy looks at the world as it is, `end` is then the as-of."""

    start: datetime | None
    end: datetime
    baseline_start: datetime | None = None

    @property
    def empty(self) -> bool:
        return self.start is not None and self.start >= self.end

    def halved(self) -> Window:
        """The earlier half of it: what is looked at again when the whole gave too many rows."""
        if self.start is None:
            return self
        return Window(self.start, self.start + (self.end - self.start) / 2, self.baseline_start)

    def binds(self) -> dict[str, datetime]:
        """The values behind `:window_start`, `:window_end`, `:baseline_start` in a query."""
        bounds = {
            "window_start": self.start,
            "window_end": self.end,
            "baseline_start": self.baseline_start,
        }
        return {name: at for name, at in bounds.items() if at is not None}


INSTANT = timedelta(microseconds=1)  # the finest step of a warehouse's time
EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)  # what is said to be older is the zero of some other clock
LATEST = datetime(2261, 1, 1, tzinfo=UTC)  # and what is later, such as infinity, is no time of anything


def window_for(
    kind: WindowKind, due: datetime, watermark: datetime | None, data_until: datetime | None
) -> Window:
    """What a run that is due at `due` looks at.

    `watermark` is where the last incremental run ended (None: never ran; then the lookback, or an hour,
    before the end). `data_until` is the time of the newest row of the table that is furthest behind among
    those with the window's column, None where no table has such a source; that row is looked at, and so
    is its instant again next time, because others may come that share it (row memory makes this harmless).
    An incremental window may be empty: nothing new has been loaded.
    """
    until = None if data_until is None else data_until + INSTANT
    match kind:
        case Now():
            return Window(None, due)
        case Trailing(span=span, baseline=baseline):
            end = due if until is None else min(due, until)
            start = end - span
            return Window(start, end, None if baseline is None else start - baseline)
        case Incremental(lookback=lookback, delay=delay):
            end = due - delay if until is None else min(due - delay, until)
            if watermark is None:
                return Window(end - max(lookback, timedelta(hours=1)), end)
            return Window(watermark - lookback - INSTANT, end) if end > watermark else Window(end, end)
