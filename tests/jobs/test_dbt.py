"""Jobs of kind dbt beside the contract: what its results say, dbt Core by command, dbt Cloud by its API."""
# ruff: noqa: E501 - a table of sentences reads better unbroken

from __future__ import annotations

import json
import shlex
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.core.job_run import Ability, JobState, Observed, assets_of
from bot.jobs import fill
from bot.jobs.config.dbt import Config
from bot.jobs.dbt.cloud import SENT, step
from bot.jobs.dbt.results import results
from bot.jobs.place import Place
from bot.process.errors import JobRefused, JobUnknown
from tests.jobs.on_dbt_cloud import RESULTS, TOKEN, CloudWorld
from tests.jobs.on_host import HostWorld

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)


def result(unique_id: str, status: str, relation: str | None = None) -> dict[str, Any]:
    return {"unique_id": unique_id, "status": status, "relation_name": relation}


# -------------------------------------------------------------------------------- results


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ([], "nothing to do"),
        ([result("model.s.a", "success")], "1 model built"),
        ([result("model.s.a", "success"), result("model.s.b", "success")], "2 models built"),
        (
            [result("model.s.a", "success"), result("test.s.not_null_a_id.0f", "fail")],
            "1 model built, 1 test failed: not_null_a_id",
        ),
        ([result(f"test.s.t{n}.0f", "fail") for n in range(5)], "5 tests failed: t0, t1, t2 and 2 more"),
        ([result("test.s.t.0f", "warn"), result("unit_test.s.a.u", "pass")], "1 unit test passed, 1 test warned: t"),
        ([result("model.s.a", "error"), result("model.s.b", "skipped")], "1 skipped, 1 model failed: a"),
        ([result("test.s.odd", "fail"), {"status": "error"}], "1 test failed: odd, 1 node failed: something without a name"),
    ],
)  # fmt: skip
def test_results_are_one_sentence(found: list[Any], said: str) -> None:
    read = results({"results": found})
    assert read
    assert read.said == said


@pytest.mark.parametrize(
    ("relation", "name"),
    [
        ('"dev"."core"."Orders"', "dev.core.orders"),
        ("`proj`.`core`.`orders`", "proj.core.orders"),
        ("PROD.CORE.ORDERS", "prod.core.orders"),
        ("[dev].[core].[orders]", "dev.core.orders"),
        ('"core"."orders"', "core.orders"),
    ],
)
def test_tables_are_named_however_they_are_quoted(relation: str, name: str) -> None:
    read = results({"results": [result("model.s.a", "success", relation)]})
    assert read
    assert read.updated == (name,)


def test_tables_that_results_leave_out_are_in_the_manifest() -> None:
    manifest = {"nodes": {"seed.s.a": {"relation_name": '"dev"."raw"."a"'}}}
    read = results({"results": [result("seed.s.a", "success"), result("seed.s.b", "success")]}, manifest)
    assert read
    assert read.updated == ("dev.raw.a",)


def test_what_failed_or_was_tested_only_is_no_update() -> None:
    found = [result("model.s.a", "error", "d.c.a"), result("test.s.t.0f", "pass", "d.c.t"), result("model.s.b", "skipped", "d.c.b")]  # fmt: skip
    read = results({"results": found})
    assert read
    assert read.updated == ()


def test_updated_tables_are_assets_by_their_whole_name_or_the_end_of_it() -> None:
    known = ("core.orders", "dev.core.sellers", "core.sellers")
    assert assets_of(["dev.core.orders", "dev.core.sellers", "dev.core.x"], known) == (
        "core.orders",
        "dev.core.sellers",
    )


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "results",
                    "metadata",
                    "unique_id",
                    "status",
                    "relation_name",
                    "elapsed_time",
                    "generated_at",
                    "env",
                    "nodes",
                ]
            ),
            inner
            | st.sampled_from(["success", "model.a.b", "0001-01-01T00:00:00+23:00", "fail", '"a".."b"']),
            max_size=5,
        )
    ),
    max_leaves=25,
)


@given(ANYTHING, ANYTHING)
@example({"results": [{"unique_id": "model.a.b", "status": "success", "relation_name": "...."}]}, [])
def test_whatever_a_file_holds_is_read_or_left_alone(found: Any, manifest: Any) -> None:
    read = results(found, manifest)
    if read is not None:
        assert "\n" not in read.said
        assert read.said
        assert all("." in name for name in read.updated)


# ------------------------------------------------------------------------------- dbt Core


def test_a_build_with_a_failing_test_says_which_and_what_was_built(dbt_world: HostWorld) -> None:
    dbt_world.mood("failing")
    run = dbt_world.begin().external_id or ""
    said = dbt_world.until(lambda said: said.state.ended, run)
    assert (said.state, said.outcome) == (JobState.failed, "1 model built, 1 test failed: not_null_orders_id")
    assert said.updated == ("dev.core.orders",)


def test_results_of_another_invocation_are_not_taken_for_its_own(dbt_world: HostWorld) -> None:
    dbt_world.start("first")
    dbt_world.mood("refuse")  # it ends before it writes any
    run = dbt_world.begin("second").external_id or ""
    said = dbt_world.until(lambda said: said.state.ended, run)
    assert (said.outcome, said.updated) == ("exit code 2: no such seller", ())


