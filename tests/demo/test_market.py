"""The marketplace lives, remembers, and stays small."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from bot.demo import holds, publish
from bot.demo import market as market_module
from bot.demo.market import FolderInUse, Market
from bot.demo.tables import TABLES

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
BEAT = timedelta(seconds=2.5)
TIMES = {
    "core.orders": "created_at",
    "core.chat_messages": "sent_at",
    "core.listings": "listed_at",
    "core.signups": "signed_up_at",
    "core.refunds": "refunded_at",
}


def contents(market: Market) -> dict[str, list[tuple[object, ...]]]:
    return {table: market.read(f"SELECT * FROM {table} ORDER BY ALL") for table in TABLES}


def newest(market: Market, table: str) -> datetime:
    at = market.read(f"SELECT max({TIMES[table]}) FROM {table}")[0][0]
    assert isinstance(at, datetime)
    return at.replace(tzinfo=UTC)


def count(market: Market, table: str) -> int:
    return int(market.read(f"SELECT count(*) FROM {table}")[0][0])


def published(market: Market) -> duckdb.DuckDBPyConnection:
    path = publish.current(market.folder)
    assert path is not None
    return duckdb.connect(str(path), read_only=True)


def truth(market: Market) -> list[dict[str, object]]:
    return [json.loads(line) for line in (market.folder / "truth.jsonl").read_text().splitlines()]


def test_the_same_seed_makes_the_same_marketplace(open_market):
    one, two = open_market(folder="one", calm=False), open_market(folder="two", calm=False)
    for market in (one, two):
        market.beat(NOON + BEAT)
    assert contents(one) == contents(two)


def test_another_seed_makes_another_one(open_market):
    one, two = open_market(folder="one", seed=1), open_market(folder="two", seed=2)
    assert contents(one) != contents(two)


def test_there_are_days_of_history_for_baselines_in_a_small_file(open_market):
    market = open_market()
    for table, column in TIMES.items():
        oldest = market.read(f"SELECT min({column}) FROM {table}")[0][0].replace(tzinfo=UTC)
        assert NOON - oldest > timedelta(days=3), table
        assert count(market, table) > 50, table
    path = publish.current(market.folder)
    assert path is not None
    assert path.stat().st_size < 15_000_000


def test_each_beat_brings_rows_of_its_own_time_only(open_market):
    market = open_market()
    before, brought, now = NOON, 0, NOON
    for _ in range(40):
        now += BEAT
        known = {table: count(market, table) for table in TIMES}
        market.beat(now)
        for table, column in TIMES.items():
            sql = f"SELECT count(*) FROM {table} WHERE {column} > ? AND {column} <= ?"
            span = [before.replace(tzinfo=None), now.replace(tzinfo=None)]
            arrived = count(market, table) - known[table]
            assert market.read(sql, span)[0][0] == arrived, table
            brought += arrived
        before = now
    assert brought > 30


def test_what_is_published_is_what_there_is(open_market):
    market = open_market()
    market.beat(NOON + BEAT)
    with published(market) as reader:
        for table in TABLES:
            rows = reader.execute(f"SELECT * FROM {table} ORDER BY ALL").fetchall()
            assert rows == market.read(f"SELECT * FROM {table} ORDER BY ALL"), table


def test_a_reader_keeps_its_version_while_new_ones_come(open_market):
    market = open_market()
    with published(market) as reader:
        first = reader.execute("SELECT count(*) FROM core.chat_messages").fetchone()
        for n in range(1, 12):
            market.beat(NOON + n * timedelta(seconds=30))
        assert reader.execute("SELECT count(*) FROM core.chat_messages").fetchone() == first
    with published(market) as reader:
        assert reader.execute("SELECT count(*) FROM core.chat_messages").fetchone() != first


def test_old_versions_go(open_market):
    market = open_market()
    for n in range(1, 20):
        market.beat(NOON + n * BEAT)
    assert len(publish.versions(market.folder)) == publish.KEPT
    assert len(list(market.folder.glob("work_*.duckdb"))) == 1


def test_a_restart_goes_on_where_it_was_and_fills_the_time_away(open_market):
    market = open_market()
    market.beat(NOON + BEAT)
    before = contents(market)
    ids = market.world.next_ids.copy()
    market.close()

    later = NOON + timedelta(hours=3)
    again = open_market(later)
    for table in ("core.orders", "core.chat_messages", "core.signups"):
        kept = {row[0] for row in again.read(f"SELECT * FROM {table}")}
        assert {row[0] for row in before[table]} <= kept, table
        assert len(kept) == count(again, table), f"ids of {table} are used once"
        assert later - newest(again, table) < timedelta(minutes=15), table
    assert all(again.world.next_ids[table] >= number for table, number in ids.items())
    away = again.read(
        "SELECT count(*) FROM core.chat_messages WHERE sent_at BETWEEN ? AND ?",
        ["2026-11-23 12:30:00", "2026-11-23 13:30:00"],
    )
    assert away[0][0] > 10


def test_a_month_away_is_filled_with_the_last_days_only(open_market):
    open_market().close()
    again = open_market(NOON + timedelta(days=30))
    assert count(again, "core.chat_messages") < 40_000


def test_fresh_starts_anew(open_market):
    first = open_market(calm=False)
    first.plant("card_testing", NOON + BEAT)
    holds.ask(first.folder, "INSERT INTO payout_holds (seller_id, reason) VALUES ('s_1', 'test')")
    first.close()
    again = open_market(NOON + timedelta(days=1), fresh=True)
    assert truth(again) == []
    assert holds.held(again.folder) == set()
    assert newest(again, "core.orders") <= NOON + timedelta(days=1)


def test_two_markets_do_not_share_a_folder(open_market):
    market = open_market()
    with pytest.raises(FolderInUse, match="end it first"):
        Market(market.folder, 7, NOON)


def test_a_pointer_to_a_file_that_is_gone_means_a_new_start(open_market):
    market = open_market()
    market.close()
    for path in market.folder.glob("market-*.duckdb"):
        path.unlink()
    assert count(open_market(), "core.orders") > 100


def test_planted_trouble_is_in_the_truth_with_rows_that_exist(open_market):
    market = open_market()
    entry = market.plant("card_testing", NOON + BEAT)
    assert truth(market) == [entry]
    assert entry["policy"] == "payments.card_testing"
    with published(market) as reader:
        orders = reader.execute(
            "SELECT count(*) FROM core.orders WHERE list_contains(?::varchar[], order_id) AND buyer_id = ?",
            [entry["rows"], entry["key"]["buyer_id"]],
        ).fetchone()
    assert orders == (len(entry["rows"]),)


def test_a_truth_that_a_kill_cut_short_is_told_again(open_market):
    market = open_market()
    entries = [market.plant(kind, NOON + BEAT) for kind in ("raid", "harassment")]
    market.close()
    (market.folder / "truth.jsonl").write_text('{"at": "2026')
    assert truth(open_market(NOON + 2 * BEAT)) == entries


def test_trouble_stands_at_the_start_and_comes_again_and_again(open_market):
    market = open_market(calm=False)
    at_first = len(truth(market))
    assert at_first >= 6
    for n in range(1, 61):
        market.beat(NOON + n * timedelta(seconds=10))
    told = truth(market)
    assert 6 <= len(told) - at_first <= 11, "one every 60 to 90 seconds, for ten minutes"
    assert len({entry["policy"] for entry in told}) >= 8


def test_after_the_first_hour_trouble_comes_less_often(open_market):
    market = open_market(calm=False)
    told = []
    for n in range(1, 61):
        market.beat(NOON + n * timedelta(minutes=2))
        told.append(len(truth(market)))
    assert told[-1] - told[29] < (told[29] - told[0]) / 1.5


def test_trouble_that_stands_is_put_right_after_a_while(open_market):
    market = open_market()
    kinds = ("expired_verification_live", "payout_account_changed", "counterfeit_wording")
    for kind in kinds:
        market.plant(kind, NOON + BEAT)
    assert market.read("SELECT count(*) FROM core.sellers WHERE verification = 'expired'") == [(1,)]
    for n in range(1, 31):
        market.beat(NOON + n * timedelta(minutes=1))
    assert market.read("SELECT count(*) FROM core.sellers WHERE verification = 'expired'") == [(0,)]
    assert market.read("SELECT count(*) FROM core.listings WHERE status = 'removed'") == [(1,)]


def test_held_payouts_wait_until_they_are_released(open_market):
    market = open_market()
    seller = market.plant("payout_account_changed", NOON + BEAT)["key"]["seller_id"]
    state = "SELECT payout_state FROM core.sellers WHERE seller_id = ?"

    holds.ask(market.folder, "INSERT INTO payout_holds (seller_id, reason) VALUES (?, 'test')", [seller])
    market.beat(NOON + 2 * BEAT)
    assert market.read(state, [seller]) == [("held",)]

    holds.ask(market.folder, "DELETE FROM payout_holds WHERE seller_id = ?", [seller])
    market.beat(NOON + 3 * BEAT)
    assert market.read(state, [seller]) == [("scheduled",)]


def test_old_rows_go_so_that_the_file_stays_small(open_market, monkeypatch: pytest.MonkeyPatch):
    few = {table: (column, min(most, 600)) for table, (column, most) in market_module.KEEP.items()}
    monkeypatch.setattr(market_module, "KEEP", few)
    market = open_market(calm=False)
    for n in range(1, 30):
        market.beat(NOON + n * timedelta(minutes=1))
    for table in ("core.chat_messages", "core.orders", "core.listings", "core.buyers"):
        assert 500 < count(market, table) < 1_000, table
    assert set(market.world.buyers) == {row[0] for row in market.read("SELECT buyer_id FROM core.buyers")}
    size = publish.current(market.folder)
    assert size is not None
    assert size.stat().st_size < 6_000_000


def test_life_goes_on_when_the_clock_goes_back(open_market):
    market = open_market()
    market.beat(NOON - timedelta(minutes=5))
    market.beat(NOON + BEAT)
    assert newest(market, "core.chat_messages") <= NOON + BEAT


def test_no_leftovers_of_an_earlier_working_file_are_taken_over(open_market, tmp_path: Path):
    open_market().close()
    (tmp_path / "market" / "work_9.duckdb").write_bytes(b"half a file")
    (tmp_path / "market" / "work_9.duckdb.wal").write_bytes(b"half a log")
    market = open_market(NOON + BEAT)
    assert [path.name for path in market.folder.glob("work_*")] == ["work_1.duckdb"]
