"""`patrol demo`: a marketplace, a Slack and Patrol, each a process of its own, watched over until Ctrl-C."""

from __future__ import annotations

import ctypes
import fcntl
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

import click

from bot.cli.group import PORT, holding_policies, in_project
from bot.demo.snowflake import process as local_snowflake

PATIENCE_S = 30.0  # for a part to be there
OURS = ("PATROL_", "SLACK_", "SNOWFLAKE_")  # nothing of a real workspace or account gets into the demo
TOKENS = {"SLACK_BOT_TOKEN": "xoxb-sandbox", "SLACK_APP_TOKEN": "xapp-sandbox"}


@click.command()
@in_project
@click.option("--port", type=PORT, default=8765, show_default=True, help="Of the page, on 127.0.0.1.")
@click.option("--fresh", is_flag=True, help="Forget the market, messages and alerts of last time.")
@click.option("--calm", is_flag=True, help="Plant no trouble in the marketplace.")
@click.option(
    "--warehouse",
    type=click.Choice(["duckdb", "snowflake-local"]),
    default="duckdb",
    show_default=True,
    help="What holds the marketplace's tables; snowflake-local is a Snowflake of your own, on this machine.",
)
def demo(project: Path, port: int, fresh: bool, calm: bool, warehouse: str) -> None:
    """A living marketplace, a Slack of its own and Patrol, in your browser.

    Nothing leaves this machine and no account is needed. Ctrl-C ends it; started again it goes on where it
    was. Files under policies/ and sql/ are taken in while it runs.

    \b
    patrol demo            then open the address that it says
    patrol demo --fresh    from the beginning
    patrol demo --warehouse snowflake-local    the same, on a Snowflake of your own
    """
    snowflake = warehouse == "snowflake-local"
    if snowflake and not local_snowflake.installed():
        click.echo(local_snowflake.MISSING, err=True)
        sys.exit(2)
    project = holding_policies(project).resolve()
    home = project / ".patrol"
    home.mkdir(exist_ok=True)
    with (home / "demo.lock").open("w") as lock:
        sys.exit(_alone(lock, port) or Demo(project, home, port, calm, snowflake).run(fresh))


def _alone(lock: TextIO, port: int) -> int:
    """0 where no other demo of this project runs and the port is free; else says so: the exit code."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        click.echo("a demo of this project is running already: end it first", err=True)
        return 2
    if not _free(port):
        click.echo(f"port {port} is taken: end what listens there, or say --port", err=True)
        return 2
    return 0


@dataclass
class Demo:
    """The processes and their order: Slack, the marketplace, its Snowflake, Patrol when all are there."""

    project: Path
    home: Path
    port: int
    calm: bool
    snowflake: bool = False
    stopping: threading.Event = field(default_factory=threading.Event)
    parts: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def run(self, fresh: bool) -> int:
        """Until told to stop; `fresh` begins anew. The exit code."""
        if fresh:
            for folder in (self.home / "demo", self.home / "market"):
                shutil.rmtree(folder, ignore_errors=True)
        (self.home / "demo").mkdir(exist_ok=True)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: self.stopping.set())
        wanted = (self.port + 1, self.port + 2, self.port + 3)
        self.admin, self.health, self.server = (p if _free(p) else _any() for p in wanted)
        try:
            return self._watch() if self._begin() else 1
        finally:
            self._end()

    def _begin(self) -> bool:
        """Starts all; whether they are there."""
        url = f"http://127.0.0.1:{self.port}"
        self._start("slack")
        if not self._wait("slack", lambda: not _free(self.port)):
            return False
        click.echo(url)
        click.echo("Your Slack is there. The marketplace is opening …", err=True)
        self._start("market")
        if not self._wait("market", (self.home / "market" / "CURRENT").exists):
            return False
        if self.snowflake:
            self._start("snowflake")
            if not self._wait("snowflake", lambda: not _free(self.server)):
                return False
        self._start("patrol")
        click.echo(f"Patrol is looking. Open {url} and act as ana, bo or cy. Ctrl-C ends it.", err=True)
        return True

    def _command(self, part: str) -> list[str]:
        market = ["--folder", str(self.home / "market"), "--port", str(self.admin)]
        commands = {
            "slack": ["bot", "sandbox", "--quiet", "--port", str(self.port), *self._slack()],
            "market": ["bot.demo", *market, *(["--calm"] if self.calm else [])],
            "patrol": ["bot", "serve", "--project", str(self.project), "--port", str(self.health)],
        }
        if part == "snowflake":
            return local_snowflake.command("--market", market[1], "--port", str(self.server))
        return [sys.executable, "-m", *commands[part]]

    def _slack(self) -> list[str]:
        manifest = self.project / "manifest.yaml"
        kept = ["--state", str(self.home / "demo" / "slack")]
        return [*kept, "--manifest", str(manifest)] if manifest.exists() else kept

    def _environment(self) -> dict[str, str]:
        admin = f"http://127.0.0.1:{self.admin}"
        warehouse = {"PATROL_WAREHOUSE_URL": f"duckdb:///{self.home / 'market'}"}
        if self.snowflake:
            warehouse = local_snowflake.environment(self.server)
        return {
            **{name: value for name, value in os.environ.items() if not name.startswith(OURS)},
            **TOKENS,
            "PATROL_SLACK_URL": f"http://127.0.0.1:{self.port}/api/",
            **warehouse,
            "PATROL_STORE_URL": f"sqlite:///{self.home / 'demo' / 'patrol.db'}",
            "PATROL_ADMIN_URL": admin,
            "PATROL_RISK_URL": admin,
            "PATROL_OPS_URL": f"sqlite:///{self.home / 'market' / 'ops.db'}",
        }

    def _start(self, part: str) -> None:
        """In a session of its own, so that Ctrl-C reaches only us and we end the parts in order."""
        log = (self.home / "demo" / f"{part}.log").open("ab")
        self.parts[part] = subprocess.Popen(
            self._command(part),
            cwd=self.project,
            env=self._environment(),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            preexec_fn=_die_with_parent if sys.platform == "linux" else None,
        )
        log.close()

    def _wait(self, part: str, there: object) -> bool:
        deadline = time.monotonic() + PATIENCE_S
        while not self.stopping.is_set() and callable(there) and not there():
            if self.parts[part].poll() is not None or time.monotonic() > deadline:
                log = self.home / "demo" / f"{part}.log"
                click.echo(f"{part} did not start; the end of {log}:\n{_tail(log)}", err=True)
                return False
            self.stopping.wait(0.05)
        return not self.stopping.is_set()

    def _watch(self) -> int:
        """A part that dies is started again: Patrol must come back without losing anything, so let it."""
        while not self.stopping.wait(0.5):
            for part, process in list(self.parts.items()):
                if process.poll() is not None:
                    click.echo(f"{part} has ended ({process.returncode}); it is started again", err=True)
                    self.stopping.wait(1)
                    self._start(part)
        return 0

    def _end(self) -> None:
        """Patrol first, so that what it says still arrives."""
        for part in ("patrol", "snowflake", "market", "slack"):
            process = self.parts.get(part)
            if process is None or process.poll() is not None:
                continue
            process.terminate()
            try:
                process.wait(timeout=15)
            except subprocess.TimeoutExpired:
                process.kill()
        click.echo("The demo has ended. Started again it goes on where it was.", err=True)


def _free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def _any() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _die_with_parent() -> None:
    """So that a demo that is killed leaves nothing behind (Linux)."""
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)


def _tail(log: Path) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-12:])
