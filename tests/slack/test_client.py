"""What the client makes of Slack's answers, its silences, and its faults: one attempt, and a typed error."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bot.process.errors import OutcomeUnknown, SlackBusy, SlackRefused
from bot.sandbox import Sandbox
from bot.slack.blocks import Face, section
from bot.slack.client import Found, SlackClient, api_address
from bot.slack.face import card
from bot.slack.scopes import SCOPES

from .conftest import a_context, an_alert, eventually

FACE = Face("hello", [section("hello")])
PLACE = "C0CHAT"


def since() -> datetime:
    return datetime.now(UTC) - timedelta(minutes=5)


def posts(sandbox: Sandbox, delivery: str) -> list[str]:
    """The ts of every standing message that carries the delivery."""
    said = sandbox.channel("chat")["messages"]
    carried = [(m, m.get("metadata", {}).get("event_payload", {})) for m in said]
    return [m["ts"] for m, payload in carried if payload.get("delivery_id") == delivery]


def attempts(sandbox: Sandbox, before: int) -> int:
    return len(sandbox.journal(before, kind="api", method="chat.postMessage"))


def now_in(sandbox: Sandbox) -> int:
    entries = sandbox.journal()
    return int(entries[-1]["n"]) if entries else 0


def test_it_knows_who_it_is_and_what_it_may(client: SlackClient) -> None:
    me = client.who_am_i()
    assert (me.team_id, me.bot_user) == ("T0PATROL", "U0PATROL")
    assert me.scopes >= SCOPES or me.scopes == frozenset()
    assert client.user("U0ANA").name
    assert not client.user("U0ANA").is_guest


def test_a_post_is_found_by_its_delivery_and_shows_its_latest_state(client: SlackClient) -> None:
    ts = client.post(PLACE, FACE, "card-1", seq=1)
    client.post(PLACE, FACE, "card-10", seq=1)
    client.update(PLACE, ts, Face("changed", [section("changed")]), "card-1", 5)
    assert client.find(PLACE, "card-1", oldest=since()) == [Found(ts, 5)]
    assert client.find(PLACE, "card-2", oldest=since()) == []


def test_replies_are_found_in_their_thread_oldest_first(client: SlackClient) -> None:
    root = client.post(PLACE, FACE, "card-20")
    first = client.post(PLACE, FACE, "effect-20", thread_ts=root)
    second = client.post(PLACE, FACE, "effect-20", thread_ts=root, broadcast=True)
    found = client.find(PLACE, "effect-20", oldest=since(), thread_ts=root)
    assert [one.ts for one in found] == [first, second]


def test_every_page_is_read_before_something_is_called_absent(
    client: SlackClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.slack.client.PAGE", 2)
    ts = client.post(PLACE, FACE, "card-30")
    for n in range(5):
        client.post(PLACE, FACE, f"card-30-{n}")
    assert client.find(PLACE, "card-30", oldest=since()) == [Found(ts, 0)]


def test_what_is_deleted_twice_is_gone_once(client: SlackClient) -> None:
    ts = client.post(PLACE, FACE, "card-40")
    client.delete(PLACE, ts)
    client.delete(PLACE, ts)
    assert client.find(PLACE, "card-40", oldest=since()) == []


def test_a_real_card_is_taken_with_its_table(client: SlackClient, sandbox: Sandbox) -> None:
    ts = client.post(PLACE, card(an_alert(), a_context()), "card-50")
    kinds = [b["type"] for m in sandbox.messages("chat") if m["ts"] == ts for b in m["blocks"]]
    assert "table" in kinds
    client.who_am_i()
    assert client.address("C0CHAT", ts) == f"{sandbox.url}/archives/C0CHAT/p{ts.replace('.', '')}"


# -- refusals ------------------------------------------------------------------------------------------------


def test_slacks_no_is_a_refusal_with_its_word(client: SlackClient, sandbox: Sandbox) -> None:
    sandbox.set_channel("closed", archived=True)
    for channel, code in (("C0NOWHERE", "channel_not_found"), ("C0CLOSED", "is_archived")):
        with pytest.raises(SlackRefused) as refused:
            client.post(channel, FACE, "card-60")
        assert refused.value.code == code
    with pytest.raises(SlackRefused) as refused:
        client.update(PLACE, "1.000001", FACE, "card-60", 1)
    assert refused.value.code == "message_not_found"


def test_a_bad_block_is_named(client: SlackClient) -> None:
    with pytest.raises(SlackRefused, match="/blocks/0") as refused:
        client.post(PLACE, Face("x", [{"type": "section"}]), "card-61")
    assert refused.value.code == "invalid_blocks"


def test_a_wrong_token_is_a_refusal(sandbox: Sandbox) -> None:
    with pytest.raises(SlackRefused) as refused:
        SlackClient("xoxb-wrong", sandbox.api).who_am_i()
    assert refused.value.code == "invalid_auth"


def test_a_forced_error_word_is_passed_on(client: SlackClient, sandbox: Sandbox) -> None:
    sandbox.faults({"method": "chat.postMessage", "fault": "error:restricted_action", "times": 1})
    with pytest.raises(SlackRefused, match="restricted_action"):
        client.post(PLACE, FACE, "card-62")


def test_429_says_how_long_and_is_not_tried_again(client: SlackClient, sandbox: Sandbox) -> None:
    before = now_in(sandbox)
    sandbox.faults({"method": "chat.postMessage", "fault": "429", "retry_after": 7, "times": 1})
    with pytest.raises(SlackBusy) as busy:
        client.post(PLACE, FACE, "card-63")
    assert busy.value.seconds == 7
    assert attempts(sandbox, before) == 1
    assert posts(sandbox, "card-63") == []


# -- silences ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", ["500", "503", "reset", "drop"])
def test_where_slack_does_not_say_the_outcome_is_unknown_and_nothing_is_sent_twice(
    client: SlackClient, sandbox: Sandbox, fault: str
) -> None:
    before = now_in(sandbox)
    sandbox.faults({"method": "chat.postMessage", "fault": fault, "times": 1})
    with pytest.raises(OutcomeUnknown):
        client.post(PLACE, FACE, f"card-70-{fault}")
    assert attempts(sandbox, before) == 1
    assert client.find(PLACE, f"card-70-{fault}", oldest=since()) == []


def test_what_was_stored_before_the_line_dropped_is_found(client: SlackClient, sandbox: Sandbox) -> None:
    sandbox.faults({"method": "chat.postMessage", "fault": "store_then_drop", "times": 1})
    with pytest.raises(OutcomeUnknown):
        client.post(PLACE, FACE, "card-71", seq=4)
    found = client.find(PLACE, "card-71", oldest=since())
    assert [one.ts for one in found] == posts(sandbox, "card-71")
    assert [one.seq for one in found] == [4]


def test_what_lands_late_is_found_late(client: SlackClient, sandbox: Sandbox) -> None:
    sandbox.faults(
        {"method": "chat.postMessage", "fault": "drop_then_store_late", "seconds": 0.5, "times": 1}
    )
    with pytest.raises(OutcomeUnknown):
        client.post(PLACE, FACE, "card-72")
    assert client.find(PLACE, "card-72", oldest=since()) == []
    assert len(eventually(lambda: client.find(PLACE, "card-72", oldest=since()))) == 1


def test_an_answer_that_takes_too_long_is_no_answer(client: SlackClient, sandbox: Sandbox) -> None:
    sandbox.faults({"method": "chat.postMessage", "fault": "slow", "seconds": 3.5, "times": 1})
    with pytest.raises(OutcomeUnknown, match=r"timed out|Timeout"):
        client.post(PLACE, FACE, "card-73")


def test_nobody_at_the_address_is_an_unknown_outcome() -> None:
    with pytest.raises(OutcomeUnknown):
        SlackClient("xoxb-x", "http://127.0.0.1:9/api/", timeout_s=1).post(PLACE, FACE, "card-74")


def test_a_response_url_that_is_not_there_is_typed_too(client: SlackClient, sandbox: Sandbox) -> None:
    with pytest.raises(SlackRefused):
        client.respond(f"{sandbox.url}/response/unknown", FACE)
    with pytest.raises(OutcomeUnknown):
        client.respond("http://127.0.0.1:9/response/x", FACE)


@pytest.mark.parametrize(
    ("given", "address"),
    [
        (None, "https://slack.com/api/"),
        ("http://127.0.0.1:8765", "http://127.0.0.1:8765/api/"),
        ("http://127.0.0.1:8765/api", "http://127.0.0.1:8765/api/"),
        ("https://slack-gov.com/api/", "https://slack-gov.com/api/"),
    ],
)
def test_an_address_is_read_as_people_write_it(given: str | None, address: str) -> None:
    assert api_address(given) == address
