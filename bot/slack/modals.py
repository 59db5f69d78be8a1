"""The modals: values to views, and what was filled in back to an action of the core or errors by field."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.core.action import PersonAction, Resolve
from bot.core.alert import Alert, Disposition, FalseCause, Work
from bot.core.approval import needed
from bot.core.reply import ShowReply
from bot.slack import pictures, wording
from bot.slack.answers import ROWS_MOST, history_lines, row_blocks
from bot.slack.blocks import Block, actions, button, context, option, plain_text, section, verbatim
from bot.slack.face import concealed, offers, value
from bot.slack.jobs import PLAN, job_buttons, job_lines
from bot.slack.lines import trend
from bot.slack.text import code, cut, escape, fold
from bot.slack.wording import CALLED, state
from sensors.model.job import TYPES, Job, Param

NOTE_MOST = 2_000
NUMBERS = {"integer": r"-?\d{1,15}", "number": r"-?\d{1,15}(\.\d{1,10})?"}
VERDICTS = (
    (Disposition.true_positive, "True positive", "It is what the policy looks for, and it is not allowed"),
    (Disposition.benign, "Real but allowed", "It is what the policy looks for, and it is fine here"),
    (
        Disposition.false_positive,
        "False positive",
        "The policy is wrong: this is not what it looks for",
    ),
    (Disposition.duplicate, "Duplicate", "Another alert is about the same thing"),
    (
        Disposition.insufficient_information,
        "Not enough information",
        "What is known does not decide it",
    ),
    (Disposition.policy_gap, "Policy gap", "It is wrong, and no rule of ours covers it yet"),
    (Disposition.test, "Test", "Somebody tried something out"),
)
CAUSES = (
    (FalseCause.rule, "The rule is too wide"),
    (FalseCause.threshold, "The threshold is too low"),
    (FalseCause.data, "The data were wrong"),
    (FalseCause.known_exception, "A known exception"),
)


CAUSE_HELPS = "It helps to make the policy better."


@dataclass(frozen=True)
class Errand:
    """What a modal is about, carried in its private_metadata."""

    alert: int
    work_seq: int
    channel: str = ""
    ts: str = ""
    job: str = ""

    def packed(self) -> str:
        return f"{self.alert}:{self.work_seq}:{self.channel}:{self.ts}:{self.job}"

    @staticmethod
    def unpacked(text: str) -> Errand | None:
        parts = text.split(":", 4)
        if len(parts) != 5 or not parts[0].isdigit() or not parts[1].isdigit():
            return None
        return Errand(int(parts[0]), int(parts[1]), parts[2], parts[3], parts[4])


@dataclass(frozen=True)
class FieldErrors:
    """What is wrong with what was filled in, by block."""

    by_block: Mapping[str, str]


def modal(title: str, callback: str, errand: Errand, blocks: list[Block], submit: str = "") -> Block:
    view: Block = {
        "type": "modal",
        "callback_id": callback,
        "title": plain_text(title, 24),
        "close": plain_text("Cancel" if submit else "Close", 24),
        "private_metadata": errand.packed(),
        "blocks": blocks[:100],
    }
    return view | ({"submit": plain_text(submit, 24)} if submit else {})


def field(name: str, label: str, element: Block, hint: str = "", optional: bool = False) -> Block:
    made = {"type": "input", "block_id": name, "label": plain_text(label, 150), "optional": optional}
    made["element"] = {"action_id": name, **element}
    return made | ({"hint": plain_text(hint, 150)} if hint else {})


def note_field(label: str, hint: str = "", filled: str = "") -> Block:
    element: Block = {"type": "plain_text_input", "multiline": True, "max_length": NOTE_MOST}
    if filled:
        element["initial_value"] = cut(filled, NOTE_MOST)
    return field("note", label, element, hint, optional=True)


def subject(alert: Alert) -> Block:
    return section(f"*{alert.name}* {escape(alert.title, 300)}")


# -- resolve -------------------------------------------------------------------------------------------------


def resolve(alert: Alert, errand: Errand) -> Block:
    """Also for an alert that is resolved already: its disposition may be told anew."""
    blocks = [subject(alert), *verdict_fields(alert.disposition, alert.false_cause, alert.note)]
    title = f"Resolve {alert.name}" if alert.is_open else f"{alert.name}: what was it?"
    return modal(title, "resolve", errand, blocks, "Resolve" if alert.is_open else "Change")


def verdict_fields(
    verdict: Disposition | None = None, cause: FalseCause | None = None, note: str = ""
) -> list[Block]:
    """What it was, why a false positive was one, and a note."""
    verdicts = [option(title, one.value, about) for one, title, about in VERDICTS]
    choice: Block = {"type": "radio_buttons", "options": verdicts}
    causes = [option(title, one.value) for one, title in CAUSES]
    why: Block = {"type": "static_select", "options": causes, "placeholder": plain_text("Choose", 150)}
    if verdict:
        choice["initial_option"] = next(o for o in verdicts if o["value"] == verdict.value)
    if cause:
        why["initial_option"] = next(o for o in causes if o["value"] == cause.value)
    return [
        field("disposition", "What was it?", choice),
        field("cause", "If it was a false positive: why?", why, CAUSE_HELPS, optional=True),
        note_field("Note", "What you saw, for whoever meets this again.", note),
    ]


def resolved(view: Block, by: str) -> Resolve | FieldErrors:
    """The action that a submitted resolve asks for."""
    given = filled(view)
    verdicts = {verdict.value: verdict for verdict in Disposition}
    causes = {cause.value: cause for cause in FalseCause}
    verdict, cause = verdicts.get(str(given.get("disposition"))), causes.get(str(given.get("cause")))
    if verdict is None:
        return FieldErrors({"disposition": "Choose what it was."})
    false_cause = cause if verdict is Disposition.false_positive else None
    return Resolve(by, verdict, false_cause, fold(given.get("note") or ""))


# -- more ----------------------------------------------------------------------------------------------------


def more(shown: ShowReply, errand: Errand, by: str, notice: str = "", picture: str = "") -> Block:
    """Everything about an alert and all that `by` can do; `notice` (safe mrkdwn) says what just was;
    `picture` is the file of its policy's trend."""
    alert, about = shown.alert, shown.context
    blocks = [
        *([section(notice)] if notice else []),
        section(f"{wording.graded(alert.severity)} · {wording.title(alert, 300)}"),
        section(state(alert, about)),
        *actions(_doings(alert, by)),
        *actions(_readings(alert)),
        *_giving(alert),
        *actions(offers(alert, about)),
        *row_blocks(alert, about, ROWS_MOST),
        *actions(concealed(alert, about)),
        *context([_kept(alert)]),
        *_lately(shown, picture),
        *_timeline(shown),
        note_field("Add a note", "Kept in its history. “Escalate now” gives it as the reason."),
    ]
    return modal(alert.name, "more", errand, blocks, "Add note")


