"""What follows an act or a click, beside the ack: answers to one person, modals, the Home tab."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import replace
from typing import Any

from bot.core.change import Refused
from bot.core.reply import AskReply, FormReply, Person, Reply, Revealed, Said, ShowReply, WhyReply
from bot.process.errors import PatrolError, SlackRefused
from bot.slack import modals, paging, payloads, pictures, reveal, several, snoozing
from bot.slack.answers import IN_THREADS, plainly, render, said_in_modal, said_text
from bot.slack.blocks import Block, Face, section
from bot.slack.client import Opened, SlackClient
from bot.slack.desk import Desk
from bot.slack.homes import Homes
from bot.slack.jobs import START
from bot.slack.lines import ANYWHERE, Room
from bot.slack.modals import Errand
from bot.slack.payloads import HOME, JOB, Click, Place
from bot.slack.pictures import NoPictures, Pictures
from bot.slack.text import plainly_said
from bot.slack.turns import Turns
from sensors.model.policy import NOTHING

NOT_SHOWN = frozenset({"invalid_arguments", "invalid_blocks"})  # perhaps for a file that is no more
GONE = "There is no such alert any more."
NOT_RECORDED = "Not recorded: Patrol is too busy right now."
TRIES, BETWEEN_S = 10, 0.2  # of filling a modal that Slack has not made yet
NOT_YET = "Not recorded so far: Patrol is slow right now."
log = logging.getLogger(__name__)


def unrecorded(running: bool) -> Face:
    """The truth past two seconds: never begun, or begun and without an end yet."""
    if running:
        return plainly(NOT_YET, "You will be told as soon as it is; look before you do it again.")
    return plainly(NOT_RECORDED, "Please do it again.")


def unrecorded_view(body: dict[str, Any], running: bool) -> dict[str, Any]:
    """The same in a modal, which stays open with what was typed."""
    text = (
        f"{NOT_YET} Look at the alert before you send this again."
        if running
        else f"{NOT_RECORDED} Send it again."
    )
    return refused_view(body, text)


def refused_view(body: dict[str, Any], text: str, names: Mapping[str, str] = NOTHING) -> dict[str, Any]:
    """A refusal under the modal's first field, where Slack shows no mention: people are written by `names`.
    In a modal without fields, in its place."""
    fields = modals.inputs(body.get("view") or {})
    if fields:
        return {"response_action": "errors", "errors": {fields[0]: plainly_said(text, names)[:500]}}
    errand = Errand.unpacked(str((body.get("view") or {}).get("private_metadata") or "")) or Errand(0, 0)
    view = modals.modal("Not done", "told", errand, [section(said_text(Said(text, ok=False)))])
    return {"response_action": "update", "view": view}


def ended(running: Future[Any]) -> Reply | Refused:
    """What came of an act that took too long."""
    error = running.exception()
    if error is not None:
        log.error("an act failed after its time: %s", error)
        return Refused("It was not recorded: something broke on Patrol's side.")
    outcome: Reply | Refused = running.result()
    return outcome


class Talk:
    def __init__(
        self,
        desk: Desk,
        client: SlackClient,
        turns: Turns,
        drawn: Pictures | None = None,
        homes: Homes | None = None,
    ) -> None:
        self._desk = desk
        self._client = client
        self._turns = turns
        self._pictures = drawn or NoPictures()
        self._homes = homes or Homes(desk.status, client)

    # -- to one person -------------------------------------------------------------------------------------

    def tell(self, place: Place, face: Face) -> None:
        """Only this person sees it, where he acted: by the response_url, else as an ephemeral."""
        self._turns.later(lambda: self._tell(place, face))

    def answer(self, place: Place, reply: Reply | Refused) -> None:
        """`tell`, in the words of that place."""
        self._turns.later(lambda: self._answer(place, reply))

    def answer_in(self, clicked: Click, reply: Reply | Refused) -> None:
        """`answer`; what asks first asks in the modal in which it was clicked."""
        errand = clicked.errand
        if not (clicked.in_view and errand and isinstance(reply, AskReply)):
            self.answer(clicked.place, reply)
            return
        view = snoozing.sure(reply, errand)
        self._turns.later(
            lambda: self._shown(lambda: self._client.push_view(clicked.trigger_id, view), clicked.place)
        )

    def draws(self, reply: Reply | Refused) -> bool:
        """Whether a picture follows this answer."""
        return not isinstance(self._pictures, NoPictures) and pictures.pictured(reply) is not None

    def _answer(self, place: Place, reply: Reply | Refused) -> None:
        """The picture of an answer follows it, as soon as there is one."""
        self._tell(place, render(reply, self.room(place)))
        if found := pictures.pictured(reply):
            self._pictures.ask(found.drawn, lambda file: self._illustrate(place, found, file))

    def _illustrate(self, place: Place, found: pictures.Pictured, file_id: str) -> None:
        try:
            self._tell(place, pictures.alone(found, file_id))
        except SlackRefused as refused:
            if refused.code in NOT_SHOWN:
                self._pictures.refused(file_id)
            raise

    def instead(self, place: Place, face: Face) -> None:
        """In the place of the answer that asked, so that it asks no more."""

        def work() -> None:
            try:
                self._client.respond(place.response_url, face, replace=True, thread_ts=place.thread_ts)
            except PatrolError as error:
                log.info("a response_url did not work: %s", error)
                self._tell(replace(place, response_url=""), face)

        self._turns.later(work)

    def room(self, place: Place) -> Room:
        return Room(IN_THREADS if place.thread_ts else ANYWHERE.prefix, self._client.address)

    def _tell(self, place: Place, face: Face) -> None:
        if place.response_url:
            try:
                self._client.respond(place.response_url, face, thread_ts=place.thread_ts)
                return
            except PatrolError as error:
                log.info("a response_url did not work: %s", error)
        if place.via == HOME:
            self._homes.acted(place.user, face)
        elif place.user and place.channel:
            self._client.ephemeral(place.channel, place.user, face, place.thread_ts)

    def acted(self, clicked: Click, outcome: Said | Refused) -> None:
        """After a click: in a modal the modal shows it, elsewhere an ephemeral does."""
        if clicked.in_view:
            self._turns.later(lambda: self._refresh(clicked, outcome))
        else:
            self.answer(clicked.place, outcome)

    def submitted(self, place: Place, outcome: Said | Refused | None) -> None:
        if outcome is not None:
            self.answer(place, outcome)

    def _refresh(self, clicked: Click, outcome: Said | Refused) -> None:
        errand = clicked.errand
        person = clicked.place.person
        shown = self._desk.show(person, errand.alert) if errand else None
        if errand is None or not isinstance(shown, ShowReply):
            self._tell(clicked.place, render(outcome))
            return
        said = outcome if isinstance(outcome, Said) else Said(outcome.why, outcome.hint, ok=False)
        notice = said_in_modal(said)
        current = replace(errand, work_seq=shown.alert.work_seq)
        rows = self._rows(person, current, notice) if clicked.action_id == "alert.sheet" else None
        if rows is not None and not isinstance(rows, Refused):
            self._client.update_view(clicked.view_id, rows)
            return
        self._more(
            shown,
            lambda file: modals.more(shown, current, person.slack, notice, file),
            lambda view: self._client.update_view(clicked.view_id, view),
        )

    # -- modals --------------------------------------------------------------------------------------------

    def open(self, clicked: Click) -> None:
        """Opens what was asked for; pushes it where the click was in a modal."""
        errand = clicked.errand
        show = self._client.push_view if clicked.in_view else self._client.open_view
        if errand and clicked.action_id == "alert.more":
            self._open_more(clicked, errand, lambda view: show(clicked.trigger_id, view))
            return
        view = self._view(clicked, errand) if errand else None
        if view is None or isinstance(view, Refused):
            self._tell(clicked.place, render(view) if view else plainly(GONE))
            return
        if clicked.turns:
            self._shown(lambda: self._client.update_view(clicked.view_id, view), clicked.place)
            return
        self._shown(lambda: show(clicked.trigger_id, view), clicked.place)

    def _open_more(self, clicked: Click, errand: Errand, show: Callable[[Block], Opened]) -> None:
        """All of an alert. It opens with the picture that Slack knows, or gets it when that is there."""
        shown = self._desk.show(clicked.place.person, errand.alert)
        if not isinstance(shown, ShowReply):
            self._tell(clicked.place, render(shown) if shown else plainly(GONE))
            return
        current, by = replace(errand, work_seq=shown.alert.work_seq), clicked.place.user
        self._shown(
            lambda: self._more(shown, lambda file: modals.more(shown, current, by, picture=file), show),
            clicked.place,
        )

    def _more(self, shown: ShowReply, view: Callable[[str], Block], show: Callable[[Block], Opened]) -> None:
        """Shows the view of a file's id (of "": without a picture), and once more when there is a picture,
        unless the view has changed meanwhile."""
        known = self._pictures.known(shown.trend)
        if known:
            try:
                show(view(known))
                return
            except SlackRefused as refused:
                if refused.code not in NOT_SHOWN:
                    raise
                self._pictures.refused(known)
        there = show(view(""))
        if any(shown.trend.by_day):
            self._pictures.ask(shown.trend, lambda file: self._with_picture(file, view(file), there))

    def _with_picture(self, file_id: str, view: Block, there: Opened) -> None:
        try:
            self._client.update_view(there.id, view, there.hash)
        except SlackRefused as refused:
            if refused.code in NOT_SHOWN:
                self._pictures.refused(file_id)
            raise

    def _view(self, clicked: Click, errand: Errand) -> Block | Refused | None:
        """What the click opens; why this person may not see it; None where there is nothing to be seen."""
        person = clicked.place.person
        if clicked.action_id.startswith((JOB, START)):
            form = self._desk.start_form(person, errand.alert, errand.job)
            return modals.job(form[0], form[1], errand) if isinstance(form, tuple) else form
        if clicked.action_id == "alert.why":
            why = self._desk.why_alert(person, errand.alert)
            return paging.why(why, errand) if isinstance(why, WhyReply) else why
        if clicked.action_id == "alert.several":
            return several.form(self._desk.alerts(person, several.ids_of(errand)), errand)
        if clicked.action_id.startswith(("alert.rows", "alert.turn.rows")):
            return self._rows(person, errand)
        shown = self._desk.show(person, errand.alert)
        return self._of_alert(clicked, errand, shown) if isinstance(shown, ShowReply) else shown

    def _of_alert(self, clicked: Click, errand: Errand, shown: ShowReply) -> Block:
        match clicked.action_id:
            case "alert.timeline" | "alert.turn.timeline.newer" | "alert.turn.timeline.older":
                return paging.timeline(shown, errand)
            case "alert.resolve":
                return modals.resolve(shown.alert, errand)
            case "alert.reveal":
                return reveal.form(shown.alert, errand)
            case "alert.snooze_for":
                return snoozing.snooze(shown.alert, errand)
            case _:
                return modals.more(shown, replace(errand, work_seq=shown.alert.work_seq), clicked.place.user)

    def plan(self, clicked: Click) -> None:
        """What a form's job would send, in the form; what stands in its fields stays."""
        errand = clicked.errand
        if errand is None:
            return
        given = modals.given(clicked.fields)
        shown = self._desk.plan_job(clicked.place.person, errand.alert, errand.job, given)
        if isinstance(shown, tuple):
            view = modals.job(shown[0], given, errand, shown[1])
            self._shown(lambda: self._client.update_view(clicked.view_id, view), clicked.place)
        else:
            self._tell(clicked.place, render(shown) if shown else plainly(GONE))

    def open_form(self, place: Place, wanted: FormReply, trigger_id: str) -> None:
        """The form of a job that was typed; in words with a button, where Slack does not open it."""
        errand = Errand(wanted.alert or 0, 0, place.channel, "", wanted.job.name)
        view = modals.job(wanted.job, wanted.params, errand)

        def work() -> None:
            try:
                self._client.open_view(trigger_id, view)
            except PatrolError as error:
                log.info("a form did not open: %s", error)
                self._tell(place, render(wanted, self.room(place)))

        self._turns.later(work)

    def reveal(self, name: str, person: Person, errand: Errand) -> None:
        """Fills the modal that waits with what the warehouse says."""
        self._turns.later(lambda: self._fill(name, self._desk.revealed(person, errand.alert), errand))

    def _fill(self, name: str, found: Revealed, errand: Errand) -> None:
        """Slack may take our ack, which makes the modal, after this call: until then it is not found."""
        for _ in range(TRIES):
            try:
                self._client.fill_view(name, reveal.shown(found, errand))
                return
            except SlackRefused as refused:
                if refused.code != "not_found":
                    raise
                time.sleep(BETWEEN_S)
        log.info("nobody waits for the masked values of ALR-%s any more", errand.alert)

    def _rows(self, person: Person, errand: Errand, notice: str = "") -> Block | Refused | None:
        shown = self._desk.show_rows(person, errand.alert)
        return paging.rows(shown, errand, notice) if isinstance(shown, ShowReply) else shown

    def _shown(self, show: Callable[[], object], place: Place) -> None:
        try:
            show()
        except PatrolError as error:
            log.warning("a modal did not open: %s", error)
            self._tell(place, plainly("Slack did not open it in time.", "Click once more."))

    def ask_for_note(self, wanted: payloads.Shortcut) -> None:
        alert = self._desk.alert_at(wanted.channel, wanted.root_ts)
        errand = Errand(alert or 0, 0, wanted.channel, wanted.ts)
        view = modals.note(alert, wanted.text, errand)
        self._shown(lambda: self._client.open_view(wanted.trigger_id, view), wanted.place)

    # -- Home ----------------------------------------------------------------------------------------------

    def home(self, user: str) -> None:
        self._turns.later(lambda: self._homes.opened(user))
