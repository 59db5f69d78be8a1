"""The Web API answers as Slack does, also when it refuses."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from slack_bolt import App
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.sandbox import Refused, Sandbox

Api = Callable[..., dict[str, Any]]
PAYMENTS = "C0PAYMENTS"
SECTION = [{"type": "section", "text": {"type": "mrkdwn", "text": "hi"}}]
MANIFEST = {
    "features": {"slash_commands": [{"command": "/patrol", "description": "d", "url": "u"}]},
    "oauth_config": {"scopes": {"bot": ["chat:write", "channels:history"]}},
    "settings": {"event_subscriptions": {"bot_events": ["app_mention"]}},
}


@pytest.fixture
def modest() -> Iterator[Sandbox]:
    """A sandbox whose app was given few scopes."""
    with Sandbox(channels=["payments"], pace=False, manifest=MANIFEST) as running:
        yield running


# -- tokens and scopes ---------------------------------------------------------------------------------------


def test_a_call_needs_the_right_token(api: Api, sandbox: Sandbox) -> None:
    assert api("auth.test", token=None)["error"] == "not_authed"
    assert api("auth.test", token="xoxb-other")["error"] == "invalid_auth"
    assert api("auth.test", token=sandbox.app_token)["error"] == "not_allowed_token_type"
    assert api("apps.connections.open")["error"] == "not_allowed_token_type"
    assert api("auth.test")["user_id"] == "U0PATROL"


def test_a_token_may_stand_among_the_arguments(sandbox: Sandbox) -> None:
    answer = httpx.post(sandbox.api + "auth.test", data={"token": sandbox.bot_token}).json()

    assert answer["ok"]
    assert "token" not in sandbox.journal(method="auth.test")[0]["args"]


def test_what_the_manifest_does_not_grant_is_refused(modest: Sandbox, api_of: Any) -> None:
    api = api_of(modest)

    refused = api("users.info", user="U0ANA")

    assert refused["error"] == "missing_scope"
    assert (refused["needed"], refused["provided"]) == ("users:read", "channels:history,chat:write")
    assert api("chat.postMessage", channel=PAYMENTS, text="hi")["ok"]
    assert api("conversations.history", channel=PAYMENTS)["ok"]
    assert modest.state()["commands"] == [{"command": "/patrol", "description": "d", "usage_hint": ""}]


def test_an_unknown_method_and_broken_json_are_named(api: Api, sandbox: Sandbox) -> None:
    assert api("chat.shout")["error"] == "unknown_method"
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {sandbox.bot_token}"}
    assert (
        httpx.post(sandbox.api + "auth.test", content="{", headers=headers).json()["error"] == "invalid_json"
    )


# -- posting -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("args", "error"),
    [
        ({"channel": "C0NOWHERE", "text": "x"}, "channel_not_found"),
        ({"text": "x"}, "channel_not_found"),
        ({"channel": PAYMENTS}, "no_text"),
        ({"channel": PAYMENTS, "text": "x" * 40_001}, "msg_too_long"),
        ({"channel": PAYMENTS, "text": "x", "blocks": "[{"}, "invalid_blocks_format"),
        ({"channel": PAYMENTS, "text": "x", "blocks": {"type": "section"}}, "invalid_blocks_format"),
        ({"channel": PAYMENTS, "text": "x", "blocks": [{"type": "section"}]}, "invalid_blocks"),
        ({"channel": PAYMENTS, "text": "x", "thread_ts": "1.000001"}, "cannot_reply_to_message"),
        ({"channel": PAYMENTS, "text": "x", "metadata": "nonsense"}, "invalid_metadata_format"),
        ({"channel": PAYMENTS, "text": "x", "metadata": {"event_type": "a"}}, "invalid_metadata_schema"),
        (
            {
                "channel": PAYMENTS,
                "text": "x",
                "metadata": {"event_type": "a", "event_payload": {"x": "y" * 8000}},
            },
            "metadata_too_large",
        ),
    ],
)
def test_a_post_is_refused_by_the_right_name(api: Api, args: dict[str, Any], error: str) -> None:
    assert api("chat.postMessage", **args)["error"] == error


def test_blocks_that_hold_too_much_text_together_are_refused(api: Api) -> None:
    blocks = [{"type": "section", "text": {"type": "mrkdwn", "text": "x" * 3000}}] * 5

    assert (
        api("chat.postMessage", channel=PAYMENTS, text="x", blocks=blocks)["error"] == "msg_blocks_too_long"
    )
    assert api("chat.postMessage", channel=PAYMENTS, text="x", blocks=blocks[:4])["ok"]


def test_invalid_blocks_say_where(api: Api) -> None:
    blocks = [{"type": "section", "text": {"type": "mrkdwn", "text": ""}}]

    answer = api("chat.postMessage", channel=PAYMENTS, text="x", blocks=blocks)

    line = "must be more than 0 characters [json-pointer:/blocks/0/text/text]"
    assert answer["errors"] == [line]
    assert answer["response_metadata"]["messages"] == [f"[ERROR] {line}"]


def test_channels_may_be_closed_to_the_bot(api: Api, sandbox: Sandbox) -> None:
    sandbox.set_channel("chat", archived=True)
    sandbox.set_channel("general", remove_bot=True)
    sandbox.set_channel("secret", private=True, remove_bot=True)

    assert api("chat.postMessage", channel="C0CHAT", text="x")["error"] == "is_archived"
    # Every scope is granted, but writing uninvited must be asked for by name.
    assert api("chat.postMessage", channel="C0GENERAL", text="x")["error"] == "not_in_channel"
    assert api("conversations.history", channel="C0GENERAL")["error"] == "not_in_channel"
    assert api("chat.postMessage", channel="C0SECRET", text="x")["error"] == "channel_not_found"
    assert api("conversations.info", channel="C0SECRET")["error"] == "channel_not_found"
    assert api("conversations.join", channel="C0GENERAL")["ok"]
    assert api("chat.postMessage", channel="C0GENERAL", text="x")["ok"]


def test_a_long_text_becomes_several_messages(api: Api, sandbox: Sandbox) -> None:
    api("chat.postMessage", channel=PAYMENTS, text="x" * 4_001)

    assert [len(message["text"]) for message in sandbox.messages("payments")] == [4_000, 1]


def test_a_form_and_a_json_body_say_the_same(api: Api, client: WebClient, sandbox: Sandbox) -> None:
    client.chat_postMessage(channel=PAYMENTS, text="form", blocks=SECTION)
    api("chat.postMessage", channel=PAYMENTS, text="json", blocks=SECTION)

    by_form, by_json = sandbox.messages("payments")
    assert by_form["blocks"][0]["text"] == by_json["blocks"][0]["text"]
    assert by_form["bot_id"] == "B0PATROL"


def test_a_timestamp_is_never_given_twice(api: Api) -> None:
    stamps = [api("chat.postMessage", channel=PAYMENTS, text="x")["ts"] for _ in range(20)]

    assert sorted(set(stamps)) == stamps


# -- changing and deleting -----------------------------------------------------------------------------------


def test_what_an_update_leaves_out_is_kept(api: Api, sandbox: Sandbox) -> None:
    note = {"event_type": "alert", "event_payload": {"delivery_id": "d1"}}
    posted = api("chat.postMessage", channel=PAYMENTS, text="one", blocks=SECTION, metadata=note)

    api("chat.update", channel=PAYMENTS, ts=posted["ts"], text="two")
    kept = sandbox.messages("payments")[0]
    api("chat.update", channel=PAYMENTS, ts=posted["ts"], blocks=[], metadata={})
    bare = sandbox.messages("payments")[0]

    assert (kept["text"], kept["metadata"], len(kept["blocks"])) == ("two", note, 1)
    assert kept["edited"]["user"] == "U0PATROL"
    assert "blocks" not in bare
    assert "metadata" not in bare


def test_an_update_is_refused_by_the_right_name(api: Api, sandbox: Sandbox) -> None:
    mine = api("chat.postMessage", channel=PAYMENTS, text="x")["ts"]
    hers = sandbox.message("ana", "payments", "hello")["ts"]

    def update(**args: Any) -> str:
        return str(api("chat.update", **{"channel": PAYMENTS, "ts": mine, "text": "y", **args})["error"])

    assert update(ts="1.000001") == "message_not_found"
    assert update(ts=hers) == "cant_update_message"
    assert update(channel="payments") == "channel_not_found"
    assert update(text="") == "no_text"
    assert update(text="x" * 40_001) == "msg_too_long"
    sandbox.set_channel("payments", archived=True)
    assert update() == "is_inactive"


def test_a_message_too_old_to_edit_is_refused(api_of: Any) -> None:
    now = [1_790_000_000.0]
    with Sandbox(channels=["payments"], pace=False, edit_window=60, clock=lambda: now[0]) as sandbox:
        api = api_of(sandbox)
        ts = api("chat.postMessage", channel=PAYMENTS, text="x")["ts"]
        assert api("chat.update", channel=PAYMENTS, ts=ts, text="y")["ok"]
        now[0] += 61
        assert api("chat.update", channel=PAYMENTS, ts=ts, text="z")["error"] == "edit_window_closed"


def test_a_deleted_message_is_gone_but_stands_in_the_journal(api: Api, sandbox: Sandbox) -> None:
    ts = api("chat.postMessage", channel=PAYMENTS, text="x")["ts"]

    assert api("chat.delete", channel=PAYMENTS, ts=ts)["ok"]

    assert sandbox.messages("payments") == []
    assert [entry["ts"] for entry in sandbox.journal(kind="deleted")] == [ts]
    assert api("chat.delete", channel=PAYMENTS, ts=ts)["error"] == "message_not_found"


def test_a_deleted_parent_leaves_a_tombstone_over_its_replies(api: Api, sandbox: Sandbox) -> None:
    ts = api("chat.postMessage", channel=PAYMENTS, text="x", blocks=SECTION)["ts"]
    api("chat.postMessage", channel=PAYMENTS, text="reply", thread_ts=ts)

    api("chat.delete", channel=PAYMENTS, ts=ts)

    assert sandbox.messages("payments")[0]["subtype"] == "tombstone"
    assert api("chat.update", channel=PAYMENTS, ts=ts, text="y")["error"] == "message_not_found"


# -- reading -------------------------------------------------------------------------------------------------


def test_history_shows_metadata_only_when_asked(client: WebClient) -> None:
    note = {"event_type": "alert", "event_payload": {"delivery_id": "d1"}}
    client.chat_postMessage(channel=PAYMENTS, text="x", metadata=note)

    without = client.conversations_history(channel=PAYMENTS)["messages"][0]
    with_it = client.conversations_history(channel=PAYMENTS, include_all_metadata=True)["messages"][0]

    assert "metadata" not in without
    assert with_it["metadata"] == note


def test_history_is_newest_first_bounded_and_paged(api: Api, client: WebClient) -> None:
    stamps = [api("chat.postMessage", channel=PAYMENTS, text=str(n))["ts"] for n in range(5)]

    def texts(**args: Any) -> list[str]:
        messages: list[dict[str, Any]] = api("conversations.history", channel=PAYMENTS, **args)["messages"]
        return [message["text"] for message in messages]

    assert texts() == ["4", "3", "2", "1", "0"]
    assert texts(oldest=stamps[1], latest=stamps[3]) == ["2"]
    assert texts(oldest=stamps[1], latest=stamps[3], inclusive=True) == ["3", "2", "1"]
    pages = [page["messages"] for page in client.conversations_history(channel=PAYMENTS, limit=2)]
    assert [message["text"] for page in pages for message in page] == ["4", "3", "2", "1", "0"]
    assert api("conversations.history", channel=PAYMENTS, cursor="?")["error"] == "invalid_cursor"


def test_replies_stand_in_the_thread_and_broadcasts_in_both(api: Api) -> None:
    root = api("chat.postMessage", channel=PAYMENTS, text="root")["ts"]
    reply = api("chat.postMessage", channel=PAYMENTS, text="quiet", thread_ts=root)["ts"]
    api("chat.postMessage", channel=PAYMENTS, text="loud", thread_ts=root, reply_broadcast=True)

    history = api("conversations.history", channel=PAYMENTS)["messages"]
    replies = api("conversations.replies", channel=PAYMENTS, ts=root)["messages"]
    parent = replies[0]

    assert [message["text"] for message in history] == ["loud", "root"]
    assert [message["text"] for message in replies] == ["root", "quiet", "loud"]
    assert (parent["reply_count"], parent["reply_users"]) == (2, ["U0PATROL"])
    assert api("conversations.replies", channel=PAYMENTS, ts="1.000001")["error"] == "thread_not_found"
    nested = api("chat.postMessage", channel=PAYMENTS, text="x", thread_ts=reply)
    assert nested["error"] == "cannot_reply_to_message"


# -- people, channels, the rest ------------------------------------------------------------------------------


def test_channels_and_people_are_listed_in_pages(client: WebClient, sandbox: Sandbox) -> None:
    pages = [page["channels"] for page in client.conversations_list(limit=2)]

    assert [channel["name"] for page in pages for channel in page] == ["payments", "chat", "general"]
    assert client.conversations_members(channel=PAYMENTS)["members"] == list(sandbox.workspace.users)
    assert {user["name"] for user in client.users_list()["members"]} == {"patrol", "ana", "bo", "cy"}
    assert client.users_info(user="U0ANA")["user"]["real_name"] == "Ana"
    assert client.bots_info(bot="B0PATROL")["bot"]["user_id"] == "U0PATROL"
    assert client.dnd_info(user="U0ANA")["dnd_enabled"] is False


def test_guests_strangers_and_leavers_are_marked(client: WebClient, sandbox: Sandbox) -> None:
    sandbox.set_user("dee", guest=True)
    sandbox.set_user("eve", team="T0OTHER")
    sandbox.set_user("flo", deleted=True)

    assert client.users_info(user="U0DEE")["user"]["is_restricted"]
    assert client.users_info(user="U0EVE")["user"]["team_id"] == "T0OTHER"
    with pytest.raises(SlackApiError, match="user_disabled"):
        client.conversations_open(users="U0FLO")
    with pytest.raises(SlackApiError, match="account_inactive"):
        client.chat_postMessage(channel="U0FLO", text="x")


def test_a_direct_message_is_opened_once(client: WebClient, sandbox: Sandbox) -> None:
    first = client.conversations_open(users="U0ANA")
    again = client.conversations_open(users="U0ANA")
    client.chat_postMessage(channel="U0ANA", text="psst")

    assert first["channel"]["id"] == again["channel"]["id"] == "D0ANA"
    assert again["already_open"]
    assert [message["text"] for message in sandbox.messages("ana")] == ["psst"]
    assert "D0ANA" not in [channel["id"] for channel in sandbox.state("bo")["channels"]]
    assert sandbox.state("ana")["notifications"][0]["why"] == "dm"


def test_a_group_has_members(client: WebClient, sandbox: Sandbox) -> None:
    group = sandbox.set_group("oncall", ["ana", "bo"])
    client.chat_postMessage(channel=PAYMENTS, text=f"<!subteam^{group}> look")

    assert client.usergroups_users_list(usergroup=group)["users"] == ["U0ANA", "U0BO"]
    assert [note["user"] for note in sandbox.state()["notifications"]] == ["U0ANA", "U0BO"]


def test_only_mentions_in_mrkdwn_ping(client: WebClient, sandbox: Sandbox) -> None:
    quiet: list[dict[str, Any]] = [
        {"type": "header", "text": {"type": "plain_text", "text": "<@U0BO> <!channel>"}},
        {"type": "table", "rows": [[{"type": "raw_text", "text": "<@U0BO>"}]]},
    ]
    client.chat_postMessage(channel=PAYMENTS, text="nobody", blocks=quiet)
    assert sandbox.state()["notifications"] == []

    loud = [{"type": "section", "text": {"type": "mrkdwn", "text": "<@U0BO>"}}]
    client.chat_postMessage(channel=PAYMENTS, text="bo", blocks=loud)
    client.chat_postMessage(channel=PAYMENTS, text="<!here>")
    assert [n["user"] for n in sandbox.state()["notifications"]] == ["U0BO", "U0ANA", "U0BO", "U0CY"]


def test_only_one_person_sees_an_ephemeral(client: WebClient, sandbox: Sandbox) -> None:
    client.chat_postEphemeral(channel=PAYMENTS, user="U0ANA", text="only you")

    assert [entry["text"] for entry in sandbox.state("ana")["ephemerals"]] == ["only you"]
    assert sandbox.state("bo")["ephemerals"] == []
    assert client.conversations_history(channel=PAYMENTS)["messages"] == []
    with pytest.raises(SlackApiError, match="user_not_in_channel"):
        client.chat_postEphemeral(channel=PAYMENTS, user="U0NOBODY", text="x")


def test_a_permalink_leads_to_its_message(client: WebClient, sandbox: Sandbox) -> None:
    root = client.chat_postMessage(channel=PAYMENTS, text="x")["ts"]
    reply = client.chat_postMessage(channel=PAYMENTS, text="y", thread_ts=root)["ts"]

    link = client.chat_getPermalink(channel=PAYMENTS, message_ts=reply)["permalink"]

    assert (
        link == f"{sandbox.url}/archives/{PAYMENTS}/p{reply.replace('.', '')}?thread_ts={root}&cid={PAYMENTS}"
    )


def test_a_reaction_is_given_once(client: WebClient) -> None:
    ts = client.chat_postMessage(channel=PAYMENTS, text="x")["ts"]
    client.reactions_add(channel=PAYMENTS, timestamp=ts, name="eyes")

    with pytest.raises(SlackApiError, match="already_reacted"):
        client.reactions_add(channel=PAYMENTS, timestamp=ts, name="eyes")
    assert client.conversations_history(channel=PAYMENTS)["messages"][0]["reactions"][0]["count"] == 1


def test_a_file_is_uploaded_in_two_steps_and_shared(client: WebClient, sandbox: Sandbox) -> None:
    ts = client.chat_postMessage(channel=PAYMENTS, text="x")["ts"]

    sent = client.files_upload_v2(channel=PAYMENTS, thread_ts=ts, content="a,b\n1,2\n", filename="rows.csv")

    file = sandbox.messages("payments", ts)[0]["files"][0]
    assert (file["id"], file["size"], file["filetype"]) == (sent["file"]["id"], 8, "csv")
    assert client.files_info(file=file["id"])["file"]["shares"]["public"][PAYMENTS]
    assert httpx.get(file["url_private"]).text == "a,b\n1,2\n"
    with pytest.raises(SlackApiError, match="file_not_found"):
        client.files_completeUploadExternal(files=[{"id": "F0NONE", "title": "x"}], channel_id=PAYMENTS)


# -- what the manifest says beside scopes --------------------------------------------------------------------

TABLESS = {
    **MANIFEST,
    "features": {
        "app_home": {"home_tab_enabled": False, "messages_tab_enabled": False},
        "slash_commands": [{"command": "/patrol", "description": "d", "should_escape": True}],
        "shortcuts": [{"name": "Note", "type": "message", "callback_id": "note", "description": "d"}],
    },
}


@pytest.fixture
def tabless() -> Iterator[Sandbox]:
    with Sandbox(channels=["payments"], pace=False, manifest=TABLESS) as running:
        yield running


def test_tabs_that_are_switched_off_take_nothing(tabless: Sandbox, api_of: Any) -> None:
    api = api_of(tabless)

    assert api("chat.postMessage", channel="U0ANA", text="x")["error"] == "messages_tab_disabled"
    view = {"type": "home", "blocks": []}
    assert api("views.publish", user_id="U0ANA", view=view)["error"] == "not_enabled"
    with pytest.raises(Refused, match="turned off"):
        tabless.message("ana", "@patrol", "hello")


def test_a_command_may_escape_what_it_names(
    tabless: Sandbox, sandbox: Sandbox, web_client: Any, connect: Any
) -> None:
    heard: list[str] = []
    for place in (tabless, sandbox):
        app = App(client=web_client(place))

        @app.command("/patrol")
        def _(ack: Any, command: Any) -> None:
            heard.append(command["text"])
            ack()

        with connect(place, app):
            place.command("ana", "payments", "/patrol assign 3 @bo in #payments", wait_ms=0)

    escaped = "assign 3 <@U0BO|bo> in <#C0PAYMENTS|payments>"
    assert heard == [escaped, "assign 3 @bo in #payments"]


def test_only_shortcuts_of_the_manifest_can_be_chosen(tabless: Sandbox) -> None:
    ts = tabless.message("ana", "payments", "hello")["ts"]

    assert tabless.state()["shortcuts"][0]["callback_id"] == "note"
    assert not tabless.shortcut("ana", "payments", ts, "note")["acked"]
    with pytest.raises(Refused, match="no shortcut 'other'"):
        tabless.shortcut("ana", "payments", ts, "other")


def test_answers_say_which_scopes_there_are(tabless: Sandbox) -> None:
    headers = {"Authorization": f"Bearer {tabless.bot_token}"}
    answer = httpx.post(tabless.api + "users.info", data={"user": "U0ANA"}, headers=headers)

    assert answer.headers["x-oauth-scopes"] == "channels:history,chat:write"
    assert answer.headers["x-accepted-oauth-scopes"] == "users:read"
