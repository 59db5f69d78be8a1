"""The code of the guide to other orchestrators, read by the real ones: dagster and airflow."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.integrations.servers import ROOT, environment

pytestmark = pytest.mark.integrations
PAGE = ROOT / "docs" / "orchestrators.md"


def code(name: str, folder: Path) -> Path:
    """A piece of the page as a file, with this project in place of the page's."""
    found = re.search(rf"<!-- code: {name} -->\n```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert found
    file = folder / "piece.py"
    file.write_text(found[1].replace("/srv/patrol", str(ROOT)))
    return file


def said(command: list[str], folder: Path, **environ: str) -> str:
    ran = subprocess.run(
        command,
        env={**os.environ, **environ},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr[-3000:]
    return ran.stdout + ran.stderr


def test_the_checks_of_the_guide_load_in_dagster(tmp_path: Path) -> None:
    file = code("dagster", tmp_path)
    told = "sorted(spec.name for each in defs.asset_checks for spec in each.check_specs if spec.blocking)"
    file.write_text(f"{file.read_text()}\nprint({told})\n")
    python = str(environment("dagster") / "python")
    assert "['payments__refund_spike']" in said([python, str(file)], tmp_path, PYTHONPATH=str(ROOT))


def test_the_dag_of_the_guide_loads_in_airflow(tmp_path: Path) -> None:
    file = code("airflow", tmp_path)
    file.write_text(file.read_text() + "\nprint(look.skip_on_exit_code, list(look.downstream_task_ids))\n")
    python = str(environment("airflow") / "python")
    assert "[3] ['pay_out']" in said([python, str(file)], tmp_path, AIRFLOW_HOME=str(tmp_path))
