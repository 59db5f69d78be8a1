"""What is not signed by Slack, too old, too long, too slow or no payload is refused in plain words."""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import socket as sockets
import time
from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from slack_bolt import App

from bot.process import web
from bot.process.errors import SettingsError
from bot.sandbox import Sandbox
from bot.slack import http

from .conftest import FORM, Site, a_command, signed

STRANGE = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.mark.parametrize("ago_s", [301, 100_000, -303])
def test_a_signature_that_is_too_old_or_of_the_future_is_refused(site: Site, ago_s: float) -> None:
    body = a_command("ack 3", int(ago_s))
    answer = site.post(body, signed(body, ago_s))
    assert answer.status_code == 401
    assert "more than five minutes" in answer.text
    assert site.desk.handed == []


@pytest.mark.parametrize("ago_s", [290, -290])
def test_clocks_may_differ_by_less_than_five_minutes(site: Site, ago_s: float) -> None:
    body = a_command("status", int(ago_s))
    assert site.post(body, signed(body, ago_s)).status_code == 200
    assert site.desk.handed == [("command", "U0ANA", "status")]


@pytest.mark.parametrize(
    "change",
    [
        {"x-slack-signature": "v0=" + "0" * 64},
        {"x-slack-signature": ""},
        {"x-slack-signature": "v0=é".encode("latin-1").decode("latin-1")},
        {"x-slack-request-timestamp": ""},
        {"x-slack-request-timestamp": "-1"},
        {"x-slack-request-timestamp": "9" * 400},
        {"x-slack-request-timestamp": "now"},
    ],
)
def test_a_request_that_slack_did_not_sign_is_refused(site: Site, change: dict[str, str]) -> None:
    body = a_command("ack 3")
    headers = {name: value.encode("latin-1") for name, value in {**signed(body), **change}.items()}
    answer = site.line.post(site.url, content=body, headers=headers)
    assert answer.status_code == 401
    assert answer.text.startswith("Refused: ")
    assert site.desk.handed == []


@STRANGE
@given(
    body=st.one_of(st.binary(max_size=300), st.just(b"ssl_check=1"), st.just(a_command("ack 3"))),
    proof=st.one_of(st.text(max_size=80), st.binary(min_size=32, max_size=32).map(lambda b: f"v0={b.hex()}")),
    at=st.one_of(st.text(max_size=12), st.integers(-400, 400).map(lambda d: str(int(time.time()) + d))),
)
def test_whatever_comes_with_a_wrong_signature_is_refused(
    site: Site, body: bytes, proof: str, at: str
) -> None:
    headers = {"content-type": FORM, "x-slack-request-timestamp": at, "x-slack-signature": proof}
    assert site.door
    assert site.door.take(headers, body, time.monotonic()).status == 401
    assert site.desk.handed == []
    assert not site.store.requests.known(proof)


@STRANGE
@given(body=st.binary(min_size=1, max_size=200), at=st.integers(0, 10_000), flip=st.integers(0, 200 * 8))
def test_a_body_of_which_one_bit_was_changed_is_refused(site: Site, body: bytes, at: int, flip: int) -> None:
    text = body.decode("latin-1").encode()
    headers = signed(text)
    changed = bytearray(text)
    changed[(flip // 8) % len(text)] ^= 1 << (flip % 8)
    assert site.door
    assert site.door.take(headers, bytes(changed), time.monotonic()).status == 401
    assert site.door.take({**headers, "x-slack-request-timestamp": str(at)}, text, 0).status == 401
    assert site.door.take(signed(text, secret="another"), text, time.monotonic()).status == 401


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=10)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(["type", "event", "user", "team", "actions", "view", "event_id", "command", "x"]),
            inner,
            max_size=4,
        ),
    ),
    max_leaves=12,
)


