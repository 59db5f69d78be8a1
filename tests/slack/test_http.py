"""The same Bolt app over signed HTTP: the whole story of Socket Mode, then what only HTTP has to refuse."""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import socket as sockets
import sqlite3
import statistics
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from slack_sdk.signature import SignatureVerifier

from bot import web
from bot.metrics import Metrics
from bot.sandbox import Sandbox
from bot.slack import http
from bot.slack.client import SlackClient
from bot.slack.listeners import new_app, register
from bot.store import Store

from . import test_listeners as over_socket
from .conftest import MANIFEST, NOW, Bot, RecordingDesk, eventually

WELL = web.Health(True, True, {})
FORM = "application/x-www-form-urlencoded"
STRANGE = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@dataclass
class Site:
    """One process as far as Slack can tell: a server with a door in it, and a store behind."""

    file: Path
    desk: RecordingDesk = field(default_factory=RecordingDesk)
    metrics: Metrics = field(default_factory=Metrics)
    talk: list[ThreadPoolExecutor] = field(default_factory=list)
    line: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=10, trust_env=False))
    door: http.Door | None = None
    handle: web.Handle | None = None
    entered: int = 0

    def open(self) -> Site:
        self.store = Store(f"sqlite:///{self.file}")
        self.store.upgrade()
        self.handle = web.serve(web.app(lambda: WELL, self.metrics.registry, {http.PATH: self._take}), 0)
        return self

    def _take(self, *request: Any) -> http.Answer:
        assert self.door
        self.entered += 1
        return self.door.take(*request)

    def listens(self, slack: Sandbox) -> SlackClient:
        client = SlackClient(slack.bot_token, slack.api, timeout_s=5)
        app = new_app(client)
        self.talk.append(ThreadPoolExecutor(8))
        register(app, self.desk, client, self.talk[-1], lambda: NOW, self.metrics.acked)
        self.door = http.Door(app, slack.signing_secret, self.store.requests)
        return client

    @property
    def url(self) -> str:
        assert self.handle
        return self.handle.url + http.PATH

    def post(self, body: bytes, headers: dict[str, str]) -> httpx.Response:
        return self.line.post(self.url, content=body, headers=headers)

    def fall_silent(self) -> None:
        """Ends once everybody was answered."""
        for pool in self.talk:
            pool.shutdown()

    def close(self) -> None:
        self.line.close()
        if self.handle:
            self.handle.close()
        self.store.close()


def signed(
    body: bytes, ago_s: float = 0, secret: str = Sandbox.signing_secret, kind: str = FORM
) -> dict[str, str]:
    """The headers that Slack's own library holds to be right for this body."""
    at = str(int(time.time() - ago_s))
    proof = SignatureVerifier(secret).generate_signature(timestamp=at, body=body)
    return {"content-type": kind, "x-slack-request-timestamp": at, "x-slack-signature": str(proof)}


def a_command(text: str, n: int = 0) -> bytes:
    fields = {"command": "/patrol", "text": text, "user_id": "U0ANA", "team_id": "T0PATROL"}
    return urlencode({**fields, "channel_id": "C0PAYMENTS", "trigger_id": f"{text}.{n}"}).encode()


def a_mention(event_id: str, text: str = "<@U0PATROL> status") -> bytes:
    event = {"type": "app_mention", "user": "U0ANA", "channel": "C0PAYMENTS", "text": text, "ts": "17.0001"}
    body = {"type": "event_callback", "team_id": "T0PATROL", "event_id": event_id, "event": event}
    return json.dumps(body).encode()


@pytest.fixture(scope="module")
def first_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    made = Site(tmp_path_factory.mktemp("site") / "patrol.db").open()
    yield made
    made.close()


@pytest.fixture(scope="module")
def house(first_site: Site) -> Iterator[Sandbox]:
    """In place of the house of Socket Mode: one that posts its payloads to the site."""
    with Sandbox(
        channels=("payments", "chat"), pace=False, manifest=MANIFEST, request_url=first_site.url, scale=0.01
    ) as running:
        yield running


