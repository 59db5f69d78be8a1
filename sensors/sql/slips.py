"""What a query may say and hardly means: a window that is got around, an `= NULL`. Only what is sure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlglot import exp

CONDITIONS = (exp.GTE, exp.GT, exp.LT, exp.LTE, exp.And, exp.Or, exp.Not, exp.Paren)
STARTS = ("window_start", "baseline_start")


@dataclass(frozen=True)
class Slip:
    """A sentence, the word of the SQL that it is about, and the line from which that word is looked for."""

    what: str
    word: str
    line: int


def slips_of(root: exp.Expr) -> tuple[Slip, ...]:
    return tuple(dict.fromkeys((*_got_around(root), *_nulls(root))))


def _got_around(root: exp.Expr) -> Iterator[Slip]:
    """Rows outside the window that an OR lets in, or a NOT."""
    for bound in _bounds(root):
        at: exp.Expr = bound
        above, loose = at.parent, ""
        while isinstance(above, CONDITIONS):
            if isinstance(above, exp.Not):
                loose = "NOT turns the window round: the rows outside it are read"
            elif isinstance(above, exp.Or) and next(_bounds(_other(above, at)), None) is None:
                loose = "OR lets rows in that are outside the window: put the OR in brackets"
            elif isinstance(above, exp.And) and next(_bounds(_other(above, at)), None) is not None:
                loose = ""  # what the OR lets in is bounded beside it
            at, above = above, above.parent
        if loose and isinstance(above, exp.Where):
            yield Slip(loose, "in_window", _line(bound.parent))


def _other(pair: exp.And | exp.Or, side: exp.Expr) -> exp.Expr:
    other: exp.Expr = pair.expression if pair.this is side else pair.this
    return other


def _bounds(part: exp.Expr) -> Iterator[exp.Expr]:
    """Where it says that a time is within the window; before its start is another thing."""
    starts = (one for one in part.find_all(exp.Placeholder) if str(one.this).lower() in STARTS)
    return (one for one in starts if isinstance(one.parent, exp.GTE | exp.GT))


def _nulls(root: exp.Expr) -> Iterator[Slip]:
    for one in root.find_all(exp.EQ, exp.NEQ):
        if isinstance(one.expression, exp.Null):
            sign, right = ("=", "IS NULL") if isinstance(one, exp.EQ) else ("<>", "IS NOT NULL")
            yield Slip(f"{sign} NULL is true of no row: write {right}", "NULL", _line(one))


def _line(part: exp.Expr | None) -> int:
    return next((int(n.meta["line"]) for n in part.walk() if "line" in n.meta), 1) if part else 1
