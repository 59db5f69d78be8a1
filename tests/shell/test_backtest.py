"""`patrol backtest` as an analyst meets it, and what a replay says of what it could not look at."""

from __future__ import annotations

import json
import os
import signal
from datetime import datetime, timedelta
from pathlib import Path
from xml.etree import ElementTree

import pytest

from bot.core.change import Refused
from bot.core.held import Assumed
from bot.workbench import replay as room
from bot.workbench.replay import Replayed, plan, replay
from sensors import run
from sensors.catalog import load
from sensors.model.policy import Policy, Severity
from sensors.model.run import Looked
from sensors.model.window import Window
from sensors.warehouse import Warehouse, WarehouseError, connect
from tests.shell.making import (
    BESIDE_ITS_PAST,
    BESIDE_ITS_PAST_SQL,
    DAY,
    ELSEWHERE,
    FILES,
    HOUR,
    MINUTE,
    NOON,
    World,
)
from tests.shell.typing_in import Patrol

NAME = "payments.elsewhere"
SPAN = ("--from", "2026-01-05", "--to", "2026-01-08")
HOURLY = ELSEWHERE.replace("every: 1m", "every: 1h")
USUAL = Assumed()
NIGHT = NOON.replace(hour=3) + DAY


@pytest.fixture
def busy(world: World) -> World:
    """s_1 asks at noon, again an hour later, and in the third night; once somebody with a hostile name."""
    world.write("policies/payments/elsewhere.yml", HOURLY)
    world.table.says("s_1", NOON + 10 * MINUTE, times=2)
    world.table.says("s_1", NOON + 70 * MINUTE, times=2)
    world.table.says("s_1", NIGHT + DAY)
    world.table.says("\x1b[2J<!channel>", NIGHT)
    return world


def done(
    world: World,
    start: datetime,
    end: datetime,
    *,
    step: timedelta | None = None,
    assumed: Assumed = USUAL,
) -> Replayed:
    catalog = load(world.project)
    warehouse = connect(world.table.url)
    try:
        found = replay(catalog.policies[NAME], catalog, warehouse, start, end, step=step, assumed=assumed)
    finally:
        warehouse.close()
    assert isinstance(found, Replayed), found
    return found


def test_it_shows_days_people_keys_and_what_it_took(busy: World, patrol: Patrol) -> None:
    ran = patrol("backtest", NAME, *SPAN)
    assert ran.code == 0
    assert "3 alerts: 1 high, 2 medium, 1 of them came again" in ran.out
    assert "Mon 2026-01-05 █ 1" in ran.out
    assert "6 rows in" in ran.out
    assert "seller_id=s_1  2 times" in ran.out
    assert "cy " in ran.out or "bo " in ran.out
    assert "2 at night" in ran.out
    assert "answered after 5 min, resolved after 1 d" in ran.out
    assert "\x1b[2J" not in ran.out
    assert busy.node().alerts() == []


def test_it_says_until_when_the_baseline_begins_before_the_data(world: World, patrol: Patrol) -> None:
    world.write("policies/payments/elsewhere.yml", BESIDE_ITS_PAST.replace("every: 1m", "every: 1h"))
    world.write("sql/payments/elsewhere.sql", BESIDE_ITS_PAST_SQL)
    world.table.says("s_1", NOON)
    said = "its data begin 2026-01-05 12:00 UTC: until 2026-01-08 13:00 there is not all of the 3 d"
    assert said in patrol("backtest", NAME, *SPAN).said
    assert said in json.loads(patrol("backtest", NAME, *SPAN, "--json").out)["notes"][0]
    later = ("--from", "2026-01-09", "--to", "2026-01-10")
    assert "its data begin" not in patrol("backtest", NAME, *later).said


@pytest.mark.usefixtures("busy")
def test_the_day_at_which_it_ends_is_none_of_its_days(patrol: Patrol) -> None:
    found = json.loads(patrol("backtest", NAME, *SPAN, "--json").out)
    assert list(found["days"]) == ["2026-01-05", "2026-01-06", "2026-01-07"]


