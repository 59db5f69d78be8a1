"""`make bench`: the same queries by a bare loop and by the whole road, in one run. Ratios, no threshold."""

from __future__ import annotations

import math
import multiprocessing
import os
import random
import resource
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from subprocess import DEVNULL
from typing import Any

import duckdb
import httpx
from rich.console import Console
from rich.table import Table

from bot.app import Bot
from bot.demo.publish import publish
from bot.engine.rounds import Rounds
from bot.process.errors import StoreAway
from bot.process.settings import load
from bot.sandbox import Sandbox
from sensors import catalog
from sensors.model.window import window_for
from sensors.warehouse import connect

CHANNELS = [f"team{n}" for n in range(20)]
FINDING = 58  # of 100 policies
ROWS = 20  # that arrive, one at a time
EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
EACH_SECOND, AFTER_IT = "every: 1s", "after: [core.events]"
ROOT = Path(__file__).parents[1]
say = Console(stderr=True)


# ------------------------------------------------------------------------ the town


def slack(ready: Any, done: Any) -> None:
    """A Slack in a process of its own, so that it takes no time of ours."""
    with Sandbox(channels=CHANNELS, users=["ana"], pace=False) as sandbox:
        ready.send((sandbox.url, sandbox.api, sandbox.bot_token, sandbox.app_token))
        done.recv()


def write_project(folder: Path, policies: int, schedule: str) -> None:
    """`policies` cheap ones over one table; 58 in 100 find a row."""
    teams = []
    for name in CHANNELS:
        ident = f"C0{name.upper()}"
        teams.append(
            f"{name}: {{channel: {ident}, review_channel: {ident}, members: {{ana: {{slack: U0ANA}}}}}}"
        )
    files = {"policies/_teams.yml": "\n".join(teams)}
    files["policies/_assets.yml"] = (
        "core.events: {owner: team0, loaded_until: at, load_interval: 1m,"
        " columns: {event_id: varchar, policy: integer, actor: varchar, amount: double, at: timestamp}}\n"
    )
    for n in range(policies):
        team = CHANNELS[n % len(CHANNELS)]
        files[f"policies/{team}/p{n}.yml"] = (
            f"title: Policy {n}\nowner: {team}\nseverity: medium\nschedule: {{{schedule}}}\n"
            "window: {column: at, lookback: 10m}\nkey: [actor]\nrow_key: [event_id]\n"
            f'alert: {{title: "p{n} {{{{ actor }}}}", fields: [actor, amount, at]}}\n'
        )
        files[f"sql/{team}/p{n}.sql"] = (
            "-- One row per event of this policy.\n"
            "SELECT event_id, actor, amount, at FROM {{ table('core.events') }}\n"
            f"WHERE {{{{ in_window('at') }}}} AND policy = {n} AND amount > 10\n"
        )
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)


class Warehouse:
    """One table of events, published as whole versions."""

    def __init__(self, folder: Path, policies: int) -> None:
        self.folder = folder / "market"
        self.folder.mkdir()
        self.working = folder / "working.duckdb"
        with duckdb.connect(str(self.working)) as c:
            c.execute("CREATE SCHEMA core")
            c.execute(
                "CREATE TABLE core.events AS SELECT 'o' || i AS event_id, (i % ?)::INTEGER AS policy,"
                " 'a' || (i % 977) AS actor, 1.0::DOUBLE AS amount,"
                " ?::TIMESTAMP - to_seconds((i % 3000)::INTEGER) AS at FROM range(50000) r(i)",
                [policies, EPOCH.replace(tzinfo=None)],
            )
            found = [n for n in range(policies) if n % 100 < FINDING]
            moment = (EPOCH - timedelta(seconds=1)).replace(tzinfo=None)  # a window's end is open
            rows = [(f"f{n}", n, f"s{n}", 99.0, moment) for n in found]
            c.executemany("INSERT INTO core.events VALUES (?, ?, ?, ?, ?)", rows)
        publish(self.folder, self.working)

    def add(self, policy: int, name: str) -> None:
        with duckdb.connect(str(self.working)) as c:
            now = datetime.now(UTC).replace(tzinfo=None)
            c.execute("INSERT INTO core.events VALUES (?, ?, ?, 99, ?)", [name, policy, name, now])
        publish(self.folder, self.working)


# ---------------------------------------------------------------------- the two ways


