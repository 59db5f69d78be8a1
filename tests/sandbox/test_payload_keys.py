"""What the sandbox sends has the keys that Slack's own data has."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import pytest
import websocket

from bot.sandbox import Sandbox

SHARED = Path(__file__).parents[3] / "shared" / "slack"
pytestmark = pytest.mark.skipif(not SHARED.is_dir(), reason="Slack's own data is not here")

OPTION = {"text": {"type": "plain_text", "text": "A"}, "value": "a"}
SECTION = {
    "type": "section",
    "block_id": "block",
    "text": {"type": "mrkdwn", "text": "x"},
    "accessory": {
        "type": "static_select",
        "action_id": "a",
        "options": [OPTION],
    },
}
MODAL = {
    "type": "modal",
    "title": {"type": "plain_text", "text": "T"},
    "submit": {"type": "plain_text", "text": "Go"},
    "close": {"type": "plain_text", "text": "No"},
    "blocks": [SECTION],
}
# Keys that only some workspaces, old apps or workflow functions see.
RARE = {
    "enterprise_id",
    "enterprise_name",
    "bot_access_token",
    "function_data",
    "interactivity",
    "app_unfurl",
    "is_app_unfurl",
    "app_unfurl_url",
    "attachment_id",
    "text",
    "view_id",
    "emoji",
    "option_groups",
}


def slack(name: str) -> Any:
    return json.loads((SHARED / name).read_text())


class Ear:
    """A bare connection that acks everything and keeps it."""

    def __init__(self, sandbox: Sandbox, api: Any) -> None:
        url = api("apps.connections.open", token=sandbox.app_token)["url"]
        self._socket = websocket.WebSocketApp(url, on_message=self._take)
        self.heard: list[dict[str, Any]] = []
        self.run = self._socket.run_forever
        self.close = self._socket.close

    def _take(self, socket: Any, raw: str) -> None:
        message = json.loads(raw)
        self.heard.append(message)
        if "envelope_id" in message:
            socket.send(json.dumps({"envelope_id": message["envelope_id"]}))

    def envelope(self, kind: str) -> dict[str, Any]:
        return next(message for message in reversed(self.heard) if message["type"] == kind)


@pytest.fixture
def ear(sandbox: Sandbox, api: Any, until: Any) -> Any:
    listening = Ear(sandbox, api)
    thread = threading.Thread(target=listening.run, daemon=True)
    thread.start()
    until(lambda: listening.heard)
    yield listening
    sandbox.cut_sockets()
    thread.join(5)


def missing(mine: Any, slacks: Any, path: str = "") -> list[str]:
    """Keys of Slack's sample that ours lacks, however deep."""
    if isinstance(slacks, dict) and isinstance(mine, dict):
        lacking = [f"{path}.{key}" for key in slacks if key not in mine and key not in RARE]
        both = [key for key in slacks if key in mine]
        return lacking + [lost for key in both for lost in missing(mine[key], slacks[key], f"{path}.{key}")]
    if isinstance(slacks, list) and isinstance(mine, list) and slacks and mine:
        return missing(mine[0], slacks[0], f"{path}[]")
    return []


def test_hello_and_disconnect(sandbox: Sandbox, ear: Ear, until: Any) -> None:
    sandbox.refresh_sockets("warning")
    until(lambda: ear.heard[-1]["type"] == "disconnect")

    hello = slack("socket_mode/python-slack-sdk.socket_mode_hello_message.0.hello.json")
    bye = slack("socket_mode/python-slack-sdk.socket_mode_disconnect_message.0.disconnect.json")
    assert missing(ear.heard[0], hello) == []
    assert missing(ear.heard[-1], bye) == []


def test_a_command(sandbox: Sandbox, ear: Ear) -> None:
    sandbox.command("ana", "payments", "/patrol list")

    sample = slack("socket_mode/python-slack-sdk.socket_mode_envelopes.0.slash_commands.json")
    keys = slack("keys/app-backend/slash-commands/SlashCommandPayload.json")
    mine = ear.envelope("slash_commands")
    assert missing(mine, sample) == []
    assert set(mine["payload"]) <= set(keys)
    assert mine["accepts_response_payload"] is sample["accepts_response_payload"]


def test_a_mention_and_a_message(sandbox: Sandbox, ear: Ear) -> None:
    sandbox.message("ana", "payments", "@patrol hello")
    mention = ear.envelope("events_api")
    sandbox.message("ana", "@patrol", "@bo")
    message = ear.envelope("events_api")

    first = slack("socket_mode/python-slack-sdk.socket_mode_envelopes.1.events_api.json")
    third = slack("socket_mode/bolt-python.socket_mode_envelopes.2.events_api.json")
    assert missing(mention, first) == []
    assert missing(message, third) == []
    assert set(mention["payload"]) == set(first["payload"])
    assert mention["retry_attempt"] == first["retry_attempt"]


def test_a_click_in_a_modal(sandbox: Sandbox, ear: Ear, api: Any) -> None:
    trigger = sandbox.workspace.modals.issue_trigger("U0ANA")
    view = api("views.open", trigger_id=trigger, view=MODAL)["view"]
    sandbox.click_view("ana", view["id"], "a", selected="a")

    sample = slack("socket_mode/python-slack-sdk.block_actions.static_select.trimmed.json")["payload"]
    mine = ear.envelope("interactive")
    assert [key for key in missing(mine, sample) if ".blocks[]" not in key] == []
    chosen = {"type": "static_select", "selected_option": OPTION}
    assert mine["payload"]["view"]["state"] == {"values": {"block": {"a": chosen}}}


def test_a_click_on_a_message(sandbox: Sandbox, ear: Ear, api: Any) -> None:
    ts = api("chat.postMessage", channel="C0PAYMENTS", text="x", blocks=[SECTION])["ts"]
    sandbox.click("ana", "payments", ts, "a", selected="a")

    keys = slack("keys/app-backend/interactive-components/BlockActionPayload.json")
    mine = ear.envelope("interactive")["payload"]
    assert set(mine) <= set(keys)
    shown = {key: keys[key] for key in ("user", "team", "channel", "container")}
    assert missing(mine, shown) == [".container.thread_ts"]
    assert set(mine["actions"][0]) <= set(keys["actions"][0])
    assert set(mine["message"]) <= set(keys["message"])


def test_a_submission_a_closing_and_a_shortcut(sandbox: Sandbox, ear: Ear, api: Any) -> None:
    def opened() -> str:
        trigger = sandbox.workspace.modals.issue_trigger("U0ANA")
        view = {**MODAL, "notify_on_close": True}
        return str(api("views.open", trigger_id=trigger, view=view)["view"]["id"])

    submission = slack("keys/app-backend/views/ViewSubmissionPayload.json")
    closing = slack("keys/app-backend/views/ViewClosedPayload.json")
    shortcut = slack("keys/app-backend/interactive-components/MessageShortcutPayload.json")

    sandbox.submit("ana", opened())
    mine = ear.envelope("interactive")
    assert mine["accepts_response_payload"]
    assert missing(mine["payload"], submission) == [".is_cleared"]

    sandbox.close("ana", opened())
    assert missing(ear.envelope("interactive")["payload"], closing) == []

    ts = sandbox.message("ana", "payments", "hello")["ts"]
    sandbox.shortcut("ana", "payments", ts, "note")
    mine = ear.envelope("interactive")["payload"]
    assert [key for key in missing(mine, shortcut) if not key.startswith(".message.")] == []
