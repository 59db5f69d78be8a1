"""The shape of a _defaults.yml: those keys of a policy that have a meaning for every policy of a folder."""

from __future__ import annotations

from copy import copy
from typing import Any

from pydantic import create_model

from sensors.file_policy import PolicyFile
from sensors.files import Door

SHARED = (
    *("owner", "status", "severity", "schedule", "violation", "channel", "review_channel"),
    *("runbook", "tags", "needs", "offer", "on_open"),
    *("max_alerts", "repeat_interval", "catchup", "timeout", "budget", "session", "sensitive"),
)


def _optional(name: str) -> tuple[Any, Any]:
    """A policy's key as it is there, but none of them is needed."""
    info = copy(PolicyFile.model_fields[name])
    info.default, info.default_factory = None, None
    return info.annotation, info


DefaultsFile: type[Door] = create_model(
    "DefaultsFile",
    __base__=Door,
    **{name: _optional(name) for name in SHARED},  # type: ignore[call-overload]  # names and types from a table
)
