"""One act of a person in Slack's client, and what all acts have in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bot.sandbox import forms, names
from bot.sandbox.answers import WAIT_MS, Watch
from bot.sandbox.delivery import Delivery
from bot.sandbox.members import Channel, User
from bot.sandbox.names import Json
from bot.sandbox.wire import Ack
from bot.sandbox.workspace import Workspace

NO_ANSWER = "failed because the app did not respond in time"


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


class Hand:
    """What every act needs: its place, its view, a trigger, and the answer to the person."""

    def __init__(self, workspace: Workspace, delivery: Delivery) -> None:
        self._workspace = workspace
        self._delivery = delivery

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
