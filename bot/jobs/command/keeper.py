"""Keeps one command: begins it once, holds what it writes, ends it in time, writes down how it ended.

A process of its own, beside Patrol and not ended with it; it knows nothing of Patrol but this file.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any, BinaryIO

BEAT_S = 10.0  # how often it shows that it is there, for those who cannot see its process
TRIES = 360  # to write down how it ended
CAP = 512 * 1024  # bytes of one file of output; there are two, the older of which goes
KEPT_MOST = 16_000_000  # bytes of a file that is kept beside
CLAIM, OUTPUT, OLDER, CANCEL, BEAT, RESULT = "claim", "output", "output.older", "cancel", "beat", "result"


def here() -> str:
    """Where a number of a process means something: this boot of this host, in this container."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot} {os.readlink('/proc/self/ns/pid')}"
    except OSError:
        return socket.gethostname()


def born(pid: int) -> str | None:
    """When the process of this number began; None where there is none, or only its remains.

    A number is used again by other processes, number and birth together are not.
    """
    try:
        said = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None if Path("/proc/self/stat").exists() else _born_elsewhere(pid)
    state, *fields = said.rpartition(")")[2].split()
    return None if state in "ZX" else fields[18]


def _born_elsewhere(pid: int) -> str | None:
    """The same where there is no /proc."""
    asked = subprocess.run(
        ["ps", "-o", "stat=,lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    state, _, began = asked.stdout.strip().partition(" ")
    return began.strip() if began and not state.startswith("Z") else None


def keep(order: dict[str, Any]) -> None:
    """One run, from its claim to its result."""
    folder = Path(order["folder"])
    if not _claimed(folder):
        _say("known")
        return
    began = time.time()
    try:
        child = subprocess.Popen(
            order["argv"],
            cwd=order["cwd"],
            env=order["env"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        (folder / CLAIM).unlink()
        _say(f"refused {_why(error)}")
        return
    _say("begun")
    assert child.stdout
    pump = threading.Thread(target=_pump, args=(child.stdout, folder), daemon=True)
    pump.start()
    why = _watched(child, folder, order)
    pump.join(2)  # a grandchild may hold the pipe for ever
    for name, path in order["keep"].items():
        _kept(folder / name, Path(path), began)
    _write(folder / RESULT, {"code": child.returncode, "why": why, "at": time.time()})


def _claimed(folder: Path) -> bool:
    """Whether this process, and no other, is to run it."""
    mine = {"pid": os.getpid(), "born": born(os.getpid()), "here": here(), "host": socket.gethostname()}
    try:
        with (folder / CLAIM).open("x") as file:
            json.dump(mine, file)
    except FileExistsError:
        return False
    return True


def _say(word: str) -> None:
    """The one answer to who began us; after it nobody need listen, and nobody is kept waiting."""
    print(word, flush=True)
    with open(os.devnull, "r+b") as nothing:
        for number in (0, 1, 2):
            os.dup2(nothing.fileno(), number)


def _why(error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        return "there is no such program"
    if isinstance(error, PermissionError):
        return "Patrol may not run it: is it executable?"
    return (getattr(error, "strerror", "") or str(error)).lower()


def _pump(source: BinaryIO, folder: Path) -> None:
    """What the command writes, of which the end is kept: in two files, the older of which goes."""
    written, full = 0, False
    while chunk := os.read(source.fileno(), 65536):
        try:
            if written + len(chunk) > CAP:
                (folder / OUTPUT).replace(folder / OLDER)
                written = 0
            if not full:
                with (folder / OUTPUT).open("ab") as file:
                    written += file.write(chunk)
        except OSError:
            full = True  # a disk without room must not hold the command up


def _watched(child: subprocess.Popen[bytes], folder: Path, order: dict[str, Any]) -> str:
    """Waits for its end, or brings it about; why, where it was not its own."""
    now = time.monotonic()
    deadline, beat, pause, kill_at, why = now + order["limit_s"], now, 0.01, 0.0, ""
    while child.poll() is None:
        now = time.monotonic()
        if now >= beat:
            with contextlib.suppress(OSError):  # whatever becomes of the folder, the command is watched
                (folder / BEAT).touch()
            beat = now + BEAT_S
        if not why and ((folder / CANCEL).exists() or now >= deadline):
            why = "cancelled" if (folder / CANCEL).exists() else "timeout"
            _signal(child, order["signal"])
            kill_at = now + order["grace_s"]
        elif why and now >= kill_at:
            _signal(child, signal.SIGKILL)
        time.sleep(pause)
        pause = min(pause * 1.5, 0.25)
    if why:
        _signal(child, signal.SIGKILL)  # whoever of its group is left
    return why


def _signal(child: subprocess.Popen[bytes], number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, number)


def _kept(to: Path, path: Path, began: float) -> None:
    """A copy of what the command made, before another run of it makes it anew."""
    with contextlib.suppress(OSError):
        stat = path.stat()
        if stat.st_mtime >= began - 2 and stat.st_size <= KEPT_MOST:
            shutil.copyfile(path, to)


def _write(path: Path, content: dict[str, Any]) -> None:
    """Whole or not at all, and late rather than not: a disk without room may have some again."""
    part = path.with_suffix(".part")
    for _ in range(TRIES):
        try:
            part.write_text(json.dumps(content))
            part.replace(path)
        except FileNotFoundError:
            return  # somebody took the folder away, and with it who would read it
        except OSError:
            time.sleep(BEAT_S)
        else:
            return


if __name__ == "__main__":
    for _number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        # It ends with its command, which gets them too. To ignore them would be handed down to that.
        signal.signal(_number, lambda *_: None)
    keep(json.load(sys.stdin))
