"""What a person does is permitted, done and written into the audit, or refused and written there, too."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from bot.core import access
from bot.core.access import Deed, Ground
from bot.core.action import Assign, PersonAction
from bot.core.alert import Alert
from bot.core.change import Outcome, Refused
from bot.core.command import Command
from bot.core.reply import Person, Reply, Said
from bot.core.trail import line_of
from bot.core.words import who
from bot.engine.engine import Engine
from bot.view import View

ELSEWHERE = ("takeover", "cover", "uncover", "handoff")


class Acting:
    """Thread-safe. Every act of a person comes by here, whatever it was done with."""

    def __init__(self, engine: Engine, view: View) -> None:
        self.engine = engine
        self.view = view

    def act(
        self,
        person: Person,
        alert_id: int,
        action: PersonAction,
        work_seq: int | None = None,
        deed: Deed | None = None,
    ) -> tuple[Alert | None, Outcome]:
        """Does it to one alert, if he may. `deed`: what it is, where action and alert do not say it."""

        def what(alert: Alert, now: datetime) -> Deed:
            return deed or access.deed_of(action, alert, now)

        return self.engine.act(
            alert_id,
            action,
            by=person.slack,
            work_seq=work_seq,
            permit=lambda alert, now: (
                self.view.unseen(person.slack, alert)
                or self._no_member(action)
                or access.may(person.slack, what(alert, now), self.view.house.ground(alert))
            ),
            line=lambda alert, now: line_of(person, what(alert, now), alert.name, now),
        )

    def _no_member(self, action: PersonAction) -> Refused | None:
        """Whoever has an alert may see it and works on it: that is nobody whom the files do not name."""
        if (
            not isinstance(action, Assign)
            or action.to == action.by
            or any(team.member(action.to) for team in self.engine.catalog.teams.values())
        ):
            return None
        hint = "Give it to somebody of a team, or have them added to `_teams.yml`."
        return Refused(f"{who(action.to)} is in no team of Patrol's.", hint)

    def begin(self, person: Person, deed: Deed, ground: Ground, about: str = "") -> Refused | None:
        """Whether he may do what is no change of an alert. Its line is written first: what is done is never
        without it."""
        refused = access.may(person.slack, deed, ground)
        self.add(person, deed, about or ground.name, refused)
        return refused

    def refusal(self, person: Person, deed: Deed, ground: Ground, about: str = "") -> Refused | None:
        """Why he may not, which is kept; the line of what he may is written with its outcome."""
        refused = access.may(person.slack, deed, ground)
        if refused:
            self.add(person, deed, about or ground.name, refused)
        return refused

    def told(self, person: Person, said: Command, answer: Reply) -> None:
        """The line of a command that other rooms have carried out."""
        if said.verb in ELSEWHERE:
            self.kept(person, said.verb, said.name or said.filters.get("team", ""), answer)

    def kept(self, person: Person, deed: str, about: str, answer: Reply) -> None:
        """The line of what was done elsewhere, or refused there, as its answer says."""
        if isinstance(answer, Said):
            line = line_of(person, deed, about, self.engine.clock())
            outcome = "done" if answer.ok else "refused"
            self.engine.store.trail.add(replace(line, outcome=outcome, words=answer.text))

    def add(self, person: Person, deed: str, about: str, refused: Refused | None = None) -> None:
        self.engine.store.trail.add(line_of(person, deed, about, self.engine.clock(), refused))
