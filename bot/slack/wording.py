"""The sentences of a card, as mrkdwn that is safe to show: its state, what was found, the small print."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from bot.core.alert import Alert, Condition, Disposition, Due, Lane, Work, due
from bot.core.earned import ENOUGH, figures
from bot.core.ladder import WHOM
from bot.core.reply import Context, Earlier, Worth
from bot.core.words import clean, count
from bot.slack.blocks import in_cell
from bot.slack.text import (
    AGO,
    CLOCK,
    answer,
    code,
    cut,
    date,
    escape,
    link,
    mention,
    sentence,
    unpinged,
    wrote,
)
from sensors.model.clock import say_duration
from sensors.model.policy import Policy, Severity, Status

DOTS = {
    Severity.critical: "🔴",
    Severity.high: "🟠",
    Severity.medium: "🟡",
    Severity.low: "🔵",
    Severity.info: "⚪",
}
CALLED = {disposition: disposition.called for disposition in Disposition}
MINUTE = timedelta(minutes=1)  # times are shown to the minute
LADDER = {**WHOM, "digest": "the owner's digest"}


def graded(severity: Severity) -> str:
    """How bad it is, in a colour and in a word."""
    return f"{DOTS[severity]} {severity.name}"


def todo(alert: Alert) -> str:
    """What is asked of the one whose phone buzzes."""
    if not alert.is_open:
        return f"{alert.name} resolved"
    if alert.snooze:
        return f"{alert.name} snoozed to {alert.snooze.until:%H:%M} UTC"
    if alert.work is Work.acknowledged:
        return f"{alert.name} acknowledged"
    next_due = due(alert)
    by = f" by {next_due.at:%H:%M} UTC" if next_due and alert.lane is Lane.live else ""
    return f"ack {alert.id}{by}"


def badges(alert: Alert) -> str:
    return "".join(f" `{badge}`" for badge in alert.badges)


def state(alert: Alert, about: Context) -> str:
    """The state, whose it is and what happens next, in one line."""
    dot = "✅" if not alert.is_open else "💤" if alert.snooze else DOTS[alert.severity]
    return f"{dot} *{alert.word}*{badges(alert)} · {_owned(alert, about)}"


def _owned(alert: Alert, about: Context) -> str:
    if not alert.is_open:
        return _resolved(alert, about)
    if alert.snooze:
        why = f": {wrote(alert.snooze.why, 200, unpinged(about.names))}" if alert.snooze.why else ""
        of = f" with {escape(alert.snooze.target, 80)}" if alert.snooze.of else ""
        by = mention(alert.snooze.by)
        return f"until {date(alert.snooze.until)} by {by}{of}{why}{_had_by(alert)}"
    if alert.work is Work.acknowledged:
        until = f" until {date(alert.acknowledged_until)}" if alert.acknowledged_until else ""
        return f"{mention(alert.owner or 'somebody')} has it{until}{_helpers(alert)}"
    told = f"{_told(about)} told" if about.paged or about.told else "nobody has it yet"
    return " · ".join(part for part in (told, _next(due(alert))) if part)


def _had_by(alert: Alert) -> str:
    return f" · {mention(alert.owner)} has it" if alert.owner else ""


def _helpers(alert: Alert) -> str:
    return f", with {_all(alert.helpers)}" if alert.helpers else ""


def _all(people: tuple[str, ...]) -> str:
    return ", ".join(mention(slack) for slack in people[:10])


def _told(about: Context) -> str:
    """All who were told: with a mention only those whom this card tells, also when it is posted anew."""
    person = unpinged(about.names, about.paged)
    return ", ".join(person(slack) for slack in list(dict.fromkeys((*about.paged, *about.told)))[:10])


def _resolved(alert: Alert, about: Context) -> str:
    called = CALLED[alert.disposition] if alert.disposition else "closed"
    cause = f" ({alert.false_cause.value.replace('_', ' ')})" if alert.false_cause else ""
    by = mention(alert.resolved_by) if alert.resolved_by else "the data"
    took = f" after {say_duration(alert.resolved_at - alert.opened_at)}" if alert.resolved_at else ""
    note = f": {wrote(alert.note, 300, unpinged(about.names))}" if alert.note else ""
    return f"{called}{cause} by {by}{took}{note}"


def _next(next_due: Due | None) -> str:
    """Without a mention: it would ping those who are to be told only later."""
    if next_due is None:
        return ""
    if next_due.to == "digest":
        return "nobody is paged"
    whom = LADDER.get(next_due.to) or escape(next_due.to, 40)
    return f"else {whom} is told at {date(next_due.at, CLOCK)}"


def finding(alert: Alert, about: Context) -> str:
    """One sentence with the counts: what, about whom, since when."""
    rows = f"*{count(alert.count, 'row')}*"
    what = f"{escape(about.policy.title, 120)}: " if about.policy else ""
    subject = about_whom(alert, about)
    if alert.policy.startswith("patrol.") and not about.evidence.rows:  # it counts runs or verdicts
        said = f"about {subject}, {_since(alert)}." if subject else f"{_since(alert)}."
        return said[0].upper() + said[1:]
    whose = f" for {subject}" if subject else ""
    return f"{what}{rows}{whose}, {_since(alert)}."


def _since(alert: Alert) -> str:
    first, last = date(alert.opened_at), date(alert.fired_at)
    if alert.condition is Condition.cleared:
        gone = f" as of {date(alert.as_of)}" if alert.as_of > alert.opened_at else ""
        return f"from {first}; no longer there{gone}"
    if alert.condition is Condition.unknown:
        why = f": {sentence(alert.unknown_why, 200)}" if alert.unknown_why else ""
        return f"last seen {last}; whether it is still there is not known{why}"
    if alert.terms.accumulates:
        return f"first {first}" + (f", last {last}" if alert.fired_at - alert.opened_at >= MINUTE else "")
    return f"since {first}, still there"


def advice(alert: Alert) -> str:
    """What to do, of an alert of Patrol's own."""
    told = alert.newest.get("advice") if alert.policy.startswith("patrol.") and alert.is_open else ""
    return answer(str(told or ""), 800)


