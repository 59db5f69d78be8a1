"""A bundle as it is declared: whose policies these are, and where their files come from. Values only."""

from __future__ import annotations

from dataclasses import dataclass

from sensors.model.session import USUAL, Session


@dataclass(frozen=True)
class Bundle:
    """A set of policies with files of its own: the project's folder, another folder, or a git branch."""

    name: str
    dialect: str = "snowflake"
    owner: str | None = None  # the only team that its policies may belong to; None: any
    path: str = ""  # the folder; for git, the folder within the repository ("" = its top)
    git: str | None = None  # the repository's address
    branch: str = "main"
    token: str | None = None  # the environment variable that holds one
    place: tuple[int, int] = (1, 1)  # line and column in patrol.yml
    session: Session = USUAL  # of its queries, where a policy does not say otherwise
    functions: tuple[str, ...] = ()  # that its queries may call besides those that are known to only compute

    @property
    def source(self) -> str:
        """Where it comes from, for people."""
        if self.git is None:
            return self.path
        return f"{self.git} {self.branch}{f' {self.path}' if self.path else ''}"

    @property
    def variables(self) -> str:
        """How the names of the environment's variables begin that its files may name."""
        return f"{self.name.upper().replace('-', '_')}_"
