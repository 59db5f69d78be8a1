"""Jobs in answers: a run on a line, a job's page with what goes on and by whom, the way to its form."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bot.core.approval import needed
from bot.core.job_run import JobRun, Seen, Sighted
from bot.core.reply import FormReply, JobReply
from bot.core.steering import came_to
from bot.core.words import count
from bot.slack.blocks import OF, Block, Face, actions, button, context, header, section, verbatim
from bot.slack.graph import hanging
from bot.slack.lines import scheduled, titled
from bot.slack.text import AGO, answer, code, cut, date, escape, fold, link, mention, sentence
from sensors.model.clock import say_duration
from sensors.model.job import Job

CANCEL, RETRY, START, PLAN = "job.cancel", "job.retry", "job.start", "job.plan"  # what the buttons do
BUTTONS = 5
SEEN_MOST = 10


def job_lines(jobs: Iterable[JobRun], most: int) -> list[str]:
    listed = list(jobs)
    lines = [job_line(run) for run in listed[:most]]
    return [*lines, f"and {len(listed) - most} more"] if len(listed) > most else lines


def job_line(run: JobRun) -> str:
    """A run that was started here."""
    outcome = f": {escape(run.outcome, 150)}" if run.outcome else ""
    where = f" · {link(run.link, 'open')}" if run.link else ""
    about = f" for ALR-{run.alert}" if run.alert else ""
    by = f" by {mention(run.by)}" if run.by != "patrol" else ""
    ending = f" · its end is asked for by {mention(run.cancel_by or 'patrol')}" if _ends(run) else ""
    return (
        f"{code(run.job)} {_state(run)}{outcome} · run {run.id}{about}{by} · {date(run.asked_at, AGO)}"
        f"{ending}{where}"
    )


def _state(run: JobRun) -> str:
    return sentence(came_to(run), 120) if run.state.ended and run.cancel_by else run.state.word


def _ends(run: JobRun) -> bool:
    return run.cancel_by is not None and not run.state.ended


def job_buttons(runs: Sequence[JobRun], stoppable: Sequence[int]) -> list[Block]:
    """To cancel what goes on."""
    wanted = [run for run in runs if run.id in stoppable][:BUTTONS]
    return [button(f"Cancel run {run.id}…", f"{CANCEL}{OF}{run.id}", str(run.id), "danger") for run in wanted]


def again_button(run_id: int) -> Block:
    return button("Start again…", RETRY, str(run_id))


def start_button(job: Job) -> Block:
    words = f"{'Ask for' if needed(job) else 'Start'} {cut(fold(job.title), 60)}…"
    return button(words, START, f"0:0:{job.name}", "primary")


def job(reply: JobReply) -> Face:
    """The page of a job: what it does, what goes on, what was."""
    found, seen = reply.job, reply.seen
    head = f"{code(found.name)} · kind {escape(found.kind, 20)}, owned by {escape(found.owner, 40)}"
    about = f"\n{escape(found.description, 600)}" if found.description else ""
    going = [run for run in reply.runs if not run.state.ended]
    ended = [run for run in reply.runs if run.state.ended]
    failed = next((run for run in ended[:1] if run.tail), None)
    others = seen.observed.runs
    blocks = [
        header(found.title),
        section(f"{head}{about}"),
        *([section(f"⏰ {answer(reply.late)}")] if reply.late else []),
        *context(_facts(found)),
        *titled("For a while", [answer(line) for line in reply.standing]),
        *context(_when(reply)),
        *titled("Goes on", [*map(job_line, going), *(seen_line(o) for o in others if not o.state.ended)]),
        *actions(job_buttons(going, reply.stoppable)),
        *titled("Started here", [job_line(run) for run in ended], SEEN_MOST),
        *_log(failed),
        *titled("Started elsewhere", [seen_line(o) for o in others if o.state.ended], SEEN_MOST),
        *context([_trouble(seen)]),
        *hanging(reply.hangs),
        *actions([start_button(found)]),
    ]
    return Face(f"{head} · {count(len(going), 'run')} going on", blocks[:48])


def _facts(found: Job) -> list[str]:
    params = ", ".join(_param(found, name) for name in found.names)
    return [
        f"changes: {escape(found.changes, 500)}" if found.changes else "what it changes is not written down",
        f"undo: {escape(found.undo, 500)}" if found.undo else "",
        f"takes {params}" if params else "takes no parameters",
        f"may take {say_duration(found.timeout)}"
        + (", and a second person must agree" if needed(found) else ""),
    ]


def _param(found: Job, name: str) -> str:
    param = next(one for one in found.params if one.name == name)
    default = f" = {escape(param.default, 60)}" if param.default is not None else ""
    return f"{code(name, 60)} ({param.type}{'' if param.required else ', may be missing'}){default}"


def _when(reply: JobReply) -> list[str]:
    """When it runs by itself, here and over there."""
    there = reply.seen.observed
    due = f"next: {date(reply.next_due)}" if reply.next_due else ""
    over_there = f"over there: {escape(there.schedule, 120)}" if there.schedule else ""
    paused = "paused over there" if there.paused else ""
    following = f"next there: {date(there.next_at)}" if there.next_at and not there.paused else ""
    after = ", ".join(code(ref, 80) for ref in reply.job.after[:10])
    own = scheduled(reply.job.schedule) if reply.job.schedule and not reply.job.outside else ""
    said = [own, due, f"after {after}" if after else "", over_there, paused, following]
    return [" · ".join(part for part in said if part)]


def seen_line(one: Sighted) -> str:
    """A run that somebody else started."""
    by = f" by {escape(one.by, 60)}" if one.by else ""
    outcome = f": {escape(one.outcome, 150)}" if one.outcome else ""
    at = one.ended_at or one.started_at
    when = f" · {date(at, AGO)}" if at else ""
    where = f" · {link(one.link, 'open')}" if one.link else ""
    return f"{escape(one.external_id, 60)} {one.state.word}{by}{outcome}{when}{where}"


def _trouble(seen: Seen) -> str:
    if not seen.trouble:
        return f"seen over there {date(seen.at, AGO)}" if seen.at else ""
    since = f" since {date(seen.since)}" if seen.since else ""
    return f"⚠️ cannot be seen{since}: {escape(seen.trouble, 300)}"


def _log(run: JobRun | None) -> list[Block]:
    """The end of the log of the last run, where that failed."""
    return (
        [*context([f"The end of the log of run {run.id}:"]), verbatim(run.tail)] if run and run.tail else []
    )


def form(reply: FormReply) -> Face:
    """The way to the form, where it could not be opened at once."""
    text = f"{code(reply.job.name)} needs more than that: fill in its form."
    value = f"{reply.alert or 0}:0:{reply.job.name}"
    opens = button(f"{cut(fold(reply.job.title), 70)}…", START, value, "primary")
    return Face(text, [section(text), *actions([opens])])
