"""`patrol test`: a policy's own cases, on DuckDB in memory, with the time stood still."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bot.cli.group import in_project, settings_of
from bot.cli.policies import NAMED, catalog_of, policy_of, there
from bot.cli.progress import progress
from bot.core.words import count
from bot.process.errors import PatrolError

if TYPE_CHECKING:
    from bot.workbench.trial import Outcome, Prepared
    from sensors.catalog import Loaded
    from sensors.model.catalog import Catalog
    from sensors.model.policy import Policy


@click.command("test")
@click.argument("what", nargs=-1, metavar="[POLICY|PATH]...")
@in_project
@click.option("-k", "named", metavar="TEXT", help="Only cases whose name has TEXT in it.")
@click.option(
    "--mutate", is_flag=True, help="Change the policies bit by bit: which change does no case notice?"
)
@click.option(
    "--json", "as_json", is_flag=True, help="JSON instead of text: an object; with --mutate, a list."
)
def test(what: tuple[str, ...], project: Path, named: str | None, mutate: bool, as_json: bool) -> None:
    """Run the policies' own cases. Needs no warehouse and no Slack; nothing is posted or remembered.

    \b
    patrol test
    patrol test payments.refund_spike chat.harassment
    patrol test policies/payments -k silent
    patrol test --mutate payments.refund_spike

    Each case's rows are laid into tables of a DuckDB in memory, the policy looks at them as of the case's
    `at`, and the alerts are held against what it expects.

    --mutate changes the SQL and the YAML's numbers in one small way after another (7 becomes 8, AND becomes
    OR, a condition is dropped, …) and lists the changes with which every case still passes: each is a
    mistake that nobody would notice. Survivors do not change the exit code.

    Exit code 0: every case passed; 1: one did not, or a policy does not load; 2: there is no such policy.
    """
    started = time.monotonic()
    catalog = catalog_of(settings_of(project))
    wanted = chosen(catalog, project, what)
    policies = [catalog.policies[name] for name in wanted if name in catalog.policies]
    if named and not any(_named(case.name, named) for policy in policies for case in policy.cases):
        raise PatrolError(f'No case of these policies has "{named}" in its name.')
    if mutate:
        from bot.cli.mutation import mutation

        sys.exit(mutation(catalog, wanted, named, as_json))
    outcomes = list(_run(policies, catalog, named))
    broken = [name for name in wanted if name in catalog.broken]
    if as_json:
        click.echo(json.dumps(_as_json(outcomes, broken, catalog, wanted), ensure_ascii=False, indent=2))
    else:
        _print(outcomes, broken, catalog, wanted, time.monotonic() - started)
    sys.exit(1 if broken or not all(outcome.passed for outcome in outcomes) else 0)


def chosen(catalog: Loaded, project: Path, what: tuple[str, ...]) -> list[str]:
    """Names of the policies that are meant: by name, by file, or by folder; all, where nothing is said."""
    known = sorted({*catalog.policies, *catalog.broken})
    if not what:
        return known
    found: dict[str, None] = {}
    for word in what:
        if word in known:
            found[word] = None
            continue
        if "/" not in word and not word.endswith((".yml", ".sql")) and not Path(word).exists():
            policy_of(catalog, word)
        place = there(project, Path(word))
        below = [name for name in known if _lies(catalog, name, place)]
        if not below:
            raise PatrolError(f"No policy lies in {word}.")
        found |= dict.fromkeys(below)
    return list(found)


def _lies(catalog: Loaded, name: str, place: Path) -> bool:
    yaml, sql = catalog.stems_of(name)
    files = [catalog.file(f).resolve() for f in (f"{yaml}.yml", f"{sql}.sql")]
    return any(file == place or place in file.parents for file in files)


def _named(name: str, wanted: str | None) -> bool:
    return wanted is None or wanted.lower() in name.lower()


def _run(policies: list[Policy], catalog: Catalog, named: str | None) -> Iterator[Outcome]:
    from bot.workbench.trial import prepared, tried
    from sensors.warehouse.duck_memory import Memory

    def picked() -> Iterator[tuple[Policy, Prepared]]:
        for policy in policies:
            for one in prepared(policy, catalog):
                if _named(one.case.name, named):
                    yield policy, one

    memory = Memory()
    try:
        total = sum(len(policy.cases) for policy in policies)
        for policy, one in progress(picked(), total, "cases"):
            yield tried(policy, one, catalog.assets, memory, catalog.teams.get(policy.owner))
    finally:
        memory.close()


# ------------------------------------------------------------------------------ what is said


def _lacking(catalog: Catalog, wanted: list[str]) -> list[tuple[str, str]]:
    """Policies that run and whose cases leave something open, and what."""
    from sensors.rules.cases import lacking

    running = [catalog.policies[name] for name in wanted if name in catalog.policies]
    said = [(p.name, lacking([case.fires for case in p.cases])) for p in running if p.runs]
    return [(name, sentence) for name, sentence in said if sentence]


def _print(
    outcomes: list[Outcome], broken: list[str], catalog: Catalog, wanted: list[str], took_s: float
) -> None:
    from bot.cli.case_tables import report

    for outcome in outcomes:
        if not outcome.passed:
            report(outcome, catalog)
    for name in broken:
        click.secho(f"{name} does not load, so its cases did not run: patrol check says why", fg="red")
    by_sentence: dict[str, list[str]] = {}
    for name, sentence in _lacking(catalog, wanted):
        by_sentence.setdefault(sentence, []).append(name)
    for sentence, names in by_sentence.items():
        more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
        click.secho(f"warning: {', '.join(names[:NAMED])}{more}: {sentence}", fg="yellow")
    click.echo(summary(outcomes, took_s))


def summary(outcomes: list[Outcome], took_s: float) -> str:
    failed = sum(not outcome.passed for outcome in outcomes)
    of = len({outcome.policy.name for outcome in outcomes})
    cases = count(len(outcomes), "case")
    policies = f"{of} polic{'y' if of == 1 else 'ies'}"
    ended = f"{len(outcomes) - failed} passed, {failed} failed" if failed else "all passed"
    return f"{cases} of {policies}: {ended if outcomes else 'none ran'} ({took_s:.1f} s)"


def _as_json(
    outcomes: list[Outcome], broken: list[str], catalog: Catalog, wanted: list[str]
) -> dict[str, Any]:
    from bot.cli.case_tables import as_json

    return {
        "passed": sum(outcome.passed for outcome in outcomes),
        "failed": sum(not outcome.passed for outcome in outcomes),
        "cases": [as_json(outcome, catalog) for outcome in outcomes],
        "broken": broken,
        "lacking": [{"policy": name, "what": sentence} for name, sentence in _lacking(catalog, wanted)],
    }
