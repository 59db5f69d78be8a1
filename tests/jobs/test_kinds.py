"""What holds of all kinds of jobs together: their runners, and what is told of them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import bot.jobs
from bot.core.job_run import Ability
from bot.jobs import KINDS, runner_for
from bot.process.errors import JobRefused
from sensors.file_job import JOB_KEYS
from sensors.model.job import Job
from tests.jobs.conftest import WORLDS


def test_every_kind_has_its_one_runner() -> None:
    assert {*KINDS} == {world.partition("_")[0] for world in WORLDS}
    assert tuple(JOB_KEYS) == KINDS
    assert all(runner_for(kind) is runner_for(kind) for kind in KINDS)


def test_an_unknown_kind_is_refused_by_name() -> None:
    with pytest.raises(JobRefused, match='no jobs of kind "carrier_pigeon"'):
        runner_for("carrier_pigeon")


def test_the_readme_says_what_each_kind_can(whole_jobs: dict[str, Job]) -> None:
    text = (Path(bot.jobs.__file__).parent / "README.md").read_text()
    told = {}
    for line in re.findall(r"^\| (`\w+`\w*(?: \w+)?(?: \|.*){6}) \|$", text, re.MULTILINE):
        name, *cells = line.split(" | ")
        told[name] = {ability for ability, cell in zip(Ability, cells, strict=False) if cell != "–"}
    assert told == {line: set(runner_for(job.kind).abilities(job)) for line, job in whole_jobs.items()}
    assert {job.kind for job in whole_jobs.values()} == {*KINDS}


@pytest.mark.parametrize("ability", Ability)
def test_what_a_kind_cannot_is_refused_in_words(ability: Ability, whole_jobs: dict[str, Job]) -> None:
    asked = {
        Ability.cancel: ("r1",),
        Ability.tail: ("r1",),
        Ability.observe: (datetime.now(UTC),),
        Ability.pause: (True,),
        Ability.every: (timedelta(hours=1),),
    }
    unable = [job for job in whole_jobs.values() if ability not in runner_for(job.kind).abilities(job)]
    assert unable
    for job in unable:
        with pytest.raises(JobRefused, match=job.title):
            getattr(runner_for(job.kind), ability.value)(job, *asked[ability])


def test_the_readme_names_every_file() -> None:
    folder = Path(bot.jobs.__file__).parent
    told = (folder / "README.md").read_text()
    assert [f.name for f in sorted(folder.glob("*.py")) if f"`{f.name}`" not in told] == []
