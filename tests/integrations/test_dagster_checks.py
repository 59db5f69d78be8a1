"""Policies as asset checks, in a real Dagster: tables are made, policies look at them, what follows waits."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.integrations.servers import HERE, ROOT, environment

pytestmark = pytest.mark.integrations
POLICY = """
title: {title}
owner: billing
severity: {severity}
schedule: {{every: 1h}}
key: [account_id]
alert: {{title: '{{{{ name }}}} owes {{{{ owes }}}}'}}
"""
OWES = "SELECT account_id, name, owes FROM {{{{ table('core.accounts') }}}} WHERE owes > {least}"
BOTH = """
SELECT a.account_id, a.name, a.owes
FROM {{ table('core.accounts') }} a
JOIN {{ table('core.payments') }} p ON p.account_id = a.account_id
WHERE p.paid > a.owes
"""
TEAMS = "billing: {channel: C0BILLING, members: {ana: {slack: U0ANA, roles: [lead]}}}\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    files = {
        "patrol.yml": f"warehouse_url: duckdb:///{tmp_path}/shop.duckdb\ndialect: duckdb\n",
        "policies/_teams.yml": TEAMS,
        "policies/_assets.yml": "core.accounts: {columns: {account_id: integer, name: text, owes: double}}\n"
        "core.payments: {columns: {account_id: integer, paid: double}}\n",
        "policies/billing/owes_much.yml": POLICY.format(title="Owes much", severity="high"),
        "sql/billing/owes_much.sql": OWES.format(least=1000),
        "policies/billing/owes_little.yml": POLICY.format(title="Owes little", severity="low"),
        "sql/billing/owes_little.sql": OWES.format(least=1),
        "policies/billing/paid_too_much.yml": POLICY.format(title="Paid too much", severity="high"),
        "sql/billing/paid_too_much.sql": BOTH,
    }
    for name, text in files.items():
        path = tmp_path / "project" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path / "project"


def made(project: Path, blocking: str = "") -> dict[str, Any]:
    """What Dagster says of the tables, the checks and what stands after."""
    ran = loaded(project, blocking)
    assert ran.returncode == 0, ran.stderr[-3000:]
    told: dict[str, Any] = json.loads(ran.stdout.splitlines()[-1])
    return told


def loaded(project: Path, blocking: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PATROL_")}
    return subprocess.run(
        [
            str(environment("dagster") / "python"),
            str(HERE / "dagster_code" / "checks.py"),
            str(project),
            str(project.parent / "shop.duckdb"),
            blocking,
        ],
        env={**kept, "PYTHONPATH": str(ROOT), "DAGSTER_DISABLE_TELEMETRY": "1"},
        cwd=project.parent,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


def test_each_policy_is_a_check_of_its_table_after_all_that_it_reads(project: Path) -> None:
    told = made(project)
    assert told["failed"] == {}
    assert told["reported"]
    checks = told["checks"]
    much, little = checks["billing__owes_much"], checks["billing__owes_little"]
    assert (much["passed"], much["severity"], much["said"]) == (False, "ERROR", "1 row, 1 key, 1 would alert")
    assert (little["passed"], little["severity"]) == (False, "WARN")
    assert checks["billing__paid_too_much"]["passed"]
    assert much["metadata"]["found"] == ["high: Eli owes 1150.0"]
    assert (much["metadata"]["rows"], much["metadata"]["violations"]) == (1, 1)
    assert {name: one["asset"] for name, one in checks.items()} == dict.fromkeys(checks, "core/accounts")
    assert told["after"]["billing__paid_too_much"] == ["core/accounts", "core/payments"]


def test_what_stands_after_a_table_is_not_made_when_a_blocking_check_fails(project: Path) -> None:
    told = made(project, "billing.owes_much")
    assert told["checks"]["billing__owes_much"]["severity"] == "ERROR"
    assert not told["reported"]
    assert made(project, "billing.owes_little")["reported"], "a WARN stops nothing"


def test_a_query_that_fails_is_no_check_that_failed(project: Path) -> None:
    (project / "sql/billing/owes_much.sql").write_text(
        "SELECT account_id, name, CAST(name AS INTEGER) AS owes FROM {{ table('core.accounts') }}"
    )
    told = made(project)
    assert "billing__owes_much" not in told["checks"]
    assert any("Eli" in said for said in told["failed"].values())
    assert told["checks"]["billing__owes_little"]["severity"] == "WARN"


def test_of_a_sensitive_policy_dagster_is_told_numbers_alone(project: Path) -> None:
    file = project / "policies/billing/owes_much.yml"
    file.write_text(file.read_text() + "sensitive: true\n")
    told = made(project)["checks"]["billing__owes_much"]
    assert "found" not in told["metadata"]
    assert "Eli" not in json.dumps(told)


def test_a_name_that_cannot_block_is_said(project: Path) -> None:
    assert "did you mean billing.owes_much?" in loaded(project, "billing.owes_mcuh").stderr
    file = project / "policies/billing/owes_much.yml"
    file.write_text(file.read_text() + "status: draft\n")
    assert "billing.owes_much cannot block: it has no check" in loaded(project, "billing.owes_much").stderr
