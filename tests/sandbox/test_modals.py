"""Triggers, modals, the Home tab and response_url keep Slack's rules."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from slack_bolt import App
from slack_sdk import WebClient

from bot.sandbox import Refused, Sandbox

Api = Callable[..., dict[str, Any]]


class Clock:
    def __init__(self) -> None:
        self.now = 1_790_000_000.0

    def __call__(self) -> float:
        return self.now


def plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text}


def options(*values: str) -> list[dict[str, Any]]:
    return [{"text": plain(value.title()), "value": value} for value in values]


def field(action_id: str, **element: Any) -> dict[str, Any]:
    return {
        "type": "input",
        "block_id": f"b_{action_id}",
        "optional": element.pop("optional", False),
        "label": plain(action_id),
        "element": {"action_id": action_id, **element},
    }


def modal(title: str = "T", *blocks: dict[str, Any], **more: Any) -> dict[str, Any]:
    shown = list(blocks) or [{"type": "divider"}]
    parts = {"title": plain(title), "submit": plain("Go"), "callback_id": "form"}
    return {"type": "modal", **parts, "blocks": shown, **more}


FORM = modal(
    "Resolve",
    field("why", type="static_select", options=options("fp", "tp"), initial_option=options("fp")[0]),
    field("note", type="plain_text_input", min_length=3, optional=True),
    field("who", type="users_select", optional=True),
    field("flags", type="checkboxes", options=options("a", "b"), optional=True),
    field("until", type="datepicker", optional=True),
    field("count", type="number_input", is_decimal_allowed=False, min_value="1", optional=True),
)
BUTTON = {"type": "button", "action_id": "open", "value": "v", "text": plain("Open")}
CARD = [{"type": "actions", "elements": [BUTTON]}]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def timed(clock: Clock) -> Iterator[Sandbox]:
    with Sandbox(channels=["payments"], pace=False, clock=clock) as running:
        yield running


def trigger(sandbox: Sandbox, user: str = "U0ANA", view_id: str | None = None) -> str:
    return sandbox.workspace.modals.issue_trigger(user, view_id)


# -- triggers ------------------------------------------------------------------------------------------------


def test_a_trigger_lives_three_seconds_and_opens_once(timed: Sandbox, api_of: Any, clock: Clock) -> None:
    api = api_of(timed)
    first, second = trigger(timed), trigger(timed)

    clock.now += 2.9
    assert api("views.open", trigger_id=first, view=modal())["ok"]
    assert api("views.open", trigger_id=first, view=modal())["error"] == "exchanged_trigger_id"
    clock.now += 0.2
    assert api("views.open", trigger_id=second, view=modal())["error"] == "expired_trigger_id"
    assert api("views.open", trigger_id="1.2.x", view=modal())["error"] == "invalid_trigger_id"


def test_a_refused_view_does_not_use_up_its_trigger(sandbox: Sandbox, api: Api) -> None:
    key = trigger(sandbox)

    refused = api("views.open", trigger_id=key, view=modal("x" * 25))

    assert refused["error"] == "invalid_arguments"
    place = "must be less than 25 characters [json-pointer:/view/title/text]"
    assert refused["response_metadata"]["messages"] == [f"[ERROR] {place}"]
    assert api("views.open", trigger_id=key, view=modal())["ok"]


# -- views ---------------------------------------------------------------------------------------------------


def test_a_view_is_changed_only_by_who_knows_its_latest_hash(sandbox: Sandbox, api: Api) -> None:
    view = api("views.open", trigger_id=trigger(sandbox), view=modal("one"))["view"]

    changed = api("views.update", view_id=view["id"], hash=view["hash"], view=modal("two"))["view"]
    late = api("views.update", view_id=view["id"], hash=view["hash"], view=modal("three"))

    assert changed["id"] == view["id"]
    assert changed["hash"] != view["hash"]
    assert late["error"] == "hash_conflict"
    assert sandbox.state()["views"][0]["title"]["text"] == "two"
    assert api("views.update", view_id="V0NONE", view=modal())["error"] == "not_found"


def test_views_are_stacked_three_high(sandbox: Sandbox, api: Api) -> None:
    root = api("views.open", trigger_id=trigger(sandbox), view=modal("1"))["view"]["id"]

    def push(title: str, view_id: str | None = root) -> dict[str, Any]:
        return api("views.push", trigger_id=trigger(sandbox, view_id=view_id), view=modal(title))

    second = push("2")["view"]
    assert (second["root_view_id"], second["previous_view_id"]) == (root, root)
    assert push("outside", None)["error"] == "invalid_trigger_id"
    assert push("3")["ok"]
    assert push("4")["error"] == "push_limit_reached"
    assert len(sandbox.close("ana", second["id"])["views"]) == 1


def test_an_external_id_belongs_to_one_view(sandbox: Sandbox, api: Api) -> None:
    api("views.open", trigger_id=trigger(sandbox), view=modal(external_id="mine"))
    other = api("views.open", trigger_id=trigger(sandbox, "U0BO"), view=modal(external_id="mine"))

    assert other["error"] == "duplicate_external_id"
    assert api("views.update", external_id="mine", view=modal("two", external_id="mine"))["ok"]


def test_a_form_is_filled_in_by_action_or_by_block(sandbox: Sandbox, on_slack: App, api: Api) -> None:
    got: list[Any] = []

    @on_slack.view("form")
    def _(ack: Any, view: Any) -> None:
        got.append(view["state"]["values"])
        ack()

    view = api("views.open", trigger_id=trigger(sandbox), view=FORM)["view"]
    values = {"note": "checked", "who": "U0BO", "flags": ["a", "b"], "until": "2026-12-01", "count": "3"}
    sandbox.submit("ana", view["id"], {**values, "b_why": {"why": "tp"}})

    assert got[0] == {
        "b_why": {"why": {"type": "static_select", "selected_option": options("tp")[0]}},
        "b_note": {"note": {"type": "plain_text_input", "value": "checked"}},
        "b_who": {"who": {"type": "users_select", "selected_user": "U0BO"}},
        "b_flags": {"flags": {"type": "checkboxes", "selected_options": options("a", "b")}},
        "b_until": {"until": {"type": "datepicker", "selected_date": "2026-12-01"}},
        "b_count": {"count": {"type": "number_input", "value": "3"}},
    }


def test_what_is_left_out_has_its_initial_value(sandbox: Sandbox, on_slack: App, api: Api) -> None:
    got: list[Any] = []

    @on_slack.view("form")
    def _(ack: Any, view: Any) -> None:
        got.append(view["state"]["values"])
        ack()

    sandbox.submit("ana", api("views.open", trigger_id=trigger(sandbox), view=FORM)["view"]["id"])

    assert got[0]["b_why"]["why"]["selected_option"]["value"] == "fp"
    assert got[0]["b_note"]["note"] == {"type": "plain_text_input", "value": None}
    assert got[0]["b_flags"]["flags"]["selected_options"] == []


def test_slacks_client_refuses_before_the_app_is_asked(sandbox: Sandbox, api: Api) -> None:
    view = api("views.open", trigger_id=trigger(sandbox), view=FORM)["view"]["id"]

    short = sandbox.submit("ana", view, {"note": "x", "count": "0"})

    assert short["errors"] == {
        "b_note": "Please use between 3 and 3000 characters.",
        "b_count": "Please enter a number from 1 to inf.",
    }
    assert sandbox.journal(kind="delivered") == []
    with pytest.raises(Refused, match="no option 'maybe'"):
        sandbox.submit("ana", view, {"why": "maybe"})
    with pytest.raises(Refused, match="bo has no view"):
        sandbox.submit("bo", view)


@pytest.mark.parametrize(
    ("answer", "titles"),
    [
        ({}, []),
        ({"response_action": "clear"}, []),
        ({"response_action": "update", "view": modal("next")}, ["next"]),
        ({"response_action": "push", "view": modal("above")}, ["T", "above"]),
    ],
)
def test_the_answer_to_a_submission_is_carried_out(
    sandbox: Sandbox, on_slack: App, api: Api, answer: dict[str, Any], titles: list[str]
) -> None:
    on_slack.view("form")(lambda ack: ack(**answer))
    view = api("views.open", trigger_id=trigger(sandbox), view=modal())["view"]["id"]

    seen = sandbox.submit("ana", view)

    assert [shown["title"]["text"] for shown in seen["views"]] == titles


def test_an_act_says_which_of_the_open_modals_are_its_own(sandbox: Sandbox, on_slack: App, api: Api) -> None:
    on_slack.view("form")(lambda ack: ack(response_action="push", view=modal("above")))
    first = api("views.open", trigger_id=trigger(sandbox), view=modal())["view"]["id"]

    pushed = sandbox.submit("ana", first)
    elsewhere = sandbox.message("ana", "payments", "good morning")

    assert [view["id"] for view in pushed["views"]] == [first, *pushed["opened"]]
    assert len(pushed["opened"]) == 1
    assert (len(elsewhere["views"]), elsewhere["opened"]) == (2, [])


def test_an_answer_that_slack_cannot_use_is_trouble(sandbox: Sandbox, on_slack: App, api: Api) -> None:
    on_slack.view("form")(lambda ack: ack(response_action="errors", errors={"nowhere": "no"}))
    view = api("views.open", trigger_id=trigger(sandbox), view=modal())["view"]["id"]

    seen = sandbox.submit("ana", view)

    assert seen["error"].startswith("We had some trouble connecting")
    assert len(seen["views"]) == 1


def test_a_select_in_a_modal_reports_at_once(sandbox: Sandbox, on_slack: App, api: Api) -> None:
    got: list[Any] = []

    @on_slack.action("scope")
    def _(ack: Any, action: Any, body: Any) -> None:
        got.append((action["selected_option"]["value"], body["view"]["state"]["values"]))
        ack()

    select = {"type": "static_select", "action_id": "scope", "options": options("one", "all")}
    blocks = [{"type": "actions", "block_id": "b", "elements": [select]}]
    view = api("views.open", trigger_id=trigger(sandbox), view=modal("T", *blocks))["view"]["id"]
    sandbox.click_view("ana", view, "scope", selected="all")

    chosen = {"type": "static_select", "selected_option": options("all")[0]}
    assert got == [("all", {"b": {"scope": chosen}})]


def test_closing_is_told_to_who_asked_for_it(sandbox: Sandbox, on_slack: App, api: Api) -> None:
    heard: list[Any] = []

    @on_slack.view_closed("form")
    def _(ack: Any, body: Any) -> None:
        heard.append(body["is_cleared"])
        ack()

    view = api("views.open", trigger_id=trigger(sandbox), view=modal(notify_on_close=True))["view"]["id"]

    assert sandbox.close("ana", view)["views"] == []
    assert heard == [False]


def test_the_home_tab_is_published_when_it_is_opened(sandbox: Sandbox, on_slack: App) -> None:
    @on_slack.event("app_home_opened")
    def _(ack: Any, event: Any, client: WebClient) -> None:
        ack()
        client.views_publish(user_id=event["user"], view={"type": "home", "blocks": CARD})

    @on_slack.action("open")
    def _(ack: Any, body: Any, client: WebClient) -> None:
        ack()
        client.views_open(trigger_id=body["trigger_id"], view=modal())

    home = sandbox.open_home("ana")["home"]

    assert sandbox.state("ana")["homes"] == {"U0ANA": home}
    assert sandbox.state("bo")["homes"] == {}
    assert sandbox.click_view("ana", home["id"], "open")["views"][0]["type"] == "modal"


# -- response_url --------------------------------------------------------------------------------------------


def pressed(sandbox: Sandbox, app: App, client: WebClient) -> tuple[str, str]:
    """A card, and the response_url of a click on it."""
    urls: list[str] = []

    @app.action("open")
    def _(ack: Any, body: Any) -> None:
        urls.append(body["response_url"])
        ack()

    ts = client.chat_postMessage(channel="C0PAYMENTS", text="card", blocks=CARD)["ts"]
    sandbox.click("ana", "payments", ts, "open")
    return ts, urls[0]


def test_a_response_url_serves_five_times(sandbox: Sandbox, on_slack: App, client: WebClient) -> None:
    _, url = pressed(sandbox, on_slack, client)

    answers = [httpx.post(url, json={"text": str(n)}) for n in range(6)]

    assert [answer.status_code for answer in answers] == [200] * 5 + [404]
    assert answers[-1].json()["error"] == "used_url"
    assert [entry["text"] for entry in sandbox.state("ana")["ephemerals"]] == list("01234")


def test_a_response_url_serves_for_half_an_hour(
    timed: Sandbox, web_client: Any, connect: Any, clock: Clock
) -> None:
    app = App(client=web_client(timed))
    with connect(timed, app):
        _, url = pressed(timed, app, web_client(timed))
        clock.now += 30 * 60 + 1
        assert httpx.post(url, json={"text": "late"}).json()["error"] == "expired_url"


def test_a_response_url_replaces_deletes_or_speaks_to_all(
    sandbox: Sandbox, on_slack: App, client: WebClient
) -> None:
    _, url = pressed(sandbox, on_slack, client)

    httpx.post(url, json={"text": "for all", "response_type": "in_channel"})
    httpx.post(url, json={"text": "instead", "replace_original": True})
    assert [message["text"] for message in sandbox.messages("payments")] == ["instead", "for all"]
    httpx.post(url, json={"delete_original": True})
    assert [message["text"] for message in sandbox.messages("payments")] == ["for all"]
    assert httpx.post(url, json={"blocks": [{"type": "section"}]}).json()["error"] == "invalid_blocks"


def test_an_ephemeral_is_clicked_and_replaced(sandbox: Sandbox, on_slack: App, client: WebClient) -> None:
    containers: list[Any] = []

    @on_slack.action("open")
    def _(ack: Any, body: Any, respond: Any) -> None:
        containers.append((body["container"]["is_ephemeral"], "message" in body))
        ack()
        respond(text="done", replace_original=True)

    whisper = client.chat_postEphemeral(channel="C0PAYMENTS", user="U0ANA", text="sure?", blocks=CARD)
    ts = whisper["message_ts"]

    answer = sandbox.click("ana", "payments", ts, "open")

    assert containers == [(True, False)]
    assert [(entry["ts"], entry["text"]) for entry in answer["ephemerals"]] == [(ts, "done")]
    assert len(sandbox.state("ana")["ephemerals"]) == 1


def test_a_response_url_may_fail_too(sandbox: Sandbox, on_slack: App, client: WebClient) -> None:
    _, url = pressed(sandbox, on_slack, client)
    sandbox.faults(
        {"method": "response_url", "fault": "429", "times": 1},
        {"method": "response_url", "fault": "store_then_drop", "times": 1},
    )

    assert httpx.post(url, json={"text": "limited"}).status_code == 429
    with pytest.raises(httpx.RemoteProtocolError):
        httpx.post(url, json={"text": "stored"})
    assert httpx.post(url, json={"text": "fine"}).text == "ok"
    assert [entry["text"] for entry in sandbox.state("ana")["ephemerals"]] == ["stored", "fine"]
