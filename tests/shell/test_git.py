"""What is taken out of a real repository, and what is said where it cannot be."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.bundles import git as program
from bot.bundles import takeout
from bot.bundles.checkout import here, home_of, pull
from bot.bundles.git import Git, Origin
from bot.process.errors import PullFailed
from sensors.model.bundle import Bundle
from tests.shell.repository import Repository

NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)


@pytest.fixture
def team(tmp_path: Path) -> Repository:
    """A team's repository with one commit on main."""
    made = Repository(tmp_path / "team")
    made.commit({"policies/a.yml": "one", "sql/a.sql": "SELECT 1", "README.md": "ours"})
    return made


def pulled(team: Repository, tmp_path: Path, path: str = "", **origin: str) -> dict[str, str]:
    """The files that the bundle has on this disk now."""
    bundle = Bundle("risk", git=team.url, path=path)
    home = home_of(tmp_path, bundle)
    found = pull(Git(Origin(team.url, **{"branch": "main", **origin})), home, bundle, NOW)
    assert here(home, bundle) == found
    folder = home / found.folder
    return {str(p.relative_to(folder)): p.read_text() for p in folder.rglob("*") if p.is_file()}


def left(tmp_path: Path) -> dict[str, str]:
    """What was not taken out, and why."""
    (newest,) = (tmp_path / ".patrol/bundles/risk").glob("newest.json")
    bundle = Bundle("risk", git=f"file://{tmp_path / 'team'}")
    found = here(newest.parent, bundle)
    assert found
    return {problem.path: problem.what for problem in found.left}


def test_only_its_policies_and_queries_are_taken_out_also_after_a_forced_push(
    team: Repository, tmp_path: Path
) -> None:
    assert pulled(team, tmp_path) == {"policies/a.yml": "one", "sql/a.sql": "SELECT 1"}
    team.commit({"policies/a.yml": "two"}, "--amend")
    assert pulled(team, tmp_path) == {"policies/a.yml": "two", "sql/a.sql": "SELECT 1"}


