"""The modal that snoozes: this alert, or, after a preview, all about somebody or all of a policy."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from bot.core.action import SnoozeFor
from bot.core.alert import Alert
from bot.core.entities import POLICY
from bot.core.reply import AskReply
from bot.core.snooze import LONGEST, Scope
from bot.slack.blocks import Block, option, section, verbatim
from bot.slack.modals import Errand, FieldErrors, field, filled, modal, note_field, subject
from bot.slack.text import answer, cut, fold
from sensors.model.clock import say_duration

SPANS = {
    "30m": timedelta(minutes=30),
    "1h": timedelta(hours=1),
    "4h": timedelta(hours=4),
    "24h": timedelta(hours=24),
    "3d": timedelta(days=3),
    "14d": timedelta(days=14),
}
SCOPES_MOST = 8
MOST_OF_A_BUTTON = 24  # characters that Slack takes of what a modal does
LONGEST_SAID = "An alert 24 h at most, an entity 14 d, a policy 3 d. It wakes early if it gets worse."


def snooze(alert: Alert, errand: Errand) -> Block:
    spans = [option(say_duration(span), name) for name, span in SPANS.items()]
    choice: Block = {"type": "radio_buttons", "options": spans, "initial_option": spans[1]}
    blocks = [
        subject(alert),
        field("scope", "What", _scopes(alert), "More than this alert is previewed first."),
        field("span", "Quiet for", choice, LONGEST_SAID),
        field("until", "or until", {"type": "datetimepicker"}, optional=True),
        note_field("Why", "Shown on the card, so that nobody has to ask."),
    ]
    return modal(f"Snooze {alert.name}", "snooze", errand, blocks, "Snooze")


def _scopes(alert: Alert) -> Block:
    """This alert, everything about those that it is about, everything of its policy."""
    own = option("This alert", "alert", "for whoever works on it")
    about = [
        option(f"Everything about {cut(entity, 50)}", entity, "for leads, after a preview")
        for entity in dict.fromkeys(alert.entities[:SCOPES_MOST])
        if 0 < len(entity) <= 150
    ]
    policy = option(
        f"Everything of {cut(alert.policy, 60)}", f"{POLICY}{alert.policy}", "for admins, after a preview"
    )
    several = [own, *about, *([policy] if len(alert.policy) < 140 else [])]
    return {"type": "radio_buttons", "options": several, "initial_option": own}


@dataclass(frozen=True)
class Scoped:
    """A snooze of more than one alert that somebody asks for: of what, until when, why."""

    name: str
    until: datetime
    why: str


def snoozed(view: Block, by: str, now: datetime) -> SnoozeFor | Scoped | FieldErrors:
    """What a submitted snooze asks for."""
    given = filled(view)
    scope, why, field = str(given.get("scope") or "alert"), fold(given.get("note") or ""), "span"
    if picked := given.get("until"):
        field, until = "until", datetime.fromtimestamp(int(picked), UTC)
        if until <= now:
            return FieldErrors({"until": "This time has passed."})
    elif (span := SPANS.get(str(given.get("span")))) is None:
        return FieldErrors({"span": "Choose for how long."})
    else:
        until = now + span
    if scope != "alert":
        return Scoped(scope, until, why)
    if until - now > LONGEST[Scope.alert]:
        return FieldErrors({field: "An alert can be snoozed for 24 hours at most."})
    return SnoozeFor(by, until, why)


def sure(reply: AskReply, errand: Errand) -> Block:
    """The preview of what was asked for, and the question."""
    about = replace(errand, job=str(reply.ask))
    blocks = [section(answer("\n".join(reply.lines))), *([verbatim(reply.plan)] if reply.plan else [])]
    does = reply.does if len(reply.does) <= MOST_OF_A_BUTTON else reply.does.partition(" ")[0]
    return modal("Are you sure?", "sure", about, blocks, does)
