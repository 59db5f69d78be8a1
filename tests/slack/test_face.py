"""Whatever an alert holds, its card stands within Slack's limits and does nothing that its rows ask for."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import timedelta
from html import unescape
from typing import Any, get_args

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from bot.core.alert import Alert, Condition, Disposition, FalseCause, Lane, Snooze, Work
from bot.core.approval import Approval
from bot.core.change import Effect, EffectKind
from bot.core.job_run import JobRun
from bot.core.notice import Notice
from bot.core.reply import Context, DigestReply, Earlier, Evidence, Reply, ShowReply
from bot.core.trend import in_words
from bot.sandbox.blockkit import check_message, check_view, text_length
from bot.slack import approvals, duty
from bot.slack.answers import render
from bot.slack.blocks import Face
from bot.slack.digest import digest
from bot.slack.face import NOTICE_MOST, card, card_plain, notice, reply
from bot.slack.modals import Errand, more
from bot.slack.text import width
from sensors.model.job import Job
from sensors.model.policy import AlertText, Every, Grades, Policy, Query, Severity

from .anything import (
    ALERT,
    APPROVAL,
    CONTEXT,
    DIGEST,
    JOB,
    MARKED,
    REPLIES,
    REPLY,
    RUN,
    SHOWN,
    SLACK,
    TEXT,
    URL,
    maybe,
    some,
)
from .conftest import NOW, a_context, an_alert
from .hostile import HOSTILE, INVISIBLE, dangers, mrkdwn_of, plain_of

# Without shrinking: a card has a hundred parts, and the failing text names itself.
anything = settings(
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


def sound(face: Face, honest: bool = True) -> None:
    """Slack takes it, and nothing in it does what a row says; what people write may hold honest links."""
    assert check_message(face.blocks) == []
    assert 0 < len(face.text) <= 3_000
    assert text_length(face.blocks) < 30_000
    for text in [face.text, *mrkdwn_of(face.blocks)]:
        assert dangers(text, honest=honest) == [], text
    for text in plain_of(face.blocks):
        assert not INVISIBLE.search(text), text
    json.dumps(face.blocks).encode()


ADDRESS = re.compile(r"<(?:https?:[^|>]*\|([^>]*)|!date\^\d+\^[^|]*\|([^>]*))>")


def seen(blocks: list[dict[str, Any]]) -> list[str]:
    """What people read of them: links and times by their words."""
    return [
        unescape(ADDRESS.sub(lambda found: found[1] or found[2], text))
        for text in (*plain_of(blocks), *mrkdwn_of(blocks))
    ]


@anything
@given(ALERT, CONTEXT)
def test_any_card_is_one_that_slack_takes(alert: Alert, context: Context) -> None:
    shown = card(alert, context)
    sound(shown)
    assert len(shown.blocks) <= 12
    assert len(shown.text) <= NOTICE_MOST
    assert width(shown.text) <= NOTICE_MOST


@anything
@given(ALERT, CONTEXT)
def test_any_plain_card_is_one_that_an_old_workspace_takes(alert: Alert, context: Context) -> None:
    shown = card_plain(alert, context)
    sound(shown)
    assert "table" not in {block["type"] for block in shown.blocks}


@anything
@given(ALERT, CONTEXT)
def test_a_new_card_pings_only_those_who_are_paged(alert: Alert, context: Context) -> None:
    opened = replace(
        alert, work=Work.open, snooze=None, owner=None, helpers=(), last_event="opened", unknown_why=""
    )
    shown = " ".join(mrkdwn_of(card(opened, context).blocks))
    for slack in ("U0ANA", "U0BO", "U0CY"):
        assert (f"<@{slack}>" in shown) == (slack in context.paged)


@anything
@given(
    MARKED,
    ALERT,
    some(SLACK),
    st.sampled_from([EffectKind.reply, EffectKind.page, EffectKind.tell]),
    st.booleans(),
)
def test_a_reply_pings_whom_it_is_for_and_nobody_else(
    text: str, alert: Alert, to: tuple[str, ...], kind: EffectKind, broadcast: bool
) -> None:
    said = reply(Effect(kind, text, broadcast=broadcast), alert, to, {"U0BO": "bo"})
    sound(said)
    for slack in ("U0ANA", "U0BO", "U0CY"):
        assert (f"<@{slack}>" in " ".join([said.text, *mrkdwn_of(said.blocks)])) == (slack in to)


@anything
@given(REPLY)
def test_any_answer_is_one_that_slack_takes(answer: object) -> None:
    sound(render(answer))  # type: ignore[arg-type]  # the strategy makes every kind of Reply


@anything
@given(DIGEST, st.sampled_from(["", "F0PICTURE1"]))
def test_any_digest_is_read_on_a_phone(told: DigestReply, file_id: str) -> None:
    """At 390 px some 45 characters stand on a line, and 38 lines on a screen: two screens at worst."""
    for blocks in ((shown := digest(told, file_id=file_id)).blocks, shown.plainer or shown.blocks):
        sound(Face(shown.text, blocks))
        lines = [line for text in seen(blocks) for line in text.splitlines()]
        assert sum(1 + len(line) // 45 for line in lines) <= 76
    kinds = [block["type"] for block in shown.blocks]
    assert kinds.count("image") == bool(file_id and any(told.digest.week.by_day))
    assert "image" not in [block["type"] for block in shown.plainer]


@anything
@given(SHOWN, st.sampled_from(["", "F0PICTURE1"]))
def test_any_alerts_more_is_a_modal_that_slack_takes(shown: ShowReply, file_id: str) -> None:
    view = more(shown, Errand(1, 0), "U0ANA", picture=file_id)
    assert check_view(view, "modal") == []
    pictures = [block for block in view["blocks"] if block["type"] == "image"]
    assert len(pictures) == bool(file_id and any(shown.trend.by_day))
    assert all(in_words(shown.trend)[:1_000] in block["alt_text"] for block in pictures)


def test_every_kind_of_answer_is_drawn() -> None:
    assert set(REPLIES) == set(get_args(Reply))


@anything
@given(APPROVAL, maybe(JOB), maybe(RUN), some(SLACK), URL)
def test_any_job_that_waits_has_a_card_and_lines_that_slack_takes(
    asked: Approval, job: Job | None, run: JobRun | None, able: tuple[str, ...], url: str
) -> None:
    shown = approvals.card(asked, job, run, able, url)
    sound(shown)
    sound(approvals.decided(asked))
    if run:
        sound(approvals.ended(asked, run))
    for slack in ("U0ANA", "U0BO", "U0CY"):
        pings = f"<@{slack}>" in " ".join(mrkdwn_of(shown.blocks))
        assert not pings or slack in (*able, asked.by, asked.decided_by)


@anything
@given(MARKED, some(SLACK, 12), st.dictionaries(SLACK, TEXT, max_size=3))
def test_any_sentence_beside_alerts_pings_only_those_whom_it_is_for(
    text: str, people: tuple[str, ...], names: dict[str, str]
) -> None:
    shown = duty.notice(
        Notice("key", "payments", "C0", {"text": f"For the shift: {text}", "people": people}), names
    )
    sound(shown)
    for slack in ("U0ANA", "U0BO", "U0CY"):
        assert (f"<@{slack}>" in " ".join([shown.text, *mrkdwn_of(shown.blocks)])) == (slack in people)


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_rows_do_nothing_wherever_they_stand(text: str) -> None:
    rows = tuple({"body": text, text[:20] or "x": text} for _ in range(6))
    alert = an_alert(title=text, last_event=text, key_values={"seller_id": text}, unknown_why=text)
    context = a_context(
        evidence=Evidence(tuple(rows[0]), rows, 6), links=((text, "https://admin.example.com/x"),)
    )
    for condition in Condition:
        sound(card(replace(alert, condition=condition), context), honest=False)
    closed = replace(
        alert, work=Work.resolved, resolved_by="U0BO", resolved_at=NOW, disposition=Disposition.benign
    )
    sound(card(closed, context), honest=False)
    sound(card(replace(closed, note=text), context))
    sound(card_plain(alert, context), honest=False)


# -- what it says --------------------------------------------------------------------------------------------


def words(alert: Alert, context: Context | None = None) -> str:
    shown = card(alert, a_context() if context is None else context)
    return "\n".join([*plain_of(shown.blocks), *mrkdwn_of(shown.blocks)])


def labels(alert: Alert) -> list[str]:
    blocks = card(alert, a_context()).blocks
    return [e["text"]["text"] for block in blocks if block["type"] == "actions" for e in block["elements"]]


def test_a_phone_says_what_it_is_and_until_when_to_take_it() -> None:
    alert = an_alert(
        id=142, step_due=NOW + timedelta(minutes=10), title="Ana Cards asked 3× to be paid elsewhere"
    )
    assert notice(alert) == "HIGH · Ana Cards asked 3× to be paid elsewhere · ack 142 by 03:14 UTC"


def test_a_long_title_makes_room_for_what_is_to_be_done() -> None:
    said = notice(an_alert(id=142, step_due=NOW, title="<Ana & sons> " * 30))
    assert len(said) <= NOTICE_MOST
    assert said.endswith("… · ack 142 by 03:04 UTC")
    assert NOTICE_MOST == 110


def test_an_open_alert_says_who_was_told_and_who_is_next() -> None:
    said = words(an_alert(step=1, step_due=NOW + timedelta(minutes=10)))
    assert "*OPEN* · <@U0ANA> told · else the team is told at <!date^" in said
    assert labels(an_alert()) == [
        "Acknowledge",
        "Open seller",
        "Snooze 1 h",
        "Resolve…",
        "More…",
        "Hold payouts…",
    ]


def test_a_taken_alert_says_who_has_it_until_when() -> None:
    taken = an_alert(work=Work.acknowledged, owner="U0BO", acknowledged_until=NOW, helpers=("U0CY",))
    assert "*ACKNOWLEDGED* · <@U0BO> has it until <!date^" in words(taken)
    assert "with <@U0CY>" in words(taken)
    assert labels(taken)[:3] == ["Resolve…", "Open seller", "Snooze 1 h"]


def test_a_snoozed_alert_says_until_when_by_whom_and_why() -> None:
    quiet = an_alert(snooze=Snooze(NOW, "U0BO", "waiting for the bank", NOW, Severity.high))
    assert "*SNOOZED* · until <!date^" in words(quiet)
    assert "by <@U0BO>: waiting for the bank" in words(quiet)
    assert labels(quiet)[0] == "Wake"


def test_a_resolved_alert_says_what_it_was_and_offers_only_to_reopen() -> None:
    closed = an_alert(
        work=Work.resolved,
        resolved_by="U0BO",
        resolved_at=NOW + timedelta(hours=2),
        disposition=Disposition.false_positive,
        false_cause=FalseCause.known_exception,
        note="a charity stream",
    )
    assert "*RESOLVED* · false positive (known exception) by <@U0BO> after 2 h: a charity stream" in words(
        closed
    )
    assert labels(closed) == ["Reopen", "Open seller", "More…"]


def test_not_knowing_is_never_shown_as_all_clear() -> None:
    unknown = an_alert(condition=Condition.unknown, unknown_why="core.orders is late, ask accounts")
    assert "`DATA LATE`" in words(unknown)
    assert "whether it is still there is not known: core․orders is late" in words(unknown)
    cleared = an_alert(condition=Condition.cleared)
    assert "`CLEARED`" in words(cleared)
    assert "no longer there as of" in words(cleared)


def test_shadow_alerts_say_that_nobody_is_paged() -> None:
    assert "nobody is paged" in words(an_alert(lane=Lane.shadow))


def test_five_rows_are_shown_and_the_rest_is_counted() -> None:
    shown = card(an_alert(), a_context())
    table = next(block for block in shown.blocks if block["type"] == "table")
    assert len(table["rows"]) == 6
    assert "37 more in *More…*" in words(an_alert())


def test_how_right_a_policy_was_is_a_share_only_from_ten_verdicts_on() -> None:
    tp, fp = Disposition.true_positive, Disposition.false_positive
    assert "right 18 of 20 in 30 days" in words(an_alert(), a_context(dispositions={tp: 18, fp: 2}))
    few = words(an_alert(), a_context(dispositions={tp: 3, fp: 1}))
    assert "in 30 days: 3 true positive, 1 false positive" in few
    assert "right 3" not in few


def test_earlier_alerts_say_what_they_came_to() -> None:
    before, after = NOW - timedelta(hours=1), NOW + timedelta(hours=1)
    earlier = (
        Earlier(7, "p", "y", None, after),
        Earlier(2, "payments.refunds", "x", Disposition.benign, before),
        Earlier(1, an_alert().policy, "y", None, before),
        Earlier(9, "chat.spam", "z", None, after, is_open=True),
        Earlier(8, an_alert().policy, "z", None, before, is_open=True),
    )
    said = words(an_alert(), a_context(earlier=earlier))
    assert "also open: ALR-9 `chat.spam`, ALR-8" in said
    assert "before: ALR-2 `payments.refunds` real but allowed <!date^" in said
    assert "ALR-1 closed" in said
    assert "ALR-7" not in said


def test_hidden_and_masked_columns_stay_so() -> None:
    policy = Policy(
        name="p.x",
        title="Off platform",
        owner="payments",
        severity=Grades(((Severity.high, 1),)),
        schedule=Every(timedelta(minutes=5)),
        key=("seller_id", "email"),
        query=Query("select 1", "duckdb", "p.sql", ()),
        alert=AlertText("x", fields=("body", "phone"), columns={"phone": "hide", "email": "mask"}),
        content="c",
        path="p.yml",
    )
    rows = ({"seller_id": "s_1", "body": "hello", "phone": "555"},)
    context = a_context(policy=policy, evidence=Evidence(("seller_id", "body", "phone"), rows, 1))
    said = words(an_alert(key_values={"seller_id": "s_1", "email": "ana@example.com"}), context)
    assert "hello" in said
    assert "555" not in said
    assert "email •••" in said
    assert "ana@" not in said


def test_a_button_carries_the_alert_and_the_state_of_its_work() -> None:
    blocks = card(an_alert(), a_context()).blocks
    elements = [e for block in blocks if block["type"] == "actions" for e in block["elements"]]
    values = {e["action_id"]: e.get("value") for e in elements}
    assert values["alert.ack"] == "3:7"
    assert values["alert.job.hold_payouts"] == "3:7:hold_payouts"
    assert values["alert.link"] is None


def test_a_page_can_be_answered_where_it_is_read() -> None:
    page = Effect(
        EffectKind.page, "escalated to the team: nobody has acknowledged it for 10 min", "team", True
    )
    said = reply(page, an_alert(), ("U0BO", "U0CY"))
    assert said.text == (
        "<@U0BO> <@U0CY> HIGH · Ana Cards asked 3 times to be paid elsewhere · ALR-3 · escalated to the team:"
        " nobody has acknowledged it for 10 min"
    )
    assert said.blocks[1]["elements"][0]["action_id"] == "alert.ack"


def test_a_reminder_offers_to_go_on_and_no_other_line_to_its_owner_does() -> None:
    tell = Effect(EffectKind.tell, "ALR-3 is yours and still open.", "U0ANA")
    mine = an_alert(work=Work.acknowledged, owner="U0ANA", reminded=True)
    assert reply(tell, mine, ("U0ANA",)).blocks[1]["elements"][0]["text"]["text"] == "Still on it"
    for other in (an_alert(work=Work.acknowledged, owner="U0ANA"), an_alert(owner="U0BO", reminded=True)):
        assert len(reply(tell, other, ("U0ANA",)).blocks) == 1
