"""Names that SageMaker takes, and requests held against its published API."""

from __future__ import annotations

import re
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from bot.jobs import config
from bot.jobs.sagemaker.kinds import KINDS as SAGEMAKER
from bot.jobs.sagemaker.name import key_in, name_of
from bot.jobs.sagemaker.request import _model, fitted
from bot.jobs.sagemaker.request import problems as unfit
from sensors.file_job import JobFile
from sensors.model.job import Job
from tests.jobs.amazon import model
from tests.jobs.on_sagemaker import sagemaker_job

# ------------------------------------------------------------------------------ names and requests

PAGE = Path(__file__).parents[2] / "docs" / "sagemaker.md"
PATTERN = model("sagemaker").shape_for("TrainingJobName").metadata["pattern"]
PREFIXES = st.from_regex(r"[a-z][a-z0-9]{0,14}(-[a-z0-9]{1,14})?", fullmatch=True)


@given(PREFIXES, st.text(min_size=1, max_size=80))
def test_a_name_is_one_that_sagemaker_takes_and_the_same_again(prefix: str, key: str) -> None:
    name = name_of(prefix, key)
    assert re.fullmatch(PATTERN, name)
    assert len(name) <= 63
    assert name == name_of(prefix, key)
    assert key_in(prefix, name) in (key, "")


@given(
    PREFIXES,
    st.lists(st.from_regex(r"(effect|command|approval)-[0-9a-f]{1,32}", fullmatch=True), unique=True),
)
def test_different_keys_have_different_names(prefix: str, keys: list[str]) -> None:
    assert len({name_of(prefix, key) for key in keys}) == len(keys)


VALUES = st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=20))


@given(
    st.dictionaries(st.text(max_size=20), VALUES, max_size=4),
    st.lists(st.tuples(st.from_regex("[A-Za-z0-9]{1,9}", fullmatch=True), VALUES), max_size=4),
)
def test_whatever_fills_a_request_it_has_the_types_of_the_api(
    hyper: dict[str, Any], given_: list[tuple[str, Any]]
) -> None:
    made = fitted("CreateTrainingJob", {"HyperParameters": hyper})
    assert made["HyperParameters"].keys() == {k for k, v in hyper.items() if v is not None}
    assert all(isinstance(value, str) for value in made["HyperParameters"].values())
    many = [{"Name": name, "Value": value} for name, value in given_]
    begun = fitted("StartPipelineExecution", {"PipelineName": "x", "PipelineParameters": many})
    assert [one["Name"] for one in begun["PipelineParameters"]] == [n for n, v in given_ if v is not None]
    assert (
        list(unfit("StartPipelineExecution", {**begun, "PipelineParameters": []}, ("ClientRequestToken",)))
        == []
    )


@given(st.recursive(VALUES, lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=9), inner)))
def test_whatever_stands_in_a_request_is_answered_in_sentences(value: Any) -> None:
    request = {"RoleArn": value, "ResourceConfig": value, "InputDataConfig": value, "HyperParameters": value}
    job = Job("t", "sagemaker", "T", "risk", {"starts": "training", "request": request})
    found = config.problems(job)
    assert found
    assert all(re.match(r"(request|params)[.\w\[\]]*: ", one, re.DOTALL) or ": " in one for one in found)


def test_a_request_is_not_looked_at_where_the_description_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    job = replace(sagemaker_job(), config={**sagemaker_job().config, "request": {"Rol": "{seller_id}"}})
    assert any("Rol" in one for one in config.problems(job))
    monkeypatch.setitem(sys.modules, "botocore.session", None)
    _model.cache_clear()
    monkeypatch.setattr("bot.jobs.sagemaker.request._input", lambda _operation: None)
    try:
        assert _model() is None
        assert config.problems(job) == []
    finally:
        _model.cache_clear()


@pytest.mark.parametrize("block", re.findall(r"```yaml\n(.*?)```", PAGE.read_text(), re.DOTALL))
def test_the_examples_of_the_page_have_no_problem(block: str) -> None:
    [(name, declared)] = yaml.safe_load(block).items()
    job = JobFile.model_validate(declared).value(name)
    assert config.problems(job) == []
    assert job.kind == "sagemaker"


def test_the_page_has_an_example_of_each_that_can_be_started() -> None:
    assert {*re.findall(r"^  starts: (\w+)", PAGE.read_text(), re.MULTILINE)} == {*SAGEMAKER}
