"""The shapes that recur: what each finds, what it needs; its two files are templates beside this module."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from importlib.resources import files

from bot.process.errors import PatrolError
from sensors.near import near

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@dataclass(frozen=True)
class Shape:
    """One shape. `own` are names in its SQL that must not be those of columns or tables."""

    name: str
    finds: str
    example: str
    number: tuple[int, int, int] | None = None  # the threshold: default, least, most
    counts: str = ""  # what the threshold counts
    span: timedelta | None = None  # over how long
    every: timedelta = HOUR
    needs_time: bool = False
    needs_match: bool = False
    needs_distinct: bool = False
    events: bool = False  # its rows are the table's; else one row per key
    by_entity: bool = True  # its key is a person or a thing; else something that many have in common
    own: tuple[str, ...] = ()

    def text(self, ending: str) -> str:
        return (files(__package__) / "shapes" / f"{self.name}.{ending}").read_text(encoding="utf-8")


MINUTES = timedelta(minutes=5)
SHAPES = {
    shape.name: shape
    for shape in (
        Shape(
            "event",
            "one row is enough: it should not be there",
            "a message that offers a payment outside",
            every=MINUTES,
            events=True,
            needs_match=True,
        ),
        Shape(
            "threshold",
            "too many rows of one key within a time",
            "a buyer with three refunds in a day",
            number=(3, 2, 1000),
            counts="rows",
            span=DAY,
            every=MINUTES,
            events=True,
        ),
        Shape(
            "rate",
            "a share that jumps against what it was before",
            "a seller whose refund rate trebled",
            number=(3, 2, 10),
            counts="times the usual share",
            span=DAY,
            needs_time=True,
            own=(
                *("hit_rows", "all_rows", "hits", "hits_before"),
                *("out_of", "out_of_before", "rate", "usual_rate"),
            ),
        ),
        Shape(
            "burst",
            "many new accounts from one place in a short time",
            "a device that signs up five accounts in 15 minutes",
            number=(5, 2, 50),
            counts="accounts",
            span=timedelta(minutes=15),
            every=MINUTES,
            needs_time=True,
            needs_distinct=True,
            by_entity=False,
            own=("accounts", "first_at", "last_at"),
        ),
        Shape(
            "watchlist",
            "somebody, or something, of a list turns up",
            "an order by a blocked account",
            every=MINUTES,
            events=True,
        ),
        Shape(
            "ring",
            "several that share one thing; duplicates",
            "three sellers with one payout account",
            number=(3, 2, 50),
            counts="that share it",
            span=7 * DAY,
            needs_distinct=True,
            by_entity=False,
            own=("shared", "members"),
        ),
        Shape(
            "anomaly",
            "much more in a day than in its own past",
            "a seller with three times the orders of a usual day",
            number=(3, 2, 50),
            counts="times the usual day",
            needs_time=True,
            own=(
                *("days", "day_of", "on_day", "usual", "days_seen"),
                *("usual_day", "most_before", "latest", "rows_now"),
            ),
        ),
        Shape(
            "stale",
            "something that used to come has stopped",
            "a seller whose parcels are no longer scanned",
            number=(5, 2, 1000),
            counts="rows of the week before",
            span=DAY,
            needs_time=True,
            own=("rows_before", "newest_at"),
        ),
    )
}


def shape_of(name: str) -> Shape:
    """The shape of that name; PatrolError names those that there are."""
    if name not in SHAPES:
        raise PatrolError(
            f'There is no shape "{name}"{near(name, SHAPES) or "."} There are {", ".join(SHAPES)}.'
        )
    return SHAPES[name]
