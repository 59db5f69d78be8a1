"""`patrol test` as a person meets it, and the same cases in pytest."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from importlib import import_module
from pathlib import Path

import pytest

from tests.shell.making import HELD, World
from tests.shell.typing_in import Patrol

ROOT = Path(__file__).parents[2]
FIRES = """  - name: who is held
    at: 2026-01-05T12:00:00Z
    given: {core.sellers: [{seller_id: s_1, held: true}, {seller_id: s_2, held: false}]}
    expect: [{seller_id: s_1, severity: high, title: s_1 is held}]
"""
SILENT = """  - {name: nobody is held, at: 2026-01-05T12:00:00Z, given: {core.sellers: []}, expect: []}
"""


@pytest.fixture
def held(world: World) -> World:
    world.write("policies/payments/held.yml", f"{HELD}cases:\n{FIRES}{SILENT}")
    return world


@pytest.mark.usefixtures("held")
def test_cases_pass_and_are_summed_up(patrol: Patrol) -> None:
    ran = patrol("test", "payments.held")
    assert ran.code == 0
    assert ran.out.startswith("2 cases of 1 policy: all passed (")


def test_it_needs_neither_warehouse_nor_settings(held: World, patrol: Patrol) -> None:
    held.write("patrol.yml", "warehouse_url: duckdb:////nowhere/at/all.duckdb\n")
    assert patrol("test", "payments.held").code == 0
    (held.project / "patrol.yml").unlink()
    assert patrol("test", "payments.held").code == 0


def test_policies_that_lack_a_case_are_named_and_do_not_fail(held: World, patrol: Patrol) -> None:
    ran = patrol("test")
    assert (ran.code, "warning: payments.elsewhere: no case at all" in ran.said) == (0, True)
    held.write("policies/payments/held.yml", f"{HELD}cases:\n{FIRES}")
    assert "warning: payments.held: no case that is silent" in patrol("test").said
    held.write("policies/payments/held.yml", f"{HELD}cases:\n{SILENT}")
    assert "warning: payments.held: no case that fires" in patrol("test").said


def test_a_case_that_fails_is_shown_as_a_table_with_what_differs_marked(held: World, patrol: Patrol) -> None:
    held.write("policies/payments/held.yml", f"{HELD}cases:\n{FIRES.replace('high', 'low')}{SILENT}")
    ran = patrol("test", "payments.held")
    assert ran.code == 1
    assert "policies/payments/held.yml:10:5 who is held" in ran.out
    assert "│ ✗ │ " in ran.out
    assert "→ severity: low " in ran.out
    assert "→ severity: high " in ran.out
    assert "  seller_id: s_1" in ran.out
    assert "looked at as of 2026-01-05 12:00:00 UTC: 1 row" in ran.out
    assert "2 cases of 1 policy: 1 passed, 1 failed" in ran.out


def test_what_fired_unasked_and_what_did_not_fire_are_said(held: World, patrol: Patrol) -> None:
    given = FIRES.replace("held: true", "held: false")
    held.write("policies/payments/held.yml", f"{HELD}cases:\n{given}")
    assert "nothing fired" in patrol("test").out
    held.write("policies/payments/held.yml", f"{HELD}cases:\n{FIRES.partition('expect')[0]}expect: []\n")
    assert "no such alert" in patrol("test").out


def test_a_case_that_is_written_wrong_is_pointed_at(held: World, patrol: Patrol) -> None:
    held.write(
        "policies/payments/held.yml", f"{HELD}cases:\n{FIRES.replace('held: true', 'helt: true')}{SILENT}"
    )
    ran = patrol("test", "payments.held")
    assert ran.code == 1
    assert (
        "policies/payments/held.yml:12:45 cases[1].given.core.sellers[1].helt: core.sellers has no column"
        in ran.said
    )
    assert patrol("check").code == 1


def test_a_policy_that_does_not_load_fails(held: World, patrol: Patrol) -> None:
    held.write(
        "policies/payments/held.yml", f"{HELD.replace('owner: payments', 'owner: paymnts')}cases:\n{FIRES}"
    )
    ran = patrol("test")
    assert ran.code == 1
    assert "payments.held does not load, so its cases did not run: patrol check says why" in ran.said


@pytest.mark.usefixtures("held")
def test_policies_are_chosen_by_name_file_and_folder_and_cases_by_a_word(patrol: Patrol) -> None:
    for words in (["policies/payments"], ["sql/payments/held.sql"], ["policies"], ["payments.held", "sql"]):
        assert "2 cases of 1 policy" in patrol("test", *words).out
    assert "1 case of 1 policy: all passed" in patrol("test", "-k", "NOBODY").out


@pytest.mark.usefixtures("held")
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["payments.helt"], "did you mean payments.held?"),
        (["policies/payment"], "'policies/payment' does not exist"),
        (["policies/_teams.yml"], "No policy lies in policies/_teams.yml."),
        (["-k", "zzz"], 'No case of these policies has "zzz" in its name.'),
        (["--mutate", "-k", "zzz"], 'No case of these policies has "zzz" in its name.'),
    ],
)
def test_what_is_not_there_is_a_sentence(patrol: Patrol, words: list[str], said: str) -> None:
    ran = patrol("test", *words)
    assert (ran.code, said in ran.said) == (2, True), ran


def test_json_is_for_scripts(held: World, patrol: Patrol) -> None:
    held.write("policies/payments/held.yml", f"{HELD}cases:\n{FIRES.replace('high', 'low')}{SILENT}")
    ran = patrol("test", "--json")
    assert ran.code == 1
    found = json.loads(ran.out)
    assert (found["passed"], found["failed"], found["broken"]) == (1, 1, [])
    assert [one["policy"] for one in found["lacking"]] == ["payments.elsewhere"]
    wrong, right = found["cases"]
    assert (wrong["policy"], wrong["case"], wrong["line"], wrong["passed"]) == (
        "payments.held",
        "who is held",
        10,
        False,
    )
    (alert,) = wrong["alerts"]
    assert (alert["same"], alert["differing"]) == (False, ["severity"])
    assert (alert["expected"]["severity"], alert["got"]["severity"]) == ("low", "high")
    assert (right["passed"], right["alerts"]) == (True, [])


# ------------------------------------------------------------------------------ pytest


def in_pytest(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "-p", "bot.cli.collect", "-p", "no:cacheprovider", *words]
    return subprocess.run(
        command,
        cwd=folder,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_pytest_collects_the_cases_by_file_and_name(held: World) -> None:
    held.write("policies/payments/held.yml", f"{HELD}cases:\n{FIRES.replace('high', 'low')}{SILENT}")
    held.write("policies/payments/elsewhere.yml", "title: broken\n")
    held.write("policies/notes.yaml", "no: policy\n")
    ran = in_pytest(held.project, "-rA")
    assert ran.returncode == 1
    assert "PASSED policies/payments/held.yml::nobody is held" in ran.stdout
    assert "FAILED policies/payments/held.yml::who is held" in ran.stdout
    assert "→ severity: high" in ran.stdout
    assert "FAILED policies/payments/elsewhere.yml::it loads" in ran.stdout
    assert "owner is missing" in ran.stdout
    assert "Traceback" not in ran.stdout
    one = in_pytest(held.project, "policies/payments/held.yml::nobody is held")
    assert (one.returncode, "1 passed" in one.stdout) == (0, True)


def test_pytest_collects_nothing_where_no_patrol_yml_lies_beside_the_policies(held: World) -> None:
    (held.project / "patrol.yml").unlink()
    held.write("other/deploy.yml", "cases: [{name: one}]")
    assert in_pytest(held.project).returncode == 5


def test_the_plugin_is_named_as_pytest_finds_it() -> None:
    named = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["entry-points"]["pytest11"]
    assert named == {"bot.cli.collect": "bot.cli.collect"}  # the same name, so that -p does not load it twice
    assert hasattr(import_module("bot.cli.collect"), "pytest_collect_file")


def test_this_project_s_own_policies_pass_their_cases() -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "bot", "test"],
        cwd=ROOT, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (ran.returncode, "all passed" in ran.stdout) == (0, True), ran.stdout


# ------------------------------------------------------------------------------ --mutate

MANY_SQL = """-- One row per seller with many messages.
SELECT seller_id, COUNT(*) AS n FROM {{ table('core.chat') }} GROUP BY seller_id HAVING COUNT(*) >= 3
"""
MANY = """title: Many messages
owner: payments
severity: {low: 3, high: 9, by: n}
schedule: {every: 1m}
key: [seller_id]
cases:
  - name: THREE
    at: 2026-01-05T12:00:00Z
    given: {core.chat: [{message_id: m1, seller_id: s_1, repeat: TIMES}]}
    expect: [{seller_id: s_1, severity: low}]
  - name: two and nine
    at: 2026-01-05T12:00:00Z
    given:
      core.chat:
        - {message_id: m1, seller_id: s_1, repeat: 2}
        - {message_id: n1, seller_id: s_2, repeat: 9}
        - {message_id: p1, seller_id: s_3, repeat: 8}
    expect: [{seller_id: s_2, severity: high}, {seller_id: s_3, severity: low}]
