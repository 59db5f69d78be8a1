"""What a case gives lies in the tables as it was written; what does not fit is named with its place."""
# ruff: noqa: E501 - a table reads by its rows

from __future__ import annotations

import json
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from sensors.cases.case import Ground, filled
from sensors.check import check
from sensors.model.asset import Asset
from sensors.model.case import Case
from sensors.model.catalog import Problem
from sensors.model.violation import row_hash
from sensors.warehouse import WarehouseError
from sensors.warehouse.duck_memory import Memory
from sensors.yaml_marks import read
from tests.sensors.project import NAME, POLICY, SQL, Project

TYPES = {
    "note": "varchar",
    "whole": "bigint",
    "amount": "decimal(12,2)",
    "exact": "number",
    "score": "double",
    "paid": "boolean",
    "at": "timestamp",
    "zoned": "timestamp_tz",
    "day": "date",
    "clock": "time",
    "payload": "variant",
    "tags": "array(varchar)",
    "raw": "binary",
}
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
naive = st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1))  # noqa: DTZ001 - of columns without a zone
semi = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
# For each column: the value that must come back, and how a file may write it.
values: dict[str, st.SearchStrategy[tuple[Any, Any]]] = {
    "note": texts.map(lambda v: (v, v)),
    "whole": st.integers(-(2**63), 2**63 - 1).map(lambda v: (v, v)),
    "amount": st.decimals(Decimal("-9999999999.99"), Decimal("9999999999.99"), places=2).map(
        lambda v: (v, str(v))
    ),
    "exact": st.integers(-(10**38) + 1, 10**38 - 1).map(lambda v: (Decimal(v), v)),
    "score": st.floats(allow_nan=False, allow_infinity=False).map(lambda v: (v, repr(v))),
    "paid": st.booleans().map(lambda v: (v, v)),
    "at": naive.map(lambda v: (v, v.isoformat())),
    "zoned": st.tuples(naive, st.integers(-12, 14)).map(
        lambda v: (v[0].replace(tzinfo=UTC), v[0].replace(tzinfo=UTC).astimezone(_zone(v[1])).isoformat())
    ),
    "day": st.dates(date(1, 1, 1), date(9999, 12, 31)).map(lambda v: (v, v.isoformat())),
    "clock": st.times().map(lambda v: (v, v.isoformat())),
    "payload": semi.map(lambda v: (v, v)),
    "tags": st.lists(st.none() | texts, max_size=4).map(lambda v: (v, v)),
    "raw": st.binary(max_size=20).map(lambda v: (v, v.hex())),
}
rows = st.lists(st.fixed_dictionaries({}, optional={n: st.none().map(lambda _: (None, None)) | v for n, v in values.items()}), min_size=1, max_size=6)  # fmt: skip


def _zone(hours: int) -> Any:
    return timezone(timedelta(hours=hours))


@pytest.fixture(scope="module")
def memory() -> Any:
    opened = Memory()
    yield opened
    opened.close()


def ground(given: Any, row_key: tuple[str, ...] = (), key: tuple[str, ...] = ()) -> tuple[Ground, Any]:
    """A policy that reads one table, with one case that gives these rows."""
    text = yaml.safe_dump({"cases": [{"given": {"core.t": given}}]}, allow_unicode=True, sort_keys=False)
    document = read("policies/a.yml", text)
    return Ground(document, ("core.t",), key, row_key, {"core.t": TABLE}, "snowflake"), document


TABLE = Asset("core.t", columns=TYPES)


def laid(memory: Memory, given: Any, **options: Any) -> list[dict[str, Any]]:
    """The rows as they lie in the table."""
    stands, _ = ground(given, **options)
    listed = tuple({n.lower(): v for n, v in row.items()} for row in given)
    tables, problems = filled(
        stands, 0, Case("one", datetime(2026, 1, 1, tzinfo=UTC), {"core.t": listed}, ())
    )
    assert [str(p) for p in problems] == []
    with memory.holding([TABLE], "snowflake", tables):
        found = memory.query("SELECT * FROM core.t", {}, limit=20_000, timeout=timedelta(seconds=30))
    return [dict(zip(found.columns, row, strict=True)) for row in found.rows]


