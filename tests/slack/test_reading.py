"""What is asked before it is done, modals that are read page by page, direct messages: over the sandbox."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.core.action import Resolve, ShareRows
from bot.core.alert import Disposition
from bot.slack.payloads import in_thread, is_direct

from .conftest import NOW, Bot
from .test_listeners import _texts, opened, words

# -- what is asked before it is done ---------------------------------------------------------------------


def test_a_snooze_of_all_about_a_seller_is_previewed_in_the_modal_and_done_on_yes(bot: Bot) -> None:
    more = opened(bot.click("alert.more"))
    top = bot.sandbox.click_view("ana", more["id"], "alert.snooze_for", wait_ms=1500)["views"][-1]
    form = {"scope": "seller:s_1", "span": "3d", "note": "known to care"}
    seen = bot.sandbox.submit("ana", top["id"], form, wait_ms=1500)
    assert bot.desk.handed == [("ask", "U0ANA", "seller:s_1", NOW + timedelta(days=3), "known to care")]
    asks = seen["views"][-1]
    assert "It would have hidden nothing." in " ".join(_texts(asks["blocks"]))
    seen = bot.sandbox.submit("ana", asks["id"], wait_ms=1500)
    assert bot.desk.handed[1:] == [("confirm", "U0ANA", 41)]
    assert "It is snoozed." in words(seen)


def test_a_command_that_asks_has_a_button_that_does_it_and_then_is_gone(bot: Bot) -> None:
    seen = bot.sandbox.command("ana", "payments", "/patrol snooze seller:s_1 3d", wait_ms=1500)
    (answer,) = seen["ephemerals"]
    assert "Snooze seller:s_1" in _texts(answer["blocks"])
    after = bot.sandbox.click("ana", "payments", answer["ts"], "ask.yes", value="41", wait_ms=1500)
    assert ("confirm", "U0ANA", 41) in bot.desk.handed
    assert "It is snoozed." in words(after)


def test_left_as_it_was(bot: Bot) -> None:
    seen = bot.sandbox.command("ana", "payments", "/patrol snooze seller:s_1 3d", wait_ms=1500)
    (answer,) = seen["ephemerals"]
    after = bot.sandbox.click("ana", "payments", answer["ts"], "ask.no", value="41", wait_ms=1500)
    assert not [one for one in bot.desk.handed if one[0] == "confirm"]
    assert "Left as it was." in words(after)


# -- modals that are read page by page -------------------------------------------------------------------


def test_all_rows_are_read_page_by_page_and_can_be_had_as_a_file(bot: Bot) -> None:
    more = opened(bot.click("alert.more"))
    rows = bot.sandbox.click_view("ana", more["id"], "alert.rows", wait_ms=1500)["views"][-1]
    text = " ".join(_texts(rows["blocks"]))
    assert "pay me at 0" in text
    assert "pay me at 20" not in text
    assert "45 rows kept of 60" in text
    seen = bot.sandbox.click_view("ana", rows["id"], "alert.turn.rows.older", wait_ms=1500)
    last = seen["views"][-1]
    assert "pay me at 20" in " ".join(_texts(last["blocks"]))
    assert "page 2 of 3" in " ".join(_texts(last["blocks"]))
    assert len(seen["views"]) == 2, "the same modal, turned"
    seen = bot.sandbox.click_view("ana", last["id"], "alert.sheet", wait_ms=1500)
    assert bot.acts == [ShareRows("U0ANA")]
    assert "You have ALR-3." in " ".join(_texts(seen["views"][-1]["blocks"]))


def test_the_timeline_and_the_reasons_open_on_top(bot: Bot) -> None:
    more = opened(bot.click("alert.more"))
    seen = bot.sandbox.click_view("ana", more["id"], "alert.timeline", wait_ms=1500)
    assert "Nothing has happened yet." in " ".join(_texts(seen["views"][-1]["blocks"]))
    bot.sandbox.close("ana", seen["views"][-1]["id"])
    seen = bot.sandbox.click_view("ana", more["id"], "alert.why", wait_ms=1500)
    assert "3 rows counted." in " ".join(_texts(seen["views"][-1]["blocks"]))


def test_several_of_a_list_get_one_verdict_and_one_may_be_left_out(bot: Bot) -> None:
    (answer,) = bot.sandbox.command("ana", "payments", "/patrol list", wait_ms=1500)["ephemerals"]
    form = opened(bot.sandbox.click("ana", "payments", answer["ts"], "alert.several", wait_ms=1500))
    nothing = bot.sandbox.submit("ana", form["id"], {"which": [], "disposition": "benign"})
    assert nothing["errors"]
    seen = bot.sandbox.submit(
        "ana", form["id"], {"which": ["4"], "disposition": "benign", "note": "a charity"}, wait_ms=1500
    )
    verdict = Resolve("U0ANA", Disposition.benign, None, "a charity")
    assert bot.desk.handed[-1] == ("several", "U0ANA", [4], verdict)
    assert "Both are resolved." in words(seen)


def test_in_a_thread_a_seller_or_policy_that_is_named_stays_named() -> None:
    for text in ("snooze seller:s_1 3d on it", "why payments.x", "show seller:s_1", "wake payments.x"):
        assert in_thread(text, 3) == text
    for text, whole in (
        ("snooze until:18:00", "snooze 3 until:18:00"),
        ("snooze 2h see a.b", "snooze 3 2h see a.b"),
        ("why", "why 3"),
        ("ack", "ack 3"),
    ):
        assert in_thread(text, 3) == whole


@pytest.mark.parametrize("text", ["ack 12", "@patrol ack 12"])
def test_what_is_written_to_patrol_alone_is_a_command(bot: Bot, text: str) -> None:
    seen = bot.sandbox.message("cy", "@patrol", text, wait_ms=1500)
    assert bot.desk.handed == [("command", "U0CY", "ack 12")]
    assert "Heard ack 12." in words(seen)


def test_what_slack_tells_of_other_messages_is_no_command() -> None:
    said = {"type": "message", "channel_type": "im", "channel": "D0CY", "user": "U0CY", "text": "ack 12"}
    assert is_direct({"event": said})
    assert not is_direct({"event": said | {"subtype": "message_changed"}})
    assert not is_direct({"event": said | {"channel_type": "channel"}})
