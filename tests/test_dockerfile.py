"""The image, as far as it can be judged without an engine: its steps are read, what they copy is there."""

from __future__ import annotations

import json
import re
import shlex
import tomllib
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.process.settings import load

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Step:
    stage: int
    word: str
    rest: str

    @property
    def words(self) -> list[str]:
        return shlex.split(self.rest)

    @property
    def exec_form(self) -> list[str]:
        found: list[str] = json.loads(self.rest[self.rest.index("[") :])
        return found


def read() -> list[Step]:
    """The instructions of the Dockerfile with the number of their stage."""
    lines = [
        line for line in (ROOT / "Dockerfile").read_text().splitlines() if not line.lstrip().startswith("#")
    ]
    steps: list[Step] = []
    stage = -1
    for line in "\n".join(lines).replace("\\\n", " ").splitlines():
        if line.strip():
            word, _, rest = line.strip().partition(" ")
            stage += word == "FROM"
            steps.append(Step(stage, word, rest.strip()))
    return steps


STEPS = read()
LAST = max(step.stage for step in STEPS)


def of(word: str, stage: int = LAST) -> list[Step]:
    return [step for step in STEPS if step.word == word and step.stage == stage]


def copied(stage: int | None = None) -> list[str]:
    """What is copied out of the checkout."""
    steps = [s for s in STEPS if s.word == "COPY" and (stage is None or s.stage == stage)]
    return [source for s in steps if not s.rest.startswith("--from") for source in s.words[:-1]]


def kept_out(path: str) -> bool:
    """Whether .dockerignore keeps a top-level path out: the last line that names it decides."""
    out = False
    for line in (ROOT / ".dockerignore").read_text().splitlines():
        if line == "*" or line.lstrip("!") == path:
            out = not line.startswith("!")
    return out


def test_it_builds_in_one_stage_and_runs_in_a_small_other() -> None:
    assert [s.rest for s in STEPS if s.word == "FROM"] == ["python:3.11-slim AS build", "python:3.11-slim"]
    assert of("COPY")[0].words == ["--from=build", "/opt/patrol", "/opt/patrol"]


@pytest.mark.parametrize("source", sorted(set(copied())))
def test_what_it_copies_is_there_and_not_ignored(source: str) -> None:
    assert (ROOT / source).exists()
    assert not kept_out(source)


def test_it_holds_the_project_of_the_demo() -> None:
    assert {"policies", "sql", "patrol.yml", "manifest.yaml"} <= set(copied(LAST))


@pytest.mark.parametrize("private", [".git", ".env", ".patrol", ".venv", "tests", "docs"])
def test_nothing_else_of_a_checkout_gets_in(private: str) -> None:
    assert kept_out(private)


def test_it_does_not_run_as_root() -> None:
    users = of("USER")
    assert users
    assert users[-1].rest.isdigit()
    assert int(users[-1].rest) > 0
    after = STEPS[STEPS.index(users[-1]) :]
    assert not [s for s in after if s.word in ("RUN", "COPY", "ADD")]
    assert f"--uid {users[-1].rest}" in of("RUN")[-1].rest


def test_its_state_survives_it_and_belongs_to_its_user() -> None:
    [volume] = of("VOLUME")
    assert volume.rest == f"{of('WORKDIR')[-1].rest}/.patrol"
    assert f"chown -R {of('USER')[-1].rest} {volume.rest}" in of("RUN")[-1].rest


def test_it_can_pull_bundles() -> None:
    assert "install -y --no-install-recommends git openssh-client" in of("RUN")[0].rest


def test_it_serves_unless_told_otherwise() -> None:
    assert of("ENTRYPOINT")[-1].exec_form == ["patrol"]
    assert of("CMD")[-1].exec_form == ["serve"]


def test_every_package_is_checked_by_hash_and_none_comes_from_elsewhere() -> None:
    runs = [s.rest for s in STEPS if s.word == "RUN" and "pip" in s.rest]
    assert any("--require-hashes -r requirements.lock" in run for run in runs)
    assert "--no-index" in runs[-1]
    assert "http" not in "".join(runs)


def test_it_has_every_extra_that_the_lock_holds() -> None:
    """Whoever runs it on Snowflake needs no image of his own."""
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    locked = set(re.findall(r"^([\w-]+)==", (ROOT / "requirements.lock").read_text(), re.MULTILINE))
    held = {name for name, needs in extras.items() if {re.split("[<>=]", one)[0] for one in needs} <= locked}
    [said] = of("ARG", 0)
    assert said.rest == f"EXTRAS={','.join(sorted(held))}"
    assert "patrol[$EXTRAS]" in [s.rest for s in STEPS if s.word == "RUN"][2]


def test_its_health_is_asked_with_what_it_has() -> None:
    [check] = of("HEALTHCHECK")
    python, flag, code = check.exec_form
    assert (python, flag) == ("python", "-c")
    compile(code, "healthcheck", "exec")
    assert "/healthz" in code


def test_its_environment_is_good_settings(tmp_path: Path) -> None:
    environ = dict(pair.split("=", 1) for s in of("ENV") for pair in s.words)
    found = load(tmp_path, environ)
    assert (found.host, found.port) == ("0.0.0.0", int(of("EXPOSE")[0].rest))
