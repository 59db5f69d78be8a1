"""Part of the desk: open alerts, as somebody has filtered them."""

from __future__ import annotations

from collections.abc import Mapping

from bot.core.reply import ListReply, Said
from bot.core.unknown import no_such
from bot.core.verbs import BY_NAME
from bot.engine.engine import Engine
from bot.view import View
from sensors.model.policy import Severity

FLAGS = ("mine", "unowned", "late", "snoozed")
FILTERS = frozenset({*FLAGS, "policy", "team", "severity"})


def listed(engine: Engine, view: View, person: str, filters: Mapping[str, str]) -> ListReply | Said:
    """The open alerts that a person may see, worst first; or which filter is none."""
    if wrong := _wrong(engine, filters):
        return wrong
    severity = filters.get("severity")
    found = engine.store.alerts.open(
        policy=filters.get("policy"),
        team=filters.get("team"),
        owner=person if "mine" in filters else None,
        unowned="unowned" in filters,
        late="late" in filters,
        snoozed="snoozed" in filters,
        severity=Severity[severity] if severity else None,
    )
    alerts = view.seen(person, found)
    asked = " ".join(f"{name}:{value}" if value else name for name, value in filters.items())
    snoozes = tuple(view.standing()) if "snoozed" in filters else ()
    return ListReply(alerts, asked, view.cards(alerts), snoozes)


def _wrong(engine: Engine, filters: Mapping[str, str]) -> Said | None:
    """A filter by something that is not there is a slip of the hand, not an empty list."""
    unheard, severity = sorted({*filters} - FILTERS), filters.get("severity")
    if unheard or (severity is not None and severity not in Severity.__members__):
        what = f"`{unheard[0]}`" if unheard else f"`severity:{severity}`"
        return Said(f"{what} is no filter.", f"Write it so: `{BY_NAME['list'].usage}`", ok=False)
    policies = {*engine.catalog.policies, *engine.store.alerts.counts()}
    known = {"policy": sorted(policies), "team": sorted(engine.catalog.teams)}
    for what, names in known.items():
        if what in filters and filters[what] not in names:
            return no_such(what, filters[what], names)
    return None
