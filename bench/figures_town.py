"""The town where figures are measured: rooms with a policy each, a warehouse, Slack and Patrol as processes.

Knows how to plant, to click and to wait; what is measured stands beside.
"""

from __future__ import annotations

import multiprocessing
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import httpx

from bench.chaos import Plan, store_for
from bench.chaos_bots import LIVING, ROOT, clean_environment, last_line
from bench.figures_table import Show
from bot.demo.publish import publish
from bot.sandbox import Sandbox, SandboxClient
from bot.store.database import Database

AT_ONCE = "[{to: oncall}, {after: 30m, to: team}]"
LATER = "[{to: oncall, after: 30m}]"  # a ladder that says nothing while we measure
LONGEST_S = 240.0


@dataclass(frozen=True)
class Ground:
    """Where a figure is measured: the kind of store, its server, and who shows how far it is."""

    store: str
    server: Callable[[], str]  # the Postgres, started when it is first asked for
    show: Show


@dataclass(frozen=True)
class Rules:
    """How the town is made."""

    rooms: int = 20
    people: Sequence[str] = ("ana", "bo", "cy")
    ladder: str = LATER
    severity: str = "medium"
    max_alerts: int = 25
    pace: bool = False
    over_http: bool = False


def write_project(folder: Path, rules: Rules) -> None:
    """One policy and one channel for each room; every policy is due each second."""
    members = ", ".join(f"{name}: {{slack: U0{name.upper()}, roles: [responder]}}" for name in rules.people)
    rotation = f"members: [{rules.people[0]}], length: 7d, anchor: 2026-01-05T09:00:00, timezone: UTC"
    files = {"patrol.yml": "workers: 2\n", "policies/_teams.yml": ""}
    files["policies/_assets.yml"] = (
        "core.events: {owner: room0, loaded_until: seen, load_interval: 1m,"
        " columns: {event_id: varchar, policy: integer, actor: varchar, seen: timestamp}}\n"
    )
    for n in range(rules.rooms):
        files["policies/_teams.yml"] += (
            f"room{n}:\n  channel: C0ROOM{n}\n  review_channel: C0ROOM{n}\n  members: {{{members}}}\n"
            f"  rotation: {{{rotation}}}\n  ladder: {{medium: {rules.ladder}, high: {rules.ladder}}}\n"
        )
        files[f"policies/room{n}/p{n}.yml"] = (
            f"title: What happens in room {n}\nowner: room{n}\nseverity: {rules.severity}\n"
            "schedule: {every: 1s}\nwindow: {column: seen, lookback: 10m}\nkey: [actor]\n"
            f"row_key: [event_id]\nmax_alerts: {rules.max_alerts}\n"
            'alert: {title: "{{ actor }} was planted {{ count }} times", fields: [actor, seen]}\n'
        )
        files[f"sql/room{n}/p{n}.sql"] = (
            "-- One row per event of this room.\n"
            "SELECT event_id, actor, seen FROM {{ table('core.events') }}\n"
            f"WHERE {{{{ in_window('seen') }}}} AND policy = {n}\n"
        )
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)