def _doings(alert: Alert, by: str) -> list[Block]:
    """What the card has no room for; a click acts at once."""
    mine = value(alert)
    again = button("Rerun", "alert.rerun", mine)
    if not alert.is_open:
        return [
            again,
            button("Reopen", "alert.reopen", mine),
            button("Change verdict…", "alert.resolve", mine),
        ]
    return [
        *_having(alert, by),
        button("Wake", "alert.wake", mine) if alert.snooze else button("Snooze…", "alert.snooze_for", mine),
        button("Escalate now", "alert.escalate", mine),
        again,
        button("Resolve…", "alert.resolve", mine),
    ]


def _having(alert: Alert, by: str) -> list[Block]:
    """Whose it is to become, from where this person stands."""
    mine = value(alert)
    take, back = button("Take it", "alert.take", mine), button("Hand back", "alert.unack", mine)
    if alert.work is not Work.acknowledged:
        return [take]
    if by == alert.owner:
        return [button("Still on it", "alert.ack", mine), back] if alert.reminded else [back]
    if by in alert.helpers:
        return [take, button("Leave it", "alert.unack", mine)]
    return [take, button("Also on it", "alert.ack", mine), back]


def _readings(alert: Alert) -> list[Block]:
    """What can be read of it, each in a modal of its own."""
    mine = value(alert)
    return [
        button("Why…", "alert.why", mine),
        button("Timeline…", "alert.timeline", mine),
        button("All rows…", "alert.rows", mine),
    ]


def _giving(alert: Alert) -> list[Block]:
    if not alert.is_open:
        return []
    choose: Block = {"type": "users_select", "action_id": "alert.assign"}
    choose["placeholder"] = plain_text("Give it to…", 150)
    return actions([choose])


def _lately(shown: ShowReply, picture: str) -> list[Block]:
    """How its policy has been: as a picture where there is one, else in characters."""
    if not any(shown.trend.by_day):
        return []
    title = f"{shown.alert.policy}, alerts by day"
    if picture:
        return [pictures.picture(picture, shown.trend, title)]
    return [section(f"*{code(shown.alert.policy)}, alerts by day*\n{trend(shown.trend)}")]


def _kept(alert: Alert) -> str:
    verdict = f"{CALLED[alert.disposition]} · " if alert.disposition else ""
    return f"{verdict}policy {code(alert.policy)}"


def _timeline(shown: ShowReply) -> list[Block]:
    blocks = [section("*Timeline*\n" + "\n".join(history_lines(shown.history, 15)))] if shown.history else []
    jobs = job_lines(shown.jobs, 5)
    ends = actions(job_buttons(shown.jobs, shown.stoppable))
    return [*blocks, section("*Jobs*\n" + "\n".join(jobs)), *ends] if jobs else blocks


# -- jobs ----------------------------------------------------------------------------------------------------


