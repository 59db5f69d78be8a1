"""Pulls each bundle that lies in a repository once a minute, in one of all processes, into the store."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from bot.bundles.checkout import home_of, origin_of, pull
from bot.bundles.git import Git
from bot.bundles.stored import packed
from bot.process.errors import PatrolError, PullFailed
from bot.process.killpoint import reach
from bot.process.log import get
from bot.store import Store
from sensors.model.bundle import Bundle

log = get("bundles")

AT_ONCE = 4  # so that a host that does not answer holds up no other


@dataclass(frozen=True)
class Pulling:
    """`once` pulls what is due; `now` what is named. Thread-safe, and safe beside other processes."""

    store: Store
    project: Path
    bundles: Sequence[Bundle]  # that lie in repositories
    clock: Callable[[], datetime]
    every: timedelta = timedelta(minutes=1)
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)
    stopping: threading.Event = field(default_factory=threading.Event)

    def once(self) -> int:
        """How many bundles were pulled."""
        if not self.bundles or self.stopping.is_set():
            return 0
        known, now = self.store.pulls.all(), self.clock()
        due = [
            one
            for one in self.bundles
            if (was := known.get(one.name)) is None
            or was.source != one.source
            or not timedelta() <= now - was.tried_at < self.every
        ]
        ended = self._all(due, self.every)
        for name, why in ended.items():
            if why and not self.stopping.is_set():
                log.warning("not pulled", bundle=name, why=why)
        return sum(why == "" for why in ended.values())

    def now(self, bundles: Sequence[Bundle]) -> dict[str, str]:
        """Pulls these, whoever has just done so. By bundle, why it could not be pulled, in words, or ""."""
        return {name: failed or "" for name, failed in self._all(bundles, timedelta()).items()}

    def _all(self, bundles: Sequence[Bundle], every: timedelta) -> dict[str, str | None]:
        if not bundles:
            return {}
        with ThreadPoolExecutor(min(AT_ONCE, len(bundles)), thread_name_prefix="pull") as threads:
            ended = threads.map(lambda one: self._one(one, every), bundles)
            return {bundle.name: failed for bundle, failed in zip(bundles, ended, strict=True)}

    def _one(self, bundle: Bundle, every: timedelta) -> str | None:
        """Why it failed; "" where it did not; None where another process has it."""
        began = self.clock()
        if not self.store.pulls.claim(bundle.name, bundle.source, began, every):
            return None
        try:
            self._pull(bundle, began)
        except PullFailed as failed:
            if not self.stopping.is_set():
                self.store.pulls.failed(bundle.name, began, str(failed))
            return str(failed)
        except PatrolError:
            raise  # the store is away: that is everybody's
        except Exception:
            log.exception("pull failed", bundle=bundle.name)
            self.store.pulls.failed(bundle.name, began, "it broke something here: see Patrol's log")
            return "it broke something here: see Patrol's log"
        return ""

    def _pull(self, bundle: Bundle, began: datetime) -> None:
        git = Git(origin_of(bundle, self.environ), self.stopping)
        home = home_of(self.project, bundle)
        found = pull(git, home, bundle, began)
        files = packed(found.files(home))
        if self.store.pulls.pulled(bundle.name, began, found.commit, files, self.clock()):
            reach("bundle.kept")