@STRANGE
@given(
    body=st.one_of(
        JSON.map(lambda read: json.dumps(read).encode()),
        JSON.map(lambda read: urlencode({"payload": json.dumps(read)}).encode()),
        st.text(max_size=60).map(str.encode),
    ),
    kind=st.sampled_from([FORM, "application/json", "Application/JSON; charset=utf-8", "text/plain", ""]),
)
@example(body=b"[" * 100_000, kind="application/json")
@example(body=b"payload=" + b"%5B" * 50_000, kind=FORM)
@example(body="&".join(f"a{n}=1" for n in range(200)).encode(), kind=FORM)
def test_whatever_is_signed_is_answered_in_time_and_never_breaks_the_door(
    site: Site, body: bytes, kind: str
) -> None:
    assert site.door
    began = time.monotonic()
    answer = site.door.take(signed(body, kind=kind), body, began)
    assert answer.status in (200, 400), (answer, body)
    assert time.monotonic() - began < 3
    assert [what for what in site.desk.handed if what[0] == "act"] == []


def test_there_is_no_door_without_a_secret(site: Site) -> None:
    with pytest.raises(SettingsError, match="anybody could sign"):
        http.Door(App(token="xoxb-x", token_verification_enabled=False), " ", site.store.requests)


def test_bytes_that_are_no_text_are_refused_even_when_signed(site: Site) -> None:
    at = str(int(time.time()))
    body = b"\xff\xfe\x00payload"
    digest = hmac.new(
        Sandbox.signing_secret.encode(), f"v0:{at}:".encode() + body, hashlib.sha256
    ).hexdigest()
    headers = {"x-slack-request-timestamp": at, "x-slack-signature": f"v0={digest}"}
    answer = site.post(body, headers)
    assert answer.status_code == 400
    assert "not a payload" in answer.text


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_only_posts_are_answered(site: Site, method: str) -> None:
    answer = site.line.request(method, site.url)
    assert answer.status_code == 405
    assert answer.headers["allow"] == "POST"
    assert "only POST" in answer.text


def test_a_signature_is_of_its_own_second_only(site: Site) -> None:
    body = a_command("ack 3")
    headers = signed(body)
    headers["x-slack-request-timestamp"] = str(int(headers["x-slack-request-timestamp"]) + 1)
    assert site.post(body, headers).status_code == 401
    assert site.desk.handed == []


def said_to(site: Site, *parts: bytes) -> bytes:
    """What is answered to bytes on the line, which stays open and says nothing more."""
    assert site.handle
    with sockets.create_connection(("127.0.0.1", site.handle.port), timeout=5) as line:
        line.sendall(b"POST /slack/events HTTP/1.1\r\nHost: x\r\n" + b"\r\n".join(parts))
        return line.recv(1000)


def test_a_body_that_is_announced_as_too_long_is_not_waited_for(site: Site) -> None:
    for promised in (web.MOST_BYTES + 1, 10**12):
        answer = said_to(site, b"Content-Length: %d" % promised, b"", b"")
        assert answer.startswith(b"HTTP/1.1 413 ")


def test_a_body_that_grows_too_long_is_not_read_to_its_end(site: Site) -> None:
    for size, status in ((web.MOST_BYTES + 1, b"413"), (web.MOST_BYTES, b"401")):
        ended = b"" if status == b"413" else b"\r\n0\r\n\r\n"
        answer = said_to(site, b"Transfer-Encoding: chunked", b"", b"%x" % size, b"x" * size + ended)
        assert answer.startswith(b"HTTP/1.1 " + status)


def test_a_body_that_never_comes_is_not_waited_for(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web, "READ_S", 0.2)
    assert said_to(site, b"Content-Length: 100", b"", b"half").startswith(b"HTTP/1.1 408 ")


def test_what_is_refused_is_logged_once_and_without_what_came(
    site: Site, house: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    site.listens(house)
    body = a_command("note 3 the password is hunter2")
    with caplog.at_level(logging.DEBUG):
        answers = [site.post(body, signed(body, secret="wrong" * n)) for n in range(1, 20)]
    assert {answer.status_code for answer in answers} == {401}
    said = [record.getMessage() for record in caplog.records if record.name.startswith("bot.")]
    assert said == [
        "a request to /slack/events was refused: Its signature is not that of SLACK_SIGNING_SECRET."
    ]
    every = "\n".join(record.getMessage() for record in caplog.records) + answers[0].text
    for secret in ("hunter2", Sandbox.signing_secret, signed(body)["x-slack-signature"][3:]):
        assert secret not in every
