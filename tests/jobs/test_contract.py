"""What every kind of job promises, held against a real server and a real database."""

from __future__ import annotations

import json
import re
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from bot.core.job_run import JobState
from bot.jobs import TAIL
from bot.process.errors import JobRefused, JobUnknown
from sensors.model.job import Param

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
    run, deadline, end = world.loud(), time.monotonic() + 60, ""
    while not re.search(r"asks?(ed)? with \$\{PATROL_\w+\}", end):
        assert time.monotonic() < deadline, end[-300:]
        world.runner.poll(world.job, run)
        end = world.runner.tail(world.job, run)
        time.sleep(0.02)
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
    with pytest.raises(JobRefused, match=r"seller_id must look like s_1"):
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
