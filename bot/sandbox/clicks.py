"""What people do with buttons, menus and forms: click, submit, close."""

from __future__ import annotations

from bot.sandbox import forms, outgoing, payloads
from bot.sandbox.answers import Watch
from bot.sandbox.call import SlackError
from bot.sandbox.hand import Act, CannotDo, Hand
from bot.sandbox.members import Channel
from bot.sandbox.names import Json
from bot.sandbox.replies import ResponseUrl

TROUBLE = "We had some trouble connecting. Try again?"


class Clicks(Hand):
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
