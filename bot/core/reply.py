"""What a person gets to see: an alert with its context, answers to commands. Values; Slack draws them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from bot.core.alert import Alert, Disposition, Event
from bot.core.approval import Approval
from bot.core.around import ALONE, Hangs
from bot.core.backfill import BackfillRun
from bot.core.cost import NOTHING_SPENT, Cost, Spent
from bot.core.digest import Digest
from bot.core.earned import Record
from bot.core.job_run import Ability, JobRun, Seen
from bot.core.layout import NOT_DRAWN, Layout
from bot.core.oncall import Duty
from bot.core.stale import Stale
from bot.core.trend import NO_TREND, Trend
from bot.core.upstream import State, said_all
from bot.core.words import when
from sensors.model.asset import Asset, ViolationKind
from sensors.model.graph import Node
from sensors.model.job import Job
from sensors.model.policy import Policy
from sensors.model.run import RunStatus


@dataclass(frozen=True)
class Person:
    """Who asks, as Slack identified him."""

    slack: str
    channel: str | None = None
    via: str = ""  # button | command | home | mention | modal | shortcut


@dataclass(frozen=True)
class Evidence:
    """The rows that prove an alert, newest first, masked as stored; `total` counts those not kept too."""

    columns: tuple[str, ...] = ()
    rows: tuple[Mapping[str, Any], ...] = ()
    total: int = 0


@dataclass(frozen=True)
class Earlier:
    """Another alert on the same entity."""

    id: int
    policy: str
    title: str
    disposition: Disposition | None
    at: datetime
    is_open: bool = False
    team: str = ""
    sensitive: bool = False  # then only its number stands on the cards of others
    url: str = ""  # of its card, where that is known


@dataclass(frozen=True)
class Context:
    """What a card shows beside its alert, read when it is drawn. Context alone never causes an update."""

    policy: Policy | None = None
    team_channel: str = ""
    due_to: tuple[str, ...] = ()  # Slack ids of those whom the next step tells
    paged: tuple[str, ...] = ()  # Slack ids of those whom the card itself tells, by a mention
    told: tuple[str, ...] = ()  # Slack ids of all who have been told, by every step so far
    names: Mapping[str, str] = field(default_factory=dict)  # Slack id -> name, where a mention would ping
    evidence: Evidence = Evidence()
    offers: tuple[Job, ...] = ()
    links: tuple[tuple[str, str], ...] = ()  # label, url
    earlier: tuple[Earlier, ...] = ()
    dispositions: Mapping[Disposition, int] = field(default_factory=dict)  # of this policy, last 30 days
    violation: ViolationKind | None = None
    data_until: datetime | None = None


@dataclass(frozen=True)
class Said:
    """Plain sentences. `ok` false: the person was refused or mistaken; `hint` says what to do instead."""

    text: str
    hint: str = ""
    ok: bool = True


@dataclass(frozen=True)
class AskReply:
    """What would be done, and what that would mean: done only once the same person says yes."""

    ask: int
    lines: tuple[str, ...]
    does: str  # what the button says
    plan: str = ""  # what would be sent to an outside system, as it would be


@dataclass(frozen=True)
class PolicyLine:
    """A policy on one line of `status`."""

    name: str
    title: str
    owner: str
    status: str
    last_run: datetime | None = None
    last_status: RunStatus | None = None
    last_error: str = ""
    next_due: datetime | None = None
    open_alerts: int = 0
    worth: str = ""  # "has earned live", "noisy" or "over its budget"
    order: str = ""  # "is paused" or "runs every 1 h", for a while
    nothing_since: datetime | None = None  # its last run had nothing newer to look at, and did not ask


@dataclass(frozen=True)
class Turn:
    """When a policy's turn comes, where not only the clock says so."""

    after: tuple[str, ...] = ()  # what it runs after
    ran_for: tuple[State, ...] = ()  # the states that its last run was for
    awaits: tuple[str, ...] = ()  # of `after`, what has not come to another state since
    since: datetime | None = None  # since when it has waited for late data
    why: str = ""  # which

    @property
    def words(self) -> tuple[str, ...]:
        """A sentence each, for people."""
        ran = f"Ran last for {said_all(self.ran_for)}." if self.ran_for else ""
        awaits = ", ".join(f"`{ref}`" for ref in self.awaits)
        next_for = f"It runs again when these are updated: {awaits}." if awaits else ""
        since = f"It has waited since {when(self.since)}: {self.why}." if self.since else ""
        late = f"{since} It runs as soon as they have come." if since else ""
        return tuple(one for one in (ran, next_for, late) if one)


