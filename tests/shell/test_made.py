"""A job that has ended well has made something: a model, a sheet or tables are in another state, once for
each build, and as old as its end."""

from __future__ import annotations

import pytest

from bot.core.job_run import Ability, JobState, Observed, Progress, Sighted
from bot.core.reply import AssetReply
from bot.core.stale import STALE_ASSET
from bot.process.settings_hooks import Hook
from bot.slack.answers import render
from bot.steering.observing import Observing
from sensors.model.run import RunStatus
from tests.shell.building import BUILD
from tests.shell.making import FILES, HELD, HOUR, MINUTE, NOON, SECOND, Node, World
from tests.shell.outside import ANA, Outside, go_on
from tests.shell.test_hooks import sent
from tests.shell.trouble import BOTH, HELD_NAME
from tests.shell.upstream import Beat
from tests.slack.hostile import mrkdwn_of

ASSETS = (
    FILES["policies/_assets.yml"]
    + """
core.scores: {owner: payments, after: [core.chat]}
core.totals: {owner: payments, after: ['job:dbt_build']}
model:reco: {owner: payments, after: [core.chat, core.scores, 'job:dbt_build'], freshness: {late_after: 3h}}
"""
)
AFTER_MODEL = HELD.replace("{every: 1m}", "{after: ['model:reco']}")
TABLES = ("prod.core.scores", "prod.core.chat", "prod.core.unheard_of")


@pytest.fixture
def outside() -> Outside:
    return Outside(
        able=frozenset({Ability.observe}), on_poll=lambda: Progress(JobState.succeeded, "x1", "built")
    )


@pytest.fixture
def beat(world: World, outside: Outside) -> Beat:
    """A policy runs after a model, which the nightly build makes."""
    world.write("policies/_assets.yml", ASSETS)
    world.write("policies/_jobs.yml", FILES["policies/_jobs.yml"] + BUILD)
    world.write("policies/payments/held.yml", AFTER_MODEL)
    world.table.says("s_1", NOON)
    found = Beat(world.node(runners=lambda _: outside))
    found.once()
    return found


def builds(beat: Beat, key: str = "night") -> None:
    """Somebody starts the build, and it ends."""
    node = beat.node
    job = node.engine.catalog.jobs["dbt_build"]
    node.starting.ask(job, "U0ANA", {}, None, key)
    go_on(node, seconds=4)


def states(node: Node, ref: str) -> list[str]:
    return [state.mark for state, _ in node.store.states.history(ref)]


def page(node: Node, ref: str) -> str:
    found = node.desk.command(ANA, f"show {ref}")
    assert isinstance(found, AssetReply)
    return "\n".join(mrkdwn_of(render(found).blocks)).replace("․", ".")


@BOTH
def test_what_comes_after_a_model_runs_once_when_the_job_that_makes_it_has_ended(beat: Beat) -> None:
    node = beat.node
    builds(beat)
    assert states(node, "model:reco") == ["job:dbt_build 1"]
    assert beat.once() == [HELD_NAME]
    for _ in range(3):
        assert beat.once() == []
    run = beat.newest(HELD_NAME)
    (state,) = node.store.states.of_run(f"policy:{HELD_NAME}", run.cause.detail)
    (build,) = node.store.jobs.of_job("dbt_build")
    assert (state.ref, state.at) == ("model:reco", build.ended_at)
    shown = page(node, "model:reco")
    assert "last updated" in shown
    assert "by `job:dbt_build run 1`" in shown
    builds(beat, "next")
    assert [*beat.once(), *beat.once()] == [HELD_NAME]
    assert states(node, "model:reco") == ["job:dbt_build 2", "job:dbt_build 1"]


def test_what_did_not_end_well_has_made_nothing(beat: Beat, outside: Outside) -> None:
    for state in (JobState.failed, JobState.cancelled):
        outside.on_poll = lambda state=state: Progress(state, "x1", updated=TABLES)
        builds(beat, state.value)
    outside.on_poll = lambda: Progress(JobState.running, "x1")
    builds(beat, "for ever")
    beat.node.clock.on(7 * HOUR)
    go_on(beat.node, seconds=2)
    assert {run.state for run in beat.node.store.jobs.of_job("dbt_build")} == {
        JobState.failed,
        JobState.cancelled,
        JobState.timed_out,
    }
    assert states(beat.node, "model:reco") == states(beat.node, "core.totals") == []
    assert beat.once() == []


