"""The digest of each team: in its channel when its day begins, once; and to whoever asks for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta

from bot.core.command import Command
from bot.core.digest import span_before
from bot.core.notice import Notice
from bot.core.reply import Person, Reply, Said
from bot.core.trend import Trend
from bot.core.unknown import no_such
from bot.view import View
from sensors.model.team import Team

LATE = timedelta(hours=6)  # a digest of this morning is of use until the afternoon


class Digests:
    """Reads alerts and asks for messages; changes nothing."""

    def __init__(self, view: View, picture: Callable[[Trend], str] = lambda _trend: "") -> None:
        """`picture` gives the id of a file that shows the trend, soon, or ""."""
        self.view = view
        self.picture = picture

    @property
    def asks(self) -> Mapping[str, Callable[[Person, Command], Reply]]:
        """The verbs that are answered here."""
        return {"digest": self.answer}

    def answer(self, person: Person, said: Command) -> Reply:
        """Of the team that is named, else of that of the channel, else of the person's own; until now."""
        teams = self.view.catalog.teams
        if wrong := [name for name in said.filters if name not in teams]:
            return no_such("team", wrong[0], teams)
        named = [teams[name] for name in said.filters]
        here = [team for team in teams.values() if person.channel in (team.channel, team.review_channel)]
        own = [team for team in teams.values() if team.member(person.slack)]
        found = next((some for some in (named, here, own) if some), [])
        if len(found) != 1:
            listed = " or ".join(f"`digest {team.name}`" for team in (found or list(teams.values()))[:5])
            return Said("The digest of which team?", f"Write it so: {listed}", ok=False)
        now = self.view.clock()
        return self.view.digest(found[0], replace(span_before(found[0], now), until=now))

    def once(self) -> int:
        """Asks for those whose time has come; how many there were. Where there is nothing to say, none is."""
        wanted = [notice for team in self.view.catalog.teams.values() if (notice := self._due(team))]
        self.view.store.notices.say(wanted, self.view.clock())
        return len(wanted)

    def _due(self, team: Team) -> Notice | None:
        span = span_before(team, self.view.clock())
        key = f"digest-{team.name}-{span.until:%Y-%m-%dT%H:%M}"
        if self.view.clock() - span.until > LATE or self.view.store.notices.has(key):
            return None
        found = self.view.digest(team, span).digest
        if found.is_empty:
            return None
        moments = {"since": span.since.isoformat(), "until": span.until.isoformat(), "weekly": span.weekly}
        shown = self.picture(found.week) if any(found.week.by_day) else ""
        return Notice(
            key, team.name, team.channel, {"digest": moments, **({"picture": shown} if shown else {})}
        )
