"""A project of files and a DuckDB warehouse that fits it, both real and both in tmp_path."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sensors.warehouse import Warehouse, connect
from tests.sensors.project import FILES, MARKET, Project, fill


@pytest.fixture
def project(tmp_path: Path) -> Project:
    made = Project(tmp_path / "project")
    for file, text in FILES.items():
        made.write(file, text)
    return made


@pytest.fixture
def market(tmp_path: Path) -> Path:
    path = tmp_path / "market.duckdb"
    fill(path, *MARKET)
    return path


@pytest.fixture
def warehouse(market: Path) -> Iterator[Warehouse]:
    opened = connect(f"duckdb:///{market}")
    yield opened
    opened.close()
