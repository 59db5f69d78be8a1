"""What a person's screen shows after an act: waits for what follows the ack and gathers it."""

from __future__ import annotations

import asyncio
import copy
from dataclasses import dataclass, field

from bot.sandbox.members import Channel
from bot.sandbox.names import Json
from bot.sandbox.workspace import Workspace

QUIET_SECONDS = 0.08
WAIT_MS = 250


@dataclass
class Watch:
    """Looks at one person's screen from the moment of the act."""

    workspace: Workspace
    user: str
    channel: Channel | None = None
    ts: str | None = None
    before: Json = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.before = self._seen()

    def _seen(self) -> Json:
        w = self.workspace
        seen: Json = {"whispers": {e["ts"]: copy.copy(e) for e in w.ephemerals if e["user"] == self.user}}
        seen["views"] = [(view["id"], view["hash"]) for view in w.modals.stacks.get(self.user, [])]
        seen["home"] = w.modals.homes.get(self.user, {}).get("hash")
        seen["message"] = copy.copy(self.message())
        return seen

    def message(self) -> Json | None:
        return self.channel.messages.get(self.ts) if self.channel and self.ts else None

    async def settle(self, wait_ms: float) -> None:
        """Returns when what follows has come and it is quiet again, or when the time is over."""
        loop = asyncio.get_running_loop()
        end = loop.time() + wait_ms / 1000
        woken = asyncio.Event()
        self.workspace.watch(woken.set)
        try:
            while (left := end - loop.time()) > 0:
                woken.clear()
                quiet = min(left, QUIET_SECONDS if self._seen() != self.before else left)
                try:
                    await asyncio.wait_for(woken.wait(), quiet)
                except TimeoutError:
                    return
        finally:
            self.workspace.unwatch(woken.set)

    def gathered(self) -> Json:
        """New or changed ephemerals, open modals and which are new or changed, the message as it is now."""
        w = self.workspace
        old = self.before["whispers"]
        mine = [e for e in w.ephemerals if e["user"] == self.user]
        answer: Json = {"ephemerals": [e for e in mine if old.get(e["ts"]) != e]}
        answer["views"] = list(w.modals.stacks.get(self.user, []))
        known = set(self.before["views"])
        answer["opened"] = [v["id"] for v in answer["views"] if (v["id"], v["hash"]) not in known]
        answer["message"] = self.message()
        return copy.deepcopy(answer)
