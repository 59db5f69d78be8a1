"""What policies cost the warehouse, in lines of answers and digests. Sums are made in the core."""

from __future__ import annotations

from bot.core.cost import Cost, Spent, seconds
from bot.core.words import count
from bot.slack.text import code
from sensors.model.clock import say_duration
from sensors.model.policy import Policy

SHOWN = 0.05  # seconds
UNITS = ("bytes", "kB", "MB", "GB", "TB")


def dearest(spent: Spent) -> list[str]:
    """A line each, of all that was spent; nothing of what would be shown as 0.0 s."""
    return [
        f"{code(one.policy, 80)} {seconds(one.seconds)} in {count(one.runs, 'run')}"
        f" · {spent.share(one):.0%} of all"
        for one in spent.dearest
        if one.seconds >= SHOWN
    ]


def of_the_team(spent: Spent) -> str:
    """The dearest of a team's policies in its week, on one line."""
    if not spent.dearest:
        return ""
    named = ", ".join(f"{code(c.policy, 60)} {seconds(c.seconds)}" for c in spent.dearest)
    return f"Warehouse time: {seconds(spent.total)}; dearest: {named}"


def of_policy(policy: Policy, cost: Cost | None) -> str:
    """What a policy has cost in the last 24 hours, in all and each run, and its budget."""
    budget = f"of a budget of {say_duration(policy.budget)} a day" if policy.budget else ""
    if cost is None:
        return f"no warehouse time in 24 hours, {budget}" if budget else ""
    over = f" {budget}" if budget else ""
    held = f" ({size(cost.bytes)})" if cost.bytes is not None else ""
    took = f"{seconds(cost.seconds)} of warehouse time in 24 hours{over}"
    return f"{took}: {count(cost.runs, 'run')} of {cost.each} gave {count(cost.rows, 'row')}{held}"


def size(held: int) -> str:
    """`312 bytes`, `1.2 MB`."""
    step, left = 0, float(held)
    while left >= 999.95 and step < len(UNITS) - 1:
        step, left = step + 1, left / 1000
    return f"{left:.1f} {UNITS[step]}" if step else count(held, "byte")
