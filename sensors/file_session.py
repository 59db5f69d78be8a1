"""The shape of `session:`, of a policy, a folder's defaults or a bundle: names and nothing else."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from sensors.files import Door, Schema, Text, wrong
from sensors.model.session import NAME, SHAPE, Session


def named(text: str) -> str:
    """The name, as a warehouse takes it unquoted."""
    if not NAME.fullmatch(text):
        raise wrong(SHAPE)
    return text


Name = Annotated[Text, AfterValidator(named), Schema({"type": "string", "pattern": f"^{NAME.pattern}$"})]


class SessionFile(Door):
    role: Name | None = Field(default=None, description="The role that its query is asked as")
    warehouse: Name | None = Field(default=None, description="Snowflake's warehouse that computes it")
    schema_: Name | None = Field(
        default=None, alias="schema", description="Where a table is looked for whose name says no schema"
    )

    def value(self) -> Session:
        return Session(self.role or "", self.warehouse or "", self.schema_ or "")
