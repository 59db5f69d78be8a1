"""The processes under chaos: each slot starts Patrol, has it killed with SIGKILL, and starts it again."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from bot.process.killpoint import POINTS

ROOT = Path(__file__).parents[1]
BETWEEN = "save.between"  # of the control that splits the watermark off; nowhere else is it reached
LONGEST_LIFE = 15.0  # of one that is to die at a named point
STARTS_WITHIN = 40.0
LIVING: set[subprocess.Popen[bytes]] = set()  # of all slots
SENDS = ("send", "record")  # reached by posts only, so that few of them are waited for


@dataclass
class Kills:
    """How many deaths are still to come, shared by all slots."""

    left: int
    done: int = 0
    points: list[str] = field(default_factory=list)  # how each one died
    others: list[str] = field(default_factory=list)  # processes that ended by themselves
    lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self) -> bool:
        with self.lock:
            self.left -= 1
            return self.left >= 0

    def count(self, how: str) -> None:
        with self.lock:
            self.done += 1
            self.points.append(how)


class Slot(threading.Thread):
    """One place for a process. It dies and comes back until no kills are left; the last one stays."""

    def __init__(
        self,
        number: int,
        folder: Path,
        environment: dict[str, str],
        kills: Kills,
        dice: random.Random,
        control: str,
    ) -> None:
        super().__init__(name=f"slot-{number}", daemon=True)
        self.log = folder / f"patrol-{number}.log"
        self._hit = folder / f"hit-{number}"
        self._folder = folder
        self._environment = environment
        self._kills = kills
        self._dice = dice
        self._control = control
        self._began_at = 0  # where in the log the present process begins
        self._process: subprocess.Popen[bytes] | None = None
        self.ending = threading.Event()

    def run(self) -> None:
        while not self.ending.is_set() and self._kills.take():
            if self._dice.random() < 0.5 or self._control == "split-watermark":
                self._die_at_a_point()
            else:
                self._die_at_random()
        self._start()

    def _die_at_a_point(self) -> None:
        point = BETWEEN if self._control == "split-watermark" else self._dice.choice(POINTS)
        few = point.split(".")[0] in SENDS or point == BETWEEN
        count = self._dice.randint(1, 3 if few else 20)
        process = self._start(PATROL_KILL_AT=f"{point}:{count}", PATROL_KILL_LOG=str(self._hit))
        self._until_on_patrol(process)
        self._wait(process, LONGEST_LIFE, point)

    def _die_at_random(self) -> None:
        """While it starts, soon after, or after some time at work."""
        starting = self._dice.random() < 0.2
        life = self._dice.choice(
            (self._dice.uniform(0, 2), self._dice.uniform(0, 4), self._dice.uniform(4, 12))
        )
        process = self._start()
        if not starting:
            self._until_on_patrol(process)
        self._wait(process, self._dice.uniform(0.1, 2.5) if starting else life, "any moment")

    def _until_on_patrol(self, process: subprocess.Popen[bytes]) -> None:
        """Until the process says that it is at work, or has ended."""
        deadline = time.monotonic() + STARTS_WITHIN
        while process.poll() is None and time.monotonic() < deadline:
            with self.log.open("rb") as log:
                log.seek(self._began_at)
                if b'"on patrol"' in log.read():
                    return
            time.sleep(0.1)

    def _wait(self, process: subprocess.Popen[bytes], seconds: float, how: str) -> None:
        """Until it has died; SIGKILL when the time is over, so that each life is one kill."""
        try:
            code = process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
            self._kills.count("any moment")
            return
        if code == -signal.SIGKILL:
            self._kills.count(how)
            return
        with self._kills.lock:  # it ended by itself: no kill, so that one more is to come
            self._kills.others.append(f"exit code {code} in {self.log.name}: {last_line(self.log)}")
            self._kills.left += 1
        time.sleep(0.5)

    def _start(self, **environment: str) -> subprocess.Popen[bytes]:
        program = ["-m", "bench.chaos_broken", self._control] if self._control else ["-m", "bot"]
        words = ["serve", "--port", "0", "--project", str(self._folder / "project")]
        with self.log.open("ab") as log:
            self._began_at = log.tell()
            self._process = subprocess.Popen(
                [sys.executable, *program, *words],
                cwd=ROOT,
                env={**clean_environment(), **self._environment, **environment},
                stdout=log,
                stderr=log,
            )
            LIVING.add(self._process)
        return self._process

    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def revive(self) -> None:
        """While it settles a process that ended by itself is started again, as a supervisor would."""
        if not self.is_alive() and not self.alive():
            self._start()

    def end(self) -> int | None:
        """SIGTERM, and in the end SIGKILL; the exit code of a process that ended cleanly is 0."""
        self.ending.set()
        if self._process is None:
            return None
        self._process.send_signal(signal.SIGTERM)
        try:
            return self._process.wait(30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()


def kill_all() -> None:
    """Nothing that was started here outlives this process."""
    for process in tuple(LIVING):
        if process.poll() is None:
            process.kill()


def clean_environment() -> dict[str, str]:
    """The environment without anything of Patrol's or Slack's, and with this checkout first."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PATROL_", "SLACK_"))}
    return {**kept, "PYTHONPATH": str(ROOT)}


def last_line(log: Path) -> str:
    lines = log.read_text(errors="replace").splitlines() if log.exists() else []
    return lines[-1][:300] if lines else "nothing was said"
