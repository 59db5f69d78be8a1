"""Masked values in a modal, for one person: asked for with a reason, shown once, nowhere else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.core.alert import Alert
from bot.core.reply import Revealed
from bot.core.words import count
from bot.slack.blocks import Block, context, in_cell, plain_text, section
from bot.slack.modals import Errand, filled, modal
from bot.slack.text import answer, cut, escape

WHY_MOST = 500
TEXT_MOST = 2_500


@dataclass(frozen=True)
class Asked:
    """It is recorded that somebody wants to see it: now the warehouse is asked."""

    alert: int


def form(alert: Alert, errand: Errand) -> Block:
    why: Block = {
        "type": "input",
        "block_id": "why",
        "label": plain_text("Why do you need to see them?", 150),
        "hint": plain_text("Your name, the time and this reason are kept in the audit.", 150),
        "element": {"type": "plain_text_input", "action_id": "why", "max_length": WHY_MOST},
    }
    return modal(f"{alert.name}: masked", "reveal", errand, [_about(alert), why], "Show")


def reason(view: Mapping[str, Any]) -> str:
    return str(filled(view).get("why") or "")


def waiting(errand: Errand, name: str) -> Block:
    """Until the warehouse has answered; `name` is how the view is found then."""
    view = modal("Masked values", "told", errand, [section("Asking the warehouse again…")])
    return view | {"external_id": name}


def shown(found: Revealed, errand: Errand) -> Block:
    """Text that Slack never parses: these are strangers' words."""
    if found.why_not:
        return modal("Masked values", "told", errand, [section(answer(found.why_not, 1_000))])
    blocks: list[Block] = []
    for n, row in enumerate(found.rows, 1):
        which = [f"row {n}, the newest" if n == 1 else f"row {n}"] if found.total > 1 else []
        lines = [*which, *(f"{name}: {in_cell(row.get(name))}" for name in found.columns)]
        text = cut("\n".join(lines), TEXT_MOST)
        inner = {"type": "rich_text_preformatted", "elements": [{"type": "text", "text": text or "–"}]}
        blocks.append({"type": "rich_text", "elements": [inner]})
    left = found.total - len(found.rows)
    more = f"and {count(left, 'older row')}" if left > 0 else ""
    told = "Only you see this. The values are kept nowhere; that you saw them is in the audit."
    return modal("Masked values", "told", errand, [*blocks, *context([more, told])])


def _about(alert: Alert) -> Block:
    return section(f"*{alert.name}* {escape(alert.title, 300)}")
