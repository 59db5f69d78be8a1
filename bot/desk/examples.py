"""An example in a hint names a policy that is there: one that was nearly typed, else one of the person's."""

from __future__ import annotations

import re
from dataclasses import replace
from difflib import get_close_matches

from bot.core.reply import Person, Reply, Said
from sensors.model.catalog import Catalog

EXAMPLE = "payments.x"  # as the table of verbs writes it
ITSELF = re.compile(rf"(?<![\w./]){re.escape(EXAMPLE)}(?![\w.]*\w)")  # not `payments.xoom`


def made_real(reply: Reply, person: Person, typed: str, catalog: Catalog) -> Reply:
    """The same answer; where there is no policy at all, its example stays as it is written."""
    if not isinstance(reply, Said) or EXAMPLE in catalog.policies or not ITSELF.search(reply.hint):
        return reply
    name = _meant(typed, list(catalog.policies)) or _own(person, catalog)
    return replace(reply, hint=ITSELF.sub(name, reply.hint)) if name else reply


def _meant(typed: str, known: list[str]) -> str:
    words = (word.strip("`,").lower() for word in typed.split()[1:])
    near = (get_close_matches(word, known, n=1, cutoff=0.6) for word in words)
    return next((found[0] for found in near if found), "")


def _own(person: Person, catalog: Catalog) -> str:
    mine = person.slack
    teams = [name for name, team in catalog.teams.items() if any(m.slack == mine for m in team.members)]
    runs = sorted(name for name, policy in catalog.policies.items() if policy.runs)
    own = (name for name in runs if catalog.policies[name].owner in teams)
    return next(own, "") or next(iter(runs), "")