@settings(max_examples=150, deadline=None, derandomize=True)
@given(rows=rows)
def test_a_row_that_is_given_comes_back_equal(memory: Memory, rows: list[dict[str, tuple[Any, Any]]]) -> None:
    came = laid(memory, [{name: written for name, (_, written) in row.items()} for row in rows])
    for row, back in zip(rows, came, strict=True):
        for name in TYPES:
            meant = row[name][0] if name in row else None
            got = back[name]
            if name == "payload" and got is not None:
                got = json.loads(got)
            if isinstance(got, datetime) and got.tzinfo:
                got = got.astimezone(UTC)
            assert (type(got), got) == (type(meant), meant), name


def test_nothing_of_one_case_is_there_in_the_next(memory: Memory) -> None:
    assert len(laid(memory, [{"note": "a"}, {"note": "b"}])) == 2
    assert laid(memory, []) == []
    with pytest.raises(WarehouseError), memory.holding([TABLE], "snowflake", ()):
        memory.query("SELECT nowhere FROM core.t", {}, limit=1, timeout=timedelta(seconds=5))
    assert [row["note"] for row in laid(memory, [{"note": "c"}])] == ["c"]


def test_a_case_reaches_nothing_outside(memory: Memory) -> None:
    with memory.holding([TABLE], "snowflake", ()):
        for sql in (
            "SELECT * FROM read_csv('/etc/passwd')",
            "SELECT * FROM '/etc/passwd'",
            "DROP TABLE core.t",
        ):
            with pytest.raises(WarehouseError):
                memory.query(sql, {}, limit=1, timeout=timedelta(seconds=5))


def test_a_table_may_have_a_database_in_its_name(memory: Memory) -> None:
    deep = Asset("shop.core.t", columns={"a": "int"})
    with memory.holding([deep], "snowflake", ()):
        assert memory.query(
            "SELECT * FROM shop.core.t", {}, limit=1, timeout=timedelta(seconds=5)
        ).columns == ("a",)


# ------------------------------------------------------------------------------ repeat


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    times=st.integers(1, 40),
    own=st.sampled_from(["note", "whole", "amount", "at", "day"]),
    data=st.data(),
)
def test_repeat_gives_so_many_rows_and_no_two_are_the_same(
    memory: Memory, times: int, own: str, data: st.DataObject
) -> None:
    small = {"whole": st.integers(0, 9).map(lambda v: (v, v)), "amount": st.just((1, "1.5"))}
    small["day"] = st.just((1, "2026-01-05"))
    row = {"note": "s", "paid": True} | {own: data.draw(small.get(own, values[own]))[1]}
    came = laid(memory, [row | {"repeat": times}], row_key=("paid", own), key=("paid",))
    assert len(came) == times
    assert len({row_hash(one, (own,)) for one in came}) == times
    assert {one["paid"] for one in came} == {True}


def test_copies_are_numbered_by_row_key_else_by_the_first_id_that_is_not_the_key() -> None:
    ids = Asset(
        "core.t", columns={"seller_id": "text", "refund_id": "text", "order_id": "int", "reason": "text"}
    )
    row = {"seller_id": "s", "refund_id": "r", "order_id": 7, "reason": "x", "repeat": 3}
    for row_key, expected in (
        (("seller_id",), [("s", "r", 7), ("s", "r_2", 7), ("s", "r_3", 7)]),
        (("order_id",), [("s", "r", 7), ("s", "r", 8), ("s", "r", 9)]),
        (("refund_id", "order_id"), [("s", "r", 7), ("s", "r_2", 8), ("s", "r_3", 9)]),
    ):
        came = _filled([row], ids, row_key, ("seller_id",))[0]
        assert [cells[:3] for cells in came] == expected