@dataclass(frozen=True)
class Freshness:
    """What is known of an asset's age."""

    updates: tuple[datetime, ...] = ()  # until when it was loaded after each of the last ones, newest first
    stale: Stale | None = None  # where it is late or getting old
    by: str = ""  # the job whose run made it so, with the run's number


Place = tuple[str, str]  # channel and ts of a message


@dataclass(frozen=True)
class OnCall:
    """Who is on call for a team until when, and who is next, by Slack ids; none of `people`: nobody."""

    team: str
    people: tuple[str, ...]
    why: str = "turn"
    until: datetime | None = None  # None: for as long as can be seen
    following: tuple[str, ...] = ()


@dataclass(frozen=True)
class OnCallReply:
    """`oncall [team] [week]`: now and next; and of a team the week, by its own clock."""

    teams: tuple[OnCall, ...]
    week: tuple[Duty, ...] = ()
    zone: str = "UTC"
    names: Mapping[str, str] = field(default_factory=dict)  # Slack id -> name


@dataclass(frozen=True)
class StatusReply:
    """`status`: the whole on one screen, or what is of one team (`of`)."""

    policies: tuple[PolicyLine, ...]
    open_alerts: tuple[Alert, ...]
    on_call: tuple[OnCall, ...] = ()
    jobs: tuple[JobRun, ...] = ()
    problems: tuple[str, ...] = ()  # of files, of the warehouse, of Slack, in words
    version: str = ""
    bundles: tuple[str, ...] = ()  # a line of each, where there are several
    elsewhere: tuple[str, ...] = ()  # jobs that run and were not started here, in words
    open_total: int = 0  # of which `open_alerts` are the worst, and those of the person and his teams
    teams: tuple[str, ...] = ()  # of the person
    cards: Mapping[int, Place] = field(default_factory=dict)  # alert id -> its card
    told: Mapping[int, tuple[str, ...]] = field(default_factory=dict)  # alert id -> who has been told
    approvals: tuple[Approval, ...] = ()  # what waits for a second person
    able: Mapping[int, tuple[str, ...]] = field(default_factory=dict)  # approval id -> who may agree
    standing: tuple[str, ...] = ()  # what people have ordered for a time: snoozes of entities and policies
    late: tuple[Stale, ...] = ()  # assets that are late, or getting old
    of: str = ""  # the team, where only what is its own was asked for
    spent: Spent = NOTHING_SPENT  # in the last 24 hours, by all policies
    backfills: tuple[BackfillRun, ...] = ()  # those that run
    notices: Mapping[str, Place] = field(default_factory=dict)  # key of what was told -> its message


@dataclass(frozen=True)
class ListReply:
    """`list`: open alerts, worst first, newest first among equals."""

    alerts: tuple[Alert, ...]
    asked: str = ""  # the filter in words
    cards: Mapping[int, Place] = field(default_factory=dict)  # alert id -> its card
    snoozes: tuple[str, ...] = ()  # of entities and policies, in sentences


@dataclass(frozen=True)
class ShowReply:
    """`show 142`: the alert, its context, its history and its jobs."""

    alert: Alert
    context: Context
    history: tuple[Event, ...]
    jobs: tuple[JobRun, ...] = ()
    card: Place | None = None
    trend: Trend = NO_TREND  # of its policy, where that is shown
    stoppable: tuple[int, ...] = ()  # job runs that can be cancelled


@dataclass(frozen=True)
class Note:
    """What somebody wrote about an alert."""

    alert: int
    by: str
    at: datetime
    story: str


@dataclass(frozen=True)
class EntityReply:
    """`show seller:s_1`: all that is known of them. Alerts newest first."""

    name: str  # as people write it
    link: tuple[str, str] | None  # label, url
    alerts: tuple[Alert, ...]
    notes: tuple[Note, ...] = ()
    snoozes: tuple[str, ...] = ()  # in sentences, the newest first
    cards: Mapping[int, Place] = field(default_factory=dict)  # alert id -> its card
    more: bool = False  # there are more alerts than are listed
    trend: Trend = NO_TREND