@pytest.mark.parametrize("at", ["infinity", "-infinity", "0001-01-01"])
def test_a_time_of_no_calendar_stops_nobody(world: World, patrol: Patrol, at: str) -> None:
    world.table.does(f"INSERT INTO core.chat VALUES ('m_1', 's_1', 'pay me', '{at}')")
    for verb in ("run", "backtest"):
        ran = patrol(verb, NAME)
        assert (ran.code, "s_1 asked" in ran.out) == (0, False), ran.said
    node = world.node()
    node.tick(NAME)
    world.table.says("s_2", node.clock())
    node.next_tick()
    assert [alert.key_values["seller_id"] for alert in node.alerts()] == ["s_2"]


def test_days_of_another_zone_are_called_so(busy: World, patrol: Patrol) -> None:
    team = FILES["policies/_teams.yml"].replace("timezone: UTC", "timezone: America/New_York")
    busy.write("policies/_teams.yml", team)
    assert "days of America/New_York" in patrol("backtest", NAME, *SPAN).out


def test_a_picture_that_has_no_folder_is_said_before_it_looks(world: World, patrol: Patrol) -> None:
    world.table.breaks()
    ran = patrol("backtest", NAME, *SPAN, "--picture", "nowhere/alerts.svg")
    assert (ran.code, "There is no folder" in ran.err, ran.out) == (2, True, "")


@pytest.mark.usefixtures("busy")
def test_scripts_read_all_of_it(patrol: Patrol) -> None:
    ran = patrol("backtest", NAME, *SPAN, "--json")
    found = json.loads(ran.out)
    assert [(a["severity"], a["count"], a["reopened"]) for a in found["alerts"]] == [
        ("high", 4, False),
        ("medium", 1, False),
        ("medium", 1, True),
    ]
    assert found["alerts"][0]["at"] == "2026-01-05T13:00:00+00:00"
    assert found["days"]["2026-01-05"] == {"high": 1}
    assert sum(p["pages"] for p in found["people"]) >= 3
    assert (found["complete"], found["rows"]) == (True, 6)


def test_masked_and_hidden_columns_stay_so(busy: World, patrol: Patrol) -> None:
    hidden = HOURLY.replace("fields: [body]", "fields: [body], columns: {seller_id: hide}")
    busy.write("policies/payments/elsewhere.yml", hidden)
    for words in ([], ["--json"]):
        ran = patrol("backtest", NAME, *SPAN, *words)
        assert ran.code == 0
        assert "seller_id=s_1" not in ran.out
        assert '"seller_id"' not in ran.out


@pytest.mark.usefixtures("busy")
def test_the_picture_is_an_svg_that_names_no_row(patrol: Patrol, tmp_path: Path) -> None:
    ran = patrol("backtest", NAME, *SPAN, "--picture", str(tmp_path / "x.svg"))
    assert ran.code == 0
    root = ElementTree.parse(tmp_path / "x.svg").getroot()
    bars = [e for e in root.iter("{http://www.w3.org/2000/svg}rect") if len(e)]
    assert len(bars) == 3
    assert "channel" not in (tmp_path / "x.svg").read_text()
    wrong = patrol("backtest", NAME, *SPAN, "--picture", "x.png")
    assert (wrong.code, "x.svg" in wrong.err) == (2, True)
    assert patrol("backtest", NAME, *SPAN, "--picture", str(tmp_path / "no" / "x.svg")).code == 2


@pytest.mark.usefixtures("world")
def test_a_policy_without_a_window_is_refused_with_the_reason(patrol: Patrol) -> None:
    ran = patrol("backtest", "payments.held", "--days", "3")
    assert ran.code == 2
    assert "looks at the world as it is (it has no window), and how that was is not kept" in ran.said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--days", "3", "--from", "7d"], "--days, or --from"),
        (["--from", "2026-01-08", "--to", "2026-01-05"], "--from must be before --to"),
        (["--days", "0"], "Invalid value"),
        (["--resolved-after", "soon"], "is no duration"),
        (["--from", "2020-01-01", "--to", "2026-01-05"], "more than 1100 days"),
        (["--from", "2026-01-01", "--to", "2026-01-05", "--step", "1s"], "say a longer --step"),
    ],
)
@pytest.mark.usefixtures("world")
def test_what_cannot_be_asked_for_is_said(patrol: Patrol, words: list[str], said: str) -> None:
    ran = patrol("backtest", NAME, *words)
    assert (ran.code, said in ran.said) == (2, True), ran.said


