"""How often a policy is right, on rows that people have labelled: counts, precision and recall. Pure."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from math import sqrt

Z = 1.959963984540054  # of a 95 % interval
SHOWN = 5  # examples of each kind of mistake


@dataclass(frozen=True)
class Share:
    """`part` of `whole`, and the interval in which the true share lies with 95 % (Wilson's)."""

    part: int
    whole: int

    @property
    def value(self) -> float | None:
        """None where there is nothing to have a share of."""
        return self.part / self.whole if self.whole else None

    @property
    def interval(self) -> tuple[float, float]:
        if not self.whole:
            return 0.0, 1.0
        n, p = self.whole, self.part / self.whole
        middle, spread = p + Z * Z / (2 * n), Z * sqrt(p * (1 - p) / n + Z * Z / (4 * n * n))
        low, high = ((middle + sign * spread) / (1 + Z * Z / n) for sign in (-1, 1))
        return (0.0 if not self.part else max(0.0, low)), (1.0 if self.part == n else min(1.0, high))


@dataclass(frozen=True)
class Tally:
    """What was found and what was not, by what it really is."""

    tp: int = 0
    fp: int = 0
    fn: int = 0
    tn: int = 0

    @property
    def precision(self) -> Share:
        """Of what was found, how much is right."""
        return Share(self.tp, self.tp + self.fp)

    @property
    def recall(self) -> Share:
        """Of what is there, how much was found."""
        return Share(self.tp, self.tp + self.fn)


@dataclass(frozen=True)
class Judged:
    """A tally, what it is made of, and what could not be judged."""

    tally: Tally
    false_positives: tuple[Hashable, ...] = ()
    false_negatives: tuple[Hashable, ...] = ()
    unlabelled: int = 0  # found, and no label says what they are


def judge(found: Iterable[Hashable], labels: Mapping[Hashable, bool]) -> Judged:
    """What was found against what is true of everything that has a label."""
    flagged = set(found)
    wrong = [one for one, is_so in labels.items() if one in flagged and not is_so]
    missed = [one for one, is_so in labels.items() if is_so and one not in flagged]
    right = sum(is_so and one in flagged for one, is_so in labels.items())
    tally = Tally(right, len(wrong), len(missed), len(labels) - right - len(wrong) - len(missed))
    return Judged(tally, tuple(wrong[:SHOWN]), tuple(missed[:SHOWN]), len(flagged - labels.keys()))
