"""The jobs of the guide to other orchestrators are right as they stand there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.cli.run import WOULD_ALERT
from bot.jobs.config import problems
from sensors.file_job import JobFile

PAGE = (Path(__file__).parents[2] / "docs" / "orchestrators.md").read_text()
JOBS = [
    job for text in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL) for job in yaml.safe_load(text).items()
]


def test_it_has_a_job_of_each_of_its_kinds() -> None:
    assert [said["kind"] for _, said in JOBS] == ["dagster", "airflow"]


@pytest.mark.parametrize(("name", "said"), JOBS, ids=[said["kind"] for _, said in JOBS])
def test_a_job_of_the_guide_has_no_problem(name: str, said: dict[str, Any]) -> None:
    assert problems(JobFile.model_validate(said).value(name)) == []


def test_the_exit_code_of_the_guide_is_the_one_that_run_has() -> None:
    assert f"| {WOULD_ALERT} | it ran and would alert |" in PAGE
    assert f"skip_on_exit_code={WOULD_ALERT}" in PAGE
