"""What a policy would alert if it looked once and remembered nothing."""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.core.reconcile import Reconciled, reconcile
from sensors.model.catalog import Catalog
from sensors.model.policy import Policy
from sensors.model.run import Looked, RunStatus
from sensors.model.team import Team
from sensors.model.window import Window, window_for
from sensors.run import data_until, look
from sensors.title import title
from sensors.warehouse import Warehouse, WarehouseError


def once(
    policy: Policy, catalog: Catalog, warehouse: Warehouse, at: datetime, over: timedelta | None
) -> tuple[Looked, Reconciled]:
    """One look at the warehouse as of `at`, back over `over` if given, and what it amounts to."""
    try:
        until = data_until(policy, catalog.assets, warehouse)
    except WarehouseError as error:
        return Looked(policy, Window(at, at), RunStatus.failed, error=str(error)), Reconciled()
    return judged(policy, warehouse, window_at(policy, at, until, over), catalog.teams.get(policy.owner))


def window_at(
    policy: Policy, at: datetime, until: datetime | None = None, over: timedelta | None = None
) -> Window:
    """What a first look at `at` sees: of events as much as `within` counts, or `over`."""
    window = window_for(policy.window, at, None, until)
    if not policy.accumulates or window.start is None:
        return window
    back = over or max(policy.threshold.within or timedelta(), window.end - window.start)
    return Window(window.end - back, window.end)


def judged(
    policy: Policy, warehouse: Warehouse, window: Window, team: Team | None
) -> tuple[Looked, Reconciled]:
    """Looks over the window; what it found is decided as in production, with nothing seen before."""
    looked = look(policy, warehouse, window)
    if not looked.ok:
        return looked, Reconciled()
    return looked, reconcile(policy, looked, team, {}, {}, title)
