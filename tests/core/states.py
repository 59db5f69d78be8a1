"""What docs/alerts.md shows of the code: states, found by trying every action in each, and the verbs.

`python -m tests.core.states` writes both anew.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from bot.core.action import (
    Acknowledge,
    Action,
    Assign,
    Clear,
    Comment,
    Escalate,
    Hush,
    Reopen,
    Resolve,
    Rouse,
    SnoozeFor,
    Timer,
    Unacknowledge,
    Unknown,
    Wake,
)
from bot.core.alert import Alert, Disposition, Snooze, due
from bot.core.change import Change
from bot.core.step import step
from bot.core.verbs import VERBS
from sensors.model.policy import Severity
from tests.core.making import ANA, BO, HOUR, MINUTE, NOON, conditions, events, fire, opened

START = "[*]"
LATER = NOON + HOUR


def tries(alert: Alert) -> Iterator[tuple[Action, datetime]]:
    """All that may happen to it, at a time at which it may."""
    worse = {"severity": Severity.critical, "terms": alert.terms, "as_of": LATER + HOUR}
    for action in (
        *(
            Acknowledge(ANA),
            Acknowledge(BO),
            Unacknowledge(ANA),
            Assign(ANA, BO),
            SnoozeFor(ANA, LATER + HOUR),
        ),
        *(Wake(ANA), Resolve(ANA, Disposition.true_positive), Reopen(BO), Escalate(BO), Comment(BO, "seen")),
        *(fire(9, **worse), fire(9, **worse, new_evidence=False), Clear(LATER + HOUR), Unknown("no data")),
    ):
        yield action, LATER + MINUTE
    scope = Snooze(LATER + 9 * HOUR, ANA, "", LATER, Severity.high, 7, "seller:s_1")
    yield Hush(scope, LATER), LATER + MINUTE
    yield Rouse(7, BO), LATER + 2 * MINUTE
    yield fire(9, terms=alert.terms, as_of=LATER + HOUR, snooze=scope), LATER + MINUTE
    if next_due := due(alert):
        yield Timer(), next_due.at


def seen() -> dict[tuple[str, str], set[str]]:
    """From one word to another, by which events."""
    found: dict[tuple[str, str], set[str]] = defaultdict(set)
    kept = (events(), conditions(), conditions(clear="always"))
    new = [opened(fire(terms=terms)) for terms in kept]
    known: set[tuple[object, ...]] = set()
    while new:
        alert = new.pop()
        for action, at in tries(alert):
            change = step(alert, action, at)
            if not isinstance(change, Change):
                continue
            after = change.alert
            if after.word != alert.word:
                found[alert.word, after.word].add(change.event.kind)
            state = (after.word, after.work, after.condition, after.terms, after.reminded, after.step)
            if after.id and state not in known:
                known.add(state)
                new.append(after)
    quiet = opened(fire(snooze=Snooze(LATER, ANA, "", NOON, Severity.high, 7, "seller:s_1")))
    found[START, "OPEN"] = {opened().last_event}
    found[START, quiet.word] = {"opened under a snooze"}
    return found


def picture() -> str:
    """As Mermaid."""
    lines = [
        f"    {before} --> {after}: {', '.join(sorted(kinds)).replace('_', ' ')}"
        for (before, after), kinds in sorted(seen().items())
    ]
    return "\n".join(["stateDiagram-v2", "    direction LR", *lines])


def verbs() -> str:
    """As the rows of a table."""
    rows = [f"`{verb.usage}` | {verb.about}".replace("|", "&#124;") for verb in VERBS]
    return "\n".join(f"| {row.replace('` &#124; ', '` | ', 1)} |" for row in rows)


def written(page: str) -> str:
    """The page with both as they are."""
    page = re.sub(r"(?<=```mermaid\n).*?(?=\n```)", lambda _: picture(), page, flags=re.DOTALL)
    return re.sub(r"(?<=\|---\|---\|\n)\| `status.*?(?=\n\n|\n?\Z)", lambda _: verbs(), page, flags=re.DOTALL)


if __name__ == "__main__":
    guide = Path(__file__).parents[2] / "docs" / "alerts.md"
    guide.write_text(written(guide.read_text()))
