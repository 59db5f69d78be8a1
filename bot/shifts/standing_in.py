"""Who is on call, asked and changed from Slack: oncall, cover, takeover, uncover."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from bot.core import access, oncall
from bot.core.access import RIGHTS, Deed
from bot.core.change import Refused
from bot.core.command import Command, time_of_day
from bot.core.cover import Cover
from bot.core.notice import Notice, told
from bot.core.oncall import Duty
from bot.core.reply import OnCallReply, Person, Reply, Said
from bot.core.saying import refusal
from bot.core.unknown import no_such
from bot.core.verbs import BY_NAME
from bot.core.words import when, who
from bot.view import View
from sensors.model.clock import say_duration
from sensors.model.team import Team

LONGEST = RIGHTS[Deed.stand_in].at_most or timedelta()  # of a cover; more belongs into the files
WEEK = timedelta(days=7)
NOT_THEN = "You are not on call then, so nobody need cover for you."
TOO_LONG = "More belongs into `overrides` of the team in policies/_teams.yml, where everybody sees it coming."


class StandingIn:
    """Each act is one small transaction, with what the others are told of it."""

    def __init__(self, view: View) -> None:
        self.view = view
        self.store = view.store

    @property
    def asks(self) -> Mapping[str, Callable[[Person, Command], Reply]]:
        """The verbs that are answered here."""
        return {
            "oncall": self.oncall,
            "cover": self.cover,
            "takeover": self.takeover,
            "uncover": self.uncover,
        }

    # ---------------------------------------------------------------- questions

    def oncall(self, person: Person, said: Command) -> Reply:  # noqa: ARG002
        teams = self.view.catalog.teams
        wanted = [name for name in said.filters if name != "week" or name in teams]
        if wrong := [name for name in wanted if name not in teams]:
            return no_such("team", wrong[0], teams)
        house = self.view.house
        asked = [teams[name] for name in wanted or sorted(teams)]
        lines = tuple(self.view.on_call(team, house) for team in asked)
        names = oncall.names(teams)
        if "week" not in said.filters:
            return OnCallReply(lines, names=names)
        if len(asked) != 1:
            return Said("The week of which team?", "Write it so: `oncall payments week`", ok=False)
        week = tuple(oncall.duties(asked[0], house.at, house.at + WEEK, house.covers))
        return OnCallReply(lines, week, asked[0].zone.key, names)

    # --------------------------------------------------------------------- acts

    def cover(self, person: Person, said: Command) -> Reply:
        """Somebody of the team is on call in the place of the one who asks."""
        whom = self._slack_of(said.person)
        if whom is None:
            return no_such("person", said.person, set(oncall.names(self.view.catalog.teams).values()))
        if whom == person.slack:
            return Said("Nobody covers for himself.", "Name somebody else: `cover 2h @bo`", ok=False)
        found = self._cover_of(person, said)
        if isinstance(found, Said):
            return found
        team, start, end = found
        if refused := access.may_in_shift(person.slack, Deed.stand_in, team):
            return refusal(refused)
        if refused := access.may_in_shift(whom, Deed.stand_in, team):
            return Said(f"{who(whom)} is no member of {team.name}. {refused.why}", ok=False)
        return self._record(self._new(team, whom, person.slack, start, end, person), team)

    def takeover(self, person: Person, said: Command) -> Reply:
        """The one who asks is on call in the place of whoever it is."""
        team = self._own_team(person, said)
        if isinstance(team, Said):
            return team
        if refused := access.may_in_shift(person.slack, Deed.stand_in, team):
            return refusal(refused)
        span = self._span(team, said)
        if isinstance(span, Said):
            return span
        start, end = span
        if all(duty.people == (person.slack,) for duty in self._duties(team, start, end)):
            return Said(f"You are on call for {team.name} then as it is.", ok=False)
        return self._record(self._new(team, person.slack, None, start, end, person), team)

    def uncover(self, person: Person, said: Command) -> Reply:
        """Ends one before its time. Who would be on call without it is again."""
        if len(said.alerts) != 1:
            return Said("Which one?", "Its number stood in the answer: `uncover 7`", ok=False)
        cover, now = self.store.covers.get(said.alerts[0]), self.view.clock()
        if cover is None:
            return Said(f"There is no cover {said.alerts[0]}.", "`oncall` shows who is on call.", ok=False)
        team = self.view.catalog.teams.get(cover.team)
        if refused := access.may_in_shift(person.slack, Deed.stand_in, team):
            return refusal(refused)
        if cover.until <= now or not self.store.covers.end(
            cover, person.slack, self._ended(cover, person), now
        ):
            return Said(f"It has ended already, {when(cover.until)}.", ok=False)
        on_call = oncall.on_call(team, now, self.store.covers.since(now)) if team else ()
        return Said(f"Ended: {_people(on_call)} {_is(on_call)} on call for {cover.team}.")

    # ------------------------------------------------------------------- reading

    def _slack_of(self, name: str) -> str | None:
        names = oncall.names(self.view.catalog.teams)
        return name if name in names else next((s for s, n in names.items() if n.lower() == name), None)

    def _duties(self, team: Team, start: datetime, end: datetime) -> list[Duty]:
        return list(oncall.duties(team, start, end, self.store.covers.since(start)))

    def _cover_of(self, person: Person, said: Command) -> tuple[Team, datetime, datetime] | Said:
        """For which team and time: one in which he is on call."""
        own = self._named_team(said) or self._teams_of(person)
        if isinstance(own, Said):
            return own
        found = []
        for team in own:
            span = self._span(team, said)
            if isinstance(span, Said):
                return span
            if any(person.slack in duty.people for duty in self._duties(team, *span)):
                found.append((team, *span))
        here = [one for one in found if one[0].channel == person.channel] or found
        if not here:
            return self._not_on_call(person, own)
        if len(here) > 1:
            return _which([team for team, _, _ in here])
        return here[0]

    def _not_on_call(self, person: Person, teams: list[Team]) -> Said:
        """When it would be his turn."""
        now = self.view.clock()
        coming = [
            (duty.start, team.name)
            for team in teams
            for duty in self._duties(team, now, now + oncall.LOOKS_AHEAD)
            if person.slack in duty.people
        ]
        if not coming:
            return Said(NOT_THEN, "No turn of yours comes.", ok=False)
        start, name = min(coming)
        return Said(NOT_THEN, f"Your next turn is for {name}, from {when(start)}.", ok=False)

    def _own_team(self, person: Person, said: Command) -> Team | Said:
        """The one that is named, else that of the channel, else the only one that he is in."""
        own = self._named_team(said) or self._teams_of(person)
        if isinstance(own, Said):
            return own
        here = [team for team in own if team.channel == person.channel] or own
        return here[0] if len(here) == 1 else _which(here)

    def _teams_of(self, person: Person) -> list[Team] | Said:
        teams = self.view.catalog.teams
        return [t for t in teams.values() if t.member(person.slack)] or refusal(
            Refused("You are a member of no team.", "Ask for a place in policies/_teams.yml.")
        )

    def _named_team(self, said: Command) -> list[Team] | Said | None:
        if wrong := sorted(set(said.filters) - {"from", "team"}):
            return _written(f"`{wrong[0][:40]}` is too much.", said)
        name, teams = said.filters.get("team"), self.view.catalog.teams
        if name is None:
            return None
        return [teams[name]] if name in teams else no_such("team", name, teams)

    def _span(self, team: Team, said: Command) -> tuple[datetime, datetime] | Said:
        """From when until when, times of day being those of the team's clock."""
        now = self.view.clock().astimezone(team.zone)
        start = now
        if "from" in said.filters:
            at = time_of_day(said.filters["from"])
            if at is None:
                return Said(
                    "From when? Say from:18:00.", f"Write it so: `{BY_NAME[said.verb].usage}`", ok=False
                )
            start = replace(said, span=None, until=at).ends(now) or now
        end = said.ends(start)
        if end is None:
            return _written("For how long?", said)
        if end - start > LONGEST:
            return Said(f"At most {say_duration(LONGEST)} at once.", TOO_LONG, ok=False)
        return start.astimezone(UTC), end.astimezone(UTC)

    # ------------------------------------------------------------------ recording

    def _new(
        self, team: Team, whom: str, instead_of: str | None, start: datetime, end: datetime, by: Person
    ) -> Cover:
        return Cover(0, team.name, whom, instead_of, start, end, by.slack, self.view.clock())

    def _record(self, cover: Cover, team: Team) -> Said:
        now = self.view.clock()
        others = [cover.instead_of] if cover.instead_of else self._relieved(cover, team)
        made = self.store.covers.add(cover, self._told(cover, others), now)
        instead = f" instead of {_people(others)}" if any(others) else ""
        text = f"{who(cover.person)} is on call for {team.name}{instead} {_span(cover, now)}."
        return Said(text, f"undo: `/patrol uncover {made.id}`")

    def _relieved(self, cover: Cover, team: Team) -> list[str]:
        """All who would have been on call meanwhile."""
        duties = self._duties(team, cover.start, cover.end)
        return list(dict.fromkeys(p for duty in duties for p in duty.people if p != cover.person))

    def _told(self, cover: Cover, others: list[str]) -> list[Notice]:
        """What everybody but the one who acts is told, by a direct message."""
        span, by = _span(cover, self.view.clock()), who(cover.by)
        if cover.instead_of:
            text = f"{by} has asked you to cover: you are on call for {cover.team} {span}."
            return [told("for", cover.team, cover.person, f"{text} Say so if you cannot.")]
        text = f"{by} has taken over: {by} is on call for {cover.team} in your place, {span}."
        return [told("over", cover.team, other, text) for other in others]

    def _ended(self, cover: Cover, person: Person) -> list[Notice]:
        text = f"{who(person.slack)} has ended it: {who(cover.person)} no longer stands in for {cover.team}."
        concerned = dict.fromkeys((cover.person, cover.instead_of or cover.by))
        return [told("end", cover.team, one, text) for one in concerned if one != person.slack]


def _span(cover: Cover, now: datetime) -> str:
    since = f"from {when(cover.start)} " if cover.start > now else ""
    return f"{since}until {when(cover.end)}"


def _people(people: list[str] | tuple[str, ...]) -> str:
    return " and ".join(who(one) for one in people) or "nobody"


def _is(people: tuple[str, ...]) -> str:
    return "are" if len(people) > 1 else "is"


def _which(teams: list[Team]) -> Said:
    named = " or ".join(f"`team:{team.name}`" for team in teams)
    return Said("For which team?", f"Add {named}.", ok=False)


def _written(what: str, said: Command) -> Said:
    return Said(what, f"Write it so: `{BY_NAME[said.verb].usage}`", ok=False)
