"""Every shape gives a pair that check finds nothing in, whose two cases pass, in projects of all kinds."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.demo.market import Market
from bot.new.pair import short
from bot.new.proof import Proof
from bot.new.shape import SHAPES
from bot.new.wish import Wish
from bot.process.errors import PatrolError
from bot.process.settings import DIALECTS
from sensors.catalog import load
from sensors.model.clock import parse_duration
from sensors.model.policy import Status
from sensors.model.window import window_for
from sensors.run import data_until, look
from sensors.warehouse import Warehouse, connect
from tests.demo.conftest import NOON
from tests.new.shaping import MARKET, ROOT, made, project, wished
from tests.shell.typing_in import Patrol

EACH = [(shape, said) for shape, wishes in MARKET.items() for said in wishes]
RIGHT = Proof((), (), 2)
GRADED = Proof((), (), 3)  # threshold has a case for each grade


@pytest.fixture(scope="module", name="warehouse")
def _warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    folder = tmp_path_factory.mktemp("market")
    market = Market(folder, 7, NOON)
    opened = connect(f"duckdb:///{folder}")
    yield opened
    opened.close()
    market.close()


@pytest.mark.parametrize(("shape", "said"), EACH)
def test_a_shape_over_the_marketplace_is_right_at_once_and_runs_on_its_warehouse(
    shape: str, said: dict[str, Any], warehouse: Warehouse, tmp_path: Path
) -> None:
    files, proof = made(ROOT, wished(shape, said))
    assert proof == (GRADED if shape == "threshold" and "severity" not in said else RIGHT)
    for name in ("policies", "sql"):
        shutil.copytree(ROOT / name, tmp_path / name)
    for path, text in files.items():
        (tmp_path / path).write_text(text)
    catalog = load(tmp_path)
    policy = catalog.policies["payments.tried"]
    assert policy.status is Status.shadow
    assert policy.false_positives
    until = data_until(policy, catalog.assets, warehouse)
    looked = look(policy, warehouse, window_for(policy.window, NOON, None, until))
    assert looked.ok, looked.error
    assert looked.bad_rows == ()


@pytest.mark.parametrize(("times", "least"), [(3, 1), (2, 3), (3, 3), (10, 3), (3, 12), (2, 31)])
def test_a_rate_of_one_who_had_no_hits_before_alerts_from_its_own_number_of_hits_on(
    times: int, least: int
) -> None:
    """It alerted on the first hit, since any share is many times none."""
    for said in MARKET["rate"]:
        files, proof = made(ROOT, wished("rate", said | {"threshold": times, "least_hits": least}))
        assert proof == RIGHT
        assert f"least_hits: {least}, times: {times}" in files["policies/payments/tried.yml"]


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("shape", SHAPES)
def test_a_shape_is_right_in_a_project_of_any_dialect(shape: str, dialect: str, tmp_path: Path) -> None:
    columns = {"order_id": "int", "order": "varchar(20)", "body": "varchar(99)", "at": "timestamp"}
    if dialect in ("bigquery", "databricks", "spark", "clickhouse"):
        columns |= {"order": "string", "body": "string"}
    if dialect == "tsql":
        columns["at"] = "datetime"  # its timestamp is no time
    folder = project(tmp_path, {**columns, "user_id": columns["body"]})
    said: dict[str, Any] = {"key": ("order",), "table": "core.things", "match": "body LIKE '%venmo%'"}
    said |= {"watchlist": {"watchlist": "core.list"}, "ring": {"distinct": "user_id"}}.get(shape, {})
    assert made(folder, wished(shape, said), dialect)[1] in (RIGHT, GRADED)


HOSTILE = ("order", "null", "count", "least", "a$b", "SELLER_ID")


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("shape", SHAPES)
def test_hostile_names_of_columns(shape: str, name: str, tmp_path: Path) -> None:
    columns = {"thing": "varchar", name: "varchar", "user": "varchar", "amount": "int", "at": "timestamp"}
    folder = project(tmp_path, columns)
    said: dict[str, Any] = {"key": (name,), "table": "CORE.Things", "match": "amount >= 5"}
    said |= {"watchlist": {"watchlist": "core.list"}}.get(shape, {})
    if shape in ("ring", "burst"):
        assert made(folder, wished(shape, said | {"key": ("user",), "distinct": name}))[1] in (RIGHT, GRADED)
    assert made(folder, wished(shape, said))[1] in (RIGHT, GRADED)
    distinct = {"distinct": "thing"} if shape in ("ring", "burst") else {}
    other = said | distinct | {"key": ("user",), "match": f"{name} = 'x'"}
    assert made(folder, wished(shape, other))[1] in (RIGHT, GRADED)


KINDS = (
    "varchar",
    "int",
    "bigint",
    "decimal(12,2)",
    "number",
    "uuid",
    "boolean",
    "date",
    "timestamp",
    "float",
    "json",
)
USABLE = {"varchar", "int", "bigint", "decimal(12,2)", "number", "uuid"}
COLUMNS = st.dictionaries(
    st.from_regex(r"[a-z_][a-z0-9_$]{0,12}", fullmatch=True), st.sampled_from(KINDS), max_size=6
)
NAMES = st.from_regex(r"[a-z][a-z0-9_]{0,20}(\.[a-z][a-z0-9_]{0,20}){0,2}", fullmatch=True)
SAID = {"watchlist": {"watchlist": "core.list"}}
drawn = settings(max_examples=25, deadline=None, derandomize=True)


@drawn
@given(data=st.data(), shape=st.sampled_from(sorted(SHAPES)), columns=COLUMNS, name=NAMES)
def test_any_name_and_any_table_with_any_key_give_a_pair_that_is_right(
    data: st.DataObject, shape: str, columns: dict[str, str], name: str
) -> None:
    every = {**columns, "user": "varchar", "words": "varchar", "at": "timestamp"}
    able = sorted(c for c, kind in every.items() if kind in USABLE and c != "words")
    keys = data.draw(st.lists(st.sampled_from(able), min_size=1, max_size=2, unique=True))
    if shape in ("ring", "burst"):
        every["member"] = "varchar"
    with tempfile.TemporaryDirectory() as folder:
        here = project(Path(folder) / "p", every)
        said = {
            "table": "core.things",
            "key": tuple(keys),
            "match": "words LIKE '%pay%'",
            **SAID.get(shape, {}),
        }
        if shape in ("ring", "burst"):
            said |= {"distinct": data.draw(st.sampled_from([c for c in (*able, "member") if c not in keys]))}
        first = next(iter(every))
        if first == "words":
            said |= {"row_key": ("user",)}
        assert made(here, wished(shape, said, name))[1] in (RIGHT, GRADED)


@drawn
@given(data=st.data(), shape=st.sampled_from(sorted(SHAPES)), columns=COLUMNS, name=st.text(max_size=12))
def test_and_what_cannot_be_gets_one_sentence(
    data: st.DataObject, shape: str, columns: dict[str, str], name: str
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        here = project(Path(folder) / "p", columns)
        words = st.sampled_from([*columns, "core.things", "none", "x"])
        flags = ("table", "time", "text", "match", "distinct", "of", "watchlist", "on", "owner", "violation")
        said: dict[str, Any] = {flag: data.draw(st.none() | words) for flag in flags}
        said["key"] = tuple(data.draw(st.lists(words, max_size=2)))
        with pytest.raises(PatrolError) as refused:
            made(here, wished(shape, said, name or "-"))
        assert str(refused.value).endswith((".", "?", "}}"))
        assert "Error" not in str(refused.value)


@given(st.integers(1, 10**7))
def test_durations_are_written_as_they_are_read(seconds: int) -> None:
    assert parse_duration(short(timedelta(seconds=seconds))) == timedelta(seconds=seconds)


def test_what_is_said_is_kept(tmp_path: Path) -> None:
    folder = project(tmp_path, {"id": "varchar", "email": "varchar", "user_id": "int", "at": "timestamp"})
    wish = Wish("a.b_c", "event", "core.things", key=("user_id",), match="email like '%x%'", severity="high")
    files, _ = made(folder, wish)
    yml, sql = files["policies/a/b_c.yml"], files["sql/a/b_c.sql"]
    assert "severity: high\n" in yml
    assert "  columns: {email: mask}\n" in yml
    assert 'title: "{{ user_id }}: b c"\n' in yml
    assert "expect: [{user_id: 1, severity: high}]" in yml
    assert "LOWER(e.email) LIKE :email_like" in sql


def test_a_folder_s_defaults_are_there_when_the_pair_is_proved(patrol: Patrol, folder: Path) -> None:
    defaults, pair = folder / "policies/odd/_defaults.yml", folder / "policies/odd/pays.yml"
    defaults.parent.mkdir()
    words = (
        "new",
        "odd/pays",
        "--like",
        "event",
        "--table",
        "core.chat_messages",
        "--match",
        "body like '%x%'",
    )
    for said, code in (("timeout: soon", 2), ("timeout: 9m", 0)):
        defaults.write_text(f"{said}\n")
        ran = patrol(*words, "--owner", "chat")
        assert (ran.code, pair.exists()) == (code, code == 0), ran.err
    assert load(folder).policies["odd.pays"].timeout == timedelta(minutes=9)
