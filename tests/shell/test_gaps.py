"""`patrol gaps` as a person meets it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from bot.store import Ask, RunSave, Store
from sensors.model.run import Cause, CauseKind, Run
from sensors.model.window import Window
from tests.shell.making import DAY, HELD_SQL, HOUR, MINUTE, World
from tests.shell.trouble import EVERY
from tests.shell.typing_in import Patrol

NOW = datetime.now(UTC).replace(microsecond=0)


def looked(world: World, start: datetime, end: datetime, policy: str = EVERY) -> None:
    """A tick has looked at this window."""
    store = Store(world.url)
    cause, window = Cause(CauseKind.tick, end.isoformat()), Window(start, end)
    run = store.runs.claim(
        Ask(policy, cause, end, lambda _: window, incremental=True, content="c1"), end, MINUTE
    )
    assert isinstance(run, Run)
    store.save(RunSave(run, run.window, incremental=True), end)
    store.close()


def test_a_policy_without_holes_is_said_to_have_none(world: World, patrol: Patrol) -> None:
    looked(world, NOW - DAY, NOW - HOUR)
    looked(world, NOW - HOUR - MINUTE, NOW)
    ran = patrol("gaps")
    assert (ran.code, ran.err) == (0, "")
    assert f"payments.elsewhere  until {NOW:%Y-%m-%d %H:%M:%S} UTC" in ran.out
    assert "no hole" in ran.out
    assert "█" in ran.out
    assert "payments.held" not in ran.out


def test_a_hole_is_drawn_measured_and_named_with_what_fills_it(world: World, patrol: Patrol) -> None:
    looked(world, NOW - 20 * DAY, NOW - 10 * DAY)
    looked(world, NOW - 7 * DAY, NOW)
    ran = patrol("gaps", EVERY)
    assert ran.code == 1
    assert "1 hole, 3 d" in ran.out
    assert "███▒░░░░▒███" in ran.out
    start, end = (f"{at:%Y-%m-%dT%H:%M:%SZ}" for at in (NOW - 10 * DAY, NOW - 7 * DAY))
    assert f"    patrol backfill payments.elsewhere {start} {end}\n" in ran.out


def test_since_leaves_out_what_is_older(world: World, patrol: Patrol) -> None:
    looked(world, NOW - 20 * DAY, NOW - 10 * DAY)
    looked(world, NOW - 7 * DAY, NOW)
    assert patrol("gaps", "--since", "6d").code == 0
    (one,) = json.loads(patrol("gaps", "--since", "8d", "--json").out)
    assert one["holes"][0]["seconds"] <= timedelta(days=1).total_seconds() + 60


def test_json_is_for_scripts(world: World, patrol: Patrol) -> None:
    looked(world, NOW - 3 * DAY, NOW - 2 * DAY)
    looked(world, NOW - DAY, NOW)
    ran = patrol("gaps", "--json")
    (one,) = json.loads(ran.out)
    assert (ran.code, one["policy"], one["looked_until"]) == (1, EVERY, NOW.isoformat())
    (hole,) = one["holes"]
    assert hole["seconds"] == 86400
    assert set(hole) == {"start", "end", "seconds", "backfill"}


def test_a_policy_that_has_not_looked_yet_and_one_without_a_window(world: World, patrol: Patrol) -> None:
    ran = patrol("gaps")
    assert (ran.code, "payments.elsewhere  has not looked yet" in ran.out) == (0, True)
    ran = patrol("gaps", "payments.held")
    assert (ran.code, "looks at the world as it is" in ran.out) == (0, True)
    world.write("policies/payments/elsewhere.yml", HELD_YML)
    world.write("sql/payments/elsewhere.sql", HELD_SQL)
    assert "No policy that runs has a window" in patrol("gaps").out


HELD_YML = """
title: Another one
owner: payments
severity: high
schedule: {every: 1m}
key: [seller_id]
"""


def test_what_is_typed_wrongly_is_told_what_is_right(patrol: Patrol) -> None:
    ran = patrol("gaps", "payments.elswhere")
    assert (ran.code, "did you mean payments.elsewhere?" in ran.err) == (2, True)
    assert "is no duration" in patrol("gaps", "--since", "ever").err
    ran = patrol("gaps", PATROL_STORE_URL="postgresql://nobody@127.0.0.1:1/x")
    assert (ran.code, "does not answer" in ran.err) == (2, True)


def test_on_a_narrow_terminal_no_line_is_broken(
    world: World, patrol: Patrol, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked(world, NOW - 20 * DAY, NOW - 10 * DAY)
    looked(world, NOW - 7 * DAY, NOW)
    monkeypatch.setenv("COLUMNS", "60")
    said = [line for line in patrol("gaps").out.splitlines() if "patrol backfill" not in line]
    assert max(map(len, said)) <= 60
    assert "1 hole, 3 d" in said[1]


def test_of_policies_that_have_not_looked_nothing_is_drawn(world: World, patrol: Patrol) -> None:
    Store(world.url).close()
    assert patrol("gaps").out == "payments.elsewhere  has not looked yet\n"
