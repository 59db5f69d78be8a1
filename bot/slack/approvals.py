"""A job that waits for a second person, as a card with two buttons, and what became of it, in its thread."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bot.core.action import MACHINE
from bot.core.approval import Approval, outcome
from bot.core.job_run import JobRun
from bot.core.reply import ApprovalsReply
from bot.core.words import clean, count
from bot.slack.blocks import Block, Face, actions, button, context, header, in_cell, section
from bot.slack.text import CLOCK, code, cut, date, escape, fold, link, mention, sentence, trimmed
from sensors.model.job import Job

PARAMS_MOST = 20


def card(
    asked: Approval, job: Job | None, run: JobRun | None, able: Sequence[str] = (), url: str = ""
) -> Face:
    """The card in the owner's channel. `able` are pinged when it is posted; `url` is its alert's card."""
    state = "waits for a second person" if asked.waits else asked.state.value
    text = f"{asked.name} · {escape(asked.title, 150)} {state}"
    whom = " ".join(mention(slack) for slack in able[:6]) if asked.waits else ""
    blocks = [
        header(f"{cut(fold(asked.title), 110)}? · {asked.name}"),
        section(_asked(asked, url)),
        section(_params(asked.params)),
        *context(_means(job)),
        *([section(f"{whom} {_until(asked)}".strip())] if asked.waits else [section(_state(asked, run))]),
        *(answers(asked) if asked.waits else []),
    ]
    return Face(trimmed(text, 300), blocks)


def _asked(asked: Approval, url: str) -> str:
    by = "Patrol asks by itself" if asked.by == MACHINE else f"{mention(asked.by)} asks"
    name = f"ALR-{asked.alert}"
    about = f", for {link(url, name) if url else name}" if asked.alert else ""
    return f"{by} to start {code(asked.job)}{about}."


def _until(asked: Approval) -> str:
    return f"may agree until {date(asked.expires_at, CLOCK)}. Without an answer it is not started."


def _params(params: Mapping[str, object]) -> str:
    lines = [f"{escape(name, 40)}: {escape(in_cell(value), 120)}" for name, value in params.items()]
    return "\n".join(lines[:PARAMS_MOST]) or "It takes no parameters."


def _means(job: Job | None) -> list[str]:
    if job is None:
        return ["It is no longer declared."]
    return [
        f"changes: {escape(job.changes, 300)}" if job.changes else "what it changes is not written down",
        f"undo: {escape(job.undo, 300)}" if job.undo else "",
    ]


def _state(asked: Approval, run: JobRun | None) -> str:
    said = sentence(f"{asked.name} {outcome(asked)}.", 500)
    return f"{said}\n{_progress(run)}" if run else said


def _progress(run: JobRun) -> str:
    came = f": {escape(run.outcome, 200)}" if run.outcome else ""
    where = f" · {link(run.link, 'open')}" if run.link else ""
    return f"{code(run.job)} {escape(run.state.value.replace('_', ' '))}{came}{where}"


def answers(asked: Approval) -> list[Block]:
    """The buttons that a second person answers by."""
    value = f"{asked.id}:{asked.seen}"
    return actions(
        [
            button("Approve", f"approval.yes.{asked.id}", value, "primary"),
            button("Refuse", f"approval.no.{asked.id}", value, "danger"),
        ]
    )


def decided(asked: Approval) -> Face:
    """In the card's thread: what a second person said, or that nobody did. Who asked is told, once."""
    told_there = asked.alert is not None  # in the thread of its alert
    whom = "" if told_there or asked.by in (MACHINE, asked.decided_by) else f"{mention(asked.by)} "
    return _line(f"{whom}{sentence(f'{clean(asked.job)} {outcome(asked)}', 500)}", asked)


def ended(asked: Approval, run: JobRun) -> Face:
    """In the card's thread: what came of the job."""
    return _line(_progress(run), asked)


def _line(text: str, asked: Approval) -> Face:
    return Face(trimmed(text, 1_000) or asked.name, [section(text)])


def line(asked: Approval, able: Sequence[str]) -> str:
    """On one line of `approvals`, or of Home."""
    by = "Patrol" if asked.by == MACHINE else mention(asked.by)
    about = f" for ALR-{asked.alert}" if asked.alert else ""
    whom = ", ".join(mention(slack) for slack in able[:4]) or "nobody"
    return (
        f"*{asked.name}* {escape(asked.title, 80)}{about}, asked for by {by} · {whom} may agree"
        f" until {date(asked.expires_at, CLOCK)}"
    )


def listed(reply: ApprovalsReply, prefix: str = "/patrol") -> Face:
    """The answer to `approvals`, with buttons for those that one may answer."""
    if not reply.waiting:
        return Face("Nothing waits for a second person.", [section("Nothing waits for a second person.")])
    head = f"*{count(len(reply.waiting), 'job')}* waiting for a second person"
    blocks = [section(head)]
    for asked in reply.waiting[:20]:
        blocks.append(section(line(asked, reply.able.get(asked.id, ()))))
        blocks += answers(asked) if asked.id in reply.mine else []
    rest = len(reply.waiting) - 20
    typed = f"{code(f'{prefix} approve 12')} and {code(f'{prefix} refuse 12 why')} answer, too"
    more = f"and {rest} more; they are answered by number" if rest > 0 else ""
    return Face(trimmed(head, 300), [*blocks, *context([more, typed])])
