"""Uploaded pictures in blocks, as strict as Slack about which file may be shown when."""

from __future__ import annotations

import time
from typing import Any

import httpx
import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.sandbox import Sandbox

PNG = b"\x89PNG\r\n\x1a\n" + bytes(40)
GONE = "invalid slack file [json-pointer:/blocks/0/slack_file]"


@pytest.fixture
def slack() -> Any:
    with Sandbox(channels=["payments"], users=["ana"], pace=False, scan=0.2) as running:
        yield running


@pytest.fixture
def web(slack: Sandbox) -> WebClient:
    return WebClient(slack.bot_token, slack.api, retry_handlers=[])


def uploaded(web: WebClient, content: bytes = PNG, complete: bool = True, **more: Any) -> str:
    place = web.files_getUploadURLExternal(filename="a.png", length=len(content), **more)
    httpx.post(str(place["upload_url"]), content=content, trust_env=False).raise_for_status()
    file_id = str(place["file_id"])
    if complete:
        web.files_completeUploadExternal(files=[{"id": file_id, "title": "a"}])
    return file_id


def ready(web: WebClient, file_id: str) -> dict[str, Any]:
    for _ in range(100):
        file: dict[str, Any] = web.files_info(file=file_id)["file"]
        if file["mimetype"]:
            return file
        time.sleep(0.02)
    raise AssertionError("it was never looked at")


def shown(web: WebClient, **file: Any) -> list[str]:
    """What is wrong with a message that shows it."""
    block = {"type": "image", "alt_text": "bars", "slack_file": file}
    try:
        web.chat_postMessage(channel="C0PAYMENTS", text="x", blocks=[block])
    except SlackApiError as refused:
        return list(refused.response["errors"])
    return []


def test_a_picture_is_shown_once_it_was_looked_at_by_its_id_or_its_address(web: WebClient) -> None:
    file_id = uploaded(web)
    assert web.files_info(file=file_id)["file"]["mimetype"] == ""
    assert shown(web, id=file_id) == [GONE]
    file = ready(web, file_id)
    assert file["mimetype"] == "image/png"
    assert shown(web, id=file_id) == []
    assert shown(web, url=file["url_private"]) == []
    got = httpx.get(file["url_private"], trust_env=False)
    assert (got.content, got.headers["content-type"]) == (PNG, "image/png")


def test_views_are_as_strict(web: WebClient) -> None:
    block = {"type": "image", "alt_text": "bars", "slack_file": {"id": "F0NOWHERE"}}
    with pytest.raises(SlackApiError) as refused:
        web.views_publish(user_id="U0ANA", view={"type": "home", "blocks": [block]})
    assert "invalid slack file" in str(refused.value.response["response_metadata"])
    block["slack_file"] = {"id": uploaded(web)}
    ready(web, block["slack_file"]["id"])  # type: ignore[index]  # as just made
    web.views_publish(user_id="U0ANA", view={"type": "home", "blocks": [block]})


@pytest.mark.parametrize("content", [b"plain words", b"<svg xmlns='http://www.w3.org/2000/svg'/>"])
def test_what_is_no_picture_is_not_shown_whatever_its_name(web: WebClient, content: bytes) -> None:
    file_id = uploaded(web, content)
    assert ready(web, file_id)["mimetype"] == "text/plain"
    assert shown(web, id=file_id) == [GONE]


def test_what_was_never_completed_is_not_shown(web: WebClient) -> None:
    assert shown(web, id=uploaded(web, complete=False)) == [GONE]


@pytest.mark.parametrize(
    ("file", "says"),
    [
        ({}, "must provide either url or id"),
        ({"id": "F0AAAAAAAA", "url": "https://files.example/x"}, "must provide either url or id"),
        ({"id": "picture"}, "input must match regex pattern"),
        ({"id": "F0AAAAAAAA", "name": "x"}, "invalid additional property: name"),
        ({"url": "https://files.example/files/x"}, "invalid slack file"),
    ],
)
def test_a_file_is_named_in_one_way_and_rightly(web: WebClient, file: dict[str, Any], says: str) -> None:
    assert any(says in line for line in shown(web, **file))


def test_the_words_of_a_picture_have_a_limit(web: WebClient) -> None:
    assert uploaded(web, alt_txt="x" * 1_000)
    with pytest.raises(SlackApiError, match="alt_txt_too_large"):
        uploaded(web, alt_txt="x" * 1_001)
