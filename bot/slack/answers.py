"""Answers that only the one who asked sees: every kind of Reply, compact, within Slack's limits."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from bot.core.alert import Event, Work
from bot.core.change import Refused
from bot.core.command import BY_NAME
from bot.core.job_run import JobRun
from bot.core.reply import (
    ApprovalsReply,
    Context,
    DigestReply,
    HelpReply,
    ListReply,
    OfPeople,
    OnCallReply,
    PolicyLine,
    PolicyReply,
    Reply,
    Said,
    ShowReply,
    StatusReply,
)
from bot.core.words import count
from bot.slack import approvals, duty
from bot.slack.blocks import Block, Face, actions, context, header, preformatted, section
from bot.slack.digest import digest
from bot.slack.face import buttons, offers, shown_columns
from bot.slack.lines import ANYWHERE, Room, alert_lines, sections
from bot.slack.text import (
    AGO,
    CLOCK,
    answer,
    code,
    cut,
    date,
    escape,
    fold,
    link,
    mention,
    sentence,
    trimmed,
)
from bot.slack.wording import finding, footnotes, state, story, title, worth
from sensors.model.clock import say_duration
from sensors.model.policy import Cron, Every, Policy

STATUS_OPEN = 8
COLUMNS_IN_FULL = 12


IN_THREADS = "@patrol"  # Slack refuses slash commands there
TYPED = re.compile(rf"`(?:/patrol )?((?:{'|'.join(BY_NAME)})(?: [^`]*)?)`")


def render(reply: Reply | Refused, room: Room = ANYWHERE) -> Face:
    """Any answer as a message."""
    match reply:
        case Refused(why=why, hint=hint):
            return said(Said(why, hint, ok=False), room)
        case Said():
            return said(reply, room)
        case HelpReply():
            return helped(reply, room)
        case StatusReply():
            return status(reply, room)
        case ListReply():
            return listed(reply, room)
        case ShowReply():
            return shown(reply, room)
        case PolicyReply():
            return policy(reply, room)
        case _:
            return _of_people(reply, room)


def _of_people(reply: OfPeople, room: Room) -> Face:
    match reply:
        case DigestReply():
            return digest(reply, room)
        case OnCallReply():
            return duty.on_call(reply)
        case ApprovalsReply():
            return approvals.listed(reply, room.prefix)


def said(reply: Said, room: Room = ANYWHERE) -> Face:
    """A sentence, and below it what to do next, written as it can be typed there."""
    told = replace(reply, text=reply.text.replace("`/patrol ", f"`{room.prefix} "))
    hint = TYPED.sub(rf"`{room.prefix} \1`", reply.hint)
    text = said_text(told) or "Done."
    return Face(trimmed(text, 1_000), [section(text), *context([answer(hint)] if hint else [])])


def said_text(reply: Said) -> str:
    return answer(reply.text) if reply.ok else f"⚠️ {answer(reply.text)}"


def plainly(text: str, hint: str = "") -> Face:
    """A refusal or bad news from the listeners themselves."""
    return said(Said(text, hint, ok=False))


# -- alerts --------------------------------------------------------------------------------------------------


def listed(reply: ListReply, room: Room = ANYWHERE) -> Face:
    asked = f" ({code(reply.asked, 100)})" if reply.asked else ""
    if not reply.alerts:
        text = f"No open alerts{asked}."
        return Face(text, [section(text)])
    head = f"*{count(len(reply.alerts), 'open alert')}*{asked}"
    lines = alert_lines(reply.alerts, reply.cards, room)
    return Face(trimmed(head, 300), [section(head), *sections(lines)])


def shown(reply: ShowReply, room: Room = ANYWHERE) -> Face:
    """As the card, with history and jobs; rows as text, since a refused answer to a command is lost."""
    alert, about = reply.alert, reply.context
    url = room.link(reply.card)
    where = [link(url, "Its message")] if url else []
    blocks = [
        header(f"{alert.severity.name.upper()} · {cut(fold(alert.title), 120)} · {alert.name}"),
        section(state(alert, about)),
        section(finding(alert, about)),
        *actions(buttons(alert, about)),
        *actions(offers(alert, about)),
        *row_blocks(about, 10),
        *context([*footnotes(alert, about, min(10, len(about.evidence.rows))), *where]),
        *_titled("Timeline", history_lines(reply.history, 10)),
        *_titled("Jobs", job_lines(reply.jobs, 5)),
    ]
    return Face(f"{alert.name} · {title(alert, 90)}", blocks)


def row_blocks(about: Context, most: int) -> list[Block]:
    """The rows that prove it, as text that Slack never parses."""
    columns, rows = shown_columns(about), about.evidence.rows[:most]
    if not columns or not rows:
        return []
    left = max(about.evidence.total, len(about.evidence.rows)) - len(rows)
    more = context([f"and {count(left, 'more row')}"] if left > 0 else [])
    return [preformatted(columns, rows, most=COLUMNS_IN_FULL), *more]


def history_lines(history: Sequence[Event], most: int) -> list[str]:
    """The newest lines of a history, newest first."""
    newest = list(history)[::-1]
    lines = [f"{date(event.at)} · {story(event.story, event.actor, 400)}" for event in newest[:most]]
    return [*lines, f"and {len(newest) - most} earlier"] if len(newest) > most else lines


def job_lines(jobs: Iterable[JobRun], most: int) -> list[str]:
    listed = list(jobs)
    lines = [_job_line(run) for run in listed[:most]]
    return [*lines, f"and {len(listed) - most} more"] if len(listed) > most else lines


def _job_line(run: JobRun) -> str:
    outcome = f": {escape(run.outcome, 150)}" if run.outcome else ""
    where = f" · {link(run.link, 'open')}" if run.link else ""
    about = f" for ALR-{run.alert}" if run.alert else ""
    by = f" by {mention(run.by)}" if run.by != "patrol" else ""
    return f"{code(run.job)} {run.state.value}{about}{by} · {date(run.asked_at, AGO)}{outcome}{where}"


# -- status --------------------------------------------------------------------------------------------------


def status(reply: StatusReply, room: Room = ANYWHERE) -> Face:
    """The whole on one screen: what is wrong first."""
    unowned = sum(1 for alert in reply.open_alerts if alert.work is Work.open)
    head = f"*{count(len(reply.open_alerts), 'open alert')}*, {unowned} with nobody on them"
    blocks = [
        *_titled("⚠️ Needs a look", [answer(problem, 300) for problem in reply.problems[:8]]),
        section(head),
        *sections(alert_lines(reply.open_alerts, reply.cards, room), STATUS_OPEN),
        *around(reply),
    ]
    return Face(trimmed(head, 300), blocks[:48])


def around(reply: StatusReply) -> list[Block]:
    """All of `status` but the alerts: what waits for a second person, who is on call, policies, jobs."""
    waiting = [approvals.line(asked, reply.able.get(asked.id, ())) for asked in reply.approvals[:10]]
    return [
        *_titled("Waiting for a second person", waiting),
        *_titled("On call", [duty.line(one) for one in reply.on_call[:10]]),
        *_titled("Policies", _policy_lines(reply.policies)),
        *_titled("Jobs", job_lines(reply.jobs, 5)),
        *_titled("Bundles", [answer(line, 300) for line in reply.bundles[:20]]),
        *context([f"version {code(reply.version[:12])}"] if reply.version else []),
    ]


def _policy_lines(policies: Sequence[PolicyLine]) -> list[str]:
    ranked = sorted(policies, key=lambda line: (not line.last_error, -line.open_alerts, line.name))
    return [policy_line(line) for line in ranked]


def policy_line(line: PolicyLine) -> str:
    mark = "🔴" if line.last_error else "⏳" if line.last_run is None else "🟢"
    runs = "" if line.status == "live" else f" · {escape(line.status, 20)}"
    ran = f" · ran {date(line.last_run, AGO)}" if line.last_run else " · has not run yet"
    due = f" · next {date(line.next_due, CLOCK)}" if line.next_due else ""
    opened = f" · {line.open_alerts} open" if line.open_alerts else ""
    error = f"\n{sentence(line.last_error, 200)}" if line.last_error else ""
    worth = f" · {escape(line.worth, 40)}" if line.worth else ""
    return f"{mark} {code(line.name, 80)}{runs}{worth}{opened}{ran}{due}{error}"


def policy(reply: PolicyReply, room: Room = ANYWHERE) -> Face:
    found = reply.policy
    about = f"\n{escape(found.description, 600)}" if found.description else ""
    facts = [
        f"{_schedule(found)}, owned by {escape(found.owner, 40)}",
        _reports(reply.reports, found.name),
        link(found.runbook, "Runbook") if found.runbook else "",
    ]
    blocks = [
        header(found.title),
        section(f"{policy_line(reply.line)}{about}"),
        *context([fact for fact in facts if fact]),
        *([section(worth(found, reply.worth))] if reply.worth else []),
        *_titled("Alerts", alert_lines(reply.alerts, reply.cards, room)),
    ]
    return Face(f"{code(found.name)} · {escape(found.title, 100)}", blocks)


def _reports(count: int, policy: str) -> str:
    """False positives that wait for somebody to mend the policy."""
    named = f"{count} open {'report' if count == 1 else 'reports'} of false positives"
    return f"{named}: {code(f'patrol case --reports {policy}')}" if count else ""


def _schedule(found: Policy) -> str:
    match found.schedule:
        case Every(interval=interval):
            return f"every {say_duration(interval)}"
        case Cron(expression=expression, timezone=zone):
            return f"at {code(expression)} {escape(zone, 40)}"
        case after:
            return f"after {', '.join(code(name) for name in after.upstream[:5])}"


def helped(reply: HelpReply, room: Room = ANYWHERE) -> Face:
    if reply.about:
        usages = [code(f"{room.prefix} {usage}") for _, usage, _ in reply.verbs[:1]]
        about = answer(TYPED.sub(rf"`{room.prefix} \1`", reply.about), 2_500)
        return Face("Help", [section("\n".join([*usages, about]))])
    lines = [f"{code(f'{room.prefix} {usage}')} {answer(what)}" for _, usage, what in reply.verbs]
    head = "*What you can type.* In a thread, mention me instead: Slack takes no commands there."
    return Face("What you can type after /patrol", [section(head), *sections(lines, 40)])


# -- of all --------------------------------------------------------------------------------------------------


def _titled(title: str, lines: Sequence[str]) -> list[Block]:
    if not any(lines):
        return []
    first, *rest = sections(lines)
    return [section(f"*{title}*\n{first['text']['text']}"), *rest]
