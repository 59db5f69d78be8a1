"""ana, bo and cy, who click and type at random, and remember what they did and what they were told."""

from __future__ import annotations

import random
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx

from bot.sandbox import Sandbox
from bot.sandbox.client import Refused

PEOPLE = ("ana", "bo", "cy")
NUMBER = re.compile(r"ALR-(\d+)")
BUTTONS = ("alert.ack", "alert.snooze", "alert.wake", "alert.reopen")
KINDS = {
    "alert.ack": "Acknowledge",
    "alert.snooze": "SnoozeFor",
    "alert.wake": "Wake",
    "alert.reopen": "Reopen",
    "ack": "Acknowledge",
    "unack": "Unacknowledge",
    "take": "Assign",
    "assign": "Assign",
    "snooze": "SnoozeFor",
    "wake": "Wake",
    "resolve": "Resolve",
    "reopen": "Reopen",
    "escalate": "Escalate",
    "comment": "Comment",
    "rerun": "Rerun",
}
TYPED = (
    *("ack {}", "unack {}", "take {}", "assign {} @bo", "snooze {} 1h chaos", "wake {}", "resolve {} tp"),
    *("resolve {} fp rule chaos", "resolve {} benign", "reopen {}", "escalate {} chaos", "rerun {}"),
)


@dataclass(frozen=True)
class Done:
    """One act: who did what to which alert between two moments, and what he was told."""

    user: str  # Slack's id
    alert: int
    kind: str  # the action's name, as history keeps it
    began: datetime
    ended: datetime
    acked: bool
    ack_ms: float
    said: str
    work_seq: int | None = None  # what a button carried
    note: str = ""  # of a comment: no other one has it


class People(threading.Thread):
    def __init__(self, slack: Sandbox, dice: random.Random) -> None:
        super().__init__(name="people", daemon=True)
        self.done: list[Done] = []
        self._slack = slack
        self._dice = dice
        self._notes = 0
        self._ending = threading.Event()

    def run(self) -> None:
        do: tuple[Callable[[str], None], ...] = (self._click, self._click, self._type, self._comment)
        while not self._ending.wait(self._dice.uniform(0.1, 1)):
            try:
                self._dice.choice(do)(self._dice.choice(PEOPLE))
            except (Refused, httpx.HTTPError):  # what was to be clicked is no longer there
                continue

    def end(self) -> None:
        self._ending.set()
        self.join(30)

    # ---------------------------------------------------------------------- acts

    def _click(self, user: str) -> None:
        """A button of a card as it now is, or as it was when somebody looked at it a while ago."""
        found = self._card()
        if found is None:
            return
        channel, card = found
        buttons = [e for b in card.get("blocks", ()) for e in b.get("elements", ()) if "action_id" in e]
        known = [b for b in buttons if b["action_id"] in BUTTONS]
        if not known:
            return
        button = self._dice.choice(known)
        time.sleep(self._dice.choice((0, 0, self._dice.uniform(0, 1))))
        alert, seq = (int(part) for part in button["value"].split(":")[:2])
        began = datetime.now(UTC)
        seen = self._slack.click(
            user, channel, card["ts"], button["action_id"], value=button["value"], wait_ms=600
        )
        self._note_down(user, alert, KINDS[button["action_id"]], began, seen, work_seq=seq)

    def _type(self, user: str) -> None:
        self._command(user, self._dice.choice(TYPED))

    def _comment(self, user: str) -> None:
        self._notes += 1
        self._command(user, f"comment {{}} note-{self._notes}.", f"note-{self._notes}.")

    def _command(self, user: str, words: str, note: str = "") -> None:
        found = self._card()
        number = NUMBER.search(_title(found[1])) if found else None
        if found is None or number is None:
            return
        alert, began = int(number[1]), datetime.now(UTC)
        seen = self._slack.command(user, found[0], f"/patrol {words.format(alert)}", wait_ms=50)
        self._note_down(user, alert, KINDS[words.split()[0]], began, seen, note=note)

    def _card(self) -> tuple[str, dict[str, Any]] | None:
        """Any card that stands."""
        space = self._slack.workspace
        with space.lock:
            cards = [
                (channel.id, dict(message))
                for channel in space.channels.values()
                for message in channel.messages.values()
                if message.get("thread_ts", message["ts"]) == message["ts"] and NUMBER.search(_title(message))
            ]
        newest = cards[-30:] if self._dice.random() < 0.6 else cards
        return self._dice.choice(newest) if newest else None

    def _note_down(
        self, user: str, alert: int, kind: str, began: datetime, seen: dict[str, Any], **more: Any
    ) -> None:
        name = f"U0{user.upper()}"
        told = [str(e.get("text", "")) for e in seen["ephemerals"] if e.get("user") == name]
        acked, ms = bool(seen["acked"]), float(seen["ack_ms"] or 0)
        ended = datetime.now(UTC)
        self.done.append(Done(name, alert, kind, began, ended, acked, ms, " ".join(told), **more))


def _title(message: dict[str, Any]) -> str:
    """What the header of a card says; empty for whatever is no card."""
    first: dict[str, Any] = next(iter(message.get("blocks") or ()), {})
    return str(first["text"]["text"]) if first.get("type") == "header" else ""
