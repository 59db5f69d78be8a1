"""Files that change under a running Patrol, and what is kept of them."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.project import Project
from bot.store import Store

ROOT = Path(__file__).parents[2]
NAME = "payments.card_testing"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "project"
    for name in ("policies", "sql"):
        shutil.copytree(ROOT / name, made / name)
    return made


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    made = Store(url)
    yield made
    made.close()


def break_it(folder: Path) -> None:
    path = folder / "policies/payments/card_testing.yml"
    path.write_text(path.read_text().replace("owner:", "ownr:"))


def test_what_a_run_depended_on_is_found_by_the_hash_that_the_run_keeps(folder: Path, store: Store) -> None:
    project = Project(folder, store)
    assert project.reload()
    policy = project.catalog.policies[NAME]
    body = store.contents.get(policy.content)
    assert body == policy.body.encode()
    assert hashlib.sha256(body).hexdigest() == policy.content
    assert "under two dollars" in policy.body  # the YAML
    assert "SELECT" in policy.body  # the SQL


def test_the_same_files_are_no_new_version(folder: Path, store: Store) -> None:
    project = Project(folder, store)
    assert project.reload()
    assert not project.reload()
    (folder / "sql/payments/card_testing.sql").touch()
    assert not project.reload()


def test_a_file_that_breaks_keeps_its_last_good_version(folder: Path, store: Store) -> None:
    project = Project(folder, store)
    project.reload()
    good = project.catalog.policies[NAME]
    break_it(folder)
    assert project.reload()
    assert project.catalog.broken == {NAME}
    assert project.catalog.policies[NAME] == good


def test_and_keeps_it_over_a_restart(folder: Path, store: Store) -> None:
    first = Project(folder, store)
    first.reload()
    good = first.catalog.policies[NAME]
    break_it(folder)
    first.reload()

    second = Project(folder, store)
    second.reload()
    assert second.catalog.broken == {NAME}
    assert second.catalog.policies[NAME].content == good.content

    third = Project(folder, store)
    third.reload()
    assert third.catalog.policies[NAME].content == good.content


def test_a_policy_whose_files_are_deleted_is_gone_over_a_restart_too(folder: Path, store: Store) -> None:
    Project(folder, store).reload()
    for path in ("policies/payments/card_testing.yml", "sql/payments/card_testing.sql"):
        (folder / path).unlink()
    for _ in range(2):
        project = Project(folder, store)
        project.reload()
        assert NAME not in project.catalog.policies
        assert not project.catalog.broken


def test_defaults_that_break_stop_the_policies_below_them_over_a_restart_too(
    folder: Path, store: Store
) -> None:
    defaults = folder / "policies/payments/_defaults.yml"
    defaults.write_text("tags: [money]\n")
    first = Project(folder, store)
    first.reload()
    good = dict(first.catalog.policies)
    below = {name for name in good if name.startswith("payments.")}
    defaults.write_text("tags: money\n")
    assert first.reload()
    for project in (first, Project(folder, store), Project(folder, store)):
        project.reload()
        assert project.catalog.broken == below
        assert {n: p.content for n, p in project.catalog.policies.items()} == {
            n: p.content for n, p in good.items()
        }
    defaults.write_text("tags: [cash]\n")
    assert first.reload()
    assert not first.catalog.broken
    assert first.catalog.policies[NAME].content != good[NAME].content


def test_tables_of_dbt_are_read_anew_and_kept_while_their_file_is_wrong(folder: Path, store: Store) -> None:
    assets = folder / "policies/_assets.yml"
    manifest = folder / "target/manifest.json"
    manifest.parent.mkdir()
    node = {
        "resource_type": "model",
        "schema": "core",
        "name": "payments_seen",
        "meta": {"owner": "payments"},
    }
    manifest.write_text(json.dumps({"nodes": {"model.a": node}}))
    (folder / "policies/payments/seen.yml").write_text(
        "title: A payment was seen\nowner: payments\nseverity: low\nschedule: {every: 1h}\nkey: [seller_id]\n"
    )
    sql = folder / "sql/payments/seen.sql"
    sql.write_text("SELECT seller_id FROM {{ table('core.payments_seen') }}\n")
    was = assets.read_text()

    first = Project(folder, store, manifest=manifest)
    first.reload()
    assert not first.catalog.errors
    good = first.catalog.policies["payments.seen"]
    more = {"description": "One row per payment.", "meta": {"tier": "vetted"}}
    manifest.write_text(json.dumps({"nodes": {"model.a": {**node, **more}}}))
    assert first.reload()
    newer = first.catalog.policies["payments.seen"]
    assert newer.content != good.content
    for text in ("{", "[]", None):
        manifest.unlink() if text is None else manifest.write_text(text)
        first.reload()
        for project in (first, Project(folder, store, manifest=manifest)):
            project.reload()
            assert [p.path for p in project.catalog.errors] == [str(manifest.relative_to(folder))]
            assert project.catalog.assets["core.payments_seen"].description == "One row per payment."
            assert project.catalog.policies["payments.seen"].content == newer.content
    assert assets.read_text() == was
