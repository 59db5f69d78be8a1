"""Part of the desk: how it is with one team or one table, for `status` and `show`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from bot.core.cost import last_day, spent
from bot.core.entities import target_of
from bot.core.order import on_now
from bot.core.reply import AssetReply, Reply, Said, StatusReply
from bot.core.snooze import Scope
from bot.core.unknown import no_such
from bot.desk.graph import beside
from bot.desk.policy_page import policy_page
from bot.engine.engine import Engine
from bot.lateness import freshness
from bot.view import View
from sensors.model.graph import ASSETS, JOB, POLICY, job_ref, kind_of, name_of

DEAREST = 5  # policies, by what they cost
MOST = 50  # alerts that are read of a policy or a team
JOBS_MOST = 5
LOOKED_AT = 20  # starts of a job, of which the last that may be seen is shown


def status(engine: Engine, view: View, person: str, name: str = "") -> Reply:
    """Of all, a team, a policy or a table. With costs, which Home has not: they are others at each run."""
    teams = engine.catalog.teams
    if name and name not in teams:
        return page(engine, view, person, name, "team, policy or table", teams)
    costs = engine.store.costs.between(*last_day(engine.clock()))
    found = of_team(view, name, person) if name else view.status(person)
    own = {line.name for line in found.policies}
    return replace(
        found, spent=spent([one for one in costs.values() if not name or one.policy in own], DEAREST)
    )


def named(engine: Engine, view: View, person: str, name: str) -> Reply:
    """A policy, a table or a team, or somebody whom alerts are about."""
    if name in engine.catalog.teams:
        return status(engine, view, person, name)
    if kind_of(name.lower()) in ASSETS[1:]:
        return page(engine, view, person, name.lower(), "asset")
    target = target_of(name, engine.catalog) if ":" in name else None
    if isinstance(target, str):
        return Said(target, "Write it so: `show seller:s_1`", ok=False)
    if target and target.scope is Scope.entity:
        return view.entity(target, person)
    return page(engine, view, person, target.name if target else name)


def policy(engine: Engine, view: View, person: str, name: str) -> Reply:
    return policy_page(engine, view, name, person) or no_such("policy", name, list(engine.catalog.policies))


def page(
    engine: Engine,
    view: View,
    person: str,
    name: str,
    what: str = "policy or table",
    beside: Iterable[str] = (),
) -> Reply:
    """What is known of a policy or a table; else what there is (`what`, `beside`)."""
    catalog = engine.catalog
    found = policy_page(engine, view, name, person) or of_asset(view, name, person)
    return found or no_such(
        what, name, [*beside, *catalog.policies, *catalog.assets], map(job_ref, catalog.jobs)
    )


def of_team(view: View, name: str, person: str) -> StatusReply:
    """What is the team's own of all that `status` tells."""
    whole, catalog = view.status(person), view.catalog
    policies = tuple(line for line in whole.policies if line.owner == name)
    jobs = {job.name for job in catalog.jobs.values() if job.owner == name}
    own = {*map(job_ref, jobs), *(line.name for line in policies)}
    runs = [run for run in view.store.jobs.recent(MOST) if run.job in jobs]
    opened = view.seen(person, view.store.alerts.open(team=name, limit=MOST))
    return replace(
        whole,
        of=name,
        policies=policies,
        open_alerts=opened,
        open_total=len(opened),
        cards=view.cards(opened),
        on_call=tuple(one for one in whole.on_call if one.team == name),
        problems=(),
        jobs=view.seen_of(person, runs)[:JOBS_MOST],
        bundles=(),
        approvals=tuple(one for one in whole.approvals if one.job in jobs),
        standing=tuple(on_now(one) for one in view.store.orders.on() if one.policy in own),
        backfills=tuple(one for one in whole.backfills if one.team == name),
        version="",
        late=tuple(one for one in whole.late if one.asset.owner == name),
    )


def of_asset(view: View, name: str, person: str) -> AssetReply | None:
    """None where no such asset is declared."""
    asset = view.catalog.assets.get(name)
    if asset is None:
        return None
    around = beside(view.catalog, name)
    reading = sorted({one.node.name for one in around.downs if one.node.kind == POLICY})
    late = [
        alert for policy in reading for alert in view.store.alerts.open(policy=policy, late=True, limit=MOST)
    ]
    seen = view.seen(person, late)
    lines = view.lines_for(person, view.house, reading) if reading else ()
    jobs = [name_of(one.node.ref) for one in around.ups if one.node.kind == JOB]
    runs = [run for job in jobs for run in view.seen_of(person, view.store.jobs.of_job(job, LOOKED_AT))[:1]]
    fresh = freshness(view.store, view.catalog, asset, view.clock())
    return AssetReply(asset, lines, seen, view.cards(seen), fresh, around, tuple(runs))
