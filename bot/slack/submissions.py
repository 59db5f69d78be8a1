"""Submitted modals: what was filled in, handed in to the desk; what is wrong goes back under its field."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from bot.core.action import Comment, PersonAction
from bot.core.change import Refused
from bot.core.reply import AskReply, Person, Said
from bot.slack import modals, reveal, several, snoozing
from bot.slack.desk import Desk
from bot.slack.modals import Errand, FieldErrors
from bot.slack.payloads import Place
from bot.slack.talk import refused_view

Outcome = Said | AskReply | Refused | FieldErrors | reveal.Asked | None


class Submissions:
    """One method a modal; each gives what the desk said, or what is wrong with a field."""

    CALLBACKS = ("snooze", "resolve", "more", "job", "note", "reveal", "told", "sure", "several")

    def __init__(self, desk: Desk, clock: Callable[[], datetime]) -> None:
        self._desk = desk
        self._clock = clock

    def place(self, body: Mapping[str, Any]) -> Place:
        errand = _errand(body)
        user = str((body.get("user") or {}).get("id") or "")
        noted = (body.get("view") or {}).get("callback_id") == "note"  # which a message's shortcut opens
        return Place(user, errand.channel if errand else "", via="shortcut" if noted else "modal")

    def record(self, body: Mapping[str, Any], person: Person) -> Outcome:
        errand, view = _errand(body), body.get("view") or {}
        if errand is None:
            return Refused("This form says nothing that Patrol knows.", "Open it again.")
        match view.get("callback_id"):
            case "snooze":
                return self._snooze(person, errand, snoozing.snoozed(view, person.slack, self._clock()))
            case "sure":
                return self._desk.confirm(person, int(errand.job) if errand.job.isdigit() else 0)
            case "resolve":
                return self._act(person, errand, modals.resolved(view, person.slack))
            case "several":
                return self._several(person, view)
            case "more":
                return self._comment(person, errand.alert, str(modals.filled(view).get("note") or ""))
            case "note":
                noted = modals.noted(view)
                return noted if isinstance(noted, FieldErrors) else self._comment(person, *noted)
            case "job":
                return self._job(person, errand, view)
            case "reveal":
                refused = self._desk.reveal(person, errand.alert, reveal.reason(view))
                return refused or reveal.Asked(errand.alert)
            case _:
                return None

    def instead(self, body: Mapping[str, Any], outcome: Outcome) -> dict[str, Any] | None:
        """The ack that keeps the modal open: it says what is wrong, or asks; None where all is done."""
        match outcome:
            case AskReply():
                errand = _errand(body) or Errand(0, 0)
                return {"response_action": "update", "view": snoozing.sure(outcome, errand)}
            case FieldErrors(by_block=errors):
                return {"response_action": "errors", "errors": dict(errors)}
            case Refused(why=why, hint=hint):
                return refused_view(dict(body), f"{why} {hint}".strip(), self._desk.names())
            case Said(ok=False, text=text, hint=hint):
                return refused_view(dict(body), f"{text} {hint}".strip(), self._desk.names())
            case _:
                return None

    def _snooze(
        self, person: Person, errand: Errand, asked: PersonAction | snoozing.Scoped | FieldErrors
    ) -> Outcome:
        """Of more than the alert it is a preview first."""
        if isinstance(asked, snoozing.Scoped):
            return self._desk.ask_snooze(person, asked.name, asked.until, asked.why)
        return self._act(person, errand, asked)

    def _several(self, person: Person, view: Mapping[str, Any]) -> Outcome:
        ids, action = several.chosen(dict(view)), modals.resolved(dict(view), person.slack)
        if isinstance(ids, FieldErrors):
            return ids
        return action if isinstance(action, FieldErrors) else self._desk.resolve_several(person, ids, action)

    def _act(self, person: Person, errand: Errand, action: PersonAction | FieldErrors) -> Outcome:
        if isinstance(action, FieldErrors):
            return action
        return self._desk.act(person, errand.alert, action, errand.work_seq)

    def _comment(self, person: Person, alert: int, text: str) -> Outcome:
        """A note is never stale: it is kept whatever happened to the alert in between."""
        if not text.strip():
            return None
        return self._desk.act(person, alert, Comment(person.slack, text), None)

    def _job(self, person: Person, errand: Errand, view: Mapping[str, Any]) -> Outcome:
        form = self._desk.start_form(person, errand.alert, errand.job)
        if form is None or isinstance(form, Refused):
            return form or Refused("There is no such job any more.")
        params = modals.job_params(dict(view), form[0])
        if isinstance(params, FieldErrors):
            return params
        return self._desk.start_job(person, errand.alert or None, errand.job, params)


def _errand(body: Mapping[str, Any]) -> Errand | None:
    return Errand.unpacked(str((body.get("view") or {}).get("private_metadata") or ""))
