"""The modal that resolves several alerts at once, with one verdict: from a list, for a lead."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bot.core.alert import Alert
from bot.slack.answers import SEVERAL_MOST
from bot.slack.blocks import Block, option, plain_text, section
from bot.slack.modals import Errand, FieldErrors, field, filled, modal, verdict_fields
from bot.slack.text import cut, fold


def ids_of(errand: Errand) -> list[int]:
    """The alerts that the list's button named."""
    return [int(part) for part in errand.job.split(",") if part.isdigit() and len(part) < 10][:SEVERAL_MOST]


def form(alerts: Sequence[Alert], errand: Errand) -> Block:
    """Those that are still open; all of them are chosen until somebody takes one out."""
    held = [alert for alert in alerts if alert.is_open]
    if not held:
        return modal("Resolve several", "told", errand, [section("None of them is open any more.")])
    options = [
        option(f"{alert.name} {cut(fold(alert.title), 55)}", str(alert.id), cut(alert.policy, 70))
        for alert in held
    ]
    which: Block = {"type": "multi_static_select", "options": options, "initial_options": options}
    which["placeholder"] = plain_text("Choose", 150)
    return modal(
        "Resolve several", "several", errand, [field("which", "Which", which), *verdict_fields()], "Resolve"
    )


def chosen(view: Block) -> list[int] | FieldErrors:
    """The alerts that were left chosen."""
    given: Iterable[Block] = filled(view).get("which") or ()
    ids = [int(one["value"]) for one in given if str(one.get("value", "")).isdigit()]
    return ids or FieldErrors({"which": "Choose at least one."})
