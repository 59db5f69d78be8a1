"""The shape of a case in a policy's YAML, and the Case it stands for. What it gives is judged in `case`."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from sensors.files import NAMES, TEXT, Door, Moment, Schema, Text, shown, wrong
from sensors.model.case import Case, Row
from sensors.model.policy import Severity

LIKE = "{message_id: m1, sent_at: 2026-01-05T11:50:00Z}"

ROWS = {"type": "array", "items": {"type": "object"}}
GIVEN = {
    "type": "object",
    "propertyNames": {**TEXT, NAMES: "assets"},
    "additionalProperties": {"anyOf": [ROWS, TEXT]},
}
SEVERITIES = {"properties": {"severity": {"enum": [severity.name for severity in Severity]}}}
EXPECT = {
    "type": "array",
    "items": {"type": "object", **SEVERITIES},
    "examples": [[{"seller_id": "s_1", "severity": "medium"}]],
}


def _given(value: Any) -> dict[str, tuple[Row, ...] | str]:
    """Rows, or a CSV file's name, by table."""
    if not isinstance(value, dict):
        raise wrong(f"must be rows by table, such as {{core.orders: [{LIKE}]}}, not {shown(value)}")
    first: dict[str, str] = {}
    for table in value:
        if (before := first.setdefault(table.lower(), table)) != table:
            raise wrong(f"is given above already, as {before}; keep one", table)
    return {table.lower(): _table(table, rows) for table, rows in value.items()}


def _table(table: str, value: Any) -> tuple[Row, ...] | str:
    if isinstance(value, str) and value.strip():
        return value
    if not isinstance(value, list):
        raise wrong(f"must be a list of rows, or the name of a CSV file, not {shown(value)}", table)
    return tuple(_row(row, LIKE, table, index) for index, row in enumerate(value))


def _expect(value: Any) -> tuple[Row, ...]:
    if not isinstance(value, list):
        raise wrong(f"must be a list of alerts, or [] for none, not {shown(value)}")
    return tuple(_row(row, "{seller_id: s_1, severity: medium}", index) for index, row in enumerate(value))


def _row(value: Any, like: str, *at: str | int) -> Row:
    if not isinstance(value, dict):
        raise wrong(f"must be a mapping such as {like}, not {shown(value)}", *at)
    first: dict[str, str] = {}
    for name in value:
        if (before := first.setdefault(name.lower(), name)) != name:
            raise wrong(f"stands here already, as {before}; keep one", *at, name)
    return {name.lower(): cell for name, cell in value.items()}


class CaseFile(Door):
    name: Text = Field(description="What the case is an example of")
    at: Moment = Field(description="The time of the look")
    given: Annotated[Any, BeforeValidator(_given), Schema(GIVEN)] = Field(
        description="Rows of each table, or the CSV file that holds them"
    )
    expect: Annotated[Any, BeforeValidator(_expect), Schema(EXPECT)] = Field(
        description="The alerts that must come of it; `[]`: none"
    )

    def value(self) -> Case:
        return Case(self.name, self.at, self.given, self.expect)
