"""The JSON Schemas: nothing that Patrol takes is marked red by an editor, and what newcomers mistype is."""

from __future__ import annotations

import copy
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft7Validator

from bot.process.settings import FILE
from bot.process.settings import schema as settings_schema
from sensors.beside import DOORS
from sensors.catalog import load
from sensors.file_policy import PolicyFile
from sensors.file_schema import keys, schemas, written
from sensors.files import Door, validated
from sensors.model.clock import parse_duration
from sensors.yaml_marks import Document, read
from tests.sensors.project import FILES, POLICY, Project
from tests.shell.mistakes import GOOD, SLIPS, YAML, Slip, broken

ROOT = Path(__file__).parents[2]
CATALOG = load(ROOT)
MADE = schemas(CATALOG)
OPEN = schemas(type(CATALOG)())  # of a project without any names


def validator(kind: str, made: dict[str, Any] = MADE) -> Draft7Validator:
    return Draft7Validator(made[kind])


def kind_of(path: Path) -> str:
    return path.stem.removeprefix("_") if path.name.startswith("_") else "policy"


@pytest.mark.parametrize("path", sorted((ROOT / "policies").rglob("*.yml")), ids=lambda p: p.name)
def test_every_file_of_this_project_is_right_by_its_schema(path: Path) -> None:
    document = read(path.name, path.read_text())
    assert [e.message for e in validator(kind_of(path)).iter_errors(document.data)] == []


def test_what_a_folder_gives_is_asked_of_no_policy(tmp_path: Path) -> None:
    made = Project(tmp_path)
    for path, text in FILES.items():
        made.write(path, text.replace("owner: payments\nschedule", "schedule"))
    defaults = "policies/payments/_defaults.yml"
    bare = read(POLICY, made.read(POLICY)).data
    assert not validator("policy", schemas(made.load())).is_valid(bare)
    made.write(defaults, "owner: payments\n")
    schemed = schemas(made.load())
    assert validator("policy", schemed).is_valid(bare)
    del bare["key"]
    assert not validator("policy", schemed).is_valid(bare)
    assert validator("defaults", schemed).is_valid(read(defaults, made.read(defaults)).data)
    assert not validator("defaults", schemed).is_valid({"owner": "paymnts"})
    assert not validator("defaults", schemed).is_valid({"title": "A"})


def test_patrol_yml_is_right_by_its_schema_and_secrets_have_no_place_in_it() -> None:
    checked = Draft7Validator(settings_schema())
    assert list(checked.iter_errors(read(FILE, (ROOT / FILE).read_text()).data)) == []
    assert not checked.is_valid({"slack_bot_token": "xoxb-1"})
    assert not checked.is_valid({"dialect": "klingon"})


def test_the_schemas_are_schemas() -> None:
    assert set(MADE) == {"policy", "defaults", *DOORS}
    for made in (*MADE.values(), *OPEN.values(), settings_schema()):
        Draft7Validator.check_schema(made)


def doors(door: type[Door], seen: set[type[Door]]) -> set[type[Door]]:
    seen.add(door)
    for info in door.model_fields.values():
        queue: list[Any] = [info.annotation]
        while queue:
            one = queue.pop()
            if isinstance(one, type) and issubclass(one, Door) and one not in seen:
                doors(one, seen)
            queue.extend(getattr(one, "__args__", ()))
    return seen


def test_every_key_of_every_file_says_what_it_is_for() -> None:
    every: set[type[Door]] = set()
    for door in (PolicyFile, *DOORS.values()):
        doors(door, every)
    assert len(every) >= 12
    silent = [
        f"{door.__name__}.{name}"
        for door in every
        for name, info in door.model_fields.items()
        if not info.description
    ]
    assert silent == []
    assert "owner" in keys()


def test_the_guide_tells_the_same_of_every_key() -> None:
    table = (
        (ROOT / "docs" / "policies.md")
        .read_text()
        .partition("| key | |\n|---|---|\n")[2]
        .partition("\n\n")[0]
    )
    assert table == "\n".join(f"| `{name}` | {about} |" for name, about in keys().items())


def test_an_editor_offers_the_names_that_there_are() -> None:
    properties = MADE["policy"]["properties"]
    assert properties["owner"]["enum"] == sorted(CATALOG.teams)
    assert properties["offer"]["items"]["enum"] == sorted(CATALOG.jobs)
    assert properties["needs"]["propertyNames"]["enum"] == sorted(CATALOG.tables)
    assert "enum" not in OPEN["policy"]["properties"]["owner"]
    assert properties["repeat_interval"]["default"] == "4h"
    assert "x-names" not in repr(MADE)


# Slips that no other key and no other file is needed to see.
SHAPES = ("must be", "unknown key", "key is missing", "no severity", "no team", "no violation", "no job")
RED = [
    slip
    for slip in SLIPS
    if slip.file == YAML
    and any(word in slip.said[0] for word in SHAPES)
    and "must be more than" not in slip.said[0]
]


def test_most_slips_have_a_shape_that_an_editor_sees() -> None:
    assert len(RED) >= 10


@pytest.mark.parametrize("slip", RED, ids=[slip.meant for slip in RED])
def test_a_slip_in_the_shape_of_a_file_is_marked_red(slip: Slip, tmp_path: Path) -> None:
    for path, text in GOOD.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    made = validator("policy", schemas(load(tmp_path)))
    assert made.is_valid(read(YAML, GOOD[YAML]).data)
    document = read(YAML, broken(slip)[YAML])
    assert document.problems == []
    assert not made.is_valid(document.data)


VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-1, 2000),
    st.sampled_from(
        [0.5, "high", "1h", "2 h 30m", "", " ", "none", "show", "mask", "x y", "UTC", "C0A1", "seller_id"]
    ),
    st.sampled_from([[], ["a"], ["A", "b"], {}, {"medium": 3}, {"by": "n", "low": 1.5}, {"every": "5m"}]),
    st.sampled_from(
        [{"column": "at"}, {"column": "at", "trailing": "1d"}, {"a": "wait"}, {"a": 3}, [{}], [3]]
    ),
)
PLACES = [(name,) for name in PolicyFile.model_fields] + [
    *(("schedule", k) for k in ("every", "cron", "timezone", "after")),
    *(("window", k) for k in ("column", "lookback", "delay", "trailing", "baseline")),
    *(("threshold", k) for k in ("count", "within", "distinct")),
    *(("alert", k) for k in ("title", "fields", "columns")),
]


@settings(derandomize=True, max_examples=600, deadline=None)
@given(changes=st.lists(st.tuples(st.sampled_from(PLACES), VALUES), min_size=1, max_size=2))
def test_what_patrol_takes_is_never_marked_red(changes: list[tuple[tuple[str, ...], Any]]) -> None:
    data = copy.deepcopy(read(POLICY, FILES[POLICY]).data)
    for place, value in changes:
        into = data
        for part in place[:-1]:
            into = into.setdefault(part, {}) if isinstance(into, dict) else {}
        if isinstance(into, dict):
            into[place[-1]] = value
    document = Document(POLICY, "", data)
    taken, _ = validated(PolicyFile, document)
    if taken is not None:
        assert [e.message for e in validator("policy", OPEN).iter_errors(data)] == []


@given(st.integers(1, 10**6))
def test_a_duration_is_written_as_it_is_read(seconds: int) -> None:
    assert parse_duration(written(timedelta(seconds=seconds))) == timedelta(seconds=seconds)
