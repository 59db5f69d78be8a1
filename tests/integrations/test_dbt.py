"""Jobs of kind dbt against the real dbt Core on a DuckDB file, and policies that come after it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bot.core.job_run import Ability, JobState, assets_of
from bot.jobs.dbt import DbtRunner
from bot.jobs.place import Place
from sensors.catalog import load
from sensors.file_job import JobFile
from sensors.model.job import Job
from tests.jobs.on_host import HostWorld

ROOT = Path(__file__).parents[2]
DBT = ROOT / ".venv-dbt" / "bin" / "dbt"
PATROL = [str(ROOT / ".venv" / "bin" / "python"), "-m", "bot"]
pytestmark = [
    pytest.mark.integrations,
    pytest.mark.skipif(not DBT.exists(), reason="no dbt: make test-integrations ONLY=dbt brings one"),
]
SAID = {
    "title": "Build the shop",
    "kind": "dbt",
    "owner": "data",
    "project": "shop",
    "profiles": "shop",
    "exclude": "slow",
    "vars": {"least": "{least}", "nap": "{nap}"},
    "params": {
        "least": {"type": "integer", "pattern": r"-?\d{1,6}", "default": 0},
        "nap": {"type": "integer", "pattern": r"\d{1,6}", "default": 1},
    },
    "timeout": "3m",
}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HostWorld]:
    """A project with dbt's beside it, in which dbt has built once: a parse takes most of its time."""
    project = tmp_path_factory.mktemp("project")
    shutil.copytree(ROOT / "tests/integrations/dbt_project", project / "shop")
    said = {**SAID, "program": str(DBT), "environment": {"SHOP_DUCKDB": str(project / "shop.duckdb")}}
    job: Job = JobFile.model_validate(said).value("dbt_build")
    world = HostWorld(DbtRunner({"PATH": os.environ["PATH"]}, Place(project, commands=True)), job, project)
    run = world.begin("first", least=0)
    world.until(lambda progress: progress.state.ended, run.external_id or "", within_s=150)
    yield world
    for claim in project.glob(".patrol/commands/*/claim"):
        claim.with_name("cancel").touch()


def ended(world: HostWorld, key: str, **params: Any) -> Any:
    run = world.runner.start(world.job, params, key)
    return world.until(lambda said: said.state.ended, run.external_id or "", within_s=150)


def test_a_build_says_what_was_built_and_which_tables(built: HostWorld) -> None:
    said = ended(built, "first", least=0)  # known already: it is not done again
    assert (said.state, said.outcome) == (JobState.succeeded, "1 seed built, 2 models built, 3 tests passed")
    assert set(said.updated) == {"shop.raw.payments", "shop.core.orders", "shop.core.sellers"}
    assert "Completed successfully" in built.runner.tail(built.job, said.external_id)
    assert len(list(built.project.glob(".patrol/commands/dbt_build-*"))) == 1


def test_a_test_that_fails_is_named_and_what_comes_after_it_is_skipped(built: HostWorld) -> None:
    said = ended(built, "failing", least=-10)
    assert said.state is JobState.failed
    assert said.outcome == (
        "1 seed built, 1 model built, 2 tests passed, 1 skipped, 1 test failed: amount_is_paid"
    )
    assert set(said.updated) == {"shop.raw.payments", "shop.core.orders"}


def test_a_selector_is_one_argument_and_what_it_does_not_find_is_said(built: HostWorld) -> None:
    config = {k: v for k, v in built.job.config.items() if k != "exclude"}
    one = replace(built, job=replace(built.job, config={**config, "select": ["orders", "payments"]}))
    assert ended(one, "some").outcome == "1 seed built, 1 model built, 3 tests passed"
    none = replace(built, job=replace(built.job, config={**config, "select": "--full-refresh"}))
    said = ended(none, "none")
    assert said.outcome != ""
    assert said.updated == ()


def test_a_build_that_is_cancelled_ends_and_leaves_the_database_free(built: HostWorld) -> None:
    config = {k: v for k, v in built.job.config.items() if k != "exclude"}
    slow = replace(built, job=replace(built.job, config={**config, "select": "slow"}))
    assert Ability.cancel in slow.runner.abilities(slow.job)
    run = slow.runner.start(slow.job, {"nap": 400_000}, "slow").external_id or ""
    slow.until(lambda _: "START sql" in slow.runner.tail(slow.job, run), run, within_s=120)
    slow.runner.cancel(slow.job, run)
    assert slow.until(lambda said: said.state.ended, run, within_s=30).state is JobState.cancelled
    assert ended(built, "after the slow one").state is JobState.succeeded


def test_what_others_build_is_seen(built: HostWorld) -> None:
    began = datetime.now(UTC)
    environ = {**os.environ, "SHOP_DUCKDB": str(built.project / "shop.duckdb")}
    shop = built.project / "shop"
    where = ["--project-dir", str(shop), "--profiles-dir", str(shop)]
    subprocess.run([DBT, "seed", *where], env=environ, cwd=shop, check=True, capture_output=True)
    [seen] = built.runner.observe(built.job, began).runs
    assert (seen.state, seen.outcome, seen.by) == (JobState.succeeded, "1 seed built", "")
    assert seen.started_at
    assert began < seen.started_at < (seen.ended_at or began)


def test_its_tables_are_assets_and_a_policy_after_them_finds_what_was_built(built: HostWorld) -> None:
    updated = ended(built, "first").updated
    project = built.project
    (project / "policies" / "shop").mkdir(parents=True)
    (project / "sql" / "shop").mkdir(parents=True)
    (project / "patrol.yml").write_text(
        "warehouse_url: duckdb:///shop.duckdb\ndialect: duckdb\ncommands: on\n"
        "dbt_manifest: shop/target/manifest.json\n"
    )
    (project / "policies/_teams.yml").write_text("data: {channel: C0DATA, members: {ana: {slack: U0ANA}}}\n")
    job = {**SAID, "program": str(DBT), "environment": {"SHOP_DUCKDB": "${SHOP_DUCKDB}"}}
    (project / "policies/_jobs.yml").write_text(json.dumps({"dbt_build": job}))
    (project / "policies/_violations.yml").write_text("busy: {title: Busy, what: Many orders.}\n")
    (project / "policies/shop/busy.yml").write_text(
        "title: Seller is busy\ndescription: A seller with orders.\nviolation: busy\nowner: data\n"
        "schedule: {after: [core.sellers, job:dbt_build]}\nkey: [seller_id]\nseverity: low\n"
    )
    (project / "sql/shop/busy.sql").write_text(
        "SELECT seller_id, orders FROM {{ table('core.sellers') }} WHERE orders >= 1\n"
    )
    checked = patrol(project, "check")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    known = load(project, dialect="duckdb", manifest=project / "shop/target/manifest.json").assets
    assert set(assets_of(updated, known)) == {"raw.payments", "core.orders", "core.sellers"}
    ran = patrol(project, "run", "shop.busy")
    assert "s_2" in ran.stdout, ran.stdout + ran.stderr


def patrol(project: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, "PYTHONPATH": str(ROOT), "SHOP_DUCKDB": str(project / "shop.duckdb")}
    return subprocess.run(
        [*PATROL, *words], cwd=project, env=environ, capture_output=True, text=True, timeout=60, check=False
    )
