"""`patrol diff` on real git repositories: what is gained, lost and changed, and what stands in the way."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from bot.cli.compared import Compared, totals
from bot.cli.markdown import LONGEST, as_markdown, code
from bot.core.compare import Difference, Kind
from bot.core.held import Opening
from sensors.model.policy import Severity
from tests.shell.making import DAY, ELSEWHERE, ELSEWHERE_SQL, FILES, HELD, MINUTE, NOON, World
from tests.shell.typing_in import Patrol

SELLERS = "core.sellers" + FILES["policies/_assets.yml"].partition("core.sellers")[2]
SPAN = ("--from", "2026-01-05", "--to", "2026-01-08")
HOSTILE = "x` | @here [a](http://b) <img src=x>\n#1 \\"


def git(folder: Path, *words: str) -> str:
    who = ("-c", "user.name=ana", "-c", "user.email=ana@example.com", "-c", "commit.gpgsign=false")
    ran = subprocess.run(["git", *who, *words], cwd=folder, capture_output=True, text=True, check=True)
    return ran.stdout


def commit(folder: Path, said: str) -> None:
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", said)


@pytest.fixture
def kept(world: World) -> World:
    """The project in a subfolder of a repository, with one commit, and three sellers who ask."""
    world.write("policies/payments/elsewhere.yml", ELSEWHERE.replace("every: 1m", "every: 1h"))
    git(world.folder, "init", "-q", "-b", "main")
    (world.folder / ".gitignore").write_text("market/\n*.db*\n.patrol/\n")
    commit(world.folder, "the beginning")
    world.table.says("s_1", NOON + 10 * MINUTE, times=4)
    world.table.says("s_2", NOON + 10 * MINUTE, "pay me by wire")
    world.table.says("s_3", NOON + DAY, "send me gifts")
    return world


def edit(world: World) -> None:
    """No more wires, gifts instead, and more rows are needed to be high."""
    sql = ELSEWHERE_SQL.replace("body ILIKE '%pay me%'", "(body ILIKE '%cash app%' OR body ILIKE '%gifts%')")
    world.write("sql/payments/elsewhere.sql", sql)
    yaml = ELSEWHERE.replace("every: 1m", "every: 1h").replace("high: 4", "high: 9")
    world.write("policies/payments/elsewhere.yml", yaml)


def test_alerts_are_gained_lost_and_changed(kept: World, patrol: Patrol) -> None:
    edit(kept)
    ran = patrol("diff", "main", *SPAN)
    assert ran.code == 0
    assert "alerts: 1 gained, 1 lost, 1 changed; 1 policy (1 changed)" in ran.out
    assert "payments.elsewhere  changed, alerts 2 → 2" in ran.out
    lines = [line.split()[0] for line in ran.out.splitlines() if " asked " in line]
    assert lines == ["changed", "lost", "gained"]
    assert "(high → medium)" in ran.out


def test_two_revisions_are_compared_and_nothing_is_checked_out(kept: World, patrol: Patrol) -> None:
    edit(kept)
    commit(kept.folder, "gifts")
    before = git(kept.folder, "status", "--porcelain"), git(kept.folder, "worktree", "list")
    for words in ("main~1..main", "main~1...HEAD", "main~1"):
        found = json.loads(patrol("diff", words, *SPAN, "--json").out)
        (policy,) = found["policies"]
        assert [(a["kind"], a["key"]) for a in policy["alerts"]] == [
            ("changed", {"seller_id": "s_1"}),
            ("lost", {"seller_id": "s_2"}),
            ("gained", {"seller_id": "s_3"}),
        ], words
    assert (git(kept.folder, "status", "--porcelain"), git(kept.folder, "worktree", "list")) == before
    assert "no policy has changed" in patrol("diff", "main", *SPAN).out


def test_what_is_in_no_commit_is_told_to_be_left_out(kept: World, patrol: Patrol) -> None:
    edit(kept)
    ran = patrol("diff", "main..HEAD", *SPAN)
    assert (ran.code, "no policy has changed" in ran.out) == (0, True)
    assert "Changes that are in no commit are not compared: patrol diff BASE does that." in ran.err


def test_two_folders_are_compared(kept: World, patrol: Patrol, tmp_path: Path) -> None:
    git(tmp_path, "clone", "-q", str(kept.folder), str(tmp_path / "was"))
    edit(kept)
    ran = patrol("diff", str(tmp_path / "was/project"), str(kept.project), *SPAN)
    assert (ran.code, "alerts: 1 gained, 1 lost, 1 changed" in ran.out) == (0, True)
    assert patrol("diff", str(tmp_path), str(kept.project), *SPAN).code == 2


def test_what_mends_a_policy_is_compared_and_its_alerts_are_gained(kept: World, patrol: Patrol) -> None:
    right = (kept.project / "policies/payments/elsewhere.yml").read_text()
    kept.write("policies/payments/elsewhere.yml", right.replace("title: Seller", "titel: Seller"))
    commit(kept.folder, "a slip")
    kept.write("policies/payments/elsewhere.yml", right)
    ran = patrol("diff", "main", *SPAN)
    assert ran.code == 0
    assert "alerts: 2 gained, 0 lost, 0 changed; 1 policy (1 mended)" in ran.out


def test_a_warehouse_that_is_away_is_no_comparison(kept: World, patrol: Patrol) -> None:
    edit(kept)
    kept.table.breaks()
    ran = patrol("diff", "main")
    assert (ran.code, "not replayed: The warehouse does not say" in ran.out) == (1, True), ran.said


def test_added_removed_moved_state_and_broken_policies_are_all_named(kept: World, patrol: Patrol) -> None:
    yaml = kept.project / "policies/payments/elsewhere.yml"
    moved = yaml.read_text() + "renamed_from: payments.elsewhere\n"
    kept.write("policies/payments/steering.yml", moved)
    kept.write("sql/payments/steering.sql", ELSEWHERE_SQL)
    kept.write("policies/payments/held.yml", HELD.replace("severity: high", "severity: low"))
    kept.write("policies/payments/broken.yml", "title: nothing else\n")
    kept.write("sql/payments/broken.sql", ELSEWHERE_SQL)
    yaml.unlink()
    (kept.project / "sql/payments/elsewhere.sql").unlink()
    ran = patrol("diff", "main", *SPAN)
    assert ran.code == 1  # what does not load could not be compared
    assert "payments.steering  moved from payments.elsewhere, alerts 2 → 2" in ran.out
    assert "its files do not load now: patrol check says why" in ran.out
    assert "payments.held  changed" in ran.out
    assert "not replayed: payments.held looks at the world as it is" in ran.out


def test_a_team_or_a_macro_that_changes_shows_in_its_policies(kept: World, patrol: Patrol) -> None:
    teams = kept.project / "policies/_teams.yml"
    teams.write_text(teams.read_text().replace("channel: C0PAYMENTS\n", "channel: C0ELSEWHERE\n"))
    ran = patrol("diff", "main", "payments.elsewhere", *SPAN)
    assert "alerts: 0 gained, 0 lost, 2 changed" in ran.out
    assert "channel C0PAYMENTS → C0ELSEWHERE" in ran.out


def test_a_policy_put_to_draft_loses_its_alerts(kept: World, patrol: Patrol) -> None:
    path = kept.project / "policies/payments/elsewhere.yml"
    path.write_text(path.read_text() + "status: draft\n")
    ran = patrol("diff", "main", *SPAN)
    assert "2 lost" in ran.out
    assert "status live → draft" in ran.out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nothere..HEAD"], "There is no revision 'nothere' here"),
        (["main..nothere"], "There is no revision 'nothere' here"),
        (["..HEAD"], "names no revision"),
        (["main", "payments.nothere"], "There is no policy payments.nothere, neither before nor now"),
        (["--", "--output=x"], "names no revision"),
        (["main:policies"], "There is no revision"),
    ],
)
def test_what_is_none_is_said_plainly(kept: World, patrol: Patrol, words: list[str], said: str) -> None:
    ran = patrol("diff", *SPAN, *words)
    assert (ran.code, said in ran.said) == (2, True), ran.said
    assert not (kept.project / "x").exists()


@pytest.mark.usefixtures("world")
def test_outside_of_a_repository_it_says_what_to_do(patrol: Patrol, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(Path.cwd().parent))
    ran = patrol("diff", "main", *SPAN)
    assert (ran.code, "lies in no git repository: compare two folders" in ran.said) == (2, True)
    monkeypatch.setenv("PATH", "")
    assert "There is no git here" in patrol("diff", "main", *SPAN).said


def test_a_shallow_clone_is_told_to_fetch_all(kept: World, patrol: Patrol, tmp_path: Path) -> None:
    edit(kept)
    commit(kept.folder, "gifts")
    git(tmp_path, "clone", "-q", "--depth", "1", f"file://{kept.folder}", str(tmp_path / "shallow"))
    ran = patrol("diff", "main~1..main", *SPAN, "--project", str(tmp_path / "shallow/project"))
    assert (ran.code, "this clone is shallow" in ran.said) == (2, True)
    assert "fetch-depth: 0" in ran.said


def test_markdown_holds_the_totals_first_and_no_row_breaks_it(kept: World, patrol: Patrol) -> None:
    edit(kept)
    yaml = (kept.project / "policies/payments/elsewhere.yml").read_text()
    kept.write("policies/payments/elsewhere.yml", yaml.replace("{{ seller_id }} asked", "{{ body }} asked"))
    kept.table.does(f"UPDATE core.chat SET body = '{HOSTILE} gifts' WHERE seller_id = 's_3'")
    text = patrol("diff", "main", *SPAN, "--markdown").out
    assert text.startswith("### Patrol: alerts: 1 gained, 1 lost, 1 changed")
    rows = [line for line in text.splitlines() if line.startswith("| ➕")]
    assert len(rows) == 1
    outside = "".join(rows[0].split("`")[::2])  # what stands in no code
    assert len(rows[0].split("`")) % 2 == 1
    assert "@" not in outside
    assert "http" not in outside
    assert "<" not in outside
    assert rows[0].count("|") == 7


@pytest.mark.parametrize("text", [HOSTILE, "", " ", "`", "|", "\\", "\n\n", "\u202eabc", "a" * 5000, "日本"])
def test_code_spans_hold_whatever_it_is(text: str) -> None:
    shown = code(text)
    assert shown == "–" or (shown.startswith("`") and shown.endswith("`"))
    assert not set("|\\\n\u202e") & set(shown)
    assert shown.count("`") in (0, 2)
    assert len(shown) <= 92


def test_a_comparison_too_long_for_a_comment_is_cut() -> None:
    one = Opening(1, NOON, "k", {}, "long " * 30, Severity.low, 1)
    many = tuple(Difference(Kind.gained, one, ("how " * 30,)) for _ in range(30))
    found = [Compared(f"a.p{n}", "changed", 1, 2, many) for n in range(150)]
    text = as_markdown("x", found, totals(found))
    assert len(text) < LONGEST + 200
    assert "more than a comment can hold" in text
    assert text.count("| changed | 1 |") == 100
    assert "and 50 policies more" in text
    assert text.startswith("### Patrol: alerts: 4,500 gained")


def test_a_change_of_a_folder_s_defaults_changes_the_policies_that_take_it(
    kept: World, patrol: Patrol
) -> None:
    yaml = ELSEWHERE.replace("every: 1m", "every: 1h")
    kept.write("policies/payments/elsewhere.yml", yaml.replace("severity: {medium: 1, high: 4}\n", ""))
    kept.write("policies/payments/_defaults.yml", "severity: {medium: 1, high: 4}\n")
    ran = patrol("diff", "main", *SPAN)
    assert (ran.code, "alerts: 0 gained, 0 lost, 0 changed" in ran.out) == (0, True), ran.out
    commit(kept.folder, "said by the folder")
    kept.write("policies/payments/_defaults.yml", "severity: {medium: 1, high: 9}\n")
    ran = patrol("diff", "main", *SPAN)
    assert "alerts: 0 gained, 0 lost, 1 changed; 1 policy (1 changed)" in ran.out
    assert "(high → medium)" in ran.out


def test_a_manifest_of_dbt_that_is_in_no_commit_holds_for_both_versions(kept: World, patrol: Patrol) -> None:
    names = {"message_id": "varchar", "seller_id": "varchar", "body": "varchar", "sent_at": "timestamp"}
    columns = {name: {"name": name, "data_type": kind} for name, kind in names.items()}
    chat = {
        "resource_type": "model",
        "schema": "core",
        "name": "chat",
        "columns": columns,
        "group": "payments",
    }
    manifest = kept.project / "target" / "manifest.json"
    manifest.parent.mkdir()
    manifest.write_text(json.dumps({"nodes": {"model.chat": chat}}))
    (kept.folder / ".gitignore").write_text("market/\n*.db*\n.patrol/\ntarget/\n")
    settings = kept.project / "patrol.yml"
    settings.write_text(settings.read_text() + "dbt_manifest: target/manifest.json\n")
    kept.write("policies/_assets.yml", SELLERS)
    commit(kept.folder, "the tables of dbt")
    assert patrol("diff", "main", *SPAN).out.count("no policy has changed") == 1
    edit(kept)
    ran = patrol("diff", "main", *SPAN)
    assert "alerts: 1 gained, 1 lost, 1 changed; 1 policy (1 changed)" in ran.out
