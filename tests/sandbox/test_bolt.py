"""The real slack_bolt acts on the sandbox as it would on Slack."""

from __future__ import annotations

from typing import Any

from slack_bolt import App
from slack_sdk import WebClient

from bot.sandbox import Sandbox

CARD: list[dict[str, Any]] = [
    {"type": "header", "text": {"type": "plain_text", "text": "Seller asked 3 times"}},
    {
        "type": "actions",
        "block_id": "acts",
        "elements": [
            {
                "type": "button",
                "action_id": "ack",
                "value": "142",
                "text": {"type": "plain_text", "text": "Acknowledge"},
            }
        ],
    },
]
MODAL: dict[str, Any] = {
    "type": "modal",
    "callback_id": "resolve",
    "private_metadata": "142",
    "title": {"type": "plain_text", "text": "Resolve"},
    "submit": {"type": "plain_text", "text": "Resolve"},
    "blocks": [
        {
            "type": "input",
            "block_id": "note",
            "label": {"type": "plain_text", "text": "Note"},
            "element": {"type": "plain_text_input", "action_id": "text"},
        }
    ],
}


def test_a_command_is_answered_where_it_was_typed(sandbox: Sandbox, on_slack: App) -> None:
    @on_slack.command("/patrol")
    def _(ack: Any, command: Any) -> None:
        ack(f"you said {command['text']} in {command['channel_name']}")

    answer = sandbox.command("ana", "payments", "/patrol list mine")

    assert answer["acked"]
    assert answer["ack_ms"] < 500
    assert [e["text"] for e in answer["ephemerals"]] == ["you said list mine in payments"]
    assert answer["ephemerals"][0]["in_reply_to"] == "/patrol list mine"


def test_a_click_updates_the_message(sandbox: Sandbox, on_slack: App, client: WebClient) -> None:
    @on_slack.action("ack")
    def _(ack: Any, body: Any, client: WebClient, action: Any) -> None:
        ack()
        place = {"channel": body["channel"]["id"], "ts": body["message"]["ts"]}
        client.chat_update(
            **place, text=f"{action['value']} acknowledged by {body['user']['name']}", blocks=[]
        )

    posted = client.chat_postMessage(channel="C0PAYMENTS", text="an alert", blocks=CARD)

    answer = sandbox.click("ana", "payments", posted["ts"], "ack")

    assert answer["acked"]
    assert answer["message"]["text"] == "142 acknowledged by ana"
    assert "blocks" not in answer["message"]


def test_a_stale_button_carries_what_it_said(sandbox: Sandbox, on_slack: App, client: WebClient) -> None:
    seen = []

    @on_slack.action("ack")
    def _(ack: Any, action: Any) -> None:
        seen.append(action["value"])
        ack()

    posted = client.chat_postMessage(channel="C0PAYMENTS", text="an alert", blocks=CARD)
    client.chat_update(channel="C0PAYMENTS", ts=posted["ts"], text="done", blocks=[])

    sandbox.click("bo", "payments", posted["ts"], "ack")
    sandbox.click("bo", "payments", posted["ts"], "ack", value="7")

    assert seen == ["142", "7"]


def test_a_modal_is_opened_filled_in_refused_and_closed(
    sandbox: Sandbox, on_slack: App, client: WebClient
) -> None:
    @on_slack.action("ack")
    def _(ack: Any, body: Any, client: WebClient) -> None:
        ack()
        client.views_open(trigger_id=body["trigger_id"], view=MODAL)

    @on_slack.view("resolve")
    def _(ack: Any, view: Any) -> None:
        note = view["state"]["values"]["note"]["text"]["value"]
        if note == "no":
            ack(response_action="errors", errors={"note": "Say more"})
        else:
            ack()

    posted = client.chat_postMessage(channel="C0PAYMENTS", text="an alert", blocks=CARD)
    view = sandbox.click("ana", "payments", posted["ts"], "ack")["views"][0]

    assert view["private_metadata"] == "142"
    empty = sandbox.submit("ana", view["id"], {})
    assert empty["errors"] == {"note": "Please complete this required field."}
    refused = sandbox.submit("ana", view["id"], {"text": "no"})
    assert refused["errors"] == {"note": "Say more"}
    assert refused["views"][0]["errors"] == {"note": "Say more"}
    done = sandbox.submit("ana", view["id"], {"note": {"text": {"type": "plain_text_input", "value": "ok"}}})
    assert done["views"] == []


def test_a_mention_reaches_the_app_and_its_answer_the_thread(sandbox: Sandbox, on_slack: App) -> None:
    @on_slack.event("app_mention")
    def _(event: Any, say: Any) -> None:
        say(text=f"yes, <@{event['user']}>", thread_ts=event["ts"])

    answer = sandbox.message("ana", "payments", "@patrol ack <3 & more")

    assert answer["message"]["text"] == "<@U0PATROL> ack &lt;3 &amp; more"
    assert answer["message"]["reply_count"] == 1
    assert sandbox.messages("payments", answer["ts"])[0]["text"] == "yes, <@U0ANA>"
    assert [n["user"] for n in sandbox.state("ana")["notifications"]] == ["U0ANA"]


def test_an_app_that_does_not_answer_is_seen_by_the_person(sandbox: Sandbox) -> None:
    answer = sandbox.command("ana", "payments", "/patrol status")

    assert not answer["acked"]
    assert answer["ack_ms"] is None
    assert answer["error"] == "/patrol failed because the app did not respond in time"
    assert answer["ephemerals"][0]["text"] == answer["error"]
