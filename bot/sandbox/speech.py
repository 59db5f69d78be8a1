"""What people say and open: commands, messages, shortcuts, the Home tab."""

from __future__ import annotations

import secrets

from bot.sandbox import names, outgoing, payloads
from bot.sandbox.answers import Watch
from bot.sandbox.call import SlackError
from bot.sandbox.hand import NO_ANSWER, Act, CannotDo, Hand
from bot.sandbox.members import Channel
from bot.sandbox.mentions import mentioned, rich_text, typed
from bot.sandbox.names import Json
from bot.sandbox.replies import ResponseUrl
from bot.sandbox.wire import Ack


class Speech(Hand):
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
