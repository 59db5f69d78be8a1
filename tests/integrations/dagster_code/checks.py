"""A code location with two tables and the checks of a Patrol project on them, run by the Python of
.venv-dagster: `python checks.py PROJECT DATABASE BLOCKING`. Prints what came of it, as JSON."""

from __future__ import annotations

import json
import sys

import dagster as dg
import duckdb

from bot.dagster import asset_checks

project, database, blocking = sys.argv[1:]


@dg.asset(key=["core", "accounts"])
def accounts() -> None:
    with duckdb.connect(database) as connection:
        connection.execute("CREATE SCHEMA IF NOT EXISTS core")
        connection.execute(
            "CREATE OR REPLACE TABLE core.accounts AS "
            "SELECT * FROM (VALUES (1, 'Eli', 1150.0), (2, 'Flo', 3.0)) AS t(account_id, name, owes)"
        )


@dg.asset(key=["core", "payments"])
def payments() -> None:
    with duckdb.connect(database) as connection:
        connection.execute("CREATE SCHEMA IF NOT EXISTS core")
        connection.execute("CREATE OR REPLACE TABLE core.payments AS SELECT 2 AS account_id, 3.0 AS paid")


@dg.asset(deps=[dg.AssetKey(["core", "accounts"])])
def report() -> None:
    """What stands after a table."""


checks = asset_checks(project, blocking=[blocking] if blocking else False)
made = dg.materialize([accounts, payments, report, *checks], raise_on_error=False)
told = {
    evaluation.check_name: {
        "asset": evaluation.asset_key.to_user_string(),
        "passed": evaluation.passed,
        "severity": evaluation.severity.value,
        "said": evaluation.description,
        "metadata": {name: value.value for name, value in evaluation.metadata.items()},
    }
    for evaluation in made.get_asset_check_evaluations()
}
after = {
    spec.name: sorted(
        key.to_user_string() for key in [spec.asset_key, *(d.asset_key for d in spec.additional_deps)]
    )
    for each in checks
    for spec in each.check_specs
}
steps = {
    event.step_key: event.event_specific_data.error.message
    for event in made.all_events
    if event.event_type_value == "STEP_FAILURE"
}
print(
    json.dumps(
        {
            "checks": told,
            "after": after,
            "failed": steps,
            "reported": bool(made.asset_materializations_for_node("report")),
        }
    )
)
