"""Home tabs as they stand: drawn when opened, after what was done there, and for a while when they change.

Slack does not say when a tab is left. In memory, of this process."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace

from bot.core.reply import Person, StatusReply
from bot.process.errors import PatrolError
from bot.slack.blocks import Face
from bot.slack.client import SlackClient
from bot.slack.home import home
from bot.slack.lines import ANYWHERE, Room

LOOKED_AFTER_S = 900.0  # after it was opened, or something was done in it
NOTICE_S = 90.0  # for which it says what was done
MOST = 20  # tabs at a time
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Tab:
    """What Slack shows of one person's, and until when that matters."""

    until: float
    shown: str = ""
    notice: str = ""
    notice_until: float = 0.0


class Homes:
    """Thread-safe."""

    def __init__(
        self,
        status: Callable[[Person], StatusReply],
        client: SlackClient,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._status = status
        self._client = client
        self._clock = clock
        self._tabs: OrderedDict[str, Tab] = OrderedDict()
        self._lock = threading.Lock()

    def opened(self, user: str) -> None:
        """Draws it, also where nothing has changed: Slack may have forgotten it."""
        self._touch(user, Tab(self._clock() + LOOKED_AFTER_S))
        self._draw(user)

    def acted(self, user: str, face: Face) -> None:
        """Says in it what was done there: nobody has another place to be told."""
        now = self._clock()
        self._touch(user, Tab(now + LOOKED_AFTER_S, "", words(face), now + NOTICE_S))
        self._draw(user)

    def once(self) -> int:
        """Draws those anew of which something has changed; how many."""
        with self._lock:
            now = self._clock()
            for user in [user for user, tab in self._tabs.items() if tab.until < now]:
                del self._tabs[user]
            users = list(self._tabs)
        return sum(self._quietly(user) for user in users)

    def _quietly(self, user: str) -> bool:
        """One tab that cannot be drawn holds up no other."""
        try:
            return self._draw(user)
        except PatrolError as error:
            log.info("a Home tab was not drawn: %s", error)
            return False

    def _touch(self, user: str, tab: Tab) -> None:
        with self._lock:
            self._tabs.pop(user, None)
            self._tabs[user] = tab
            while len(self._tabs) > MOST:
                self._tabs.popitem(last=False)

    def _draw(self, user: str) -> bool:
        """Whether it had to be. Of two at a time the later one finds what the earlier has shown."""
        with self._lock:
            tab = self._tabs.get(user)
        if tab is None:
            return False
        notice = tab.notice if self._clock() < tab.notice_until else ""
        person = Person(user)
        room = Room(ANYWHERE.prefix, self._client.address)
        view = home(self._status(person), person, room, notice)
        shown = json.dumps(view, sort_keys=True)
        if shown == tab.shown:
            return False
        self._client.publish_home(user, view)
        with self._lock:
            if self._tabs.get(user) is tab:
                self._tabs[user] = replace(tab, shown=shown)
        return True


def words(face: Face) -> str:
    """What an answer says, as one text."""
    said = [block["text"]["text"] for block in face.blocks if block["type"] == "section"]
    small = [
        part["text"] for block in face.blocks if block["type"] == "context" for part in block["elements"]
    ]
    return "\n".join([*said, *small])[:2_900] or face.text