def bare_loop(project: Path, warehouse: Path, api: str, token: str) -> float:
    """Checks a second: two threads, one DuckDB thread each, posts over one kept-alive connection each."""
    loaded = catalog.load(project)
    file = warehouse / (warehouse / "CURRENT").read_text().strip()
    db = duckdb.connect(str(file), read_only=True, config={"threads": 1})
    native = connect(f"duckdb:///{warehouse}")
    queries = [
        (p, native.native(p.query), window_for(p.window, EPOCH, None, EPOCH).binds())
        for p in loaded.policies.values()
    ]

    def work(part: list[Any]) -> None:
        cursor = db.cursor()
        cursor.execute("SET TimeZone = 'UTC'")
        with httpx.Client(headers={"Authorization": f"Bearer {token}"}) as client:
            for policy, sql, binds in part:
                rows = cursor.execute(sql, binds).fetchall()
                if rows:
                    body = {"channel": policy.owner, "text": f"{policy.title}: {len(rows)} rows {rows[0]}"}
                    client.post(f"{api}chat.postMessage", json=body).raise_for_status()

    started = time.perf_counter()
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(work, (queries[::2], queries[1::2])))
    took = time.perf_counter() - started
    native.close()
    db.close()
    return len(queries) / took


def whole_road(bot: Bot) -> float:
    """Checks a second: claim, look, reconcile, save, with state, alerts and delivery going on beside."""
    names = list(bot.engine.catalog.policies)
    stop = threading.Event()

    def deliver() -> None:
        while not stop.is_set():
            if not bot.deliverer.once():
                stop.wait(bot.deliverer.idle())

    delivering = threading.Thread(target=deliver)
    delivering.start()
    rounds = Rounds(bot.engine, 2, _not_away)
    rounds.start()
    started = time.perf_counter()
    rounds.want(names)
    if not rounds.idle(300):
        raise RuntimeError("the round did not end")
    took = time.perf_counter() - started
    stop.set()
    delivering.join()
    rounds.close()
    return len(names) / took


def _not_away(away: StoreAway) -> None:
    raise away


class Clock:
    """Goes on from the time of the planted rows."""

    def __init__(self) -> None:
        self._began = time.monotonic()

    def __call__(self) -> datetime:
        return EPOCH + timedelta(seconds=time.monotonic() - self._began)


def row_to_post(
    folder: Path, market: Warehouse, town: tuple[str, ...], policies: int, rows: int
) -> dict[str, Any]:
    """`patrol serve` as a process with a new store: seconds from a row's arrival to its post."""
    url, api, token, app_token = town
    log, store = folder / "serve.log", folder / "serve.db"
    store.unlink(missing_ok=True)
    environment = {
        **os.environ,
        "PATROL_SLACK_URL": api,
        "SLACK_BOT_TOKEN": token,
        "SLACK_APP_TOKEN": app_token,
        "PATROL_WAREHOUSE_URL": f"duckdb:///{market.folder}",
        "PATROL_LOG": "json",
        "PATROL_STORE_URL": f"sqlite:///{store}",
    }
    patrol, where = [sys.executable, "-m", "bot"], ["--project", str(folder / "project")]
    subprocess.run([*patrol, "db", "upgrade", *where], cwd=ROOT, env=environment, check=True, stdout=DEVNULL)
    started = time.perf_counter()
    words = [*patrol, "serve", *where, "--port", "0"]
    with log.open("w") as out:
        serving = subprocess.Popen(words, cwd=ROOT, env=environment, stdout=out, stderr=out)
    try:
        first = _until(lambda: '"opened"' in log.read_text(), 120) and time.perf_counter() - started
        _quiet(store)
        delays = [_one_row(market, url, n, policies) for n in range(rows)]
        memory = int((Path("/proc") / str(serving.pid) / "statm").read_text().split()[1])
    finally:
        serving.terminate()
        serving.wait(30)
    return {
        "first": first,
        "delays": delays,
        "memory": memory * resource.getpagesize() / 2**20,
    }


def _one_row(market: Warehouse, url: str, n: int, policies: int) -> tuple[float, float]:
    """Seconds to its post: from the row's arrival, at any moment of a second, and from the next due time."""
    policy = (n * 7) % policies
    name = f"x{n}_{time.monotonic_ns()}"
    time.sleep(random.random())
    market.add(policy, name)
    arrived, waits = time.perf_counter(), 1 - time.time() % 1
    seen = _until(lambda: name in httpx.get(f"{url}/sandbox/state?limit=3", timeout=30).text, 30)
    took = time.perf_counter() - arrived
    return (took, took - waits) if seen else (math.inf, math.inf)