def _filled(given: Any, asset: Asset, row_key: tuple[str, ...] = (), key: tuple[str, ...] = ()) -> Any:
    stands, document = ground(given)
    stands = Ground(document, ("core.t",), key, row_key, {"core.t": asset}, "snowflake")
    case = Case("one", datetime(2026, 1, 1, tzinfo=UTC), {"core.t": tuple(given)}, ())
    tables, problems = filled(stands, 0, case)
    return tables[0].rows, [p.what for p in problems]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"note": "a", "repeat": 0}, "must be a whole number from 1 to 10,000, not 0"),
        ({"note": "a", "repeat": "3"}, 'must be a whole number from 1 to 10,000, not "3"'),
        ({"note": "a", "repeat": True}, "must be a whole number from 1 to 10,000, not true"),
        ({"note": "a", "repeat": 10**9}, "must be a whole number from 1 to 10,000, not 1000000000"),
        ({"note": "a", "repeat": 3}, "the copies would all be alike: give the row an id or a column of row_key, which is then numbered"),
    ],
)  # fmt: skip
def test_a_repeat_that_makes_no_rows_of_their_own_is_refused(row: Any, said: str) -> None:
    _, problems = _filled([row], TABLE)
    assert problems[0].endswith(said)


# ------------------------------------------------------------------------------ what does not fit


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        ("note", 17, 'must be text, not 17; put quotes around it: "17"'),
        ("note", ["a"], "must be text, not a list"),
        ("note", "\ud800", "must be text that can be written as UTF-8"),
        ("whole", "many", 'must be a whole number, not "many"'),
        ("whole", 1.5, "must be a whole number, not 1.5"),
        ("whole", 2**63, "must fit into bigint, which 9223372036854775808 does not"),
        ("whole", True, "must be a whole number, not true"),
        ("amount", "12,50", 'must be a number, not "12,50"'),
        ("amount", 1.005, "must fit into decimal(12,2), which has 2 digits after the point"),
        ("amount", 10**10, "must fit into decimal(12,2), which has 10 digits before the point"),
        ("amount", "1e999", "must fit into decimal(12,2), which has 10 digits before the point"),
        ("amount", "1e-999", "must fit into decimal(12,2), which has 2 digits after the point"),
        ("exact", 0.5, "must fit into decimal(38,0), which has 0 digits after the point"),
        ("score", "1e999", 'must fit into a floating-point number, which "1e999" does not'),
        ("score", {}, "must be a number, not a mapping"),
        ("paid", "yes", 'must be true or false, not "yes"'),
        ("paid", 1, "must be true or false, not 1"),
        ("at", "noon", 'must be a time such as 2026-01-05T12:00:00Z, not "noon"'),
        ("zoned", 1767614400, "must be a time such as 2026-01-05T12:00:00Z, not 1767614400"),
        (
            "zoned",
            "9999-12-31T23:59:59-12:00",
            'must be a time such as 2026-01-05T12:00:00Z, not "9999-12-31T23:59:59-12:00"',
        ),
        ("day", "2026-01-05T12:00:00Z", 'must be a date such as 2026-01-05, not "2026-01-05T12:00:00Z"'),
        ("clock", "25:00", 'must be a time of day such as 12:30:00, not "25:00"'),
        ("tags", "a, b", 'must be a list such as [a, b], not "a, b"'),
        ("tags", ["a", 1], 'must be text, not 1; put quotes around it: "1"'),
        ("raw", "xyz", 'must be bytes in hexadecimal, such as 0a1b, not "xyz"'),
    ],
)
def test_a_value_that_its_column_cannot_take_is_said(column: str, value: Any, said: str) -> None:
    _, problems = _filled([{column: value}], TABLE)
    assert [p.partition(f"{column}: ")[2] or p for p in problems] == [said]


