"""Bundles in repositories: pulled by one process, seen alike by all, old or new and never half."""

from __future__ import annotations

import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

from bot.bundles.git import Git
from bot.bundles.pulling import Pulling
from bot.bundles.stored import TOLD_AFTER
from bot.process.killpoint import RARE
from bot.project import Project
from bot.store import Store
from sensors.model.bundle import Bundle
from sensors.model.catalog import NOT_YET
from tests.shell.making import ELSEWHERE, ELSEWHERE_SQL, MINUTE, Node, World
from tests.shell.repository import Repository, served

YAML, SQL = "policies/chat/asks.yml", "sql/chat/asks.sql"
NAME = "risk:chat.asks"
BROKEN = ELSEWHERE.replace("severity:", "severty:")
NEWER = ELSEWHERE.replace("\ntitle: ", "\ntitle: Newer ")
BUNDLE_BROKEN = "patrol.broken_bundle"


@pytest.fixture
def team(tmp_path: Path) -> Repository:
    made = Repository(tmp_path / "team")
    made.commit({YAML: ELSEWHERE, SQL: ELSEWHERE_SQL})
    return made


@pytest.fixture
def risky(world: World, team: Repository) -> World:
    """The small world, with the team's repository as the bundle risk."""
    world.bundles = (Bundle("risk", git=team.url),)
    world.may_be_wrong = True  # until it was pulled
    return world


def pulling(world: World, store: Store, **options: timedelta) -> Pulling:
    return Pulling(store, world.project, world.bundles, world.clock, **options)


def pull(world: World, node: Node) -> str:
    """A minute later, it is pulled and taken in. The title of its policy as it then is."""
    world.clock.on(MINUTE)
    pulling(world, node.store).once()
    node.engine.reload()
    return title(node)


def title(node: Node) -> str:
    return node.engine.catalog.policies[NAME].title


def test_a_bundle_is_pulled_and_swapped_whole_and_what_breaks_stays_as_it_was(
    risky: World, team: Repository
) -> None:
    node = risky.node()
    assert node.engine.catalog.bundles[1].trouble == NOT_YET
    assert not node.alerts(BUNDLE_BROKEN)
    assert pull(risky, node) == "Seller steers buyers to pay elsewhere"
    assert not node.engine.catalog.errors
    commit = team.commit({YAML: NEWER})
    assert pull(risky, node).startswith("Newer")
    (_, held) = node.engine.catalog.bundles
    assert (held.commit, held.since) == (commit, risky.clock())
    team.commit({YAML: BROKEN})
    assert pull(risky, node).startswith("Newer")
    assert node.engine.catalog.broken == {NAME}
    (alert,) = node.broken()
    assert "risk:policies/chat/asks.yml" in str(alert.newest)
    team.commit(
        {YAML: None, SQL: None, "policies/chat/other.yml": ELSEWHERE, "sql/chat/other.sql": ELSEWHERE_SQL}
    )
    risky.clock.on(MINUTE)
    pulling(risky, node.store).once()
    node.engine.reload()
    assert {n for n in node.engine.catalog.policies if ":" in n} == {"risk:chat.other"}
    assert not node.broken()


