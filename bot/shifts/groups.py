"""Who is in Slack's user groups that teams name: read now and then, and kept in the store."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from bot.process.errors import OutcomeUnknown, SlackBusy, SlackRefused
from bot.process.log import get
from bot.project import Project
from bot.slack.client import SlackClient, User
from bot.store import Store

log = get("shifts")

READ_EVERY = timedelta(minutes=10)
AGAIN = timedelta(minutes=1)  # after Slack gave no answer; one process at a time asks
KNOWN_FOR = timedelta(hours=6)  # what Slack said of a person
MOST = 200  # people of one group


class Groups:
    """The files name the groups; who is in them reaches the catalog by the store."""

    def __init__(
        self, store: Store, project: Project, slack: SlackClient, clock: Callable[[], datetime]
    ) -> None:
        self.store = store
        self.project = project
        self.slack = slack
        self.clock = clock
        self._people: dict[str, tuple[datetime, User]] = {}

    def once(self) -> None:
        """Reads what is due. Whatever Slack refuses, the last known members stay."""
        wanted = {team.members_from for team in self.project.catalog.teams.values() if team.members_from}
        if not wanted:
            return
        now, read_at = self.clock(), self.store.groups.read_at()
        for group in sorted(wanted):
            due = group not in read_at or now - read_at[group] >= READ_EVERY
            if due and self.store.pace.turn(f"group:{group}", now, AGAIN) <= now:
                self._read(group)

    def _read(self, group: str) -> None:
        known = self.store.groups.all().get(group, {})
        try:
            ids = self.slack.group(group)[:MOST]
            found = {slack: self._person(slack) for slack in sorted(ids)}
        except SlackRefused as refused:
            log.error("user group not read", group=group, why=str(refused), known=len(known))
            return
        except (SlackBusy, OutcomeUnknown) as away:
            log.warning("user group not read", group=group, why=str(away), known=len(known))
            return
        members = {slack: user.name for slack, user in found.items() if _works_here(user)}
        self.store.groups.keep(group, members, self.clock())
        if members != known:
            log.info("user group", group=group, members=len(members))

    def _person(self, slack: str) -> User:
        now = self.clock()
        at, user = self._people.get(slack, (now, None))
        if user is None or now - at >= KNOWN_FOR:
            user = self.slack.user(slack)
            self._people[slack] = (now, user)
        return user


def _works_here(user: User) -> bool:
    """Whom the gate would answer: no bots, guests or those who have left."""
    return not (user.is_bot or user.is_guest or user.deleted)
