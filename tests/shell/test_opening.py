"""The start and the health of a bot whose store is away, locked, or hangs: it waits, and says so at once."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from bot.app import Bot
from bot.process.errors import StoreUnfit
from bot.sandbox import Sandbox
from bot.slack import http
from bot.watch.probe import Probe, ask_all
from tests.shell.making import ELSEWHERE, World
from tests.shell.test_app import cards, checks, settings, wait
from tests.slack.over_http.conftest import a_command, signed
from tests.store.breaking import locked_by_another

QUICK_S = 1.8  # one second of patience, and a machine that others use


@pytest.fixture
def silent() -> Iterator[str]:
    """A server that takes connections and never says a word, as one does whose disk hangs."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
        yield f"postgresql://ana:hidden@127.0.0.1:{listener.getsockname()[1]}/patrol"


def beginning(bot: Bot, stopping: threading.Event) -> threading.Thread:
    thread = threading.Thread(target=bot.start, args=(stopping,), daemon=True)
    thread.start()
    wait(lambda: bot._web is not None)
    return thread


def got(bot: Bot, path: str) -> tuple[int, dict[str, str], float]:
    """Status, checks, and the seconds that it took."""
    assert bot._web
    began = time.monotonic()
    answer = httpx.get(f"{bot._web.url}{path}", trust_env=False, timeout=30)
    return answer.status_code, answer.json()["checks"], time.monotonic() - began


def test_a_start_without_a_store_waits_and_says_so_and_begins_when_it_is_there(
    world: World, slack: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.store.outage.CALM_S", 0.5)
    world.write("policies/payments/elsewhere.yml", ELSEWHERE.replace("every: 1m", "every: 1s"))
    bot, stopping = Bot(settings(world, slack)), threading.Event()
    with locked_by_another(world.folder / "patrol.db"):
        thread = beginning(bot, stopping)
        wait(lambda: "locked by another writer" in checks(bot)["store"])
        status, said, _ = got(bot, "/healthz")
        assert (status, "locked by another writer" in said["store"]) == (200, True)
        assert got(bot, "/readyz")[0] == 503
        world.table.says("s_1", datetime.now(UTC))
        assert not bot.health().ready
    try:
        thread.join(30)
        wait(lambda: bot.health().ready)
        assert wait(lambda: cards(slack))
    finally:
        bot.stop()


def test_health_answers_within_a_second_while_the_store_hangs_and_tells_no_password(
    world: World, slack: Sandbox, silent: str
) -> None:
    bot, stopping = Bot(settings(world, slack, PATROL_STORE_URL=silent)), threading.Event()
    beginning(bot, stopping)
    try:
        for path, wanted in (("/healthz", 200), ("/readyz", 503), ("/healthz", 200)):
            status, said, took = got(bot, path)
            assert (status, took < QUICK_S) == (wanted, True), took
            assert "answer" in said["store"]
            assert "hidden" not in str(said)
    finally:
        stopping.set()
        bot.stop()


def test_a_store_that_cannot_be_used_ends_the_start_in_words(
    world: World, slack: Sandbox, tmp_path: Path
) -> None:
    (tmp_path / "words.db").write_text("no database " * 100)
    made = Bot(settings(world, slack, PATROL_STORE_URL=f"sqlite:///{tmp_path / 'words.db'}"))
    with pytest.raises(StoreUnfit, match="is no SQLite file"):
        made.start()
    assert made._web
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{made._web.url}/healthz", trust_env=False)


def test_a_part_that_hangs_is_asked_once_and_its_answer_counts_when_it_comes() -> None:
    go, asked = threading.Event(), []

    def slow() -> str:
        asked.append(1)
        go.wait(10)
        return "ok"

    probes = {"slow": Probe(slow), "quick": Probe(lambda: "ok"), "broken": Probe(lambda: str(1 / 0))}
    for _ in range(3):
        said = ask_all(probes, patience_s=0.1)
        assert said == {
            "slow": "has not answered for 1 s",
            "quick": "ok",
            "broken": "could not be found out: ZeroDivisionError",
        }
    assert asked == [1]
    go.set()
    assert ask_all({"slow": probes["slow"]}, patience_s=5) == {"slow": "ok"}


@pytest.mark.parametrize("trouble", ["hangs", "locked"])
def test_over_http_whoever_acts_while_the_store_is_away_is_told_in_time(
    world: World, slack: Sandbox, silent: str, trouble: str
) -> None:
    path, stopping = world.folder / "patrol.db", threading.Event()
    more = {"PATROL_SLACK_MODE": "http", "SLACK_SIGNING_SECRET": slack.signing_secret}
    more |= {"PATROL_STORE_URL": silent} if trouble == "hangs" else {}
    with locked_by_another(path) if trouble == "locked" else nullcontext():
        bot = Bot(settings(world, slack, **more))
        beginning(bot, stopping)
        assert bot._web
        body, began = a_command("ack 1"), time.monotonic()
        answer = httpx.post(
            f"{bot._web.url}{http.PATH}", content=body, headers=signed(body), trust_env=False, timeout=10
        )
        took = time.monotonic() - began
        stopping.set()
        bot.stop()
    assert answer.status_code == 200
    assert "Not recorded" in answer.text
    assert took < 3
