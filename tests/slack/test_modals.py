"""Every modal and the Home tab stand within Slack's limits; what is filled in comes back as one action."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from bot.core.action import Resolve, SnoozeFor
from bot.core.alert import Alert, Disposition, Work
from bot.core.change import Refused
from bot.core.reply import (
    AskReply,
    Context,
    Evidence,
    Person,
    Revealed,
    Said,
    ShowReply,
    StatusReply,
    WhyReply,
)
from bot.core.words import when, who
from bot.sandbox.blockkit import check_view
from bot.slack import modals, paging, reveal, several, snoozing
from bot.slack.home import home
from bot.slack.modals import Errand, FieldErrors
from bot.slack.submissions import Submissions
from sensors.model.job import Job, Param

from .anything import ALERT, ASKED, BECAUSE, JOB, PERSON, REVEALED, ROW, SHOWN, STATUS, TEXT
from .conftest import NOW, RecordingDesk, an_alert
from .hostile import dangers, mrkdwn_of

ERRAND = Errand(3, 7, "C0PAYMENTS", "1790000000.000100", "hold_payouts")
anything = settings(
    deadline=None,
    max_examples=40,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


def sound(view: dict[str, Any]) -> None:
    assert check_view(view, view["type"]) == []
    for text in mrkdwn_of(view["blocks"]):
        assert dangers(text, honest=True) == [], text


@anything
@given(SHOWN)
def test_any_alert_has_its_modals(shown: ShowReply) -> None:
    sound(modals.more(shown, ERRAND, "U0ANA", "Done."))
    sound(modals.resolve(shown.alert, ERRAND))
    sound(snoozing.snooze(shown.alert, ERRAND))
    sound(several.form([shown.alert] * 20, ERRAND))
    for page in ("", "0", "1", "99999"):
        sound(paging.timeline(shown, replace(ERRAND, job=page)))
        sound(paging.rows(shown, replace(ERRAND, job=page), "Done."))


@anything
@given(JOB, ROW, TEXT, st.one_of(st.none(), st.integers(1, 10**9)))
def test_any_job_and_any_note_has_its_form(
    job: Job, row: dict[str, Any], text: str, alert: int | None
) -> None:
    sound(modals.job(job, row, ERRAND))
    sound(modals.note(alert, text, ERRAND))


@anything
@given(BECAUSE, ASKED, REVEALED, ALERT)
def test_any_reason_any_question_and_any_masked_values_have_theirs(
    because: WhyReply, asked: AskReply, found: Revealed, alert: Alert
) -> None:
    sound(paging.why(because, ERRAND))
    sound(snoozing.sure(asked, ERRAND))
    sound(reveal.form(alert, ERRAND))
    sound(reveal.shown(found, ERRAND))


@anything
@given(STATUS, PERSON)
def test_any_status_has_its_home(status: StatusReply, person: Person) -> None:
    sound(home(status, person))


@given(
    st.builds(
        Errand,
        alert=st.integers(0, 10**12),
        work_seq=st.integers(0, 10**6),
        channel=st.sampled_from(["", "C0PAYMENTS"]),
        ts=st.sampled_from(["", "1790000000.000100"]),
        job=TEXT,
    )
)
def test_an_errand_comes_back_as_it_went(errand: Errand) -> None:
    assert Errand.unpacked(errand.packed()) == errand


def test_what_is_no_errand_is_none() -> None:
    for broken in ("", "x", "1:2", "a:2:C:1:", "1:2:3"):
        assert Errand.unpacked(broken) is None


def filled(**values: Any) -> dict[str, Any]:
    """A submitted view with these values by block."""
    return {"state": {"values": {name: {name: held} for name, held in values.items()}}}


def chosen(value: str) -> dict[str, Any]:
    return {"type": "radio_buttons", "selected_option": {"value": value}}


def test_a_snooze_until_a_time_goes_before_a_span() -> None:
    until = NOW + timedelta(hours=3)
    view = filled(
        span=chosen("30m"), until={"type": "datetimepicker", "selected_date_time": int(until.timestamp())}
    )
    assert snoozing.snoozed(view, "U0ANA", NOW) == SnoozeFor("U0ANA", until, "")


@pytest.mark.parametrize("hours", [-1, 25])
def test_a_snooze_outside_the_next_day_is_refused(hours: int) -> None:
    at = int((NOW + timedelta(hours=hours)).timestamp())
    told = snoozing.snoozed(filled(until={"type": "datetimepicker", "selected_date_time": at}), "U0ANA", NOW)
    assert isinstance(told, FieldErrors)
    assert list(told.by_block) == ["until"]


def test_a_cause_is_kept_only_of_a_false_positive() -> None:
    view = filled(disposition=chosen("benign"), cause=chosen("rule"))
    assert modals.resolved(view, "U0ANA") == Resolve("U0ANA", Disposition.benign)


def test_made_up_choices_are_refused() -> None:
    assert isinstance(modals.resolved(filled(disposition=chosen("nonsense")), "U0ANA"), FieldErrors)
    assert isinstance(snoozing.snoozed(filled(span=chosen("9y")), "U0ANA", NOW), FieldErrors)
    assert isinstance(modals.resolved({}, "U0ANA"), FieldErrors)


@pytest.mark.parametrize("kind", [Refused, Said])
def test_a_refusal_under_a_field_names_people_and_times_in_plain_text(kind: type) -> None:
    why = f"Only `payments` may, as {who('U0CY')} or {who('U0GONE')} until {when(NOW)}."
    outcome = Refused(why) if kind is Refused else Said(why, ok=False)
    body = {"view": snoozing.snooze(an_alert(), ERRAND)}
    ack = Submissions(RecordingDesk(), lambda: NOW).instead(body, outcome)
    assert ack is not None
    assert ack["response_action"] == "errors"
    assert ack["errors"] == {
        "scope": f"Only payments may, as cy or a teammate until {NOW:%Y-%m-%d %H:%M} UTC."
    }


def test_rows_of_the_alerts_day_are_narrow_enough_for_a_phone() -> None:
    rows = tuple({"body": "venmo me", "sent_at": f"{NOW:%Y-%m-%d} 0{n}:00:00Z"} for n in range(3))
    evidence = Evidence(("body", "sent_at"), rows, total=3)
    shown = ShowReply(an_alert(), Context(evidence=evidence), ())
    for view in (paging.rows(shown, ERRAND), modals.more(shown, ERRAND, "U0ANA")):
        texts = [b["elements"][0]["elements"][0]["text"] for b in view["blocks"] if b["type"] == "rich_text"]
        assert texts == ["body      sent_at\nvenmo me  00:00:00\nvenmo me  01:00:00\nvenmo me  02:00:00"]


def test_a_jobs_fields_are_of_their_types() -> None:
    params = (
        Param("seller_id"),
        Param("days", "integer"),
        Param("share", "number", required=False),
        Param("force", "boolean"),
    )
    found = Job("x", "http", "X", "payments", params=params)
    filled_in = {"days": 7, "share": "much", "force": "True"}
    fields = {
        b["block_id"]: b for b in modals.job(found, filled_in, ERRAND)["blocks"] if b["type"] == "input"
    }
    elements = {name.removeprefix("param."): block["element"] for name, block in fields.items()}
    kinds = [elements[name]["type"] for name in ("seller_id", "days", "share", "force")]
    assert kinds == ["plain_text_input", "number_input", "number_input", "static_select"]
    assert elements["days"]["initial_value"] == "7"
    assert "initial_value" not in elements["share"], "what is no number is not filled in"
    assert elements["force"]["initial_option"]["value"] == "true"
    assert [fields[f"param.{n}"]["optional"] for n in ("days", "share")] == [False, True]


@pytest.mark.parametrize(
    ("by", "offered"),
    [
        ("U0ANA", {"Still on it", "Hand back"}),
        ("U0BO", {"Take it", "Leave it"}),
        ("U0CY", {"Take it", "Also on it", "Hand back"}),
    ],
)
def test_of_an_alert_that_somebody_has_each_is_offered_what_is_left_for_him(
    by: str, offered: set[str]
) -> None:
    held = an_alert(work=Work.acknowledged, owner="U0ANA", helpers=("U0BO",), reminded=True)
    view = modals.more(ShowReply(held, Context(), ()), ERRAND, by)
    named = {
        e["text"]["text"]
        for b in view["blocks"]
        if b["type"] == "actions"
        for e in b["elements"]
        if "text" in e
    }
    about_whose = {"Take it", "Also on it", "Still on it", "Hand back", "Leave it"}
    assert named & about_whose == offered