CASES = """cases:
  - name: one
    at: 2026-01-05T12:00:00Z
    given:
      core.chat_messages:
        - {message_id: m1, seller_id: s_1, author_id: s_1, body: paypal, sent_at: 2026-01-05T11:00:00Z, repeat: 3}
    expect: [{seller_id: s_1, severity: medium}]
  - {name: two, at: 2026-01-05T12:00:00Z, given: {}, expect: []}
"""


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("body: paypal", "bdy: paypal", f'{POLICY}:21:60 cases[1].given.core.chat_messages[1].bdy: core.chat_messages has no column bdy; did you mean "body"?'),
        ("body: paypal", "BODY: 17", f'{POLICY}:21:66 cases[1].given.core.chat_messages[1].BODY: must be text, not 17; put quotes around it: "17"'),
        ("core.chat_messages:\n", "core.chat_message:\n", f'{POLICY}:20:7 cases[1].given.core.chat_message: the SQL does not read this table; did you mean "core.chat_messages"?'),
        ("severity: medium", "severty: medium", f'{POLICY}:22:31 cases[1].expect[1].severty: an alert of this policy has no severty; did you mean "severity"?'),
        ("name: two", "name: one", f"{POLICY}:23:12 cases[2].name: another case has this name; choose one"),
        ("expect: []", "expect: [{}]", f"{POLICY}:16:1 warning: cases: no case that is silent; write one with expect: []"),
        ("expect: [{seller_id: s_1, severity: medium}]", "expect: []", f"{POLICY}:16:1 warning: cases: no case that fires; write one that expects an alert"),
        ("given: {}", "given: {core.sellers: sellers.csv}", f"{POLICY}:23:65 cases[2].given.core.sellers: there is no file policies/payments/sellers.csv"),
        ("given: {}", "given: {core.sellers: ../_teams.yml}", f'{POLICY}:23:65 cases[2].given.core.sellers: must be rows, or a file x.csv in the folder of the policy\'s YAML, not "../_teams.yml"'),
        ("given: {}", "given: {core.sellers: /etc/x.csv}", f'{POLICY}:23:65 cases[2].given.core.sellers: must be rows, or a file x.csv in the folder of the policy\'s YAML, not "/etc/x.csv"'),
        ("given: {}", "given: []", f"{POLICY}:23:50 cases[2].given: must be rows by table, such as {{core.orders: [{{message_id: m1, sent_at: 2026-01-05T11:50:00Z}}]}}, not a list"),
        ("given: {}", "given: {core.sellers: 3}", f"{POLICY}:23:65 cases[2].given.core.sellers: must be a list of rows, or the name of a CSV file, not 3"),
        ("given: {}", "given: {core.sellers: [s_1]}", f'{POLICY}:23:66 cases[2].given.core.sellers[1]: must be a mapping such as {{message_id: m1, sent_at: 2026-01-05T11:50:00Z}}, not "s_1"'),
        ("given: {}", "given: {core.sellers: [], CORE.sellers: []}", f"{POLICY}:23:83 cases[2].given.CORE.sellers: is given above already, as core.sellers; keep one"),
        ("expect: []", "expect: none", f'{POLICY}:23:62 cases[2].expect: must be a list of alerts, or [] for none, not "none"'),
        ("expect: []", "expct: []", f'{POLICY}:23:54 unknown key "expct"; did you mean "expect"?'),
    ],
)  # fmt: skip
def test_check_names_what_is_wrong_with_a_case(project: Project, before: str, after: str, said: str) -> None:
    project.write(POLICY, project.read(POLICY) + CASES)
    assert problems(project) == []
    project.change(POLICY, before, after)
    assert said in problems(project)


def problems(project: Project) -> list[str]:
    found: tuple[Problem, ...] = check(project.load())
    return [str(problem) for problem in found]


