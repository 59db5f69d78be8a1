"""Until when tables are loaded, as Snowflake is asked for it: seldom, and with no row unseen for that."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

from hypothesis import given
from hypothesis import strategies as st

from sensors.model.policy import Incremental
from sensors.model.window import window_for
from sensors.warehouse import WarehouseError
from sensors.warehouse.snowflake_tables import Tables


class Simulated:
    """A Snowflake of two tables, as far as `Tables` asks it; `asked` has what ran, a letter for each."""

    def __init__(self, *tables: str) -> None:
        self.times: dict[str, list[datetime]] = {name: [] for name in tables}
        self.marks = dict.fromkeys(tables, 1)
        self.asked = ""
        self.between: list[tuple[str, datetime]] = []  # commits that come between two questions

    def commit(self, table: str, at: datetime) -> None:
        self.times[table].append(at)
        self.marks[table] += 1

    def ask(self, sql: str, _: object) -> list[tuple[object, ...]]:
        answer = self._answer(sql)
        if self.between:
            self.commit(*self.between.pop())
        return answer

    def _answer(self, sql: str) -> list[tuple[object, ...]]:
        if "SYSTEM$" in sql:
            self.asked += "m"
            found = re.findall(r"TIME\('([^']+)'\)", sql)
            if unknown := set(found) - self.marks.keys():
                raise WarehouseError(f"the warehouse has no {min(unknown)}")
            return [tuple(self.marks[table] for table in found)]
        if "COLUMNS" in sql:
            self.asked += "c"
            return [(*table.split("."), "at_", "timestamp_ntz") for table in self.times]
        self.asked += "t"
        read = re.findall(r"SELECT (\d+) AS n, .*? FROM ([\w.]+)", sql)
        newest = {n: max(self.times[table], default=None) for n, table in read}
        return [(int(n), at and at.replace(tzinfo=None)) for n, at in newest.items()]


AT = datetime(2026, 1, 1, tzinfo=UTC)
A, B = ("core.a", "at_"), ("core.b", "at_")


def test_what_is_due_together_is_answered_by_one_query_and_kept_a_moment() -> None:
    clock, there = SimpleNamespace(now=100.0), Simulated("core.a", "core.b")
    there.commit("core.a", AT)
    tables = Tables(there.ask, "core", lambda: clock.now)
    for _ in range(3):
        assert tables.loaded_until([A]) == {A: AT}
    assert there.asked == "mct"
    tables.loaded_until([B])  # a table that is new is asked for; of the other one it is known already
    assert there.asked == "mctmct"


def test_a_table_that_has_not_changed_is_not_asked_again() -> None:
    clock, there = SimpleNamespace(now=100.0), Simulated("core.a", "core.b")
    tables = Tables(there.ask, "core", lambda: clock.now)
    tables.loaded_until([A, B])
    there.asked = ""
    for _ in range(10):
        clock.now += 60
        tables.loaded_until([A, B])
    assert there.asked == "m" * 10  # and a mark wakes no warehouse
    there.commit("core.b", AT)
    clock.now += 60
    assert tables.loaded_until([A, B]) == {B: AT}
    assert there.asked == "m" * 11 + "t"


def test_what_is_behind_a_view_is_asked_once_an_hour_though_no_table_changed() -> None:
    clock, there = SimpleNamespace(now=100.0), Simulated("core.a", "core.b")
    tables = Tables(there.ask, "core", lambda: clock.now)
    assert tables.loaded_until([A]) == {}
    there.times["core.a"].append(AT)  # a view that hides what lies ahead of the clock
    clock.now += 3590
    assert tables.loaded_until([A]) == {}
    clock.now += 20
    assert tables.loaded_until([A]) == {A: AT}


def test_a_table_without_a_mark_is_asked_each_time_and_harms_no_other() -> None:
    clock, there = SimpleNamespace(now=100.0), Simulated("core.a", "core.b")
    del there.marks["core.b"]  # as of an external table
    tables = Tables(there.ask, "core", lambda: clock.now)
    for _ in range(3):
        tables.loaded_until([A, B])
        clock.now += 60
    assert there.asked == "mmmct" + "mt" * 2  # that it has none is asked once in ten minutes
    there.commit("core.a", AT)
    assert tables.loaded_until([A]) == {A: AT}


COMMITS = st.lists(st.tuples(st.sampled_from(["core.a", "core.b"]), st.integers(-90, 90)), max_size=3)
TICKS = st.lists(st.tuples(COMMITS, COMMITS, st.sampled_from([0.5, 3.0, 60.0])), max_size=12)


@given(TICKS, st.integers(0, 10), st.integers(0, 20))
def test_no_row_stays_unseen_that_would_be_seen_by_asking_each_time(
    ticks: list[tuple[list[tuple[str, int]], list[tuple[str, int]], float]], delay: int, lookback: int
) -> None:
    """The same policy over the same commits, as it is asked and with the times known at each moment. Rows may
    be late, early or of the future, and come between two questions."""
    clock, there = SimpleNamespace(now=100.0), Simulated("core.a", "core.b")
    tables = Tables(there.ask, "core", lambda: clock.now)
    kind = Incremental("at_", timedelta(seconds=lookback), timedelta(seconds=delay))
    marks: dict[str, datetime | None] = {"cheap": None, "always": None}
    seen: dict[str, set[datetime]] = {"cheap": set(), "always": set()}
    for commits, between, pause in [*ticks, ([], [], 200.0), ([], [], 200.0)]:
        clock.now += pause
        due = AT + timedelta(seconds=clock.now)
        for table, seconds in commits:
            there.commit(table, due + timedelta(seconds=seconds))
        there.between = [(table, due + timedelta(seconds=s)) for table, s in between]
        cheap = tables.loaded_until([A, B])
        while there.between:  # no more was asked, and they came all the same
            there.commit(*there.between.pop())
        newest = {table: max(times) for table, times in there.times.items() if times}
        for how, until in (("cheap", cheap.values()), ("always", newest.values())):
            window = window_for(kind, due, marks[how], min(until)) if len(until) == 2 else None
            if window is None or window.start is None or window.empty:  # an empty table is waited for
                continue
            rows = {at for times in there.times.values() for at in times}
            seen[how] |= {at for at in rows if window.start <= at < window.end}
            marks[how] = window.end
    assert seen["always"] <= seen["cheap"]
