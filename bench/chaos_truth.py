"""What stands in the end against what was planted, as multisets, read from journal, workspace and store."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select

from bench.chaos_people import Done
from bench.chaos_town import ROW_BY_ROW, Truth
from bot.core.alert import Event
from bot.sandbox import names
from bot.sandbox.workspace import Workspace
from bot.store import Store
from bot.store import tables as t
from bot.store.database import Database

KEY = re.compile(r"\b((?:exact|elsewhere|within|trailing|held|flicker)_\d+) was planted for")
SAID = ("reply", "page", "tell", "file")
PATIENCE_MS = 1_900.0  # past two seconds an act that is not recorded is acked, and the person told so
AROUND = timedelta(seconds=1)
SIGNS = ("an act was not recorded", "a listener failed", "an act failed")


@dataclass
class Verdict:
    """`lost` and `doubled` name each thing once for every time that it lacks or stands too often."""

    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    told: dict[str, int] = field(default_factory=dict)  # how much of what was compared

    def compare(self, what: str, planted: Mapping[str, int], stands: Mapping[str, int]) -> None:
        wanted, there = Counter(planted), Counter(stands)
        self.lost += [f"{what} {name}" for name in (wanted - there).elements()]
        self.doubled += [f"{what} {name}" for name in (there - wanted).elements()]
        self.told[what] = sum(wanted.values())


@dataclass
class Standing:
    """Our messages by what the journal says of them: posted and not deleted since."""

    cards: Counter[str] = field(default_factory=Counter)  # by planted key
    deliveries: Counter[str] = field(default_factory=Counter)  # of all others: effect-40
    counted: set[str] = field(default_factory=set)  # the deliveries of the cards
    faults: int = 0
    unlike: list[str] = field(default_factory=list)  # what the workspace shows otherwise


class Record:
    """The sandbox's journal, read piece by piece, since it forgets what is old."""

    def __init__(self, space: Workspace) -> None:
        self._space = space
        self._read = 0
        self._posts: dict[tuple[str, str], dict[str, Any]] = {}  # by channel and ts
        self._ours: set[tuple[str, str]] = set()
        self._gone: set[tuple[str, str]] = set()
        self._cards = 0
        self.faults: Counter[str] = Counter()

    @property
    def posts(self) -> int:
        return len(self._ours)

    @property
    def cards(self) -> int:
        """Cards of planted keys that have been posted, copies included: how far the bot has come."""
        return self._cards

    def read(self) -> None:
        for entry in self._space.journal.since(self._read):
            self._read = entry["n"]
            place = (str(entry.get("channel")), str(entry.get("ts")))
            if entry["kind"] == "posted" and entry["user"] == names.BOT_USER:
                self._ours.add(place)
            elif entry["kind"] == "deleted":
                self._gone.add(place)
            elif entry["kind"] == "api":
                self._called(entry)

    def _called(self, entry: Mapping[str, Any]) -> None:
        if entry["fault"] and entry["fault"] != "stored_late":
            self.faults[str(entry["fault"])] += 1
        if entry["method"] == "chat.postMessage" and entry["ok"]:
            self._posts[(str(entry["args"]["channel"]), str(entry["ts"]))] = entry["args"]
            self._cards += _key(entry["args"]) is not None

    def standing(self) -> Standing:
        """What was posted less what was deleted, and whether the workspace shows the same."""
        self.read()
        found = Standing(faults=sum(self.faults.values()))
        shown = self._shown()
        stands = self._ours - self._gone
        found.unlike = [f"{place} only in the journal" for place in stands - shown]
        found.unlike += [f"{place} only in the workspace" for place in shown - stands]
        for place in stands:
            args = self._posts.get(place, {})
            payload = _read(args.get("metadata"), {}).get("event_payload", {})
            delivery = str(payload.get("delivery_id", _unnamed(*place)))
            if key := _key(args):
                found.cards[key] += 1
                found.counted.add(delivery)
            else:
                found.deliveries[delivery] += 1
        return found

    def _shown(self) -> set[tuple[str, str]]:
        with self._space.lock:
            return {
                (channel.id, ts)
                for channel in self._space.channels.values()
                for ts, message in channel.messages.items()
                if message.get("bot_id") == names.BOT_ID
            }


def _unnamed(channel: str, ts: str) -> str:
    """A message that carries no delivery: a file's, which Slack itself posts."""
    return f"without a delivery at {channel} {ts}"


def _key(args: Mapping[str, Any]) -> str | None:
    """The planted key whose card was posted; None for all else. What Patrol tells of itself may have planted
    alerts among its rows, but not at its head."""
    found = KEY.search(json.dumps(_read(args.get("blocks"), [])[:1]))
    return found[1] if found and not args.get("thread_ts") else None


def _read(value: Any, otherwise: Any) -> Any:
    if isinstance(value, str):
        return json.loads(value)
    return otherwise if value is None else value


def judge(
    truth: Truth, standing: Standing, acts: Iterable[Done], store_url: str, logs: list[Path]
) -> Verdict:
    """Cards, copies, replies, rows and acts, each compared with what they must be."""
    verdict, database, store = Verdict(), Database(store_url), Store(store_url)
    try:
        verdict.compare("card", truth.keys, standing.cards)
        _copies(verdict, standing, database)
        _rows(verdict, truth, standing, database)
        _acts(verdict, list(acts), store, logs)
        _answers(verdict, database, store)
    finally:
        database.close()
        store.close()
    verdict.lost += [f"message {place}" for place in standing.unlike]
    return verdict