def test_the_same_commit_is_fetched_once(
    team: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = pulled(team, tmp_path)
    monkeypatch.setattr(Git, "fetch", lambda *_: pytest.fail("it was fetched once more"))
    assert pulled(team, tmp_path) == first


def test_a_folder_of_the_repository_and_another_branch_are_bundles_by_themselves(
    team: Repository, tmp_path: Path
) -> None:
    team.commit({"rules/risk/policies/b.yml": "b"})
    assert pulled(team, tmp_path, path="rules/risk") == {"policies/b.yml": "b"}
    team.git("checkout", "-q", "-b", "next")
    team.commit({"policies/a.yml": "next"})
    assert pulled(team, tmp_path, branch="next")["policies/a.yml"] == "next"


def test_hostile_files_do_no_harm_and_are_named(
    team: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = tmp_path / "secret"
    secret.write_text("token")
    os.symlink(secret, team.folder / "policies" / "link.yml")
    os.symlink(tmp_path, team.folder / "sql" / "away")
    odd = {"policies/bell\a.yml": "x", "policies/new\nline.yml": "x", f"policies/{'n' * 210}.yml": "x"}
    lfs = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"
    team.commit({**odd, "policies/big.yml": "x" * 3_000_000, "policies/far.csv": lfs})
    team.git("-c", "protocol.file.allow=always", "submodule", "add", "-q", str(team.folder), "policies/sub")
    team.commit({".gitattributes": "* filter=evil", ".lfsconfig": "[lfs]\n\turl = http://127.0.0.1:9/"})
    assert pulled(team, tmp_path).keys() == {"policies/a.yml", "sql/a.sql"}
    said = left(tmp_path)
    assert said["policies/link.yml"] == said["sql/away"] == "is a link, which is not followed"
    assert said["policies/sub"] == "is a submodule, which is not fetched"
    assert said["policies/big.yml"] == "is larger than 2 MB and was left out"
    assert said["policies/far.csv"].startswith("is kept by Git LFS")
    assert [what for path, what in said.items() if "name" in what] == ["has a name that is no file's"] * 3
    assert all(path.isprintable() for path in said)
    monkeypatch.setattr(takeout, "MOST_FILES", 1)
    team.commit({"sql/b.sql": "x"})
    with pytest.raises(PullFailed, match="more than 1 files"):
        pulled(team, tmp_path)


def test_a_repository_that_is_too_large_fills_no_disk(
    team: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(program, "MOST_BYTES", 1_000_000)
    (team.folder / "video.bin").write_bytes(os.urandom(3_000_000))
    team.commit({})
    with pytest.raises(PullFailed, match="it is larger than"):
        pulled(team, tmp_path)
    assert not list(home_of(tmp_path, Bundle("risk")).glob("begun*"))


def test_a_path_that_leads_out_of_the_folder_is_refused(team: Repository, tmp_path: Path) -> None:
    blob = team.git("rev-parse", "HEAD:policies/a.yml").strip()
    up = team.git("mktree", given=f"100644 blob {blob}\tevil.yml\n").strip()
    inside = team.git("mktree", given=f"040000 tree {up}\t..\n").strip()
    top = team.git("mktree", given=f"040000 tree {inside}\tpolicies\n").strip()
    commit = team.git("commit-tree", top, "-m", "evil").strip()
    team.git("update-ref", "refs/heads/main", commit)
    with pytest.raises(PullFailed, match="not what git would write"):
        pulled(team, tmp_path)
    assert not list(tmp_path.rglob("evil.yml"))


@pytest.mark.parametrize(
    ("url", "branch", "said"),
    [
        ("file://{team}", "gone", "there is no branch gone there"),
        ("file://{team}-not", "main", "there is no such repository"),
        ("ext::sh -c touch% {team}/run", "main", "its address must begin with https://, ssh:// or file://"),
        (
            "--upload-pack=touch {team}/run",
            "main",
            "git says: fatal: strange pathname '--upload-pack=touch {team}/run' blocked",
        ),
        ("https://ana:hush@127.0.0.1:9/x.git", "main", "its host does not answer"),
        ("https://nowhere.invalid/x.git", "main", "its host is not known: no network, or misspelt"),
    ],
)
def test_why_nothing_can_be_had_is_said_in_plain_words(
    team: Repository, tmp_path: Path, url: str, branch: str, said: str
) -> None:
    bundle = Bundle("risk", git=url)
    with pytest.raises(PullFailed) as failed:
        pull(Git(Origin(url.format(team=team.folder), branch, token="hush")), tmp_path / "home", bundle, NOW)
    assert str(failed.value) == said.format(team=team.folder)
    assert not (team.folder / "run").exists()
    assert not list((tmp_path / "home").glob("begun*"))


def test_the_program_ends_when_it_is_late_or_patrol_stops_with_all_that_it_has_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stuck = tmp_path / "ssh"
    stuck.write_text(f"#!/bin/sh\necho $$ > {tmp_path}/pid\nexec sleep 60\n")
    stuck.chmod(0o755)
    monkeypatch.setenv("GIT_SSH_COMMAND", str(stuck))
    origin = Origin("ssh://git@127.0.0.1/x.git", "main")
    began = time.monotonic()
    with pytest.raises(PullFailed, match=r"not done within 0\.5 seconds"):
        Git(origin, timeout_s=0.5).newest()
    stopping = threading.Event()
    threading.Timer(0.3, stopping.set).start()
    with pytest.raises(PullFailed, match="about to end"):
        Git(origin, stopping).newest()
    assert time.monotonic() - began < 10
    pid = (tmp_path / "pid").read_text().strip()
    state = subprocess.run(["ps", "-o", "stat=", "-p", pid], capture_output=True, text=True, check=False)
    assert state.stdout.strip() in ("", "Z", "Zs")  # gone, but that nobody has asked how it ended


def test_git_sees_no_secret_of_patrol(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = tmp_path / "seen"
    spy = tmp_path / "spy"
    spy.write_text(f"#!/bin/sh\nenv > {seen}\nexit 1\n")
    spy.chmod(0o755)
    for name in ("SLACK_BOT_TOKEN", "PATROL_STORE_URL", "RISK_TOKEN"):
        monkeypatch.setenv(name, "hush-hush")
    monkeypatch.setenv("GIT_SSH_COMMAND", str(spy))
    with pytest.raises(PullFailed):
        Git(Origin("ssh://git@127.0.0.1/x.git", "main")).newest()
    assert "hush-hush" not in seen.read_text()
