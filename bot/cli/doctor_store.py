"""`patrol doctor`, of the store: whether it takes writes, is of this version, and its clock."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from bot.process.errors import PatrolError
from sensors.rights import skew
from sensors.told import Told

if TYPE_CHECKING:
    from bot.store import Store


def of_store(url: str) -> Iterator[Told]:
    from bot.store import Store

    file = url.partition(":///")[2].partition("?")[0]
    if url.startswith("sqlite") and not Path(file).exists():
        yield Told(f"there is no {file} yet", None, "patrol db upgrade makes it, and so does patrol serve")
        return
    try:
        with closing(Store(url)) as store:
            yield from _told(store)
    except PatrolError as error:
        yield Told(str(error), False, "mend its address, its password or the way there")


def _told(store: Store) -> Iterator[Told]:
    store.ping()
    yield Told("it answers", True)
    if not store.at_head():
        yield Told(
            "its schema is not of this version", False, "patrol db upgrade; `patrol serve` does it, too"
        )
        return
    yield Told("its schema is of this version", True)
    store.try_to_write()
    yield Told("it takes writes", True)
    if (theirs := store.clock()) is not None:
        yield skew(theirs, time.time())
