"""What is seen of jobs, and asks for the end of runs: on both databases, whoever asks at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from bot.core.erasure import ERASED, Entity
from bot.core.job_run import JobState, Observed, Seen, Sighted
from bot.core.trail import Line
from bot.store import Store
from bot.store.sightings import KEPT
from tests.store.making import MINUTE, NOON

RUN = Sighted("r_1\x00", JobState.running, NOON, by="cron \udc80", link="https://x.example/1")


def watched(store: Store) -> None:
    store.sightings.watch("build", "Every(1h)", NOON)


def test_since_when_a_schedule_holds_is_kept_until_it_is_another(store: Store) -> None:
    assert store.sightings.watch("build", "a", NOON) == NOON
    assert store.sightings.watch("build", "a", NOON + MINUTE) == NOON
    assert store.sightings.watch("build", "b", NOON + MINUTE) == NOON + MINUTE


def test_one_of_many_looks_and_again_after_a_while(store: Store) -> None:
    watched(store)
    with ThreadPoolExecutor(6) as pool:
        won = list(pool.map(lambda _: store.sightings.take("build", NOON, MINUTE), range(12)))
    assert won.count(True) == 1
    assert not store.sightings.take("build", NOON + MINUTE / 2, MINUTE)
    assert store.sightings.take("build", NOON + MINUTE, MINUTE)
    assert store.sightings.take("build", NOON - 9 * MINUTE, MINUTE), "by a clock that was put back"


def test_what_is_seen_is_kept_and_a_good_end_is_news_once(store: Store) -> None:
    watched(store)
    assert store.sightings.saw("build", Observed((RUN,), "0 2 * * *", False, NOON), NOON) == []
    done = replace(RUN, state=JobState.succeeded, ended_at=NOON)
    assert store.sightings.saw("build", Observed((done,)), NOON) == [done]
    assert store.sightings.saw("build", Observed((done,)), NOON) == []
    store.sightings.saw("build", Observed((RUN,)), NOON)
    assert store.sightings.seen(["build", "other"]) == {"build": Seen(Observed((done,)), NOON)}
    assert store.sightings.last_good("build") == done


def test_trouble_is_kept_since_it_began_and_ends_with_a_look(store: Store) -> None:
    watched(store)
    store.sightings.failed("build", "away", NOON)
    store.sightings.failed("build", "still away", NOON + MINUTE)
    seen = store.sightings.seen(["build"])["build"]
    assert (seen.trouble, seen.since) == ("still away", NOON)
    store.sightings.saw("build", Observed(), NOON + MINUTE)
    assert store.sightings.seen(["build"])["build"] == Seen(at=NOON + MINUTE)


def test_the_newest_are_kept(store: Store) -> None:
    watched(store)
    runs = [replace(RUN, external_id=f"{n}", started_at=NOON + n * MINUTE) for n in range(KEPT + 20)]
    for at in range(0, len(runs), 35):
        store.sightings.saw("build", Observed(tuple(reversed(runs[at : at + 35]))), NOON)
    kept = store.sightings.seen(["build"])["build"].observed.runs
    assert [one.external_id for one in kept] == [f"{n}" for n in range(KEPT + 19, 19, -1)]


def test_a_run_that_is_listed_no_more_goes_on_no_more(store: Store) -> None:
    watched(store)
    first = replace(RUN, external_id="r_2", started_at=NOON - 90 * MINUTE)
    store.sightings.saw("build", Observed((RUN, first, first)), NOON)
    assert store.sightings.oldest("build") == first.started_at
    store.sightings.saw("build", Observed((first,)), NOON, back=NOON - MINUTE, whole=True)
    assert store.sightings.seen(["build"])["build"].observed.runs == (RUN, first)
    store.sightings.saw("build", Observed(), NOON, back=NOON + MINUTE, whole=True)
    assert store.sightings.seen(["build"])["build"].observed.runs == ()
    assert store.sightings.oldest("build") is None


def test_a_job_that_is_gone_is_forgotten_after_a_while(store: Store) -> None:
    watched(store)
    store.sightings.saw("build", Observed((RUN,)), NOON)
    store.sightings.take("build", NOON, MINUTE)
    for jobs, before in ((["build"], NOON + MINUTE), ([], NOON)):
        store.sightings.prune(jobs, before)
        assert store.sightings.seen(["build"])["build"].observed.runs == (RUN,)
    store.sightings.prune(["other"], NOON + MINUTE)
    assert store.sightings.seen(["build"]) == {}
    assert store.sightings.watch("build", "Every(1h)", NOON + MINUTE) == NOON + MINUTE
    assert store.sightings.seen(["build"])["build"].observed.runs == ()


def test_the_end_of_a_run_is_asked_for_once(store: Store) -> None:
    run = store.jobs.ask("build", "U0ANA", {}, None, "k", NOON, NOON + 9 * MINUTE, NOON + MINUTE)
    with ThreadPoolExecutor(6) as pool:
        asked = list(pool.map(lambda n: store.jobs.ask_end(run.id, f"U{n}", NOON), range(8)))
    assert asked.count(True) == 1
    held = store.jobs.get(run.id)
    assert held is not None
    assert (held.cancel_at, held.poll_at, held.cancel_said) == (NOON, NOON, None)
    assert store.jobs.record(replace(run, state=JobState.running, poll_at=NOON), JobState.asked)
    again = store.jobs.get(run.id)
    assert again is not None
    assert again.cancel_at == NOON, "what is recorded of its course takes nothing back"
    store.jobs.end_said(run.id, "no", goes_on=True)
    assert store.jobs.ask_end(run.id, "U0BO", NOON + MINUTE)


def test_runs_of_one_job_by_key_and_by_end(store: Store) -> None:
    for key in ("tick-a_b-1", "tick-a_b-2", "tick-axb-3", "other"):
        store.jobs.ask("axb" if "x" in key else "a_b", "patrol", {}, None, key, NOON, NOON, NOON)
    assert store.jobs.last_key("a_b", "tick-a_b-") == "tick-a_b-2"
    assert store.jobs.last_key("axb", "tick-a_b-") is None, "an underscore is an underscore"
    assert [run.idempotency_key for run in store.jobs.of_job("axb")] == ["tick-axb-3"]
    assert len(store.jobs.unended("a_b")) == 3
    assert store.jobs.last_good("a_b") is None


def test_what_a_run_said_of_somebody_who_is_erased_is_erased(store: Store) -> None:
    watched(store)
    ended = replace(RUN, state=JobState.failed, ended_at=NOON, outcome="no orders of s_1")
    store.sightings.saw("build", Observed((ended, replace(ended, external_id="r_2", outcome="away"))), NOON)
    whom = Entity("seller_id", "s_1")
    line = Line(NOON, "ana", "command line", "", "erase", "an entity")
    list(store.erasing.erase(whom, store.erasing.find(whom), line, NOON))
    runs = store.sightings.seen(["build"])["build"].observed.runs
    assert {one.external_id: one.outcome for one in runs} == {"r_1\x00": ERASED, "r_2": "away"}
