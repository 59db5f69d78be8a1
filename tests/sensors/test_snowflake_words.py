"""What Snowflake's adapter says and reads without a server: addresses, binds, errors."""
# ruff: noqa: E501 - a table reads by its rows

from __future__ import annotations

import subprocess
import sys
import threading
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace

import pytest
import sqlglot
from hypothesis import example, given
from hypothesis import strategies as st

from sensors.model.session import USUAL, Session
from sensors.warehouse import QueryTimeout, WarehouseError, WrongSession, connect
from sensors.warehouse.snowflake_address import address
from sensors.warehouse.snowflake_binds import positional
from sensors.warehouse.snowflake_errors import PASSING, PERMANENT, plainly
from sensors.warehouse.snowflake_sessions import Sessions

WHO = {"SNOWFLAKE_USER": "patrol", "SNOWFLAKE_PASSWORD": "secret"}

# --------------------------------------------------------------------------- addresses


def test_the_url_names_the_place_and_the_environment_who_logs_in() -> None:
    found = address("snowflake://my-org.acct/Market/core?warehouse=WH&role=READER&sessions=3", WHO)
    assert found.sessions == 3
    assert found.schema == "core"
    expected = {
        "account": "my-org.acct",
        "database": "Market",
        "schema": "core",
        "warehouse": "WH",
        "role": "READER",
        "user": "patrol",
        "password": "secret",
        "authenticator": "SNOWFLAKE",
        "paramstyle": "qmark",
        "secondary_roles": "NONE",
    }
    assert {name: found.arguments.get(name) for name in expected} == expected
    assert found.arguments["session_parameters"]["TIMEZONE"] == "UTC"


def test_the_url_wins_over_the_environment_and_a_file_over_neither(tmp_path: Path) -> None:
    (tmp_path / "pat").write_text(" token \n")
    said = {"SNOWFLAKE_ROLE": "A", "SNOWFLAKE_WAREHOUSE": "W", "SNOWFLAKE_PAT_FILE": str(tmp_path / "pat")}
    found = address("snowflake://bo@acct/db?role=B", {**WHO, **said}).arguments
    assert (found["user"], found["role"], found["warehouse"]) == ("bo", "B", "W")
    assert (found["authenticator"], found["token"]) == ("PROGRAMMATIC_ACCESS_TOKEN", "token")
    assert "password" not in found  # one secret goes out, not all that are there


def test_a_bare_name_is_a_connection_of_connections_toml() -> None:
    found = address("snowflake://market?role=READER", {}).arguments
    assert (found["connection_name"], found["role"]) == ("market", "READER")
    assert "account" not in found


WRONG = [
    ("snowflake://", WHO, "a Snowflake URL is snowflake://account/database/schema"),
    ("snowflake:///db", WHO, "a Snowflake URL is snowflake://account/database/schema"),
    ("snowflake://a/b/c/d", WHO, "a Snowflake URL is snowflake://account/database/schema"),
    ("snowflake://a/b?warehous=X", WHO, r"takes no warehous \(did you mean warehouse\?\)"),
    ("snowflake://a/b?password=x", WHO, "a secret does not stand in the URL: set SNOWFLAKE_PASSWORD"),
    ("snowflake://a/b?sessions=0", WHO, "sessions in a Snowflake URL is a whole number from 1 to 64"),
    ("snowflake://a/b?port=x", WHO, "port in a Snowflake URL is a whole number"),
    ("snowflake://a/b", {}, "there is no secret to log in to Snowflake with: set SNOWFLAKE_PRIVATE_KEY_FILE"),
    ("snowflake://a/b?authenticator=OAUTH", WHO, "there is no secret that fits OAUTH to log in to Snowflake with: set SNOWFLAKE_TOKEN"),
    ("snowflake://a/b?authenticator=OATH", WHO, r"the authenticator is SNOWFLAKE_JWT, PROGRAMMATIC_ACCESS_TOKEN, OAUTH or SNOWFLAKE, not OATH \(did you mean OAUTH\?\)"),
    ("snowflake://a/b?authenticator=externalbrowser", WHO, "externalbrowser needs a person at hand"),
    ("snowflake://a/b", {"SNOWFLAKE_PASSWORD": "x"}, "nobody is named to log in to Snowflake"),
    ("snowflake://a/b", {**WHO, "SNOWFLAKE_PAT_FILE": "/none"}, "names /none, which cannot be read"),
    ("snowflake://a/b", {**WHO, "SNOWFLAKE_PRIVATE_KEY_FILE": "/none"}, "names /none, which is no file"),
]  # fmt: skip


