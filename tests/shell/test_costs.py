"""What policies cost is kept with their runs, said where people look, and told to who owns a dear one."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

import sensors.run
from bot.core.cost import OVER_BUDGET
from bot.core.reply import Person, Reply
from bot.sandbox import Sandbox
from bot.slack.answers import render
from bot.slack.costs import size
from bot.watch.budget import Budgets
from tests.shell.making import DAY, ELSEWHERE, HOUR, MINUTE, SECOND, Node, World
from tests.shell.trouble import BOTH, EVERY, HELD_NAME

ANA = Person("U0ANA", "C0PAYMENTS")
FILE = "policies/payments/elsewhere.yml"


class Stopwatch:
    """What a look is timed with, moved by hand."""

    def __init__(self) -> None:
        self.at = 0.0

    def monotonic(self) -> float:
        return self.at


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Stopwatch:
    made = Stopwatch()
    monkeypatch.setattr(sensors.run, "time", made)
    return made


def slow(node: Node, watch: Stopwatch, by_policy: dict[str, timedelta]) -> None:
    """The warehouse takes that long with each policy's query from now on."""
    real = node.warehouse.query

    def query(sql: str, binds: Any, **how: Any) -> Any:
        watch.at += by_policy.get(how.get("tag", ""), timedelta()).total_seconds()
        return real(sql, binds, **how)

    node.warehouse.query = query  # type: ignore[method-assign]


def looks(world: World, node: Node, times: int = 1, after: timedelta = MINUTE) -> None:
    """So many ticks that have something to look at, and find nothing."""
    for _ in range(times):
        world.table.says("s_1", node.clock.on(after) - SECOND, body="hello")
        node.tick()


def said(node: Node, text: str) -> str:
    reply: Reply = node.desk.command(ANA, text)
    return json.dumps(render(reply).blocks, ensure_ascii=False)


def test_a_run_keeps_its_seconds_rows_and_bytes(world: World, node: Node, watch: Stopwatch) -> None:
    slow(node, watch, {EVERY: 3 * SECOND})
    world.table.says("s_1", node.clock() - SECOND, body="pay me 50", times=2)
    node.tick()
    (run,) = node.store.runs.recent(EVERY)
    held = 2 * (len("m_1") + len("s_1") + len("pay me 50") + 16)  # sent_at is none of the texts
    assert (run.elapsed_s, run.rows, run.bytes) == (3, 2, held)


@BOTH
def test_status_and_policy_name_what_was_dearest(world: World, watch: Stopwatch) -> None:
    node = world.node()
    slow(node, watch, {EVERY: 4 * MINUTE, HELD_NAME: MINUTE})
    assert "Dearest" not in said(node, "status")
    looks(world, node, 3)
    node.tick(HELD_NAME)
    whole = said(node, "status")
    assert f"*Dearest in 24 hours*\\n`{EVERY}` 12 min in 3 runs · 92% of all\\n`{HELD_NAME}` 1 min" in whole
    assert "12 min of warehouse time in 24 hours: 3 runs of 4 min gave 0 rows (0 bytes)" in said(
        node, f"policy {EVERY}"
    )
    node.clock.on(DAY + MINUTE)
    assert "Dearest" not in said(node, "status")
    assert "warehouse time" not in said(node, f"policy {EVERY}")


def test_the_week_of_the_team_names_its_dearest(world: World, node: Node, watch: Stopwatch) -> None:
    slow(node, watch, {EVERY: 4 * MINUTE, HELD_NAME: MINUTE})
    looks(world, node)
    node.tick(HELD_NAME)
    node.clock.on(DAY)
    assert "Warehouse time" not in said(node, "digest payments")  # Tuesday's is of the day
    node.clock.on(6 * DAY)
    wanted = f"Warehouse time: 5 min; dearest: `{EVERY}` 4 min, `{HELD_NAME}` 1 min"
    assert wanted in said(node, "digest payments")