@pytest.fixture(scope="module")
def listening(
    house: Sandbox, first_site: Site
) -> Iterator[tuple[RecordingDesk, SlackClient, web.Handle | None]]:
    """In place of the connection of Socket Mode."""
    yield first_site.desk, first_site.listens(house), first_site.handle
    first_site.fall_silent()


@pytest.fixture
def site(first_site: Site, bot: Bot) -> Site:
    """The site with a clean desk."""
    assert bot.desk is first_site.desk
    return first_site


@pytest.fixture
def second_site(house: Sandbox, first_site: Site) -> Iterator[Site]:
    """Another process with the same store, so far as that can be had in one process."""
    made = Site(first_site.file).open()
    made.listens(house)
    yield made
    made.fall_silent()
    made.close()


# -- the story of Socket Mode, word for word -----------------------------------------------------------------

globals().update({name: story for name, story in vars(over_socket).items() if name.startswith("test_")})


def test_a_word_that_bolts_own_parser_trips_over_is_a_word(bot: Bot) -> None:
    seen = bot.sandbox.command("ana", "payments", "/patrol list payload")
    assert bot.desk.handed == [("command", "U0ANA", "list payload")]
    assert "Heard list payload." in over_socket.words(seen)


def test_acks_are_quick_and_measured_from_the_first_byte(bot: Bot, site: Site) -> None:
    seen = [bot.sandbox.command("ana", "payments", f"/patrol show {n}", wait_ms=0) for n in range(30)]
    assert statistics.median(one["ack_ms"] for one in seen) < 500
    samples = {s.name: s.value for m in site.metrics.registry.collect() for s in m.samples if not s.labels}
    assert samples["patrol_ack_seconds_count"] >= 30
    assert samples["patrol_ack_seconds_sum"] > 0


def test_the_challenge_for_a_new_url_is_answered(site: Site) -> None:
    body = json.dumps({"type": "url_verification", "challenge": "3eZbrw1a", "token": "x"}).encode()
    answer = site.post(body, signed(body, kind="application/json"))
    assert (answer.status_code, answer.json()) == (200, {"challenge": "3eZbrw1a"})
    assert site.post(body, {"content-type": "application/json"}).status_code == 401


# -- who may come in -----------------------------------------------------------------------------------------


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
        {"x-slack-request-timestamp": str(int(time.time()) + 1)},
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


def test_a_body_that_is_too_long_is_refused_before_it_is_read(site: Site) -> None:
    body = b"x" * (web.MOST_BYTES + 1)
    for sent in (body, iter([body[:600_000], body[600_000:]])):
        answer = site.line.post(site.url, content=sent, headers=signed(body))
        assert answer.status_code == 413
        assert "longer than 1,000,000 bytes" in answer.text


def test_a_promise_of_a_gigabyte_is_answered_at_once(site: Site) -> None:
    assert site.handle
    with sockets.create_connection(("127.0.0.1", site.handle.port), timeout=5) as line:
        line.sendall(b"POST /slack/events HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000\r\n\r\n")
        assert line.recv(1000).startswith(b"HTTP/1.1 413 ")


def test_a_body_that_never_comes_is_not_waited_for(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web, "READ_S", 0.2)
    assert site.handle
    with sockets.create_connection(("127.0.0.1", site.handle.port), timeout=5) as line:
        line.sendall(b"POST /slack/events HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf")
        assert line.recv(1000).startswith(b"HTTP/1.1 408 ")


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


# -- once only -----------------------------------------------------------------------------------------------


def test_the_same_signed_request_is_acted_on_once(site: Site) -> None:
    body = a_command("ack 3", 1)
    headers = signed(body)
    first, again = site.post(body, headers), site.post(body, headers)
    assert "Heard ack 3." in first.text
    assert (again.status_code, again.text) == (200, "")
    assert site.desk.handed == [("command", "U0ANA", "ack 3")]


