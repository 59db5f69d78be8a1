"""Handoffs: a card at the end of a shift or when asked for; where nobody accepts it the lead hears of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from bot.core import access, oncall
from bot.core.access import Deed
from bot.core.approval import Approval
from bot.core.command import Command
from bot.core.handoff import ACCEPT_WITHIN, Handoff, asked, burden, ended
from bot.core.notice import Notice
from bot.core.reply import Person, Reply, Said
from bot.core.saying import refusal
from bot.core.unknown import no_such
from bot.core.verbs import BY_NAME
from bot.core.words import when, who
from bot.process.log import get
from bot.view import View
from sensors.model.clock import say_duration
from sensors.model.team import Team

log = get("shifts")

SINCE = "handoffs:since"  # when Patrol was there first: shifts that ended before are none of its
FORGOTTEN_AFTER = timedelta(days=1)
MOST = 1_000  # alerts of a team


class Handoffs:
    """Several processes do the same: the store lets one through."""

    def __init__(self, view: View) -> None:
        self.view = view
        self.store = view.store

    @property
    def asks(self) -> Mapping[str, Callable[[Person, Command], Reply]]:
        """The verbs that are answered here."""
        return {"handoff": self.handoff}

    # ------------------------------------------------------------------- by itself

    def once(self) -> None:
        """Cards for shifts that have ended; leads told of those that nobody accepts."""
        now = self.view.clock()
        since = self.store.pace.noted(SINCE)
        if since is None:
            self.store.pace.note(SINCE, now)
            return
        covers = self.store.covers.since(now - FORGOTTEN_AFTER)
        for team in self.view.catalog.teams.values():
            found = ended(team, since, now, covers)
            if found and not self.store.handoffs.known(found.team, found.shift):
                self._add(found, team)
        for late in self.store.handoffs.unaccepted(now - ACCEPT_WITHIN, now - FORGOTTEN_AFTER):
            self._tell_lead(late, now)

    def _add(self, found: Handoff, team: Team) -> Handoff | None:
        standing = self.view.seen(
            "", self.store.alerts.open(team=team.name, limit=MOST)
        )  # a channel reads it
        whole = replace(found, burden=burden(standing, self._asked(team)))
        made = self.store.handoffs.add(whole, lambda kept: _card(kept, team))
        if made:
            log.info("handoff", team=team.name, shift=made.shift)
        return made

    def _asked(self, team: Team) -> list[Approval]:
        """What waits for a second person and is the team's: of its jobs, or for its alerts."""
        catalog, waiting = self.view.catalog, self.view.waiting("")  # a channel reads it
        alerts = self.store.alerts.many({asked.alert for asked in waiting if asked.alert})
        own = {alert.id for alert in alerts if alert.terms.team == team.name}
        jobs = {job.name for job in catalog.jobs.values() if job.owner == team.name}
        return [asked for asked in waiting if asked.job in jobs or asked.alert in own]

    def _tell_lead(self, late: Handoff, now: datetime) -> None:
        team = self.view.catalog.teams.get(late.team)
        if team is None:
            return
        leads = oncall.people("lead", team, now)
        people = tuple(lead for lead in leads if lead not in late.taking) or leads
        taking = " and ".join(map(who, late.taking)) or "nobody"
        text = f"{taking} has not accepted this handoff for {say_duration(ACCEPT_WITHIN)}: is somebody there?"
        body = {"text": text, "people": list(people), "under": late.key}
        told = Notice(f"{late.key}-lead", late.team, team.channel, body)
        self.store.handoffs.tell_lead(late, told, now)

    # ---------------------------------------------------------------------- by people

    def handoff(self, person: Person, said: Command) -> Reply:
        """A card now, by any member of the team."""
        team = self._team(person, said)
        if isinstance(team, Said):
            return team
        if refused := access.may_in_shift(person.slack, Deed.hand_on, team):
            return refusal(refused)
        now = self.view.clock()
        found = asked(team, person.slack, now, self.store.covers.since(now))
        if found is None:
            return Said(f"Nobody else takes turns for {team.name}.", "Try `cover 2h @bo`", ok=False)
        if self._stands(found, now) or self._add(found, team) is None:
            return Said(f"The handoff of this shift stands in the channel of {team.name} already.", ok=False)
        taking = " and ".join(map(who, found.taking)) or "nobody"
        return Said(f"The handoff of {team.name} to {taking} goes to its channel.", "It is accepted there.")

    def _stands(self, found: Handoff, now: datetime) -> bool:
        """Whether the same one waits to be accepted, so that its lead is not called twice."""
        waiting = self.store.handoffs.unaccepted(now, now - ACCEPT_WITHIN)
        same = (found.team, found.leaving, found.taking)
        return any((one.team, one.leaving, one.taking) == same for one in waiting)

    def _team(self, person: Person, said: Command) -> Team | Said:
        """The one that is named, else that of the channel, else the only one that he is in."""
        teams, named = self.view.catalog.teams, list(said.filters)
        if named:
            return teams[named[0]] if named[0] in teams else no_such("team", named[0], teams)
        own = [team for team in teams.values() if team.member(person.slack)]
        here = [team for team in own if team.channel == person.channel] or own
        return here[0] if len(here) == 1 else Said("Of which team?", _usage("handoff"), ok=False)

    def accept(self, person: Person, handoff_id: int) -> Said:
        """By who is next, or is on call now."""
        found, now = self.store.handoffs.get(handoff_id), self.view.clock()
        if found is None:
            return Said("There is no such handoff any more.", ok=False)
        team = self.view.catalog.teams.get(found.team)
        there = oncall.on_call(team, now, self.store.covers.since(now)) if team else ()
        if person.slack not in (*found.taking, *there):
            able = ", ".join(map(who, dict.fromkeys((*found.taking, *there)))) or "nobody"
            return Said(f"It is accepted by who is next, or on call now: {able}.", ok=False)
        if not self.store.handoffs.accept(found, person.slack, now):
            again = self.store.handoffs.get(handoff_id) or found
            at = f", {when(again.accepted_at)}" if again.accepted_at else ""
            return Said(f"{who(again.accepted_by or '')} has accepted it already{at}.", ok=False)
        return Said(f"The handoff of {found.team} is yours.", "`list unowned` shows what nobody has.")


def _card(kept: Handoff, team: Team) -> Notice:
    return Notice(kept.key, team.name, team.channel, {"handoff": kept.id})


def _usage(verb: str) -> str:
    return f"Write it so: `{BY_NAME[verb].usage}`"
