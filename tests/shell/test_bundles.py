"""Bundles as people meet them: a story over a team's own repository, and what commands say of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot import schedule
from bot.app import Bot
from bot.sandbox import Sandbox
from tests.shell.making import ELSEWHERE, ELSEWHERE_SQL, FILES, World
from tests.shell.repository import Repository
from tests.shell.test_app import settings, wait
from tests.shell.typing_in import Patrol

YAML, SQL = "policies/chat/asks.yml", "sql/chat/asks.sql"
NAME = "risk:chat.asks"
RISKS = ELSEWHERE.replace("owner: payments", "owner: risk").replace("every: 1m", "every: 1s")
CASES = """
cases:
  - name: one asks
    at: 2026-01-05T12:00:00Z
    given: {core.chat: asked.csv}
    expect: [{seller_id: s_1}]
  - {name: nobody asks, at: 2026-01-05T12:00:00Z, given: {core.chat: []}, expect: []}
"""
ASKED = "message_id,seller_id,body,sent_at\nm_1,s_1,pay me,2026-01-05T11:59:00Z\n"


@pytest.fixture
def team(world: World, tmp_path: Path) -> Repository:
    """Ana's team has a repository, which the project knows as risk."""
    made = Repository(tmp_path / "team")
    made.commit({YAML: RISKS, SQL: ELSEWHERE_SQL})
    teams = FILES["policies/_teams.yml"]
    world.write(
        "policies/_teams.yml", f"{teams}\nrisk: {{channel: C0OTHER, members: {{ana: {{slack: U0ANA}}}}}}\n"
    )
    world.write("patrol.yml", f"pull_every: 1\nbundles:\n  risk: {{git: '{made.url}', owner: risk}}\n")
    world.write("policies/payments/elsewhere.yml", ELSEWHERE.replace("every: 1m", "every: 1s"))
    return made


@pytest.fixture
def bot(world: World, slack: Sandbox, team: Repository, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bot]:  # noqa: ARG001  the bot pulls it
    for chore in ("pull", "reload"):
        monkeypatch.setitem(schedule.CHORES, chore, 0.2)
    made = Bot(settings(world, slack))
    made.start()
    yield made
    made.stop()


def told(slack: Sandbox, words: str, channel: str = "other") -> list[str]:
    """The cards of this channel that say so."""
    cards = [m for m in slack.messages(channel) if m.get("thread_ts") in (None, m["ts"])]
    return [text for card in cards if words in (text := json.dumps(card.get("blocks"), ensure_ascii=False))]


def test_a_team_breaks_its_own_repository_and_hears_of_it_once_and_nobody_else_notices(
    world: World, slack: Sandbox, team: Repository, bot: Bot
) -> None:
    wait(lambda: NAME in bot.project.catalog.policies)
    world.table.says("s_1", datetime.now(UTC))
    wait(lambda: told(slack, "s_1 asked") and told(slack, "s_1 asked", "payments"))
    good = bot.health().checks["bundle risk"]
    assert good.startswith(f"ok: commit {team.git('rev-parse', 'HEAD')[:7]}, ")

    team.commit(
        {YAML: RISKS.replace("severity:", "severty:"), "policies/_teams.yml": "mallory: {channel: C0X}"}
    )
    wait(lambda: told(slack, "does not load") and told(slack, "who may act is said in"))
    world.table.says("s_2", datetime.now(UTC))
    wait(lambda: told(slack, "s_2 asked") and told(slack, "s_2 asked", "payments"))
    assert len(told(slack, "does not load")) == len(told(slack, "Bundle risk is not whole")) == 1
    assert not told(slack, "does not load", "payments")
    assert not told(slack, "Bundle risk", "payments")
    assert "who may act is said in" in bot.health().checks["bundle risk"]
    assert bot.health().ready
    assert "mallory" not in bot.project.catalog.teams
    assert "risk " in str(bot.view.status().bundles)

    team.commit({YAML: RISKS.replace("asked", "has asked"), "policies/_teams.yml": None})
    wait(lambda: not bot.project.catalog.errors)
    world.table.says("s_3", datetime.now(UTC))
    wait(lambda: told(slack, "s_3 has asked"))
    wait(
        lambda: (
            "RESOLVED" in str(told(slack, "does not load"))
            and not bot.store.alerts.open(policy="patrol.broken_bundle")
        )
    )
    assert len(told(slack, "does not load")) == 1


@pytest.mark.usefixtures("team")
def test_slack_commands_take_a_bundles_policy_by_its_name(world: World, slack: Sandbox, bot: Bot) -> None:
    wait(lambda: NAME in bot.project.catalog.policies)
    wait(lambda: bot.health().ready)
    world.table.says("s_1", datetime.now(UTC))
    wait(lambda: told(slack, "s_1 asked"))

    def answer(words: str) -> str:
        return json.dumps(slack.command("ana", "other", f"/patrol {words}"), ensure_ascii=False)

    assert f"`{NAME}`" in answer(f"policy {NAME}")
    assert "s_1 asked" in answer(f"list policy:{NAME}")
    assert f"did you mean `{NAME}`?" in answer("policy chat.asks").replace("Did", "did")
    assert f"`{NAME}`: " in answer(f"rerun {NAME}")
    (held,) = [one for one in bot.project.catalog.bundles if one.name == "risk"]
    status = answer("status")
    assert f"risk {held.commit[:7]}, since " in status
    assert "main, 2 policies" in status


