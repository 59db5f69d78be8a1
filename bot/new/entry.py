"""One more entry for a file beside the policies: a job, or a table. What stands there keeps every byte."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path

from bot.new.blank import fill
from bot.new.column import listed, scalar
from bot.process.errors import PatrolError
from sensors.sources import PART
from sensors.warehouse.column_type import column_type
from sensors.yaml_marks import read

JOBS = {
    "http": "one request to an address",
    "sql": "one statement on a database",
    "dagster": "a run of a job in Dagster",
    "airflow": "a run of a DAG in Airflow 3",
    "sagemaker": "a training job in Amazon SageMaker, or a processing job or a pipeline",
    "command": "a program on Patrol's own host",
    "dbt": "dbt Core on Patrol's own host",
    "dbt_cloud": "a job of dbt Cloud",
    "container": "an image with a command and parameters, such as a training, by the team's job runner",
}
IMAGE, COMMAND = "registry.example/risk/rescore:1.0.0", "python -m rescore"


def job(name: str, kind: str, owner: str, image: str = IMAGE, command: str = COMMAND) -> str:
    """A job's entry for _jobs.yml."""
    if not PART.fullmatch(name) or len(name) > 64:
        raise PatrolError(
            f'"{name[:64]}" cannot be a job\'s name: it holds only a–z, 0–9 and _, a letter first.'
        )
    if not all(part.isprintable() and "{" not in part for part in (image, command)):
        raise PatrolError("The image and the command are plain text; what changes stands in parameters.")
    title = name.replace("_", " ")
    values = {
        "name": scalar(name),
        "title": scalar(title[:1].upper() + title[1:]),
        "path": name.replace("_", "-"),
        "owner": scalar(owner),
        "image": json.dumps(image, ensure_ascii=False) if image != scalar(image) else image,
        "command": listed(command.split()),
    }
    return fill((files(__package__) / "jobs" / f"{kind}.yml").read_text(encoding="utf-8"), values)


def table(name: str, columns: Mapping[str, str], owner: str | None, dialect: str, time: str | None) -> str:
    """A table's entry for _assets.yml: its columns as the warehouse has them, and what says its age."""
    fit = {c: kind for c, kind in columns.items() if re.fullmatch(r"[a-z_][a-z0-9_$]*", c)}
    times = [c for c, kind in fit.items() if (t := column_type(kind, dialect)) and t.kind == "time"]
    until = time if time in times else next(iter(times), None)
    lines = [f"{scalar(name)}:", *([f"  owner: {scalar(owner)}"] if owner else [])]
    if until:
        lines.append(f"  loaded_until: {scalar(until)} # its newest value says how far the table is loaded")
    lines += ["  columns:", *(f"    {scalar(c)}: {scalar(kind.lower())}" for c, kind in fit.items())]
    return "\n".join(lines) + "\n"


def added(project: Path, file: str, name: str, entry: str) -> bytes:
    """What is to be appended to policies/`file`. PatrolError where it has the name, or cannot take more."""
    path = project / "policies" / file
    try:
        before = path.read_bytes() if path.exists() else b""
        text = before.decode("utf-8")
    except UnicodeDecodeError:
        raise PatrolError(f"policies/{file} is not UTF-8 text; save it as UTF-8.") from None
    newline = "\r\n" if "\r\n" in text else "\n"
    gap = "" if not text else newline if text.endswith("\n") else newline * 2
    more = gap + entry.replace("\n", newline)
    old, new = read(path.name, text.lstrip("\ufeff")), read(path.name, (text + more).lstrip("\ufeff"))
    if old.problems or not isinstance(old.data or {}, dict):
        raise PatrolError(
            f"policies/{file} cannot be read as it is; `patrol check` says why. Mend that first."
        )
    known = old.data or {}
    if name.lower() in (str(one).lower() for one in known):
        raise PatrolError(f"policies/{file} has {name} already; nothing was written.")
    if new.problems or {k: v for k, v in new.data.items() if k != name} != known or name not in new.data:
        raise PatrolError(f"policies/{file} cannot take more at its end. Write it in by hand:\n\n{entry}")
    return more.encode()


def with_more(project: Path, file: str, more: bytes) -> bytes:
    """What the file holds, and more at its end."""
    path = project / "policies" / file
    return (path.read_bytes() if path.exists() else b"") + more