def test_all_processes_see_the_same_also_after_a_restart_and_one_pulls(
    risky: World, team: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = risky.node(), risky.node()
    fetched: list[str] = []
    fetch = Git.fetch
    monkeypatch.setattr(Git, "fetch", lambda git, repo: fetched.append("") or fetch(git, repo))  # type: ignore[func-returns-value]
    risky.clock.on(MINUTE)
    with ThreadPoolExecutor(2) as threads:
        both = threads.map(lambda node: pulling(risky, node.store).once(), (first, second))
        assert sorted(both) == [0, 1]
    assert len(fetched) == 1
    team.commit({YAML: NEWER})
    pull(risky, first)
    team.commit({YAML: BROKEN})
    pull(risky, first)
    second.engine.reload()
    for node in (first, second, risky.node(), risky.node()):
        node.engine.reload()
        assert title(node).startswith("Newer")
        assert node.engine.catalog.policies == first.engine.catalog.policies
        assert node.engine.catalog.version == first.engine.catalog.version
    store = first.store.contents.active("risk")
    assert store
    assert "Newer" in store[1]


def test_a_folder_that_is_away_at_the_start_is_as_it_last_was(world: World, tmp_path: Path) -> None:
    folder = tmp_path / "shop"
    for path, text in ((YAML, ELSEWHERE), (SQL, ELSEWHERE_SQL)):
        (folder / path).parent.mkdir(parents=True)
        (folder / path).write_text(text)
    world.bundles = (Bundle("shop", path="../shop"),)
    good = world.node().engine.catalog.policies["shop:chat.asks"]
    folder.rename(tmp_path / "elsewhere")
    world.may_be_wrong = True
    node = world.node()
    assert node.engine.catalog.policies["shop:chat.asks"] == good
    (alert,) = node.alerts(BUNDLE_BROKEN)
    assert "there is no folder policies/ in ../shop" in alert.title
    (tmp_path / "elsewhere").rename(folder)
    node.engine.reload()
    assert not node.alerts(BUNDLE_BROKEN)


def test_a_pull_that_goes_on_failing_is_told_once_and_its_end_too(risky: World, team: Repository) -> None:
    node = risky.node()
    pull(risky, node)
    away = team.folder.rename(team.folder.with_name("away"))
    for n in range(1, TOLD_AFTER + 4):
        pull(risky, node)
        assert len(node.alerts(BUNDLE_BROKEN)) == (n >= TOLD_AFTER), n
    (alert,) = node.alerts(BUNDLE_BROKEN)
    assert alert.terms.team == "payments"
    assert alert.title == "Bundle risk is not whole: there is no such repository"
    assert node.kinds(alert.id) == ["opened"]
    assert node.engine.catalog.bundles[1].trouble == "there is no such repository"
    away.rename(team.folder)
    pull(risky, node)
    assert not node.alerts(BUNDLE_BROKEN)
    assert not node.engine.catalog.bundles[1].trouble


def test_a_bundle_that_was_never_had_is_told_at_once(risky: World, team: Repository) -> None:
    team.folder.rename(team.folder.with_name("away"))
    node = risky.node()
    risky.clock.on(MINUTE)
    pulling(risky, node.store).once()
    node.engine.reload()
    assert [alert.title for alert in node.alerts(BUNDLE_BROKEN)] == [
        "Bundle risk is not whole: there is no such repository"
    ]
    assert "payments.elsewhere" in node.engine.catalog.policies


def test_one_that_does_not_answer_holds_up_no_other(risky: World) -> None:
    gone = Bundle("gone", git="file:///nowhere")
    risky.bundles = (gone, *risky.bundles)
    node = risky.node()
    assert pulling(risky, node.store).now(risky.bundles) == {
        "gone": "there is no such repository",
        "risk": "",
    }
    node.engine.reload()
    assert NAME in node.engine.catalog.policies


def test_a_token_is_sent_as_a_password_and_shown_nowhere(
    world: World, team: Repository, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("RISK_TOKEN", "hush-hush")
    store = Store(world.url)
    with served(team.folder, "hush-hush") as url:
        world.bundles = (Bundle("risk", git=url, token="RISK_TOKEN"),)
        assert pulling(world, store).now(world.bundles) == {"risk": ""}
        monkeypatch.setenv("RISK_TOKEN", "wrong-wrong")
        said = pulling(world, store).now(world.bundles)["risk"]
        assert said == "it does not let us in: give it a token that may read it"
        monkeypatch.delenv("RISK_TOKEN")
        said = pulling(world, store).now(world.bundles)["risk"]
        assert said == "its token is missing: the environment has no RISK_TOKEN"
    written = [p.read_text() for p in (world.project / ".patrol").rglob("*") if p.is_file()]
    assert written
    assert "hush" not in "".join(written) + caplog.text
    store.close()


KILLED = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from bot.bundles.pulling import Pulling
from bot.store import Store
from sensors.model.bundle import Bundle
url, project, git = sys.argv[1:]
risk = Bundle("risk", git=git)
Pulling(Store(url), Path(project), [risk], lambda: datetime.now(UTC)).now([risk])
"""


@pytest.mark.parametrize("point", [point for point in RARE if point.startswith("bundle.")])
def test_whoever_is_killed_while_pulling_leaves_the_old_version_or_the_new(
    world: World, team: Repository, point: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    risk = Bundle("risk", git=team.url)
    world.bundles = (risk,)
    store = Store(world.url)
    assert pulling(world, store).now([risk]) == {"risk": ""}
    team.commit({YAML: NEWER})
    monkeypatch.setenv("PATROL_KILL_AT", point)
    words = [sys.executable, "-c", KILLED, world.url, str(world.project), team.url]
    assert subprocess.run(words, check=False).returncode == -signal.SIGKILL
    monkeypatch.delenv("PATROL_KILL_AT")

    def seen() -> str:
        project = Project(world.project, store, bundles=world.bundles)
        project.reload()
        assert not project.catalog.errors
        return project.catalog.policies[NAME].title

    assert seen().startswith("Newer") == (point == "bundle.kept")
    world.clock.on(timedelta(days=9999))  # what the dead has claimed is over
    assert pulling(world, store).now([risk]) == {"risk": ""}
    assert seen().startswith("Newer")
    home = world.project / ".patrol/bundles/risk"
    assert not list(home.glob("begun*"))
    store.close()


def test_a_pull_ends_with_patrol(risky: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stuck = tmp_path / "ssh"
    stuck.write_text("#!/bin/sh\nexec sleep 60\n")
    stuck.chmod(0o755)
    monkeypatch.setenv("GIT_SSH_COMMAND", str(stuck))
    risky.bundles = (Bundle("risk", git="ssh://git@127.0.0.1/x.git"),)
    node = risky.node()
    work = pulling(risky, node.store)
    with ThreadPoolExecutor(1) as threads:
        going = threads.submit(work.once)
        work.stopping.set()
        assert going.result(10) == 0
    assert work.once() == 0
