"""An alert as a card, and the replies in its thread: pure functions from values to blocks, phone first."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC
from typing import Any

from bot.core.alert import Alert, Lane, Work
from bot.core.change import Effect, EffectKind
from bot.core.job_run import JobRun, JobState
from bot.core.reply import Context
from bot.slack import wording
from bot.slack.blocks import (
    Block,
    Face,
    actions,
    button,
    context,
    header,
    in_cell,
    preformatted,
    section,
    table,
    verbatim,
)
from bot.slack.jobs import again_button
from bot.slack.text import cut, fitted, fold, link, mention, sentence, trimmed, unpinged
from sensors.model.policy import NOTHING

NOTICE_MOST = 110  # what a phone's lock screen shows
ROWS_ON_CARD = 5
COLUMNS_ON_CARD = 4
MOMENT = re.compile(r"^(?P<day>\d{4}-\d\d-\d\d)[ T](?P<clock>\d\d:\d\d:\d\d)(?:\.\d+)?Z?$")
OFFERS_MOST = 5


def card(alert: Alert, context: Context) -> Face:
    """The alert's message, at most 9 blocks. Once posted it pings those paged; edits ping nobody."""
    return _card(alert, context, _rows_as_table(alert, context))


def card_plain(alert: Alert, context: Context) -> Face:
    """The same without the newer kinds of block, for a workspace that refuses them."""
    return _card(alert, context, _rows_as_text(alert, context))


def _card(alert: Alert, about: Context, rows: list[Block]) -> Face:
    blocks = [
        header(f"{alert.severity.name.upper()} · {_title(alert, 120)} · {alert.name}"),
        section(wording.state(alert, about)),
        section(wording.finding(alert, about)),
        *([section(told)] if (told := wording.advice(alert)) else []),
        *actions(buttons(alert, about)),
        *actions(offers(alert, about)),
        *rows,
        *context(wording.footnotes(alert, about, min(ROWS_ON_CARD, len(about.evidence.rows)))),
        *context([wording.last_event(alert)]),
    ]
    return Face(notice(alert), blocks)


def _title(alert: Alert, limit: int) -> str:
    return cut(fold(alert.title), limit) or alert.policy


def notice(alert: Alert) -> str:
    """What a phone shows: at most 110 characters, and what to do about it."""
    severity, todo = alert.severity.name.upper(), wording.todo(alert)
    room = NOTICE_MOST - len(f"{severity} ·  · {todo}")
    return f"{severity} · {fitted(_title(alert, room), room)} · {todo}"


def value(alert: Alert, job: str = "") -> str:
    """What a button carries: which alert, for which state of its work, and which job."""
    return f"{alert.id}:{alert.work_seq}" + (f":{job}" if job else "")


def buttons(alert: Alert, about: Context) -> list[Block]:
    """What can be done now, most likely first."""
    mine = value(alert)
    more = button("More…", "alert.more", mine)
    if not alert.is_open:
        return [button("Reopen", "alert.reopen", mine), *link_button(about.links), more]
    resolve = button("Resolve…", "alert.resolve", mine)
    if alert.snooze:
        return [button("Wake", "alert.wake", mine, "primary"), *link_button(about.links), resolve, more]
    snooze = button("Snooze 1 h", "alert.snooze", mine)
    if alert.work is Work.acknowledged:
        also = button("Also on it", "alert.ack", mine)
        return [{**resolve, "style": "primary"}, *link_button(about.links), snooze, also, more]
    return [
        button("Acknowledge", "alert.ack", mine, "primary"),
        *link_button(about.links),
        snooze,
        resolve,
        more,
    ]


def link_button(links: Sequence[tuple[str, str]]) -> list[Block]:
    """The first link, as a button that opens it; of a card the others stand below the rows."""
    sound = [(label, url) for label, url in links if link(url, "x").startswith("<")]
    return [button(label or "Open", "alert.link", "", url=url) for label, url in sound[:1]]


def offers(alert: Alert, about: Context) -> list[Block]:
    """The jobs that the policy offers. They ask before they start."""
    if not alert.is_open:
        return []
    jobs = {job.name: job for job in about.offers}
    return [
        button(f"{cut(fold(job.title) or name, 70)}…", f"alert.job.{name}", value(alert, name))
        for name, job in list(jobs.items())[:OFFERS_MOST]
    ]


