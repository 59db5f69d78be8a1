"""The command line as a person meets it: what it says, what scripts read, and never a traceback."""

from __future__ import annotations

import json
import os
import pty
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bot.cli.group import COMMANDS
from tests.shell.making import BESIDE_ITS_PAST, BESIDE_ITS_PAST_SQL, DAY, HELD, HELD_SQL, NOON, SECOND, World
from tests.shell.typing_in import Patrol, clean

ROOT = Path(__file__).parents[2]


# ------------------------------------------------------------------------------ help


def test_help_names_every_command_and_where_to_begin(patrol: Patrol) -> None:
    ran = patrol("--help")
    assert ran.code == 0
    assert all(f"\n  {name}" in ran.out for name in COMMANDS)
    assert "patrol check" in ran.out


@pytest.mark.parametrize("words", [*([name] for name in COMMANDS), ["db", "upgrade"]], ids=" ".join)
def test_each_command_teaches(patrol: Patrol, words: list[str]) -> None:
    ran = patrol(*words, "--help")
    assert ran.code == 0
    assert len(ran.out.splitlines()) >= 6
    if words[0] not in ("db",):
        assert "patrol " in ran.out.partition("Options:")[0]


def test_a_slip_of_the_hand_is_told_what_was_meant(patrol: Patrol) -> None:
    ran = patrol("chekc")
    assert (ran.code, "did you mean check?" in ran.err) == (2, True)
    assert "there are demo, serve" in patrol("zzz").err


# ------------------------------------------------------------------------------ wrong places


@pytest.mark.parametrize(
    "words", ["new a/x", "check", "run payments.held", "next payments.held", "serve", "demo"]
)
def test_a_folder_without_policies_is_told_where_to_go(patrol: Patrol, tmp_path: Path, words: str) -> None:
    (tmp_path / "empty").mkdir()
    ran = patrol(*words.split(), "--project", str(tmp_path / "empty"))
    assert ran.code == 2
    assert "There is no policies/ in" in ran.err
    assert "--project" in ran.err


def test_a_folder_that_is_not_there(patrol: Patrol) -> None:
    ran = patrol("check", "--project", "nowhere")
    assert (ran.code, "'nowhere' does not exist" in ran.err) == (2, True)


def test_settings_that_are_wrong_are_all_named_with_their_place(world: World, patrol: Patrol) -> None:
    world.write("patrol.yml", "workers: many\nprot: 3\n")
    ran = patrol("check")
    assert ran.code == 2
    assert "patrol.yml:1:10 workers: must be a whole number" in ran.err
    assert 'did you mean "port"?' in ran.err


# ------------------------------------------------------------------------------ run


def test_run_shows_the_rows_and_posts_nothing(world: World, patrol: Patrol) -> None:
    world.table.says("s_1", NOON)
    ran = patrol("run", "payments.elsewhere", "--at", "2026-01-05T12:00:30Z")
    assert ran.code == 0
    assert "s_1 asked 1 times" in ran.out
    assert world.node().alerts() == []


def test_run_json_is_one_object(world: World, patrol: Patrol) -> None:
    world.table.says("s_1", NOON, times=2)
    ran = patrol("run", "payments.elsewhere", "--at", "2026-01-05T12:00:30Z", "--json")
    found = json.loads(ran.out)
    assert set(found) == {
        *("policy", "window", "status", "error", "columns", "rows"),
        *("violations", "bad_rows", "notes", "truncated", "elapsed_s"),
    }
    assert (found["policy"], found["status"], len(found["rows"])) == ("payments.elsewhere", "succeeded", 2)
    assert found["violations"] == [
        {"key": {"seller_id": "s_1"}, "title": "s_1 asked 2 times", "severity": "medium", "count": 2}
    ]
    assert found["window"]["end"].startswith("2026-01-05T12:00:00.000001")


@pytest.mark.parametrize(
    ("bar", "code"), [("critical", 0), ("high", 0), ("medium", 3), ("low", 3), ("info", 3)]
)
def test_a_run_fails_from_the_severity_that_a_pipeline_says(
    world: World, patrol: Patrol, bar: str, code: int
) -> None:
    here = ["run", "payments.elsewhere", "--at", "2026-01-05T12:00:30Z", "--fail-on", bar]
    assert patrol(*here).code == 0, "nothing is there"
    world.table.says("s_1", NOON)
    assert patrol(*here).code == code
    told = patrol(*here, "--json")
    assert (told.code, json.loads(told.out)["violations"][0]["severity"]) == (code, "medium")


