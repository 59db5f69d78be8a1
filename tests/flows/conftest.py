"""A small town for stories: a project, a warehouse that grows, a Slack, and Patrol as a process."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from bot.demo.publish import publish
from bot.sandbox import Sandbox

CHAT = "message_id VARCHAR, seller_id VARCHAR, body VARCHAR, sent_at TIMESTAMP"
ROOT = Path(__file__).parents[2]

FILES = {
    "patrol.yml": "workers: 2\n",
    "policies/_teams.yml": """
payments:
  channel: C0PAYMENTS
  review_channel: C0PAYMENTSREVIEW
  members:
    ana: {slack: U0ANA, roles: [responder, lead]}
    bo: {slack: U0BO}
  rotation: {members: [ana, bo], length: 7d, anchor: 2026-01-05T09:00:00, timezone: UTC}
""",
    "policies/_assets.yml": """
core.chat: {owner: payments, loaded_until: sent_at, load_interval: 1m,
  columns: {message_id: varchar, seller_id: varchar, body: varchar, sent_at: timestamp}}
core.sellers: {owner: payments, columns: {seller_id: varchar, held: boolean}}
""",
    "policies/_entities.yml": """
seller: {column: seller_id, link: 'https://admin.example/sellers/{id}', pattern: 's_\\d+', label: Open seller}
""",
    "policies/payments/elsewhere.yml": """
title: Seller steers buyers to pay elsewhere
owner: payments
severity: {medium: 1, high: 4}
schedule: {every: 1s}
window: {column: sent_at, lookback: 1h}
key: [seller_id]
row_key: [message_id]
alert: {title: "{{ seller_id }} asked {{ count }} times to be paid elsewhere", fields: [body]}
""",
    "sql/payments/elsewhere.sql": """-- One row per message that asks to be paid elsewhere.
SELECT message_id, seller_id, body, sent_at
FROM {{ table('core.chat') }}
WHERE {{ in_window('sent_at') }} AND body ILIKE '%pay me%'
""",
}


def eventually(look: Callable[[], Any], seconds: float = 30.0) -> Any:
    """Waits until `look` gives something true, and gives that; fails when the time is over."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := look():
            return found
        time.sleep(0.05)
    raise AssertionError("it did not come to pass")


@dataclass
class Town:
    """One project, one growing warehouse, one Slack. Patrol is started and killed by the story."""

    folder: Path
    slack: Sandbox
    running: list[subprocess.Popen[bytes]] = field(default_factory=list)
    messages: int = 0
    module: str = "bot"  # what is run as Patrol

    def __post_init__(self) -> None:
        for name, text in FILES.items():
            self.write(name, text)
        self.market = self.folder / "market"
        self.market.mkdir()
        self._working = self.folder / "working.duckdb"
        with duckdb.connect(str(self._working)) as c:
            c.execute("CREATE SCHEMA core")
            c.execute(f"CREATE TABLE core.chat ({CHAT})")
            c.execute("CREATE TABLE core.sellers (seller_id VARCHAR, held BOOLEAN)")
        self.says("s_0", "hello everybody")

    def write(self, name: str, text: str) -> None:
        path = self.folder / "project" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def says(self, seller: str, body: str = "pay me on cash app", ago_s: float = 0) -> str:
        """A message arrives in the warehouse; its id."""
        self.messages += 1
        name = f"m_{self.messages}"
        at = datetime.now(UTC).replace(tzinfo=None) - timedelta(seconds=ago_s)
        with duckdb.connect(str(self._working)) as c:
            c.execute("INSERT INTO core.chat VALUES (?, ?, ?, ?)", [name, seller, body, at])
        publish(self.market, self._working)
        return name

    def sql(self, statement: str) -> None:
        with duckdb.connect(str(self._working)) as c:
            c.execute(statement)
        publish(self.market, self._working)

    # ------------------------------------------------------------------ Patrol

    def patrol(self, *words: str, **environment: str) -> subprocess.Popen[bytes]:
        """`patrol serve`, or another command, as a process of its own."""
        log = (self.folder / "patrol.log").open("ab")
        process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                self.module,
                *(words or ("serve", "--port", "0")),
                "--project",
                str(self.project),
            ],
            cwd=ROOT,
            env={**_clean(), **self.environment, **environment},
            stdout=log,
            stderr=log,
        )
        log.close()
        self.running.append(process)
        return process

    @property
    def project(self) -> Path:
        return self.folder / "project"

    @property
    def environment(self) -> dict[str, str]:
        return {
            "PATROL_SLACK_URL": self.slack.api,
            "PATROL_WAREHOUSE_URL": f"duckdb:///{self.market}",
            "PATROL_STORE_URL": f"sqlite:///{self.folder / 'patrol.db'}",
            "PATROL_LOG": "json",
            "SLACK_BOT_TOKEN": self.slack.bot_token,
            "SLACK_APP_TOKEN": self.slack.app_token,
        }

    @property
    def log(self) -> str:
        return (self.folder / "patrol.log").read_text()

    def asks_to_end(self) -> None:
        for process in self.running:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)

    def end(self) -> None:
        self.asks_to_end()
        for process in self.running:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()

    # ------------------------------------------------------------------- Slack

    def cards(self, channel: str = "payments") -> list[dict[str, Any]]:
        return [m for m in self.slack.messages(channel) if m.get("thread_ts") in (None, m["ts"])]

    def card_of(self, words: str, channel: str = "payments") -> dict[str, Any] | None:
        return next((m for m in self.cards(channel) if words in str(m.get("blocks"))), None)

    def standing(self, channel: str = "payments") -> Counter[str]:
        """How many cards stand for each seller."""
        titles = (card["blocks"][0]["text"]["text"] for card in self.cards(channel))
        return Counter(word for title in titles for word in title.split() if word.startswith("s_"))


def _clean() -> dict[str, str]:
    """The environment without anything of Patrol's or Slack's."""
    return {k: v for k, v in os.environ.items() if not k.startswith(("PATROL_", "SLACK_"))}


@pytest.fixture
def make_town(tmp_path: Path, empty_store: Path) -> Iterator[Callable[..., Town]]:
    """Towns, each with a Slack and a store of its own; all end with the test."""
    made: list[Town] = []

    def make(name: str = "town", **options: Any) -> Town:
        folder = tmp_path / name
        folder.mkdir()
        shutil.copy(empty_store, folder / "patrol.db")
        slack = Sandbox(channels=["payments", "payments-review"], **{"pace": False, **options})
        slack.__enter__()
        town = Town(folder, slack)
        made.append(town)
        return town

    yield make
    for town in made:
        town.asks_to_end()
    for town in made:
        town.end()
        town.slack.__exit__()
        shutil.rmtree(town.folder, ignore_errors=True)


@pytest.fixture
def town(make_town: Callable[..., Town]) -> Town:
    return make_town()


@pytest.fixture
def wait() -> Callable[..., Any]:
    """`wait(look, else_say)` fails with `else_say` where `look` gives nothing true for a minute."""

    def waiting(
        look: Callable[[], Any], else_say: str = "it did not come to pass", seconds: float = 60
    ) -> Any:
        try:
            return eventually(look, seconds)
        except AssertionError:
            raise AssertionError(else_say) from None

    return waiting


@pytest.fixture
def clean_environment() -> dict[str, str]:
    """The environment without anything of Patrol's or Slack's."""
    return _clean()
