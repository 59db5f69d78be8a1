"""The local Snowflake as a process, for tests: started once, its history read, its statements held."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from bot.demo.snowflake import process
from sensors.warehouse.snowflake import Snowflake
from sensors.warehouse.snowflake_address import Address, address

HERE = process.USER
PATIENCE_S = 20.0


class LocalSnowflake:
    def __init__(self, port: int) -> None:
        self.port = port

    def url(self, place: str = "market/core", **options: object) -> str:
        more = "".join(f"&{name}={value}" for name, value in options.items())
        return process.address(self.port, place) + more

    def address(self, place: str = "market/core", **options: object) -> Address:
        return address(self.url(place, **options), HERE)

    @contextmanager
    def opened(self, place: str = "market/core", **options: object) -> Iterator[Snowflake]:
        warehouse = Snowflake(self.address(place, **options))
        try:
            yield warehouse
        finally:
            warehouse.close()

    def run(self, *statements: str) -> None:
        """Statements of any kind, as who fills the tables would run them."""
        from snowflake import connector

        arguments = {**self.address("market").arguments, "session_parameters": {}}
        with connector.connect(**arguments) as connection:
            for sql in statements:
                connection.cursor().execute(sql)

    def history(self, text: str = "") -> list[dict[str, Any]]:
        """What ran whose tag or SQL has the text in it, oldest first."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/local/history", timeout=10) as answer:
            lines = json.load(answer)
        return [line for line in lines if text in line["query_tag"] or text in line["query_text"]]

    @contextmanager
    def holding(self, text: str) -> Iterator[None]:
        """Within it statements with the text in their tag or SQL wait, as in a warehouse's queue."""
        self.post("hold", {"text": text})
        try:
            yield
        finally:
            self.post("hold", {})

    def post(self, what: str, body: object = None) -> None:
        url = f"http://127.0.0.1:{self.port}/local/{what}"
        request = urllib.request.Request(url, json.dumps(body or {}).encode(), method="POST")
        with urllib.request.urlopen(request, timeout=10):
            pass

    def submitted(self, text: str, number: int = 1) -> dict[str, Any]:
        """Waits until so many statements with the text have come; the newest of them."""
        within(lambda: len(self.history(text)) >= number)
        return self.history(text)[-1]


def within(there: Callable[[], object], seconds: float = PATIENCE_S) -> None:
    until = time.monotonic() + seconds
    while not there():
        assert time.monotonic() < until, "it did not come in time"
        time.sleep(0.02)


@contextmanager
def started(*arguments: str) -> Iterator[LocalSnowflake]:
    if not process.installed():
        pytest.skip(process.MISSING)
    with process.running(*arguments) as port:
        yield LocalSnowflake(port)
