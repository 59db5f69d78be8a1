"""Versions of a project as folders: a git revision is unpacked into a temporary one."""

from __future__ import annotations

import io
import subprocess
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from bot.process.errors import PatrolError

PARTS = ("policies", "sql", "patrol.yml")
TIMEOUT_S = 60


@dataclass(frozen=True)
class Version:
    """A version of the project's files, and how people call it."""

    name: str
    folder: Path


@contextmanager
def versions(words: str, project: Path) -> Iterator[tuple[Version, Version]]:
    """`BASE..HEAD`, `BASE...HEAD` (since they parted), or `BASE`: against the files as they now are."""
    with TemporaryDirectory(prefix="patrol-diff-") as folder:
        base, dots, head = words.partition("...") if "..." in words else words.partition("..")
        if not base or words.startswith("-"):
            raise PatrolError(f"{words!r} names no revision: write BASE..HEAD, such as origin/main..HEAD")
        git = Git(project)
        new = git.commit(head or "HEAD") if dots else ""
        old = git.commit(base)
        if dots == "...":
            old = git.parting(old, new)
        first = Version(base, git.unpack(old, Path(folder) / "base"))
        second = Version(head or "HEAD", git.unpack(new, Path(folder) / "head")) if new else None
        yield first, second or Version("the files as they are", project)


class Git:
    """The repository that the project lies in. Only reads."""

    def __init__(self, project: Path) -> None:
        self.top = project
        try:
            self.top, self.prefix = Path(self._line("--show-toplevel")), self._line("--show-prefix")
        except PatrolError as error:
            if "not a git repository" not in str(error):
                raise
            said = f"{project.resolve()} lies in no git repository"
            raise PatrolError(f"{said}: compare two folders, patrol diff DIR1 DIR2") from error

    def commit(self, revision: str) -> str:
        """The commit that a person names."""
        try:
            return self._line("--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
        except PatrolError as error:
            why = "git fetch may bring it; git branch -a lists what there is"
            if self._line("--is-shallow-repository") == "true":
                why = "this clone is shallow: git fetch --unshallow (for actions/checkout: fetch-depth: 0)"
            raise PatrolError(f"There is no revision {revision!r} here; {why}.") from error

    def parting(self, one: str, other: str) -> str:
        """The newest commit that both have."""
        try:
            return self._ask("merge-base", one, other).strip()
        except PatrolError as error:
            raise PatrolError(
                "The two revisions have no commit in common here; in a shallow clone, fetch all of it."
            ) from error

    def changed(self) -> bool:
        """Whether policies or SQL have changes that are in no commit."""
        paths = [f"{self.prefix}{part}" for part in PARTS]
        return bool(self._ask("status", "--porcelain", "--", *paths).strip())

    def unpack(self, commit: str, folder: Path) -> Path:
        """The project's files of that commit, in a new folder."""
        folder.mkdir()
        tree = f"{commit}:{self.prefix}"
        there = self._ask("ls-tree", "--name-only", tree).split("\n")
        parts = [part for part in PARTS if part in there]
        if "policies" not in parts:
            raise PatrolError(f"{commit[:12]} has no {self.prefix}policies/: nothing to compare with.")
        packed = self._run("archive", "--format=tar", tree, "--", *parts)
        with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
            for member in archive:
                _write(archive, member, folder)
        return folder

    def _line(self, *words: str) -> str:
        return self._ask("rev-parse", *words).strip()

    def _ask(self, *words: str) -> str:
        return self._run(*words).decode(errors="replace")

    def _run(self, *words: str) -> bytes:
        try:
            ran = subprocess.run(
                ["git", *words], cwd=self.top, capture_output=True, timeout=TIMEOUT_S, check=False
            )
        except FileNotFoundError as error:
            raise PatrolError("There is no git here: compare two folders, patrol diff DIR1 DIR2.") from error
        except subprocess.TimeoutExpired as error:
            raise PatrolError(f"git {words[0]} did not answer within {TIMEOUT_S} s.") from error
        if ran.returncode:
            said = " ".join(ran.stderr.decode(errors="replace").split()) or "git says no more"
            raise PatrolError(f"git {words[0]}: {said}")
        return ran.stdout


def _write(archive: tarfile.TarFile, member: tarfile.TarInfo, folder: Path) -> None:
    """A plain file within the folder, and nothing else: no link leads out of it."""
    path = (folder / member.name).resolve()
    content = archive.extractfile(member) if member.isfile() else None
    if content is not None and folder.resolve() in path.parents:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.read())
