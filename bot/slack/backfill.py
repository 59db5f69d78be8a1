"""A backfill as one message that is edited as it goes on, with the buttons that stop it and take it up."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from bot.core.backfill import (
    BackfillRun,
    BackfillState,
    Found,
    bar,
    found_in_words,
    named,
    on_now,
    progress,
    span,
    state_in_words,
)
from bot.core.reply import StatusReply
from bot.slack.blocks import Block, Face, actions, button, context, header, section
from bot.slack.lines import Room
from bot.slack.text import answer, cut, escape, fold, link, trimmed, unpinged

MARKS = {
    BackfillState.done: "✅",
    BackfillState.failed: "🔴",
    BackfillState.stopped: "⏹",
}
STOP, GO_ON = "backfill.stop", "backfill.on"
DOES = {STOP: "stop", GO_ON: "go on"}  # what each button asks of the desk


def card(run: BackfillRun, found: Found, hidden: bool, names: Mapping[str, str]) -> Face:
    """All that is to be known of it now; it pings nobody. `hidden`: not what it has found, for not everybody
    may know."""
    by, state = unpinged(names), state_in_words(run)
    title = f"Backfill of {_first(run)} · {run.name}"
    came = f"{'' if run.state.ended else 'so far: '}{found_in_words(run, found, hidden)}"
    lines = [
        f"{_mark(run)} {bar(run)}  {answer(progress(run))}",
        f"{answer(came)} · alerts of the past page nobody" if run.done or run.state.ended else "",
    ]
    blocks = [
        header(title),
        section("\n".join(line for line in lines if line)),
        *([section(answer(state, 600, by))] if state else []),
        *context([f"{answer(named(run))} · {answer(span(run))}", f"asked for by {_by(run, by)}"]),
        *_buttons(run),
    ]
    return Face(trimmed(f"{escape(title, 200)}: {answer(progress(run))}", 300), blocks)


def _by(run: BackfillRun, by: Callable[[str], str]) -> str:
    return by(run.by) if run.in_slack else f"{escape(run.by, 80)}, on the command line"


def _first(run: BackfillRun) -> str:
    more = len(run.stages) - 1
    name = cut(fold(run.stages[0].policy), 90)
    return f"{name} and {more} more" if more else name


def _mark(run: BackfillRun) -> str:
    return MARKS.get(run.state, "⏳" if run.why else "⏪")


def _buttons(run: BackfillRun) -> list[Block]:
    value = str(run.id)
    if run.state is BackfillState.running:
        return actions([button("Stop", f"{STOP}.{run.id}", value, "danger")])
    if run.state in (BackfillState.stopped, BackfillState.failed):
        return actions([button("Go on", f"{GO_ON}.{run.id}", value, "primary")])
    return []


def lines(reply: StatusReply, room: Room) -> list[str]:
    """Those that run, a line each, with a link to the message that says how far. No figures, of which Home
    would be drawn anew all the time."""
    return [_line(run, room.link(reply.notices.get(run.key))) for run in reply.backfills]


def _line(run: BackfillRun, url: str | None) -> str:
    name = link(url, run.name) if url else f"*{run.name}*"
    return f"{name}{answer(on_now(run).removeprefix(run.name), 400)}"
