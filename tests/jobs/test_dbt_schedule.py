"""The schedule by which dbt Cloud starts a job: given another pace, and its own again."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.jobs import own_pace
from bot.jobs.dbt import schedule
from bot.process.errors import JobRefused, JobUnknown
from tests.jobs.on_dbt_cloud import JOB, CloudWorld
from tests.jobs.on_host import HostWorld

HOUR = timedelta(hours=1)
TEXTS = st.text(st.characters(codec="utf-8"), max_size=40)


@pytest.fixture
def nightly(dbt_cloud_world: CloudWorld) -> CloudWorld:
    dbt_cloud_world.account.job["description"] = "Bo's build of the night."
    return dbt_cloud_world


def every(world: CloudWorld, interval: timedelta | None) -> str:
    return world.runner.every(world.job, interval)


def said(world: CloudWorld) -> str:
    return world.runner.observe(world.job, datetime.now(UTC)).schedule


def changes(world: CloudWorld) -> int:
    return len([one for one in world.account.seen if one["method"] == "POST"])


def as_it_was(world: CloudWorld, description: str) -> bool:
    """Whether the job is what it was at first, but for what is null, with this description."""
    known = json.loads(json.dumps(JOB)) | {"description": description}
    del known["triggers"]["on_merge"]
    return bool(world.account.job == known)


def test_it_has_another_pace_another_again_and_its_own(nightly: CloudWorld) -> None:
    asked = every(nightly, 6 * HOUR)
    assert asked == "its schedule in dbt Cloud is cron 0 */6 * * * UTC now; its own is cron 0 5 * * * UTC"
    assert every(nightly, 24 * HOUR).startswith("its schedule in dbt Cloud is cron 0 0 * * * UTC now;")
    assert said(nightly) == "cron 0 0 * * * UTC, its own pace is cron 0 5 * * * UTC"
    assert nightly.account.job["description"].startswith("Bo's build of the night. [its own pace: {")
    again = every(nightly, None)
    assert again == "its schedule in dbt Cloud has its own pace again: cron 0 5 * * * UTC"
    assert as_it_was(nightly, "Bo's build of the night.")
    assert every(nightly, None) == "its schedule in dbt Cloud has its own pace already: cron 0 5 * * * UTC"
    assert said(nightly) == "cron 0 5 * * * UTC"
    assert changes(nightly) == 3


@pytest.mark.parametrize(
    "own",
    [
        {"date": {"type": "days_of_week", "days": [1, 2]}, "time": {"type": "every_hour", "interval": 5}},
        {"date": {"type": "custom_cron", "cron": "5 4 * * L"}, "time": {"type": "every_hour", "interval": 1}},
    ],
)
def test_whatever_its_own_was_it_has_again(nightly: CloudWorld, own: dict[str, Any]) -> None:
    nightly.account.job["schedule"] = {
        **own,
        "cron": "5 4 * * L" if "cron" in own["date"] else "0 */5 * * 1,2",
    }
    before = dict(nightly.account.job["schedule"])
    nightly.account.job["schedule"]["time"] = {**own["time"], "hours": None}  # as it tells what is not said
    every(nightly, HOUR)
    assert nightly.account.job["schedule"]["time"] == {"type": "every_hour", "interval": 1}
    every(nightly, None)
    assert nightly.account.job["schedule"] == before


def test_words_that_people_write_meanwhile_stay(nightly: CloudWorld) -> None:
    every(nightly, 2 * HOUR)
    nightly.account.job["description"] = f"Ask ana. {nightly.account.job['description']} Or [cy] {{now}}."
    every(nightly, 3 * HOUR)
    every(nightly, None)
    assert as_it_was(nightly, "Ask ana. Bo's build of the night. Or [cy] {now}.")


@pytest.mark.parametrize("kept", ["", " [its own pace: {}]", ' [its own pace: {"date": 5 o\'clock}]'])
def test_a_pace_that_people_took_out_is_not_made_up(nightly: CloudWorld, kept: str) -> None:
    every(nightly, 2 * HOUR)
    nightly.account.job["description"] = f"Bo's build.{kept}"
    assert every(nightly, None) == "its schedule in dbt Cloud has its own pace already: cron 0 */2 * * * UTC"
    assert changes(nightly) == 1


@pytest.mark.parametrize("forgets", [True, False])
def test_one_without_words_of_its_own_keeps_no_pace_afterwards(
    dbt_cloud_world: CloudWorld, forgets: bool
) -> None:
    dbt_cloud_world.account.forgets = forgets
    every(dbt_cloud_world, HOUR)
    every(dbt_cloud_world, None)
    assert as_it_was(dbt_cloud_world, "" if forgets else "Nightly")
    assert "already" in every(dbt_cloud_world, None)


def test_without_room_it_stays_as_it_was(nightly: CloudWorld) -> None:
    nightly.account.room = 60
    with pytest.raises(JobRefused, match="has no room in which to keep its own pace"):
        every(nightly, HOUR)
    assert as_it_was(nightly, "Bo's build of the night.")


@pytest.mark.parametrize("hours", [0, 0.5, 1.5, 5, 7, 23, 36, 48, 24 * 400])
def test_hours_that_it_cannot_say_change_nothing(nightly: CloudWorld, hours: float) -> None:
    with pytest.raises(JobRefused, match="give it a pace of 1h, 2h, 3h, 4h, 6h, 8h, 12h or 1d"):
        every(nightly, hours * HOUR)
    assert changes(nightly) == 0


def test_a_pace_changes_nothing_else_of_one_that_is_paused(nightly: CloudWorld) -> None:
    nightly.account.job["schedule"]["time"]["interval"] = None  # as it tells what is not said
    nightly.runner.pause(nightly.job, True)
    assert nightly.account.job["schedule"] == JOB["schedule"]
    assert "UTC now, and is off; its own is" in every(nightly, HOUR)
    assert nightly.account.job["triggers"] == {"github_webhook": False, "schedule": False}


@pytest.mark.parametrize("schedule_", [None, {}, [], {"date": {}, "time": 3}])
def test_without_a_schedule_there_is_no_pace(nightly: CloudWorld, schedule_: Any) -> None:
    nightly.account.job["schedule"] = schedule_
    with pytest.raises(JobRefused, match="Build by night has no schedule in dbt Cloud"):
        every(nightly, HOUR)
    assert said(nightly) == ""


def test_what_it_refuses_is_said_and_no_answer_is_unknown(nightly: CloudWorld) -> None:
    nightly.refuse()
    with pytest.raises(JobRefused, match="400 Bad Request"):
        every(nightly, HOUR)
    nightly.account.mood = "break"
    with pytest.raises(JobUnknown):
        every(nightly, HOUR)


def test_core_has_no_schedule(dbt_world: HostWorld) -> None:
    with pytest.raises(JobRefused, match="has no schedule whose pace"):
        dbt_world.runner.every(dbt_world.job, HOUR)


@given(TEXTS, TEXTS, st.lists(st.integers(0, 23), max_size=24), TEXTS)
def test_what_is_kept_is_found_between_all_words(
    before: str, behind: str, hours: list[int], cron: str
) -> None:
    own = {
        "cron": cron.replace("{", "").replace("}", ""),
        "date": {"type": "every_day"},
        "time": {"type": "at_exact_hours", "hours": hours},
    }
    described = schedule.keeping(before, own) + behind
    assert schedule.kept({"description": described}) == (before + behind, own)
    assert own_pace.find(before + behind, schedule.SPELLED) == (before + behind, "")
