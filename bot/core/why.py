"""Why an alert is as it is, or why there is none: each reason as a plain sentence. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.core.alert import Alert, Condition, Lane, Work, due
from bot.core.message import Message, MessageState
from bot.core.reconcile import Seen
from bot.core.tell_snooze import because
from bot.core.words import clean, count, when, where, who
from sensors.model.clock import say_duration
from sensors.model.policy import Incremental, Policy, Status, Threshold, Trailing
from sensors.model.run import RunStatus
from sensors.model.window import Window

ENDED = {
    RunStatus.failed: "failed",
    RunStatus.timed_out: "took too long",
    RunStatus.skipped: "was skipped",
}
Reason = tuple[str, str]  # of what it is, and the sentence


@dataclass(frozen=True)
class Look:
    """A run of the policy as far as a reason needs it."""

    status: RunStatus
    at: datetime
    window: Window | None
    rows: int = 0
    violations: int = 0
    error: str = ""
    retry_at: datetime | None = None


@dataclass(frozen=True)
class Delivery:
    """How far Slack knows of an alert."""

    channel: str  # where the alert belongs, by Slack's id
    card: Message | None
    undone: int = 0  # effects that are still to be said or done
    parked: int = 0  # … that Slack has refused for good


def span(window: Window) -> str:
    if window.start is None:
        return f"the world as it was {when(window.end)}"
    return f"{when(window.start)} to {when(window.end)}"


# ---------------------------------------------------------------------- the policy


def of_policy(policy: Policy | None, name: str) -> str:
    if policy is None:
        return f"`{clean(name)}` is not in the files any more, so nothing new is looked for."
    how = {
        Status.draft: "a draft: it is checked and never run",
        Status.shadow: "in shadow: it runs, but its alerts page nobody",
        Status.live: "live",
        Status.retired: "retired: it is not run any more",
    }[policy.status]
    return f"`{policy.name}` is {how}, owned by {clean(policy.owner)}."


def of_look(last: Look | None, good: Look | None, now: datetime) -> str:
    """The newest look, and the newest good one where that is another."""
    if last is None:
        return "It has not looked yet."
    if last.status is RunStatus.succeeded:
        return _good(last)
    again = f"; it is tried again {when(last.retry_at)}" if last.retry_at else ""
    reason = clean(last.error) or "no reason given"
    failed = f"Its last run, {when(last.at)}, {ENDED.get(last.status, last.status.value)}: {reason}{again}."
    if good is None:
        return f"{failed} No good look is remembered."
    return f"{failed} Not looked at since {when(good.at)} ({say_duration(now - good.at)} ago)."


def _good(look: Look) -> str:
    over = f", over {span(look.window)}" if look.window else ""
    found = f"{count(look.rows, 'row')}, {count(look.violations, 'violation')}"
    return f"It looked last {when(look.at)}{over}: {found}."


def of_threshold(policy: Policy) -> str:
    need, within = policy.threshold, policy.threshold.within
    what = f"different values of {clean(need.distinct)}" if need.distinct else count(need.count, "row")
    many = f"{need.count} {what}" if need.distinct else what
    return f"Its threshold is {many}{f' within {say_duration(within)}' if within else ''}. {_graded(policy)}"


def _graded(policy: Policy) -> str:
    if len(policy.severity.bounds) == 1 and not policy.severity.by:
        return f"What it finds is {policy.severity.lowest.name}."
    bounds = ", ".join(f"{severity.name} from {bound:g}" for severity, bound in policy.severity.bounds)
    return f"It is graded by {clean(policy.severity.by or 'that count')}: {bounds}."


# ------------------------------------------------------------------------- the rows


def of_memory(policy: Policy, rows: Sequence[Seen]) -> str:
    """What is remembered of a key, and how much of it counts together."""
    if not rows:
        return "No row of it is remembered."
    times = sorted(at for row in rows if (at := row.event_time or row.seen_at))
    newest = f", the newest of {when(times[-1])}" if times else ""
    most = most_within(policy.threshold, rows)
    told = f"{count(len(rows), 'row')} of it {'is' if len(rows) == 1 else 'are'} remembered{newest}"
    if not isinstance(policy.window, Incremental):
        return f"{told}; what counts is how many a look finds."
    within = f" within {say_duration(policy.threshold.within)}" if policy.threshold.within else ""
    need = policy.threshold.count
    enough = "that is enough" if most >= need else f"its threshold is {need}"
    return f"{told}; at most {most} count together{within}, {enough}. A row that was seen counts once."


def most_within(threshold: Threshold, rows: Iterable[Seen]) -> int:
    """The most rows (or distinct values) that lie together within the threshold's time."""
    timed = sorted(
        ((at, row.value) for row in rows if (at := row.event_time or row.seen_at)), key=lambda one: one[0]
    )
    best, first = 0, 0
    for last, (at, _) in enumerate(timed):
        while threshold.within and at - timed[first][0] >= threshold.within:
            first += 1
        group = timed[first : last + 1]
        best = max(best, len({value for _, value in group} - {None}) if threshold.distinct else len(group))
    return best