@pytest.mark.usefixtures("busy")
def test_where_all_data_are_old_it_looks_at_the_time_before_their_end(patrol: Patrol) -> None:
    ran = patrol("backtest", NAME, "--days", "5")
    assert ran.code == 0
    assert "its data end at 2026-01-07 03:00 UTC" in ran.out
    assert "3 alerts" in ran.out


def test_a_shadow_policy_is_shown_as_if_it_were_live(busy: World, patrol: Patrol) -> None:
    busy.write("policies/payments/elsewhere.yml", HOURLY + "status: shadow\n")
    ran = patrol("backtest", NAME, *SPAN)
    assert "it is shadow and pages nobody" in ran.out
    assert "paged (hours of UTC" in ran.out


def test_nobody_resolving_is_one_alert_for_each_key(busy: World) -> None:
    found = done(busy, NOON, NOON + 3 * DAY, assumed=Assumed(resolved_after=None))
    assert sorted(o.count for o in found.openings) == [1, 5]


def test_nobody_answering_shows_the_whole_ladder(busy: World) -> None:
    found = done(busy, NOON, NOON + 4 * HOUR, assumed=Assumed(None, None))
    assert [(p.at - NOON, p.to, p.why) for p in found.pages][:4] == [
        (HOUR, "U0BO", "opened"),
        (HOUR + 10 * MINUTE, "U0ANA", "escalated"),
        (HOUR + 10 * MINUTE, "U0BO", "escalated"),
        (HOUR + 10 * MINUTE, "U0CY", "escalated"),
    ]


def test_rows_before_the_beginning_count_within_and_alert_no_more(world: World) -> None:
    counted = HOURLY.replace("medium: 1, high: 4", "medium: 3") + "threshold: {count: 3, within: 24h}\n"
    world.write("policies/payments/elsewhere.yml", counted)
    world.table.says("s_1", NOON - 5 * HOUR, times=2)
    world.table.says("s_2", NOON - 5 * HOUR, times=3)
    world.table.says("s_1", NOON + 90 * MINUTE)
    found = done(world, NOON, NOON + 6 * HOUR)
    assert [(o.key_values["seller_id"], o.count, o.at) for o in found.openings] == [
        ("s_1", 3, NOON + 2 * HOUR)
    ]


def test_more_due_times_than_can_be_looked_at_are_thinned_and_said(busy: World, patrol: Patrol) -> None:
    trailing = ELSEWHERE.replace(
        "window: {column: sent_at, lookback: 5m}", "window: {column: sent_at, trailing: 6h}"
    )
    busy.write("policies/payments/elsewhere.yml", trailing)
    found = done(busy, NOON, NOON + 3 * DAY)
    assert (found.step, found.looks) == (10 * MINUTE, 432)
    assert "looked each 10 min, not at each due time" in patrol("backtest", NAME, *SPAN).out
    finer = done(busy, NOON, NOON + 3 * DAY, step=30 * MINUTE)
    assert (finer.step, finer.looks) == (30 * MINUTE, 144)


def test_a_step_as_long_as_the_schedule_s_is_nothing_to_tell(busy: World) -> None:
    trailing = ELSEWHERE.replace(
        "window: {column: sent_at, lookback: 5m}", "window: {column: sent_at, trailing: 6h}"
    ).replace("every: 1m", "every: 1h")
    busy.write("policies/payments/elsewhere.yml", trailing)
    found = done(busy, NOON, NOON + DAY, step=HOUR)
    assert (found.step, found.looks) == (None, 24)


def test_large_windows_and_a_look_at_each_due_time_say_the_same(busy: World) -> None:
    large = done(busy, NOON, NOON + 3 * DAY)
    each = done(busy, NOON, NOON + 3 * DAY, step=HOUR)
    assert large.openings == each.openings
    assert large.pages == each.pages
    assert large.looks == each.looks == 73  # one of them for the lookback before


