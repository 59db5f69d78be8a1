"""What dbt's run_results.json says: one sentence of what was built and what failed, and the tables built.

Read leniently: it is made by another program, of whatever version.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.core.words import count
from bot.jobs.answer import one_line

BUILT = ("model", "seed", "snapshot")
CHECKED = {"unit_test": "unit test"}
GOOD, BAD = ("success", "pass"), ("error", "fail", "runtime error", "partial success")
NAMED = 3  # of what failed
PART = re.compile(r'"((?:[^"]|"")+)"|`([^`]+)`|\[([^\]]+)\]|([^".`\[\]]+)')
Raw = Mapping[str, Any]


@dataclass(frozen=True)
class Results:
    """Of one invocation. `run` is the id that Patrol gave it, "" where somebody else began it."""

    said: str
    failed: bool
    updated: tuple[str, ...]  # tables that were built, as database.schema.table, in lower case
    invocation: str = ""
    run: str = ""
    ended_at: datetime | None = None
    took: timedelta = timedelta()


def results(found: Any, manifest: Any = None) -> Results | None:
    """None where it is no such file, or says nothing. The manifest knows the tables that results do not name,
    such as those of seeds."""
    if not isinstance(found, dict) or not isinstance(found.get("results"), list):
        return None
    entries = [one for one in found["results"] if isinstance(one, dict)]
    metadata = mapping(found.get("metadata"))
    return Results(
        said=_sentence(entries),
        failed=any(_status(one) in BAD for one in entries),
        updated=tuple(dict.fromkeys(_tables(entries, mapping(mapping(manifest).get("nodes"))))),
        invocation=str(metadata.get("invocation_id") or "")[:60],
        run=str(mapping(metadata.get("env")).get("PATROL_RUN") or "")[:100],
        ended_at=moment(metadata.get("generated_at")),
        took=_span(found.get("elapsed_time")),
    )


def _sentence(entries: Sequence[Raw]) -> str:
    """`12 models built, 1 test failed: not_null_orders_id`."""
    done: Counter[tuple[str, str]] = Counter()
    bad: dict[str, list[str]] = {}
    for one in entries:
        kind, status = _kind(one), _status(one)
        if status in BAD:
            bad.setdefault(f"{kind} failed", []).append(_name(one))
        elif status == "warn":
            bad.setdefault(f"{kind} warned", []).append(_name(one))
        elif status == "skipped":
            done["", "skipped"] += 1
        elif status in GOOD:
            done[kind, "built" if kind in BUILT else "passed"] += 1
    parts = [f"{count(n, kind)} {what}" if kind else f"{n} {what}" for (kind, what), n in done.items()]
    for what, names in bad.items():
        kind, _, verb = what.rpartition(" ")
        more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
        parts.append(f"{count(len(names), kind)} {verb}: {', '.join(names[:NAMED])}{more}")
    return one_line(", ".join(parts)) or "nothing to do"


def unnamed(found: Any) -> bool:
    """Whether it tells of something that was built, but not of its table."""
    entries = mapping(found).get("results")
    return isinstance(entries, list) and any(
        isinstance(one, dict)
        and _status(one) == "success"
        and _kind(one) in BUILT
        and not one.get("relation_name")
        for one in entries
    )


def _tables(entries: Sequence[Raw], nodes: Raw) -> Iterator[str]:
    for one in entries:
        known = mapping(nodes.get(str(one.get("unique_id"))))
        relation = one.get("relation_name") or known.get("relation_name")
        if _status(one) == "success" and _kind(one) in BUILT and isinstance(relation, str):
            parts = [next(part for part in found if part) for found in PART.findall(relation)]
            if 2 <= len(parts) <= 3:
                yield ".".join(parts).lower()


def _kind(one: Raw) -> str:
    first = str(one.get("unique_id") or "").partition(".")[0]
    return CHECKED.get(first) or one_line(first, 20) or "node"


def _name(one: Raw) -> str:
    """`test.shop.not_null_orders_id.0f3a…` as not_null_orders_id."""
    parts = str(one.get("unique_id") or "").split(".")
    kept = parts[2:-1] if parts[0] == "test" and len(parts) > 3 else parts[2:]
    return one_line(".".join(kept) or "something without a name", 80)


def _status(one: Raw) -> str:
    return str(one.get("status") or "").lower()


def moment(value: Any) -> datetime | None:
    """A time as dbt writes it, in UTC; None where it is none."""
    try:
        at = datetime.fromisoformat(str(value))
        return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def _span(value: Any) -> timedelta:
    usable = isinstance(value, int | float) and 0 <= value < 1e8
    return timedelta(seconds=value) if usable else timedelta()


def mapping(value: Any) -> Raw:
    return value if isinstance(value, dict) else {}