def test_of_many_copies_at_once_one_is_acted_on(site: Site) -> None:
    body = a_command("ack 3", 2)
    headers = signed(body)
    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda _: site.post(body, headers), range(12)))
    assert {answer.status_code for answer in answers} == {200}
    assert site.desk.handed == [("command", "U0ANA", "ack 3")]


def test_a_copy_is_known_to_other_processes(site: Site, second_site: Site) -> None:
    body = a_command("ack 3", 3)
    headers = signed(body)
    assert "Heard" in second_site.post(body, headers).text
    assert site.post(body, headers).text == ""
    assert (len(second_site.desk.handed), site.desk.handed) == (1, [])


def test_the_same_words_typed_twice_are_two_requests(site: Site) -> None:
    for n in (4, 5):
        body = a_command("ack 3", n)
        assert "Heard" in site.post(body, signed(body)).text
    assert len(site.desk.handed) == 2


def test_an_event_that_comes_again_is_known_to_other_processes(site: Site, second_site: Site) -> None:
    body = a_mention("Ev0AGAIN")
    assert site.post(body, signed(body, kind="application/json")).status_code == 200
    again = second_site.post(body, signed(body, ago_s=-2, kind="application/json"))
    assert again.status_code == 200
    assert (len(site.desk.handed), second_site.desk.handed) == (1, [])


def test_an_event_whose_process_died_before_its_act_is_acted_on_when_it_comes_again(
    site: Site, second_site: Site
) -> None:
    body = a_mention("Ev0DIED")
    headers = signed(body, kind="application/json")
    site.store.requests.first(headers["x-slack-signature"], datetime.now(UTC))  # and then it died
    second_site.post(body, signed(body, ago_s=-2, kind="application/json"))
    assert second_site.desk.handed == [("command", "U0ANA", "status")]


# -- where the store does not answer -------------------------------------------------------------------------


@pytest.fixture
def locked(site: Site) -> Iterator[sqlite3.Connection]:
    """Another program holds the store's file, longer than anybody waits."""
    other = sqlite3.connect(site.file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    yield other
    if other.in_transaction:
        other.execute("ROLLBACK")
    other.close()


def test_while_the_store_is_locked_nothing_is_recorded_and_everybody_is_told(
    bot: Bot, site: Site, locked: sqlite3.Connection
) -> None:
    with ThreadPoolExecutor(3) as pool:
        click = pool.submit(bot.click, "alert.ack")
        command = pool.submit(bot.sandbox.command, "ana", "payments", "/patrol ack 3")
        mention = pool.submit(bot.sandbox.message, "bo", "payments", "@patrol ack 3", wait_ms=1500)
        seen = [click.result(), command.result(), mention.result()]
    for one in seen:
        assert one["acked"], one
        assert one["ack_ms"] < 3000
        assert "Not recorded: " in over_socket.words(one)
    assert site.desk.handed == []
    locked.execute("ROLLBACK")
    assert "Heard ack 3." in over_socket.words(bot.sandbox.command("ana", "payments", "/patrol ack 3"))


def test_while_the_store_is_locked_a_form_stays_open_with_what_was_typed(bot: Bot, site: Site) -> None:
    view = over_socket.opened(bot.click("alert.resolve"))
    with sqlite3.connect(site.file, isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        seen = bot.sandbox.submit("ana", view["id"], {"disposition": "test"})
        other.execute("ROLLBACK")
    assert "Not recorded" in seen["errors"]["disposition"]
    assert bot.acts == []
    bot.sandbox.submit("ana", view["id"], {"disposition": "test"})
    assert len(bot.acts) == 1


def test_slow_acts_hold_up_no_probe(bot: Bot, site: Site) -> None:
    bot.desk.delay_s, before = 1.5, site.entered
    assert site.handle
    with ThreadPoolExecutor(8) as pool:
        bodies = [a_command("list", n) for n in range(100, 108)]
        posting = [pool.submit(site.post, body, signed(body)) for body in bodies]
        eventually(lambda: site.entered == before + 8)
        assert site.line.get(site.handle.url + "/healthz").status_code == 200
        assert not all(done.done() for done in posting)
        assert {done.result().status_code for done in posting} == {200}
