"""A git repository that a test writes."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path

WHO = ("-c", "user.name=ana", "-c", "user.email=ana@patrol.example", "-c", "commit.gpgsign=false")


class Repository:
    """A team's, with a branch main."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True)
        self.git("init", "-q", "-b", "main")

    @property
    def url(self) -> str:
        return f"file://{self.folder}"

    def git(self, *words: str, given: str = "") -> str:
        done = subprocess.run(
            ["git", *WHO, *words], cwd=self.folder, check=True, capture_output=True, text=True, input=given
        )
        return done.stdout

    def commit(self, files: Mapping[str, str | None], *words: str) -> str:
        """The new commit's hash; a file without a text is removed."""
        for name, text in files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.unlink(missing_ok=True)
            if text is not None:
                path.write_text(text)
        self.git("add", "-A")
        self.git("commit", "-q", "-m", "files", *words)
        return self.git("rev-parse", "HEAD").strip()