def test_a_query_that_failed_is_told_from_one_that_would_alert(world: World, patrol: Patrol) -> None:
    ran = patrol(
        "run",
        "payments.held",
        "--fail-on",
        "info",
        PATROL_WAREHOUSE_URL=f"duckdb:///{world.folder}/none.duckdb",
    )
    assert ran.code == 1


def test_run_over_looks_further_back(world: World, patrol: Patrol) -> None:
    world.table.says("s_1", NOON - 7200 * SECOND)
    world.table.says("s_0", NOON, "hello")
    here = ["run", "payments.elsewhere", "--at", "2026-01-05T12:00:30Z", "--json"]
    assert json.loads(patrol(*here).out)["rows"] == []
    assert len(json.loads(patrol(*here, "--over", "3h").out)["rows"]) == 1


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["run", "payments.elswhere"], "did you mean payments.elsewhere?"),
        (["run", "zzz"], "there are payments.elsewhere, payments.held"),
        (["run", "payments.held", "--at", "yesterday"], "is no time; write it as 2026-01-05T12:00:00Z"),
        (["run", "payments.held", "--over", "long"], "is no duration; write it as 30m"),
        (["run"], "Missing argument 'POLICY'"),
        (
            ["run", "payments.held", "--fail-on", "hihg"],
            "'hihg' is not one of 'info', 'low'",
        ),
        (["next", "payments.hled"], "did you mean payments.held?"),
        (["next", "payments.held", "--count", "0"], "0 is not in the range"),
        (["next", "payments.held", "--from", "noon"], "is no time"),
        (["check", "nothing.yml"], "'nothing.yml' does not exist"),
        (["serve", "--port", "99999"], "99999 is not in the range"),
        (["sandbox", "--port", "99999"], "99999 is not in the range"),
        (["demo", "--port", "-1"], "-1 is not in the range"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_is_typed_wrongly_is_told_what_is_right(patrol: Patrol, words: list[str], told: str) -> None:
    ran = patrol(*words)
    assert ran.code == 2
    assert told in ran.err


def test_a_policy_that_does_not_load_is_said_with_its_mistake(world: World, patrol: Patrol) -> None:
    world.write("policies/payments/held.yml", HELD.replace("severity: high", "severity: hihg"))
    ran = patrol("run", "payments.held")
    assert ran.code == 2
    assert "policies/payments/held.yml:4:" in ran.err


@pytest.mark.parametrize(
    ("url", "code", "told"),
    [
        ("duckdb:////{folder}/none.duckdb", 1, "there is no file"),
        ("duckdb:////{folder}/words.duckdb", 1, "is not a DuckDB file"),
        ("duckdb:////{folder}", 1, "CURRENT"),
        ("duckdb:///", 2, "names no file"),
        ("nowhere://host/x", 2, "knows no warehouse 'nowhere'"),
        ("market.duckdb", 2, "must be an address"),
    ],
)
def test_a_warehouse_that_is_none_is_said_plainly(
    patrol: Patrol, tmp_path: Path, url: str, code: int, told: str
) -> None:
    (tmp_path / "words.duckdb").write_text("these are words and no database\n" * 200)
    here = url.replace("/{folder}", str(tmp_path))
    ran = patrol("run", "payments.held", PATROL_WAREHOUSE_URL=here)
    assert (ran.code, told in ran.said) == (code, True), ran.said
    as_json = patrol("run", "payments.held", "--json", PATROL_WAREHOUSE_URL=here)
    assert as_json.code == code
    if code == 1:
        assert json.loads(as_json.out)["status"] == "failed"


def test_run_says_that_its_baseline_begins_before_its_data(world: World, patrol: Patrol) -> None:
    world.write("policies/payments/elsewhere.yml", BESIDE_ITS_PAST)
    world.write("sql/payments/elsewhere.sql", BESIDE_ITS_PAST_SQL)
    world.table.says("s_1", NOON - DAY)
    world.table.says("s_1", NOON)
    at = ("run", "payments.elsewhere", "--at", "2026-01-05T12:00:30Z")
    said = "its baseline begins 2026-01-02 11:00 UTC, its data only 2026-01-04 12:00"
    assert said in patrol(*at).said
    assert said in json.loads(patrol(*at, "--json").out)["notes"][0]
    world.table.says("s_1", NOON - 10 * DAY)
    assert "its baseline" not in patrol(*at).said


def test_over_is_for_events(patrol: Patrol) -> None:
    ran = patrol("run", "payments.held", "--over", "7d")
    assert (ran.code, "payments.held finds conditions" in ran.said) == (2, True)


@pytest.mark.parametrize(
    "words",
    [
        ("run", "payments.elsewhere", "--at", "0001-01-01"),
        ("backtest", "payments.elsewhere", "--to", "0001-01-02"),
        ("backtest", "payments.elsewhere", "--from", "0001-01-01", "--to", "0001-02-01"),
        ("diff", "a", "b", "--from", "9999-12-30", "--to", "9999-12-31"),
        ("backfill", "payments.elsewhere", "0001-01-01", "0001-01-02"),
        ("next", "payments.elsewhere", "--from", "9999-12-31T23:59:59Z"),
    ],
)
def test_a_time_that_no_data_have_is_no_time(patrol: Patrol, words: tuple[str, ...]) -> None:
    ran = patrol(*words)
    assert (ran.code, "is not from 1970 to 2260" in ran.said) == (2, True), ran.said


def test_a_terminal_of_few_characters_shows_what_it_can(world: World) -> None:
    world.table.says("s_1", NOON, "pay me \u20ac")
    given = {"PATROL_WAREHOUSE_URL": world.table.url, "PYTHONIOENCODING": "ascii", **clean()}
    words = [sys.executable, "-m", "bot", "run", "payments.elsewhere", "--at", "2026-01-05T12:00:30Z"]
    ran = subprocess.run(
        [*words, "--project", str(world.project)], cwd=ROOT, env=given, capture_output=True, check=False
    )
    assert (ran.returncode, b"pay me ?" in ran.stdout) == (0, True), ran.stderr


# ------------------------------------------------------------------------------ check


def test_check_is_silent_about_what_is_right(patrol: Patrol) -> None:
    ran = patrol("check")
    assert ran.code == 0
    assert ran.out.splitlines()[-1].startswith("2 policies, 1 job, 2 assets: no mistakes")
    assert all("no case at all" in one["what"] for one in json.loads(patrol("check", "--json").out))


def test_check_names_each_mistake_and_paths_narrow_what_is_shown(world: World, patrol: Patrol) -> None:
    world.write("policies/payments/held.yml", HELD.replace("owner: payments", "owner: paymnts"))
    world.write("sql/payments/elsewhere.sql", "DELETE FROM core.chat")
    ran = patrol("check")
    assert ran.code == 1
    assert 'policies/payments/held.yml:3:8 owner: no team "paymnts"; did you mean "payments"?' in ran.out
    assert "sql/payments/elsewhere.sql:1:" in ran.out
    only = patrol("check", "policies/payments/held.yml")
    assert (only.code, "elsewhere" in only.out) == (1, False)
    assert patrol("check", "sql").code == 1
    assert patrol("check", "policies/_teams.yml").code == 0
    found = json.loads(patrol("check", "--json").out)
    assert {"path", "line", "column", "what", "warning"} == set(found[0])


# ------------------------------------------------------------------------------ next


def nexts(world: World, patrol: Patrol, schedule: str, start: str) -> list[str]:
    world.write("policies/payments/dst.yml", HELD.replace("{every: 1m}", schedule))
    world.write("sql/payments/dst.sql", HELD_SQL)
    ran = patrol("next", "payments.dst", "--from", start, "--count", "3", "--json")
    assert ran.code == 0, ran.said
    return [f"{one['utc'][5:16]} {one['local'][11:16]}" for one in json.loads(ran.out)]


def test_next_over_clocks_put_forward_and_back(world: World, patrol: Patrol) -> None:
    early = '{cron: "30 2 * * *", timezone: America/New_York}'
    spring = nexts(world, patrol, early, "2026-03-07T12:00Z")
    assert len({day for day, *_ in (n.split("T") for n in spring)}) == 3
    assert spring[0].startswith("03-08T") or spring[0].startswith("03-09T")
    twice = '{cron: "30 1 * * *", timezone: America/New_York}'
    assert nexts(world, patrol, twice, "2026-10-31T12:00Z") == [
        "11-01T05:30 01:30",
        "11-02T06:30 01:30",
        "11-03T06:30 01:30",
    ]


def test_next_for_people_has_both_clocks(world: World, patrol: Patrol) -> None:
    nexts(world, patrol, '{cron: "0 9 * * 1", timezone: Europe/Berlin}', "2026-01-05T12:00Z")
    ran = patrol("next", "payments.dst", "--from", "2026-01-05T12:00Z", "--count", "1")
    assert ran.out.startswith("Mon 2026-01-12 08:00:00 UTC   Mon 2026-01-12 09:00:00 CET (Europe/Berlin)")


# ------------------------------------------------------------------------------ db


def test_db_upgrade_says_what_it_did_and_may_be_run_again(patrol: Patrol, tmp_path: Path) -> None:
    there = f"sqlite:///{tmp_path / 'new' / 'patrol.db'}"
    assert "it was empty" in patrol("db", "upgrade", PATROL_STORE_URL=there).out
    again = patrol("db", "upgrade", PATROL_STORE_URL=there)
    assert (again.code, "already" in again.out) == (0, True)


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("sqlite:////proc/nowhere/patrol.db", "cannot be opened"),
        ("sqlite:////{folder}/words.db", "is no SQLite file"),
        ("sqlite:////{folder}", "cannot be opened"),
        ("postgresql://nobody@127.0.0.1:1/x", "does not answer"),
        ("mysql://host/x", "SQLite or Postgres, not mysql"),
        ("patrol.db", "must be an address"),
    ],
)
def test_a_store_that_is_none_is_said_plainly(patrol: Patrol, tmp_path: Path, url: str, told: str) -> None:
    (tmp_path / "words.db").write_text("these are words and no database\n" * 200)
    ran = patrol("db", "upgrade", PATROL_STORE_URL=url.replace("/{folder}", str(tmp_path)))
    assert (ran.code, told in ran.err) == (2, True), ran.err


