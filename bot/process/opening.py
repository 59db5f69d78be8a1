"""Opens the store at the start: one that is away is waited for, aloud; one that is wrong ends the start."""

from __future__ import annotations

import threading
import time

from bot.process.errors import StoreAway, StoreUnfit
from bot.process.log import get
from bot.store import Store

log = get("store")

FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 10.0
SAID_EVERY_S = 60.0


def open_store(store: Store, stopping: threading.Event) -> bool:
    """Brings the schema up to date; False where `stopping` came first. StoreUnfit where no waiting helps."""
    began = time.monotonic()
    pause, said_at = FIRST_PAUSE_S, -SAID_EVERY_S
    while not stopping.is_set():
        try:
            log.info("store", did=store.upgrade())
            return True
        except StoreUnfit:
            raise
        except StoreAway as away:
            waited = time.monotonic() - began
            if waited - said_at >= SAID_EVERY_S:
                log.error("the store is waited for", why=str(away), waited_s=round(waited))
                said_at = waited
        stopping.wait(pause)
        pause = min(LONGEST_PAUSE_S, pause * 2)
    return False