def about_whom(alert: Alert, about: Context) -> str:
    """The key as people read it: `seller_id s_1`; columns that the policy hides or masks are left so."""
    ways: Mapping[str, str] = about.policy.alert.columns if about.policy else {}
    shown = [(name, value) for name, value in alert.key_values.items() if ways.get(name) != "hide"]
    return ", ".join(
        f"{escape(name, 40)} {'•••' if ways.get(name) == 'mask' else _ours(alert, name, value)}"
        for name, value in shown[:4]
    )


def _ours(alert: Alert, name: str, value: Any) -> str:
    """A value of the key; names of policies, which our own alerts are about, stay as they are."""
    own = name == "policy" and alert.policy.startswith("patrol.")
    return code(value, 80) if own else _short(value)


def _short(value: Any) -> str:
    return escape(in_cell(value), 60) or "–"


def footnotes(alert: Alert, about: Context, rows_shown: int) -> list[str]:
    """What helps to judge it, most useful first."""
    policy = about.policy
    hidden = max(about.evidence.total, len(about.evidence.rows)) - rows_shown
    short = [
        f"{hidden:,} more in *More…*" if hidden > 0 and rows_shown else "",
        f"data until {date(about.data_until)}" if about.data_until else "",
        precision(about.dispositions),
        f"{count(alert.comments, 'note')}" if alert.comments else "",
        link(policy.runbook, "Runbook") if policy and policy.runbook else "",
        *(link(url, label or "Open") for label, url in about.links[1:4]),
    ]
    in_one_line = " · ".join(note for note in short if note)
    return [note for note in (in_one_line, _earlier(about.earlier, alert), _kind(about)) if note]


def precision(dispositions: Mapping[Disposition, int]) -> str:
    """How often the policy was right lately; counts where they are too few for a share."""
    right = dispositions.get(Disposition.true_positive, 0)
    wrong = dispositions.get(Disposition.false_positive, 0)
    if right + wrong >= ENOUGH:
        return f"right {right} of {right + wrong} in 30 days"
    counted = [f"{n} {CALLED[verdict]}" for verdict, n in dispositions.items() if n > 0]
    return f"in 30 days: {', '.join(counted)}" if counted else ""