def job(found: Job, params: Mapping[str, Any], errand: Errand, plan: str = "") -> Block:
    """A job's form, filled in from the alert's newest row: nothing starts before it is looked at. `plan` is
    what would be sent, where that was asked for."""
    does = (
        f"It changes: {escape(found.changes, 500)}"
        if found.changes
        else "What it changes is not written down."
    )
    undo = f"\nTo undo: {escape(found.undo, 500)}" if found.undo else ""
    blocks = [section(f"*{escape(found.title, 150)}*\n{does}{undo}")]
    blocks += [_field(param, params.get(param.name)) for param in found.params[:80]]
    if not found.params:
        blocks += context(["It takes no parameters."])
    if waits := needed(found):
        blocks += context(["A second person must agree before it starts."])
    blocks += actions([button("Show what would be sent", PLAN, found.name)])
    blocks += [verbatim(plan)] if plan else []
    title = cut(fold(found.title), 24) or "Start a job"
    return modal(title, "job", errand, blocks, "Ask" if waits else "Start")


def _field(param: Param, filled_in: Any) -> Block:
    given = "" if filled_in is None else cut(fold(filled_in), NOTE_MOST)
    element = _choice(given) if param.type == "boolean" else _typed(param, given)
    what = "" if param.type == "boolean" else TYPES.get(param.type, ("", ""))[1]
    hint = f"such as {param.example}" if param.example else what
    return field(f"param.{param.name}"[:255], param.name, element, hint, optional=not param.required)


def _typed(param: Param, given: str) -> Block:
    """What is typed; of a number only numbers, where Slack would refuse any other initial value."""
    if param.type in ("integer", "number"):
        number: Block = {"type": "number_input", "is_decimal_allowed": param.type == "number"}
        return number | ({"initial_value": given} if re.fullmatch(NUMBERS[param.type], given) else {})
    text: Block = {"type": "plain_text_input", "max_length": NOTE_MOST}
    return text | ({"initial_value": given} if given else {})


def _choice(given: str) -> Block:
    options = [option("Yes", "true"), option("No", "false")]
    element: Block = {"type": "static_select", "options": options, "placeholder": plain_text("Choose", 150)}
    chosen = next((one for one in options if one["value"] == given.lower()), None)
    return element | ({"initial_option": chosen} if chosen else {})


def job_params(view: Block, found: Job | None = None) -> dict[str, str] | FieldErrors:
    """The parameters of a submitted job; with the job at hand, what is wrong with each field."""
    typed = given(filled(view))
    wrong = {
        f"param.{param.name}": cut(problem, 150)
        for param in (found.params if found else ())
        if param.name in typed and (problem := param.problem(typed[param.name]))
    }
    return FieldErrors(wrong) if wrong else typed


def given(fields: Mapping[str, Any]) -> dict[str, str]:
    """The parameters that stand in a form's fields."""
    return {
        name.removeprefix("param."): str(held).strip()
        for name, held in fields.items()
        if name.startswith("param.") and held not in (None, "")
    }


# -- notes ---------------------------------------------------------------------------------------------------


def note(alert: int | None, text: str, errand: Errand) -> Block:
    """A message's text on its way into an alert's notes; asks which alert where the place does not say."""
    which: Block = {"type": "plain_text_input", "max_length": 20}
    if alert:
        which["initial_value"] = f"ALR-{alert}"
    else:
        which["placeholder"] = plain_text("ALR-142", 150)
    kept: Block = {"type": "plain_text_input", "multiline": True, "max_length": NOTE_MOST}
    if text.strip():
        kept["initial_value"] = cut(text.strip(), NOTE_MOST)
    left = len(text.strip()) - NOTE_MOST
    hint = f"The message is longer: its last {left:,} characters are left out." if left > 0 else ""
    blocks = [field("alert", "Alert", which), field("note", "Note", kept, hint)]
    return modal("Add to an alert", "note", errand, blocks, "Add note")


def noted(view: Block) -> tuple[int, str] | FieldErrors:
    """The alert and the note of a submitted one."""
    given = filled(view)
    number = str(given.get("alert") or "").strip().lower().removeprefix("alr-").lstrip("#")
    if not number.isdigit() or len(number) > 9:
        return FieldErrors({"alert": "Write the alert's number, such as ALR-142."})
    text = str(given.get("note") or "").strip()
    return (int(number), text) if text else FieldErrors({"note": "Write what to keep."})


# -- of all --------------------------------------------------------------------------------------------------


def filled(view: Mapping[str, Any]) -> dict[str, Any]:
    """What a person filled in, by block; chosen options by their value."""
    values = (view.get("state") or {}).get("values") or {}
    return {block: _held(entry) for block, entries in values.items() for entry in list(entries.values())[:1]}


def _held(entry: Mapping[str, Any]) -> Any:
    chosen = entry.get("selected_option")
    if isinstance(chosen, Mapping):
        return chosen.get("value")
    return next((held for key, held in entry.items() if key not in ("type", "selected_option")), None)


def inputs(view: Mapping[str, Any]) -> list[str]:
    """The fields under which errors may stand."""
    return [block["block_id"] for block in view.get("blocks") or () if block.get("type") == "input"]


Submitted = PersonAction | FieldErrors
