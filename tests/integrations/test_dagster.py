"""Jobs of kind dagster against a real Dagster, held to the same as the small server that stands for it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.integrations.servers import HERE, asked_of, environment, running
from tests.jobs import test_contract, test_dagster
from tests.jobs.on_dagster import DagsterWorld, dagster_world
from tests.jobs.serving import closed

__all__ = ["dagster_world"]
pytestmark = pytest.mark.integrations
globals().update(asked_of(test_contract, "world") | asked_of(test_dagster, "dagster_world"))
SETTINGS = """
telemetry: {enabled: false}
run_coordinator: {module: dagster._core.run_coordinator, class: DefaultRunCoordinator}
"""


@pytest.fixture(scope="session")
def dagster_address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, None]]:
    programs, home = environment("dagster"), tmp_path_factory.mktemp("dagster")
    (home / "dagster.yaml").write_text(SETTINGS)
    (home / "defs.py").write_bytes((HERE / "dagster_code" / "defs.py").read_bytes())
    address = closed()
    port = address.rpartition(":")[2]
    command = [str(programs / "dagster-webserver"), "-f", "defs.py", "-h", "127.0.0.1", "-p", port]
    with running(command, {"DAGSTER_HOME": str(home)}, home, f"{address}/server_info", 120):
        yield address, None


@pytest.fixture
def world(dagster_world: DagsterWorld) -> DagsterWorld:
    """The contract's, of this kind alone."""
    return dagster_world


@pytest.fixture
def dagster(dagster_world: DagsterWorld) -> None:
    pytest.skip(f"the Dagster at {dagster_world.address} cannot be asked to do this")
