"""Reads the files of a bundle: policies/**.yml and sql/**.sql. Says what lies there, not what it means."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from sensors.model.bundle import Bundle
from sensors.model.catalog import Problem
from sensors.near import near

DEEPEST = 40  # folders in one another
FOLDERS = {"policies": (".yml", ".yaml"), "sql": (".sql",)}
PART = re.compile(r"[a-z][a-z0-9_]*")
BESIDE = ("_assets.yml", "_entities.yml", "_jobs.yml", "_teams.yml", "_violations.yml")  # of policies/ alone
DEFAULTS = "_defaults.yml"  # of any folder below it


@dataclass
class Sources:
    """Texts by path relative to the bundle's folder, and what could not be read."""

    texts: dict[str, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def policies(self) -> dict[str, str]:
        """The path of each policy's YAML by the policy's name."""
        paths = (p for p in self.texts if p.startswith("policies/") and p.endswith(".yml"))
        return {name_of(p): p for p in sorted(paths) if not Path(p).name.startswith("_")}

    def macros(self) -> dict[str, str]:
        return {p: text for p, text in self.texts.items() if p.startswith("sql/_macros/")}

    def queries(self) -> list[str]:
        return sorted(p for p in self.texts if p.startswith("sql/") and not p.startswith("sql/_"))


@dataclass(frozen=True)
class Root:
    """Where the files of one bundle are just now. The first of several is the project's own."""

    bundle: Bundle
    folder: Path
    main: str = "main"  # the name of the project's own bundle
    prefix: str = ""  # stands before the names of its policies: "risk:"
    shown: str = ""  # stands before its paths where people read them: "../risk/", "risk:"
    texts: Sources | None = None  # its files, where they do not lie in the folder
    content: str = ""  # by which these are found elsewhere
    commit: str = ""
    since: datetime | None = None  # when this commit was taken in
    trouble: str = ""  # why this is not its newest version, in words
    manifest: Path | None = None  # dbt's
    dbt: str = ""  # what it said, where it is not there any more

    @property
    def sources(self) -> Sources | None:
        """Its files; None where there is no such folder."""
        if self.texts is not None:
            return self.texts
        found = read(self.folder)
        return found if found.texts or not self.prefix or (self.folder / "policies").is_dir() else None

    @property
    def print(self) -> str:
        """Differs when one of its files may have changed, or what is said of it. Reads none."""
        there = self.commit or fingerprint(self.folder, self.manifest)
        return f"{self.bundle.name} {there} {self.trouble}"


def name_of(path: str) -> str:
    """`policies/payments/refund_spike.yml` → `payments.refund_spike`."""
    return path.partition("/")[2].rpartition(".")[0].replace("/", ".")


def sql_path(name: str, dialect: str = "") -> str:
    """Where the SQL of a policy lies, or its hand-written version for one dialect."""
    return f"sql/{name.replace('.', '/')}{'.' + dialect if dialect else ''}.sql"


def read(project: Path) -> Sources:
    """All files at one moment. A file that vanishes meanwhile is as good as absent."""
    sources = Sources()
    if not (project / "policies").is_dir():
        said = "there is no folder policies/ here; run in the folder that holds it, or give --project"
        sources.problems.append(Problem("policies", 1, 1, said))
    for path, _ in sorted(_files(project)):
        if not path.isprintable():
            shown = path.encode("utf-8", "replace").decode()
            said = "this file's name holds what cannot be printed, so it is not read; rename it"
            sources.problems.append(Problem(shown, 1, 1, said))
            continue
        try:
            sources.texts[path] = (project / path).read_text(encoding="utf-8-sig")
        except UnicodeDecodeError:
            sources.problems.append(Problem(path, 1, 1, "this is not UTF-8 text; save it as UTF-8"))
        except FileNotFoundError:
            continue
        except OSError as error:
            said = f"this file cannot be read: {(error.strerror or 'no reason given').lower()}"
            sources.problems.append(Problem(path, 1, 1, said))
    sources.problems += [problem for path in sources.texts for problem in _misnamed(path)]
    return sources


def fingerprint(project: Path, manifest: Path | None = None) -> str:
    """Names, sizes and times of all files: differs when one of them may have changed. Reads none."""
    seen = hashlib.sha256()
    files = [*_files(project), *_one(manifest)]
    for path, stat in sorted(files, key=lambda found: found[0]):
        told = f"{path}\0{stat.st_size}\0{stat.st_mtime_ns}\0{stat.st_ino}\n"
        seen.update(told.encode("utf-8", "surrogateescape"))
    return seen.hexdigest()[:32]


def _one(file: Path | None) -> Iterator[tuple[str, os.stat_result]]:
    if file is not None:
        with suppress(OSError):
            yield str(file), file.stat()


def _files(project: Path) -> Iterator[tuple[str, os.stat_result]]:
    for folder, endings in FOLDERS.items():
        yield from _below(project / folder, folder, endings)


def _below(folder: Path, name: str, endings: tuple[str, ...]) -> Iterator[tuple[str, os.stat_result]]:
    try:
        entries = list(os.scandir(folder)) if name.count("/") < DEEPEST else []
    except OSError:
        return
    for entry in entries:
        path = f"{name}/{entry.name}"
        if entry.name.startswith("."):
            continue
        if entry.is_symlink() and folder.resolve().is_relative_to(Path(entry.path).resolve()):
            continue  # a link to a folder around it has no end
        if entry.is_dir():
            yield from _below(folder / entry.name, path, endings)
        elif entry.name.endswith(endings):
            try:
                yield path, entry.stat()
            except OSError:
                continue


def _misnamed(path: str) -> Iterator[Problem]:
    if path.endswith(".yaml"):
        yield Problem(path, 1, 1, "policy files end in .yml; rename it")
        return
    yield from _unread(path)
    if Path(path).name.startswith("_") or path.startswith("sql/"):
        return
    for part in path.removesuffix(".yml").split("/")[1:]:
        if not PART.fullmatch(part):
            said = f'the path is the policy\'s name; "{part}" may hold only a–z, 0–9 and _, a letter first'
            yield Problem(path, 1, 1, said)


def _unread(path: str) -> Iterator[Problem]:
    """A file that begins with _ is no policy; one that looks like a file of ours and is none is misspelt."""
    folder, _, name = path.rpartition("/")
    known = (*BESIDE, DEFAULTS) if folder == "policies" else (DEFAULTS,)
    if not path.startswith("policies/") or not name.startswith("_") or name in known:
        return
    if name in BESIDE:
        yield Problem(path, 1, 1, f"is not read here; it belongs into policies/{name}", warning=True)
    elif meant := near(name.removesuffix(".yml"), [one.removesuffix(".yml") for one in known]):
        yield Problem(path, 1, 1, f"is not read{meant}", warning=True)
