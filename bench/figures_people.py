"""Figures of people: a click until it is acked and until the card shows it, and a hundred clicks at once."""

from __future__ import annotations

import random
import time
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

from sqlalchemy import select

from bench.figures_table import Figure, quantile, seconds, spread
from bench.figures_town import Ground, Post, Rules, Town, town, until
from bot.store import tables as t

CLICKS = 60
PEOPLE = tuple(f"p{n}" for n in range(100))


def click(ground: Ground) -> list[Figure]:
    return _one_at_a_time(ground, over_http=False)


def http(ground: Ground) -> list[Figure]:
    return _one_at_a_time(ground, over_http=True)


def _one_at_a_time(ground: Ground, over_http: bool) -> list[Figure]:
    """Acknowledges one alert after the other, each on its own card."""
    acks, shown = [], []
    with town(ground, Rules(over_http=over_http)) as there:
        there.start()
        there.plant(*((n % there.rules.rooms, f"click{n}x") for n in range(CLICKS)))
        until(lambda: len(there.read().cards) >= CLICKS, 60, "the cards did not come")
        for card in there.cards:
            time.sleep(random.uniform(0.2, 0.6))
            ack, edit = _clicked(there, card)
            acks += [ack] if ack is not None else []
            shown.append(edit)
            ground.show.at(len(shown), CLICKS, "clicks")
        kept = len(_acts(there))
    mode = "HTTP" if over_http else "Socket Mode"
    how = f"n = {CLICKS}, one at a time, {mode}; make figures ROW={'http' if over_http else 'click'}"
    return [
        Figure(
            f"click → recorded and acked, {mode}",
            "p95 ≤ 300 ms",
            f"{spread(acks, 0.95)}; {len(acks)} acked, {kept} in the history",
            how,
        ),
        Figure(f"click → message updated, {mode}", "p95 ≤ 1 s", spread(shown, 0.95), how),
    ]


def _clicked(there: Town, card: Post) -> tuple[float | None, float]:
    """Seconds until the ack (None: there was none) and until Slack had the card's edit."""
    began = time.time()
    seen = there.slack.click("ana", card.channel, card.ts, "alert.ack", wait_ms=0)
    edit = until(lambda: _edit(there, card, began), 30, "the card was not edited")
    return (seen["ack_ms"] / 1000 if seen["acked"] else None), edit - began


def _edit(there: Town, card: Post, since: float) -> float | None:
    there.read()
    recent = there.journal[-50:]
    found = (e["at"] for e in recent if e["kind"] == "updated" and e["ts"] == card.ts and e["at"] >= since)
    return next(found, None)


def _acts(there: Town) -> list[Any]:
    """What people have done, by the history."""
    h = t.history.c
    return there.rows(select(h.alert_id, h.kind, h.actor).where(h.actor.like("U0%")))


# ------------------------------------------------------------------ a hundred at once


def hundred(ground: Ground) -> list[Figure]:
    """A hundred people press Acknowledge on one card at the same moment."""
    with town(ground, Rules(rooms=1, people=PEOPLE)) as there:
        there.start()
        there.plant((0, "wanted0x"))
        card = until(lambda: there.read().cards, 60, "the card did not come")[0]
        start = Barrier(len(PEOPLE))
        ground.show.at(0, 1, "a hundred click")

        def press(name: str) -> dict[str, Any]:
            start.wait(60)
            return there.slack.click(name, card.channel, card.ts, "alert.ack", wait_ms=0)

        with ThreadPoolExecutor(len(PEOPLE)) as pool:
            seen = list(pool.map(press, PEOPLE))
        told = _told(there)
        acts = _acts(there)
    return [_at_once(seen, told, acts)]


def _told(there: Town) -> dict[str, str]:
    """What each was told, once all have been told something or half a minute is over."""
    deadline = time.monotonic() + 30
    while True:
        there.read()
        told = {str(e["user"]): str(e["text"]) for e in there.journal if e["kind"] == "ephemeral"}
        if len(told) >= len(PEOPLE) or time.monotonic() > deadline:
            return told
        time.sleep(0.2)


def _at_once(seen: list[dict[str, Any]], told: dict[str, str], acts: list[Any]) -> Figure:
    winners = {actor for _, _, actor in acts}
    polite = [words for user, words in told.items() if user not in winners and " has ALR-" in words]
    acks = [one["ack_ms"] / 1000 for one in seen if one["acked"]]
    return Figure(
        "100 clicks at once on one alert",
        "1 transition, 99 polite answers",
        f"{len(acts)} transition, {len(polite)} polite answers (“… has ALR-1 until …”);"
        f" {len(acks)} acked, p95 {seconds(quantile(acks, 0.95))}",
        "n = 100 people, Socket Mode; make figures ROW=hundred",
        "" if len(acts) == 1 else f"{len(acts)} transitions",
    )