def of_window(policy: Policy) -> str:
    match policy.window:
        case Incremental(column=column, lookback=lookback, delay=delay):
            back = f", and {say_duration(lookback)} back for rows that come late" if lookback else ""
            waits = f", {say_duration(delay)} behind the clock" if delay else ""
            return f"It looks at what has come by {clean(column)} since its last look{back}{waits}."
        case Trailing(span=length, column=column):
            return f"Each look counts the last {say_duration(length)} by {clean(column)}."
        case _:
            return "Each look counts the world as it is then."


def of_count(alert: Alert, found: Window | None) -> str:
    """What was counted, and in which windows its rows were found."""
    where = f", found from {span(found)}" if found and found.start else ""
    forgiven = (
        f" Rows seen until {when(alert.forgiven_until)} were called a false positive and do not count."
        if alert.forgiven_until
        else ""
    )
    return f"{count(alert.count, 'row')} counted{where}: that makes it {alert.severity.name}.{forgiven}"


# ------------------------------------------------------------------- state and people


def of_state(alert: Alert) -> Reason | None:
    """What keeps it from paging just now."""
    if not alert.is_open:
        by = who(alert.resolved_by) if alert.resolved_by else "the data"
        called = f" as {alert.disposition.called}" if alert.disposition else ""
        at = f" {when(alert.resolved_at)}" if alert.resolved_at else ""
        return "Resolved", f"By {by}{called}{at}; new rows within 72 h open it again, later ones a new alert."
    if alert.lane is not Lane.live:
        return "Lane", f"It opened in {alert.lane.value}: it pages nobody and is left for the owner's digest."
    if alert.snooze:
        of = f" with `{clean(alert.snooze.target)}`" if alert.snooze.of else ""
        said = f"By {who(alert.snooze.by)}{of} until {when(alert.snooze.until)}{because(alert.snooze.why)}."
        return "Snoozed", f"{said} It wakes early above {alert.snooze.ceiling.name}."
    return None


def of_condition(alert: Alert) -> Reason | None:
    if alert.condition is Condition.unknown:
        return "Late data", f"Whether it is still there is not known: {clean(alert.unknown_why)}."
    if alert.condition is Condition.cleared:
        closes = {"always": "its policy closes it", "if_unacked": "its policy closes it where nobody has it"}
        return "Cleared", f"A look no longer found it; {closes.get(alert.terms.clear, 'people close it')}."
    return None


def of_route(alert: Alert, told: Sequence[str], next_to: Sequence[str]) -> str:
    """Which step it is at, who was told and who is next."""
    steps = len(alert.terms.ladder)
    was = f"{', '.join(who(slack) for slack in told)} told" if told else "nobody told yet"
    at = f"step {alert.step} of {steps} of the ladder of {clean(alert.terms.team)}: {was}"
    following = due(alert)
    if following is None:
        return f"It went to {at}."
    people = ", ".join(who(slack) for slack in next_to) or clean(following.to)
    owner = f" {who(alert.owner)} has it." if alert.work is Work.acknowledged and alert.owner else ""
    return f"It is at {at}.{owner} Next, {when(following.at)}: {people} ({following.why})."


def of_delivery(alert: Alert, known: Delivery) -> str:
    card = known.card
    there = where((card.channel if card else "") or known.channel) or "no channel"
    if card is None:
        said = f"Its card waits to be posted in {there}"
    elif card.state is MessageState.posted and card.ts:
        behind = alert.face_seq - card.shown_seq
        late = f", {count(behind, 'change')} behind" if behind > 0 else ""
        said = f"Its card stands in {there}{late}"
    elif card.state is MessageState.parked:
        said = f"Its card was refused in {there}"
    else:
        said = f"Its card is being sent to {there}"
    error = f" ({clean(card.error)})" if card and card.error else ""
    undone = f"; {count(known.undone, 'line')} for its thread wait" if known.undone else ""
    parked = f"; {count(known.parked, 'line')} refused by Slack and put by" if known.parked else ""
    return f"{said}{error}{undone}{parked}."
