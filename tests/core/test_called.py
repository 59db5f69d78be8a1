"""A name is typed as a reference or bare, with capitals or without: it means the same."""

from __future__ import annotations

import pytest

from bot.core.called import as_called
from bot.core.command import Command, parse

JOBS, POLICIES = ("Dbt_Build", "load"), ("payments.held", "risk:payments.held")


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("start job:load", "load"),
        ("start JOB:load x=1", "load"),
        ("start dbt_build", "Dbt_Build"),
        ("job Dbt_Build", "Dbt_Build"),
        ("cancel job:Dbt_Build", "Dbt_Build"),
        ("retry dbt_build", "Dbt_Build"),
        ("pause job:Dbt_Build 2h", "job:Dbt_Build"),
        ("show job:dbt_build", "job:Dbt_Build"),
        ("show JOB:DBT_BUILD", "job:Dbt_Build"),
        ("pause policy:payments.held 2h", "payments.held"),
        ("every policy:risk:payments.held 1h 2h", "risk:payments.held"),
        ("rerun policy:payments.held", "payments.held"),
        ("policy Payments.Held", "payments.held"),
        ("status policy:payments.held", "payments.held"),
        ("show policy:payments.held", "policy:payments.held"),  # which a table of that name does not take
        ("pause load", "load"),  # a policy's place: only job:load is the job
        ("start job:none", "job:none"),
        ("pause policy:none", "policy:none"),
        ("retry 17", ""),
    ],
)
def test_a_reference_is_as_good_as_a_bare_name(typed: str, name: str) -> None:
    said = parse(typed)
    assert isinstance(said, Command)
    assert as_called(said, JOBS, POLICIES).name == name