def test_a_window_that_does_not_fit_is_looked_at_in_parts(world: World) -> None:
    world.write("policies/payments/elsewhere.yml", HOURLY)
    values = (
        "SELECT 'm' || i, 's_1', 'pay me', TIMESTAMP '2026-01-05 12:30:00' + INTERVAL (i) MILLISECOND * 50"
    )
    world.table.does(f"INSERT INTO core.chat {values} FROM range(25000) t(i)")
    found = done(world, NOON, NOON + 3 * HOUR)
    assert found.rows == 25_000
    assert [(o.count, o.severity) for o in found.openings] == [(25_000, Severity.high)]
    assert found.looks > 3


class Failing:
    """A warehouse that does not answer over some of the time."""

    def __init__(self, real: object, until: datetime) -> None:
        self._real, self._until = real, until

    def __getattr__(self, name: str) -> object:
        return getattr(self._real, name)

    def query(self, sql: str, binds: dict[str, datetime], **how: object) -> object:
        if binds["window_end"] <= self._until:
            raise WarehouseError("the warehouse is resting")
        return self._real.query(sql, binds, **how)  # type: ignore[attr-defined]


@pytest.mark.parametrize(("hours", "complete", "openings"), [(1, True, 3), (100, False, 0)])
def test_what_could_not_be_looked_at_is_said(busy: World, hours: int, complete: bool, openings: int) -> None:
    catalog, real = load(busy.project), connect(busy.table.url)
    warehouse = Failing(real, NOON + hours * HOUR)
    end = NOON + 3 * DAY
    found = replay(catalog.policies[NAME], catalog, warehouse, NOON, end)  # type: ignore[arg-type]
    real.close()
    assert isinstance(found, Replayed)
    assert (found.complete, len(found.openings)) == (complete, openings)
    assert {why for _, why in found.failed} == {"the warehouse is resting"}
    assert len(found.failed) == (2 if complete else 3)  # it gives up where all of it fails
    assert (found.end == end) is complete


def test_a_query_that_breaks_ends_with_code_one(busy: World, patrol: Patrol) -> None:
    busy.table.does("ALTER TABLE core.chat DROP COLUMN body")
    ran = patrol("backtest", NAME, *SPAN)
    assert ran.code == 1
    assert "not looked at" in ran.out


def test_a_row_at_a_due_time_is_met_at_the_next_and_the_last_due_time_counts(world: World) -> None:
    world.write("policies/payments/elsewhere.yml", ELSEWHERE.replace("every: 1m", "every: 30m"))
    world.table.says("s_1", NOON + 10 * MINUTE)
    world.table.says("s_2", NOON + 30 * MINUTE)
    found = done(world, NOON, NOON + HOUR)
    met = {str(o.key_values["seller_id"]): o.at - NOON for o in found.openings}
    assert met == {"s_1": 30 * MINUTE, "s_2": 60 * MINUTE}


def test_ctrl_c_shows_what_there_is_until_then(
    busy: World, patrol: Patrol, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = run.look

    def look(policy: Policy, warehouse: Warehouse, window: Window) -> Looked:
        if window.end > NOON + DAY:
            os.kill(os.getpid(), signal.SIGINT)
        return real(policy, warehouse, window)

    monkeypatch.setattr(room, "look", look)
    ran = patrol("backtest", NAME, *SPAN)
    assert (ran.code, "Stopping after this window" in ran.err) == (1, True)
    assert "stopped at 2026-01-06 13:00:00 UTC: what comes after was not looked at" in ran.said
    assert "2 alerts" in ran.out
    assert busy.nodes == []


def test_what_runs_after_an_upstream_needs_a_step(world: World) -> None:
    world.write("policies/payments/elsewhere.yml", ELSEWHERE.replace("{every: 1m}", "{after: [core.chat]}"))
    policy = load(world.project).policies[NAME]
    found = plan(policy, "duckdb", NOON, NOON + DAY)
    assert isinstance(found, Refused)
    assert "--step 1h" in found.why
    assert not isinstance(plan(policy, "duckdb", NOON, NOON + DAY, step=HOUR), Refused)
