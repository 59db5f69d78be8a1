"""What a policy would alert of its cases, whose tables are all there is; and of them with a mistake in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from bot.core.expect import Pair, alert_of, compared
from bot.workbench.one_look import judged, window_at
from sensors.cases.case import Ground, filled
from sensors.cases.mutants import Mutant
from sensors.model.asset import Asset
from sensors.model.case import Case, Filled
from sensors.model.catalog import Catalog, Problem
from sensors.model.policy import Policy
from sensors.model.run import Looked
from sensors.model.team import Team
from sensors.warehouse import WarehouseError
from sensors.warehouse.duck_memory import Memory


@dataclass(frozen=True)
class Outcome:
    """What came of one case."""

    policy: Policy
    case: Case
    pairs: tuple[Pair, ...] = ()
    problems: tuple[Problem, ...] = ()  # with what the case says: then it was not run
    errors: tuple[str, ...] = ()  # why it could not be judged, in sentences
    looked: Looked | None = None

    @property
    def passed(self) -> bool:
        return not self.problems and not self.errors and all(pair.same for pair in self.pairs)


@dataclass(frozen=True)
class Prepared:
    """A case, its tables read: to be run once, or once for each mutant."""

    case: Case
    tables: tuple[Filled, ...]
    problems: tuple[Problem, ...]


def prepared(policy: Policy, catalog: Catalog) -> list[Prepared]:
    ground = Ground.of(policy, catalog)
    return [Prepared(case, *filled(ground, index, case)) for index, case in enumerate(policy.cases)]


def tried(
    policy: Policy,
    one: Prepared,
    assets: Mapping[str, Asset],
    memory: Memory,
    team: Team | None,
) -> Outcome:
    """Runs one case: its tables are all there is, and the time is its `at`."""
    if one.problems:
        return Outcome(policy, one.case, problems=one.problems)
    read = [assets[table] for table in policy.query.tables if table in assets]
    try:
        with memory.holding(read, policy.query.dialect, one.tables):
            looked, found = judged(policy, memory, window_at(policy, one.case.at), team)
    except WarehouseError as error:
        return Outcome(policy, one.case, errors=(error.message,))
    except OverflowError:
        return Outcome(policy, one.case, errors=("its window would begin before the year 1: move `at`",))
    if not looked.ok:
        return Outcome(policy, one.case, errors=(looked.error or looked.status.value,), looked=looked)
    rows = {violation.key: violation for violation in looked.violations}
    fired = [
        alert_of(f, rows[f.key].newest, rows[f.key].key_values)
        if f.key in rows
        else alert_of(f, f.newest, {})
        for f in found.fired
    ]
    bad = tuple(f"a row cannot be counted: {sentence}" for sentence in looked.bad_rows)
    return Outcome(policy, one.case, compared(one.case.expect, fired), errors=bad, looked=looked)


class Fate(StrEnum):
    """What becomes of a mutant among the cases."""

    survived = "survived"  # every case passes with it: nobody would notice the mistake
    noticed = "noticed"
    unable = "unable"  # it cannot run, so it has been noticed


def fate(
    mutant: Mutant, cases: list[Prepared], assets: Mapping[str, Asset], memory: Memory, team: Team | None
) -> Fate:
    """Runs the cases with a changed policy until one of them fails."""
    if not mutant.runs:
        return Fate.unable
    for one in cases:
        outcome = tried(mutant.policy, one, assets, memory, team)
        if not outcome.passed:
            ran = outcome.looked is not None and outcome.looked.ok
            return Fate.noticed if ran else Fate.unable
    return Fate.survived
