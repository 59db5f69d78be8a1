"""Logs of the whole process, ours and the libraries': pretty on a terminal, JSON elsewhere, no secrets."""

from __future__ import annotations

import logging
import os
import re
import sys
from collections.abc import Iterable
from contextlib import AbstractContextManager
from typing import Any, TextIO, cast

from bot.process.frugal import without

with without("rich"):  # structlog would draw tracebacks by it; ours are plain
    import structlog
    from structlog.contextvars import bound_contextvars
    from structlog.typing import EventDict, Processor

QUIET = (
    "apscheduler",
    "httpx",
    "httpcore",
    "slack_bolt",
    "slack_sdk",
    "snowflake",
    "uvicorn",
    "websocket",
    "urllib3",
    "alembic",
)
SECRETS = (
    (re.compile(r"\b(?:xox[a-z](?:\.xox[a-z])?|xapp)-[\w.-]+"), "xox…"),
    (re.compile(r"(://[^/?#\s:@\"']*):[^/?#\s\"']*@"), r"\1:…@"),
    (re.compile(r"(?i)\b(bearer|basic) [\w.~+/=-]{4,}"), r"\1 …"),
    (re.compile(r"(?i)\b(ticket|token|api_key|secret|password)=[^&\s\"']+"), r"\1=…"),
    (re.compile(r"(hooks\.slack\.com/\w+)/[\w/-]+"), r"\1/…"),
    (re.compile(r"(/hooks/runs/\d+)-[\w-]+"), r"\1-…"),
)

OWN = ("_record", "_from_structlog")  # what structlog's formatter adds for itself

bound = bound_contextvars  # with bound(run=…, alert=…): every line in it carries the ids


class Log(structlog.stdlib.BoundLogger):
    """Takes an event in words and values by name: log.info("run ended", rows=3)."""

    def bound(self, **ids: Any) -> AbstractContextManager[Any]:
        """Every line of this thread within it carries the ids, whoever writes it."""
        return bound_contextvars(**ids)


def get(name: str = "patrol") -> Log:
    return cast(Log, structlog.get_logger(name))


def configure(
    mode: str = "auto", level: str = "info", *, hide: Iterable[str] = (), stream: TextIO | None = None
) -> None:
    """Sends every logger of the process to one place (standard error), striking out the values of `hide`."""
    stream = stream or sys.stderr
    pretty = mode == "pretty" or (mode == "auto" and stream.isatty())
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=_shared(pretty), processors=[_ordered, *_drawn(pretty, tuple(hide), stream)]
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    _quieten(level.upper())
    _install(pretty)


def scrub(text: str, hide: Iterable[str] = ()) -> str:
    """The text without tokens, passwords in addresses, and the given values."""
    for value in hide:
        text = text.replace(value, "…") if len(value) > 3 else text
    for pattern, instead in SECRETS:
        text = pattern.sub(instead, text)
    return text


def _shared(pretty: bool) -> list[Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="%H:%M:%S" if pretty else "iso", utc=not pretty),
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
    ]


def _drawn(pretty: bool, hide: tuple[str, ...], stream: TextIO) -> list[Processor]:
    """The line itself. The finished text is scrubbed, so that nothing gets past in a key or a traceback."""
    draw: Any = (
        structlog.dev.ConsoleRenderer(
            colors=stream.isatty(), exception_formatter=structlog.dev.plain_traceback, pad_event_to=0
        )
        if pretty
        else structlog.processors.JSONRenderer(ensure_ascii=False, default=str)
    )

    def drawn(logger: Any, method: str, event: EventDict) -> str:
        return scrub(str(draw(logger, method, event)), hide)

    return [cast(Processor, drawn)]


def end() -> None:
    """The last lines are out, or lost: a full disk, or a reader who is gone, is no failure of ours."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _ordered(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """When, how bad and what stand first; control characters cannot forge a line or colour a terminal."""
    what = re.sub(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+", " ", str(event.pop("event", "")))
    first = {"timestamp": event.pop("timestamp", None), "level": event.pop("level", None), "event": what}
    return first | {name: value for name, value in event.items() if name not in OWN}


def _quieten(level: str) -> None:
    """Libraries say their routine at info: it shows with `debug` only. Their own handlers are taken away."""
    for name in QUIET:
        logger = logging.getLogger(name)
        logger.setLevel("INFO" if level == "DEBUG" else max(logging.WARNING, logging.getLevelName(level)))
        logger.handlers, logger.propagate = [], True
    # It calls every goodbye an error, and slack_sdk sets its level anew; what matters, slack/socket.py says.
    logging.getLogger("websocket").disabled = level != "DEBUG"
    logging.getLogger("slack_bolt.App").addFilter(_of_use)
    if level != "DEBUG":  # a chore that is still at it is left out: which one hangs, /healthz says
        logging.getLogger("apscheduler").setLevel(logging.ERROR)
    for name in ("uvicorn.error", "uvicorn.access"):
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [], True


def _of_use(record: logging.LogRecord) -> bool:
    """All but Bolt's warning of SLACK_BOT_TOKEN, which it finds in the environment by itself."""
    return "`token` will be unused" not in record.getMessage()


def _install(pretty: bool) -> None:
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_shared(pretty),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=Log,
        cache_logger_on_first_use=False,
    )


_install(pretty=False)  # until `configure`, our lines go where any library's do
