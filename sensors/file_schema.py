"""The doors as JSON Schemas, for editors: what a file may say, and the project's own names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from pydantic.json_schema import GenerateJsonSchema, NoDefault

from sensors.beside import DOORS, SINGULAR
from sensors.file_defaults import DefaultsFile
from sensors.file_job import JOB_KEYS
from sensors.file_policy import PolicyFile
from sensors.files import NAMES, Door, Json
from sensors.graph import graph
from sensors.model.catalog import Catalog
from sensors.model.clock import UNITS
from sensors.sources import DEFAULTS
from sensors.yaml_marks import Document

DRAFT = "http://json-schema.org/draft-07/schema#"  # what editors know best
RUNNERS = {
    "url": "Where it is started; `${NAME}` comes from the environment",
    "message": "Where in the answer its sentence stands, as a path such as data.message",
    "link": "Where in the answer the address of the run stands",
    "idempotent": "Whether doing it twice is as good as once; then it is repeated after an unknown outcome",
    "method": "Of the request: POST unless said otherwise",
    "headers": "Of the request",
    "body": "Of the request; `{name}` stands for a parameter",
    "poll": "How to ask whether it has ended",
    "called_back": "How its end is told to `{callback}`: `state`, `done`, `failed`, `message`, `link`",
    "cancel": "How a run is ended before its time",
    "log": "The address of a run's log; `{id}` is the run's",
    "runs": "Where its runs are listed, whoever started them",
    "starts": "What SageMaker is to begin: training, processing or pipeline",
    "request": "Of SageMaker's API for it, in its own words; `{name}` stands for a parameter",
    "region": "Where it runs, such as eu-west-1; default: as AWS is set up where Patrol runs",
    "prefix": "What the names of its runs over there begin with; default: the job's own name",
    "command": "A list of the program and its arguments; of dbt a word such as build",
    "folder": "Where it is run, seen from the project",
    "environment": "All variables that the program is given, beside PATH",
    "project": "dbt Core: the folder of dbt_project.yml, seen from Patrol's project",
    "profiles": "dbt Core: the folder of profiles.yml",
    "target": "dbt Core: a target of profiles.yml",
    "program": "dbt Core: where dbt lies, if not on PATH",
    "select": "What dbt builds: a selector or a list of them",
    "exclude": "What dbt leaves out",
    "vars": "Variables of the dbt project, by name",
    "full_refresh": "Whether dbt builds incremental models anew",
    "account": "The number of the account",
    "job": "Of dbt Cloud its number, of Dagster its name",
    "token": "What lets Patrol in, as `${NAME}`",
    "statement": "The SQL that is run; `:name` stands for a parameter",
    "location": "The code location in Dagster that has the job",
    "repository": "The repository's name in Dagster, where the code names one",
    "run_config": "What the run is given in Dagster; `{name}` stands for a parameter",
    "tags": "Of the run; `{name}` stands for a parameter",
    "schedule": "Which schedule over there is meant: one of several in Dagster; one of EventBridge",
    "dag": "The DAG's id in Airflow",
    "conf": "What the run is given in Airflow; `{name}` stands for a parameter",
    "login": "A username and password for which Airflow gives a token",
}


def schemas(catalog: Catalog) -> dict[str, Json]:
    """Of a policy (`policy`), and of each file beside (`teams`, …), by name."""
    names = _names(catalog)
    found = {"policy": _of(PolicyFile, "A policy of Patrol", names)}
    found["policy"]["required"] = [k for k in found["policy"]["required"] if k not in _by_folder(catalog)]
    found["defaults"] = _of(DefaultsFile, "What holds for the policies of a folder", names)
    found["defaults"]["type"] = ["object", "null"]
    for kind, door in DOORS.items():
        entry = _of(door, f"A {SINGULAR[kind]} of Patrol", names)
        if kind == "jobs":
            keys = {key for needed, others in JOB_KEYS.values() for key in (*needed, *others)}
            own = sorted(keys - entry["properties"].keys())
            entry["properties"] |= {key: {"description": RUNNERS[key]} for key in own}
            entry["properties"]["schedule"]["anyOf"].append({"type": "string"})
        shared = entry.pop("$defs", {})
        found[kind] = {
            "$schema": entry.pop("$schema"),
            "title": f"policies/_{kind}.yml",
            "type": ["object", "null"],
            "additionalProperties": entry,
            **({"$defs": shared} if shared else {}),
        }
    return found


def _by_folder(catalog: Catalog) -> set[str]:
    """What some folder says for its policies: an editor cannot tell for which, so it asks none for it."""
    documents: Mapping[str, Document] = getattr(catalog, "documents", {})
    said = [one.data for path, one in documents.items() if path.endswith(f"/{DEFAULTS}")]
    return {key for data in said if isinstance(data, dict) for key in data}


def keys(door: type[Door] = PolicyFile) -> dict[str, str]:
    """What each key of a policy file is for, in its own words, and its default."""
    return {name: f"{info.description}{_default(info.default)}" for name, info in door.model_fields.items()}


def _default(value: object) -> str:
    match value:
        case timedelta():
            return f". Default: `{written(value)}`"
        case str() | int():
            return f". Default: `{value}`"
    return ""


class _Generator(GenerateJsonSchema):
    """Defaults as they are written in a file; those that are whole mappings are left out."""

    def get_default_value(self, schema: Any) -> Any:
        found = super().get_default_value(schema)
        match found:
            case timedelta():
                return written(found)
            case bool() | int() | float() | str():
                return found
        return NoDefault


def written(span: timedelta) -> str:
    """A duration as a file says it, in its largest whole unit: `4h`."""
    seconds = int(span.total_seconds())
    unit = next(u for u, size in reversed(UNITS.items()) if seconds % size == 0)
    return f"{seconds // UNITS[unit]}{unit}"


def _of(door: type[Door], title: str, names: Mapping[str, Sequence[str]]) -> Json:
    made = door.model_json_schema(schema_generator=_Generator)
    filled: Json = _filled(made, names)
    return {"$schema": DRAFT, **filled, "title": title}


def _names(catalog: Catalog) -> dict[str, list[str]]:
    found: dict[str, Sequence[str]] = {
        "teams": [*catalog.teams],
        "jobs": [*catalog.jobs],
        "assets": [*catalog.tables],  # which policies read
        "violations": [*catalog.violations],
        "upstream": [*graph(catalog).nodes],
    }
    return {kind: sorted(names) for kind, names in found.items()}


def _filled(part: Any, names: Mapping[str, Sequence[str]]) -> Any:
    """The schema with the names that there are as choices, and without the titles that pydantic makes up."""
    if isinstance(part, list):
        return [_filled(one, names) for one in part]
    if not isinstance(part, dict):
        return part
    made = {k: _filled(v, names) for k, v in part.items() if k != NAMES and not _made_up(k, v)}
    if "$ref" in made and len(made) > 1:  # in draft 07 nothing beside a $ref counts
        made = {"allOf": [{"$ref": made.pop("$ref")}], **made}
    if "patternProperties" in made:
        made["additionalProperties"] = False
    if known := names.get(part.get(NAMES, "")):
        made = {k: v for k, v in made.items() if k != "pattern"} | {"enum": list(known)}
    return made


def _made_up(key: str, value: object) -> bool:
    return key == "title" and isinstance(value, str)
