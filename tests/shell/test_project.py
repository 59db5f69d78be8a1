"""Files that change under a running Patrol, and what is kept of them."""

from __future__ import annotations

import hashlib
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
def store(tmp_path: Path) -> Iterator[Store]:
    made = Store(f"sqlite:///{tmp_path / 'patrol.db'}")
    made.upgrade()
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
