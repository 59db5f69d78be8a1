"""What a run is called over there: the key of its start stands in its name, so that it is begun once and
known again. A name is unique in an account and region, and stays taken."""

from __future__ import annotations

import re
from hashlib import sha256

from sensors.model.job import Job

MARK = "-patrol-"
LONGEST = 63  # of a name, by the published API
PREFIX = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,30}")  # as long, that a hash fits behind it
HASHED = 24  # characters of the hash of a key that is too long, or holds what a name may not


def prefix_of(job: Job, said: str | None) -> str:
    """What the names of all its runs begin with: as it is said, else the job's own name."""
    return said or job.name.replace("_", "-")[:31].strip("-")


def name_of(prefix: str, key: str) -> str:
    """`train-risk-patrol-effect-12`."""
    room = LONGEST - len(prefix) - len(MARK)
    fits = len(key) <= room and re.fullmatch(r"[a-zA-Z0-9](-*[a-zA-Z0-9])*", key, re.ASCII)
    return f"{prefix}{MARK}{key if fits else sha256(key.encode()).hexdigest()[:HASHED]}"


def token_of(name: str) -> str:
    """The token of a request that has one: 64 characters, the same for the same name."""
    return sha256(name.encode()).hexdigest()


def key_in(prefix: str, name: str) -> str:
    """The key of a start of Patrol's, where it stands in the name as it is; else nothing."""
    mark, rest = f"{prefix}{MARK}", name[len(prefix) + len(MARK) :]
    return rest if name.startswith(mark) and not re.fullmatch(rf"[0-9a-f]{{{HASHED}}}", rest) else ""


def is_ours(prefix: str, name: str) -> bool:
    return name.startswith(f"{prefix}{MARK}")


def begins(prefix: str, name: str) -> bool:
    """Whether a run of that name is one of the job's: `train` is not the beginning of `training-7`."""
    return name == prefix or name.startswith(f"{prefix}-")
