"""What was proved is taken up again at the next start: the same catalog, sooner; and nothing foreign."""

from __future__ import annotations

import os
import pickle
from pathlib import Path

import pytest

from sensors import draft, shelf
from sensors.catalog import load
from sensors.warehouse import spelled
from tests.shell.making import HELD, World


@pytest.fixture
def forgetful() -> None:
    """A process that has proved nothing yet."""
    _forget()


def _forget() -> None:
    draft.proved().clear()
    spelled.everything().clear()


@pytest.mark.usefixtures("forgetful")
def test_the_next_process_has_the_same_catalog_and_proves_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = load(world.project)
    assert shelf.keep(world.folder / "proved")
    carried = dict(spelled.everything())
    _forget()
    assert shelf.recall(world.folder / "proved")

    def proves(*_: object) -> None:
        raise AssertionError("it was proved once more")

    monkeypatch.setattr(draft, "prove", proves)
    again = load(world.project)
    assert (again.policies, again.problems, again.version) == (first.policies, first.problems, first.version)
    assert spelled.everything() == carried


@pytest.mark.usefixtures("forgetful")
def test_what_changed_meanwhile_is_proved_anew(world: World) -> None:
    load(world.project)
    shelf.keep(world.folder / "proved")
    _forget()
    world.write("policies/payments/held.yml", HELD.replace("severity: high", "severity: hihg"))
    world.write("sql/payments/elsewhere.sql", "DELETE FROM core.chat")
    assert shelf.recall(world.folder / "proved")
    assert load(world.project).broken == {"payments.held", "payments.elsewhere"}


@pytest.mark.usefixtures("forgetful")
def test_what_other_code_has_proved_is_not_taken(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    load(world.project)
    shelf.keep(world.folder / "proved")
    _forget()
    monkeypatch.setattr(shelf, "_code", lambda: "of another version")
    assert not shelf.recall(world.folder / "proved")
    assert draft.proved() == {}


class Evil:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, ("touch owned",)


@pytest.mark.usefixtures("forgetful")
@pytest.mark.parametrize(
    "body", [b"", b"words", pickle.dumps(Evil()), pickle.dumps(("x", {}, {"a": Evil()}))]
)
def test_a_file_that_is_not_ours_runs_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: bytes
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "proved").write_bytes(body)
    assert not shelf.recall(tmp_path / "proved")
    assert not (tmp_path / "owned").exists()


@pytest.mark.usefixtures("forgetful")
def test_functions_of_our_own_cannot_be_called_either(tmp_path: Path) -> None:
    body = b"csensors.warehouse.duck\nDuck.at\n."
    (tmp_path / "proved").write_bytes(body)
    with pytest.raises(pickle.UnpicklingError, match="has no place here"):
        shelf._Reader((tmp_path / "proved").open("rb")).load()
    (tmp_path / "proved").write_bytes(b"csensors.catalog\nload\n.")
    with pytest.raises(pickle.UnpicklingError, match="has no place here"):
        shelf._Reader((tmp_path / "proved").open("rb")).load()


def test_where_nothing_may_be_written_all_goes_on(world: World) -> None:
    (world.project / ".patrol").write_text("a file where the folder should be")
    assert world.node().engine.catalog.policies
    assert not shelf.keep(world.project / ".patrol" / "proved")


def test_patrol_keeps_and_takes_it_up_by_itself(world: World) -> None:
    world.node()
    assert (world.project / ".patrol" / "proved").exists()
    _forget()
    world.node()
    assert draft.proved()
