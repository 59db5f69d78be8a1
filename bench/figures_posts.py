"""Figures of posting: how soon, two hundred at once under Slack's limit, and five thousand as a flood."""

from __future__ import annotations

import csv
import io
import random
import re
import time
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import httpx
from sqlalchemy import func, select

from bench.figures_table import Figure, seconds, spread
from bench.figures_town import AT_ONCE, Ground, Rules, Town, town, until
from bot.store import tables as t

POSTS = 60
AT_ONE_TIME = 200
FLOOD = 5_000
JITTER_S = 0.25  # of the way from Patrol's turn to Slack's clock
BUSY = {"method": "chat.postMessage", "fault": "429", "every": 25, "after": 10, "retry_after": 3}
WAITS = re.compile(r"\d+ cards? waits? for #room0[^\"]*")


# ------------------------------------------------------------------------ how soon


def post(ground: Ground) -> list[Figure]:
    """Each row alone, in a channel where nothing has been said for many seconds."""
    with town(ground, Rules(ladder=AT_ONCE)) as there:
        there.start()
        for n in range(POSTS):
            time.sleep(random.random())  # policies look each second: at any moment of it
            key = f"idle{n}x"
            there.plant((n % there.rules.rooms, key))
            until(lambda key=key: any(key in str(card.args) for card in there.read().cards), 60, key)
            ground.show.at(n + 1, POSTS, "rows posted")
        waits = from_commit_to_post(there)
    return [
        Figure(
            "run committed → message posted, channel idle",
            "p95 ≤ 1 s",
            spread(waits, 0.95),
            f"n = {len(waits)} in {there.rules.rooms} channels; the run's ended_at → chat.postMessage;"
            " make figures ROW=post",
        )
    ]


def from_commit_to_post(there: Town) -> list[float]:
    """Seconds, for each card, since the run that first found its alert was ended in the store."""
    found = (
        select(t.evidence.c.alert_id, func.min(t.runs.c.ended_at))
        .join(t.runs, t.runs.c.id == t.evidence.c.run_id)
        .group_by(t.evidence.c.alert_id)
    )
    ended = dict(there.rows(found))
    return [card.at - ended[card.alert].timestamp() for card in there.cards]


# ------------------------------------------------------- two hundred in one channel


def pace(ground: Ground) -> list[Figure]:
    """Two hundred alerts of one run in one channel, while Slack says 429 now and then."""
    said: dict[str, float] = {}
    with town(ground, Rules(rooms=1, max_alerts=1000, pace=True)) as there:
        there.start()
        there.slack.faults(BUSY)
        began = time.time()
        there.plant(*((0, f"crowd{n}x") for n in range(AT_ONE_TIME)))

        def all_posted() -> bool:
            for words in WAITS.findall(there.health()):
                said.setdefault(words, time.time())
            done = len(there.read().cards)
            ground.show.at(done, AT_ONE_TIME, next(reversed(said), "cards posted"))
            return done >= AT_ONE_TIME

        until(all_posted, 290, "the cards were not all posted", every=0.5)
        opened = {number for (number,) in there.rows(select(t.alerts.c.id))}
        return _paced(there, opened, said, began)


def _paced(there: Town, opened: set[int], said: dict[str, float], began: float) -> list[Figure]:
    cards = there.cards
    times, order = [card.at for card in cards], [card.alert for card in cards]
    called = [e for e in there.journal if e.get("method") == "chat.postMessage" and e.get("status") == 429]
    ours = sum(1 for e in called if e["fault"] is None)  # those that Slack's own limit gave
    lost, doubled = opened - set(order), len(order) - len(set(order))
    lacking = AT_ONE_TIME - len(opened)
    broken = [
        *([f"{len(lost) + lacking} lost, {doubled} doubled"] if lost or doubled or lacking else []),
        *overtaken(order)[:3],
        *(["more than one message a second"] if ours or too_fast(times) else []),
    ]
    first = next(iter(said.items()), None)
    told = f"“{first[0]}”, and it took {times[-1] - first[1]:.0f} s from then" if first else "nothing"
    kept = f"{len(overtaken(order))} out of order"
    busy = f"{len(called)} × 429, of them {ours} by the limit itself"
    how = f"n = {AT_ONE_TIME} keys in one run, a 429 at each 25th post; make figures ROW=pace"
    return [
        Figure(
            "200 alerts at once in one channel, Slack answering 429: lost, order",
            "nothing lost, order kept",
            f"{len(lost)} lost, {doubled} doubled, {kept}; {busy}; all there after {times[-1] - began:.0f} s",
            how,
            "; ".join(broken),
        ),
        Figure(
            "… the smallest distance between two posts",
            "never over 1 message/s",
            f"{min(b - a for a, b in pairwise(times)):.3f} s as Slack's clock saw it",
            how,
        ),
        Figure("… the wait said in /healthz", "said", told, how),
    ]


def overtaken(order: Sequence[int]) -> list[str]:
    """Each alert whose card came after the next one's, in words."""
    return [f"ALR-{later} came before ALR-{one}" for later, one in pairwise(order) if later > one]


def too_fast(times: Sequence[float]) -> bool:
    """More than one a second: between two, or little by little. A moment of the way is allowed for."""
    close = any(b - a < 1 - JITTER_S for a, b in pairwise(times))
    return close or any(at - times[0] < n - JITTER_S for n, at in enumerate(times))


# -------------------------------------------------------------------------- a flood


def flood(ground: Ground) -> list[Figure]:
    with town(ground, Rules(rooms=1)) as there:
        there.start()
        began = time.time()
        there.plant(*((0, f"flood{n}x") for n in range(FLOOD)))
        ground.show.at(0, 1, "the file is waited for")
        until(lambda: _files(there), 120, "no file came")
        took = time.time() - began
        time.sleep(3)  # so that a second one would be seen
        files = _files(there)
        text = httpx.get(files[0]["url_private"], timeout=60).content.decode("utf-8-sig")
        in_file = len(list(csv.DictReader(io.StringIO(text))))
        kept = there.rows(select(func.count()).select_from(t.evidence))[0][0]
        alerts = there.rows(select(func.count()).select_from(t.alerts))[0][0]
        cards = [one for one in there.read().posts if one.alert]
    seen = (alerts, len(cards), len(files), in_file, kept)
    return [
        Figure(
            "5,000 new keys in one run",
            "one flood alert, all rows kept",
            f"{alerts} alert, {len(cards)} card after {seconds(cards[0].at - began)}, {len(files)} file after"
            f" {seconds(took)} with {in_file:,} rows; {kept:,} rows in the store",
            "from the rows' arrival in the warehouse; make figures ROW=flood",
            "" if seen == (1, 1, 1, FLOOD, FLOOD) else "not one alert with all rows",
        )
    ]


def _files(there: Town) -> list[dict[str, Any]]:
    said = there.slack.channel("room0")["messages"]
    return [file for message in said for file in message.get("files", ())]
