"""Statements that are made to wait, as in a warehouse's queue, so that a test decides when they go on."""

from __future__ import annotations

import time

from bot.demo.snowflake.executions import Execution

LOOK_S = 0.01


class Holds:
    def __init__(self) -> None:
        self.text = ""  # in the tag or SQL of those that wait

    def wait(self, one: Execution) -> None:
        """Returns when it may run, or is being stopped."""
        while self.text and (self.text in one.tag or self.text in one.sql) and one.stopping is None:
            time.sleep(LOOK_S)