def test_over_its_budget_its_owner_is_told_once_until_it_is_well_within_it_again(
    town: World, slack: Sandbox, watch: Stopwatch
) -> None:
    town.write(FILE, ELSEWHERE + "budget: 10m\n")
    node = town.node()
    budgets = Budgets(node.engine)
    slow(node, watch, {EVERY: 4 * MINUTE})
    for _ in range(2):
        looks(town, node)
        assert budgets.once() == 0
    looks(town, node)
    assert (budgets.once(), budgets.once()) == (1, 0)
    (alert,) = node.alerts(OVER_BUDGET)
    node.deliver()
    (card,) = slack.messages("payments")
    shown = json.dumps(card["blocks"], ensure_ascii=False)
    assert f"{EVERY} is over its budget: 12 min of warehouse time in 24 hours, 120% of 10 min" in shown
    assert "3 runs of 4 min on average gave 0 rows. It goes on as before." in shown
    assert f"raise `budget` in `{FILE}`" in shown
    assert "<@U0" not in shown
    assert f"`{EVERY}` · over its budget" in said(node, "status")
    assert "24 hours of a budget of 10 min a day: 3 runs" in said(node, f"policy {EVERY}")
    for _ in range(5):  # it goes on, and is dearer each hour; nobody hears of each
        looks(town, node, after=HOUR)
        budgets.once()
        node.engine.sweep()
    assert node.kinds(alert.id) == ["opened"]
    node.clock.on(DAY)
    assert budgets.once() == 1
    assert node.alerts(OVER_BUDGET) == []
    assert node.kinds(alert.id)[-1] == "resolved"


def test_each_day_that_nobody_has_it_who_is_on_call_hears_of_it_and_of_the_figures_then(
    world: World, watch: Stopwatch
) -> None:
    world.write(FILE, ELSEWHERE + "budget: 10m\n")
    node = world.node()
    budgets = Budgets(node.engine)
    slow(node, watch, {EVERY: 20 * MINUTE})
    for _ in range(9):
        looks(world, node, after=8 * HOUR)
        budgets.once()
        node.engine.sweep()
    (alert,) = node.alerts(OVER_BUDGET)
    kinds = node.kinds(alert.id)
    assert (kinds.count("opened"), kinds.count("fired"), kinds.count("escalated")) == (1, 1, 2)
    assert "1 h of warehouse time in 24 hours, 600% of 10 min" in alert.title


@pytest.mark.parametrize("edit", ["budget: 1h\n", "", "budget: 10m\nstatus: retired\n"])
def test_a_larger_budget_or_none_ends_it(world: World, watch: Stopwatch, edit: str) -> None:
    world.write(FILE, ELSEWHERE + "budget: 10m\n")
    node = world.node()
    slow(node, watch, {EVERY: 12 * MINUTE})
    looks(world, node)
    assert Budgets(node.engine).once() == 1
    world.write(FILE, ELSEWHERE + edit)
    node.engine.reload()
    assert Budgets(world.node().engine).once() == 1
    assert node.alerts(OVER_BUDGET) == []


def test_a_budget_by_folder_holds_for_each_of_its_policies(world: World, watch: Stopwatch) -> None:
    world.write("policies/payments/_defaults.yml", "budget: 5m\n")
    node = world.node()
    slow(node, watch, {EVERY: 4 * MINUTE, HELD_NAME: 6 * MINUTE})
    looks(world, node)
    node.tick(HELD_NAME)
    assert Budgets(node.engine).once() == 1
    (alert,) = node.alerts(OVER_BUDGET)
    assert alert.key_values == {"policy": HELD_NAME}


@pytest.mark.parametrize(
    ("held", "words"),
    [(0, "0 bytes"), (1, "1 byte"), (1_000, "1.0 kB"), (999_960, "1.0 MB"), (10**16, "10000.0 TB")],
)  # fmt: skip
def test_bytes_as_people_say_them(held: int, words: str) -> None:
    assert size(held) == words
