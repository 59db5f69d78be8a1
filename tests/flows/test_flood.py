"""Five thousand new keys in one run, and Patrol killed with the file half sent: one alert, one file."""

from __future__ import annotations

import csv
import io
import signal
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from bot.core.change import EffectKind
from bot.store import Store


def files(town: Any) -> list[dict[str, Any]]:
    """What our messages show as files, in whatever thread."""
    said = town.slack.channel("payments")["messages"]
    return [file for message in said for file in message.get("files", ())]


@pytest.mark.slow
@pytest.mark.parametrize("point", ["upload.after", "send.after:2"])
def test_a_flood_ends_with_one_card_and_one_file_of_all_rows_wherever_patrol_was_killed(
    make_town: Callable[..., Any], wait: Callable[..., Any], point: str
) -> None:
    town = make_town(point.replace(":", "-"))
    town.sql(
        "INSERT INTO core.chat SELECT 'f_' || n, 's_' || n, 'pay me', "
        "(now() AT TIME ZONE 'UTC')::TIMESTAMP FROM range(1, 5001) t(n)"
    )
    victim = town.patrol(PATROL_KILL_AT=point)
    assert victim.wait(60) == -signal.SIGKILL, town.log[-2000:]
    town.patrol()
    wait(lambda: files(town), "the file is shown")
    (file,) = files(town)
    text = httpx.get(file["url_private"]).content.decode("utf-8-sig")
    assert len(list(csv.DictReader(io.StringIO(text)))) == 5_000
    store = Store(town.environment["PATROL_STORE_URL"])
    try:
        wait(lambda: not store.outbox.told([EffectKind.file]), "Patrol knows that it is")
    finally:
        store.close()
    assert len(files(town)) == 1