def test_each_run_keeps_its_own_results(dbt_world: HostWorld) -> None:
    first = dbt_world.start("first")
    dbt_world.mood("failing")
    with pytest.raises(JobRefused):
        dbt_world.start("second")
    assert (
        dbt_world.runner.poll(dbt_world.job, first.external_id or "").outcome
        == "1 model built, 1 test passed"
    )


def test_the_newest_invocation_is_seen_whoever_began_it(dbt_world: HostWorld) -> None:
    world, began = dbt_world, datetime.now(UTC) - timedelta(seconds=5)
    assert world.runner.observe(world.job, began) == Observed()
    run = world.start().external_id
    [seen] = world.runner.observe(world.job, began).runs
    assert (seen.external_id, seen.state, seen.by, seen.outcome) == (run, JobState.succeeded, "Patrol", "1 model built, 1 test passed")  # fmt: skip
    assert world.runner.observe(world.job, datetime.now(UTC) + timedelta(minutes=1)) == Observed()
    made = world.project / "target/run_results.json"
    other = json.loads(made.read_text()) | {"results": [result("model.shop.new", "error")]}
    made.write_text(json.dumps(other))
    assert world.runner.observe(world.job, began).runs[0].outcome == "1 model failed: new"
    made.write_text("{" * 100_000)
    assert world.runner.observe(world.job, began) == Observed()


def test_core_is_cancelled_and_has_a_log(dbt_world: HostWorld) -> None:
    world = dbt_world
    world.mood("slow")
    run = world.begin().external_id or ""
    world.until(lambda _: "at it" in world.runner.tail(world.job, run), run)
    assert world.runner.abilities(world.job) == {Ability.cancel, Ability.tail, Ability.observe}
    world.runner.cancel(world.job, run)
    assert world.until(lambda said: said.state.ended, run).state is JobState.cancelled
    with pytest.raises(JobRefused, match="no schedule"):
        world.runner.pause(world.job, True)


def test_the_plan_of_core_is_its_command(dbt_world: HostWorld) -> None:
    job = replace(dbt_world.job, config={**dbt_world.job.config, "program": "dbt", "vars": {"day": "{seller_id}"}, "target": "prod", "full_refresh": True})  # fmt: skip
    project = dbt_world.project
    assert dbt_world.runner.plan(job, {"seller_id": "+orders"}) == (
        f"dbt --no-use-colors build --select=+orders --full-refresh --project-dir {project} --target prod"
        """ --vars '{"day": "+orders"}'"""
    )


# ------------------------------------------------------------------------------ dbt Cloud


def test_cloud_is_followed_to_its_end_with_its_results(dbt_cloud_world: CloudWorld) -> None:
    world = dbt_cloud_world
    begun = world.start()
    assert (begun.state, begun.external_id, begun.outcome) == (JobState.running, "101", "queued")
    assert begun.link == "https://cloud.example/runs/101/"
    assert world.runner.poll(world.job, "101").state is JobState.running
    world.account.end(101, 10)
    said = world.runner.poll(world.job, "101")
    assert (said.state, said.outcome) == (JobState.succeeded, "1 model built, 1 test passed")
    assert said.updated == ("prod.core.orders",)


def test_cloud_that_fails_without_results_says_what_it_says(dbt_cloud_world: CloudWorld) -> None:
    dbt_cloud_world.start()
    dbt_cloud_world.account.end(101, 20, "Git clone failed", results=None)
    said = dbt_cloud_world.runner.poll(dbt_cloud_world.job, "101")
    assert (said.state, said.outcome) == (JobState.failed, "Git clone failed")
    dbt_cloud_world.account.end(101, 20, "Step 4 failed", results=RESULTS)
    assert dbt_cloud_world.runner.poll(dbt_cloud_world.job, "101").outcome == (
        "Step 4 failed; 1 model built, 1 test passed"
    )


def test_a_start_that_was_never_answered_is_found_by_its_key(dbt_cloud_world: CloudWorld) -> None:
    world = dbt_cloud_world
    world.account.begin("by hand")
    world.account.mood = "lost"
    with pytest.raises(JobUnknown):
        world.start("effect-12")
    world.account.mood = "well"
    world.account.begin("by hand once more")
    assert world.start("effect-12").external_id == "102"
    assert world.start("effect-1").external_id == "104"  # which is another key, though it begins so


def test_a_run_of_the_same_key_long_ago_is_another(dbt_cloud_world: CloudWorld) -> None:
    world = dbt_cloud_world
    world.account.begin("x [patrol effect-1]", at=datetime.now(UTC) - timedelta(minutes=16))
    world.account.end(101, 10)
    assert world.start("effect-1").external_id == "102"


