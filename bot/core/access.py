"""Who may do what: one table, from which refusals, `help` and the guide come."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from bot.core.action import (
    Acknowledge,
    Assign,
    Comment,
    Escalate,
    PersonAction,
    Reopen,
    Rerun,
    Resolve,
    ShareRows,
    SnoozeFor,
    StartJob,
    Unacknowledge,
    Wake,
)
from bot.core.alert import Alert
from bot.core.change import Refused
from bot.core.snooze import Scope
from bot.core.words import clean, who
from sensors.model.team import Member, Role, Team

RANK = {role: n for n, role in enumerate(Role)}  # each includes those before it
NAMED = 6  # of those who may, in a refusal
RETELL = timedelta(days=1)  # for so long a responder may still say what an alert was instead


class Deed(StrEnum):
    """What a person does, as far as it needs a permission. To look needs none, but at sensitive policies."""

    acknowledge = "acknowledge"
    hand_back = "hand_back"
    take = "take"
    hand_over = "hand_over"
    assign = "assign"
    snooze = "snooze"
    snooze_entity = "snooze_entity"
    snooze_policy = "snooze_policy"
    wake = "wake"
    resolve = "resolve"
    resolve_several = "resolve_several"
    change = "change"
    change_late = "change_late"
    reopen = "reopen"
    rerun = "rerun"
    start = "start"
    cancel = "cancel"
    approve = "approve"
    reveal = "reveal"
    reveal_hidden = "reveal_hidden"
    pause = "pause"
    pace = "pace"
    comment = "comment"
    share_rows = "share_rows"
    escalate = "escalate"
    stand_in = "stand_in"
    hand_on = "hand_on"
    backfill = "backfill"
    stop = "stop"


@dataclass(frozen=True)
class Right:
    """Who may: `role` of the team whose it is, or None for everybody.

    `does` completes "may", with {it} for what is acted on, which is `what` in the guide; `verbs` are its
    commands; `instead` is what one who may not can do, with {n} for the alert's number.
    """

    role: Role | None
    does: str
    verbs: tuple[str, ...] = ()
    instead: str = ""
    at_most: timedelta | None = None  # how long it may last
    what: str = "an alert"


ASK_OTHERS = "`escalate {n}` tells the next step of its ladder; `comment {n} …` leaves a note."
ONE_ALERT = "One alert: `snooze 142 2h reason`."
RIGHTS = {
    Deed.acknowledge: Right(Role.responder, "acknowledge {it}", ("ack",), ASK_OTHERS),
    Deed.hand_back: Right(Role.responder, "hand back {it}", ("unack",), ASK_OTHERS),
    Deed.take: Right(Role.responder, "take {it}", ("take",), ASK_OTHERS),
    Deed.hand_over: Right(Role.responder, "hand over {it}", (), ASK_OTHERS),
    Deed.assign: Right(
        Role.lead, "give {it} to others", ("assign",), "`take {n}` makes it yours; then you may hand it over."
    ),
    Deed.snooze: Right(Role.responder, "snooze {it}", ("snooze",), ASK_OTHERS, timedelta(hours=24)),
    Deed.snooze_entity: Right(
        Role.lead,
        "snooze all alerts of {it}",
        ("snooze",),
        ONE_ALERT,
        timedelta(days=14),
        "somebody",
    ),
    Deed.snooze_policy: Right(
        Role.admin, "snooze all of {it}", ("snooze",), ONE_ALERT, timedelta(hours=72), "a policy"
    ),
    Deed.wake: Right(Role.responder, "wake {it}", ("wake",), ASK_OTHERS),
    Deed.resolve: Right(Role.responder, "resolve {it}", ("resolve",), ASK_OTHERS),
    Deed.resolve_several: Right(
        Role.lead, "resolve several at once with {it}", ("resolve",), "One by one: `resolve {n} …`."
    ),
    Deed.change: Right(Role.responder, "say what {it} was instead", ("resolve",), "`comment {n} …`"),
    Deed.change_late: Right(
        Role.lead, "say what {it} was instead, more than a day after", ("resolve",), "`comment {n} …`"
    ),
    Deed.reopen: Right(Role.responder, "reopen {it}", ("reopen",), "`comment {n} …` leaves a note."),
    Deed.rerun: Right(Role.responder, "rerun {it}", ("rerun",), "`show {n}` shows what was found."),
    Deed.start: Right(
        Role.responder,
        "start {it}",
        ("start", "retry"),
        "`escalate 142` tells the next step of an alert.",
        what="a job",
    ),
    Deed.cancel: Right(
        Role.responder,
        "cancel {it}",
        ("cancel",),
        "`job rescore_seller` shows who started it and how it goes.",
        what="a run of a job that somebody else started",
    ),
    Deed.approve: Right(
        Role.approver,
        "approve {it}",
        ("approve", "refuse"),
        "`approvals` shows what waits, and who may.",
        what="a job that somebody else asked for",
    ),
    Deed.reveal: Right(Role.responder, "see masked values of {it}", instead=ASK_OTHERS),
    Deed.reveal_hidden: Right(Role.lead, "see hidden values of {it}", instead=ASK_OTHERS),
    # A pause hides nothing, as a snooze does: what came meanwhile is looked at, and alerts, when it ends.
    Deed.pause: Right(
        Role.lead,
        "pause {it}, and let it run again",
        ("pause", "resume"),
        "`escalate 142` tells the next step of an alert.",
        timedelta(hours=72),
        "a policy or a job",
    ),
    Deed.pace: Right(
        Role.lead,
        "have {it} run at another pace",
        ("every",),
        "`rerun payments.x` looks once more, now.",
        timedelta(days=14),
        "a policy or a job",
    ),
    Deed.comment: Right(None, "comment on {it}", ("comment",)),
    Deed.share_rows: Right(None, "put the rows of {it} into its thread"),
    Deed.escalate: Right(None, "escalate {it}", ("escalate",)),
    Deed.stand_in: Right(
        Role.responder,
        "be on call for {it}",
        ("takeover", "cover", "uncover"),
        "`oncall` shows who is on call.",
        timedelta(days=14),
        "a shift",
    ),
    Deed.hand_on: Right(
        Role.responder, "hand over {it}", ("handoff",), "`oncall` shows who is on call.", what="a shift"
    ),
    Deed.backfill: Right(
        Role.lead,
        "backfill {it}, and go on with it",
        ("backfill",),
        "`rerun payments.x` looks once more, now.",
        what="a policy",
    ),
    Deed.stop: Right(
        Role.responder, "stop {it}", ("stop",), "`status` shows what runs.", what="a backfill of its policies"
    ),
}


@dataclass(frozen=True)
class Ground:
    """What somebody would act on: how people call it, whose it is, who has it or was told of it.

    `owner` is the team that answers for Patrol: its admins are admins of every team. `beside` are other teams
    whose it is as much, such as all whose policies look at an entity: a role in one of them is enough.
    """

    name: str
    team: Team | None
    owner: Team | None = None
    on_it: frozenset[str] = frozenset()
    on_call: tuple[str, ...] = ()
    alert: int = 142
    beside: tuple[Team, ...] = ()

    @property
    def teams(self) -> tuple[Team, ...]:
        """Whose it is."""
        return (*((self.team,) if self.team else ()), *self.beside)


def deed_of(action: PersonAction, alert: Alert, now: datetime) -> Deed:
    """What the action is, of this alert as it now stands."""
    match action:
        case Assign(by=by, to=to):
            return Deed.take if by == to else Deed.hand_over if alert.owner == by else Deed.assign
        case Resolve() if not alert.is_open:
            late = alert.resolved_at is not None and now - alert.resolved_at > RETELL
            return Deed.change_late if late else Deed.change
        case Resolve():
            return Deed.resolve
    return SIMPLE[type(action)]


SIMPLE: dict[type, Deed] = {
    Acknowledge: Deed.acknowledge,
    Unacknowledge: Deed.hand_back,
    SnoozeFor: Deed.snooze,
    Wake: Deed.wake,
    Reopen: Deed.reopen,
    Escalate: Deed.escalate,
    Comment: Deed.comment,
    ShareRows: Deed.share_rows,
    Rerun: Deed.rerun,
    StartJob: Deed.start,
}


def may(person: str, deed: Deed, ground: Ground) -> Refused | None:
    """Whether the person may; None where he may, else who may and what he can do himself."""
    right = RIGHTS[deed]
    if right.role is None or _reaches(role_in(person, ground), right.role):
        return None
    return _refusal(right, right.role, ground, stranger=role_in(person, ground) is None)


def may_in_shift(person: str, deed: Deed, team: Team | None) -> Refused | None:
    """The same of a team's shifts, which are its members': being an admin elsewhere puts nobody on call."""
    name = clean(team.name) if team else "a team that is gone"
    return may(person, deed, Ground(name if deed is Deed.stand_in else f"the shift of {name}", team))


def role_in(person: str, ground: Ground) -> Role | None:
    """The highest role that the person has there. Whoever has an alert, or was told of it, works on it as a
    responder, whatever his team."""
    ours = ground.owner.member(person) if ground.owner else None
    own = {role for team in ground.teams for role in _roles(team.member(person))}
    roles = {*own, *(_roles(ours) & {Role.admin})}
    if person in ground.on_it:
        roles.add(Role.responder)
    return max(roles, key=RANK.__getitem__, default=None)


def _roles(member: Member | None) -> frozenset[Role]:
    return member.roles | {Role.responder} if member else frozenset()


def _reaches(role: Role | None, needed: Role) -> bool:
    return role is not None and RANK[role] >= RANK[needed]


def who_may(needed: Role, ground: Ground) -> tuple[str, ...]:
    """Everybody with at least that role there, who is on call first."""
    teams = (*ground.teams, *((ground.owner,) if ground.owner else ()))
    members = [m for team in teams for m in team.members]
    able = [m.slack for m in members if _reaches(role_in(m.slack, ground), needed)]
    return tuple(dict.fromkeys(sorted(able, key=lambda slack: slack not in ground.on_call)))


def _refusal(right: Right, needed: Role, ground: Ground, stranger: bool) -> Refused:
    team = " or ".join(clean(team.name) for team in ground.teams[:NAMED]) or "its team"
    able = who_may(needed, ground)
    names = _names(able, ground.on_call) if able else "nobody has that role"
    hint = right.instead.format(n=ground.alert)
    if stranger or not able:
        hint = f"{hint} Who is in a team, and as what, stands in policies/_teams.yml.".strip()
    it = f"`{ground.name}`" if "." in ground.name and "`" not in ground.name else ground.name  # a policy's
    does = right.does.format(it=it)
    return Refused(f"Only {a_role(needed)} of {team} may {does}: {names}.", hint)


def _names(able: Iterable[str], on_call: tuple[str, ...]) -> str:
    named = [f"{who(slack)}{' (on call)' if slack in on_call else ''}" for slack in able]
    more = [f"{len(named) - NAMED} more"] if len(named) > NAMED else []
    return ", ".join([*named[:NAMED], *more])


def a_role(role: Role) -> str:
    return f"{'an' if role.value[0] in 'aeiou' else 'a'} {role.value}"


def say(right: Right) -> str:
    """Who may, as `help` says it."""
    return f"to {right.does.format(it=right.what)}: {says_who(right)}"


def says_who(right: Right) -> str:
    """Whoever may, and for how long, in words."""
    able = "everybody" if right.role is None else f"{a_role(right.role)} of its team"
    return f"{able}, for {_span(right.at_most)} at most" if right.at_most else able


def _span(span: timedelta) -> str:
    hours = span // timedelta(hours=1)
    return f"{hours} h" if hours <= 72 else f"{span.days} days"


def of_verb(verb: str) -> tuple[Right, ...]:
    """The rights that a command is about; none where it only looks."""
    return tuple(right for right in RIGHTS.values() if verb in right.verbs)


def guide() -> str:
    """The table of the guide."""
    lines = [
        f"| {right.does.format(it=right.what)} | {says_who(right)} | {_typed(right.verbs)} |"
        for right in RIGHTS.values()
    ]
    return "\n".join(["| to | may | by command |", "|---|---|---|", *lines])


def _typed(verbs: tuple[str, ...]) -> str:
    return ", ".join(f"`{verb}`" for verb in verbs) or "–"


TO_SNOOZE: Mapping[Scope, Deed] = {
    Scope.alert: Deed.snooze,
    Scope.entity: Deed.snooze_entity,
    Scope.policy: Deed.snooze_policy,
}
TO_ORDER = {"pause": Deed.pause, "resume": Deed.pause, "every": Deed.pace}  # by verb
