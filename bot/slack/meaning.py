"""What an answer of Slack's means: all is well, or one of our errors."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from bot.process.errors import OutcomeUnknown, SlackBusy, SlackRefused

# Slack's own words for "something broke on our side": the request may have been done.
BROKEN = frozenset(
    {"internal_error", "fatal_error", "service_unavailable", "request_timeout", "team_added_to_org"}
)
BUSY = frozenset({"ratelimited", "rate_limited"})
RETRY_AFTER_S = 30.0  # where a 429 does not say how long
Json = dict[str, Any]


def judge(method: str, status: int, headers: Mapping[str, Any], body: Json | str) -> None:
    """Raises what the answer means; returns only where all is well."""
    code = str(body.get("error") or "") if isinstance(body, dict) else body
    if status == 429 or code in BUSY:
        raise SlackBusy(_retry_after(headers))
    if status >= 500 or code in BROKEN:
        raise OutcomeUnknown(f"{method}: Slack answered {status} {code[:80]}".strip())
    if isinstance(body, str):
        _of_hook(method, status, body)
    elif code and not code.startswith("Received a response in a non-JSON format"):
        raise SlackRefused(code, _detail(method, body))


def _of_hook(method: str, status: int, body: str) -> None:
    """A response_url answers `ok`, JSON, or a bare word."""
    if status == 200 and (body in ("", "ok") or '"ok":true' in body.replace(" ", "")):
        return
    try:
        told = json.loads(body)
    except ValueError:
        told = None
    code = told.get("error") if isinstance(told, dict) else body
    raise SlackRefused(str(code)[:80] or str(status), method)


def _detail(method: str, body: Json) -> str:
    """What Slack says about it: which block is wrong, which scope is missing."""
    metadata = body.get("response_metadata") or {}
    messages = metadata.get("messages") if isinstance(metadata, dict) else None
    parts = [
        method,
        *(str(m) for m in (messages or [])[:3]),
        *(str(e) for e in (body.get("errors") or [])[:3]),
    ]
    needed = body.get("needed")
    return "; ".join([*parts, f"needs the scope {needed}"] if needed else parts)


def _retry_after(headers: Mapping[str, Any]) -> float:
    said = next((v for k, v in headers.items() if k.lower() == "retry-after"), None)
    try:
        first = said[0] if isinstance(said, list) else said
        return max(1.0, float(first)) if first is not None else RETRY_AFTER_S
    except ValueError:
        return RETRY_AFTER_S
