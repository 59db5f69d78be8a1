"""The real Bolt app over the sandbox's WebSocket: what people do is handed in, recorded, acked, answered."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

from bot.core.action import (
    Acknowledge,
    Assign,
    Comment,
    Escalate,
    Reopen,
    Resolve,
    SnoozeFor,
    Wake,
)
from bot.core.alert import Disposition, FalseCause, Snooze
from bot.process.errors import RecordUnknown, StoreAway
from bot.slack.face import card
from sensors.model.policy import Severity

from .conftest import NOW, RUN, Bot, a_context, an_alert, eventually


def words(answer: dict[str, Any]) -> str:
    """All that the person was told after an act."""
    return " ".join(f"{e['text']} {' '.join(_texts(e.get('blocks')))}" for e in answer["ephemerals"])


def _texts(value: Any) -> list[str]:
    if isinstance(value, list):
        return [text for part in value for text in _texts(part)]
    if isinstance(value, dict):
        own = [value["text"]] if isinstance(value.get("text"), str) else []
        return own + [text for part in value.values() for text in _texts(part)]
    return []


def test_a_click_is_recorded_and_acked_and_its_person_is_told_the_undo(bot: Bot) -> None:
    seen = bot.click("alert.ack")
    assert seen["acked"]
    assert bot.desk.handed == [("act", "U0ANA", 3, Acknowledge("U0ANA"), 7)]
    assert "You have ALR-3." in words(seen)
    assert "unack 3" in words(seen)


def test_a_stale_button_is_answered_with_who_has_it(bot: Bot) -> None:
    seen = bot.click("alert.ack", "bo", value="3:6")
    assert "<@U0ANA> has it since a minute." in words(seen)
    assert bot.desk.alert.owner is None


def test_snooze_on_the_card_is_for_an_hour(bot: Bot) -> None:
    bot.click("alert.snooze")
    assert bot.acts == [SnoozeFor("U0ANA", NOW + timedelta(hours=1))]


def test_how_and_where_somebody_acts_is_handed_in(bot: Bot) -> None:
    bot.click("alert.ack")
    view = opened(bot.click("alert.more"))
    bot.sandbox.click_view("ana", view["id"], "alert.unack", wait_ms=1500)
    view = opened(bot.click("alert.resolve", "bo"))
    bot.sandbox.submit("bo", view["id"], {"disposition": "benign"}, wait_ms=1500)
    bot.sandbox.command("ana", "payments", "/patrol status", wait_ms=1500)
    bot.sandbox.message("ana", "payments", "<@U0PATROL> status")
    eventually(lambda: len(bot.desk.people) == 5)
    assert [person.via for person in bot.desk.people] == ["button", "modal", "modal", "command", "mention"]
    assert {person.channel for person in bot.desk.people} == {"C0PAYMENTS"}


def test_opening_a_link_is_acked_and_hands_in_nothing(bot: Bot) -> None:
    seen = bot.click("alert.link")
    assert seen["acked"]
    assert bot.desk.handed == []
    assert seen["ephemerals"] == []


def test_wake_and_reopen_are_handed_in(bot: Bot) -> None:
    bot.click("alert.wake", value="3:7")
    bot.click("alert.reopen", value="3:7")
    assert bot.acts == [Wake("U0ANA"), Reopen("U0ANA")]


# -- modals --------------------------------------------------------------------------------------------------


def opened(seen: dict[str, Any]) -> dict[str, Any]:
    assert len(seen["views"]) == 1, seen
    view: dict[str, Any] = seen["views"][0]
    return view


def test_resolving_asks_what_it_was_and_records_it(bot: Bot) -> None:
    view = opened(bot.click("alert.resolve"))
    seen = bot.sandbox.submit(
        "ana", view["id"], {"disposition": "benign", "note": "a charity stream"}, wait_ms=1500
    )
    assert bot.acts == [Resolve("U0ANA", Disposition.benign, None, "a charity stream")]
    assert seen["views"] == []
    assert "You have ALR-3." in words(seen)


def test_a_false_positive_may_say_why(bot: Bot) -> None:
    for given, cause in (({}, None), ({"cause": "rule"}, FalseCause.rule)):
        view = opened(bot.click("alert.resolve"))
        seen = bot.sandbox.submit("ana", view["id"], {"disposition": "false_positive", **given})
        assert not seen.get("errors")
        assert bot.acts[-1] == Resolve("U0ANA", Disposition.false_positive, cause)


def test_a_modal_that_has_gone_stale_says_so_and_keeps_what_was_typed(bot: Bot) -> None:
    view = opened(bot.click("alert.resolve"))
    bot.click("alert.ack", "bo")
    seen = bot.sandbox.submit("ana", view["id"], {"disposition": "test"})
    assert "has it since a minute" in seen["errors"]["disposition"]
    assert [v["id"] for v in seen["views"]] == [view["id"]]


def test_more_shows_everything_and_acts_in_place(bot: Bot) -> None:
    view = opened(bot.click("alert.more"))
    assert view["title"]["text"] == "ALR-3"
    bot.sandbox.click_view("ana", view["id"], "alert.take", wait_ms=1500)
    assert bot.acts == [Assign("U0ANA", "U0ANA")]
    fresh = eventually(
        lambda: next(
            (v for v in bot.sandbox.state("ana")["views"] if "You have ALR-3" in str(v["blocks"])), None
        )
    )
    assert fresh["id"] == view["id"]
    assert "undo: `/patrol unack 3`" in str(fresh["blocks"])


def test_escalating_in_more_gives_the_note_as_the_reason(bot: Bot) -> None:
    view = opened(bot.click("alert.more"))
    bot.sandbox.click_view("ana", view["id"], "alert.escalate", values={"note": "it is getting worse"})
    assert bot.acts == [Escalate("U0ANA", "it is getting worse")]


def test_assigning_in_more_gives_it_to_the_chosen_one(bot: Bot) -> None:
    view = opened(bot.click("alert.more"))
    bot.sandbox.click_view("ana", view["id"], "alert.assign", selected="U0BO")
    assert bot.acts == [Assign("U0ANA", "U0BO")]


def test_a_note_in_more_is_never_stale(bot: Bot) -> None:
    view = opened(bot.click("alert.more"))
    bot.click("alert.ack", "bo")
    bot.sandbox.submit("ana", view["id"], {"note": "seen before"})
    assert bot.desk.handed[-1] == ("act", "U0ANA", 3, Comment("U0ANA", "seen before"), None)


def test_a_snooze_from_more_is_chosen_in_a_modal_on_top(bot: Bot) -> None:
    more = opened(bot.click("alert.more"))
    seen = bot.sandbox.click_view("ana", more["id"], "alert.snooze_for", wait_ms=1500)
    assert len(seen["views"]) == 2
    top = seen["views"][-1]
    seen = bot.sandbox.submit("ana", top["id"], {"span": "4h", "note": "waiting for the bank"})
    assert bot.acts == [SnoozeFor("U0ANA", NOW + timedelta(hours=4), "waiting for the bank")]
    assert seen["views"] == []


def test_a_snooze_of_more_than_a_day_is_refused_under_its_field(bot: Bot) -> None:
    more = opened(bot.click("alert.more"))
    top = bot.sandbox.click_view("ana", more["id"], "alert.snooze_for", wait_ms=1500)["views"][-1]
    late = int((NOW + timedelta(hours=25)).timestamp())
    seen = bot.sandbox.submit("ana", top["id"], {"until": late})
    assert "24 hours" in seen["errors"]["until"]
    assert bot.acts == []


def test_an_offered_job_is_looked_at_before_it_starts(bot: Bot) -> None:
    view = opened(bot.click("alert.job.hold_payouts"))
    assert "Payouts of this seller stop" in str(view["blocks"])
    assert bot.desk.handed == []
    seen = bot.sandbox.submit("ana", view["id"], {"param.seller_id": "nobody"})
    assert "must look like s_1" in seen["errors"]["param.seller_id"]
    bot.sandbox.submit("ana", view["id"], {"param.seller_id": "s_1"})
    assert bot.desk.handed == [("start", "U0ANA", 3, "hold_payouts", {"seller_id": "s_1"})]


def test_a_form_shows_what_would_be_sent_and_keeps_what_was_filled_in(bot: Bot) -> None:
    view = opened(bot.click("alert.job.hold_payouts"))
    seen = bot.sandbox.click_view(
        "ana", view["id"], "job.plan", values={"param.seller_id": "s_7"}, wait_ms=1500
    )
    blocks = seen["views"][-1]["blocks"]
    (plan,) = [block for block in blocks if block["type"] == "rich_text"]
    text = plan["elements"][0]["elements"][0]["text"]
    assert text == "POST /hold_payouts {'seller_id': 's_7'} <!channel>"
    assert bot.desk.handed == []
    bot.sandbox.submit("ana", view["id"], {})
    assert bot.desk.handed == [("start", "U0ANA", 3, "hold_payouts", {"seller_id": "s_7"})]


def test_a_job_that_needs_values_opens_its_form_when_it_is_typed(bot: Bot) -> None:
    seen = bot.sandbox.command("ana", "payments", "/patrol start hold_payouts", wait_ms=1500)
    view = opened(seen)
    bot.sandbox.submit("ana", view["id"], {})
    assert bot.desk.handed[-1] == ("start", "U0ANA", 3, "hold_payouts", {"seller_id": "s_9"})
    said = bot.sandbox.message("ana", "payments", "<@U0PATROL> start hold_payouts", wait_ms=1500)
    assert "fill in its form" in words(said), "a mention can open none: it gives the button"


def test_the_buttons_of_a_jobs_page_are_as_if_typed(bot: Bot) -> None:
    seen = bot.sandbox.command("ana", "payments", "/patrol job hold_payouts", wait_ms=1500)
    assert "Cancel run 17…" in words(seen)
    for action, value, typed in (
        ("job.cancel@17", "17", "cancel 17"),
        ("job.retry", "17", "retry 17"),
    ):
        bot.click(action, value=value)
        assert bot.desk.handed[-1] == ("command", "U0ANA", typed)
    handed = list(bot.desk.handed)
    bot.click("job.cancel@17", value="17; rm")
    assert bot.desk.handed == handed
    view = opened(bot.click("job.start", value="3:0:hold_payouts"))
    assert "Payouts of this seller stop" in str(view["blocks"])


def test_a_run_is_cancelled_from_all_of_an_alert_and_asks_there_first(bot: Bot) -> None:
    bot.desk.runs = (RUN,)
    more = opened(bot.click("alert.more"))
    seen = bot.sandbox.click_view("ana", more["id"], "job.cancel@17", wait_ms=1500)
    sure = seen["views"][-1]
    assert "Cancel job run 17?" in str(sure["blocks"])
    assert seen["ephemerals"] == []
    assert bot.desk.handed[-1] == ("command", "U0ANA", "cancel 17")
    bot.sandbox.submit("ana", sure["id"], {})
    assert bot.desk.handed[-1] == ("confirm", "U0ANA", 17)


# -- commands, mentions, shortcuts, Home ---------------------------------------------------------------------


def test_a_command_is_answered_in_its_own_ack(bot: Bot) -> None:
    seen = bot.sandbox.command("bo", "payments", "/patrol ack 3")
    assert bot.desk.handed == [("command", "U0BO", "ack 3")]
    assert "Heard ack 3." in words(seen)
    assert seen["ephemerals"][0]["in_reply_to"] == "/patrol ack 3"


def test_a_mention_in_an_alerts_thread_is_about_that_alert(bot: Bot) -> None:
    seen = bot.sandbox.message("cy", "payments", "@patrol ack", thread_ts=bot.ts, wait_ms=1500)
    assert seen["acked"]
    assert bot.desk.handed == [("command", "U0CY", "ack 3")]
    assert seen["ephemerals"][0]["thread_ts"] == bot.ts


def test_what_is_typed_comes_in_as_it_was_typed(bot: Bot) -> None:
    bot.sandbox.command("bo", "payments", "/patrol comment 3 AT&T paid <3 see https://jira.example/T-1 @cy")
    assert bot.desk.handed[0][:2] == ("command", "U0BO")
    said = bot.desk.handed[0][2]
    assert said.startswith("comment 3 AT&T paid <3 see https://jira.example/T-1 <@U0CY")


def test_a_hint_in_a_thread_is_one_that_works_there(bot: Bot) -> None:
    seen = bot.sandbox.message("cy", "payments", "@patrol ack", thread_ts=bot.ts, wait_ms=1500)
    assert "@patrol unack 3" in words(seen)
    assert "/patrol" not in words(seen)
    assert "/patrol unack 3" in words(bot.sandbox.command("bo", "payments", "/patrol ack 3"))


def test_a_mention_outside_a_thread_is_taken_as_it_is_written(bot: Bot) -> None:
    seen = bot.sandbox.message("cy", "payments", "@patrol show 12", wait_ms=1500)
    assert bot.desk.handed == [("command", "U0CY", "show 12")]
    assert "thread_ts" not in seen["ephemerals"][0], "in a thread that is none yet Slack shows no answer"


def test_an_event_that_slack_sends_again_is_handed_in_once(bot: Bot) -> None:
    bot.sandbox.faults({"method": "events_api", "fault": "duplicate", "times": 1})
    bot.sandbox.message("cy", "payments", "@patrol status", wait_ms=1500)
    assert bot.desk.handed == [("command", "U0CY", "status")]


def test_a_message_is_added_to_the_notes_of_the_alert_that_is_named(bot: Bot) -> None:
    said = bot.sandbox.message("bo", "chat", "the same seller <again> *here*")
    view = opened(bot.sandbox.shortcut("ana", "chat", said["ts"], "add_note", wait_ms=1500))
    seen = bot.sandbox.submit("ana", view["id"], {"alert": "none of them"})
    assert "number" in seen["errors"]["alert"]
    bot.sandbox.submit("ana", view["id"], {"alert": "alr-3"})
    assert bot.acts == [Comment("U0ANA", "the same seller <again> *here*")]


def test_a_message_in_an_alerts_thread_knows_its_alert(bot: Bot) -> None:
    said = bot.sandbox.message("bo", "payments", "look at this", thread_ts=bot.ts)
    view = opened(bot.sandbox.shortcut("ana", "payments", said["ts"], "add_note", wait_ms=1500))
    assert "ALR-3" in str(view["blocks"])


def test_the_home_tab_shows_what_is_mine(bot: Bot) -> None:
    bot.desk.alert = an_alert(owner="U0ANA")
    bot.sandbox.open_home("ana")
    home = eventually(lambda: bot.sandbox.state()["homes"].get("U0ANA"))
    assert "Ana Cards asked 3 times" in str(home["blocks"])


# -- nothing is left unanswered ------------------------------------------------------------------------------


def test_past_two_seconds_the_person_is_told_that_it_is_not_recorded_and_later_what_came(bot: Bot) -> None:
    bot.desk.delay_s = 2.6
    seen = bot.click("alert.ack")
    assert seen["acked"]
    assert 1900 < seen["ack_ms"] < 2900
    assert "Not recorded so far" in words(seen)
    eventually(lambda: "You have ALR-3." in str(bot.sandbox.state("ana")["ephemerals"][-1]))


def test_when_the_store_is_away_the_person_is_told(bot: Bot) -> None:
    bot.desk.broken = StoreAway("the database is locked")
    seen = bot.click("alert.ack")
    assert seen["acked"]
    assert "Not recorded: the database is locked" in words(seen)


def test_where_it_is_not_known_whether_an_act_was_recorded_it_is_not_called_not_recorded(bot: Bot) -> None:
    bot.desk.broken = RecordUnknown(
        "The store went away in the middle: whether it was recorded is not known."
    )
    seen = bot.click("alert.ack")
    assert seen["acked"]
    assert "whether it was recorded is not known" in words(seen)
    assert "Look at the alert before you do it again" in words(seen)
    assert "Not recorded" not in words(seen)


def test_when_the_desk_breaks_every_way_in_is_still_acked(bot: Bot) -> None:
    view = opened(bot.click("alert.resolve"))
    bot.desk.broken = RuntimeError("a mistake of ours")
    click = bot.click("alert.ack")
    command = bot.sandbox.command("ana", "payments", "/patrol list")
    mention = bot.sandbox.message("ana", "payments", "@patrol list", wait_ms=1500)
    submit = bot.sandbox.submit("ana", view["id"], {"disposition": "test"})
    assert all(seen["acked"] for seen in (click, command, mention, submit))
    assert "broke on Patrol's side" in words(click)
    assert "broke on Patrol's side" in words(command)
    assert "broke on Patrol's side" in words(mention)
    assert "broke on Patrol's side" in submit["errors"]["disposition"]


def test_an_unknown_button_is_acked_and_answered(bot: Bot) -> None:
    odd = bot.click("something.else", value="x")
    older = bot.click("alert.unheard_of", value="3:7")
    for seen in (odd, older):
        assert seen["acked"]
        assert seen["ephemerals"], seen
    assert bot.desk.handed == []


def test_garbage_in_a_buttons_value_hands_in_nothing(bot: Bot) -> None:
    seen = bot.click("alert.ack", value="3:7; drop table")
    assert seen["acked"]
    assert "says nothing that Patrol knows" in words(seen)
    assert bot.desk.handed == []


def test_guests_are_refused_before_anything_is_handed_in(bot: Bot) -> None:
    bot.sandbox.set_user("gil", guest=True)
    click = bot.click("alert.ack", "gil")
    command = bot.sandbox.command("gil", "payments", "/patrol ack 3")
    assert "only members" in words(click)
    assert "only members" in words(command)
    assert bot.desk.handed == []


def test_people_of_other_workspaces_are_refused(bot: Bot) -> None:
    bot.sandbox.set_user("zoe", team="T0ELSEWHERE")
    seen = bot.click("alert.ack", "zoe")
    assert seen["acked"]
    assert bot.desk.handed == []


def test_fifty_clicks_at_once_are_all_acked(bot: Bot) -> None:
    bot.desk.delay_s = 0.05
    with ThreadPoolExecutor(50) as pool:
        seen = list(
            pool.map(
                lambda _: bot.sandbox.click("bo", "payments", bot.ts, "alert.wake", value="3:7", wait_ms=0),
                range(50),
            )
        )
    assert all(one["acked"] for one in seen)
    assert len(bot.acts) == 50
    assert max(one["ack_ms"] for one in seen) < 3000


def test_a_card_in_every_state_offers_what_can_be_done(bot: Bot) -> None:
    snoozed = an_alert(snooze=Snooze(NOW, "U0BO", "later", NOW, Severity.high))
    bot.client.update("C0PAYMENTS", bot.ts, card(snoozed, a_context()), "card-3", 1)
    message = next(m for m in bot.sandbox.messages("payments") if m["ts"] == bot.ts)
    assert "alert.wake" in str(message["blocks"])
    assert "alert.snooze" not in str(message["blocks"])
