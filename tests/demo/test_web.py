"""The admin site shows what is known, safely; the risk service answers once per key."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from bot.demo import holds, risk
from bot.demo.market import Market
from bot.demo.words import HOSTILE_CHAT, HOSTILE_NAMES

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
SITE = "http://127.0.0.1:9"
Serve = Callable[[Market], Iterator[str]]


@pytest.fixture(name="market")
def _market(open_market) -> Market:
    return open_market()


@pytest.fixture(name="client")
def _client(market: Market, serve: Serve) -> Iterator[httpx.Client]:
    with contextmanager(serve)(market) as address, httpx.Client(base_url=address, trust_env=False) as client:
        yield client


def page(client: httpx.Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200, path
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    return answer.text


def test_every_kind_of_thing_has_a_page(market: Market, client: httpx.Client):
    page(client, "/")
    for path, sql in (
        ("sellers", "SELECT seller_id FROM core.orders LIMIT 1"),
        ("buyers", "SELECT author_id FROM core.chat_messages WHERE author_id LIKE 'b%' LIMIT 1"),
        ("listings", "SELECT listing_id FROM core.listings LIMIT 1"),
        ("shows", "SELECT show_id FROM core.chat_messages LIMIT 1"),
        ("devices", "SELECT device_id FROM core.signups LIMIT 1"),
        ("devices", "SELECT device_id FROM vetted.banned_devices LIMIT 1"),
        ("addresses", "SELECT ip FROM core.account_events LIMIT 1"),
        ("campaigns", "SELECT campaign_id FROM core.campaigns LIMIT 1"),
    ):
        thing = market.read(sql)[0][0]
        assert thing in page(client, f"/{path}/{thing}")


def test_an_author_is_a_seller_or_a_buyer(client: httpx.Client):
    assert client.get("/people/s_3").headers["location"] == "/sellers/s_3"
    assert client.get("/people/b_3").headers["location"] == "/buyers/b_3"


def test_what_is_not_known_says_so(client: httpx.Client):
    for path in ("/sellers/s_999999", "/orders/o_1", "/sellers/<script>alert(1)<%2Fscript>"):
        answer = client.get(path)
        assert answer.status_code == 404
        assert "<script" not in answer.text


def test_hostile_text_stays_text(market: Market, client: httpx.Client):
    show = next(iter(market.world.shows.values()))
    for body in HOSTILE_CHAT:
        market._life.say(NOON + timedelta(seconds=1), show, show.seller_id, body)
    market.beat(NOON + timedelta(seconds=2))
    text = page(client, f"/shows/{show.id}")
    assert "<script" not in text
    assert "&lt;script&gt;alert(&#x27;sold&#x27;)&lt;/script&gt;" in text
    assert "https://prizes.example" in text
    assert 'href="http' not in text


def test_hostile_names_stay_names(market: Market, client: httpx.Client):
    named = market.read("SELECT seller_id FROM core.sellers WHERE display_name = ?", [HOSTILE_NAMES[1]])
    text = page(client, f"/sellers/{named[0][0]}")
    assert "<b>Kicks" not in text
    assert "*Bold* &amp; &lt;b&gt;Kicks&lt;/b&gt;" in text


def test_held_payouts_stand_on_the_sellers_page(market: Market, client: httpx.Client):
    assert "Payouts held" not in page(client, "/sellers/s_1")
    holds.ask(market.folder, "INSERT INTO payout_holds (seller_id, reason) VALUES ('s_1', 'looks <odd>')")
    text = page(client, "/sellers/s_1")
    assert "Payouts held" in text
    assert "looks &lt;odd&gt;" in text


def test_a_stolen_picture_leads_to_where_it_was_before(market: Market, client: httpx.Client):
    entry = market.plant("stolen_photos", NOON + timedelta(seconds=5))
    stolen = entry["rows"][0]
    (original,) = market.read(
        "SELECT o.listing_id FROM core.listings l JOIN core.listings o USING (image_hash) "
        "WHERE l.listing_id = ? AND o.listing_id <> l.listing_id",
        [stolen],
    )
    assert original[0] in page(client, f"/listings/{stolen}")


def test_a_rescore_runs_for_a_while_and_then_has_an_outcome(client: httpx.Client):
    answer = client.post("/rescore", json={"seller_id": "s_1"}, headers={"Idempotency-Key": "first"})
    assert answer.status_code == 202
    assert answer.json()["state"] == "running"
    assert answer.json()["link"] == f"{SITE}/sellers/s_1"
    deadline = time.monotonic() + risk.TAKES + 5
    while (run := client.get(f"/runs/{answer.json()['id']}").json())["state"] == "running":
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert run["state"] in ("succeeded", "failed")
    assert run["message"]


def test_the_same_key_means_the_same_run_also_after_a_restart(
    market: Market, client: httpx.Client, open_market, serve: Serve
):
    def rescore(client: httpx.Client, key: str) -> str:
        answer = client.post("/rescore", json={"seller_id": "s_1"}, headers={"Idempotency-Key": key})
        return str(answer.json()["id"])

    first = rescore(client, "k")
    assert rescore(client, "k") == first
    assert rescore(client, "another") != first
    market.close()
    with contextmanager(serve)(open_market()) as address, httpx.Client(base_url=address) as again:
        assert rescore(again, "k") == first


def test_trouble_raises_the_score_and_some_runs_fail(market: Market):
    runs = [risk.start(market.folder, f"k{n}", "s_1", troubled=True, now=100.0) for n in range(40)]
    failed = [run for run in runs if run.state(104.0) == "failed"]
    assert 0 < len(failed) < 20
    scored = next(run for run in runs if run.failure is None)
    assert scored.state(102.9) == "running"
    assert scored.message(104.0) == f"risk {scored.before:.2f} → {scored.after:.2f}"
    assert scored.after > 0.8
    calm = risk.start(market.folder, "calm", "s_2", troubled=False, now=100.0)
    assert calm.after < 0.5


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        ("no json", 400, "JSON object"),
        ("[]", 422, "seller_id is missing"),
        ('{"seller_id": 3}', 422, "seller_id is missing"),
        ('{"seller_id": "s_0"}', 404, "no seller s_0"),
    ],
)
def test_a_wrong_request_is_told_what_is_wrong(client: httpx.Client, body: str, status: int, said: str):
    answer = client.post("/rescore", content=body)
    assert answer.status_code == status
    assert said in answer.json()["error"]


def test_a_notice_is_sent_once_per_key_and_kept(market: Market, client: httpx.Client):
    for _ in range(2):
        answer = client.post(
            "/notices", json={"seller_id": "s_1", "text": "<i>be kind</i>"}, headers={"Idempotency-Key": "n"}
        )
        assert answer.status_code == 200
    assert holds.ask(market.folder, "SELECT count(*) FROM notices") == [(1,)]
    assert "&lt;i&gt;be kind" in page(client, "/sellers/s_1")
    assert client.post("/notices", json={"seller_id": "s_1"}).status_code == 422


def test_health_names_the_current_version(client: httpx.Client):
    assert client.get("/healthz").json() == {"ok": True, "version": "market-000001.duckdb"}
