"""Answers that only the one who asked sees: every kind of Reply, compact, within Slack's limits."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from bot.core.alert import Alert, Event, Work
from bot.core.change import Refused
from bot.core.reply import (
    ApprovalsReply,
    AskReply,
    AssetReply,
    Context,
    DigestReply,
    EntityReply,
    FormReply,
    GraphReply,
    HelpReply,
    JobReply,
    ListReply,
    OnCallReply,
    PolicyReply,
    Reply,
    Said,
    ShowReply,
    StatusReply,
    WhyReply,
)
from bot.core.trend import Trend
from bot.core.verbs import BY_NAME
from bot.core.words import count
from bot.slack import approvals, backfill, duty
from bot.slack.asset import asset, stale_line
from bot.slack.blocks import Block, Face, actions, button, context, header, preformatted, section, verbatim
from bot.slack.costs import dearest, of_policy
from bot.slack.digest import digest
from bot.slack.face import buttons, by_the_clock, link_button, offers, shown_columns
from bot.slack.graph import graph, hanging
from bot.slack.jobs import form, job, job_buttons, job_lines
from bot.slack.lines import ANYWHERE, Room, alert_line, alert_lines, scheduled, sections, titled, trend
from bot.slack.policies import POLICIES_MOST, of_all_teams, policy_line, policy_lines
from bot.slack.text import (
    AGO,
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
    wrote,
)
from bot.slack.wording import CALLED, finding, footnotes, state, story, title, worth

STATUS_OPEN = 8
LATE_MOST = 8
COLUMNS_IN_FULL, ROWS_MOST = 12, 10
SEVERAL_MOST = 20  # alerts that a button can name


IN_THREADS = "@patrol"  # Slack refuses slash commands there
TYPED = re.compile(rf"`(?:/patrol )?((?:{'|'.join(BY_NAME)})(?: [^`]*)?)`")


def render(reply: Reply | Refused, room: Room = ANYWHERE) -> Face:
    """Any answer as a message."""
    if isinstance(reply, Refused):
        return said(Said(reply.why, reply.hint, ok=False), room)
    ways: Mapping[type, Callable[[Any, Room], Face]] = {
        Said: said,
        AskReply: asked,
        StatusReply: status,
        DigestReply: digest,
        OnCallReply: lambda shown, _: duty.on_call(shown),
        ListReply: listed,
        ShowReply: shown,
        WhyReply: because,
        EntityReply: entity,
        PolicyReply: policy,
        AssetReply: asset,
        GraphReply: graph,
        HelpReply: helped,
        JobReply: lambda found, _: job(found),
        FormReply: lambda found, _: form(found),
        ApprovalsReply: lambda found, where: approvals.listed(found, where.prefix),
    }
    return ways[type(reply)](reply, room)


def said(reply: Said, room: Room = ANYWHERE) -> Face:
    """A sentence, and below it what to do next, written as it can be typed there."""
    told = replace(reply, text=reply.text.replace("`/patrol ", f"`{room.prefix} "))
    hint = TYPED.sub(rf"`{room.prefix} \1`", reply.hint)
    text = said_text(told) or "Done."
    return Face(trimmed(text, 1_000), [section(text), *context([answer(hint)] if hint else [])])


def asked(reply: AskReply, room: Room = ANYWHERE) -> Face:  # noqa: ARG001
    """What would be done, with the buttons that do it or leave it."""
    text = answer("\n".join(reply.lines)) or "Are you sure?"
    planned = [*context(["What would be sent:"]), verbatim(reply.plan)] if reply.plan else []
    yes = button(reply.does, "ask.yes", str(reply.ask), "primary")
    no = button("Leave it", "ask.no", str(reply.ask))
    return Face(trimmed(text, 1_000), [section(text), *planned, *actions([yes, no])])


def said_text(reply: Said) -> str:
    return answer(reply.text) if reply.ok else f"⚠️ {answer(reply.text)}"


def said_in_modal(reply: Said) -> str:
    """The sentence and what to do next, as one text."""
    hint = TYPED.sub(rf"`{ANYWHERE.prefix} \1`", reply.hint)
    return "\n".join(part for part in (said_text(reply), answer(hint)) if part)


def plainly(text: str, hint: str = "") -> Face:
    """A refusal or bad news from the listeners themselves."""
    return said(Said(text, hint, ok=False))


# -- alerts --------------------------------------------------------------------------------------------------


def listed(reply: ListReply, room: Room = ANYWHERE) -> Face:
    asked = f" ({code(reply.asked, 100)})" if reply.asked else ""
    scopes = sections([answer(line) for line in reply.snoozes])
    if not reply.alerts:
        text = f"No open alerts{asked}."
        return Face(text, [section(text), *scopes])
    head = f"*{count(len(reply.alerts), 'open alert')}*{asked}"
    lines = alert_lines(reply.alerts, reply.cards, room)
    return Face(
        trimmed(head, 300), [section(head), *scopes, *sections(lines), *actions(_several(reply.alerts))]
    )


def _several(alerts: Sequence[Alert]) -> list[Block]:
    """The button below a list, where there is more than one."""
    ids = [alert.id for alert in alerts if alert.is_open and alert.id < 10**9][:SEVERAL_MOST]
    if len(ids) < 2:
        return []
    return [button("Resolve several…", "alert.several", f"0:0:{','.join(str(one) for one in ids)}")]


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
        *row_blocks(alert, about, ROWS_MOST),
        *context([*footnotes(alert, about, min(ROWS_MOST, len(about.evidence.rows))), *where]),
        *titled(f"{code(alert.policy)}, alerts by day", _days(reply.trend)),
        *titled("Timeline", history_lines(reply.history, 10)),
        *titled("Jobs", job_lines(reply.jobs, 5)),
        *actions(job_buttons(reply.jobs, reply.stoppable)),
    ]
    return Face(f"{alert.name} · {title(alert, 90)}", blocks)


def entity(reply: EntityReply, room: Room = ANYWHERE) -> Face:
    """The whole story of somebody: what is open, what came before and was made of it, notes, snoozes."""
    opened = [alert for alert in reply.alerts if alert.is_open]
    closed = [alert for alert in reply.alerts if not alert.is_open]
    called = Counter(CALLED[one.disposition] for one in closed if one.disposition)
    came_to = "".join(f", {n} {what}" for what, n in called.most_common())
    policies = len({alert.policy for alert in reply.alerts})
    many = f"{count(len(reply.alerts), 'alert')}{' (the newest)' if reply.more else ''}"
    of = f" of {count(policies, 'policy', 'policies')}" if policies else ""
    head = f"{many}{of}: {len(opened)} open{came_to}."
    notes = [
        f"{date(note.at)} · ALR-{note.alert} · {story(note.story, note.by, 300)}" for note in reply.notes
    ]
    blocks = [
        header(reply.name),
        section(head),
        *actions(link_button([reply.link] if reply.link else [])),
        *titled("Open", [_of_entity(alert, reply, room) for alert in opened]),
        *titled("Earlier", [_of_entity(alert, reply, room) for alert in closed]),
        *titled("Alerts by day", _days(reply.trend)),
        *titled("Notes", notes),
        *titled("Snoozes", [answer(line, 400) for line in reply.snoozes[:10]]),
    ]
    return Face(f"{escape(reply.name, 100)} · {head}", blocks[:48])


def _of_entity(alert: Alert, reply: EntityReply, room: Room) -> str:
    url = room.link(reply.cards.get(alert.id))
    if alert.is_open:
        return f"{alert_line(alert, url)} · {code(alert.policy, 60)}"
    name = link(url, alert.name) if url else f"*{alert.name}*"
    called = CALLED[alert.disposition] if alert.disposition else "closed"
    by = f" by {mention(alert.resolved_by)}" if alert.resolved_by else " by the data"
    note = f": {wrote(alert.note, 150)}" if alert.note else ""
    at = f" {date(alert.resolved_at, AGO)}" if alert.resolved_at else ""
    return f"✅ {name} {title(alert, 90)} · {code(alert.policy, 60)} · *{called}*{by}{at}{note}"


def because(reply: WhyReply, room: Room = ANYWHERE) -> Face:  # noqa: ARG001
    """Reason by reason."""
    head, *lines = because_lines(reply)
    return Face(trimmed(f"Why {answer(reply.about, 300)}", 300), [section(head), *sections(lines)])


def because_lines(reply: WhyReply) -> list[str]:
    """What it is about, and each reason."""
    reasons = [f"*{escape(what, 80)}*  {answer(said, 900)}" for what, said in reply.reasons]
    return [f"*Why* {answer(reply.about, 300)}", *reasons]


def row_blocks(alert: Alert, about: Context, most: int) -> list[Block]:
    """The rows that prove it, as text that Slack never parses."""
    columns, rows = shown_columns(about), about.evidence.rows[:most]
    if not columns or not rows:
        return []
    return [preformatted(columns, by_the_clock(alert, columns, rows), most=COLUMNS_IN_FULL)]


def history_lines(history: Sequence[Event], most: int) -> list[str]:
    """The newest lines of a history, newest first."""
    newest = list(history)[::-1]
    lines = [f"{date(event.at)} · {story(event.story, event.actor, 400)}" for event in newest[:most]]
    return [*lines, f"and {len(newest) - most} earlier"] if len(newest) > most else lines


# -- status --------------------------------------------------------------------------------------------------


def status(reply: StatusReply, room: Room = ANYWHERE) -> Face:
    """The whole on one screen: what is wrong first."""
    unowned = sum(1 for alert in reply.open_alerts if alert.work is Work.open)
    more = max(0, reply.open_total - len(reply.open_alerts))
    of = f" of the {len(reply.open_alerts)} worst" if more else ""
    team = f" of {escape(reply.of, 40)}" if reply.of else ""
    total = len(reply.open_alerts) + more
    unheld = f", {unowned}{of} with nobody on them" if total else ""
    head = f"*{count(total, 'open alert')}*{team}{unheld}"
    blocks = [
        *titled("⚠️ Needs a look", [answer(problem, 300) for problem in reply.problems[:8]]),
        section(head),
        *sections(alert_lines(reply.open_alerts, reply.cards, room), STATUS_OPEN),
        *around(reply, room),
    ]
    return Face(trimmed(head, 300), blocks[:48])


def around(reply: StatusReply, room: Room, policies: Sequence[str] | None = None) -> list[Block]:
    """All of `status` but the alerts: what waits for a second person, who is on call, policies (all, or these
    lines of them), jobs."""
    waiting = [approvals.line(asked, reply.able.get(asked.id, ())) for asked in reply.approvals[:10]]
    return [
        *titled("Waiting for a second person", waiting),
        *titled("⏳ Late data", [stale_line(one) for one in reply.late], LATE_MOST),
        *titled("For a while", [answer(line) for line in reply.standing]),
        *titled("Backfills", backfill.lines(reply, room)),
        *titled("On call", [duty.line(one) for one in reply.on_call[:10]]),
        *titled("Policies", _policies(reply, room) if policies is None else policies, POLICIES_MOST),
        *(titled("Dearest in 24 hours", dearest(reply.spent)) if policies is None else []),
        *titled("Jobs", job_lines(reply.jobs, 5)),
        *titled("Jobs elsewhere", [answer(line, 400) for line in reply.elsewhere]),
        *titled("Bundles", [answer(line, 300) for line in reply.bundles[:20]]),
        *context([f"version {code(reply.version[:12])}"] if reply.version else []),
    ]


def _policies(reply: StatusReply, room: Room) -> list[str]:
    return policy_lines(reply.policies) if reply.of else of_all_teams(reply.policies, room)


def policy(reply: PolicyReply, room: Room = ANYWHERE) -> Face:
    found = reply.policy
    about = f"\n{escape(found.description, 600)}" if found.description else ""
    wrong = f"🔴 Its files do not load, this is its last good version: {sentence(reply.mistake, 400)}"
    facts = [
        wrong if reply.mistake else "",
        f"what looks like it and is none: {escape(found.false_positives, 600)}"
        if found.false_positives
        else "",
        f"{scheduled(found.schedule)}, owned by {escape(found.owner, 40)}",
        f"asked with {escape(found.session.words, 300)}" if found.session.said else "",
        _unasked(reply.line.nothing_since),
        of_policy(found, reply.cost),
        *(answer(words, 400) for words in reply.turn.words),
        _reports(reply.reports, found.name),
        link(found.runbook, "Runbook") if found.runbook else "",
    ]
    blocks = [
        header(found.title),
        section(f"{policy_line(reply.line)}{about}"),
        *context([fact for fact in facts if fact]),
        *([section(worth(found, reply.worth))] if reply.worth else []),
        *([section(answer(reply.hidden))] if reply.hidden else titled("Alerts by day", [trend(reply.trend)])),
        *titled("Alerts", alert_lines(reply.alerts, reply.cards, room)),
        *hanging(reply.hangs),
    ]
    return Face(f"{code(found.name)} · {escape(found.title, 100)}", blocks)


def _days(found: Trend) -> list[str]:
    """The picture in characters, where it shows anything."""
    return [trend(found)] if any(found.by_day) else []


def _reports(count: int, policy: str) -> str:
    """False positives that wait for somebody to mend the policy."""
    named = f"{count} open {'report' if count == 1 else 'reports'} of false positives"
    return f"{named}: {code(f'patrol case --reports {policy}')}" if count else ""


def _unasked(since: datetime | None) -> str:
    return f"the last run asked nothing: there is nothing newer than {date(since, AGO)}" if since else ""


def helped(reply: HelpReply, room: Room = ANYWHERE) -> Face:
    if reply.about:
        usages = [code(f"{room.prefix} {usage}") for _, usage, _ in reply.verbs[:1]]
        about = answer(TYPED.sub(rf"`{room.prefix} \1`", reply.about), 2_500)
        return Face("Help", [section("\n".join([*usages, about]))])
    more = code(f"{room.prefix} help snooze")
    head = (
        f"*What you can type* after {code(room.prefix)}. {more} says more of a verb."
        " In a thread, mention me instead: Slack takes no commands there. In a direct message to me, the verb"
        " alone will do."
    )
    return Face("What you can type after /patrol", [section(head), *_verbs(reply)])


def _verbs(reply: HelpReply) -> list[Block]:
    """A line each, in parts that have a title."""
    parts: list[tuple[str, list[str]]] = []
    for name, usage, what in reply.verbs:
        if name in reply.titles or not parts:
            parts.append((reply.titles.get(name, ""), []))
        parts[-1][1].append(f"{code(usage)} {answer(what)}")
    return [block for title, lines in parts for block in (titled(title, lines) if title else sections(lines))]


# -- of all --------------------------------------------------------------------------------------------------