def concealed(alert: Alert, about: Context) -> list[Block]:
    """The way to what its rows do not show, where the policy masks or hides something."""
    ways = about.policy.alert.columns.values() if about.policy else ()
    some = any(how in ("mask", "hide") for how in ways) and about.evidence.rows
    return [button("Show masked values…", "alert.reveal", value(alert))] if some else []


def shown_columns(about: Context) -> list[str]:
    """The policy's own choice of columns, else all; the hidden ones never."""
    policy, kept = about.policy, list(about.evidence.columns)
    hidden = {name for name, how in (policy.alert.columns if policy else {}).items() if how == "hide"}
    chosen = [name for name in (policy.alert.fields if policy else ()) if name in kept]
    return [name for name in chosen or kept if name not in hidden]


def _rows_as_table(alert: Alert, about: Context) -> list[Block]:
    columns, rows = _telling(alert, about)
    return [table(columns, rows)] if columns and rows else []


def _rows_as_text(alert: Alert, about: Context) -> list[Block]:
    columns, rows = _telling(alert, about)
    return [preformatted(columns, rows)] if columns and rows else []


def _telling(alert: Alert, about: Context) -> tuple[list[str], list[Mapping[str, Any]]]:
    """The card's few rows and columns: what is the same in every row tells nothing, nor does today's date."""
    rows, columns = about.evidence.rows[:ROWS_ON_CARD], shown_columns(about)
    if len(rows) > 1:
        columns = [c for c in columns if len({in_cell(row.get(c)) for row in rows}) > 1] or columns[:1]
    return columns[:COLUMNS_ON_CARD], by_the_clock(alert, columns[:COLUMNS_ON_CARD], rows)


def by_the_clock(
    alert: Alert, columns: Sequence[str], rows: Sequence[Mapping[str, Any]]
) -> list[Mapping[str, Any]]:
    """The rows with times short enough for a phone: without the date where all are of the day it opened."""
    of_today = f"{alert.opened_at.astimezone(UTC):%Y-%m-%d}"
    moments = [m for row in rows for c in columns if (m := MOMENT.fullmatch(in_cell(row.get(c))))]
    short = r"\g<day> \g<clock>" if any(m["day"] != of_today for m in moments) else r"\g<clock>"
    return [{c: MOMENT.sub(short, in_cell(row.get(c))) for c in columns} for row in rows]


def asks(effect: Effect, alert: Alert) -> int:
    """Whether its line in the thread has a button that asks for somebody: 0 where it has none, else a number
    that the alert's `work_seq` reaches when somebody has acted since."""
    if not alert.is_open:
        return 0
    waits = alert.work is Work.open and not alert.snooze
    paged = alert.lane is Lane.live and (waits or alert.word == effect.data.get("state"))
    reminded = alert.reminded and effect.to == alert.owner
    does = {EffectKind.page: paged, EffectKind.tell: reminded}.get(effect.kind, False)
    return alert.work_seq + 1 if does else 0


def reply(
    effect: Effect,
    alert: Alert,
    to: Sequence[str] = (),
    names: Mapping[str, str] = NOTHING,
    run: JobRun | None = None,
) -> Face:
    """A line in the alert's thread. It pings `to` and no one else: others are written by `names`. `run`: the
    job's run whose end it tells.

    A phone shows only its text: of what makes one buzz, that says how bad it is and what it is about, too.
    """
    told = " ".join(mention(slack) for slack in dict.fromkeys(to))
    person = unpinged(names, tuple(to))
    words = sentence(effect.text, 1_500, person)
    named = alert.name if effect.broadcast and alert.name not in effect.text else ""
    said = " · ".join(part for part in (named, words) if part)
    url = str(effect.data.get("link") or "")
    more = f"\n{link(url, 'Open')}" if url.startswith(("http://", "https://")) else ""
    text = f"{told} {said}".strip()
    shown = [section(text + more)]
    if asks(effect, alert):
        words = "Acknowledge" if effect.kind is EffectKind.page else "Still on it"
        shown += actions([button(words, "alert.ack", value(alert), "primary")])
    elif effect.kind is EffectKind.page and alert.lane is Lane.live:
        shown += context([wording.answered(alert, person)])
    if run and run.state is not JobState.succeeded:
        shown += [verbatim(run.tail)] if run.tail else []
        shown += actions([again_button(run.id)])
    if effect.kind in (EffectKind.page, EffectKind.tell) and alert.is_open:
        about = f"{alert.severity.name.upper()} · {fitted(_title(alert, 60), 60)}"
        text = " ".join(part for part in (told, f"{about} · {said}") if part)
    return Face(trimmed(text, 1_000) or alert.name, shown)
