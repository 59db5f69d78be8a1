"""Policies on lines: how it is with each, in a colour and in a word."""

from __future__ import annotations

from collections.abc import Sequence

from bot.core.reply import PolicyLine
from bot.slack.lines import ANYWHERE, LINES_MOST, Room
from bot.slack.text import AGO, CLOCK, code, date, escape, sentence
from sensors.model.run import RunStatus

POLICIES_MOST, ON_A_LINE = 400, 8
TEAMS_MOST = 40
FEW = 12  # so many stand on a line each, however they are


def policy_lines(policies: Sequence[PolicyLine]) -> list[str]:
    """A line for each that somebody may have to see to; the others side by side, by domain."""
    ranked = sorted(policies, key=lambda line: (not line.last_error, _calm(line), line.name))
    loud = sum(not _calm(line) for line in ranked)
    first = LINES_MOST if len(ranked) <= FEW else min(loud, LINES_MOST)
    others: dict[str, list[str]] = {}
    for line in ranked[first:POLICIES_MOST]:
        domain, _, name = line.name.rpartition(".")
        where = f" in {escape(domain, 60)}" if domain else ""
        others.setdefault(f"{how(line)}{where}", []).append(f"{code(name, 80)}{_beside(line)}")
    packed = [
        f"{how}: {'  '.join(names[at : at + ON_A_LINE])}"
        for how, names in sorted(others.items())
        for at in range(0, len(names), ON_A_LINE)
    ]
    left = len(ranked) - POLICIES_MOST
    more = [f"and {left:,} more"] if left > 0 else []
    return [*(policy_line(line) for line in ranked[:first]), *packed, *more]


def of_all_teams(policies: Sequence[PolicyLine], room: Room = ANYWHERE) -> list[str]:
    """On one screen: a line for each that somebody may have to see to, of the others how many, by team."""
    if len(policies) <= FEW:
        return policy_lines(policies)
    loud = sorted((one for one in policies if not _calm(one)), key=lambda one: (not one.last_error, one.name))
    calm: dict[str, list[PolicyLine]] = {}
    for line in policies:
        if _calm(line):
            calm.setdefault(how(line), []).append(line)
    more = [f"and {len(loud) - FEW:,} more"] if len(loud) > FEW else []
    counted = [f"{word}: {_by_team(some)}" for word, some in sorted(calm.items())]
    way = f"{code(f'{room.prefix} status {min(line.owner for line in policies)}')} names those of a team."
    return [*(policy_line(line) for line in loud[:FEW]), *more, *counted, way]


def _by_team(policies: Sequence[PolicyLine]) -> str:
    """`accounts 8 (2 open) · chat 7 (1 shadow)`"""
    teams: dict[str, list[PolicyLine]] = {}
    for line in policies:
        teams.setdefault(line.owner, []).append(line)
    said = []
    for team, some in sorted(teams.items()):
        opened, shadow = sum(one.open_alerts for one in some), sum(one.status == "shadow" for one in some)
        beside = [f"{opened:,} open" * bool(opened), f"{shadow:,} shadow" * bool(shadow)]
        counts = f" ({', '.join(filter(None, beside))})" if any(beside) else ""
        said.append(f"{escape(team, 40)} {len(some):,}{counts}")
    left = [f"{len(said) - TEAMS_MOST} more teams"] if len(said) > TEAMS_MOST else []
    return " · ".join([*said[:TEAMS_MOST], *left])


def _calm(line: PolicyLine) -> bool:
    """Nobody has to see to the policy itself now; its alerts speak for themselves."""
    return how(line) in (WELL, NOT_RUN) and not line.worth


def _beside(line: PolicyLine) -> str:
    said = [f"{line.open_alerts} open" * bool(line.open_alerts), line.status * (line.status != "live")]
    return f" ({', '.join(escape(one, 20) for one in said if one)})" if any(said) else ""


def _status(line: PolicyLine) -> str:
    return "" if line.status == "live" else f" · {escape(line.status, 20)}"


FAILING, WELL, NOT_RUN = "🔴 failing", "🟢 well", "⏳ not run yet"


def how(line: PolicyLine) -> str:
    """How it is with a policy, in a colour and in a word."""
    if line.order:
        return "⏱ another pace" if line.order.startswith("runs") else "⏸ paused"
    if line.last_status is RunStatus.waiting:
        return "⏳ waits"
    if line.last_status is RunStatus.skipped:
        return "⏳ skipped"
    if line.last_error:
        return FAILING
    if line.last_status is RunStatus.running:
        return "⏳ is tried again"
    return NOT_RUN if line.last_run is None else WELL


def policy_line(line: PolicyLine) -> str:
    ran = f" · ran {date(line.last_run, AGO)}" if line.last_run else ""
    due = f" · next {date(line.next_due, CLOCK)}" if line.next_due else ""
    opened = f" · {line.open_alerts} open" if line.open_alerts else ""
    worth = f" · {escape(line.worth, 40)}" if line.worth else ""
    named = f"{_mark(line)} {code(line.name, 80)}{_status(line)}{_ordered(line)}"
    return f"{named}{worth}{opened}{ran}{due}{_wrong(line)}"


def unwell(line: PolicyLine) -> str:
    """Only what is wrong with it, or ordered."""
    return f"{_mark(line)} {code(line.name, 80)}{_ordered(line)}{_wrong(line)}"


def _mark(line: PolicyLine) -> str:
    """`how`, where what was ordered is said beside it."""
    return how(line)[0] if line.order else how(line)


def _ordered(line: PolicyLine) -> str:
    return f" · *{escape(line.order, 40)}*" if line.order else ""


def _wrong(line: PolicyLine) -> str:
    return f"\n{sentence(line.last_error, 200)}" if line.last_error else ""
