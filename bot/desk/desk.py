"""What people ask for in Slack: a command, click or form becomes one action of the engine, and an answer."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from bot.core import command, oncall
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
from bot.core.alert import Alert
from bot.core.called import as_called
from bot.core.change import Refused
from bot.core.command import Command, Mistake
from bot.core.order import JOB
from bot.core.reply import (
    AskReply,
    Person,
    Reply,
    Revealed,
    Said,
    ShowReply,
    StatusReply,
    WhyReply,
)
from bot.core.saying import answered, helped, one_at_a_time, refusal, together, too_long, unrefused
from bot.core.unknown import no_such
from bot.core.verbs import BY_NAME
from bot.desk import graph, places
from bot.desk.acting import Acting
from bot.desk.approving import Approving, Form
from bot.desk.asking import Asking
from bot.desk.backfilling import Backfilling
from bot.desk.digests import Digests
from bot.desk.examples import made_real
from bot.desk.job_orders import JobOrders
from bot.desk.jobs import Jobs
from bot.desk.listing import listed
from bot.desk.revealing import Revealing
from bot.desk.why import Why
from bot.engine.engine import Engine
from bot.shifts.handoffs import Handoffs
from bot.shifts.standing_in import StandingIn
from bot.starting import Starting
from bot.view import View
from sensors.model.job import Job

ROWS_MOST = 10_000  # of an alert, page by page
NOTE_MOST = 2_000  # characters of a note, as in the modals
MENTIONED = re.compile(r"<@([UW][A-Z0-9]+)(?:\|([^>]*))?>")
# Clicks on a card of the past are told who has it; what only adds to an alert is never stale.
STALE = (Acknowledge, Unacknowledge, Assign, SnoozeFor, Wake, Resolve, Reopen)


class Desk:
    """Thread-safe and short: each act is one small transaction. Listeners hand in and show the answer."""

    def __init__(self, engine: Engine, view: View, starting: Starting) -> None:
        self.engine = engine
        self.view = view
        self.starting = starting
        self.acting = Acting(engine, view)
        self.revealing = Revealing(self.acting)
        self.approving = Approving(self.acting, starting)
        self.backfilling = Backfilling(self.acting)
        self.jobs = Jobs(self.acting, self.approving)
        self.job_orders = JobOrders(self.acting, starting)
        others = {
            "job": self.approving.confirmed,
            "cancel": self.jobs.cancelled,
            "backfill": self.backfilling.confirmed,
        }
        self.asking = Asking(self.acting, others)
        self.why = Why(engine, view)
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
        return answered(alert, outcome, self.names()) if alert else self.view.unknown_alert(alert_id)

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

    def start_job(
        self, person: Person, alert_id: int | None, job_name: str, params: Mapping[str, Any]
    ) -> Said:
        """Starts a job that a form has shown, for an alert or by itself."""
        found = self._job(alert_id, job_name)
        return found if isinstance(found, Said) else unrefused(self.approving.start(person, *found, params))

    def _job(self, alert_id: int | None, job_name: str) -> tuple[Alert | None, Job] | Said:
        job = self.engine.catalog.jobs.get(job_name)
        if job is None:
            return no_such("job", job_name, list(self.engine.catalog.jobs))
        alert = self.engine.store.alerts.get(alert_id) if alert_id else None
        return self.view.unknown_alert(alert_id) if alert_id and alert is None else (alert, job)

    def reveal(self, person: Person, alert_id: int, why: str) -> Refused | None:
        """Records that somebody wants to see masked values, or refuses it."""
        return self.revealing.ask(person, alert_id, why)

    def revealed(self, person: Person, alert_id: int) -> Revealed:
        """They, from the warehouse; takes as long as its query."""
        return self.revealing.look(person, alert_id)

    def decide(self, person: Person, approval: int, yes: bool, seen: str) -> Said:
        """What somebody says by a button to a job that waits for a second person."""
        return self.approving.answer(person, approval, yes, seen=seen)

    def steer(self, person: Person, backfill: int, does: str) -> Said:
        """What somebody says by a button to a backfill: `stop`, or `go on`."""
        return self.backfilling.steer(person, backfill, does)

    def accept(self, person: Person, handoff: int) -> Said:
        """The handoff of a shift is taken on by who is next."""
        said = self.handoffs.accept(person, handoff)
        self.acting.kept(person, "accept", f"handoff {handoff}", said)
        return said

    def start_form(self, person: Person, alert_id: int, job_name: str) -> Form | Refused | None:
        return self.approving.form(person, alert_id, job_name)

    def plan_job(
        self, person: Person, alert_id: int, job_name: str, params: Mapping[str, Any]
    ) -> tuple[Job, str] | Refused | None:
        return self.approving.plan(person, alert_id, job_name, params)

    def met(self, slack: str, zone: str) -> None:
        """What Slack says of somebody who asks: by whose clock he speaks."""
        self.view.zones[slack] = zone

    # ----------------------------------------------------------------- questions

    def show(self, person: Person, alert_id: int) -> ShowReply | Refused | None:
        found = self.view.show_with_trend(alert_id, person.slack)
        if not isinstance(found, ShowReply):
            return found
        return replace(found, stoppable=self.jobs.stoppable(person, found.jobs))

    def alerts(self, person: Person, ids: Sequence[int]) -> list[Alert]:
        return list(self.view.seen(person.slack, self.engine.store.alerts.many(ids)))

    def show_rows(self, person: Person, alert_id: int) -> ShowReply | Refused | None:
        return self.view.show(alert_id, person.slack, rows=ROWS_MOST)

    def why_alert(self, person: Person, alert_id: int) -> WhyReply | Refused | None:
        alert = self.engine.store.alerts.get(alert_id)
        return self.why.alert(alert, person.slack) if alert else None

    def status(self, person: Person) -> StatusReply:
        return replace(self.view.status(person.slack), elsewhere=self.jobs.elsewhere())

    def alert_at(self, channel: str, ts: str) -> int | None:
        """The alert whose card this is, or in whose thread it stands."""
        message = self.engine.store.outbox.by_ts(channel, ts)
        return (message.alert or None) if message else None

    # ------------------------------------------------------------------ commands

    def command(self, person: Person, text: str) -> Reply:
        """The answer to a whole command or mention. Several targets are answered line by line."""
        return made_real(self._answer(person, text), person, text, self.engine.catalog)

    def _answer(self, person: Person, text: str) -> Reply:
        parsed = command.parse(text)
        if isinstance(parsed, Mistake):
            return Said(parsed.what, parsed.hint, ok=False)
        parsed = as_called(parsed, self.engine.catalog.jobs, self.engine.catalog.policies)
        asks: Mapping[str, Callable[[Person, Command], Reply]] = {
            "status": lambda p, said: self.jobs.with_seen(
                places.status(self.engine, self.view, p.slack, said.name)
            ),
            "list": lambda p, said: listed(self.engine, self.view, p.slack, said.filters),
            "show": self._show,
            "policy": lambda p, said: places.policy(self.engine, self.view, p.slack, said.name),
            "why": self._why,
            "pause": self._order,
            "resume": self._order,
            "every": self._order,
            **self.standing_in.asks,
            **self.handoffs.asks,
            **self.digests.asks,
            "help": lambda _, said: helped(next(iter(said.filters), "")),
            "rerun": self._rerun,
            "start": self._start,
            **self.approving.asks,
            **self.backfilling.asks,
            **self.jobs.asks,
            "graph": lambda _, said: graph.page(self.engine.catalog, said.name),
        }
        if parsed.verb in ("show", "status") and parsed.name.startswith(JOB):
            return self.jobs.page(person, parsed.name)
        if parsed.name and parsed.verb in ("snooze", "wake"):
            return self._of_scope(person, parsed)
        ask = asks.get(parsed.verb)
        answer = ask(person, parsed) if ask else self._each(person, parsed)
        self.acting.told(person, parsed, answer)
        return answer

    def _of_scope(self, person: Person, said: Command) -> Reply:
        """`snooze` and `wake` of an entity or a policy."""
        until = self.view.ends(person.slack, said)
        if said.verb == "wake" or until is None:
            return unrefused(self.asking.wake(person, said.name))
        return self.ask_snooze(person, said.name, until, self._readable(said.words))

    def ask_snooze(self, person: Person, name: str, until: datetime, why: str) -> AskReply | Said:
        if len(why) > NOTE_MOST:
            return too_long(why, NOTE_MOST)
        return unrefused(self.asking.snooze(person, name, until, why))

    def _order(self, person: Person, said: Command) -> Reply:
        said = replace(said, words=self._readable(said.words))
        if len(said.words) > NOTE_MOST:
            return too_long(said.words, NOTE_MOST)
        does = self.job_orders if said.name.startswith(JOB) else self.asking
        return unrefused(does.order(person, said))

    def confirm(self, person: Person, ask: int) -> Said:
        """Yes to what was shown."""
        return unrefused(self.asking.confirm(person, ask))

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
        if isinstance(action, Resolve) and len(targets) > 1:
            return self.resolve_several(person, targets, action)
        return together([self.act(person, target, action) for target in targets])

    def resolve_several(self, person: Person, ids: Sequence[int], action: Resolve) -> Said:
        """One verdict for several alerts, as a lead may give it."""
        each = list(dict.fromkeys(ids))
        deed = Deed.resolve_several if each[1:] else None
        return together([self.act(person, alert, action, deed=deed) for alert in each])

    def _action(self, person: Person, said: Command) -> PersonAction | Said:
        by, said = person.slack, replace(said, words=self._readable(said.words))
        if len(said.words) > NOTE_MOST:
            return too_long(said.words, NOTE_MOST)
        match said.verb:
            case "snooze":
                until = self.view.ends(person.slack, said)
                return SnoozeFor(by, until, said.words) if until else Said("For how long?", ok=False)
            case "resolve" if said.disposition:
                return Resolve(by, said.disposition, said.false_cause, said.words)
            case "assign":
                to = self._person(said.person)
                return Assign(by, to) if to else no_such("person", said.person, set(self.names().values()))
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
        names = self.names()
        return MENTIONED.sub(lambda found: f"@{found[2] or names.get(found[1], found[1])}", words)

    def names(self) -> Mapping[str, str]:
        """People's names by their Slack ids, as the files call them."""
        return oncall.names(self.engine.catalog.teams)

    def _targets(self, person: Person, said: Command) -> list[int] | Said:
        """The alerts named by number or link. A link that leads to none is said: never is another taken."""
        linked = [self.alert_at(channel, ts) for channel, ts in said.links]
        if None in linked:
            return Said("That message is no alert's card.", "Copy the link of the card itself.", ok=False)
        targets = list(dict.fromkeys([*said.alerts, *(found for found in linked if found)]))
        if not targets and said.verb == "ack" and (last := self.view.told_last(person.slack)):
            return [last.id]
        return targets

    def _person(self, name: str) -> str | None:
        names = self.names()
        return name if name in names else next((s for s, n in names.items() if n.lower() == name), None)

    def _show(self, person: Person, said: Command) -> Reply:
        if said.name:
            return places.named(self.engine, self.view, person.slack, said.name)
        targets = self._targets(person, said)
        if isinstance(targets, Said):
            return targets
        if not targets:
            return Said("Which alert?", "Write it so: `show 142`", ok=False)
        if targets[1:]:
            return one_at_a_time("show", targets[0])
        return unrefused(self.show(person, targets[0]) or self.view.unknown_alert(targets[0]))

    def _why(self, person: Person, said: Command) -> Reply:
        if wrong := sorted(name for name, value in said.filters.items() if value and name != "policy"):
            return Said(f"`{wrong[0]}` is no filter.", f"Write it so: `{BY_NAME['why'].usage}`", ok=False)
        policy = said.filters.get("policy") or next((n for n, v in said.filters.items() if not v), "")
        if said.name:
            return unrefused(self.why.named(said.name, policy, person.slack))
        targets = self._targets(person, said)
        if isinstance(targets, Said):
            return targets
        if targets[1:]:
            return one_at_a_time("why", targets[0])
        found = self.engine.store.alerts.get(targets[0]) if targets else None
        if found is None:
            missing = Said("Why what?", f"Write it so: `{BY_NAME['why'].usage}`", ok=False)
            return self.view.unknown_alert(targets[0]) if targets else missing
        return unrefused(self.why.alert(found, person.slack))

    def _rerun(self, person: Person, said: Command) -> Reply:
        if not said.name:
            return self._each_rerun(person, said)
        policy = self.engine.catalog.policies.get(said.name)
        if policy is None:
            return no_such("policy", said.name, list(self.engine.catalog.policies))
        if refused := self.acting.begin(person, Deed.rerun, self.view.house.ground_of_policy(policy.name)):
            return refusal(refused)
        answer = self.starting.rerun_policy(policy, person.slack, uuid.uuid4().hex)
        return Said(f"`{policy.name}`: {answer}.")

    def _each_rerun(self, person: Person, said: Command) -> Said:
        targets = self._targets(person, said)
        if isinstance(targets, Said):
            return targets
        if not targets:
            return Said("Rerun what?", f"Write it so: `{BY_NAME['rerun'].usage}`", ok=False)
        answer = together([self.act(person, target, Rerun(person.slack)) for target in targets])
        return replace(answer, text=f"{answer.text} The answer comes in the thread.") if answer.ok else answer

    def _start(self, person: Person, said: Command) -> Reply:
        targets = self._targets(person, said)
        if isinstance(targets, Said):
            return targets
        found = self._job(targets[0] if targets else None, said.name)
        if isinstance(found, Said):
            return found
        return unrefused(self.approving.typed(person, *found, said.params))
