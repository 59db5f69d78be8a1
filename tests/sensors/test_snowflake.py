"""Snowflake over the real connector and HTTP: stopped for sure, labelled, never paid twice."""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sensors.model.asset import Asset
from sensors.model.run import Submitted
from sensors.warehouse import QueryTimeout, Result, Warehouse, WarehouseError
from sensors.warehouse import snowflake_statement as statement
from sensors.warehouse.errand import Errand, on_errand
from sensors.warehouse.snowflake import Snowflake
from sensors.warehouse.snowflake_address import address
from tests.sensors.snowflake_local import HERE, LocalSnowflake, started, within

MINUTE = timedelta(minutes=1)
LABELS = {"bundle": "main", "policy": "payments.card_testing", "run": "7", "version": "abc123"}
MANY = " CROSS JOIN ".join(f"core.numbers t{n}" for n in range(30))
ENDLESS = f"SELECT COUNT(*) AS n FROM {MANY} WHERE SQRT(t0.n + t1.n + t29.n) > 0"


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A private key; its public half lies beside it."""
    private = tmp_path_factory.mktemp("key") / "key.p8"
    new = f"openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out {private}"
    for command in (new, f"openssl pkey -in {private} -pubout -out {private.with_suffix('.pub')}"):
        subprocess.run(command.split(), check=True, capture_output=True)
    return private


@pytest.fixture(scope="module")
def server(key: Path) -> Iterator[LocalSnowflake]:
    with started("--public-key", str(key.with_suffix(".pub"))) as local:
        local.run("CREATE DATABASE market", "CREATE SCHEMA market.core", "USE SCHEMA market.core")
        local.run("CREATE TABLE market.core.numbers AS SELECT 1 AS n UNION ALL SELECT 2 UNION ALL SELECT 3")
        yield local


@pytest.fixture(scope="module")
def warehouse(server: LocalSnowflake) -> Iterator[Snowflake]:
    with server.opened() as opened:
        yield opened


def ask(warehouse: Warehouse, sql: str, timeout: timedelta = MINUTE, limit: int = 100) -> Result:
    return warehouse.query(sql, {}, limit=limit, timeout=timeout, tag="payments.card_testing")


class Asking(threading.Thread):
    """A query in a thread of its own, and how it ended."""

    def __init__(self, warehouse: Warehouse, sql: str) -> None:
        super().__init__(daemon=True)
        self.warehouse, self.sql = warehouse, sql
        self.ended: Result | WarehouseError | None = None
        self.start()

    def run(self) -> None:
        try:
            self.ended = ask(self.warehouse, self.sql)
        except WarehouseError as error:
            self.ended = error

    def end(self) -> Result | WarehouseError:
        self.join(20)
        assert self.ended is not None
        return self.ended


# --------------------------------------------------------------------------- stopping


def test_a_query_past_its_timeout_is_aborted_in_the_warehouse_too(
    warehouse: Snowflake, server: LocalSnowflake
) -> None:
    with pytest.raises(QueryTimeout, match=r"took longer than 0.3 s"):
        ask(warehouse, f"{ENDLESS} AND 41 = 41", timeout=timedelta(seconds=0.3))
    within(lambda: server.history("41 = 41")[0]["end_time"])
    (line,) = server.history("41 = 41")
    assert (line["execution_status"], line["error_code"]) == ("FAILED_WITH_ERROR", "000604")


def test_where_nobody_is_left_to_abort_it_the_warehouse_ends_it_itself(server: LocalSnowflake) -> None:
    def dies(_: Submitted) -> bool:
        raise SystemExit

    with server.opened() as opened, pytest.raises(SystemExit):
        ask(on_errand(opened, Errand(submitted=dies)), f"{ENDLESS} AND 42 = 42", timeout=timedelta(seconds=1))
    within(lambda: server.history("42 = 42")[0]["end_time"])
    assert server.history("42 = 42")[0]["error_code"] == "000630"


def test_closing_aborts_what_still_runs(server: LocalSnowflake) -> None:
    opened = Snowflake(server.address())
    asking = Asking(opened, f"{ENDLESS} AND 43 = 43")
    server.submitted("43 = 43")
    opened.close()
    ended = asking.end()
    assert str(ended) == "the query was stopped: Patrol is ending"
    assert isinstance(ended, WarehouseError)
    assert ended.transient
    assert server.history("43 = 43")[0]["error_code"] == "000604"


def test_a_query_that_is_no_longer_wanted_is_aborted_with_its_reason(
    warehouse: Snowflake, server: LocalSnowflake
) -> None:
    why: list[str] = []
    errand = Errand(LABELS, unwanted=lambda: why[0] if why else "")
    asking = Asking(on_errand(warehouse, errand), f"{ENDLESS} AND 44 = 44")
    server.submitted("44 = 44")
    why.append("its policy is paused")
    assert str(asking.end()) == "the query was stopped: its policy is paused"
    assert server.history("44 = 44")[0]["error_code"] == "000604"


def test_a_query_of_a_run_that_another_process_has_is_aborted_at_once(
    warehouse: Snowflake, server: LocalSnowflake
) -> None:
    lost = on_errand(warehouse, Errand(LABELS, submitted=lambda _: False))
    with pytest.raises(WarehouseError, match="another process has this run"):
        ask(lost, f"{ENDLESS} AND 45 = 45")
    assert server.history("45 = 45")[0]["error_code"] == "000604"


def test_a_query_that_another_process_took_up_is_left_to_it(
    warehouse: Snowflake, server: LocalSnowflake
) -> None:
    gone: list[bool] = []
    with server.holding("SELECT 46"):
        asking = Asking(on_errand(warehouse, Errand(LABELS, lost=lambda: bool(gone))), "SELECT 46 AS n")
        server.submitted("SELECT 46")
        gone.append(True)
        assert str(asking.end()) == "the query was stopped: another process has this run"
    within(lambda: server.history("SELECT 46")[0]["end_time"])
    assert server.history("SELECT 46")[0]["execution_status"] == "SUCCESS"


# --------------------------------------------------------------------------- taking up


def test_the_history_says_for_which_run_a_query_was(warehouse: Snowflake, server: LocalSnowflake) -> None:
    told: list[Submitted] = []
    errand = Errand(LABELS, submitted=lambda one: not told.append(one))
    result = ask(on_errand(warehouse, errand), "SELECT 51 AS n")
    (line,) = server.history("SELECT 51")
    assert json.loads(line["query_tag"]) == {"app": "patrol", **LABELS, "asks": told[0].asks}
    assert result.query_id == line["query_id"] == told[0].query_id


def test_a_query_that_runs_since_before_a_restart_is_taken_up(server: LocalSnowflake) -> None:
    told: list[Submitted] = []
    with server.holding("SELECT 52"), server.opened() as first, server.opened() as second:
        Asking(on_errand(first, Errand(LABELS, submitted=lambda one: not told.append(one))), "SELECT 52 AS n")
        within(lambda: told)  # and now it is as if that process were gone
        again = Asking(on_errand(second, Errand(LABELS, before=told[0], again=True)), "SELECT 52 AS n")
        server.post("hold")
        ended = again.end()
    assert isinstance(ended, Result)
    assert (ended.rows, ended.query_id) == (((52,),), told[0].query_id)
    assert len(server.history("SELECT 52")) == 1


def test_one_whose_id_nobody_could_record_is_found_by_its_tag(warehouse: Snowflake) -> None:
    first = ask(on_errand(warehouse, Errand(LABELS)), "SELECT 53 AS n")
    told: list[Submitted] = []
    again = Errand(LABELS, again=True, submitted=lambda one: not told.append(one))
    assert ask(on_errand(warehouse, again), "SELECT 53 AS n").query_id == first.query_id
    assert [one.query_id for one in told] == [first.query_id]
    other = Errand({**LABELS, "run": "8"}, again=True)
    assert ask(on_errand(warehouse, other), "SELECT 53 AS n").query_id != first.query_id


def test_what_asks_something_else_failed_or_is_unknown_is_asked_anew(
    warehouse: Snowflake, server: LocalSnowflake
) -> None:
    told: list[Submitted] = []
    errand = Errand(LABELS, submitted=lambda one: not told.append(one))
    ask(on_errand(warehouse, errand), "SELECT 54 AS n")
    other = on_errand(warehouse, Errand(LABELS, before=told[0]))
    assert ask(other, "SELECT 55 AS n").rows == ((55,),)
    gone = Submitted("01b2c3d4-0000-0000-0000-000000000000", told[0].asks)
    assert ask(on_errand(warehouse, Errand(LABELS, before=gone)), "SELECT 54 AS n").rows == ((54,),)
    assert len(server.history("SELECT 54")) == 2


# --------------------------------------------------------------------------- results


def test_a_large_result_comes_in_chunks_and_only_so_far_as_it_is_wanted(warehouse: Snowflake) -> None:
    sql = "SELECT seq4() AS n, REPEAT('x', 1000) AS text FROM TABLE(GENERATOR(ROWCOUNT => 30000)) ORDER BY 1"
    result = ask(warehouse, sql, limit=12_000)
    assert (len(result.rows), result.truncated) == (12_000, True)
    assert [n for n, _ in result.rows] == list(range(12_000))


def test_rows_come_in_handfuls_and_those_beyond_the_limit_stay_there(
    warehouse: Snowflake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(statement, "AT_ONCE", 2)
    sql = "SELECT a.n + 3 * b.n AS n FROM core.numbers a CROSS JOIN core.numbers b ORDER BY 1"
    assert [n for (n,) in ask(warehouse, sql).rows] == list(range(4, 13))
    few = ask(warehouse, sql, limit=5)
    assert (few.rows, few.truncated) == (((4,), (5,), (6,), (7,), (8,)), True)


# --------------------------------------------------------------------------- sessions


def test_a_session_that_is_over_is_replaced_unseen(warehouse: Snowflake, server: LocalSnowflake) -> None:
    ask(warehouse, "SELECT 1 AS one")
    server.post("forget")
    assert ask(warehouse, "SELECT 61 AS n").rows == ((61,),)
    assert len(server.history("SELECT 61")) == 1


def test_a_query_outlives_its_session(warehouse: Snowflake, server: LocalSnowflake) -> None:
    with server.holding("SELECT 64"):
        asking = Asking(warehouse, "SELECT 64 AS n")
        server.submitted("SELECT 64")
        server.post("forget")
        server.post("hold")
        ended = asking.end()
    assert isinstance(ended, Result)
    assert ended.rows == ((64,),)
    assert len(server.history("SELECT 64")) == 1


def test_no_more_sessions_than_allowed_and_one_that_waits_in_vain_says_so(server: LocalSnowflake) -> None:
    with server.holding("SELECT 62"), server.opened(sessions=1) as opened:
        asking = Asking(opened, "SELECT 62 AS n")
        server.submitted("SELECT 62")
        with pytest.raises(WarehouseError, match="all 1 sessions with Snowflake are busy") as caught:
            ask(opened, "SELECT 63 AS n", timeout=timedelta(seconds=0.2))
        assert caught.value.transient
        server.post("hold")
        assert isinstance(asking.end(), Result)
        assert ask(opened, "SELECT 63 AS n").rows == ((63,),)


def test_the_local_one_says_when_a_table_was_last_altered(server: LocalSnowflake) -> None:
    asks = "SELECT table_name, last_altered FROM INFORMATION_SCHEMA.TABLES WHERE table_schema = 'CORE'"
    with server.opened() as opened:
        server.run("CREATE TABLE market.core.growing (n INT)", "CREATE TABLE market.core.still (n INT)")
        before = dict(ask(opened, asks).rows)
        server.run("INSERT INTO market.core.growing SELECT 1")
        after = dict(ask(opened, asks).rows)
    assert after["GROWING"] > before["GROWING"]
    assert after["STILL"] == before["STILL"]


def test_names_without_a_database_are_looked_for_in_the_urls(server: LocalSnowflake) -> None:
    with server.opened() as opened:
        assert opened.columns("numbers") == opened.columns("market.core.numbers") == {"n": "integer"}
        assert opened.columns("nowhere.core.numbers; DROP TABLE x") == {}


def test_a_text_that_says_until_when_a_table_is_loaded_is_read_as_a_time(server: LocalSnowflake) -> None:
    server.run("CREATE TABLE market.core.spoken AS SELECT '2026-01-01 12:00:00' AS seen")
    with server.opened() as opened:
        found = opened.loaded_until([Asset("core.spoken", loaded_until="seen")])
    assert found == {"core.spoken": datetime(2026, 1, 1, 12, tzinfo=UTC)}


LOGINS = [
    ({"SNOWFLAKE_PASSWORD": "patrol"}, ""),
    ({"SNOWFLAKE_PAT": "pat-patrol"}, ""),
    ({"SNOWFLAKE_TOKEN": "oauth-patrol"}, ""),
    ({"SNOWFLAKE_PASSWORD": "nope"}, "Snowflake does not take this user and password"),
    ({"SNOWFLAKE_PAT": "nope"}, r"Snowflake does not take this access token \(PAT\)"),
    ({"SNOWFLAKE_TOKEN": "nope"}, "Snowflake does not take this OAuth token"),
]  # fmt: skip


@pytest.mark.parametrize(("secret", "said"), LOGINS)
def test_each_way_to_log_in(server: LocalSnowflake, secret: dict[str, str], said: str) -> None:
    logs_in(Snowflake(address(server.url(), {"SNOWFLAKE_USER": "patrol", **secret})), said)


def test_a_key_pair_logs_in_and_another_does_not(server: LocalSnowflake, key: Path, tmp_path: Path) -> None:
    said = {"SNOWFLAKE_USER": "patrol", "SNOWFLAKE_PRIVATE_KEY_FILE": str(key)}
    logs_in(Snowflake(address(server.url(), said)), "")
    other = tmp_path / "other.p8"
    new = f"openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out {other}"
    subprocess.run(new.split(), check=True, capture_output=True)
    wrong = {**said, "SNOWFLAKE_PRIVATE_KEY_FILE": str(other)}
    logs_in(Snowflake(address(server.url(), wrong)), "Snowflake does not take this key")


def test_a_connection_of_connections_toml(
    server: LocalSnowflake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "connections.toml"
    file.write_text(
        f'[market]\naccount = "local"\nuser = "patrol"\npassword = "patrol"\nhost = "127.0.0.1"\n'
        f'port = {server.port}\nprotocol = "http"\ndatabase = "market"\nschema = "core"\n'
    )
    file.chmod(0o600)
    monkeypatch.setenv("SNOWFLAKE_HOME", str(tmp_path))
    logs_in(Snowflake(address("snowflake://market", {})), "")
    logs_in(Snowflake(address("snowflake://nowhere", {})), "'nowhere' not found in config files")


def logs_in(warehouse: Snowflake, said: str) -> None:
    try:
        if said:
            with pytest.raises(WarehouseError, match=said) as caught:
                warehouse.ping()
            assert not caught.value.transient
        else:
            warehouse.ping()
            assert ask(warehouse, "SELECT COUNT(*) AS n FROM core.numbers").rows == ((3,),)
    finally:
        warehouse.close()


def test_a_server_that_is_not_there_may_be_there_soon() -> None:
    url = "snowflake://local/market/core?host=127.0.0.1&port=1&protocol=http"
    where = address(url, HERE)
    warehouse = Snowflake(replace(where, arguments={**where.arguments, "retry_max_attempts": 1}))
    with pytest.raises(WarehouseError, match="Snowflake cannot be reached") as caught:
        warehouse.ping()
    assert caught.value.transient
    warehouse.close()