class Warehouse:
    """One table of events, published as whole versions."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "market"
        self.folder.mkdir()
        self._working = folder / "working.duckdb"
        self._rows = 0
        with duckdb.connect(str(self._working)) as c:
            c.execute("CREATE SCHEMA core")
            c.execute(
                "CREATE TABLE core.events (event_id VARCHAR, policy INTEGER, actor VARCHAR, seen TIMESTAMP)"
            )
        self.plant([(-1, "nobody")])

    def plant(self, rows: Sequence[tuple[int, str]]) -> None:
        """One event for each (room, key), all in one version."""
        self.newest = datetime.now(UTC)
        names = [f"e{self._rows + n}" for n in range(len(rows))]
        self._rows += len(rows)
        with duckdb.connect(str(self._working)) as c:
            c.execute(
                "INSERT INTO core.events SELECT unnest(?::VARCHAR[]), unnest(?::INTEGER[]),"
                " unnest(?::VARCHAR[]), ?",
                [
                    names,
                    [room for room, _ in rows],
                    [key for _, key in rows],
                    self.newest.replace(tzinfo=None),
                ],
            )
        publish(self.folder, self._working)


def _slack(ready: Any, options: dict[str, Any]) -> None:
    """A Slack in a process of its own, so that it takes no time of whoever measures."""
    with Sandbox(**options) as sandbox:
        ready.send(sandbox.url)
        with suppress(EOFError):  # whoever measures has ended
            ready.recv()


@contextmanager
def slack(rules: Rules, port: int) -> Iterator[SandboxClient]:
    url = f"http://127.0.0.1:{port}/slack/events" if rules.over_http else None
    options: dict[str, Any] = {
        "channels": [f"room{n}" for n in range(rules.rooms)],
        "users": rules.people,
        "pace": rules.pace,
        "request_url": url,
    }
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_slack, args=(theirs, options), daemon=True)
    process.start()
    client = SandboxClient(ours.recv(), timeout=60)
    try:
        yield client
    finally:
        client.close_client()
        ours.send("done")
        process.join(10)
        process.terminate()


@dataclass
class Post:
    """A message of Patrol as Slack took it."""

    n: int  # its place in Slack's journal
    at: float  # when Slack took it
    delivery: str
    channel: str
    ts: str
    args: dict[str, Any]

    @property
    def alert(self) -> int:
        """Whose card it is; 0 for whatever is none."""
        return int(self.delivery.removeprefix("card-")) if self.delivery.startswith("card-") else 0


@dataclass
class Town:
    """One project, its warehouse, its Slack and its store. Bots are started and killed by who measures."""

    folder: Path
    rules: Rules
    slack: SandboxClient
    store_url: str
    port: int
    posts: list[Post] = field(default_factory=list)
    journal: list[dict[str, Any]] = field(default_factory=list)
    bots: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def __post_init__(self) -> None:
        write_project(self.folder / "project", self.rules)
        self.warehouse = Warehouse(self.folder)
        self.database = Database(self.store_url)

    # ------------------------------------------------------------------- bots

    def start(self, wait: bool = True) -> subprocess.Popen[bytes]:
        """`patrol serve`; ready for clicks where we `wait`."""
        port = self.port if not self.bots else free_port()
        words = ["serve", "--port", str(port), "--project", str(self.folder / "project")]
        with self.log.open("ab") as log:
            bot = subprocess.Popen(
                [sys.executable, "-m", "bot", *words],
                cwd=ROOT,
                env={**clean_environment(), **self._environment()},
                stdout=log,
                stderr=log,
            )
        self.bots.append(bot)
        LIVING.add(bot)
        if wait:
            until(lambda: self.healthy(port) or bot.poll() is not None, 60, f"{last_line(self.log)}")
        return bot

    def _environment(self) -> dict[str, str]:
        tokens = {"SLACK_BOT_TOKEN": self.slack.bot_token, "SLACK_APP_TOKEN": self.slack.app_token}
        if self.rules.over_http:
            tokens["PATROL_SLACK_MODE"] = "http"
            tokens["SLACK_SIGNING_SECRET"] = self.slack.signing_secret
        return {
            **tokens,
            "PATROL_SLACK_URL": self.slack.api,
            "PATROL_WAREHOUSE_URL": f"duckdb:///{self.warehouse.folder}",
            "PATROL_STORE_URL": self.store_url,
            "PATROL_LOG": "json",
        }

    @property
    def log(self) -> Path:
        return self.folder / "patrol.log"

    def health(self) -> str:
        """What the first bot's /healthz says."""
        with suppress(httpx.HTTPError):
            return httpx.get(f"http://127.0.0.1:{self.port}/healthz", timeout=5).text
        return ""

    @staticmethod
    def healthy(port: int) -> bool:
        with suppress(httpx.HTTPError):
            return httpx.get(f"http://127.0.0.1:{port}/readyz", timeout=5).status_code == 200
        return False

    def kill(self) -> None:
        for bot in self.bots:
            bot.kill()
            bot.wait()

    def end(self) -> None:
        for bot in self.bots:
            bot.terminate()
        for bot in self.bots:
            try:
                bot.wait(20)
            except subprocess.TimeoutExpired:
                bot.kill()
        self.database.close()

    # ---------------------------------------------------------------- looking

    def plant(self, *rows: tuple[int, str]) -> None:
        self.warehouse.plant(rows)

    def read(self) -> Town:
        """What has come to Slack's journal since we last read it."""
        since = self.journal[-1]["n"] if self.journal else 0
        fresh = self.slack.journal(since)
        self.journal += fresh
        self.posts += [_post(e) for e in fresh if e.get("method") == "chat.postMessage" and e["ok"]]
        return self

    @property
    def cards(self) -> list[Post]:
        """Of the rooms' own policies, as they came."""
        return [post for post in self.posts if post.alert and "was planted" in str(post.args)]

    def rows(self, statement: Any) -> list[Any]:
        with self.database.read() as c:
            return list(c.execute(statement).all())


def _post(entry: dict[str, Any]) -> Post:
    args = entry["args"]
    metadata = args.get("metadata") or {}
    if isinstance(metadata, str):
        metadata = httpx.Response(200, text=metadata).json()
    delivery = str(metadata.get("event_payload", {}).get("delivery_id", ""))
    return Post(entry["n"], entry["at"], delivery, str(args["channel"]), str(entry["ts"]), args)


@contextmanager
def town(ground: Ground, rules: Rules, store: str = "") -> Iterator[Town]:
    """A fresh one; nothing of it is left afterwards."""
    kind = store or ground.store
    folder = Path(tempfile.mkdtemp(prefix="figures-")).resolve()
    port = free_port()
    server = ground.server() if kind == "postgres" else ""
    try:
        with store_for(Plan(0, "", store=kind), folder, server) as url, slack(rules, port) as there:
            made = Town(folder, rules, there, url, port)
            try:
                yield made
            finally:
                made.end()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def until(look: Callable[[], Any], seconds: float = LONGEST_S, why: str = "", every: float = 0.02) -> Any:
    """What `look` gives as soon as it gives something true; RuntimeError when the time is over."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := look():
            return found
        time.sleep(every)
    raise RuntimeError(f"it did not come to pass in {seconds:.0f} s: {why}")