@dataclass(frozen=True)
class WhyReply:
    """`why 142`, `why seller:s_1`: each reason with what it is of, in sentences of the core."""

    about: str
    reasons: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Worth:
    """What the alerts of a policy's present version came to in its lane, and what follows, in words."""

    record: Record
    missing: tuple[str, ...] = ()  # of a policy in shadow, for `live`
    noise: str = ""  # of a live one: why it is noisy


@dataclass(frozen=True)
class PolicyReply:
    """`policy payments.refund_spike`: what it is, when it ran and will run, how right it has been."""

    policy: Policy
    line: PolicyLine
    worth: Worth | None = None
    alerts: tuple[Alert, ...] = ()
    cards: Mapping[int, Place] = field(default_factory=dict)  # alert id -> its card
    reports: int = 0  # false positives of which nobody has made a case yet
    mistake: str = ""  # the first of its files, where these do not load and this is its last good version
    trend: Trend = NO_TREND
    cost: Cost | None = None  # of the last 24 hours
    hidden: str = ""  # why the one who asks sees nothing of what it found
    turn: Turn = Turn()
    hangs: Hangs = ALONE


@dataclass(frozen=True)
class AssetReply:
    """`show core.orders`, `show model:reco`: what it is, what is expected of it, who reads it, and what waits
    for its data."""

    asset: Asset
    policies: tuple[PolicyLine, ...] = ()
    waiting: tuple[Alert, ...] = ()  # alerts of which nothing is known, for data are late
    cards: Mapping[int, Place] = field(default_factory=dict)  # alert id -> its card
    fresh: Freshness = Freshness()
    hangs: Hangs = ALONE
    made_by: tuple[JobRun, ...] = ()  # the last start here of each job that makes it, if one may be seen


@dataclass(frozen=True)
class GraphReply:
    """`graph core.orders`: what it comes from and leads to, in words and, where it can be, as a picture."""

    of: Node | None  # None: everything
    hangs: Hangs
    size: str  # "39 policies, 4 jobs, 25 assets": all that hangs together with it
    layout: Layout = NOT_DRAWN  # empty where it would be too large
    steps: int | None = None  # how many of them are drawn each way; None: all


@dataclass(frozen=True)
class JobReply:
    """`job rescore_seller`: what it is, what of it goes on, its last runs here and over there."""

    job: Job
    runs: tuple[JobRun, ...] = ()  # started here, newest first, as far as the person may see them
    seen: Seen = field(default_factory=Seen)  # over there
    able: frozenset[Ability] = frozenset()
    stoppable: tuple[int, ...] = ()  # those of the runs that can be cancelled
    next_due: datetime | None = None  # by its schedule
    standing: tuple[str, ...] = ()  # what people have ordered of it for a time
    hangs: Hangs = ALONE
    late: str = ""  # why it is called late, if it is


@dataclass(frozen=True)
class FormReply:
    """A job that wants more than was said: its form, filled in from the alert's row and its defaults."""

    job: Job
    params: Mapping[str, Any]
    alert: int | None = None


@dataclass(frozen=True)
class DigestReply:
    """`digest [team]`, and what a team's channel is told when its day begins."""

    digest: Digest
    cards: Mapping[int, Place] = field(default_factory=dict)  # alert id -> its card


@dataclass(frozen=True)
class HelpReply:
    """`help`: made from the table that parses."""

    verbs: tuple[tuple[str, str, str], ...]  # verb, usage, what it does
    about: str = ""  # one verb's longer help
    titles: Mapping[str, str] = field(default_factory=dict)  # by the verb that stands first below it


@dataclass(frozen=True)
class Revealed:
    """Rows with what is masked elsewhere, for one person's eyes; or why there are none."""

    columns: tuple[str, ...] = ()
    rows: tuple[Mapping[str, Any], ...] = ()
    total: int = 0
    why_not: str = ""


@dataclass(frozen=True)
class ApprovalsReply:
    """`approvals`: what waits for a second person, oldest first."""

    waiting: tuple[Approval, ...]
    able: Mapping[int, tuple[str, ...]] = field(default_factory=dict)  # approval id -> who may agree
    mine: tuple[int, ...] = ()  # those that the one who asks may answer


OfAlerts = ListReply | ShowReply | WhyReply | EntityReply | PolicyReply | StatusReply
OfGraph = AssetReply | GraphReply
OfPeople = OnCallReply | DigestReply | ApprovalsReply
OfJobs = JobReply | FormReply
Reply = Said | AskReply | OfAlerts | OfGraph | OfJobs | OfPeople | HelpReply
