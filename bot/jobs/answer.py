"""What came back from an outside system: capped, never trusted to be JSON, one line for people."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx

CAP = 256 * 1024  # bytes of an answer that are read
COLOURS = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-_])")
# where systems put their sentence
SAID = ("message", "error", "detail", "title", "reason", "errors.0.message", "status.user_message")


@dataclass(frozen=True)
class Answer:
    """A status with the JSON that came with it; None where it was something else or too long."""

    host: str
    status: int
    reason: str
    retry: bool  # it asks to come again
    data: Any = None
    text: str = ""

    @property
    def sentence(self) -> str:
        """`risk.example answered 422 Unprocessable Entity: no such seller`."""
        answered, said = f"{self.host} answered {self.status} {self.reason}".rstrip(), self.said()
        return f"{answered}: {said}" if said and said != self.reason else answered

    def said(self, *paths: str) -> str:
        """The first sentence found at one of the paths, else where systems usually put theirs."""
        found = (at(self.data, path) for path in (*paths, *SAID))
        return next(
            (one_line(f) for f in found if isinstance(f, str | int | float) and one_line(f)), self.text
        )

    def link(self, path: str) -> str | None:
        """The web address at the path, if it is a whole one that is fit to be opened."""
        found = at(self.data, path)
        if not isinstance(found, str) or len(found) > 1000 or re.search(r"[\s\x00-\x1f<>|\"]", found):
            return None
        try:
            parts = urlsplit(found)
        except ValueError:
            return None
        return (
            found
            if parts.scheme in ("http", "https") and parts.hostname and "@" not in parts.netloc
            else None
        )


def read(response: httpx.Response, deadline: float, most: int = CAP) -> Answer:
    """Reads a streamed answer until `most` bytes or the deadline (of time.monotonic)."""
    body = b""
    for chunk in response.iter_raw(16384):
        body += chunk
        if len(body) > most:
            break
        if time.monotonic() > deadline:
            raise httpx.ReadTimeout("the answer took too long")
    kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    whole = len(body) <= most and response.headers.get("content-encoding", "identity") == "identity"
    return Answer(
        host=response.url.netloc.decode("ascii", "replace").rpartition("@")[2],
        status=response.status_code,
        reason=one_line(response.reason_phrase, 60),
        retry=response.status_code in (408, 425, 429) or "retry-after" in response.headers,
        data=_json(body) if whole else None,
        text=one_line(body[:2000].decode("utf-8", "replace")) if whole and kind == "text/plain" else "",
    )


def at(data: Any, path: str) -> Any:
    """The value at a dotted path (`data.runs.0.id`), None where there is none."""
    for part in path.split("."):
        if isinstance(data, dict):
            data = data.get(part)
        elif isinstance(data, list) and part.isdecimal() and int(part) < len(data):
            data = data[int(part)]
        else:
            return None
    return data


def one_line(value: object, limit: int = 300) -> str:
    """The value as one line: control and direction characters folded into spaces, cut with an ellipsis."""
    text = re.sub(
        r"[\s\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]+", " ", str(value)
    ).strip()
    return text if len(text) <= limit else text[: limit - 1] + "…"


def last_lines(text: str, limit: int) -> str:
    """The end of a log in whole lines, at most so many characters, fit to be shown: without colours, control
    and direction characters; of a line that was written over, what stood there last."""
    plain = COLOURS.sub("", text.replace("\r\n", "\n").replace("\t", "    "))
    lines = [_seen(line.rstrip("\r").rpartition("\r")[2]).rstrip() for line in plain.split("\n")]
    found = "\n".join(lines).strip("\n")
    if len(found) <= limit:
        return found
    cut = found[-limit:]
    return cut.partition("\n")[2] or cut


def _seen(line: str) -> str:
    """What of a line can be seen; any kind of space is one."""
    return "".join(c if c.isprintable() else " " if c.isspace() else "" for c in line)


def either(value: object, words: Iterable[str]) -> bool:
    """Whether the value is one of the words, however it is capitalised."""
    return str(value).strip().lower() in {word.lower() for word in words}


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None