def worth(policy: Policy, found: Worth) -> str:
    """How right the policy has been, and whether that is enough for its status."""
    said = sentence(figures(found.record))
    if policy.status is Status.shadow and found.missing:
        return f"*In shadow*: {said}\nMissing for live: {sentence(', '.join(found.missing))}"
    if policy.status is Status.shadow:
        go = f"write {code('status: live')} in {code(policy.path)}"
        return f"*In shadow, and it has earned live*: {said}\nTo go live, {go}"
    noisy = f"\n⚠️ *Noisy*: it {sentence(found.noise)}" if found.noise else ""
    idle = "" if policy.runs else ", it is not run"
    return f"*{escape(policy.status.value, 20).capitalize()}{idle}*: {said}{noisy}"


def _earlier(earlier: tuple[Earlier, ...], alert: Alert) -> str:
    others = [e for e in earlier if e.is_open]
    before = [e for e in earlier if not e.is_open and (e.at, e.id) < (alert.opened_at, alert.id)]
    also = [f"{_named(e)}{_of_policy(e, alert)}" for e in others[:3]]
    told = [f"{_named(e)}{_of_policy(e, alert)}{_called(e)}" for e in before[:3]]
    parts = [_and_more("also open: ", also, others), _and_more("before: ", told, before)]
    return " · ".join(part for part in parts if part)


def _named(earlier: Earlier) -> str:
    name = f"ALR-{earlier.id}"
    return link(earlier.url, name) if earlier.url else name


def _called(earlier: Earlier) -> str:
    if earlier.sensitive:
        return ""
    return f" {CALLED[earlier.disposition] if earlier.disposition else 'closed'} {date(earlier.at, AGO)}"


def _of_policy(earlier: Earlier, alert: Alert) -> str:
    if earlier.sensitive:
        return " (sensitive)"
    return "" if earlier.policy == alert.policy else f" {code(earlier.policy, 60)}"


def _and_more(what: str, told: list[str], of: list[Earlier]) -> str:
    more = f" and {len(of) - len(told)} more" if len(of) > len(told) else ""
    return f"{what}{', '.join(told)}{more}" if told else ""


def _kind(about: Context) -> str:
    kind = about.violation
    if kind is None:
        return ""
    may = f" You may {escape(_lowered(kind.may_do), 200)}" if kind.may_do else ""
    return f"{escape(kind.title, 80)}: {escape(kind.what, 300)}{may}"


def _lowered(text: str) -> str:
    text = cut(text.strip(), 200)
    return text[:1].lower() + text[1:] if not text[:2].isupper() else text


def last_event(alert: Alert) -> str:
    """The newest line of its history, unless the line of its state has said it all."""
    said = not alert.is_open and alert.last_event_at == alert.resolved_at and alert.disposition
    if not alert.last_event or said:
        return ""
    ago = f" · {date(alert.last_event_at, AGO)}" if alert.last_event_at else ""
    return f"{story(alert.last_event, alert.last_event_by, 300)}{ago}"


def answered(alert: Alert, person: Callable[[str], str]) -> str:
    """What became of a page: a line that stays true."""
    at = f" · {date(alert.last_event_at, AGO)}" if alert.last_event_at else ""
    return f"{sentence(alert.last_event, 300, person)}{at}" if alert.last_event else ""


def story(text: str, by: str, limit: int) -> str:
    """A line of history: links are links only in what a person has written."""
    return wrote(text, limit) if by.startswith(("U", "W")) else sentence(text, limit)


def title(alert: Alert, limit: int) -> str:
    """Its title for mrkdwn; a name of ours that it begins with is code, unchanged."""
    name = str(alert.key_values.get("policy") or "") if alert.policy.startswith("patrol.") else ""
    if name and alert.title.startswith(f"{name} "):
        return f"{code(name, 80)} {sentence(clean(alert.title[len(name) + 1 :]), limit)}"
    return escape(alert.title, limit)