def test_a_disk_that_is_full_is_said_plainly(world: World, tmp_path: Path) -> None:
    def little_room() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, 40_000))

    ran = subprocess.run(
        [sys.executable, "-m", "bot", "db", "upgrade", "--project", str(world.project)],
        cwd=ROOT,
        env={**clean(), "PATROL_STORE_URL": f"sqlite:///{tmp_path / 'full.db'}"},
        preexec_fn=little_room,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == 2
    assert "Traceback" not in ran.stderr
    assert ran.stderr.startswith("patrol: The store at")


def test_a_mistake_of_our_own_is_one_sentence_with_its_place(
    patrol: Patrol, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError("nobody thought of this")

    monkeypatch.setattr("sensors.catalog.load", broken)
    ran = patrol("check")
    assert ran.code == 70
    assert "something broke inside Patrol (ZeroDivisionError: nobody thought of this)" in ran.err
    assert "test_cli.py:" in ran.err


# ------------------------------------------------------------------------------ ending early


def test_ctrl_c_ends_as_shells_have_it_and_not_as_a_mistake_in_the_files(
    patrol: Patrol, monkeypatch: pytest.MonkeyPatch
) -> None:
    def pressed(*_: Any, **__: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr("sensors.catalog.load", pressed)
    ran = patrol("check")
    assert (ran.code, ran.out, ran.err.strip()) == (130, "", "patrol: stopped")


def on_a_terminal(*words: str, **environment: str) -> str:
    """What a command draws where a person is looking."""
    ours, theirs = pty.openpty()
    env = {**{k: v for k, v in clean().items() if k != "NO_COLOR"}, "TERM": "xterm", **environment}
    command = [sys.executable, "-m", "bot", *words]
    subprocess.run(command, cwd=ROOT, env=env, stdout=theirs, stderr=theirs, timeout=60, check=False)
    os.close(theirs)
    with os.fdopen(ours, "rb", buffering=0) as drawn:
        return drawn.read(100_000).decode()


def test_whoever_asks_for_no_colour_gets_none(world: World) -> None:
    (world.project / "policies/odd.yml").write_text("titl: A\n")
    words = ("check", "--project", str(world.project))
    plain, coloured = on_a_terminal(*words, NO_COLOR="1"), on_a_terminal(*words)
    assert "titl" in plain
    assert "\x1b[" not in plain
    assert "\x1b[31m" in coloured


def test_output_that_nothing_can_take_is_said_plainly(world: World) -> None:
    with Path("/dev/full").open("w") as full:
        ran = subprocess.run(
            [sys.executable, "-m", "bot", "schema", "--project", str(world.project)],
            cwd=ROOT,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            check=False,
        )
    assert ran.returncode == 2
    assert ran.stderr.startswith("patrol: what is said here cannot be written: No space left")
