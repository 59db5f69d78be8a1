"""Versioned copies of the market's file, and the pointer that names the newest whole one.

A reader opens the file that CURRENT names and never sees it change: DuckDB would serve the old contents of a
file that was replaced under its name, and would lock readers out of one that is being written.
"""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

POINTER = "CURRENT"
NAME = re.compile(r"market-(\d{6,})\.duckdb")
KEPT = 5  # versions: a reader that has just read the pointer has some seconds to open the file


def current(folder: Path) -> Path | None:
    """The newest whole version, or None where there is none."""
    try:
        name = (folder / POINTER).read_text().strip()
    except FileNotFoundError:
        return None
    path = folder / name
    return path if NAME.fullmatch(name) and path.exists() else None


def publish(folder: Path, source: Path) -> Path:
    """A copy of `source` (complete, nobody writing) becomes the current version."""
    newest = max(versions(folder), default=0)
    target = folder / f"market-{newest + 1:06d}.duckdb"
    shutil.copyfile(source, target)
    _to_disk(target)
    _point(folder, target.name)
    _drop_old(folder, keep=target)
    return target


def versions(folder: Path) -> list[int]:
    return sorted(int(found[1]) for path in folder.iterdir() if (found := NAME.fullmatch(path.name)))


def _point(folder: Path, name: str) -> None:
    fresh = folder / f"{POINTER}.new"
    fresh.write_text(name + "\n")
    _to_disk(fresh)
    os.replace(fresh, folder / POINTER)
    _to_disk(folder)


def _drop_old(folder: Path, keep: Path) -> None:
    for number in versions(folder)[:-KEPT]:
        path = folder / f"market-{number:06d}.duckdb"
        if path != keep:
            path.unlink(missing_ok=True)


def _to_disk(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
