"""The sandbox's own door: what people see, what they may do, and how they are told."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from slack_bolt import App
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.sandbox import Refused, Sandbox, SandboxClient

Until = Callable[..., Any]


def test_the_state_has_what_the_page_needs(sandbox: Sandbox, client: WebClient) -> None:
    client.chat_postMessage(channel="C0PAYMENTS", text="hello")

    state = sandbox.state()

    assert set(state) == {
        "rev",
        "now",
        "connected",
        "team",
        "users",
        "channels",
        "views",
        "homes",
        "ephemerals",
        "notifications",
        "commands",
        "shortcuts",
        "faults",
    }
    assert [user["name"] for user in state["users"]] == ["patrol", "ana", "bo", "cy"]
    payments = state["channels"][0]
    assert (payments["id"], payments["name"], payments["is_im"]) == ("C0PAYMENTS", "payments", False)
    assert payments["members"] == ["U0PATROL", "U0ANA", "U0BO", "U0CY"]
    assert payments["messages"][0]["text"] == "hello"
    assert state["commands"][0]["command"] == "/patrol"


def test_the_revision_grows_with_every_change(sandbox: Sandbox, client: WebClient) -> None:
    revisions = [sandbox.state()["rev"]]
    client.chat_postMessage(channel="C0PAYMENTS", text="hello")
    revisions.append(sandbox.state()["rev"])
    client.chat_postEphemeral(channel="C0PAYMENTS", user="U0ANA", text="hello")
    revisions.append(sandbox.state()["rev"])

    assert revisions[0] < revisions[1] < revisions[2] == sandbox.state()["rev"]


def test_changes_are_told_as_they_happen(sandbox: Sandbox, client: WebClient, until: Until) -> None:
    heard: list[int] = []

    def listen() -> None:
        with httpx.stream("GET", f"{sandbox.url}/sandbox/events?user=ana", timeout=5) as stream:
            for line in stream.iter_lines():
                if line.startswith("data: "):
                    heard.append(json.loads(line.removeprefix("data: "))["rev"])
                if len(heard) >= 2:
                    return

    listener = threading.Thread(target=listen)
    listener.start()
    until(lambda: heard)
    client.chat_postMessage(channel="C0PAYMENTS", text="hello")
    listener.join(5)

    assert heard[1] > heard[0]


def test_a_private_channel_is_seen_by_its_members(sandbox: Sandbox) -> None:
    sandbox.set_channel("secret", private=True, members=["ana"])

    def seen(user: str) -> bool:
        return "secret" in [channel["name"] for channel in sandbox.state(user)["channels"]]

    assert seen("ana")
    assert not seen("bo")
    with pytest.raises(Refused, match="bo sees no channel"):
        sandbox.message("bo", "secret", "let me in")


def test_only_the_last_messages_may_be_asked_for(sandbox: Sandbox, client: WebClient) -> None:
    for n in range(5):
        client.chat_postMessage(channel="C0PAYMENTS", text=str(n))

    shown = sandbox.state(limit=2)["channels"][0]["messages"]

    assert [message["text"] for message in shown] == ["3", "4"]


@pytest.mark.parametrize(
    ("path", "body", "says"),
    [
        ("click", {"user": "zoe", "channel": "payments"}, "there is no person 'zoe'; there are ana, bo, cy"),
        ("click", {"user": "patrol", "channel": "payments"}, "there is no person 'patrol'"),
        ("click", {"user": "ana", "channel": "nowhere"}, "ana sees no channel 'nowhere'"),
        ("click", {"user": "ana", "channel": "payments", "ts": "1.1"}, "there is no message 1.1"),
        ("submit", {"user": "ana", "view_id": "V1"}, "ana has no view 'V1' open"),
        ("message", {"user": "ana", "channel": "payments"}, "a message needs a text"),
        ("channel", {}, "a channel needs a name"),
        ("channel", {"name": "new", "members": ["zoe"]}, "there is no person 'zoe'"),
        ("user", {}, "a person needs a name"),
    ],
)
def test_a_mistake_is_answered_plainly(sandbox: Sandbox, path: str, body: Any, says: str) -> None:
    answer = httpx.post(f"{sandbox.url}/sandbox/{path}", json=body)

    assert answer.status_code == 400
    assert says in answer.json()["error"]


def test_bodies_that_are_no_json_are_refused(sandbox: Sandbox) -> None:
    for raw in ("{", "[]", "hello"):
        answer = httpx.post(f"{sandbox.url}/sandbox/command", content=raw)
        assert answer.status_code == 400
        assert "JSON" in answer.json()["error"]


def test_commands_are_refused_in_threads_and_when_unknown(sandbox: Sandbox) -> None:
    thread = sandbox.command("ana", "payments", "/patrol ack", thread_ts="1.1")
    unknown = sandbox.command("ana", "payments", "/nothing here")

    assert thread["error"] == "/patrol is not supported in threads. Sorry!"
    assert "not a valid command" in unknown["error"]
    assert sandbox.journal(kind="delivered") == []


def test_a_button_that_never_was_needs_a_value(sandbox: Sandbox, client: WebClient) -> None:
    ts = client.chat_postMessage(channel="C0PAYMENTS", text="bare")["ts"]

    with pytest.raises(Refused, match="give a value to click a stale one"):
        sandbox.click("ana", "payments", ts, "ack")


def test_a_menu_sends_the_option_that_was_chosen(sandbox: Sandbox, on_slack: App, client: WebClient) -> None:
    got: list[Any] = []

    @on_slack.action("more")
    def _(ack: Any, action: Any) -> None:
        got.append(action["selected_option"]["text"]["text"])
        ack()

    options = [{"text": {"type": "plain_text", "text": t}, "value": t.lower()} for t in ("Wake", "Rerun")]
    menu = {"type": "overflow", "action_id": "more", "options": options}
    section = {"type": "section", "text": {"type": "mrkdwn", "text": "x"}, "accessory": menu}
    ts = client.chat_postMessage(channel="C0PAYMENTS", text="x", blocks=[section])["ts"]

    sandbox.click("ana", "#payments", ts, "more", selected="rerun")

    assert got == ["Rerun"]
    with pytest.raises(Refused, match="no option 'sleep'"):
        sandbox.click("ana", "payments", ts, "more", selected="sleep")


def test_a_message_shortcut_carries_its_message(sandbox: Sandbox, on_slack: App) -> None:
    got: list[Any] = []

    @on_slack.shortcut("add_note")
    def _(ack: Any, body: Any) -> None:
        got.append((body["message"]["text"], body["user"]["id"]))
        ack()

    ts = sandbox.message("bo", "payments", "seen before")["ts"]
    answer = sandbox.shortcut("ana", "payments", ts, "add_note")

    assert answer["acked"]
    assert got == [("seen before", "U0ANA")]


def test_a_direct_message_reaches_the_app(sandbox: Sandbox, on_slack: App) -> None:
    got: list[Any] = []

    @on_slack.event("message")
    def _(ack: Any, event: Any) -> None:
        got.append((event["channel_type"], event["channel"], event["text"]))
        ack()

    sandbox.message("ana", "@patrol", "hello")

    assert got == [("im", "D0ANA", "hello")]


def test_a_bot_that_was_removed_hears_no_mention(sandbox: Sandbox, on_slack: App) -> None:
    heard: list[Any] = []

    @on_slack.event("app_mention")
    def _(event: Any) -> None:
        heard.append(event)

    sandbox.set_channel("payments", remove_bot=True)

    answer = sandbox.message("ana", "payments", "@patrol are you there?")

    assert (heard, answer["ack_ms"]) == ([], None)


def test_a_broadcast_rings_who_is_in_the_thread(sandbox: Sandbox, client: WebClient) -> None:
    root = client.chat_postMessage(channel="C0PAYMENTS", text="alert for <@U0CY>")["ts"]
    sandbox.message("bo", "payments", "looking", thread_ts=root)

    client.chat_postMessage(channel="C0PAYMENTS", text="worse", thread_ts=root)
    client.chat_postMessage(channel="C0PAYMENTS", text="much worse", thread_ts=root, reply_broadcast=True)

    rung = [(n["user"], n["why"]) for n in sandbox.state()["notifications"]]
    assert rung == [("U0CY", "mention"), ("U0BO", "thread_broadcast"), ("U0CY", "thread_broadcast")]


def test_an_answer_comes_with_what_followed_the_ack(
    sandbox: Sandbox, on_slack: App, client: WebClient
) -> None:
    @on_slack.command("/patrol")
    def _(ack: Any, respond: Any) -> None:
        ack()
        respond("one")
        client.chat_postMessage(channel="C0CHAT", text="elsewhere")
        respond("two")

    client_of_it = SandboxClient(sandbox.url)
    answer = client_of_it.command("ana", "payments", "/patrol go")

    assert [entry["text"] for entry in answer["ephemerals"]] == ["one", "two"]
    assert answer["ephemerals"][0]["in_reply_to"] == "/patrol go"


def test_who_is_not_in_a_channel_is_not_rung(sandbox: Sandbox, client: WebClient) -> None:
    sandbox.set_channel("chat", members=["ana"])

    client.chat_postMessage(channel="C0CHAT", text="<@U0ANA> <@U0BO> look")

    assert [note["user"] for note in sandbox.state()["notifications"]] == ["U0ANA"]


def test_the_journal_says_what_people_did(sandbox: Sandbox) -> None:
    sandbox.message("ana", "payments", "hello")

    did = sandbox.journal(kind="act")[0]

    assert (did["act"], did["args"]["user"], did["args"]["text"]) == ("message", "ana", "hello")


def test_a_page_of_another_site_may_not_act_here(sandbox: Sandbox) -> None:
    body = {"user": "ana", "channel": "payments", "text": "sold!"}
    address = f"{sandbox.url}/sandbox/message"

    foreign = httpx.post(address, json=body, headers={"Origin": "https://evil.example"})
    own = httpx.post(address, json=body, headers={"Origin": sandbox.url})

    assert (foreign.status_code, own.status_code) == (403, 200)
    assert len(sandbox.messages("payments")) == 1


def test_do_not_disturb_is_told_as_slack_tells_it_of_others(sandbox: Sandbox, client: WebClient) -> None:
    keys = {"ok", "dnd_enabled", "next_dnd_start_ts", "next_dnd_end_ts"}
    never = client.dnd_info(user="U0ANA").data
    assert isinstance(never, dict)
    assert set(never) == keys
    assert (never["dnd_enabled"], never["next_dnd_start_ts"], never["next_dnd_end_ts"]) == (False, 1, 1)
    sandbox.set_user("ana", dnd=[1_790_000_000, 1_790_003_600])
    quiet = client.dnd_info(user="U0ANA")
    assert (quiet["dnd_enabled"], quiet["next_dnd_end_ts"]) == (True, 1_790_003_600)
    assert not client.dnd_info()["dnd_enabled"]  # of the bot itself
    with pytest.raises(SlackApiError, match="user_not_found"):
        client.dnd_info(user="U0NOBODY")