def _quiet(store: Path) -> None:
    """Until nothing has opened for three seconds and all that has is posted: no row waits for another's."""
    opened, since = -1, time.monotonic()
    with closing(sqlite3.connect(f"file:{store}?mode=ro", uri=True)) as c:
        while time.monotonic() - since < 3:
            now, behind = c.execute("SELECT count(*), sum(shown_seq < face_seq) FROM alerts").fetchone()
            if now != opened or behind:
                opened, since = now, time.monotonic()
            time.sleep(0.2)


def _until(look: Callable[[], Any], seconds: float) -> Any:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := look():
            return found
        time.sleep(0.02)
    return None


# ----------------------------------------------------------------------------- main


def measure(policies: int, town: tuple[str, ...], rounds: int) -> dict[str, Any]:
    folder = Path(tempfile.mkdtemp(prefix="patrol-bench-"))
    _url, api, token, app_token = town
    try:
        write_project(folder / "project", policies, EACH_SECOND)
        market = Warehouse(folder, policies)
        ratios, bare, road = [], [], []
        for turn in range(rounds):
            bare.append(bare_loop(folder / "project", market.folder, api, token))
            environment = {"PATROL_SLACK_URL": api, "SLACK_BOT_TOKEN": token, "SLACK_APP_TOKEN": app_token}
            environment["PATROL_WAREHOUSE_URL"] = f"duckdb:///{market.folder}"
            environment["PATROL_STORE_URL"] = f"sqlite:///{folder / f'bench{turn}.db'}"
            bot = Bot(load(folder / "project", environment), Clock())
            bot.store.upgrade()
            bot.engine.reload()
            road.append(whole_road(bot))
            bot.warehouse.close()
            bot.store.close()
            ratios.append(road[-1] / bare[-1])
            say.print(
                f"{policies} policies, round {turn + 1}: bare {bare[-1]:.0f}/s, Patrol {road[-1]:.0f}/s"
            )
        served = row_to_post(folder, market, town, policies, ROWS)
        write_project(folder / "project", policies, AFTER_IT)
        after = row_to_post(folder, market, town, policies, ROWS)
        return {
            "policies": policies,
            "after": [took for took, _ in after["delays"]],
            "bare": statistics.median(bare),
            "road": statistics.median(road),
            "ratio": statistics.median(ratios),
            **served,
        }
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _column(got: dict[str, Any]) -> list[tuple[str, str]]:
    """What is said of one number of policies, row by row."""
    each_second = [took for took, _ in got["delays"]]
    return [
        ("bare loop, checks a second", f"{got['bare']:.0f}"),
        ("Patrol, checks a second", f"{got['road']:.0f}"),
        ("ratio", f"{got['ratio']:.2f}"),
        ("row → post, all due each second, p50", _seconds(each_second, 0.5)),
        ("the same, p95", _seconds(each_second, 0.95)),
        ("of it from the due time to the post, p50", _seconds([own for _, own in got["delays"]], 0.5)),
        ("row → post, all run after the table, p50", _seconds(got["after"], 0.5)),
        ("the same, p95", _seconds(got["after"], 0.95)),
        ("start to first alert", _seconds(filter(None, [got["first"]]), 0.5)),
        ("memory of patrol serve", f"{got['memory']:.0f} MiB"),
    ]


def _seconds(found: Iterable[float], part: float) -> str:
    """The one below which this part of them lies; a row that was never posted took for ever."""
    ordered = sorted(found)
    return f"{ordered[min(len(ordered) - 1, int(len(ordered) * part))]:.2f} s" if ordered else "none"


def main() -> None:
    sizes = [int(n) for n in os.environ.get("POLICIES", "100,1000").split(",")]
    rounds = int(os.environ.get("ROUNDS", "3"))
    context = multiprocessing.get_context("spawn")
    ready, theirs = context.Pipe()
    host = context.Process(target=slack, args=(theirs, theirs), daemon=True)
    host.start()
    town = ready.recv()
    table = Table("", *(f"{size} policies" for size in sizes))
    for row in zip(*(_column(measure(size, town, rounds)) for size in sizes), strict=True):
        table.add_row(row[0][0], *(said for _, said in row))
    ready.send("done")
    Console().print(table)
    Console().print(f"{os.cpu_count()} cores, Python {sys.version.split()[0]}, DuckDB {duckdb.__version__}")


if __name__ == "__main__":
    main()
