"""A small client of the sandbox's own API, for tests and scripts."""

from __future__ import annotations

from typing import Any

import httpx

from bot.sandbox import names
from bot.sandbox.names import Json


class Refused(Exception):
    """The sandbox could not do what was asked; the text says why."""


class SandboxClient:
    """Talks to a sandbox at `url`. Users and channels may be named by id or name.

    Every act returns what the person sees: `acked`, `ack_ms`, `ephemerals` (new ones), `views` (open modals),
    `opened` (ids of those that this act opened or changed), `message` (the clicked one as it is now), and
    `error` / `errors` when something went wrong for them.
    """

    bot_token = names.BOT_TOKEN
    app_token = names.APP_TOKEN
    signing_secret = names.SIGNING_SECRET

    def __init__(self, url: str, timeout: float = 15.0) -> None:
        self.url = url.rstrip("/")
        self.api = f"{self.url}/api/"
        # Plain HTTP on this machine: the certificates that TLS would need are not read.
        self._http = httpx.Client(base_url=self.url, timeout=timeout, trust_env=False, verify=False)

    def close_client(self) -> None:
        self._http.close()

    # -- looking -------------------------------------------------------------------------------------------

    def state(self, user: str | None = None, limit: int | None = None) -> Json:
        """Everything, or what this person sees; `limit` keeps the last messages of each channel."""
        wanted = {"user": user, "limit": limit}
        return self._get("/sandbox/state", {k: v for k, v in wanted.items() if v is not None})

    def channel(self, name: str) -> Json:
        """One channel of the state, with its messages; a person's name gives their direct message."""
        wanted = name.removeprefix("#")
        person = names.user_id(wanted)
        for channel in self.state()["channels"]:
            if wanted in (channel["id"], channel["name"]) or (channel["is_im"] and channel["user"] == person):
                found: Json = channel
                return found
        raise Refused(f"there is no channel {name!r}")

    def messages(self, channel: str, thread_ts: str | None = None) -> list[Json]:
        """The messages of a channel in order; with `thread_ts` the replies of that thread only."""
        said: list[Json] = self.channel(channel)["messages"]
        if thread_ts is None:
            return [m for m in said if m.get("thread_ts", m["ts"]) == m["ts"]]
        return [m for m in said if m.get("thread_ts") == thread_ts and m["ts"] != thread_ts]

    def journal(self, since: int = 0, kind: str | None = None, method: str | None = None) -> list[Json]:
        """What happened, oldest first; narrowed to a kind of entry or an API method."""
        entries: list[Json] = self._get("/sandbox/journal", {"since": since})["entries"]
        return [e for e in entries if kind in (None, e["kind"]) and method in (None, e.get("method"))]

    # -- acting --------------------------------------------------------------------------------------------

    def click(self, user: str, channel: str, ts: str, action_id: str, **more: Any) -> Json:
        """`more`: value, block_id, selected, wait_ms."""
        return self._post(
            "click", {"user": user, "channel": channel, "ts": ts, "action_id": action_id, **more}
        )

    def click_view(self, user: str, view_id: str, action_id: str, **more: Any) -> Json:
        """An element of a modal or of the Home tab; `more`: value, selected, values (the form's rest)."""
        return self._post("click", {"user": user, "view_id": view_id, "action_id": action_id, **more})

    def command(self, user: str, channel: str, text: str, **more: Any) -> Json:
        """`text` is the whole line, "/patrol ack 3"."""
        return self._post("command", {"user": user, "channel": channel, "text": text, **more})

    def submit(self, user: str, view_id: str, values: Json | None = None, **more: Any) -> Json:
        """`values` by action_id, or by block_id and action_id."""
        return self._post("submit", {"user": user, "view_id": view_id, "values": values or {}, **more})

    def close(self, user: str, view_id: str, **more: Any) -> Json:
        return self._post("close", {"user": user, "view_id": view_id, **more})

    def message(self, user: str, channel: str, text: str, thread_ts: str | None = None, **more: Any) -> Json:
        """Writes as a person; @patrol in the text calls the bot. The answer's `ts` is the message's."""
        body = {"user": user, "channel": channel, "text": text, "thread_ts": thread_ts, **more}
        return self._post("message", body)

    def shortcut(self, user: str, channel: str, ts: str, callback_id: str, **more: Any) -> Json:
        return self._post(
            "shortcut", {"user": user, "channel": channel, "ts": ts, "callback_id": callback_id, **more}
        )

    def open_home(self, user: str, **more: Any) -> Json:
        return self._post("open_home", {"user": user, **more})

    # -- changing the workspace, making trouble ------------------------------------------------------------

    def faults(self, *rules: Json, **more: Any) -> Json:
        """faults({"method": "chat.postMessage", "fault": "store_then_drop", "times": 1}, seed=1)."""
        return self._post("faults", {"rules": list(rules), **more})

    def no_faults(self) -> Json:
        return self._post("faults", {"clear": True})

    def cut_sockets(self) -> Json:
        return self._post("faults", {"cut_sockets": True})

    def refresh_sockets(self, how: bool | str = True) -> Json:
        """One connection after another, as on Slack; "all" at once; "warning" only announces it."""
        return self._post("faults", {"refresh_sockets": how})

    def set_channel(self, name: str, **changes: Any) -> Json:
        """`changes`: archived, private, shared, remove_bot, topic, members."""
        return self._post("channel", {"name": name, **changes})

    def set_user(self, name: str, **changes: Any) -> Json:
        """`changes`: real_name, guest, deleted, team, tz, dnd (from and until, in seconds of the epoch)."""
        return self._post("user", {"name": name, **changes})

    def set_group(self, name: str, members: list[str]) -> str:
        """A user group; returns its id, S0 and the name."""
        return str(self._post("usergroup", {"name": name, "members": members})["id"])

    # -- inside --------------------------------------------------------------------------------------------

    def _get(self, path: str, params: Json) -> Json:
        return _read(self._http.get(path, params=params))

    def _post(self, what: str, body: Json) -> Json:
        return _read(self._http.post(f"/sandbox/{what}", json=body))


def _read(answer: httpx.Response) -> Json:
    body: Json = answer.json()
    if answer.status_code >= 400:
        raise Refused(body.get("error", f"status {answer.status_code}"))
    return body