def _copies(verdict: Verdict, standing: Standing, database: Database) -> None:
    """Each line in a thread, and each card of what was not planted, stands once if the store has it sent."""
    m = t.messages.c
    sent = select(m.delivery, m.file_id, m.channel, m.ts).where(m.ts.is_not(None))
    with database.read() as c:
        named = (_unnamed(r.channel, r.ts) if r.file_id else r.delivery for r in c.execute(sent))
        said = Counter(name for name in named if name not in standing.counted)
        waits = select(t.effects.c.id).where(t.UNDONE, t.effects.c.kind.in_(SAID))
        waiting = list(c.execute(waits).scalars())
    verdict.compare("message", said, standing.deliveries)
    verdict.lost += [f"effect {number} was never told" for number in waiting]


def _rows(verdict: Verdict, truth: Truth, standing: Standing, database: Database) -> None:
    """Where every row counts, each one of a key that has its card is evidence, once."""
    rows = select(t.alerts.c.policy, t.evidence.c.row).join(t.alerts, t.alerts.c.id == t.evidence.c.alert_id)
    of = {row: key for planted in truth.rows.values() for row, key in planted.items()}
    kept: dict[str, Counter[str]] = defaultdict(Counter)
    with database.read() as c:
        for policy, row in c.execute(rows):
            kept[policy.rpartition(".")[2]][_message(row)] += bool(standing.cards[of.get(_message(row), "")])
    for name in ROW_BY_ROW:
        wanted = Counter({row: 1 for row, key in truth.rows[name].items() if standing.cards[key]})
        verdict.compare(f"row of {name}", wanted, kept[name])


def _message(row: Any) -> str:
    found = re.search(r"\bm_\d+\b", json.dumps(row, default=str))
    return found[0] if found else "a row without a name"


# -- acts of people ---


def _acts(verdict: Verdict, acts: list[Done], store: Store, logs: list[Path]) -> None:
    """What was acked is in the history, unless the person was told no; a comment is never there twice."""
    known = {number: store.alerts.history(number) for number in {act.alert for act in acts}}
    troubled = _not_recorded(logs)
    sure = [act for act in acts if act.acked and act.ack_ms < PATIENCE_MS and not _told_no(act)]
    unanswered = 0
    for act in sure:
        if _recorded(act, known[act.alert]):
            continue
        answered = f"ALR-{act.alert} " in act.said
        if answered or not (_near(act, troubled) or (not act.note and _refusable(act, known[act.alert]))):
            verdict.lost.append(f"act {act.kind} of {act.user} on ALR-{act.alert} at {act.began}: {act.said}")
        unanswered += 1
    notes = Counter(e.story.split()[-1] for h in known.values() for e in h if e.kind == "commented")
    verdict.doubled += [f"comment {note}" for note, n in notes.items() for _ in range(n - 1)]
    verdict.told["act that was acked"] = len(sure) - unanswered


def _told_no(act: Done) -> bool:
    return "⚠️" in act.said or "Not recorded" in act.said


def _recorded(act: Done, history: Iterable[Event]) -> bool:
    if act.note:
        return any(act.note in event.story for event in history if event.actor == act.user)
    return any(
        event.actor == act.user
        and event.action.get("action") == act.kind
        and act.began - AROUND <= event.at <= act.ended + AROUND
        for event in history
    )


def _refusable(act: Done, history: Iterable[Event]) -> bool:
    """Whether somebody else's act lies so near before, or the alert stood so, that this one was refused:
    its answer was lost with the process or by a fault, and the click changed nothing."""
    before = [event for event in history if event.at <= act.ended + AROUND]
    persons = sum(event.actor != "patrol" for event in before)
    if act.work_seq is not None and act.work_seq < persons:
        return True
    last = next((e for e in reversed(before) if e.kind in ("acknowledged", "assigned", "resolved")), None)
    return last is not None or act.kind in ("Wake", "Reopen")


def _not_recorded(logs: Iterable[Path]) -> list[str]:
    """When a process said that it could not record an act, to the second; its answer may have been lost."""
    said = (line for log in logs if log.exists() for line in log.read_text(errors="replace").splitlines())
    return [json.loads(line)["timestamp"][:19] for line in said if any(sign in line for sign in SIGNS)]


def _near(act: Done, moments: Iterable[str]) -> bool:
    return any(
        f"{act.began - AROUND:%Y-%m-%dT%H:%M:%S}" <= m <= f"{act.ended:%Y-%m-%dT%H:%M:%S}" for m in moments
    )


def _answers(verdict: Verdict, database: Database, store: Store) -> None:
    """A rerun is answered once in the thread."""
    with database.read() as c:
        numbers = list(c.execute(select(t.alerts.c.id)).scalars())
        later = set(
            c.execute(select(t.effects.c.alert_id).where(t.UNDONE, t.effects.c.kind == "rerun")).scalars()
        )
    asked: Counter[str] = Counter()
    answered: Counter[str] = Counter()
    for number in numbers:
        if number in later:
            continue
        kinds = Counter(event.kind for event in store.alerts.history(number))
        asked[f"to a rerun of ALR-{number}"] = kinds["rerun"]
        answered[f"to a rerun of ALR-{number}"] = kinds["rerun_ended"]
    verdict.compare("answer", asked, answered)
