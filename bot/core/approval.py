"""A job that a second person must agree to: bound to what it would do, good for a quarter of an hour."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from bot.core.access import Deed, Ground, may, who_may
from bot.core.action import MACHINE
from bot.core.change import Refused
from bot.core.notice import Notice
from bot.core.words import clean, who
from sensors.model.clock import say_duration
from sensors.model.job import Job
from sensors.model.team import Role
from sensors.model.violation import canonical

GOOD_FOR = timedelta(minutes=15)
SEEN = 16  # characters of the binding that a button carries


class ApprovalState(StrEnum):
    waiting = "waiting"
    approved = "approved"
    refused = "refused"
    expired = "expired"
    void = "void"  # what would be done is no longer what was asked for


@dataclass(frozen=True)
class Approval:
    """APR-12 to people: who asked for which job with which parameters, and what a second person said."""

    id: int
    job: str
    title: str
    params: Mapping[str, Any]
    binding: str  # to what would be done: see `binding`
    by: str  # who asked: a Slack user id, or "patrol"
    asked_at: datetime
    expires_at: datetime
    alert: int | None = None
    state: ApprovalState = ApprovalState.waiting
    decided_by: str = ""
    decided_at: datetime | None = None
    why: str = ""

    @property
    def name(self) -> str:
        return f"APR-{self.id}"

    @property
    def waits(self) -> bool:
        return self.state is ApprovalState.waiting

    @property
    def key(self) -> str:
        """The idempotency key of the start that it allows: one, whatever happens in between."""
        return f"approval-{self.id}"

    @property
    def seen(self) -> str:
        """What a button carries of what it showed."""
        return self.binding[:SEEN]


@dataclass(frozen=True)
class Answer:
    """What a person says to it, and of what: `seen` is what the button showed, "" for a command."""

    by: str
    yes: bool
    why: str = ""
    seen: str = ""


def needed(job: Job) -> bool:
    """Whether somebody else must agree before it starts."""
    return job.approval != "none"


def binding(job: Job, params: Mapping[str, Any]) -> str:
    """What would be done, as a hash: which call or statement, with which values. SHA-256 in hex."""
    done = {"job": job.name, "kind": job.kind, "config": job.config, "params": params}
    return hashlib.sha256(canonical(done).encode(errors="surrogatepass")).hexdigest()


def job_lines(job: Job, params: Mapping[str, Any], about: str = "") -> tuple[str, ...]:
    """What it would do, in sentences, for whoever is asked whether it shall. `about`: for which alert."""
    values = [f"{clean(name)} {_in_code(value)}" for name, value in params.items() if value is not None]
    changes = f"It changes: {clean(job.changes)}" if job.changes else "What it changes is not written down."
    lines = (
        f"Start `{clean(job.name)}`{f' for {about}' if about else ''}?",
        f"With {', '.join(values)}." if values else "It takes no parameters.",
        changes,
        f"To undo: {clean(job.undo)}" if job.undo else "",
    )
    return tuple(line for line in lines if line)


def _in_code(value: Any) -> str:
    return f"`{clean(' '.join(str(value).replace('`', chr(39)).split()))[:120]}`"


def nobody_else(
    by: str, ground: Ground, sees: Callable[[str], bool] = lambda _person: True
) -> Refused | None:
    """Where only the one who asks could agree, asking is in vain. `sees`: who may look at what it is for."""
    others = [person for person in who_may(Role.approver, ground) if person != by and sees(person)]
    if others:
        return None
    team = clean(ground.team.name) if ground.team else "its team"
    return Refused(
        f"{ground.name} needs a second person's approval, and {team} has no other approver.",
        "Make somebody an approver in policies/_teams.yml.",
    )


def lacking(job: Job, ground: Ground) -> str:
    """What keeps people from agreeing to the job, in words for `check`; empty where nothing does."""
    able = who_may(Role.approver, ground)
    if not needed(job) or len(able) > 1:
        return ""
    team = ground.team.name if ground.team else job.owner
    if not able:
        return f"nobody of {team} is an approver, so nobody can agree to it"
    names = {m.slack: m.name for t in (ground.team, ground.owner) if t for m in t.members}
    return f"only {names.get(able[0], able[0])} may agree to it: what he asks for himself cannot be started"


def decide(
    asked: Approval, answer: Answer, job: Job | None, ground: Ground, now: datetime
) -> Approval | Refused:
    """The approval after the answer, or why the answer does not count. `job` as it is declared now."""
    if not asked.waits:
        return Refused(f"{asked.name} {outcome(asked)}.")
    if now >= asked.expires_at:
        return Refused(f"{asked.name} has run out: it was not started.", f"start {asked.job} …")
    mine = answer.by == asked.by
    if mine and answer.yes:
        return Refused(
            f"You asked for {asked.name} yourself: a second person must agree.", _others(asked, ground)
        )
    if not mine and (refused := may(answer.by, Deed.approve, ground)):
        return refused
    if answer.seen not in ("", asked.seen):
        return Refused(
            "That button is of something else than is asked for now.", "`approvals` shows what waits."
        )
    decided = replace(asked, decided_by=answer.by, decided_at=now, why=answer.why)
    if answer.yes and (job is None or binding(job, asked.params) != asked.binding):
        return replace(decided, state=ApprovalState.void)
    return replace(decided, state=ApprovalState.approved if answer.yes else ApprovalState.refused)


def _others(asked: Approval, ground: Ground) -> str:
    able = [who(person) for person in who_may(Role.approver, ground) if person != asked.by]
    return f"It may be {', '.join(able[:6])}." if able else ""


def expired(asked: Approval, now: datetime) -> Approval:
    return replace(asked, state=ApprovalState.expired, decided_by=MACHINE, decided_at=now)


def outcome(asked: Approval) -> str:
    """What came of it, in words that follow its name or its job's."""
    by = who(asked.decided_by) if asked.decided_by else ""
    why = f": {clean(asked.why)}" if asked.why else ""
    match asked.state:
        case ApprovalState.waiting:
            return "waits for a second person"
        case ApprovalState.approved:
            return f"was approved by {by}{why}"
        case ApprovalState.refused if asked.decided_by == asked.by:
            return f"was withdrawn by {by}{why}"
        case ApprovalState.refused:
            return f"was refused by {by}{why}"
        case ApprovalState.expired:
            waited = say_duration(asked.expires_at - asked.asked_at)
            return f"was approved by nobody within {waited}: it was not started"
        case ApprovalState.void:
            return "was changed after it was asked for: it was not started"


# ----------------------------------------------------------------------- what Slack shows of it


class Says(StrEnum):
    """Its messages: the card, and under it what a second person said and what came of the job."""

    card = "card"
    decided = "decided"
    ended = "ended"


def approval_of(key: str) -> int | None:
    """Which approval allowed the start with this idempotency key; None: it needed none."""
    _, dash, number = key.partition("approval-")
    return int(number) if dash and number.isdigit() else None


def notice_of(approval_id: int, says: Says, team: str) -> Notice:
    """One of them, as what is to be said. Where it goes is seen when it is sent."""
    card = f"approval-{approval_id}"
    body = {"approval": approval_id, "says": says.value}
    if says is Says.card:
        return Notice(card, team, "", body)
    return Notice(f"{card}-{says.value}", team, "", {**body, "under": card})
