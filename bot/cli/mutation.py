"""`patrol test --mutate`: how much of a policy its cases hold, by changes that none of them notices."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import click

from bot.cli.progress import progress
from bot.core.words import count

if TYPE_CHECKING:
    from sensors.cases.mutants import Mutant
    from sensors.model.catalog import Catalog
    from sensors.warehouse.duck_memory import Memory


@dataclass
class Score:
    """One policy's changes and what became of them; `why` says why there are none."""

    policy: str
    mutants: int = 0
    unable: int = 0  # changes that cannot run: they count as noticed
    survivors: list[Mutant] = field(default_factory=list)
    why: str = ""
    broken: bool = False  # it does not load, or its cases do not pass

    @property
    def noticed(self) -> int:
        return self.mutants - len(self.survivors)


def mutation(catalog: Catalog, names: list[str], named: str | None, as_json: bool) -> int:
    """Says what survives; the exit code: 0 whatever survives, 1 where a policy's own cases do not pass."""
    from sensors.warehouse.duck_memory import Memory

    memory = Memory()
    try:
        if len(names) == 1:
            scores = [_score(names[0], catalog, named, memory, doing="changes")]
        else:
            bar = progress(names, len(names), "policies")
            scores = [_score(name, catalog, named, memory) for name in bar]
    finally:
        memory.close()
    if as_json:
        click.echo(json.dumps([_as_json(score) for score in scores], ensure_ascii=False, indent=2))
    else:
        _print(scores)
    return 1 if any(score.broken for score in scores) else 0


def _score(name: str, catalog: Catalog, named: str | None, memory: Memory, doing: str = "") -> Score:
    """Runs a policy's cases with each change of it. `doing`: the word of its own bar, if it has one."""
    from bot.workbench.trial import Fate, fate, prepared, tried
    from sensors.cases.mutants import mutants

    policy = catalog.policies.get(name)
    if policy is None or name in catalog.broken:
        return Score(name, why="it does not load: patrol check says why", broken=True)
    team = catalog.teams.get(policy.owner)
    word = (named or "").lower()
    cases = [one for one in prepared(policy, catalog) if word in one.case.name.lower()]
    if not cases:
        return Score(name, why="no case")
    if not all(tried(policy, one, catalog.assets, memory, team).passed for one in cases):
        return Score(name, why="its cases do not pass as it is: patrol test says where", broken=True)
    score = Score(name)
    made = mutants(policy, catalog)
    for mutant in progress(made, len(made), doing) if doing else made:
        came = fate(mutant, cases, catalog.assets, memory, team)
        score.mutants += 1
        score.unable += came is Fate.unable
        score.survivors += [mutant] if came is Fate.survived else []
    return score


def _print(scores: list[Score]) -> None:
    for score in scores:
        for mutant in score.survivors:
            click.secho(f"{mutant} survived", fg="yellow")
    for score in scores:
        click.echo(f"{score.policy}: {score.why or _told(score)}")
    made, noticed = sum(s.mutants for s in scores), sum(s.noticed for s in scores)
    share = f" ({noticed / made:.0%})" if made else ""
    unable = sum(s.unable for s in scores)
    aside = f"; {unable} of them cannot run at all" if unable else ""
    click.echo(f"{count(made, 'change')}: {noticed} noticed{share}{aside}, {made - noticed} survived")


def _told(score: Score) -> str:
    return f"{score.noticed} of {score.mutants} noticed" if score.mutants else "nothing in it can be changed"


def _as_json(score: Score) -> dict[str, Any]:
    return {
        "policy": score.policy,
        "changes": score.mutants,
        "noticed": score.noticed,
        "unable": score.unable,
        "why": score.why or None,
        "survivors": [
            {
                "path": one.path,
                "line": one.line,
                "column": one.column,
                "operator": one.operator,
                "was": one.was,
                "now": one.now,
            }
            for one in score.survivors
        ],
    }
