"""The end of a run's log, as CloudWatch keeps it."""

from __future__ import annotations

from typing import Any

from bot.jobs.sagemaker.client import GONE, Aws, Refused

STREAMS = 4  # one for each container; of more the first ones are read
EVENTS = 200  # of each


def end_of(aws: Aws, group: str, name: str) -> str:
    """The newest last, by their times; empty where it has none yet. Longer than what is shown of it."""
    try:
        found = aws.ask(
            "logs", "DescribeLogStreams", logGroupName=group, logStreamNamePrefix=f"{name}/", limit=STREAMS
        )
        streams = [one["logStreamName"] for one in found.get("logStreams", ())]
        events = [event for stream in streams for event in _of(aws, group, stream, len(streams) > 1)]
    except Refused as refused:
        if refused.code in GONE:
            return ""
        raise
    return "\n".join(line for _, line in sorted(events, key=lambda event: event[0]))


def _of(aws: Aws, group: str, stream: str, several: bool) -> list[tuple[int, str]]:
    got: Any = aws.ask(
        "logs", "GetLogEvents", logGroupName=group, logStreamName=stream, limit=EVENTS, startFromHead=False
    )
    container = stream.rpartition("/")[2].rpartition("-")[0]  # algo-1 of name/algo-1-1700000000
    mark = f"[{container}] " if several else ""
    return [
        (event.get("timestamp", 0), f"{mark}{event.get('message', '')}") for event in got.get("events", ())
    ]
