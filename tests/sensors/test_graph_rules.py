"""What `check` says of the graph: circles, scratch under live, what nobody uses, each at its place."""

from __future__ import annotations

import json
from pathlib import Path

from sensors.catalog import load
from sensors.check import check
from sensors.model.bundle import Bundle
from sensors.rules.graph import FEW
from sensors.sources import Root
from tests.sensors.project import NAME, POLICY, SQL, Project

ASSETS, JOBS, ME = "policies/_assets.yml", "policies/_jobs.yml", f"policy:{NAME}"


def said(project: Project) -> list[str]:
    return [str(one) for one in check(project.load()) if "cases: no case" not in one.what]


def add(project: Project, *assets: str) -> None:
    project.write(ASSETS, project.read(ASSETS) + "".join(f"{line}\n" for line in assets))


def test_a_circle_is_named_as_a_path_where_a_file_says_it(project: Project) -> None:
    project.change(JOBS, "  owner: payments", "  owner: payments\n  after: [model:reco]")
    project.change(JOBS, "'s_\\d+'", "'s_\\d+', default: s_1")  # it starts by itself
    add(project, f"model:reco: {{owner: payments, after: ['{ME}']}}")
    project.change(ASSETS, "core.sellers: {", "core.sellers: {after: [job:hold_payouts], ")
    assert said(project) == [
        f"{ASSETS}:9:39 model:reco.after[1]: goes round in a circle, so that nothing in it comes first:"
        f" core.sellers → {ME} → model:reco → job:hold_payouts → core.sellers"
    ]


def test_a_policy_that_starts_what_it_runs_after_is_warned_of(project: Project) -> None:
    project.change(POLICY, "{every: 5m}", "{after: [core.sellers]}")
    project.change(POLICY, "offer: [hold_payouts]", "on_open: [hold_payouts]")
    project.change(ASSETS, "core.sellers: {", "core.sellers: {after: [job:hold_payouts], ")
    (found,) = [one for one in said(project) if "again and again" in one]
    assert found == (
        f"{POLICY}:4:20 warning: schedule.after[1]: may start itself again and again:"
        f" core.sellers → {ME} → job:hold_payouts → core.sellers"
    )


def test_mending_by_hand_is_no_circle(project: Project) -> None:
    project.change(ASSETS, "core.sellers: {", "core.sellers: {after: [job:hold_payouts], ")
    assert said(project) == []


def test_a_live_policy_on_what_is_made_from_scratch_is_warned_of(project: Project) -> None:
    add(
        project,
        "scratch.guess: {tier: scratch, owner: payments}",
        "raw.x: {after: [scratch.guess], owner: payments}",
    )
    project.change(ASSETS, "core.sellers: {", "core.sellers: {after: [raw.x], ")
    assert said(project) == [
        f"{POLICY}:6:35 warning: needs.core.sellers: core.sellers is made from scratch"
        " (scratch.guess → raw.x → core.sellers); a live policy stands on what is kept"
    ]
    project.change(POLICY, "owner: payments", "owner: payments\nstatus: shadow")
    assert said(project) == []


def test_a_live_policy_after_scratch_is_a_mistake(project: Project) -> None:
    add(project, "scratch.guess: {tier: scratch, owner: payments}")
    project.change(POLICY, "{every: 5m}", "{after: [scratch.guess]}")
    wanted = (
        f"{POLICY}:4:20 schedule.after[1]: scratch.guess is scratch; a live policy stands on what is kept"
    )
    assert wanted in said(project)
    project.change(POLICY, "owner: payments", "owner: payments\nstatus: shadow")
    assert not [one for one in said(project) if "is scratch" in one]


def test_what_nobody_reads_is_warned_of_and_a_dashboard_is_an_end_in_itself(project: Project) -> None:
    add(
        project,
        "core.unused: {owner: payments}",
        "dashboard:sales: {owner: payments, after: [core.sellers]}",
        "dashboard:lost: {owner: payments}",
    )
    why = "nothing reads it, or is made after it; is it still used?"
    assert said(project) == [
        f"{ASSETS}:9:1 warning: core.unused: {why}",
        f"{ASSETS}:11:1 warning: dashboard:lost: {why}",
    ]


def test_many_unused_ones_are_one_warning(project: Project) -> None:
    add(project, *(f"core.t{n}: {{owner: payments}}" for n in range(FEW + 1)))
    assert said(project) == []  # until something says what it comes after, it is a list of what may be read
    project.change(ASSETS, "core.sellers: {", "core.sellers: {after: [core.chat_messages], ")
    (found,) = said(project)
    assert found.startswith(
        f"{ASSETS}:9:1 warning: core.t0: nothing reads these, or is made after them: core.t0, "
    )
    assert "and 6 more" in found


def test_while_a_policy_does_not_load_nothing_is_called_unused(project: Project) -> None:
    project.change(POLICY, "owner: payments", "owner: paymnts")
    assert not [one for one in said(project) if "still used" in one]


def test_a_circle_through_two_bundles_stands_in_the_file_that_says_it(
    project: Project, tmp_path: Path
) -> None:
    theirs = Project(tmp_path / "risk")
    theirs.write(POLICY, project.read(POLICY))
    theirs.write(SQL, project.read(SQL))
    theirs.write(ASSETS, f"Model:Reco: {{after: ['{ME}'], owner: payments}}\n")
    theirs.change(POLICY, "{every: 5m}", "{after: [model:reco]}")
    root = Root(Bundle("risk", path="../risk"), theirs.path, prefix="risk:", shown="../risk/")
    (found,) = [str(one) for one in check(load(project.path, others=[root])) if "circle" in one.what]
    assert found == (
        f"../risk/{POLICY}:4:20 schedule.after[1]: goes round in a circle, so that nothing in it comes first:"
        f" model:reco → policy:risk:{NAME} → model:reco"
    )


def test_what_dbt_alone_says_stands_where_dbt_is_named(project: Project) -> None:
    node = {"resource_type": "model", "schema": "dbt", "config": {"meta": {"owner": "payments"}}}
    nodes = {
        "a": {**node, "name": "a", "depends_on": {"nodes": ["b"]}},
        "b": {**node, "name": "b", "depends_on": {"nodes": ["a"]}},
    }
    project.write("target/manifest.json", json.dumps({"nodes": nodes}))
    found = check(project.load(manifest=project.path / "target/manifest.json"))
    (circle,) = [str(one) for one in found if "circle" in one.what]
    assert circle == (
        "patrol.yml:1:1 goes round in a circle, so that nothing in it comes first: dbt.a → dbt.b → dbt.a"
    )


def test_what_is_old_before_each_load_is_warned_of(project: Project) -> None:
    add(
        project, "core.x: {owner: payments, loaded_until: at, load_interval: 1h, freshness: {warn_after: 1h}}"
    )
    add(
        project,
        "core.y: {owner: payments, loaded_until: at, load_interval: 1h, freshness: {warn_after: 90m}}",
    )
    add(project, "core.z: {owner: payments, loaded_until: at, freshness: {late_after: 1h}}")
    assert [one for one in said(project) if "freshness" in one] == [
        f"{ASSETS}:9:88 warning: core.x.freshness.warn_after: it is that old before each load, every 1 h"
        " (load_interval); let it be older"
    ]
