"""`patrol …` in a copy of the marketplace's files, within this process."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest

from bot import __main__ as command_line
from bot.new.entry import JOBS
from tests.new.shaping import ROOT
from tests.shell.typing_in import Patrol, Ran, clean


@pytest.fixture(name="folder")
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    made = tmp_path / "market"
    for name in ("policies", "sql"):
        shutil.copytree(ROOT / name, made / name)
    (made / "patrol.yml").write_text("commands: on\n")
    monkeypatch.chdir(made)
    return made


@pytest.fixture(name="kind", params=[*JOBS])
def _kind(request: pytest.FixtureRequest) -> str:
    """Each kind of job that `patrol new job` knows."""
    return str(request.param)


@pytest.fixture(name="patrol")
def _patrol(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Patrol:
    def run(*words: str) -> Ran:
        assert Path.cwd().is_relative_to(folder.parent)
        with monkeypatch.context() as patch:
            for name in [n for n in os.environ if n not in clean()]:
                patch.delenv(name)
            patch.setattr(sys, "argv", ["patrol", *words])
            with pytest.raises(SystemExit) as ended:
                command_line.main()
        out, err = capsys.readouterr()
        assert "Traceback" not in out + err
        return Ran(int(ended.value.code or 0), out, err)

    return run
