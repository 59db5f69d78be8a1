"""Policies as asset checks of Dagster (`patrol[dagster]`), imported by a code location of Dagster.

A check looks once, as `patrol run` does: nothing is posted and nothing is remembered, so it says what is
wrong now, not what is new. Alerts, owners and history stay with the Patrol that runs by itself."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster

from bot.app import open_warehouse
from bot.cli.group import settings_of
from bot.cli.policies import catalog_of, policy_of
from bot.core.reconcile import Reconciled
from bot.core.words import count
from bot.process.errors import PatrolError
from bot.workbench.one_look import once
from sensors.model.catalog import Catalog
from sensors.model.policy import Policy, Severity, Status
from sensors.model.run import Looked
from sensors.near import near

TITLES = 10  # violations that a result names
Key = Callable[[str], dagster.AssetKey]


def key_of(table: str) -> Any:
    """`core.orders` is the asset `core/orders`, as dagster-dbt has it, too."""
    return dagster.AssetKey(table.split("."))


def asset_checks(
    project: str | Path,
    *,
    policies: str | Collection[str] | None = None,
    blocking: bool | str | Collection[str] = False,
    error_from: str = "high",
    key: Key = key_of,
) -> list[Any]:
    """An AssetChecksDefinition for each policy of the project that is live or in shadow and reads a table.

    The check is of the first table that the query reads, and comes after all of them. It fails where the
    policy would alert: as an ERROR from severity `error_from` on, below that and in shadow as a WARN.
    `policies`: these alone, by name. `blocking`: all of them, or those named: what stands after the table in
    a run is not made when the check fails as an ERROR. `key`: which asset of Dagster a table is.

    The files are read now; the warehouse is asked when the check runs, with the project's settings
    (patrol.yml and PATROL_… of the environment). A policy with a mistake in its files has no check, and is
    told to Dagster's log. PatrolError: the settings cannot be read, or a name is of no policy.
    """
    settings = settings_of(Path(project))
    catalog = catalog_of(settings)
    bar = _severity(error_from)
    for broken in sorted(catalog.broken):
        dagster.get_dagster_logger().warning(f"Patrol's {broken} does not load: `patrol check` says why.")
    named = catalog.policies if policies is None else _names(policies)
    found = [policy_of(catalog, name) for name in named]
    wanted = {one.name: one for one in found if one.query.tables and (one.runs or policies is not None)}
    blocks = {*wanted} if blocking is True else {*_names(blocking or ())}
    for name in sorted(blocks - {*wanted}):
        policy_of(catalog, name)
        raise PatrolError(f"{name} cannot block: it has no check, since it does not run or was left out.")
    return [_check(one, catalog, settings, name in blocks, bar, key) for name, one in wanted.items()]


def _names(said: str | Collection[str]) -> Collection[str]:
    return (said,) if isinstance(said, str) else said


def _severity(word: str) -> Severity:
    names = Severity.__members__
    if word not in names:
        raise PatrolError(f'error_from is one of {", ".join(names)}, not "{word}"{near(word, names) or "."}')
    return Severity[word]


def _check(policy: Policy, catalog: Catalog, settings: Any, blocking: bool, bar: Severity, key: Key) -> Any:
    first, *others = dict.fromkeys(key(table) for table in policy.query.tables)

    @dagster.asset_check(  # type: ignore[untyped-decorator,unused-ignore]
        asset=first,
        name=policy.name.replace(":", "__").replace(".", "__"),
        additional_deps=others,
        blocking=blocking,
        description=policy.description or policy.title,
        metadata={"policy": policy.path, "owner": policy.owner},
    )
    def look() -> Any:
        warehouse = open_warehouse(settings)
        try:
            looked, found = once(policy, catalog, warehouse, datetime.now(UTC), None)
        finally:
            warehouse.close()
        if not looked.ok:  # nothing is known: the check has not failed, it could not be made
            raise dagster.Failure(looked.error or looked.status.value, allow_retries=looked.transient)
        return dagster.AssetCheckResult(
            passed=not found.fired,
            severity=_how_bad(policy, found, bar),
            description=_said(looked, found),
            metadata=dict(_metadata(policy, looked, found)),
        )

    return look


def _how_bad(policy: Policy, found: Reconciled, bar: Severity) -> Any:
    worst = max((fire.severity for fire in found.fired), default=Severity.info)
    bad = policy.status is Status.live and worst >= bar
    return dagster.AssetCheckSeverity.ERROR if bad else dagster.AssetCheckSeverity.WARN


def _said(looked: Looked, found: Reconciled) -> str:
    rows, keys = count(len(looked.rows), "row"), count(len(looked.violations), "key")
    return f"{rows}, {keys}, {len(found.fired)} would alert"


def _metadata(policy: Policy, looked: Looked, found: Reconciled) -> Iterable[tuple[str, Any]]:
    """Of a sensitive policy numbers alone: Dagster's page is read by more people than its alerts are."""
    yield "rows", len(looked.rows)
    yield "violations", len(found.fired)
    yield "looked_until", looked.window.end.isoformat()
    if looked.window.start:
        yield "looked_from", looked.window.start.isoformat()
    yield "elapsed_s", round(looked.elapsed_s, 4)
    if looked.bad_rows:
        yield "rows_that_cannot_be_counted", len(looked.bad_rows)
    if policy.runbook and policy.runbook.startswith(("http://", "https://")):
        yield "runbook", dagster.MetadataValue.url(policy.runbook)
    if found.fired and not policy.sensitive:
        yield "found", [f"{fire.severity.name}: {fire.title}" for fire in found.fired[:TITLES]]
