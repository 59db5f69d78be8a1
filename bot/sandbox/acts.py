"""What people do in Slack's client: click, command, submit, close, write, shortcut, open the Home tab."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any

from bot.sandbox import forms, names, outgoing, payloads
from bot.sandbox.answers import WAIT_MS, Watch
from bot.sandbox.call import SlackError
from bot.sandbox.delivery import Delivery
from bot.sandbox.mentions import mentioned, rich_text, typed
from bot.sandbox.names import Json
from bot.sandbox.replies import ResponseUrl
from bot.sandbox.wire import Ack
from bot.sandbox.workspace import Channel, User, Workspace

NO_ANSWER = "failed because the app did not respond in time"
TROUBLE = "We had some trouble connecting. Try again?"


class CannotDo(ValueError):
    """The request names something that is not there or not allowed; its text says what."""


@dataclass(frozen=True)
class Act:
    """One request of a person: who, with what, and the address under which the sandbox was reached."""

    user: User
    body: Json
    origin: str

    def text(self, name: str) -> str:
        value = self.body.get(name)
        return value if isinstance(value, str) else ""

    @property
    def wait_ms(self) -> float:
        return float(self.body.get("wait_ms", WAIT_MS))


class People:
    def __init__(self, workspace: Workspace, delivery: Delivery) -> None:
        self._workspace = workspace
        self._delivery = delivery

    # -- clicking ------------------------------------------------------------------------------------------

    async def click(self, act: Act) -> Json:
        if act.body.get("view_id"):
            return await self._click_view(act)
        channel = self._channel(act)
        ts = act.text("ephemeral_ts") or act.text("ts")
        whisper = self._workspace.find_whisper(act.user.id, ts)
        shown = whisper or channel.messages.get(ts)
        if shown is None:
            raise CannotDo(f"there is no message {ts} in {channel.name}")
        action = self._action(act, self._faces(channel, shown))
        target = ResponseUrl(
            act.user.id,
            channel.id,
            self._workspace.clock(),
            thread_ts=shown.get("thread_ts"),
            message_ts=ts,
            is_ephemeral=whisper is not None,
        )
        build = payloads.ephemeral_click if whisper else payloads.message_click
        url = act.origin + self._workspace.response_urls.issue(target)
        payload = build(act.user, channel, shown, action, self._trigger(act), url)
        watch = Watch(self._workspace, act.user.id, channel, ts)
        return await self._finish(act, watch, await self._delivery.interactive(payload))

    def _faces(self, channel: Channel, shown: Json) -> list[list[Json]]:
        """The blocks as they are now, then as they were, the latest first."""
        past = self._workspace.past.get(f"{channel.id}:{shown['ts']}", [])
        return [shown.get("blocks") or [], *past[::-1]]

    async def _click_view(self, act: Act) -> Json:
        view = self._view(act)
        action = self._action(act, [view["blocks"]])
        values = act.body.get("values") or {}
        view["state"] = {"values": self._filled(view, values)}
        entry = {key: value for key, value in action.items() if key == "type" or key.startswith("selected")}
        if action["type"] not in ("button", "overflow"):
            view["state"]["values"].setdefault(action["block_id"], {})[action["action_id"]] = entry
        payload = payloads.view_click(act.user, view, action, self._trigger(act, view["id"]))
        watch = Watch(self._workspace, act.user.id)
        return await self._finish(act, watch, await self._delivery.interactive(payload))

    def _action(self, act: Act, faces: list[list[Json]]) -> Json:
        """The entry under `actions`: the element as it stands, as it once stood, or as the caller says."""
        wanted, block_id = act.text("action_id"), act.text("block_id") or None
        found = next((hit for face in faces if (hit := forms.find(face, wanted, block_id))), None)
        block, element = found or ({"block_id": block_id or "gone"}, self._remembered(act, wanted))
        action: Json = {"action_id": wanted, "block_id": block["block_id"], "type": element["type"]}
        action["action_ts"] = self._workspace.new_ts()
        given = act.body.get("selected", act.body.get("value"))
        if element["type"] in ("button", "icon_button"):
            action |= {key: element[key] for key in ("text", "value", "style") if key in element}
            return action | ({"value": act.text("value")} if act.text("value") else {})
        try:
            return action | forms.state_of(element, given)
        except forms.NoSuchOption as mistake:
            raise CannotDo(str(mistake)) from None

    def _remembered(self, act: Act, wanted: str) -> Json:
        """A button that no message shows any more: only with a value is it worth sending."""
        if not act.text("value"):
            raise CannotDo(f"there is no element {wanted!r} to click; give a value to click a stale one")
        return {"type": "button", "text": {"type": "plain_text", "text": wanted, "emoji": True}}

    # -- commands, messages, shortcuts, Home ---------------------------------------------------------------

    async def command(self, act: Act) -> Json:
        channel = self._channel(act)
        line = act.text("text").strip()
        name, _, rest = line.partition(" ")
        watch = Watch(self._workspace, act.user.id, channel)
        refusal = self._refused_command(act, name)
        if refusal:
            return await self._finish(act, watch, None, self._slackbot(act, channel, refusal, line))
        target = ResponseUrl(act.user.id, channel.id, self._workspace.clock(), in_reply_to=line)
        url = act.origin + self._workspace.response_urls.issue(target)
        if name in self._workspace.app.escaping:
            rest = self._typed(rest, labels=True)
        payload = payloads.command(act.user, channel, name, rest.strip(), self._trigger(act), url)
        ack = await self._delivery.command(payload)
        error = None
        if not ack.acked:
            error = self._slackbot(act, channel, f"{name} {NO_ANSWER}", line)
        elif ack.payload and (ack.payload.get("text") or ack.payload.get("blocks")):
            error = self._reply(act, target, ack.payload)
        return await self._finish(act, watch, ack, error)

    def _refused_command(self, act: Act, name: str) -> str | None:
        if act.text("thread_ts"):
            return f"{name} is not supported in threads. Sorry!"
        if name not in {entry["command"] for entry in self._workspace.app.commands}:
            return f"{name} is not a valid command. In Slack, a line that starts with / is a command."
        return None

    def _reply(self, act: Act, target: ResponseUrl, payload: Json) -> str | None:
        try:
            outgoing.respond(self._workspace, target, payload)
        except SlackError as error:
            channel = self._workspace.channels[target.channel]
            return self._slackbot(act, channel, f"The app's answer was refused: {error.error}", None)
        return None

    def _slackbot(self, act: Act, channel: Channel, text: str, line: str | None) -> str:
        """Slackbot tells this person, in the channel."""
        self._workspace.whisper(channel, act.user.id, text, sender=names.SLACKBOT, in_reply_to=line)
        return text

    async def message(self, act: Act) -> Json:
        channel = self._channel(act)
        if channel.is_archived:
            raise CannotDo(f"{channel.name} is archived")
        w = self._workspace
        text = self._typed(act.text("text"))
        if not text.strip():
            raise CannotDo("a message needs a text")
        if channel.is_im and not w.app.messages_tab:
            raise CannotDo("Sending messages to this app has been turned off.")
        watch = Watch(w, act.user.id, channel)
        message = w.post(channel, act.user.id, text, **self._thread(channel, act))
        watch.ts = message.get("thread_ts") or message["ts"]
        watch.before["message"] = dict(watch.message() or {})
        ack = await self._tell(channel, message)
        answer = await self._finish(act, watch, ack)
        return {**answer, "ts": message["ts"]}

    def _typed(self, text: str, labels: bool = False) -> str:
        people = [(user.name, user.id) for user in self._workspace.users.values()]
        places = [(c.name, c.id) for c in self._workspace.channels.values() if not c.is_im]
        return typed(text, people, places, labels)

    def _thread(self, channel: Channel, act: Act) -> Json:
        details: Json = {"client_msg_id": secrets.token_hex(16)}
        ts = act.text("thread_ts")
        if not ts:
            return details
        if ts not in channel.messages:
            raise CannotDo(f"there is no message {ts} in {channel.name}")
        return {**details, "thread_ts": ts, "parent_user_id": channel.messages[ts]["user"]}

    async def _tell(self, channel: Channel, message: Json) -> Ack | None:
        """Sends the events that the app subscribed to; the ack of the last of them."""
        w = self._workspace
        ack = None
        for kind in self._events_for(channel, message):
            inner = payloads.message_event(kind, channel, message, rich_text(message["text"]))
            ack = await self._delivery.event(payloads.event(w, inner, channel))
        return ack

    def _events_for(self, channel: Channel, message: Json) -> list[str]:
        if names.BOT_USER not in channel.members:
            return []
        w = self._workspace
        named = names.BOT_USER in mentioned(message["text"], None)[0]
        kind = "im" if channel.is_im else "groups" if channel.is_private else "channels"
        kinds = ["app_mention"] if named and not channel.is_im and "app_mention" in w.app.events else []
        return [*kinds, "message"] if f"message.{kind}" in w.app.events else kinds

    async def shortcut(self, act: Act) -> Json:
        w = self._workspace
        known = [entry.get("callback_id") for entry in w.app.shortcuts]
        if w.app.scopes is not None and act.text("callback_id") not in known:
            raise CannotDo(f"the manifest has no shortcut {act.text('callback_id')!r}")
        trigger, at = self._trigger(act), w.new_ts()
        if not act.text("ts"):
            payload = payloads.global_shortcut(act.user, act.text("callback_id"), trigger, at)
            watch = Watch(w, act.user.id)
            return await self._finish(act, watch, await self._delivery.interactive(payload))
        channel = self._channel(act)
        message = channel.messages.get(act.text("ts"))
        if message is None:
            raise CannotDo(f"there is no message {act.text('ts')} in {channel.name}")
        target = ResponseUrl(act.user.id, channel.id, w.clock(), message.get("thread_ts"), message["ts"])
        url = act.origin + w.response_urls.issue(target)
        callback = act.text("callback_id")
        payload = payloads.message_shortcut(act.user, channel, message, callback, trigger, url, at)
        watch = Watch(w, act.user.id, channel, message["ts"])
        return await self._finish(act, watch, await self._delivery.interactive(payload))

    async def open_home(self, act: Act) -> Json:
        w = self._workspace
        watch = Watch(w, act.user.id)
        ack = None
        if w.app.home_tab and "app_home_opened" in w.app.events:
            view = w.modals.homes.get(act.user.id)
            inner = payloads.home_opened(act.user, w.dm(act.user.id), view, w.new_ts())
            ack = await self._delivery.event(payloads.event(w, inner))
        answer = await self._finish(act, watch, ack)
        return {**answer, "home": w.modals.homes.get(act.user.id)}

    # -- modals --------------------------------------------------------------------------------------------

    async def submit(self, act: Act) -> Json:
        view = self._view(act)
        watch = Watch(self._workspace, act.user.id)
        state = self._filled(view, act.body.get("values") or {})
        view["state"] = {"values": state}
        said = forms.refusals(view, state)
        if said:
            return await self._finish(act, watch, None, errors=self._show_errors(view, said))
        trigger = self._trigger(act, view["id"])
        ack = await self._delivery.interactive(payloads.view_submission(act.user, view, trigger))
        error = None if ack.acked else TROUBLE
        if ack.acked:
            try:
                said = outgoing.submitted(self._workspace, view, ack.payload)
            except SlackError as mistake:
                error = f"{TROUBLE} ({mistake.error})"
        return await self._finish(act, watch, ack, error, self._show_errors(view, said))

    def _show_errors(self, view: Json, said: dict[str, str]) -> dict[str, str]:
        view.pop("errors", None)
        if said:
            view["errors"] = said
            self._workspace.changed()
        return said

    async def close(self, act: Act) -> Json:
        view = self._view(act)
        watch = Watch(self._workspace, act.user.id)
        whole = bool(act.body.get("all"))
        ack = None
        for closed in self._workspace.modals.close(view, whole):
            if closed["notify_on_close"]:
                ack = await self._delivery.interactive(payloads.view_closed(act.user, closed, whole))
        return await self._finish(act, watch, ack)

    # -- inside --------------------------------------------------------------------------------------------

    def _channel(self, act: Act) -> Channel:
        wanted = act.text("channel")
        if wanted.removeprefix("@") in (names.BOT_NAME, names.BOT_USER):
            return self._workspace.dm(act.user.id)
        channel = self._workspace.find_channel(wanted)
        if channel is None or (act.user.id not in channel.members and (channel.is_private or channel.is_im)):
            raise CannotDo(f"{act.user.name} sees no channel {wanted!r}")
        return channel

    def _view(self, act: Act) -> Json:
        view_id = act.text("view_id")
        home = self._workspace.modals.homes.get(act.user.id)
        if home and home["id"] == view_id:
            return home
        view = self._workspace.modals.find(view_id)
        if view is None or view["user"] != act.user.id:
            raise CannotDo(f"{act.user.name} has no view {view_id!r} open")
        return view

    def _filled(self, view: Json, values: Any) -> Json:
        try:
            return forms.filled(view, values)
        except forms.NoSuchOption as mistake:
            raise CannotDo(str(mistake)) from None

    def _trigger(self, act: Act, view_id: str | None = None) -> str:
        return self._workspace.modals.issue_trigger(act.user.id, view_id)

    async def _finish(
        self,
        act: Act,
        watch: Watch,
        ack: Ack | None,
        error: str | None = None,
        errors: dict[str, str] | None = None,
    ) -> Json:
        if ack is not None and ack.acked:
            await watch.settle(act.wait_ms)
        if ack is not None and not ack.acked and error is None:
            error = f"This {NO_ANSWER}."
        answer: Json = {"ok": True, "acked": bool(ack and ack.acked), "ack_ms": ack.ms if ack else None}
        answer |= watch.gathered()
        answer |= {"errors": errors} if errors else {}
        return answer | ({"error": error} if error else {})
