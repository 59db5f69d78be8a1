"""What people ask for in Slack: a command, click or form becomes one action of the engine, and an answer."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from bot.acting import Acting
from bot.approving import Approving
from bot.core import access, command, oncall
from bot.core.access import Deed
from bot.core.action import (
    Acknowledge,
    Assign,
    Comment,
    Escalate,
    PersonAction,
    Reopen,
    Rerun,
    Resolve,
    SnoozeFor,
    StartJob,
    Unacknowledge,
    Wake,
)
from bot.core.alert import Alert, Disposition, Lane, Work
from bot.core.change import Change, Refused, Same
from bot.core.command import BY_NAME, VERBS, Command, Mistake
from bot.core.earned import missing, noise
from bot.core.reply import (
    HelpReply,
    ListReply,
    Person,
    PolicyReply,
    Reply,
    Revealed,
    Said,
    ShowReply,
    StatusReply,
    Worth,
)
from bot.core.unknown import no_such
from bot.core.words import clean
from bot.digests import Digests
from bot.engine import Engine
from bot.revealing import Revealing
from bot.shifts.handoffs import Handoffs
from bot.shifts.standing_in import StandingIn
from bot.starting import Starting
from bot.view import View
from sensors.model.job import Job
from sensors.model.policy import Policy, Severity, Status

UNDO = {
    "acknowledged": "unack",
    "joined": "unack",
    "assigned": "unack",
    "snoozed": "wake",
    "resolved": "reopen",
    "unacknowledged": "ack",
}
NOTE_MOST = 2_000  # characters of a note, as in the modals
MENTIONED = re.compile(r"<@([UW][A-Z0-9]+)(?:\|([^>]*))?>")
OTHER_WAY = re.compile(rf"(undo: )?((?:{'|'.join(BY_NAME)})(?: .*)?)")
# Clicks on a card of the past are told who has it; what only adds to an alert is never stale.
STALE = (Acknowledge, Unacknowledge, Assign, SnoozeFor, Wake, Resolve, Reopen)


STANDS_IN = ("takeover", "cover", "uncover", "handoff")  # acts about who is on call


class Desk:
    """Thread-safe and short: each act is one small transaction. Listeners hand in and show the answer."""

    def __init__(self, engine: Engine, view: View, starting: Starting) -> None:
        self.engine = engine
        self.view = view
        self.starting = starting
        self.acting = Acting(engine, view)
        self.revealing = Revealing(self.acting)
        self.approving = Approving(self.acting, starting)
        self.standing_in = StandingIn(view)
        self.handoffs = Handoffs(view)
        self.digests = Digests(view)

    # ---------------------------------------------------------------------- acts

    def act(
        self,
        person: Person,
        alert_id: int,
        action: PersonAction,
        work_seq: int | None = None,
        deed: Deed | None = None,
    ) -> Said:
        """Records what a person does to one alert, if he may. `deed`: what it is beside others."""
        if isinstance(action, StartJob):
            return self.start_job(person, alert_id, action.job, action.params)
        if isinstance(action, Reopen):
            action = self._with_holder(alert_id, action)
        seq = work_seq if isinstance(action, STALE) else None
        alert, outcome = self.acting.act(person, alert_id, action, seq, deed)
        return self._answer(alert, alert_id, outcome)

    def _with_holder(self, alert_id: int, action: Reopen) -> Reopen:
        alert = self.engine.store.alerts.get(alert_id)
        if alert is None:
            return action
        held = self.engine.store.alerts.held(
            alert.policy, alert.lane, keys=[alert.key], resolved_since=alert.opened_at
        )
        holder = held.get(alert.key)
        taken = holder is not None and holder.is_open and holder.id != alert.id
        return Reopen(action.by, holder.id if holder and taken else None)

    def _answer(self, alert: Alert | None, alert_id: int, outcome: Change | Refused | Same) -> Said:
        match outcome:
            case Change(event=event) if alert:
                undo = UNDO.get(event.kind)
                hint = f"undo: `/patrol {undo} {alert.id}`" if undo else ""
                return Said(f"{alert.name} {event.story}.{_noted(alert, event.kind)}", hint)
            case Refused():
                return _refusal(outcome) if alert else self.view.unknown_alert(alert_id)
        return Said(f"ALR-{alert_id} is so already.", ok=False)

    def start_job(
        self, person: Person, alert_id: int | None, job_name: str, params: Mapping[str, Any]
    ) -> Said:
        """Starts a job, for an alert or by itself; what is wrong is said before anything starts."""
        job = self.engine.catalog.jobs.get(job_name)
        if job is None:
            return no_such("job", job_name, list(self.engine.catalog.jobs))
        alert = self.engine.store.alerts.get(alert_id) if alert_id else None
        if alert_id and alert is None:
            return self.view.unknown_alert(alert_id)
        said = self.approving.start(person, alert, job, params)
        return _refusal(said) if isinstance(said, Refused) else said

    def reveal(self, person: Person, alert_id: int, why: str) -> Refused | None:
        """Records that somebody wants to see masked values, or refuses it."""
        return self.revealing.ask(person, alert_id, why)

    def revealed(self, person: Person, alert_id: int) -> Revealed:
        """They, from the warehouse; takes as long as its query."""
        return self.revealing.look(person, alert_id)

    def decide(self, person: Person, approval: int, yes: bool, seen: str) -> Said:
        """What somebody says by a button to a job that waits for a second person."""
        return self.approving.answer(person, approval, yes, seen=seen)

    def accept(self, person: Person, handoff: int) -> Said:
        """The handoff of a shift is taken on by who is next."""
        said = self.handoffs.accept(person, handoff)
        self.acting.kept(person, "accept", f"handoff {handoff}", said)
        return said

    def start_form(self, alert_id: int, job_name: str) -> tuple[Job, dict[str, Any]] | None:
        """The job and what its parameters would be from the alert's row."""
        job = self.engine.catalog.jobs.get(job_name)
        alert = self.engine.store.alerts.get(alert_id)
        if job is None or alert is None:
            return None
        return job, job.fill({}, {**alert.newest, **alert.key_values})[0]

    # ----------------------------------------------------------------- questions

    def show(self, alert_id: int) -> ShowReply | None:
        return self.view.show(alert_id)

    def status(self, person: Person) -> StatusReply:
        return self.view.status(person.slack)

    def alert_at(self, channel: str, ts: str) -> int | None:
        """The alert whose card this is."""
        message = self.engine.store.outbox.by_ts(channel, ts)
        return message.alert if message else None

    # ------------------------------------------------------------------ commands

    def command(self, person: Person, text: str) -> Reply:
        """The answer to a whole command or mention. Several targets are answered line by line."""
        parsed = command.parse(text)
        if isinstance(parsed, Mistake):
            return Said(parsed.what, parsed.hint, ok=False)
        asks: Mapping[str, Callable[[Person, Command], Reply]] = {
            "status": lambda p, _: self.status(p),
            "list": self._list,
            "show": self._show,
            "policy": self._policy,
            **self.standing_in.asks,
            **self.handoffs.asks,
            **self.digests.asks,
            "help": self._help,
            "rerun": self._rerun,
            "start": self._start,
            "approvals": lambda p, _: self.approving.waiting(p),
            "approve": lambda p, said: self.approving.answer(p, said.approval, True, said.words),
            "refuse": lambda p, said: self.approving.answer(p, said.approval, False, said.words),
        }
        ask = asks.get(parsed.verb)
        answer = ask(person, parsed) if ask else self._each(person, parsed)
        if parsed.verb in STANDS_IN:
            self.acting.kept(person, parsed.verb, parsed.filters.get("team", ""), answer)
        return answer

    def _each(self, person: Person, said: Command) -> Said:
        """One action for every alert named; without one, the alert that is due to this person."""
        targets = self._targets(person, said)
        if isinstance(targets, Said):
            return targets
        if not targets:
            return Said("Which alert?", f"Write it so: `{BY_NAME[said.verb].usage}`", ok=False)
        action = self._action(person, said)
        if isinstance(action, Said):
            return action
        deed = Deed.resolve_several if isinstance(action, Resolve) and targets[1:] else None
        return _together([self.act(person, target, action, deed=deed) for target in targets])

    def _action(self, person: Person, said: Command) -> PersonAction | Said:
        by, said = person.slack, replace(said, words=self._readable(said.words))
        if len(said.words) > NOTE_MOST:
            much = f"That is {len(said.words):,} characters; at most {NOTE_MOST:,} are kept."
            return Said(much, "Nothing was done. Say it in fewer words.", ok=False)
        match said.verb:
            case "snooze":
                until = said.ends(self.engine.clock())
                return SnoozeFor(by, until, said.words) if until else Said("For how long?", ok=False)
            case "resolve" if said.disposition:
                return Resolve(by, said.disposition, said.false_cause, said.words)
            case "assign":
                to = self._person(said.person)
                return Assign(by, to) if to else no_such("person", said.person, self._names())
        simple: Mapping[str, PersonAction] = {
            "ack": Acknowledge(by),
            "unack": Unacknowledge(by),
            "take": Assign(by, by),
            "wake": Wake(by),
            "reopen": Reopen(by),
            "escalate": Escalate(by, said.words),
            "comment": Comment(by, said.words),
        }
        return simple[said.verb]

    def _readable(self, words: str) -> str:
        """Words with the people in them by name, as the one who wrote them saw it."""
        names = oncall.names(self.engine.catalog.teams)
        return MENTIONED.sub(lambda found: f"@{found[2] or names.get(found[1], found[1])}", words)

    def _targets(self, person: Person, said: Command) -> list[int] | Said:
        """The alerts named by number or link. A link that leads to none is said: never is another taken."""
        linked = [self.alert_at(channel, ts) for channel, ts in said.links]
        if None in linked:
            return Said("That message is no alert's card.", "Copy the link of the card itself.", ok=False)
        targets = list(dict.fromkeys([*said.alerts, *(found for found in linked if found)]))
        return targets or self._last_paged(person) if said.verb == "ack" else targets

    def _last_paged(self, person: Person) -> list[int]:
        """For a bare `ack`: the newest open alert that was told to this person."""
        house = self.view.house
        for alert in sorted(self.engine.store.alerts.open(), key=lambda a: a.fired_at, reverse=True):
            if alert.work is Work.open and not alert.snooze and person.slack in house.told(alert):
                return [alert.id]
        return []

    def _person(self, name: str) -> str | None:
        names = oncall.names(self.engine.catalog.teams)
        return name if name in names else next((s for s, n in names.items() if n == name), None)

    def _names(self) -> list[str]:
        return sorted(set(oncall.names(self.engine.catalog.teams).values()))

    def _list(self, person: Person, said: Command) -> Reply:
        filters = dict(said.filters)
        wrong = sorted(set(filters) - {"mine", "unowned", "snoozed", "policy", "team", "severity"})
        severity = filters.get("severity")
        if wrong or (severity is not None and severity not in Severity.__members__):
            what = f"`{wrong[0]}`" if wrong else f"`severity:{severity}`"
            return Said(f"{what} is no filter.", f"Write it so: `{BY_NAME['list'].usage}`", ok=False)
        if unknown := self._unknown(filters):
            return unknown
        alerts = self.engine.store.alerts.open(
            policy=filters.get("policy"),
            team=filters.get("team"),
            owner=person.slack if "mine" in filters else None,
            unowned="unowned" in filters,
            snoozed="snoozed" in filters,
            severity=Severity[severity] if severity else None,
        )
        alerts = list(self.view.seen(person.slack, alerts))
        asked = " ".join(f"{name}:{value}" if value else name for name, value in filters.items())
        return ListReply(tuple(alerts), asked, self.view.cards(alerts))

    def _unknown(self, filters: Mapping[str, str]) -> Said | None:
        """A filter by something that is not there is a slip of the hand, not an empty list."""
        policies = {*self.engine.catalog.policies, *self.engine.store.alerts.counts()}
        known = {"policy": sorted(policies), "team": sorted(self.engine.catalog.teams)}
        for what, names in known.items():
            if what in filters and filters[what] not in names:
                return no_such(what, filters[what], names)
        return None

    def _show(self, person: Person, said: Command) -> Reply:
        if said.name:
            return self._policy(person, said)
        targets = self._targets(person, said)
        if isinstance(targets, Said):
            return targets
        if not targets:
            return Said("Which alert?", "Write it so: `show 142`", ok=False)
        shown = self.view.show(targets[0])
        if shown and (refused := self.view.unseen(person.slack, shown.alert)):
            return _refusal(refused)
        return shown or self.view.unknown_alert(targets[0])

    def _policy(self, person: Person, said: Command) -> Reply:
        policy = self.engine.catalog.policies.get(said.name)
        if policy is None:
            return no_such("policy", said.name, list(self.engine.catalog.policies))
        alerts = self.engine.store.alerts
        opened = self.view.seen(person.slack, alerts.open(policy=policy.name, limit=10))
        return PolicyReply(
            policy,
            self.view.lines([policy.name])[0],
            self._worth(policy),
            opened,
            self.view.cards(opened),
            self.view.reports(policy),
        )

    def _worth(self, policy: Policy) -> Worth:
        """Whether it has earned `live`, or has become noisy."""
        found = self.engine.trust.record(policy)
        lacks = missing(found, self.engine.trust.rule) if policy.status is Status.shadow else ()
        return Worth(found, lacks, noise(found) if policy.status is Status.live else "")

    def _help(self, person: Person, said: Command) -> Reply:  # noqa: ARG002
        asked = next(iter(said.filters), "")
        if not asked:
            return HelpReply(tuple((v.name, v.usage, v.about) for v in VERBS))
        verb = BY_NAME.get(asked)
        if verb is None:
            return no_such("verb", asked, list(BY_NAME))
        rights = [access.say(right) for right in access.of_verb(verb.name)]
        about = "\n".join([verb.about, *rights, *(f"for example `{e}`" for e in verb.examples)])
        return HelpReply(((verb.name, verb.usage, verb.about),), about)

    def _rerun(self, person: Person, said: Command) -> Reply:
        if not said.name:
            return self._each_rerun(person, said)
        policy = self.engine.catalog.policies.get(said.name)
        if policy is None:
            return no_such("policy", said.name, list(self.engine.catalog.policies))
        ground = self.view.house.ground_of(policy.name, self.engine.catalog.teams.get(policy.owner))
        if refused := self.acting.begin(person, Deed.rerun, ground):
            return _refusal(refused)
        answer = self.starting.rerun_policy(policy, person.slack, uuid.uuid4().hex)
        return Said(f"`{policy.name}`: {answer}.")

    def _each_rerun(self, person: Person, said: Command) -> Said:
        targets = self._targets(person, said)
        if isinstance(targets, Said):
            return targets
        if not targets:
            return Said("Rerun what?", f"Write it so: `{BY_NAME['rerun'].usage}`", ok=False)
        answer = _together([self.act(person, target, Rerun(person.slack)) for target in targets])
        return replace(answer, text=f"{answer.text} The answer comes in the thread.") if answer.ok else answer

    def _start(self, person: Person, said: Command) -> Reply:
        targets = self._targets(person, said)
        if isinstance(targets, Said):
            return targets
        return self.start_job(person, targets[0] if targets else None, said.name, said.params)


def _together(answers: list[Said]) -> Said:
    """Several answers as one, line by line, with every undo."""
    hints = dict.fromkeys(answer.hint for answer in answers if answer.hint)
    return Said("\n".join(a.text for a in answers), " · ".join(hints), all(a.ok for a in answers))


def _noted(alert: Alert, kind: str) -> str:
    """What becomes of a false positive, for the one who called it so."""
    false = kind in ("resolved", "redisposed") and alert.disposition is Disposition.false_positive
    if not false or alert.policy.startswith("patrol."):
        return ""
    hear = " You will hear in its thread when the policy is mended." if alert.lane is Lane.live else ""
    return f" Noted for {clean(alert.terms.team)}, who own `{clean(alert.policy)}`.{hear}"


def _refusal(refused: Refused) -> Said:
    way = OTHER_WAY.fullmatch(refused.hint)
    return Said(refused.why, f"{way[1] or ''}`/patrol {way[2]}`" if way else refused.hint, ok=False)