def test_a_policy_without_cases_is_warned_of_unless_it_does_not_run(project: Project) -> None:
    said = f"{POLICY}:1:1 warning: cases: no case at all; write one that fires and one that is silent, and run `patrol test`"
    assert problems(project) == [said]
    project.change(POLICY, "owner:", "status: shadow\nowner:")
    assert len(problems(project)) == 1
    project.change(POLICY, "status: shadow", "status: draft")
    assert problems(project) == []


def test_a_wrong_case_is_named_beside_other_mistakes_and_stops_no_policy(project: Project) -> None:
    project.write(POLICY, project.read(POLICY) + CASES.replace("body: paypal", "bdy: paypal"))
    assert NAME in project.load().policies
    project.change(POLICY, "owner: payments", "owner: paymnts")
    assert len(problems(project)) == 2


# ------------------------------------------------------------------------------ CSV


def csv_problems(project: Project, text: str | bytes) -> list[str]:
    file = "policies/payments/rows/messages.csv"
    project.write(file, "")
    (project.path / file).write_bytes(text.encode() if isinstance(text, str) else text)
    cases = CASES.replace("given: {}", "given: {core.chat_messages: rows/messages.csv}")
    project.write(POLICY, project.read(POLICY).partition("cases:")[0] + cases)
    return problems(project)


def test_rows_may_lie_in_a_csv_file_beside_the_policy(project: Project) -> None:
    text = 'message_id,BODY,sent_at\r\nm1,"use ""PayPal"",\nnow",2026-01-05T11:00:00+02:00\r\nm2,,\r\n\r\n'
    assert csv_problems(project, text) == []
    catalog = project.load()
    policy = catalog.policies[NAME]
    (table,), none = filled(Ground.of(policy, catalog), 1, policy.cases[1])
    assert none == ()
    assert table.columns == ("message_id", "body", "sent_at")
    assert table.rows == (
        ("m1", 'use "PayPal",\nnow', datetime(2026, 1, 5, 9, tzinfo=UTC).replace(tzinfo=None)),
        ("m2", None, None),
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", ":1:1 the first line must name the columns"),
        ("message_id,bdy\n", ':1:1 core.chat_messages has no column bdy; did you mean "body"?'),
        ("body,body\n", ":1:1 body stands here twice; keep one"),
        ("body,sent_at\na\n", ":2:1 the first line names 2 columns, and this one gives 1"),
        ("body,sent_at\nok,2026-01-05\na,noon\n", ':3:1 sent_at: must be a time such as 2026-01-05T12:00:00Z, not "noon"'),
        ('body\n"a', ":2:1 this is no CSV: a quote is not closed, or stands in a cell without quotes, or a cell is too long"),
    ],
)  # fmt: skip
def test_what_is_wrong_in_a_csv_file_is_named_in_it(project: Project, text: str, said: str) -> None:
    assert f"policies/payments/rows/messages.csv{said}" in csv_problems(project, text)


def test_a_csv_file_that_is_no_text_is_said_where_it_is_named(project: Project) -> None:
    assert csv_problems(project, b"\xff\xfe\x00") == [
        f"{POLICY}:23:71 cases[2].given.core.chat_messages: policies/payments/rows/messages.csv is not UTF-8 text; save it as UTF-8"
    ]


def test_json_and_lists_are_read_out_of_csv(project: Project) -> None:
    project.change(
        "policies/_assets.yml", "author_id: text", "author_id: text, tags: array(int), payload: variant"
    )
    assert csv_problems(project, 'tags,payload\n"[1,2]","{""a"": null}"\n,null\n') == []
    wrong, listed = csv_problems(project, "tags,payload\n1,{a}\n")
    assert wrong.endswith('payload: must be JSON, such as {"a": 1}, not "{a}"')
    assert listed.endswith("tags: must be a list such as [a, b], not 1")
    assert SQL in project.load().policies[NAME].query.path


def test_clock_and_times_of_day_stay_what_they_are() -> None:
    came, problems = _filled([{"clock": "12:30"}], TABLE)
    assert (came, problems) == (((time(12, 30),),), [])