"""


def many(world: World, times: int) -> None:
    world.write("policies/payments/many.yml", MANY.replace("TIMES", str(times)))
    world.write("sql/payments/many.sql", MANY_SQL)


def test_cases_at_the_edge_notice_every_change(world: World, patrol: Patrol) -> None:
    many(world, 3)
    ran = patrol("test", "--mutate", "payments.many")
    assert ran.code == 0
    assert ran.out == "payments.many: 6 of 6 noticed\n6 changes: 6 noticed (100%), 0 survived\n"


def test_what_no_case_notices_is_listed_with_its_place(world: World, patrol: Patrol) -> None:
    many(world, 4)
    ran = patrol("test", "--mutate", "payments.many")
    assert ran.code == 0
    assert ran.out.splitlines() == [
        "sql/payments/many.sql:2:89 COUNT(*) >= 3 → COUNT(*) > 3 survived",
        "sql/payments/many.sql:2:89 COUNT(*) >= 3 → COUNT(*) >= 4 survived",
        "payments.many: 4 of 6 noticed",
        "6 changes: 4 noticed (67%), 2 survived",
    ]
    (found,) = json.loads(patrol("test", "--mutate", "payments.many", "--json").out)
    assert (found["changes"], found["noticed"], found["unable"]) == (6, 4, 0)
    assert [(s["line"], s["operator"], s["now"]) for s in found["survivors"]] == [
        (2, "comparison", "COUNT(*) > 3"),
        (2, "bound", "COUNT(*) >= 4"),
    ]


def test_a_change_that_cannot_run_counts_as_noticed_and_is_said(world: World, patrol: Patrol) -> None:
    many(world, 3)
    guarded = "WHERE body <> 'x' AND CAST(body AS int) > 1 GROUP BY"
    world.write("sql/payments/many.sql", MANY_SQL.replace("GROUP BY", guarded))
    rows = MANY.replace("TIMES", "3").replace(
        "seller_id: s_1, repeat: 3", "seller_id: s_1, body: '7', repeat: 3"
    )
    rows = rows.replace("repeat: 9", "body: '7', repeat: 9").replace("repeat: 8", "body: '7', repeat: 8")
    world.write("policies/payments/many.yml", rows.replace("s_1, repeat: 2", "s_1, body: x, repeat: 2"))
    assert patrol("test", "payments.many").code == 0
    assert "of them cannot run at all" in patrol("test", "--mutate", "payments.many").out


def test_without_cases_or_with_wrong_ones_nothing_is_changed(world: World, patrol: Patrol) -> None:
    many(world, 2)
    ran = patrol("test", "--mutate", "payments.many")
    assert (ran.code, "its cases do not pass as it is: patrol test says where" in ran.out) == (1, True)
    ran = patrol("test", "--mutate", "payments.held")
    assert (ran.code, ran.out.splitlines()[0]) == (0, "payments.held: no case")
