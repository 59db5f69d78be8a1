"""The state of the one workspace: people, channels, messages, what is shown to whom.

Every change goes through here, raises `rev`, is kept on the shelf and wakes those who watch.
Knows no HTTP and no sockets.
"""

from __future__ import annotations

import base64
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import asdict
from typing import Any
from urllib.parse import urlsplit

from bot.sandbox import names
from bot.sandbox.journal import Journal
from bot.sandbox.members import Channel, User
from bot.sandbox.modals import Modals
from bot.sandbox.names import Json
from bot.sandbox.pings import pinged
from bot.sandbox.replies import ResponseUrls
from bot.sandbox.seed import AppProfile, Seed
from bot.sandbox.shelf import NoShelf, Shelf

COLORS = ("e8912d", "2bac76", "4bbe2e", "e23d7a", "5b89d5", "9f69e7", "c386df", "43761b")
TICKET_SECONDS = 30.0
SCAN = 0.3  # seconds for which a file is looked at
PICTURES = {"image/png": b"\x89PNG\r\n\x1a\n", "image/jpeg": b"\xff\xd8\xff", "image/gif": b"GIF8"}
KEEP_FACES = 5
KEEP_EPHEMERALS = 300
KEEP_NOTIFICATIONS = 2_000


class Workspace:
    """One lock guards everything; the server's loop and tests that look in take it."""

    def __init__(
        self,
        seed: Seed | None = None,
        app: AppProfile | None = None,
        shelf: Shelf | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.app = app or AppProfile()
        self.clock = clock
        self.lock = threading.RLock()
        self.journal = Journal()
        self.rev = int(clock() * 1000)  # so that it has grown after a restart too
        self.users: dict[str, User] = {}
        self.channels: dict[str, Channel] = {}
        self.ephemerals: list[Json] = []
        self.notifications: list[Json] = []
        self.files: dict[str, Json] = {}
        self.contents: dict[str, bytes] = {}
        self.scan = SCAN
        self._scanned: dict[str, float] = {}  # files that Slack still looks at, and until when
        self.groups: dict[str, list[str]] = {}
        self.past: dict[str, list[list[Json]]] = {}
        self._tickets: dict[str, float] = {}
        self.modals = Modals(clock, self.changed, self.keep)
        self.response_urls = ResponseUrls()
        self.edit_window: float | None = None
        self._watchers: set[Callable[[], None]] = set()
        self._shelf = shelf or NoShelf()
        self._last_ts = 0
        self._load()
        self._plant(seed or Seed())

    # -- start and keep ------------------------------------------------------------------------------------

    def _load(self) -> None:
        for key, value in self._shelf.all("user"):
            self.users[key] = User(**value)
        for key, value in self._shelf.all("channel"):
            self.channels[key] = Channel(**value)
        for key, value in self._shelf.all("message"):
            self.channels[key.split(":")[0]].messages[value["ts"]] = value
            self._last_ts = max(self._last_ts, _micros(value["ts"]))
        self.ephemerals = [value for _, value in self._shelf.all("ephemeral")]
        self.notifications = [value for _, value in self._shelf.all("notification")]
        self.files = dict(self._shelf.all("file"))
        self.contents = {key: base64.b64decode(value) for key, value in self._shelf.all("content")}
        self.groups = dict(self._shelf.all("group"))
        self.modals.homes = dict(self._shelf.all("home"))
        for entry in (*self.ephemerals, *self.notifications):
            self._last_ts = max(self._last_ts, _micros(entry["ts"]))

    def _plant(self, seed: Seed) -> None:
        if names.BOT_USER not in self.users:
            self.add_user(names.BOT_NAME, is_bot=True, real_name="Patrol")
        for name in seed.users:
            if names.user_id(name) not in self.users:
                self.add_user(name)
        for name in seed.channels:
            if names.channel_id(name) not in self.channels:
                self.add_channel(name)

    def keep(self, kind: str, key: str, value: Any) -> None:
        """Puts one thing on the shelf and tells those who watch."""
        self._shelf.put(kind, key, value)
        self.changed()

    def store_content(self, file_id: str, content: bytes) -> None:
        self.contents[file_id] = content
        self.keep("content", file_id, base64.b64encode(content).decode())

    def look_at_file(self, file_id: str) -> None:
        """For a while nothing is known of the file but that it is there."""
        self._scanned.setdefault(file_id, time.monotonic() + self.scan)

    def mimetype(self, file_id: str) -> str:
        """Of a file that was looked at; before, and of one that never came, ""."""
        if time.monotonic() < self._scanned.get(file_id, 0.0):
            return ""
        content = self.contents.get(file_id)
        return "" if content is None else kind_of_content(content)

    def shows_file(self, named: str) -> bool:
        """Whether blocks may show it: a picture that is there and was looked at, by its id or its address."""
        parts = urlsplit(named).path.split("/")
        file_id = parts[2] if parts[:2] == ["", "files"] and len(parts) > 2 else named
        complete = self.files.get(file_id, {}).get("state") == "complete"
        return complete and self.mimetype(file_id) in PICTURES

    def remove_file(self, file_id: str) -> None:
        """Messages that show it keep its place, without it."""
        file = self.files.pop(file_id)
        self.contents.pop(file_id, None)
        self._shelf.drop("file", file_id)
        self._shelf.drop("content", file_id)
        stone: Json = {"id": file_id, "mode": "tombstone", "title": "This file was deleted."}
        for channel_id, shown in file.get("shares", {}).items():
            for ts in shown:
                if message := self.channels[channel_id].messages.get(ts):
                    files = [stone if one["id"] == file_id else one for one in message.get("files", [])]
                    self.update(self.channels[channel_id], message, {"files": files})

    def set_group(self, handle: str, members: list[str]) -> str:
        """A user group and who is in it; its id is S0 and the handle."""
        key = names.group_id(handle)
        self.groups[key] = members
        self.keep("group", key, members)
        return key

    def changed(self) -> None:
        self.rev += 1
        for wake in tuple(self._watchers):
            wake()

    def watch(self, wake: Callable[[], None]) -> None:
        self._watchers.add(wake)

    def unwatch(self, wake: Callable[[], None]) -> None:
        self._watchers.discard(wake)

    def close(self) -> None:
        self._shelf.close()

    def new_ts(self) -> str:
        """Unique in the whole workspace and always later than the one before."""
        self._last_ts = max(int(self.clock() * 1_000_000), self._last_ts + 1)
        return f"{self._last_ts // 1_000_000}.{self._last_ts % 1_000_000:06d}"

    def issue_ticket(self) -> str:
        """A ticket for one Socket Mode connection."""
        ticket = secrets.token_hex(16)
        self._tickets[ticket] = self.clock()
        return ticket

    def use_ticket(self, ticket: str) -> bool:
        """True once for a ticket no older than half a minute."""
        issued = self._tickets.pop(ticket, None)
        return issued is not None and self.clock() - issued <= TICKET_SECONDS

    # -- people and channels -------------------------------------------------------------------------------

    def add_user(self, name: str, **details: Any) -> User:
        """Creates a person, or changes one that exists, and puts new ones in every public channel."""
        key = names.user_id(name)
        known = self.users.get(key)
        if known is None:
            color = COLORS[len(self.users) % len(COLORS)]
            known = User(key, name.lower(), details.pop("real_name", name.capitalize()), color=color)
            self.users[key] = known
            for channel in self.channels.values():
                if not channel.is_private and not channel.is_im:
                    self.join(channel, key)
        for detail, value in details.items():
            setattr(known, detail, value)
        self.keep("user", key, asdict(known))
        return known

    def add_channel(self, name: str, **details: Any) -> Channel:
        """Creates a channel with everyone in it, or changes one that exists."""
        key = names.channel_id(name)
        channel = self.channels.get(key)
        if channel is None:
            channel = Channel(key, name, list(self.users), created=int(self.clock()))
            self.channels[key] = channel
        for detail, value in details.items():
            setattr(channel, detail, value)
        self.keep("channel", key, channel.kept())
        return channel

    def join(self, channel: Channel, user: str) -> None:
        if user not in channel.members:
            channel.members.append(user)
            self.keep("channel", channel.id, channel.kept())

    def leave(self, channel: Channel, user: str) -> None:
        if user in channel.members:
            channel.members.remove(user)
            self.keep("channel", channel.id, channel.kept())

    def dm(self, user: str) -> Channel:
        """The direct message between the bot and this person, opened when first needed."""
        key = names.dm_id(user)
        if key not in self.channels:
            members = [user, names.BOT_USER]
            created = int(self.clock())
            self.channels[key] = Channel(key, user, members, is_im=True, user=user, created=created)
            self.keep("channel", key, self.channels[key].kept())
        return self.channels[key]

    def find_user(self, wanted: str) -> User | None:
        """By id, name or @name."""
        name = wanted.removeprefix("@").lower()
        return self.users.get(wanted) or next((u for u in self.users.values() if u.name == name), None)

    def find_channel(self, wanted: str) -> Channel | None:
        """By id, name or #name."""
        name = wanted.removeprefix("#")
        found = self.channels.get(wanted)
        return found or next((c for c in self.channels.values() if not c.is_im and c.name == name), None)

    # -- messages ------------------------------------------------------------------------------------------

    def post(self, channel: Channel, user: str, text: str, **details: Any) -> Json:
        """Stores a message; `details` are its other keys (blocks, metadata, thread_ts, files, subtype …)."""
        message: Json = {"type": "message", "user": user, "text": text, "ts": self.new_ts()}
        message |= {"team": names.TEAM_ID, **details}
        channel.messages[message["ts"]] = message
        self._keep_message(channel, message)
        if message.get("thread_ts"):
            self._count_replies(channel, message["thread_ts"])
        self._notify(channel, message)
        self.journal.write(
            "posted", self.clock(), channel=channel.id, ts=message["ts"], user=user, text=text[:200]
        )
        return message

    def update(self, channel: Channel, message: Json, changes: Json) -> None:
        """Changes a message in place; a key with None is taken away."""
        if "blocks" in changes:
            faces = self.past.setdefault(f"{channel.id}:{message['ts']}", [])
            faces.append(message.get("blocks") or [])
            del faces[:-KEEP_FACES]
        message.update({key: value for key, value in changes.items() if value is not None})
        for key in [key for key, value in changes.items() if value is None]:
            message.pop(key, None)
        self._keep_message(channel, message)
        self.journal.write("updated", self.clock(), channel=channel.id, ts=message["ts"])

    def delete(self, channel: Channel, message: Json) -> None:
        """A parent with replies leaves a tombstone, as Slack shows it; anything else is gone."""
        ts = message["ts"]
        if message.get("reply_count"):
            gone = {"subtype": "tombstone", "text": "This message was deleted.", "user": names.SLACKBOT}
            stale = ("blocks", "metadata", "files", "bot_id", "app_id", "bot_profile", "edited")
            self.update(channel, message, {**gone, **dict.fromkeys(stale)})
        else:
            del channel.messages[ts]
            self._shelf.drop("message", f"{channel.id}:{ts}")
            self.changed()
        self.journal.write("deleted", self.clock(), channel=channel.id, ts=ts)
        if message.get("thread_ts") and message["thread_ts"] != ts:
            self._count_replies(channel, message["thread_ts"])

    def replies(self, channel: Channel, thread_ts: str) -> list[Json]:
        return [
            m for ts, m in channel.messages.items() if m.get("thread_ts") == thread_ts and ts != thread_ts
        ]

    def _keep_message(self, channel: Channel, message: Json) -> None:
        self.keep("message", f"{channel.id}:{message['ts']}", message)

    def _count_replies(self, channel: Channel, thread_ts: str) -> None:
        parent = channel.messages.get(thread_ts)
        if parent is None:
            return
        replies = channel.replies(thread_ts)
        users = list(dict.fromkeys(reply["user"] for reply in replies))
        if replies:
            counted: Json = {"reply_count": len(replies), "reply_users": users[:5]}
            counted |= {"reply_users_count": len(users), "latest_reply": replies[-1]["ts"]}
            parent.update({"thread_ts": thread_ts, **counted})
        else:
            for key in ("thread_ts", "reply_count", "reply_users", "reply_users_count", "latest_reply"):
                parent.pop(key, None)
        self._keep_message(channel, parent)

    # -- what single people see ----------------------------------------------------------------------------

    def whisper(self, channel: Channel, user: str, text: str, **details: Any) -> Json:
        """A message that only this person sees."""
        entry: Json = {"user": user, "channel": channel.id, "ts": self.new_ts(), "text": text}
        entry |= {key: value for key, value in details.items() if value is not None}
        self.ephemerals.append(entry)
        self.keep("ephemeral", entry["ts"], entry)
        for old in self.ephemerals[:-KEEP_EPHEMERALS]:
            self.unwhisper(old)
        self.journal.write(
            "ephemeral", self.clock(), **{k: entry[k] for k in ("user", "channel", "ts", "text")}
        )
        return entry

    def rewhisper(self, entry: Json, changes: Json) -> None:
        entry.update(changes)
        self.keep("ephemeral", entry["ts"], entry)

    def unwhisper(self, entry: Json) -> None:
        self.ephemerals.remove(entry)
        self._shelf.drop("ephemeral", entry["ts"])
        self.changed()

    def find_whisper(self, user: str, ts: str) -> Json | None:
        return next((e for e in self.ephemerals if e["ts"] == ts and e["user"] == user), None)

    def _notify(self, channel: Channel, message: Json) -> None:
        for user, why in pinged(message, channel, self.users, self.groups).items():
            entry: Json = {"user": user, "channel": channel.id, "ts": message["ts"], "text": message["text"]}
            entry |= {"why": why, "thread_ts": message.get("thread_ts")}
            self.notifications.append(entry)
            self.keep("notification", f"{message['ts']}:{user}", entry)
        for old in self.notifications[:-KEEP_NOTIFICATIONS]:
            self._shelf.drop("notification", f"{old['ts']}:{old['user']}")
        del self.notifications[:-KEEP_NOTIFICATIONS]


def _micros(ts: str) -> int:
    seconds, _, fraction = ts.partition(".")
    return int(seconds) * 1_000_000 + int(fraction or 0)


def kind_of_content(content: bytes) -> str:
    """What a file is, by how it begins."""
    known = next((kind for kind, first in PICTURES.items() if content.startswith(first)), "")
    return known or ("text/plain" if b"\0" not in content[:1_000] else "application/octet-stream")


def short_id(prefix: str) -> str:
    """A fresh id such as V0K3J9…: a prefix and nine letters."""
    return prefix + secrets.token_hex(6).upper()[:9]