def test_cloud_is_cancelled_and_its_log_read(dbt_cloud_world: CloudWorld) -> None:
    world = dbt_cloud_world
    world.start()
    assert world.runner.cancel(world.job, "101") == "asked dbt Cloud to cancel it"
    assert world.runner.poll(world.job, "101").state is JobState.cancelled
    assert world.runner.tail(world.job, "101") == "Invoke dbt\n1 of 1 OK\nwith ${PATROL_DBT_TOKEN}"
    world.start("k2")
    world.account.end(102, 10)
    assert world.runner.cancel(world.job, "102") == "it is over already: done"
    with pytest.raises(JobRefused, match=r"404 Not Found: Not found\."):
        world.runner.cancel(world.job, "999")
    with pytest.raises(JobRefused, match="is not the number of a run"):
        world.runner.poll(world.job, "1/../../jobs/7")


def test_runs_and_the_schedule_over_there_are_seen(dbt_cloud_world: CloudWorld) -> None:
    world, now = dbt_cloud_world, datetime.now(UTC)
    assert world.runner.abilities(world.job) == {*Ability}
    world.account.begin("scheduled", at=now - timedelta(days=9))
    world.account.end(101, 10)
    world.account.begin("scheduled", at=now - timedelta(days=8))  # which is not over
    world.start("effect-7")
    seen = world.runner.observe(world.job, now - timedelta(days=1))
    assert [(r.external_id, r.by, r.key, r.state) for r in seen.runs] == [
        ("103", "Patrol", "effect-7", JobState.running),
        ("102", "scheduled", "", JobState.running),
    ]
    assert (seen.schedule, seen.paused) == ("cron 0 5 * * * UTC", False)


def test_pausing_changes_the_schedule_and_nothing_else(dbt_cloud_world: CloudWorld) -> None:
    world, before = dbt_cloud_world, dict(dbt_cloud_world.account.job)
    assert world.runner.pause(world.job, True) == "its schedule in dbt Cloud is off now"
    assert world.runner.pause(world.job, True) == "its schedule in dbt Cloud is off already"
    assert world.runner.observe(world.job, NOON).paused is True
    [sent] = [one["body"] for one in world.account.seen if one["method"] == "POST"]
    assert set(sent) <= {*SENT}
    assert [name for name, value in sent.items() if value in (None, "")] == []
    assert world.runner.pause(world.job, False) == "its schedule in dbt Cloud is on now"
    told = world.account.job
    assert {k: v for k, v in told.items() if k != "triggers"} == {
        k: v for k, v in before.items() if k != "triggers"
    }
    assert told["triggers"] == {"github_webhook": False, "schedule": True}


def test_a_job_of_cloud_without_steps_does_what_it_says_there(dbt_cloud_world: CloudWorld) -> None:
    config = {k: v for k, v in dbt_cloud_world.job.config.items() if k != "vars"}
    dbt_cloud_world.job = replace(dbt_cloud_world.job, config=config, params=())
    dbt_cloud_world.runner.start(dbt_cloud_world.job, {}, "effect-9")
    [sent] = [one["body"] for one in dbt_cloud_world.account.seen if one["method"] == "POST"]
    assert sent == {"cause": "Build by night, started by Patrol [patrol effect-9]"}
    plan = dbt_cloud_world.runner.plan(dbt_cloud_world.job, {})
    assert plan.splitlines()[0] == f"POST {dbt_cloud_world.account.url} jobs/7/run/"


def test_no_secret_of_cloud_is_in_what_people_read(dbt_cloud_world: CloudWorld) -> None:
    dbt_cloud_world.refuse()
    with pytest.raises(JobRefused) as refused:
        dbt_cloud_world.start()
    assert TOKEN not in str(refused.value)
    assert "${PATROL_DBT_TOKEN}" in str(refused.value)


@pytest.mark.parametrize("broken", [[], {"data": None}, {"data": {"id": "x"}}, {"data": {"id": True}}, 3])
def test_cloud_that_answers_nonsense_is_not_known(dbt_cloud_world: CloudWorld, broken: Any) -> None:
    dbt_cloud_world.start()
    dbt_cloud_world.account.runs[101] = broken["data"] if isinstance(broken, dict) else broken
    with pytest.raises((JobUnknown, JobRefused)):
        dbt_cloud_world.runner.poll(dbt_cloud_world.job, "101")


@given(st.text(max_size=20), st.text(max_size=20))
@example("'; rm -rf / #", "a b")
@example('"\\$(x)`', "--full-refresh")
def test_values_stay_one_argument_of_a_step_and_arrive_as_they_are(day: str, chosen: str) -> None:
    wanted = Config(select="{chosen}", vars={"day": "{day}", "n": 3}, url="https://x", project=None)
    try:
        line = step(wanted, fill.Filler({}, {"day": day, "chosen": chosen}))
    except JobRefused:
        return
    dbt, build, select, option, values = shlex.split(line)
    assert (dbt, build, option) == ("dbt", "build", "--vars")
    assert select == f"--select={chosen}"
    assert json.loads(values) == {"day": day, "n": 3}


def test_a_place_without_commands_has_cloud_all_the_same(dbt_cloud_world: CloudWorld) -> None:
    assert dbt_cloud_world.runner._place == Place(dbt_cloud_world.runner._place.project, commands=False)  # type: ignore[attr-defined]
    assert dbt_cloud_world.start().state is JobState.running
