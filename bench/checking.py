"""How long `patrol check` and `patrol test` take over a project of so many varied policies: wall and CPU."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.projects import write


def timed(project: Path, verb: str) -> str:
    """Runs it as people do and says what it said last, with its seconds."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    ran = subprocess.run(
        [sys.executable, "-m", "bot", verb, "--project", str(project)],
        capture_output=True,
        text=True,
        check=False,
    )
    took = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    last = (ran.stdout or ran.stderr).strip().splitlines()[-1]
    return f"patrol {verb}: {took:.1f} s, {cpu:.1f} s of CPU, exit code {ran.returncode}: {last}"


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder), int(sys.argv[1]) if sys.argv[1:] else 1_000)
        print(f"load before: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
        for verb in ("check", "test"):
            print(timed(Path(folder), verb), flush=True)
