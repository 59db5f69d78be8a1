"""Keeps the memory of a process small where others are lavish: the C library, and what libraries import."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

ARENA_MAX = -8  # glibc's M_ARENA_MAX
ENOUGH = 2


def few_arenas() -> None:
    """To be called before the first thread; does nothing without glibc.

    What one thread frees is of no use to another with an arena of its own. There may be eight a core, and of
    our thirty threads nearly all wait. Who sets MALLOC_ARENA_MAX decides.
    """
    if "MALLOC_ARENA_MAX" not in os.environ:
        with suppress(OSError, AttributeError):
            ctypes.CDLL(None).mallopt(ARENA_MAX, ENOUGH)


@contextmanager
def without(name: str) -> Iterator[None]:
    """Within it a library that can do without another one is told that this is not there, unless it has been
    imported already."""
    if name in sys.modules:
        yield
        return
    sys.modules[name] = None  # type: ignore[assignment]  # Python's own way to say so
    try:
        yield
    finally:
        del sys.modules[name]