def test_a_job_that_says_which_tables_it_has_built_made_those_and_no_others(
    world: World, beat: Beat, outside: Outside
) -> None:
    outside.on_poll = lambda: Progress(JobState.succeeded, "x1", updated=TABLES)
    builds(beat)
    beat.once()
    node = beat.node
    assert states(node, "core.scores") == ["job:dbt_build 1"]
    assert states(node, "core.totals") == [], "it was not among them"
    assert states(node, "model:reco") == ["job:dbt_build 1"], "of what is no table it does not say"
    assert states(node, "core.chat") == [], "which says by itself until when it is loaded"
    assert states(node, "core.unheard_of") == []
    # core.scores comes after core.chat by its declaration; that this moves is no second build of it
    world.write("policies/payments/held.yml", AFTER_MODEL.replace("model:reco", "core.scores"))
    node.engine.reload()
    assert beat.once() == [HELD_NAME]
    world.table.says("s_1", NOON + MINUTE)
    assert [*beat.once(), *beat.once()] == []
    assert states(node, "core.scores") == ["job:dbt_build 1"]


def test_a_table_that_no_job_builds_any_more_is_as_it_was_declared(world: World, beat: Beat) -> None:
    node = beat.node
    node.store.states.record("core.scores", "job:old_build 7", NOON, node.clock())
    world.write("policies/payments/held.yml", AFTER_MODEL.replace("model:reco", "core.scores"))
    node.engine.reload()
    beat.once()
    world.table.says("s_1", NOON + MINUTE)
    for _ in range(2):
        beat.once()
    assert len(states(node, "core.scores")) == 3


def test_runs_that_are_seen_over_there_have_made_it_too(beat: Beat, outside: Outside) -> None:
    def seen(external_id: str, minutes: int, *updated: str) -> Sighted:
        at = NOON + minutes * MINUTE
        return Sighted(external_id, JobState.succeeded, at, at, "cron", updated=updated)

    runs = (seen("b", 2, "prod.core.totals"), seen("a", 1, "prod.core.scores"))
    outside.on_observe = lambda: Observed(runs)
    beat.node.clock.on(HOUR)
    for _ in range(2):
        Observing(beat.node.starting).look(beat.node.engine.catalog.jobs["dbt_build"])
    assert states(beat.node, "job:dbt_build") == ["seen b"]
    assert states(beat.node, "model:reco") == ["job:dbt_build seen b"]
    assert states(beat.node, "core.totals") == ["job:dbt_build seen b"]
    assert states(beat.node, "core.scores") == ["job:dbt_build seen a"]
    assert beat.once() == [HELD_NAME]
    assert "by `job:dbt_build`" in page(beat.node, "model:reco")


def test_what_was_started_here_and_is_seen_over_there_is_one_build(beat: Beat, outside: Outside) -> None:
    builds(beat)
    ended = beat.node.clock()
    outside.on_observe = lambda: Observed((Sighted("x1", JobState.succeeded, ended, ended, updated=TABLES),))
    Observing(beat.node.starting).look(beat.node.engine.catalog.jobs["dbt_build"])
    assert states(beat.node, "model:reco") == ["job:dbt_build 1"]
    assert states(beat.node, "core.scores") == []


def test_a_hook_that_tells_the_end_of_the_job_tells_what_it_has_made(beat: Beat) -> None:
    done = Hook("done", "HOOK_SECRET", updates="job:dbt_build")
    for _ in range(2):
        assert sent(beat.node, done, {"delivery": "run-17"}).status == 202
    assert states(beat.node, "model:reco") == ["job:dbt_build delivery run-17"]
    assert beat.once() == [HELD_NAME]


def test_it_is_as_old_as_the_end_of_that_run_and_what_needs_it_waits(world: World, beat: Beat) -> None:
    late = "core.sellers: {owner: payments, after: ['job:dbt_build'], freshness: {late_after: 3h},"
    world.write("policies/_assets.yml", ASSETS.replace("core.sellers: {owner: payments,", late))
    world.write("policies/payments/held.yml", HELD + "needs: {core.sellers: wait}\n")
    node = beat.node
    node.engine.reload()
    assert not node.engine.catalog.errors, node.engine.catalog.errors
    builds(beat)
    beat.runs([HELD_NAME])
    assert beat.newest(HELD_NAME).status is RunStatus.succeeded
    node.clock.on(4 * HOUR)
    beat.runs([HELD_NAME])
    waits = beat.newest(HELD_NAME)
    assert waits.status is RunStatus.waiting
    assert "core.sellers is late: last updated at 2026-01-05 12:00 UTC; payments own it" in waits.error
    assert beat.once(MINUTE) == []
    table, model = node.alerts(STALE_ASSET)
    assert table.title.startswith("core.sellers is late: last updated at 2026-01-05 12:00 UTC")
    assert model.title.startswith("model:reco is late: last updated at 2026-01-05 12:00 UTC")
    assert "*late*" in page(node, "model:reco")
    assert "payments.held waits for it" in page(node, "core.sellers")
    builds(beat, "at last")
    assert beat.once(MINUTE + SECOND) == [HELD_NAME]
    assert "*late*" not in page(node, "model:reco")
    assert [node.kinds(alert.id) for alert in (model, table)] == [["opened", "resolved"]] * 2
