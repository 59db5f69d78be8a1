"""Requests that were taken: one taker each, whoever asks and however many at once."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.store import Store

from .making import MINUTE, NOON

ROOT = Path(__file__).parents[2]
ASK = """
import sys
from datetime import UTC, datetime
from bot.store import Store
store = Store(sys.argv[1])
print(sum(store.requests.first(f"request {n}", datetime.now(UTC)) for n in range(50)))
"""


def test_the_first_to_ask_takes_it(store: Store) -> None:
    assert not store.requests.known("v0=a")
    assert store.requests.first("v0=a", NOON)
    assert not store.requests.first("v0=a", NOON + MINUTE)
    assert store.requests.known("v0=a")
    assert store.requests.first("v0=b", NOON)


def test_of_many_threads_one_takes_it(store: Store) -> None:
    with ThreadPoolExecutor(16) as pool:
        assert sum(pool.map(lambda _: store.requests.first("v0=a", NOON), range(64))) == 1


def test_processes_share_what_was_taken(store: Store, url: str) -> None:
    assert store.requests.first("request 7", NOON)
    asking = [
        subprocess.Popen([sys.executable, "-c", ASK, url], stdout=subprocess.PIPE, text=True, cwd=ROOT)
        for _ in range(2)
    ]
    taken = [int(process.communicate(timeout=60)[0]) for process in asking]
    assert sum(taken) == 49


def test_what_is_old_is_forgotten_and_the_rest_is_not(store: Store) -> None:
    store.requests.first("old", NOON)
    store.requests.first("new", NOON + MINUTE)
    assert store.requests.prune(NOON + MINUTE) == 1
    assert not store.requests.known("old")
    assert store.requests.known("new")


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.text())
def test_any_name_can_be_remembered(store: Store, name: str) -> None:
    store.requests.first(name, NOON)
    assert store.requests.known(name)
    assert not store.requests.first(name, NOON)
