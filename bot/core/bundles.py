"""What is said of a bundle: which version of it is used, or what is wrong with it. Pure."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from bot.core.words import clean, count, when
from sensors.model.catalog import Catalog, Held
from sensors.model.clock import say_duration

SHORT = 7  # characters of a commit


def line(held: Held) -> str:
    """One line for people, with marks: its version, how many policies, and what is wrong."""
    version = f" {held.commit[:SHORT]}" if held.commit else ""
    since = f", since {when(held.since)}" if held.since else ""
    policies = count(held.policies, "policy", "policies")
    return f"{held.name}{version}{since}, {policies}{f': {clean(held.trouble)}' if held.trouble else ''}"


def health(held: Held, now: datetime) -> str:
    """The same for a probe."""
    if held.trouble:
        return held.trouble
    if not held.commit:
        return "ok"
    age = f", {say_duration(now - held.since)} old" if held.since else ""
    return f"ok: commit {held.commit[:SHORT]}{age}"


def owner(catalog: Catalog, held: Held) -> str:
    """The team that hears of its trouble: the one it belongs to, or bears the name of, or that owns most of
    its policies; else the first there is."""
    mine = Counter(p.owner for p in catalog.policies.values() if p.bundle == held.name)
    wanted = (held.owner, held.name, *(name for name, _ in mine.most_common()), *catalog.teams)
    return next((name for name in wanted if name and name in catalog.teams), held.owner or held.name)
