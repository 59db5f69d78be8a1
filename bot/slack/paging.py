"""Modals that are read page by page: the whole timeline of an alert, all its rows, and why it is as it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bot.core.reply import ShowReply, WhyReply
from bot.core.words import count
from bot.slack.answers import because_lines, history_lines
from bot.slack.blocks import Block, actions, button, context, preformatted, section
from bot.slack.face import by_the_clock, shown_columns
from bot.slack.modals import Errand, modal
from bot.slack.text import escape

EVENTS_ON_A_PAGE = 20
ROWS_ON_A_PAGE = 20
COLUMNS_IN_FULL = 12


def page_of(errand: Errand, of: int, size: int) -> tuple[int, int]:
    """The page that is asked for, within those that there are, and how many these are."""
    pages = max(1, -(-of // size))
    asked = int(errand.job) if errand.job.isdigit() and len(errand.job) < 9 else 0
    return min(asked, pages - 1), pages


def timeline(shown: ShowReply, errand: Errand) -> Block:
    """All that has happened to it, newest first."""
    newest = list(shown.history)[::-1]
    page, pages = page_of(errand, len(newest), EVENTS_ON_A_PAGE)
    part = newest[page * EVENTS_ON_A_PAGE : (page + 1) * EVENTS_ON_A_PAGE]
    lines = history_lines(part[::-1], EVENTS_ON_A_PAGE) or ["Nothing has happened yet."]
    blocks = [_about(shown), *(section(line) for line in lines), *_turns(shown, "timeline", page, pages)]
    return modal("Timeline", "told", errand, [*blocks, *context([f"{count(len(newest), 'event')} in all"])])


def rows(shown: ShowReply, errand: Errand, notice: str = "") -> Block:
    """All rows that are kept, newest first, masked as they are; `notice` (safe mrkdwn) says what was done."""
    evidence, columns = shown.context.evidence, shown_columns(shown.context)
    page, pages = page_of(errand, len(evidence.rows), ROWS_ON_A_PAGE)
    part = evidence.rows[page * ROWS_ON_A_PAGE : (page + 1) * ROWS_ON_A_PAGE]
    kept, total = len(evidence.rows), max(evidence.total, len(evidence.rows))
    said = f"{count(kept, 'row')} kept" + (f" of {total:,}" if total > kept else "")
    sheet = [button("Put them into the thread as CSV", "alert.sheet", _value(shown, page))] if part else []
    blocks = [
        *([section(notice)] if notice else []),
        _about(shown),
        *_table(columns, by_the_clock(shown.alert, columns, part)),
        *_turns(shown, "rows", page, pages, sheet),
        *context([said]),
    ]
    return modal("Rows", "told", errand, blocks)


def _table(columns: Sequence[str], part: Sequence[Any]) -> list[Block]:
    if not columns or not part:
        return [section("No rows are kept of it.")]
    return [preformatted(columns, part, most=COLUMNS_IN_FULL)]


def why(reply: WhyReply, errand: Errand) -> Block:
    head, *reasons = because_lines(reply)
    return modal("Why", "told", errand, [section(head), *map(section, reasons)])


def _about(shown: ShowReply) -> Block:
    return section(f"*{shown.alert.name}* {escape(shown.alert.title, 300)}")


def _turns(shown: ShowReply, what: str, page: int, pages: int, also: Sequence[Block] = ()) -> list[Block]:
    """The way to the pages beside this one."""
    back = [button("‹ Newer", f"alert.turn.{what}.newer", _value(shown, page - 1))] if page else []
    on = [button("Older ›", f"alert.turn.{what}.older", _value(shown, page + 1))] if page + 1 < pages else []
    where = context([f"page {page + 1} of {pages}"]) if pages > 1 else []
    return [*actions([*back, *on, *also]), *where]


def _value(shown: ShowReply, page: int) -> str:
    return f"{shown.alert.id}:{shown.alert.work_seq}:{page}"
