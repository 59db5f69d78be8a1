"""Which card `patrol preview` shows: of a case, of the warehouse's rows, of made-up ones, or of the store."""

from __future__ import annotations

import re
import sys
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from bot.cli.group import settings_of
from bot.cli.policies import catalog_of, policy_of
from bot.core.words import count
from bot.process.errors import PatrolError

if TYPE_CHECKING:
    from bot.core.context import House
    from bot.workbench.preview import Preview
    from sensors.model.catalog import Catalog
    from sensors.model.policy import Policy
    from sensors.model.run import Looked

ALERT = re.compile(r"(?:ALR-|#)?(\d{1,18})", re.IGNORECASE)


@dataclass(frozen=True)
class Source:
    """Where the rows are to come from: by itself the first case that fires, else whatever there is."""

    warehouse: bool = False
    example: bool = False
    extreme: bool = False

    @property
    def made_up(self) -> bool:
        return self.example or self.extreme


@dataclass(frozen=True)
class Shown:
    """A card, where its rows come from in words, when it is, and the names of those whom it may mention."""

    preview: Preview
    rows: str
    now: datetime
    names: dict[str, str] = field(default_factory=dict)
    note: str = ""


def of_policy(project: Path, name: str, source: Source, state: str) -> Shown:
    """The card of an alert that the policy would open; ends the process where there is none."""
    settings = settings_of(project)
    catalog = catalog_of(settings)
    policy = policy_of(catalog, name)
    looked, rows = _looked(policy, catalog, settings, source)
    if not looked.ok:
        _no_card(f"{policy.name} {looked.status.value}: {looked.error}")
    return _made(policy, looked, rows, _house(catalog, settings, looked.window.end), state)


def _made(policy: Policy, looked: Looked, rows: str, house: House, state: str) -> Shown:
    from bot.core.oncall import names
    from bot.workbench.preview import State, preview

    found = preview(looked, house, State(state))
    if found is None:
        many = count(len(looked.rows), "row")
        _no_card(f"{rows}: {many}, and nothing would alert. --example shows a card with made-up rows.")
    note = "" if policy.runs else f"{policy.name} is {policy.status.value}: it does not run"
    return Shown(found, rows, found.alert.last_event_at or house.at, names(house.catalog.teams), note)


def _no_card(why: str) -> NoReturn:
    """It ran, and the answer is that there is no card."""
    click.secho(why, fg="red", err=True)
    sys.exit(1)


def _house(catalog: Catalog, settings: Any, now: datetime) -> House:
    from bot.core.context import House

    owner = settings.owner if settings.owner in catalog.teams else next(iter(catalog.teams), "")
    return House(catalog, owner, now)


# ------------------------------------------------------------------------------ rows


def _looked(policy: Policy, catalog: Catalog, settings: Any, source: Source) -> tuple[Looked, str]:
    """The rows, and in words where they come from."""
    if source.made_up:
        return _made_up(policy, catalog, settings, source.extreme), "made up by the types of its columns"
    if source.warehouse:
        return _of_warehouse(policy, catalog, settings), "the newest rows of the warehouse"
    if case := _of_case(policy, catalog):
        return case
    looked = _of_warehouse(policy, catalog, settings) if settings.warehouse_url else None
    if looked and looked.ok and looked.violations:
        return looked, "the newest rows of the warehouse, since no case of the policy fires"
    why = f"no case of the policy fires, and {_nothing(looked)}"
    return _made_up(policy, catalog, settings), f"made up by the types of its columns, since {why}"


def _nothing(looked: Looked | None) -> str:
    if looked is None:
        return "no warehouse is named"
    return "the warehouse gives no row now" if looked.ok else f"the warehouse says: {looked.error}"


def _made_up(policy: Policy, catalog: Catalog, settings: Any, extreme: bool = False) -> Looked:
    from bot.workbench.preview import example

    return example(policy, _house(catalog, settings, datetime.now(UTC)), extreme=extreme)


def _of_case(policy: Policy, catalog: Catalog) -> tuple[Looked, str] | None:
    """What the first case that fires gives."""
    from bot.workbench.trial import prepared, tried
    from sensors.warehouse.duck_memory import Memory

    team = catalog.teams.get(policy.owner)
    firing = [one for one in prepared(policy, catalog) if one.case.fires]
    with closing(Memory()) as memory:
        for one in firing:
            looked = tried(policy, one, catalog.assets, memory, team).looked
            if looked and looked.ok and looked.violations:
                return looked, f'the case "{one.case.name}"'
    return None


def _of_warehouse(policy: Policy, catalog: Catalog, settings: Any) -> Looked:
    from bot.app import open_warehouse
    from bot.workbench.one_look import once

    with closing(open_warehouse(settings)) as warehouse:
        return once(policy, catalog, warehouse, datetime.now(UTC), None)[0]


# ------------------------------------------------------------------------------ the store


def of_store(project: Path, alert: str) -> Shown:
    """The card of an alert as it now stands."""
    from bot.core.oncall import names
    from bot.project import Project
    from bot.store import Store
    from bot.view import View
    from bot.workbench.preview import Preview

    found = ALERT.fullmatch(alert.strip())
    if found is None:
        raise PatrolError(f"{alert} is no alert's number; write --alert 142.")
    settings = settings_of(project)
    catalog, now = catalog_of(settings), datetime.now(UTC)
    with closing(Store(settings.store_url)) as store:
        files = Project(settings.project, store, owner=settings.owner)
        files.catalog = catalog
        view = View(store, files, lambda: now)
        held = store.alerts.get(int(found[1]))
        if held is None:
            raise PatrolError(f"There is no ALR-{found[1]} in the store.")
        made = Preview(held, view.context(held), view.channel_of(held))
    return Shown(made, "the store, as it now stands", now, names(catalog.teams))
