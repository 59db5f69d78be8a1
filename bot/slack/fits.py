"""What of a policy's card is lost when rows are extreme: it is drawn, and held against what was asked for."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from bot.core.alert import Alert, Lane, Terms
from bot.core.reply import Context, Evidence
from bot.slack.answers import COLUMNS_IN_FULL
from bot.slack.blocks import Block
from bot.slack.face import OFFERS_MOST, card
from bot.slack.text import fold
from sensors.model.job import Job
from sensors.model.policy import Policy, Severity

AT = datetime(2026, 1, 1, tzinfo=UTC)
LONG = "W" * 3_000
MARK = "§"  # to see whether a value is the title's end
UNMADE = "\N{REPLACEMENT CHARACTER}"  # stands for the title that is shown where the alert's own fails
WRITTEN_BY_ANYBODY = {"body", "text", "message", "description", "comment", "content", "note", "bio"}
Title = Callable[[Policy, Mapping[str, Any], int], str]
Place = tuple[str | int, ...]


@dataclass(frozen=True)
class Lost:
    """What will not be seen, as a sentence, and the key of the policy's YAML that asks for it."""

    where: Place
    what: str


def losses(
    policy: Policy,
    names: Sequence[str],
    jobs: Iterable[Job],
    title: Title,
    filled: Collection[str] = (),
) -> Iterator[Lost]:
    """`names`: the columns that the alert's title names; `filled`: those that are never NULL."""
    yield from _title(policy, names, title, {*policy.key, *filled})
    yield from _fields(policy)
    offered = [job for job in jobs if job.name in policy.offer]
    shown = {e.get("action_id") for e in _elements(_card(policy, {}, "x", offered))}
    for index, name in enumerate(policy.offer):
        if any(job.name == name for job in offered) and f"alert.job.{name}" not in shown:
            said = f"{name} gets no button: a card has room for {OFFERS_MOST} jobs"
            yield Lost(("offer", index), said)


def _title(policy: Policy, names: Sequence[str], title: Title, filled: Collection[str]) -> Iterator[Lost]:
    """The title over usual values must be there whole; over none, it must still be a title."""
    marked = replace(policy, title=UNMADE)
    usual = _usual(marked, names, title)
    if usual is None:
        yield Lost(("alert", "title"), "cannot be made of any row; the policy's own title is shown instead")
        return
    text = title(marked, usual, 3)
    if (seen := _headline(policy, usual, text)) != fold(text):
        said = f"is cut on every card: with the shortest values it has {len(text)} characters,"
        said += f" of which {len(seen)} are shown"
        yield Lost(("alert", "title"), said)
        return
    for name in names:
        if name not in filled and title(marked, {**usual, name: None}, 3) == UNMADE:
            instead = "'–'" if isinstance(usual[name], str) else "0"
            said = (
                f"cannot be made where {name} is NULL; write {{{{ {name} | default({instead}, true) | … }}}}"
            )
            yield Lost(("alert", "title"), said)
        elif name in WRITTEN_BY_ANYBODY and not title(marked, {**usual, name: MARK}, 3).endswith(MARK):
            yield from _pushed_out(policy, {**usual, name: LONG}, name, title)


def _pushed_out(policy: Policy, row: Mapping[str, Any], name: str, title: Title) -> Iterator[Lost]:
    text = title(policy, row, 3)
    if _headline(policy, row, text).rstrip("…").endswith("W"):
        said = f"loses what stands behind {name} where that is long; "
        said += f"write {{{{ {name} | default('–', true) | truncate(60) }}}}"
        yield Lost(("alert", "title"), said)


def _usual(policy: Policy, names: Sequence[str], title: Title) -> dict[str, Any] | None:
    """A short value for each column with which the title can be made: numbers, texts or times."""
    for kind in (7, "x", 7.5):
        row: dict[str, Any] = dict.fromkeys(names, kind)
        if title(policy, row, 3) != UNMADE:
            return row
    for kind in (7, "x"):
        for name in names:
            row = {**dict.fromkeys(names, "x" if kind == 7 else 7), name: kind}
            if title(policy, row, 3) != UNMADE:
                return row
    return None


def _fields(policy: Policy) -> Iterator[Lost]:
    """Fields that neither the card nor the rows in full have room for."""
    fields = [n for n in policy.alert.fields if policy.alert.columns.get(n) != "hide"]
    if len(fields) <= COLUMNS_IN_FULL:
        return
    rows = [{name: f"{n} {name}" for name in fields} for n in range(5)]
    seen = sum(1 for table in _tables(_card(policy, rows, "x", [])) for _ in table["rows"][0])
    lost = fields[COLUMNS_IN_FULL:]
    said = f"{', '.join(lost)} {'is' if len(lost) == 1 else 'are'} seen nowhere"
    said += f": a card shows {seen} columns, the rows in full {COLUMNS_IN_FULL}"
    yield Lost(("alert", "fields", policy.alert.fields.index(lost[0])), said)


def _headline(policy: Policy, row: Mapping[str, Any], text: str) -> str:
    """The title as it stands on a card."""
    (header,) = [b for b in _card(policy, [row], text, []) if b["type"] == "header"]
    shown: str = header["text"]["text"]
    return shown.partition(" · ")[2].rpartition(" · ")[0]


def _card(policy: Policy, rows: Any, title: str, jobs: Sequence[Job]) -> list[Block]:
    columns = tuple(dict.fromkeys(name for row in rows for name in row))
    alert = Alert(
        id=1_000_000,
        policy=policy.name,
        key="{}",
        lane=Lane.live,
        terms=Terms(team=policy.owner),
        title=title,
        severity=Severity.critical,
        count=3,
        opened_at=AT,
        fired_at=AT,
        as_of=AT,
    )
    about = Context(policy=policy, evidence=Evidence(columns, tuple(rows), len(rows)), offers=tuple(jobs))
    return card(alert, about).blocks


def _elements(blocks: Iterable[Block]) -> Iterator[Block]:
    for block in blocks:
        yield from block.get("elements", ()) if block["type"] == "actions" else ()


def _tables(blocks: Iterable[Block]) -> Iterator[Block]:
    return (block for block in blocks if block["type"] == "table")
