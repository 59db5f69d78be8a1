"""Slack's payloads read into values: who, where, which alert, which action. Parses, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from bot.core.action import (
    Acknowledge,
    Assign,
    Escalate,
    PersonAction,
    Reopen,
    Rerun,
    ShareRows,
    SnoozeFor,
    Unacknowledge,
    Wake,
)
from bot.core.reply import Person
from bot.slack.backfill import DOES
from bot.slack.blocks import OF
from bot.slack.jobs import CANCEL, RETRY, START
from bot.slack.modals import Errand, filled
from bot.slack.text import fold

Body = Mapping[str, Any]
BUTTON = re.compile(r"(\d{1,12}):(\d{1,12})(?::(.{1,200}))?")
SNOOZE = timedelta(hours=1)
OPENED = ("more", "resolve", "several", "snooze_for", "timeline", "rows", "why", "reveal")
OPENING = frozenset(f"alert.{name}" for name in OPENED)
TURN = "alert.turn."
HOME = "home"  # the way of what was clicked there
JOB = "alert.job."


@dataclass(frozen=True)
class Place:
    """Where an answer goes: to one person, where he acted."""

    user: str
    channel: str = ""
    thread_ts: str | None = None
    response_url: str = ""
    via: str = ""  # how he acted

    @property
    def person(self) -> Person:
        return Person(self.user, self.channel or None, self.via)


@dataclass(frozen=True)
class Click:
    """A button (or a menu in a modal): what was clicked, about which alert, as its maker saw it."""

    action_id: str
    place: Place
    errand: Errand | None
    trigger_id: str
    view_id: str = ""
    selected: str = ""
    fields: Mapping[str, Any] = field(default_factory=dict)  # what stands in the modal's inputs
    handoff: int = 0  # on whose card it was, if on one

    @property
    def at_home(self) -> bool:
        return self.place.via == HOME

    @property
    def in_view(self) -> bool:
        """Whether it was in a modal."""
        return bool(self.view_id) and not self.at_home

    @property
    def opens(self) -> bool:
        """Whether it opens a modal rather than doing something."""
        return self.action_id in OPENING or self.action_id.startswith((JOB, TURN, START))

    @property
    def turns(self) -> bool:
        """Whether it turns a page of the modal that it is in."""
        return self.in_view and self.action_id.startswith(TURN)


def click(body: Body) -> Click:
    action = (body.get("actions") or [{}])[0]
    view = body.get("view") or {}
    container = body.get("container") or {}
    carried = Errand.unpacked(str(view.get("private_metadata") or ""))
    channel = _id(body.get("channel")) or (carried.channel if carried else "")
    ts = str(container.get("message_ts") or (carried.ts if carried else ""))
    via = HOME if view.get("type") == "home" else "modal" if view else "button"
    place = Place(_id(body.get("user")), channel, _thread(body), str(body.get("response_url") or ""), via)
    return Click(
        action_id=str(action.get("action_id") or "").partition(OF)[0],
        place=place,
        errand=_errand(str(action.get("value") or ""), channel, ts) or carried,
        trigger_id=str(body.get("trigger_id") or ""),
        view_id=str(view.get("id") or ""),
        selected=str(action.get("selected_user") or ""),
        fields=filled(view),
        handoff=int(value) if (value := str(action.get("value") or "")).isdecimal() else 0,
    )


def decision(body: Body) -> tuple[int, bool, str] | None:
    """Which approval, whether yes, and what its button showed."""
    action = (body.get("actions") or [{}])[0]
    shown = re.fullmatch(r"(\d{1,12}):([0-9a-f]{1,64})", str(action.get("value") or ""))
    said = re.fullmatch(r"approval\.(yes|no)\.\d{1,12}", str(action.get("action_id") or ""))
    return (int(shown[1]), said[1] == "yes", shown[2]) if shown and said else None


def steering(body: Body) -> tuple[int, str] | None:
    """Which backfill, and what it is to do."""
    action = (body.get("actions") or [{}])[0]
    said = re.fullmatch(r"(backfill\.(?:stop|on))\.(\d{1,12})", str(action.get("action_id") or ""))
    return (int(said[2]), DOES[said[1]]) if said else None


def of_job(body: Body) -> str:
    """What a button about a run says, as it would be typed; empty where it says nothing."""
    action = (body.get("actions") or [{}])[0]
    does, value = str(action.get("action_id") or "").partition(OF)[0], str(action.get("value") or "")
    verb = {CANCEL: "cancel", RETRY: "retry"}.get(does)
    return f"{verb} {value}" if verb and re.fullmatch(r"[0-9]{1,12}", value) else ""


def _errand(value: str, channel: str, ts: str) -> Errand | None:
    match = BUTTON.fullmatch(value)
    return Errand(int(match[1]), int(match[2]), channel, ts, match[3] or "") if match else None


def _id(value: Any) -> str:
    return str(value.get("id") or "") if isinstance(value, Mapping) else str(value or "")


def _thread(body: Body) -> str | None:
    """The thread that the clicked message is a reply in; a card itself is none."""
    container, message = body.get("container") or {}, body.get("message") or {}
    thread = container.get("thread_ts") or message.get("thread_ts")
    return str(thread) if thread and thread != container.get("message_ts") else None


def action(clicked: Click, now: datetime) -> PersonAction | None:
    """What a click asks for, or None where it is no act."""
    by = clicked.place.user
    simple: Mapping[str, PersonAction] = {
        "alert.ack": Acknowledge(by),
        "alert.unack": Unacknowledge(by),
        "alert.take": Assign(by, by),
        "alert.snooze": SnoozeFor(by, now + SNOOZE),
        "alert.wake": Wake(by),
        "alert.reopen": Reopen(by),
        "alert.escalate": Escalate(by, fold(clicked.fields.get("note") or "")),
        "alert.rerun": Rerun(by),
        "alert.sheet": ShareRows(by),
    }
    if clicked.action_id == "alert.assign":
        return Assign(by, clicked.selected) if clicked.selected else None
    return simple.get(clicked.action_id)


def asked(body: Body) -> tuple[Place, int | None]:
    """Where a yes was said, and to what; None where it was a no."""
    clicked, value = click(body), str((body.get("actions") or [{}])[0].get("value") or "")
    yes = clicked.action_id == "ask.yes" and value.isdigit() and len(value) <= 15
    return clicked.place, int(value) if yes else None


def command(body: Body) -> tuple[Place, str]:
    place = Place(
        str(body.get("user_id") or ""),
        str(body.get("channel_id") or ""),
        None,
        str(body.get("response_url") or ""),
        "command",
    )
    return place, typed(str(body.get("text") or ""))


@dataclass(frozen=True)
class Mention:
    """What was said to us in a channel, a thread or a direct message."""

    place: Place
    text: str
    root_ts: str | None


def mention(body: Body, bot_user: str) -> Mention:
    event = body.get("event") or {}
    text = re.sub(rf"^\s*(?:<@{re.escape(bot_user)}(?:\|[^>]*)?>[\s,:]*)+", "", str(event.get("text") or ""))
    text = typed(text)
    root = event.get("thread_ts")
    root_ts = str(root) if root else None  # outside a thread Slack would not show an answer in one
    place = Place(str(event.get("user") or ""), str(event.get("channel") or ""), root_ts, via="mention")
    return Mention(place, text, root_ts)


def is_direct(body: Body) -> bool:
    """Whether somebody wrote it to us alone; a subtype says that a message was edited or deleted."""
    event = body.get("event") or {}
    return event.get("channel_type") == "im" and not event.get("subtype")


# Verbs that are about an alert: in its thread they need not name it.
ABOUT_ALERTS = frozenset(("show", "why", "ack", "acknowledge", "unack", "unacknowledge", "take", "assign"))
ABOUT_ALERTS |= {"snooze", "wake", "resolve", "close", "reopen", "escalate", "rerun"}
TARGET = re.compile(r"`?(?!until:)[a-z_][\w-]*[.:]\S+", re.IGNORECASE)  # seller:s_1, payments.x
NUMBER = re.compile(r"(?:alr-|#)?\d{1,9},?", re.IGNORECASE)


def in_thread(text: str, alert: int) -> str:
    """The command with the thread's alert named, where the person left it out: `ack` → `ack 142`."""
    verb, _, rest = text.partition(" ")
    following = rest.split()[:1]
    named = bool(following) and bool(
        NUMBER.fullmatch(following[0]) or "/archives/" in following[0] or TARGET.fullmatch(following[0])
    )
    if verb.lower() == "comment" and not (following and following[0].lower().startswith("alr-")):
        return f"{verb} {alert} {rest}".strip()
    if verb.lower() not in ABOUT_ALERTS or named or (verb.lower() == "rerun" and following):
        return text
    return f"{verb} {alert} {rest}".strip()


