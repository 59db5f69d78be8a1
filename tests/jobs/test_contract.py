"""What every kind of job promises, held against a real server and a real database."""

from __future__ import annotations

import json
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import bot.jobs
from bot.core.job_run import Ability, JobState
from bot.jobs import KINDS, TAIL, runner_for
from bot.process.errors import JobRefused, JobUnknown
from sensors.file_job import JOB_KEYS
from sensors.model.job import Job, Param
from tests.jobs.conftest import WORLDS

HOSTILE = [
    "'; DROP TABLE payout_holds; --",
    '" OR 1=1 --',
    "../../admin",
    "s_1?force=true#x",
    "a/b%2e%2e%2f",
    "{seller_id} ${PATROL_RISK_TOKEN} :seller_id",
    '{"seller_id": "s_2"}',
    "‮s_1 <!channel> \t zß𝄞",
    "@evil.example/",
]


def test_every_kind_has_its_one_runner() -> None:
    assert {*KINDS} == {world.partition("_")[0] for world in WORLDS}
    assert tuple(JOB_KEYS) == KINDS
    assert all(runner_for(kind) is runner_for(kind) for kind in KINDS)


def test_an_unknown_kind_is_refused_by_name() -> None:
    with pytest.raises(JobRefused, match='no jobs of kind "carrier_pigeon"'):
        runner_for("carrier_pigeon")


def test_it_is_started_and_says_how_it_goes(world: Any) -> None:
    progress = world.start()
    assert progress.state in (JobState.running, JobState.succeeded)
    assert progress.outcome
    assert world.starts() == 1


def test_it_is_started_once_with_the_same_key(world: Any) -> None:
    assert world.runner.repeatable(world.job)
    first, again = world.start("k1"), world.start("k1")
    assert (world.starts(), first.external_id) == (1, again.external_id)
    world.start("k2")
    assert world.starts() == 2


def test_a_no_from_over_there_is_a_no_with_its_reason(world: Any) -> None:
    world.refuse()
    with pytest.raises(JobRefused, match="no such seller"):
        world.start()
    assert world.starts() == 0


def test_a_system_that_is_away_leaves_the_start_to_be_tried_again(world: Any) -> None:
    world.go_away()
    with pytest.raises(JobUnknown):
        world.start()


def test_after_an_outcome_that_nobody_heard_of_it_is_started_once(world: Any) -> None:
    world.go_away()
    with pytest.raises(JobUnknown):
        world.start()
    world.come_back()
    first, again = world.start(), world.start()
    assert (world.starts(), first.external_id) == (1, again.external_id)


def test_started_by_several_at_once_it_is_one_run(world: Any) -> None:
    if world.job.kind == "dagster" or "account" in world.job.config:
        pytest.skip("it takes no key: a run is looked for, then started; Patrol's lease lets one do so")
    world.start("before")
    ready = threading.Barrier(4)

    def start(_: int) -> Any:
        ready.wait(10)
        try:
            return world.start().external_id
        except JobUnknown:
            return None  # it is asked again

    with ThreadPoolExecutor(4) as pool:
        runs = {*pool.map(start, range(4)), world.start().external_id}
    assert len(runs - {None}) <= 1
    assert world.starts() == 2


def test_a_run_is_cancelled_once_and_again(world: Any) -> None:
    run = world.long()
    said = [world.runner.cancel(world.job, run) for _ in range(3)]
    assert all(said)
    assert world.secret not in " ".join(said)
    assert world.runner.poll(world.job, run).state in (JobState.running, JobState.cancelled)
    assert world.runner.cancel(world.job, run)


def test_the_end_of_a_log_is_short_and_without_secrets(world: Any) -> None:
    run = world.loud()
    world.runner.poll(world.job, run)
    end = world.runner.tail(world.job, run)
    assert re.search(r"asks?(ed)? with \$\{PATROL_\w+\}", end), end[-300:]
    assert len(end) <= TAIL
    assert world.secret not in end
    assert world.secret[:8] not in end


def test_it_takes_no_longer_than_its_timeout(world: Any) -> None:
    world.be_slow()
    with pytest.raises((JobUnknown, JobRefused), match=r"within 0\.3 s|longer than"):
        world.start()


@pytest.mark.parametrize("value", HOSTILE)
def test_a_hostile_value_arrives_as_it_is_and_does_nothing(world: Any, value: str) -> None:
    world.start(seller_id=value)
    assert world.received() == [value]
    assert world.starts() == 1


def test_a_value_that_the_pattern_forbids_goes_nowhere(world: Any) -> None:
    world.job = replace(world.job, params=(Param("seller_id", pattern=r"s_\d+"),))
    with pytest.raises(JobRefused, match=r"seller_id must match s_\\d\+"):
        world.start(seller_id="s_1; DROP")
    assert (world.starts(), world.received()) == (0, [])


def test_a_parameter_that_is_missing_or_unheard_of_is_named(world: Any) -> None:
    with pytest.raises(JobRefused, match=r"selle is not a parameter.*seller_id is missing"):
        world.start(selle="s_1")


def test_a_variable_that_is_not_set_is_named(world: Any) -> None:
    config = json.loads(json.dumps(dict(world.job.config)).replace("${PATROL_", "${PATROL_OTHER_"))
    world.job = replace(world.job, config=config)
    with pytest.raises(JobRefused, match=r"PATROL_OTHER_\w+ is not set where Patrol runs"):
        world.start()


def test_a_config_that_check_would_refuse_is_refused_at_the_start_too(world: Any) -> None:
    world.job = replace(world.job, config={**world.job.config, "metod": "x"})
    with pytest.raises(JobRefused, match="metod: is not a key of a job of kind"):
        world.start()
    assert world.starts() == 0


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
