"""What was read and proved of policies, kept in a file, so that the next start need not prove it again.

Nothing is trusted that was made by other code or of other texts; a file that is not ours is left alone.
"""

from __future__ import annotations

import hashlib
import io
import os
import pickle
import sys
from contextlib import suppress
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from sensors import draft
from sensors.warehouse import spelled

PLAIN = {
    ("builtins", "frozenset"),
    ("builtins", "set"),
    ("datetime", "date"),
    ("datetime", "datetime"),
    ("datetime", "timedelta"),
    ("datetime", "timezone"),
    ("decimal", "Decimal"),
}


def keep(file: Path) -> bool:
    """Writes down all that this process has proved; False where the folder may not be written."""
    held = (_code(), dict(draft.proved()), dict(spelled.everything()))  # copies: others may add
    fresh = file.with_name(f"{file.name}.{os.getpid()}")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        fresh.write_bytes(pickle.dumps(held, protocol=5))
        fresh.replace(file)
    except OSError:
        with suppress(OSError):
            fresh.unlink(missing_ok=True)
        return False
    return True


def recall(file: Path) -> bool:
    """Takes in what an earlier process has proved with this very code; False where there is no such thing."""
    try:
        code, drafts, texts = _Reader(io.BytesIO(file.read_bytes())).load()
    except Exception:  # absent, cut short, of another time or not ours: then it is proved again
        return False
    if code != _code():
        return False
    draft.proved().update(drafts)
    spelled.everything().update(texts)
    return True


class _Reader(pickle.Unpickler):
    """Makes plain values and values of `sensors` only: whoever may write the file can make us run nothing."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) in PLAIN:
            return super().find_class(module, name)
        if module.startswith("sensors.") and "." not in name:
            found = super().find_class(module, name)
            if isinstance(found, type) and found.__module__ == module:
                return found
        raise pickle.UnpicklingError(f"{module}.{name} has no place here")


@cache
def _code() -> str:
    """Differs when what was proved may come out otherwise: the sources of `sensors`, and what reads SQL."""
    seen = hashlib.sha256(f"{sys.version}\0{version('sqlglot')}\0".encode())
    here = Path(__file__).parent
    for path in sorted(here.rglob("*.py")):
        stat = path.stat()
        seen.update(f"{path.relative_to(here)}\0{stat.st_size}\0{stat.st_mtime_ns}\n".encode())
    return seen.hexdigest()
