"""Writes the files that people keep: the whole of a new one, or the old one stays as it was."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from bot.process.errors import PatrolError


def put(texts: Mapping[Path, bytes]) -> None:
    """Every text into its file, or none: they are put in place only once all of them lie on the disk.

    A link stays a link, and a file keeps its mode. Raises PatrolError where they cannot be written.
    """
    ready: list[tuple[Path, Path]] = []
    try:
        for path, text in texts.items():
            ready.append((_beside(path.resolve(), text), path.resolve()))
        while ready:
            os.replace(*ready[-1])
            ready.pop()
    except OSError as error:
        why = (error.strerror or "no reason given").lower()
        raise PatrolError(f"{path} cannot be written: {why}.") from None
    finally:
        for fresh, _ in ready:
            with suppress(OSError):
                fresh.unlink()


def _beside(path: Path, text: bytes) -> Path:
    """The text in a file beside the one whose place it is to take."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, path.stat().st_mode if path.exists() else 0o666 & ~_umask())
    except BaseException:
        os.unlink(name)
        raise
    return Path(name)


def _umask() -> int:
    """There is no way to ask for it but to set it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
