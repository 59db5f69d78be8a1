"""What is taken out of a commit: policies, queries, rows of cases as plain files; and why others are not."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from bot.bundles.git import REF, Git
from bot.process.errors import PullFailed
from bot.process.killpoint import reach
from sensors.model.catalog import Problem

FOLDERS = ("policies", "sql")
ENDINGS = (".yml", ".yaml", ".sql", ".csv")
MOST_BYTES = 2_000_000  # of a file
MOST_TOGETHER = 50_000_000
MOST_FILES = 20_000
ENTRY = re.compile(rb"(\d{6}) (\w+) ([0-9a-f]{40,64})\t(.+)", re.DOTALL)
LFS = b"version https://git-lfs.github.com/spec/"
KINDS = {"120000": "is a link, which is not followed", "160000": "is a submodule, which is not fetched"}


@dataclass(frozen=True)
class Entry:
    """A file of the commit: its path in the bundle, and git's name of its content."""

    path: str
    content: str


def take_out(git: Git, repo: Path, below: str, into: Path) -> list[Problem]:
    """Writes the files of the bundle in the folder `below` of the repository into a new folder; what was left
    out, and why."""
    left: list[Problem] = []
    entries = list(_plain(_listed(git, repo, below), left))
    if len(entries) > MOST_FILES:
        raise PullFailed(f"it has more than {MOST_FILES:,} files of policies")
    wanted = list(_fitting(git, repo, entries, left))
    for entry, body in zip(wanted, _bodies(git, repo, [one.content for one in wanted]), strict=True):
        if body.startswith(LFS):
            left.append(_left(entry.path, "is kept by Git LFS, which is not asked; commit the file itself"))
            continue
        file = into / entry.path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(body)
        reach("bundle.file")
    return left


def _listed(git: Git, repo: Path, below: str) -> Iterator[tuple[str, str, str]]:
    """Mode, content and path in the bundle of all that lies there."""
    where = [str(PurePosixPath(below, folder)) for folder in FOLDERS]
    listing = git.run(("ls-tree", "-r", "-z", "--full-tree", REF, "--", *where), repo)
    for line in listing.split(b"\0"):
        if found := ENTRY.fullmatch(line):
            path = os.fsdecode(found[4]).removeprefix(f"{below}/" if below else "")
            yield found[1].decode(), found[3].decode(), path


def _plain(listed: Iterator[tuple[str, str, str]], left: list[Problem]) -> Iterator[Entry]:
    for mode, content, path in listed:
        ours = path.endswith(ENDINGS)
        parts = path.split("/")
        if mode in KINDS:
            left.append(_left(path, KINDS[mode]))
        elif ours and (not path.isprintable() or any(p in ("", ".", "..") or len(p) > 200 for p in parts)):
            left.append(_left(path, "has a name that is no file's"))
        elif ours:
            yield Entry(path, content)


def _fitting(git: Git, repo: Path, entries: Sequence[Entry], left: list[Problem]) -> Iterator[Entry]:
    asked = "".join(f"{one.content}\n" for one in entries).encode()
    sizes = git.run(("cat-file", "--batch-check=%(objectsize)"), repo, asked).split()
    together = 0
    for entry, size in zip(entries, map(int, sizes), strict=True):
        if size > MOST_BYTES:
            said = f"is larger than {MOST_BYTES // 1_000_000} MB and was left out"
            left.append(_left(entry.path, said))
            continue
        together += size
        if together > MOST_TOGETHER:
            raise PullFailed(f"its files are larger than {MOST_TOGETHER // 1_000_000} MB together")
        yield entry


def _bodies(git: Git, repo: Path, contents: Sequence[str]) -> Iterator[bytes]:
    answer = git.run(("cat-file", "--batch"), repo, "".join(f"{one}\n" for one in contents).encode())
    at = 0
    for _ in contents:
        end = answer.index(b"\n", at)
        size = int(answer[at:end].split()[2])
        yield answer[end + 1 : end + 1 + size]
        at = end + 2 + size


def _left(path: str, what: str) -> Problem:
    shown = path if path.isprintable() else ascii(path)[1:-1]
    return Problem(shown[:200], 1, 1, what)
