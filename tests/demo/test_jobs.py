"""The declared jobs do what they say to the marketplace, started by the runners that the bot uses."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.core.job_run import JobState, Progress
from bot.demo import holds, risk
from bot.demo.market import Market
from bot.jobs.config import problems
from bot.jobs.http import HttpRunner
from bot.jobs.sql import SqlRunner
from sensors.catalog import load
from sensors.model.catalog import Catalog

PROJECT = Path(__file__).parents[2]
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.fixture(scope="module", name="catalog")
def _catalog() -> Catalog:
    return load(PROJECT)


@pytest.fixture(name="market")
def _market(open_market: Callable[..., Market]) -> Market:
    return open_market()


@pytest.fixture(name="sql")
def _sql(market: Market) -> SqlRunner:
    return SqlRunner({"PATROL_OPS_URL": f"sqlite:///{market.folder / holds.OPS}"})


@pytest.fixture(name="http")
def _http(market: Market, serve: Callable[[Market], Iterator[str]]) -> Iterator[HttpRunner]:
    with contextmanager(serve)(market) as address:
        yield HttpRunner({"PATROL_RISK_URL": address})


def test_every_job_can_be_run(catalog: Catalog):
    for job in catalog.jobs.values():
        assert list(problems(job)) == [], job.name


def test_payouts_are_held_once_and_released(catalog: Catalog, market: Market, sql: SqlRunner):
    seller = market.plant("payout_account_changed", NOON + timedelta(seconds=3))["key"]["seller_id"]
    hold, release = catalog.jobs["hold_payouts"], catalog.jobs["release_payouts"]
    params, wrong = hold.fill({}, {"seller_id": seller})
    assert not wrong
    for key in ("one", "two"):
        assert sql.start(hold, params, key).state is JobState.succeeded
    assert holds.ask(market.folder, "SELECT seller_id, reason FROM payout_holds") == [
        (seller, "held from an alert")
    ]
    assert sql.start(release, {"seller_id": seller}, "three").state is JobState.succeeded
    assert holds.held(market.folder) == set()


def test_a_rescore_is_followed_to_its_outcome(catalog: Catalog, http: HttpRunner):
    job = catalog.jobs["rescore_seller"]
    progress: Progress = http.start(job, {"seller_id": "s_1"}, "key")
    assert progress.state is JobState.running
    external = progress.external_id
    assert external
    deadline = time.monotonic() + risk.TAKES + 10
    while progress.state is JobState.running:
        assert time.monotonic() < deadline
        time.sleep(0.2)
        progress = http.poll(job, external)
    assert progress.state in (JobState.succeeded, JobState.failed)
    assert progress.outcome


def test_a_notice_is_sent_with_the_answer_as_outcome(catalog: Catalog, market: Market, http: HttpRunner):
    job = catalog.jobs["notify_seller"]
    params, wrong = job.fill({}, {"seller_id": "s_1", "body": "<b>hostile</b>"})
    assert not wrong
    assert http.start(job, params, "key").state is JobState.succeeded
    assert holds.ask(market.folder, "SELECT seller_id FROM notices") == [("s_1",)]


def test_a_rescoring_is_stopped_and_its_log_is_read(catalog: Catalog, market: Market, http: HttpRunner):
    seller = market.plant("payout_account_changed", NOON + timedelta(seconds=3))["key"]["seller_id"]
    job = catalog.jobs["rescore_seller"]
    begun = http.start(job, {"seller_id": seller}, "to-be-stopped")
    assert begun.state is JobState.running
    assert begun.external_id
    assert http.cancel(job, begun.external_id) == risk.CANCELLED
    ended = http.poll(job, begun.external_id)
    assert (ended.state, ended.outcome) == (JobState.cancelled, risk.CANCELLED)
    assert http.tail(job, begun.external_id).splitlines() == [
        f"1 s  reading the orders of {seller}",
        f"STOPPED  {risk.CANCELLED}",
    ]


def test_the_model_is_trained_by_itself_and_what_it_makes_comes_after(catalog: Catalog, http: HttpRunner):
    job = catalog.jobs["train_risk"]
    begun = http.start(job, {}, "of ten o'clock")
    assert begun.state is JobState.running
    assert begun.external_id
    deadline = time.monotonic() + risk.TAKES + 10
    ended = begun
    while ended.state is JobState.running:
        assert time.monotonic() < deadline
        time.sleep(0.2)
        ended = http.poll(job, begun.external_id)
    assert ended.state is JobState.succeeded
    assert ended.outcome.startswith("precision 0.88 → ")
    assert "job:train_risk" in catalog.assets["model:risk"].after
