"""Files at Slack go when what they show is forgotten here: rows by their age or by `patrol erase`, pictures
by their age. Whatever fails is tried again by a later round, and holds up no other."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from bot.deliver.refusals import WHOLE
from bot.process.errors import OutcomeUnknown, SlackBusy, SlackRefused
from bot.process.log import get
from bot.slack.client import SlackClient
from bot.store import Store
from bot.store.keeping import Keep
from bot.store.uploads import AT_ONCE

log = get("deliver")

GONE = frozenset({"file_not_found", "file_deleted"})  # somebody has deleted it before us


class Forgetting:
    def __init__(self, store: Store, slack: SlackClient, clock: Callable[[], datetime], keep: Keep) -> None:
        self.store = store
        self.slack = slack
        self.clock = clock
        self.keep = keep
        self._after = ""  # the last one that Slack would not delete

    def once(self) -> int:
        """How many files were deleted."""
        ages = [age for age in (self.keep.evidence, self.keep.history) if age]
        outlived = self.store.uploads.outlived(self.clock() - min(ages) if ages else None, self._after)
        done = 0
        for file_id in outlived:
            try:
                self.slack.forget(file_id)
            except SlackRefused as refused:
                if refused.code in WHOLE:
                    return self._not_now(done, refused)
                if refused.code not in GONE:
                    log.warning("a file stays at Slack", file=file_id, why=str(refused))
                    self._after = file_id
                    continue
            except (SlackBusy, OutcomeUnknown) as trouble:
                return self._not_now(done, trouble)
            self.store.uploads.gone(file_id)
            done += 1
        if len(outlived) < AT_ONCE:
            self._after = ""
        return done

    def _not_now(self, done: int, why: Exception) -> int:
        log.warning("files stay at Slack for now", why=str(why))
        return done
