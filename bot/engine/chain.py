"""Which policies a backfill is of, in order: those that are named, and with them what hangs on them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from bot.core.backfill import MOST_POLICIES
from bot.core.change import Refused
from bot.core.ledger import Stretch
from bot.core.unknown import no_such
from bot.core.words import clean
from bot.engine.backfill import Plan, plan
from bot.engine.engine import Engine
from sensors.graph import graph
from sensors.model.catalog import Catalog
from sensors.model.graph import JOB, POLICY, WAITS, as_ref, kind_of, name_of, policy_ref


@dataclass(frozen=True)
class Chain:
    """Policies in the order in which they are looked with; those that are not `named` only hang on others."""

    policies: tuple[str, ...]
    named: frozenset[str]


@dataclass(frozen=True)
class Plans:
    """What each looks at. `left_out` says of those that only hang on others why they do not."""

    each: tuple[Plan, ...]
    left_out: tuple[str, ...] = ()

    @property
    def left(self) -> int:
        """Windows that no backfill has looked at."""
        return sum(one.left for one in self.each)


def hanging(catalog: Catalog, name: str) -> tuple[str, ...]:
    """The policies below it by what they read, need and come after, each after those that it waits for. Not
    itself; nor what a policy only starts, for the past starts no jobs."""
    whole = graph(catalog)
    below = whole.below([policy_ref(name) if name in catalog.policies else as_ref(name)], why=WAITS)
    policies = [ref for ref in below if kind_of(ref) == POLICY]
    return tuple(name_of(ref) for ref in whole.order(policies))


def chosen(catalog: Catalog, names: Iterable[str], chain: bool, how: str) -> Chain | Refused:
    """The policies of these names, and with `chain` those that hang on them: then a table, another asset or a
    job stands for these alone. `how` says how one asks for that, with {name}."""
    named, below = list[str](), list[str]()
    for name in (one.removeprefix(f"{POLICY}:") for one in names):
        if name in catalog.policies:
            named.append(name)
        elif name not in catalog.assets and name.removeprefix(f"{JOB}:") not in catalog.jobs:
            said = no_such("policy or table", name, [*catalog.policies, *catalog.assets])
            return Refused(said.text, said.hint)
        elif not chain:
            return Refused(f"`{clean(name)}` is no policy: only policies look.", how.format(name=name))
        elif not hanging(catalog, name):
            return Refused(f"No policy hangs on `{clean(name)}`.", f"`show {name}` shows it.")
        below += hanging(catalog, name) if chain else ()
    policies = tuple(dict.fromkeys((*named, *below)))
    if len(policies) > MOST_POLICIES:
        many = f"That is {len(policies)} policies; a backfill takes {MOST_POLICIES} at most."
        return Refused(many, "Name fewer of them.")
    return Chain(policies, frozenset(named))


def plans(
    engine: Engine, of: Chain, past: Stretch, *, each: timedelta | None = None, again: bool = False
) -> Plans | Refused:
    """What there is to look at, or why not. Raises WarehouseError, and StoreAway."""
    found, left_out = list[Plan](), list[str]()
    for name in of.policies:
        one = plan(engine, engine.catalog.policies[name], past, each=each, again=again)
        if isinstance(one, Plan):
            found.append(one)
        elif name in of.named:
            return one
        else:
            left_out.append(f"left out: {one.why}")
    return Plans(tuple(found), tuple(left_out)) if found else _none(left_out)


def _none(left_out: Sequence[str]) -> Refused:
    return Refused("None of them can be backfilled.", "\n".join(left_out))
