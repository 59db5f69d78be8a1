"""Jobs of kind airflow against a real Airflow, held to the same as the small server that stands for it."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import httpx
import pytest

from tests.integrations.servers import HERE, asked_of, environment, running
from tests.jobs import test_airflow, test_contract
from tests.jobs.on_airflow import AirflowWorld, airflow_world
from tests.jobs.serving import closed

__all__ = ["airflow_world"]
pytestmark = pytest.mark.integrations
globals().update(asked_of(test_contract, "world") | asked_of(test_airflow, "airflow_world"))


@pytest.fixture(scope="session")
def airflow_address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str, None]]:
    programs, home = environment("airflow"), tmp_path_factory.mktemp("airflow")
    address = closed()
    environ = {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(HERE / "airflow_dags"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{address}/execution/",
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__PORT": address.rpartition(":")[2],
        "AIRFLOW__API__WORKERS": "1",
        "AIRFLOW__CORE__PARALLELISM": "4",
        "PATH": f"{programs}:/usr/bin:/bin",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    command = [str(programs / "airflow"), "standalone"]
    with running(command, environ, home, f"{address}/api/v2/monitor/health", 240):
        file = home / "simple_auth_manager_passwords.json.generated"
        password = json.loads(file.read_text())["admin"]
        _parsed(address, password)
        yield address, password, None


def _parsed(address: str, password: str) -> None:
    """Returns when Airflow has read the DAG."""
    login = {"username": "admin", "password": password}
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        token = httpx.post(f"{address}/auth/token", json=login, timeout=30).json()["access_token"]
        headers = {"Authorization": f"Bearer {token}"}
        if httpx.get(f"{address}/api/v2/dags/rescore", headers=headers, timeout=30).is_success:
            return
        time.sleep(0.5)
    raise AssertionError("Airflow does not know the DAG")


@pytest.fixture
def world(airflow_world: AirflowWorld) -> AirflowWorld:
    """The contract's, of this kind alone."""
    return airflow_world


@pytest.fixture
def airflow(airflow_world: AirflowWorld) -> None:
    pytest.skip(f"the Airflow at {airflow_world.address} cannot be asked to do this")