@dataclass(frozen=True)
class Shortcut:
    """A message that somebody wants in an alert's notes."""

    place: Place
    trigger_id: str
    text: str
    author: str
    channel: str
    root_ts: str
    ts: str


def shortcut(body: Body) -> Shortcut:
    message = body.get("message") or {}
    channel, ts = _id(body.get("channel")), str(body.get("message_ts") or message.get("ts") or "")
    return Shortcut(
        place=Place(_id(body.get("user")), channel, None, str(body.get("response_url") or "")),
        trigger_id=str(body.get("trigger_id") or ""),
        text=readable(str(message.get("text") or "")),
        author=str(message.get("user") or ""),
        channel=channel,
        root_ts=str(message.get("thread_ts") or ts),
        ts=ts,
    )


def typed(text: str) -> str:
    """A command or mention as it was typed: links are addresses, escapes are undone, people stay marked."""
    bare = re.sub(r"<(https?://[^>|]*)(?:\|[^>]*)?>", r"\1", text)
    parts = re.split(r"(<@[UW][A-Z0-9]{1,20}(?:\|[^>]*)?>)", bare)
    return "".join(part if at % 2 else readable(part) for at, part in enumerate(parts)).strip()


def readable(text: str) -> str:
    """A message's stored text as a person would write it: links and mentions without their brackets."""
    bare = re.sub(r"<([^>|]*)\|([^>]*)>", r"\2", text)
    bare = re.sub(r"<([^>]*)>", r"\1", bare)
    return bare.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
