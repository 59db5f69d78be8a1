"""A bundle as it is declared: whose policies these are, and where their files come from. Values only."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Dbt:
    """Where dbt says which tables there are, and who owns those of which it names no team of ours."""

    manifest: str  # path of manifest.json, relative to the bundle's folder
    owner: str | None = None


@dataclass(frozen=True)
class Bundle:
    """A set of policies with files of its own: the project's folder, another folder, or a git branch."""

    name: str
    dialect: str = "snowflake"
    owner: str | None = None  # the only team that its policies may belong to; None: any
    path: str = ""  # the folder; for git, the folder within the repository ("" = its top)
    git: str | None = None  # the repository's address
    branch: str = "main"
    token: str | None = field(default=None, repr=False)  # the environment variable that holds one
    dbt: Dbt | None = None
    place: tuple[int, int] = (1, 1)  # line and column in patrol.yml

    @property
    def source(self) -> str:
        """Where it comes from, for people."""
        if self.git is None:
            return self.path
        return f"{self.git} {self.branch}{f' {self.path}' if self.path else ''}"
