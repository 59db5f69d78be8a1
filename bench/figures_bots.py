"""Figures of several processes: two bots on one Postgres against one, and a short run of chaos."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections import Counter
from typing import Any

from sqlalchemy import func, select

from bench.chaos_bots import ROOT, clean_environment
from bench.figures_table import Figure
from bench.figures_town import AT_ONCE, Ground, Rules, Town, town, until
from bot.sandbox import names
from bot.store import tables as t

KEYS = 40
TAKEN = {f"pair{n}x" for n in range(10)}
SAID = ("reply", "page", "tell")
KEY = re.compile(r"\b(pair\d+x)\b")
CHANGING = re.compile(r"<!date\^[^>]*>|ALR-\d+|\back \d+|\bun(ack) \d+|\d\d:\d\d(:\d\d)?")
VERDICT = re.compile(r"kills (\d+) faults (\d+) planted (\d+) lost (\d+) doubled (\d+)")
QUICK = 5


def bots(ground: Ground) -> list[Figure]:
    """The same story told by one bot and by two: what stands in Slack, by key and text."""
    alone, together = (_story(ground, n) for n in (1, 2))
    twice = [told for seen in (alone, together) for told, n in seen.items() if n > 1]
    unlike = (alone - together) + (together - alone)
    cards = sum(n for (_, kind, _), n in together.items() if kind == "card")
    broken = [f"{len(twice)} stand twice: {twice[:2]}"] if twice else []
    broken += [f"{sum(unlike.values())} differ: {list(unlike)[:4]}"] if unlike else []
    return [
        Figure(
            "two bots on one Postgres",
            "the same output as one",
            f"{cards} cards and {sum(together.values()) - cards} replies, {sum(unlike.values())} differ,"
            f" {len(twice)} twice",
            f"n = {KEYS * 3 // 2} keys; by key and text, without numbers and times; make figures ROW=bots",
            "; ".join(broken),
        )
    ]


def _story(ground: Ground, number: int) -> Counter[tuple[str, str, str]]:
    """New keys, more rows of half of them, people who take some, and new keys again."""
    rules = Rules(ladder=AT_ONCE, severity="{medium: 1, high: 4}")
    with town(ground, rules, store="postgres") as there:
        for _ in range(number):
            there.start()
        first, later = range(KEYS), range(KEYS, KEYS + KEYS // 2)
        there.plant(*(_row(there, n) for n in first))
        _settled(ground, there, f"{number} bots: new keys", KEYS)
        there.plant(*(_row(there, n) for n in first if n % 2 for _ in range(4)))
        _settled(ground, there, f"{number} bots: more of them", KEYS)
        taken = [card for card in there.cards if _key(card.args) in TAKEN]  # posted in whatever order
        for card in taken:
            there.slack.click("ana", card.channel, card.ts, "alert.ack", wait_ms=0)
        there.plant(*(_row(there, n) for n in later))
        _settled(ground, there, f"{number} bots: new ones again", KEYS + len(later))
        return standing(there.slack.state(limit=1000))


def _row(there: Town, n: int) -> tuple[int, str]:
    return n % there.rules.rooms, f"pair{n}x"


def _settled(ground: Ground, there: Town, what: str, cards: int) -> None:
    """Until the last rows were looked at, nothing is left to be told and all is still for three seconds."""
    undone = select(func.count()).where(t.UNDONE, t.effects.c.kind.in_(SAID))
    behind = select(func.count()).where(t.alerts.c.shown_seq < t.alerts.c.face_seq)
    looked = select(func.count()).where(t.policy_state.c.watermark > there.warehouse.newest)
    quiet, seen = time.monotonic(), -1

    def over() -> bool:
        nonlocal quiet, seen
        left = there.rows(undone)[0][0] + there.rows(behind)[0][0]
        left += max(0, there.rules.rooms - there.rows(looked)[0][0])
        now = len(there.read().posts)
        done = len(there.cards)
        ground.show.at(done, cards, what)
        if left or done < cards or now != seen:
            quiet, seen = time.monotonic(), now
        return time.monotonic() - quiet > 3

    until(over, 200, what, every=0.2)


def standing(state: dict[str, Any]) -> Counter[tuple[str, str, str]]:
    """Patrol's messages as they stand: the key, card or reply, and the text without numbers and times."""
    found: Counter[tuple[str, str, str]] = Counter()
    for channel in state["channels"]:
        keys: dict[str, str] = {}
        for message in channel["messages"]:
            if message.get("bot_id") != names.BOT_ID:
                continue
            thread = message.get("thread_ts", message["ts"])
            kind = "card" if thread == message["ts"] else "reply"
            if kind == "card":
                keys[thread] = _key(message)
            text = CHANGING.sub("…", str(message["text"]))
            found[(keys.get(thread, "a thread of nobody"), kind, text)] += 1
    return found


def _key(message: Any) -> str:
    found = KEY.search(str(message))
    return found[1] if found else "another"


# ---------------------------------------------------------------------------- chaos


def chaos(ground: Ground) -> list[Figure]:
    """A short one, to see that it runs."""
    words = [sys.executable, "-m", "bench.chaos", "--kills", str(QUICK), "--store", ground.store]
    ground.show.at(0, 1, f"{QUICK} kills; some minutes")
    ended = subprocess.run(
        words, cwd=ROOT, env=clean_environment(), capture_output=True, text=True, check=False
    )
    found = VERDICT.search(ended.stdout)
    if found is None:
        raise RuntimeError(f"chaos gave no verdict: {(ended.stdout + ended.stderr)[-500:]}")
    kills, faults, planted, lost, doubled = (int(number) for number in found.groups())
    how = (
        f"{kills} kills, {faults} faults, {planted} planted; make figures ROW=chaos, or make chaos KILLS=1000"
    )
    return [
        Figure("violations lost, kill -9 at random points", "0", str(lost), how, "lost" if lost else ""),
        Figure("standing duplicates after recovery", "0", str(doubled), how, "doubled" if doubled else ""),
    ]
