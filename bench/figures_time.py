"""Figures of the ladder: how late a step is while Patrol runs, and after a restart across its due time."""

from __future__ import annotations

import time
from collections import defaultdict
from datetime import datetime, timedelta

from sqlalchemy import select

from bench.figures_table import Figure, seconds, spread
from bench.figures_town import Ground, Rules, Town, town, until
from bot.store import tables as t

FIRST, THEN = timedelta(seconds=15), timedelta(seconds=60)
LADDER = "[{to: oncall, after: 15s}, {after: 75s, to: team}]"
BATCHES, EACH = 12, 10
OVER_RESTART = 20


def escalation(ground: Ground) -> list[Figure]:
    with town(ground, Rules(ladder=LADDER)) as there:
        there.start()
        for n in range(BATCHES):
            there.plant(*(((n * EACH + i) % there.rules.rooms, f"step{n}n{i}x") for i in range(EACH)))
            time.sleep(1.5)
        wanted = 2 * BATCHES * EACH

        def all_told() -> bool:
            done = len(_told(there))
            ground.show.at(done, wanted, "steps told")
            return done >= wanted

        until(all_told, 200, "the steps were not told", every=0.5)
        running = _told(there)
        after = _restarted(ground, there)
    how = "make figures ROW=escalation"
    late, posted = ([told[i] for told in running] for i in (0, 1))
    recorded, shown = (seconds(max(told[i] for told in after)) for i in (0, 1))
    return [
        Figure(
            "escalation skew while running",
            "p99 ≤ 5 s",
            f"{spread(late, 0.99)} until recorded; {spread(posted, 0.99)} until posted",
            f"n = {len(running)} steps of {BATCHES * EACH} alerts; the step's due time → history; {how}",
        ),
        Figure(
            "escalation after a restart across the due time",
            "≤ 15 s",
            f"{recorded} until the last is recorded, {shown} until it is posted",
            f"n = {len(after)} alerts; kill -9, started when all are overdue; from its start; {how}",
        ),
    ]


def _told(there: Town, since: float | None = None) -> list[tuple[float, float]]:
    """For each step that was told and posted: seconds until it was recorded, and until it was posted.

    From its due time, or from `since` for those that were recorded after it.
    """
    h, e, m = t.history.c, t.effects.c, t.messages.c
    found = there.rows(
        select(h.alert_id, h.at, t.alerts.c.opened_at, m.ts)
        .join(t.alerts, t.alerts.c.id == h.alert_id)
        .join(t.effects, (e.alert_id == h.alert_id) & (e.change_seq == h.seq) & (e.kind == "page"))
        .join(t.messages, m.effect_id == e.id)
        .where(h.kind == "escalated", m.ts.is_not(None))
        .order_by(h.alert_id, h.seq)
    )
    steps: dict[int, list[datetime]] = defaultdict(list)
    told = []
    for alert, at, opened, ts in found:
        due = (steps[alert][-1] + THEN if steps[alert] else opened + FIRST).timestamp()
        steps[alert].append(at)
        from_when = due if since is None else since
        if at.timestamp() >= from_when - 1:
            told.append((at.timestamp() - from_when, float(ts) - from_when))
    return told


def _restarted(ground: Ground, there: Town) -> list[tuple[float, float]]:
    """Killed before the first step of fresh alerts is due, started when all of them are overdue."""
    before = len(there.read().cards)
    there.plant(*((n % there.rules.rooms, f"over{n}x") for n in range(OVER_RESTART)))
    until(lambda: len(there.read().cards) >= before + OVER_RESTART, 12, "the cards came too late")
    there.kill()
    newest = max(at for (at,) in there.rows(select(t.alerts.c.opened_at)))
    ground.show.at(0, OVER_RESTART, "nobody is there when they are due")
    time.sleep(max(0.0, (newest + FIRST).timestamp() - time.time()) + 2)
    began = time.time()
    there.start(wait=False)

    def all_told() -> bool:
        done = len(_told(there, began))
        ground.show.at(done, OVER_RESTART, "told after the restart")
        return done >= OVER_RESTART

    until(all_told, 120, "the steps were not told after the restart", every=0.2)
    return _told(there, began)
