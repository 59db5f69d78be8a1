"""What a policy's alerts came to, and what follows: it has earned `live`, or has become noisy. Pure.

Precision is TP / (TP + FP), with Wilson's interval of 95 %; what was called anything else counts for neither.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import ceil

from bot.core.alert import Disposition, FalseCause
from bot.core.score import Share
from bot.core.words import count

OVER = timedelta(days=30)  # so far back verdicts count
ENOUGH = 10  # verdicts before a share says anything
LEFT_ALONE = 20  # alerts that people had the time to touch, before it says anything that they did not
TIME_TO_TOUCH = timedelta(days=3)
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Rule:
    """What a policy must show in shadow. `precision` or `lower` is enough, each over at least `judged`."""

    judged: int = ENOUGH  # verdicts, right or wrong
    precision: float = 0.8
    lower: float = 0.5  # of the interval
    a_day: float = 20.0  # alerts that a team can handle
    days: int = 3  # in shadow


@dataclass(frozen=True)
class Verdict:
    """One alert of the policy: what it was called, if anything, and whether anybody has touched it."""

    opened_at: datetime
    disposition: Disposition | None = None
    cause: FalseCause | None = None
    touched: bool = False


@dataclass(frozen=True)
class Record:
    """What alerts of one lane and one version came to within `span`."""

    right: int = 0
    wrong: int = 0
    opened: int = 0
    left_alone: int = 0  # of those that were there long enough
    long_enough: int = 0
    span: timedelta = timedelta()
    causes: Mapping[FalseCause, int] = field(default_factory=dict)  # of the wrong ones, most first

    @property
    def judged(self) -> int:
        return self.right + self.wrong

    @property
    def precision(self) -> float:
        return Share(self.right, self.judged).value or 0.0

    @property
    def interval(self) -> tuple[float, float]:
        return Share(self.right, self.judged).interval

    @property
    def a_day(self) -> float:
        """Over at least a day: an hour's alerts say nothing of a day's."""
        return self.opened / max(1.0, self.span / DAY)


def record(verdicts: Iterable[Verdict], since: datetime, now: datetime) -> Record:
    """Of alerts of one lane and version, which was there `since` then. What is older than `OVER` is past."""
    since = max(since, now - OVER)
    mine = [one for one in verdicts if one.opened_at >= now - OVER]
    old = [one for one in mine if now - one.opened_at >= TIME_TO_TOUCH]
    wrong = [one for one in mine if one.disposition is Disposition.false_positive]
    causes = [one.cause for one in wrong if one.cause]
    counted = {cause: causes.count(cause) for cause in FalseCause if cause in causes}
    return Record(
        right=sum(one.disposition is Disposition.true_positive for one in mine),
        wrong=len(wrong),
        opened=len(mine),
        left_alone=sum(not one.touched for one in old),
        long_enough=len(old),
        span=max(timedelta(), now - since),
        causes=dict(sorted(counted.items(), key=lambda pair: -pair[1])),
    )


def missing(found: Record, rule: Rule) -> tuple[str, ...]:
    """What is missing for `live`, in words; nothing where it has been earned."""
    lower = found.interval[0]
    right = found.precision >= rule.precision or lower >= rule.lower
    lacks = {
        f"{count(rule.judged - found.judged, 'more verdict')}": found.judged < rule.judged,
        f"right {rule.precision:.0%} of the time": found.judged >= rule.judged and not right,
        f"at most {rule.a_day:g} alerts a day": found.a_day > rule.a_day,
        f"{count(_days_left(found, rule), 'more day')} in shadow": found.span < rule.days * DAY,
    }
    return tuple(words for words, is_missing in lacks.items() if is_missing)


def noise(found: Record) -> str:
    """Why a live policy is noisy, in words; empty where it is not."""
    if found.judged >= ENOUGH and found.interval[1] < 0.5:
        return f"was right {found.right} of {found.judged} times"
    if found.long_enough >= LEFT_ALONE and found.left_alone >= 0.8 * found.long_enough:
        return f"had {found.left_alone} of {found.long_enough} alerts that nobody touched"
    return ""


def figures(found: Record) -> str:
    """How often it was right, how many alerts a day it makes, and since when, in words."""
    days = found.span // DAY
    low, high = found.interval
    share = f" (95% sure: {low:.0%}–{high:.0%})" if found.judged >= ENOUGH else ""
    right = f"right {found.right} of {found.judged}{share}" if found.judged else "no verdict yet"
    if not days:
        return f"{right}, {count(found.opened, 'alert')} in less than a day"
    return f"{right}, {found.a_day:.1f} alerts a day over {count(days, 'day')}"


def _days_left(found: Record, rule: Rule) -> int:
    return max(1, ceil(rule.days - found.span / DAY))