@pytest.mark.parametrize(("url", "environment", "said"), WRONG)
def test_a_wrong_address_is_said_with_what_to_do(url: str, environment: dict[str, str], said: str) -> None:
    with pytest.raises(WarehouseError, match=said):
        address(url, environment)


@given(st.text(max_size=60))
@example("a@[::1/b")
@example("[")
def test_no_address_breaks_it(text: str) -> None:
    with suppress(WarehouseError):  # in plain words, or it is one
        assert address(f"snowflake://{text}", WHO).sessions >= 1


def test_nothing_of_the_driver_is_loaded_before_the_first_query() -> None:
    code = (
        "import sys; from sensors.warehouse import connect; w = connect('snowflake://a/b');"
        "sys.exit('snowflake.connector' in sys.modules)"
    )
    environment = {**WHO, "PYTHONPATH": str(Path(__file__).parents[2])}
    assert subprocess.run([sys.executable, "-c", code], env=environment, check=False).returncode == 0


def test_connect_knows_the_scheme(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in WHO.items():
        monkeypatch.setenv(name, value)
    assert connect("snowflake://a/b").dialect == "snowflake"


# --------------------------------------------------------------------------- binds


def test_each_name_becomes_a_mark_and_its_value_stands_in_order() -> None:
    sql = 'SELECT :b AS x, \':no\' AS t, ":n""o" AS u /* :no */ FROM t WHERE a > :a AND $$ :no $$ = :b -- :no'
    text, values = positional(sql, {"a": 1, "b": "x", "c": 3})
    assert text == sql.replace("> :a", "> ?").replace(":b", "?")
    assert values == ["x", 1, "x"]


TEXTS = st.text(alphabet=st.sampled_from("ab:'\"\\-/*$? \n;x"), max_size=12)


@given(TEXTS, TEXTS, st.text(max_size=5))
def test_whatever_stands_in_texts_and_comments_only_binds_are_marked(one: str, two: str, value: str) -> None:
    """sqlglot writes the SQL, as it does for every policy; what it wrote as text stays text."""
    tree = sqlglot.select(":a AS a").from_("t").where(sqlglot.exp.Literal.string(one).eq(sqlglot.column("c")))
    tree = tree.where(sqlglot.condition(":b > 1", dialect="snowflake"))
    tree.add_comments([two.replace("*/", "").replace("/*", "")])
    sql = tree.sql(dialect="snowflake")
    text, values = positional(sql, {"a": value, "b": 2})
    assert values == [value, 2]
    marked = sqlglot.parse_one(text, read="snowflake")
    assert len(list(marked.find_all(sqlglot.exp.Placeholder))) == 2
    assert one in {literal.this for literal in marked.find_all(sqlglot.exp.Literal)}


def test_a_time_goes_in_as_utc_without_its_zone() -> None:
    at = datetime.fromisoformat("2026-07-01T08:00:00-04:00")
    assert positional("SELECT :at", {"at": at})[1] == [
        ("TIMESTAMP_NTZ", datetime(2026, 7, 1, 12))  # noqa: DTZ001 - it has no zone
    ]


WRITING = [
    "DELETE FROM t",
    "CALL p()",
    "",
    "-- SELECT\nDROP TABLE t",
    "SHOW TABLES",
    "SELECT 1; DROP TABLE t",
]


@pytest.mark.parametrize("sql", WRITING)
def test_what_is_not_one_select_does_not_leave(sql: str) -> None:
    with pytest.raises(WarehouseError, match="only one SELECT may be run"):
        positional(sql, {})


# --------------------------------------------------------------------------- errors


def error(code: int, said: str, kind: str = "ProgrammingError") -> Exception:
    made: Exception = type(kind, (Exception,), {})(said)
    made.errno, made.raw_msg = code, said  # type: ignore[attr-defined]  # as the driver's errors have
    return made


C = "SQL compilation error:"
ERRORS = [
    (
        904,
        f"{C} error line 1 at position 7\ninvalid identifier 'NOPE'",
        "the tables read have no column nope",
    ),
    (
        2003,
        f"{C}\nObject 'CORE.NOPE' does not exist or not authorized.",
        "the warehouse has no core.nope, or the role may not read it: GRANT SELECT on it to the role",
    ),
    (2140, f"{C}\nUnknown function NOPE", "the warehouse has no function nope"),
    (1003, f"{C}\nunexpected 'SELEC'.", "the warehouse cannot read the SQL: unexpected 'SELEC'"),
    (
        606,
        "No active warehouse selected in the current session.",
        "no warehouse is chosen to run it, or the role may not use it: write ?warehouse=NAME or `session:`",
    ),
    (100038, "Numeric value 'x' is no", "a text cannot be read as a number: Numeric value 'x' is no"),
    (603, "Processing aborted; incident 123.", "Snowflake failed inside: Processing aborted; incident 123"),
    (390114, "Authentication token has expired.", "the session with Snowflake is over"),
    (424242, "Something else. ", "the query failed: Something else"),
    (-1, "", "the query failed: no reason given"),
]


@pytest.mark.parametrize(("code", "said", "plain"), ERRORS)
def test_errors_are_plain_and_permanent_or_passing(code: int, said: str, plain: str) -> None:
    found = plainly(error(code, said))
    assert (str(found), found.transient) == (plain, code in PASSING)
    assert found.transient is (code in (603, 390114))


def test_the_network_and_the_drivers_own_troubles_pass() -> None:
    for kind in ("OperationalError", "InternalError"):
        assert plainly(error(4, "HTTP request failed", kind)).transient
    refused = error(250001, "Failed to login: HTTP request failed after retries: refused", "DatabaseError")
    assert str(plainly(refused)) == "Snowflake cannot be reached: HTTP request failed after retries: refused"
    assert plainly(refused).transient
    assert not plainly(error(250001, "Failed to login: who knows", "DatabaseError")).transient


KEYS = [  # as the driver says it of a key file
    ("Private key is encrypted but no passphrase was provided; set `private_key_password`", "has a passphrase: set SNOWFLAKE_PRIVATE_KEY_PASSPHRASE"),
    ("Unsupported PEM label `PUBLIC KEY` for a private key", "is no private key: Unsupported PEM label"),
    ("Unspecified", "SNOWFLAKE_PRIVATE_KEY_PASSPHRASE not that of the key"),
]  # fmt: skip


@pytest.mark.parametrize(("said", "plain"), KEYS)
def test_what_is_wrong_with_a_key_is_said_in_our_words(said: str, plain: str) -> None:
    found = plainly(error(-1, f"Authentication failed. {said}", "DatabaseError"))
    assert plain in str(found)
    assert not found.transient


def test_the_servers_own_timeout_is_one() -> None:
    late = plainly(error(630, "Statement reached its statement or warehouse timeout of 3 second(s)"), 3)
    assert isinstance(late, QueryTimeout)
    assert str(late) == "the query took longer than 3 s and was stopped"


def test_every_number_has_one_sentence_of_one_line() -> None:
    assert not set(PERMANENT) & set(PASSING)
    for code in (*PERMANENT, *PASSING):
        said = str(plainly(error(code, "SQL compilation error:\nsome 'THING' is {wrong}.")))
        assert "\n" not in said
        assert said[:1].islower() or said.startswith("Snowflake")


# --------------------------------------------------------------------------- sessions


def logins(error: WarehouseError, kind: Session = USUAL) -> int:
    """How often Snowflake is asked when many policies want a session that it refuses."""
    tried: list[int] = []

    def refuses(_: Session) -> None:
        tried.append(1)
        raise error

    sessions = Sessions(refuses, 4)

    def policy() -> None:
        with suppress(WarehouseError), sessions.borrow(kind, 5) as session:
            assert session.connection is None

    threads = [threading.Thread(target=policy) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return len(tried)


def test_a_wrong_password_is_not_tried_by_every_policy_or_the_user_is_locked_out() -> None:
    assert logins(WarehouseError("Snowflake does not take this user and password")) == 1
    assert logins(WarehouseError("Snowflake cannot be reached", transient=True)) == 12


def test_a_role_that_is_refused_keeps_no_other_policy_out() -> None:
    tried: list[str] = []

    def opens(kind: Session) -> object:
        tried.append(kind.role)
        if kind.role == "nobody":
            raise WrongSession("the role is not there")
        return SimpleNamespace(close=lambda: None)

    sessions = Sessions(opens, 4)
    for role in ("nobody", "nobody", "risk", "nobody", "risk"):
        with suppress(WarehouseError), sessions.borrow(Session(role), 5) as lent:
            assert lent.connection is not None
    assert tried == ["nobody", "risk"]  # refused once, and a session that is open is lent again


def test_each_warehouse_has_its_own_bound_whatever_the_role() -> None:
    sessions = Sessions(lambda _: SimpleNamespace(close=lambda: None), 1, usual="wh")
    with sessions.borrow(Session("a", "big"), 5):
        with sessions.borrow(USUAL, 0):  # on the usual one
            for kind in (Session("b", "BIG"), Session("b", "WH"), Session("c")):
                with pytest.raises(WarehouseError, match="all 1 sessions with Snowflake for"):
                    sessions.borrow(kind, 0).__enter__()
        with sessions.borrow(Session("b"), 0):
            pass