def mistaken(out: str) -> set[str]:
    """The paths of the files with mistakes."""
    return {problem["path"] for problem in json.loads(out) if not problem["warning"]}


def test_check_names_mistakes_of_all_bundles_with_their_places(
    world: World, team: Repository, patrol: Patrol, tmp_path: Path
) -> None:
    ran = patrol("check")
    assert ran.code == 0, ran.said
    assert "pulling risk from file://" in ran.err
    assert "3 policies" in ran.out
    shop = tmp_path / "shop"
    for path, text in ((YAML, ELSEWHERE.replace("key:", "kye:")), (SQL, ELSEWHERE_SQL)):
        (shop / path).parent.mkdir(parents=True)
        (shop / path).write_text(text)
    declared = (world.project / "patrol.yml").read_text()
    world.write(
        "patrol.yml", f"{declared}  shop: {{path: ../shop, owner: nobody}}\n  gone: {{path: ../gone}}\n"
    )
    team.commit({YAML: RISKS.replace("owner: risk", "owner: payments"), SQL: "SELECT 1 FROM core.chat"})
    patrol("bundles", "pull")
    ran = patrol("check", "--json")
    assert ran.code == 1
    assert mistaken(ran.out) == {"patrol.yml", f"../shop/{YAML}", f"risk:{YAML}", f"risk:{SQL}"}
    only = patrol("check", str(shop / "policies"))
    assert f"../shop/{YAML}:" in only.out
    assert "risk:" not in only.out
    assert "1 mistake (1 in policies)" in only.said or "mistakes (" in only.said


def test_the_analysts_commands_take_a_bundles_policy(world: World, team: Repository, patrol: Patrol) -> None:
    team.commit({YAML: RISKS + CASES, "policies/chat/asked.csv": ASKED})
    world.table.says("s_1", datetime.now(UTC))
    for words in (
        ("test", NAME),
        ("run", NAME),
        ("preview", NAME),
        ("next", NAME),
        ("backtest", NAME, "--days", "1"),
    ):
        ran = patrol(*words)
        assert ran.code == 0, f"{words}: {ran.said}"
    assert "2 cases" in patrol("test", NAME).said
    assert patrol("test", NAME, "-k", "nobody").code == 0
    assert f"did you mean {NAME}?" in patrol("run", "risk:chat.ask").said
    assert f"did you mean {NAME}?" in patrol("run", "chat.asks").said
    ran = patrol("case", NAME, "--from-rows", "seller_id=s_1", "--write")
    assert ran.code != 0
    assert "risk is pulled from a repository" in ran.said
    assert patrol("test", NAME, "--mutate").code == 0


def test_bundles_are_listed_and_pulled_by_hand(team: Repository, patrol: Patrol) -> None:
    ran = patrol("bundles")
    assert ran.code == 1
    assert "it was not pulled yet" in ran.out
    assert patrol("bundles", "pull", "rsk").code == 2
    ran = patrol("bundles", "pull", "risk", "--json")
    commit = team.git("rev-parse", "HEAD").strip()
    assert (ran.code, json.loads(ran.out)) == (0, [{"bundle": "risk", "commit": commit, "trouble": None}])
    ran = patrol("bundles", "--json")
    main, risk = json.loads(ran.out)
    assert ran.code == 0
    assert (main["bundle"], main["policies"], main["commit"]) == ("main", 2, None)
    assert (risk["source"], risk["commit"], risk["policies"], risk["mistakes"], risk["trouble"]) == (
        f"{team.url} main", commit, 1, 0, None,
    )  # fmt: skip
    team.folder.rename(team.folder.with_name("away"))
    ran = patrol("bundles", "pull", "--json")
    assert (ran.code, json.loads(ran.out)[0]["trouble"]) == (1, "there is no such repository")
    assert "there is no such repository" in patrol("bundles", "pull").out
    ran = patrol("bundles")
    assert commit[:12] in ran.out
    assert f"  {team.url} main\n  there is no such repository" in ran.out
    assert patrol("check").code == 0  # with what was pulled before
    wait(lambda: "risk is as it was at" in patrol("check").err)


def test_a_team_checks_its_own_folder_against_the_project(
    world: World, team: Repository, patrol: Patrol, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(team.folder)
    (team.folder / YAML).write_text(RISKS.replace("key:", "kye:"))
    words = ("check", "--json", "--project", str(world.project))
    ran = patrol(*words, PATROL_BUNDLE_FOLDERS="risk=.")
    assert ran.code == 1
    assert mistaken(ran.out) == {f"../team/{YAML}"}


def test_without_a_repository_there_is_nothing_to_pull(patrol: Patrol) -> None:
    assert "No bundle lies in a repository" in patrol("bundles", "pull").said
    ran = patrol("bundles")
    assert ran.code == 0
    assert "this folder" in ran.out
