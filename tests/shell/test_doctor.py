"""`patrol doctor`: what is wrong with what Patrol stands on, with what to do, and nothing where nothing is."""
# ruff: noqa: E501 - what is said stands in one line

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from bot.sandbox import Sandbox
from bot.slack.scopes import SCOPES
from sensors.rights import skew
from tests.databases import own_database
from tests.shell.making import World
from tests.shell.typing_in import Patrol

TABLES = """
CREATE SCHEMA core;
CREATE TABLE core.chat (message_id TEXT, seller_id TEXT, body TEXT, sent_at TIMESTAMP);
CREATE TABLE core.sellers (seller_id TEXT, held BOOLEAN)
"""


ROOT = Path(__file__).parents[2]
OLD = {"oauth_config": {"scopes": {"bot": sorted(SCOPES - {"app_mentions:read", "commands"})}}}


@pytest.fixture
def slack() -> Iterator[Sandbox]:
    """One where the app was installed from the manifest."""
    manifest = ROOT / "manifest.yaml"
    with Sandbox(channels=["payments", "payments-review"], pace=False, manifest=manifest) as made:
        yield made


@pytest.fixture
def settings(slack: Sandbox) -> dict[str, str]:
    """Slack, so that nothing is wrong with it."""
    tokens = {"SLACK_BOT_TOKEN": slack.bot_token, "SLACK_APP_TOKEN": slack.app_token}
    return {"PATROL_SLACK_URL": slack.api, **tokens}


@pytest.fixture
def shop(postgres_server: str) -> Iterator[tuple[psycopg.Connection[Any], str, str]]:
    """The owner's connection, Patrol's role, and its URL."""
    with own_database(postgres_server) as url, psycopg.connect(url, autocommit=True) as own:
        role = f"doctor_{psycopg.conninfo.conninfo_to_dict(url)['dbname']}"
        own.execute(f"{TABLES}; CREATE ROLE {role} LOGIN PASSWORD 'x'")  # type: ignore[call-overload]
        yield own, role, f"postgresql://{role}:x@{url.partition('@')[2]}"
        own.execute(f"DROP OWNED BY {role}; DROP ROLE {role}")  # type: ignore[call-overload]


@pytest.mark.usefixtures("town")
def test_where_all_is_as_it_must_be_nothing_is_wrong(patrol: Patrol, settings: dict[str, str]) -> None:
    ran = patrol("doctor", **settings)
    assert ran.code == 0, ran.out
    assert "✗" not in ran.out
    for said in (
        "✓ warehouse: the file is opened for reading only, and reaches nothing outside",
        "✓ store: its schema is of this version",
        "✓ store: it takes writes",
        "✓ slack: the app may do all that manifest.yaml asks for",
        "✓ slack: Socket Mode: it gives us a connection",
        "✓ slack: #payments takes posts",
        "nothing wrong",
    ):
        assert said in ran.out


def test_of_slack_it_names_the_token_the_scopes_and_the_channels(
    town: World, patrol: Patrol, settings: dict[str, str]
) -> None:
    assert "SLACK_BOT_TOKEN is not set" in patrol("doctor").out
    refused = patrol("doctor", **{**settings, "SLACK_BOT_TOKEN": "xoxb-nobody"})
    assert (
        "✗ slack: Slack refuses SLACK_BOT_TOKEN: invalid_auth; start Patrol with the Bot User OAuth Token"
        in refused.said
    )
    deaf = patrol("doctor", **{**settings, "SLACK_APP_TOKEN": "xapp-nobody"})
    assert (deaf.code, deaf.out.count("✗")) == (1, 1)
    assert "✗ slack: Socket Mode: Slack refuses SLACK_APP_TOKEN: invalid_auth; start Patrol with" in deaf.said
    teams = town.project / "policies/_teams.yml"
    teams.write_text(teams.read_text().replace("C0PAYMENTSREVIEW", "C0NOWHERE"))
    elsewhere = town.project / "policies/payments/elsewhere.yml"
    elsewhere.write_text(elsewhere.read_text() + "sensitive: true\n")
    ran = patrol("doctor", **settings)
    assert ran.code == 1
    assert "✗ slack: C0NOWHERE takes no posts: channel_not_found" in ran.out
    assert "write `/invite @patrol` there" in ran.out
    assert "✗ slack: #payments gets sensitive alerts, and it is public" in ran.out
    with Sandbox(channels=["payments"], pace=False, manifest=OLD) as old:
        poor = {**settings, "PATROL_SLACK_URL": old.api, "SLACK_BOT_TOKEN": old.bot_token}
        lacking = patrol("doctor", **poor)
    assert "✗ slack: the app lacks app_mentions:read, commands" in lacking.out
    assert "paste manifest.yaml again and reinstall the app" in lacking.out
    gone = patrol("doctor", **{**settings, "PATROL_SLACK_URL": "http://127.0.0.1:9/api/"})
    assert "✗ slack: it does not answer" in gone.out


def test_of_the_warehouse_it_names_what_is_not_there(
    world: World, patrol: Patrol, settings: dict[str, str]
) -> None:
    world.table.does("DROP TABLE core.sellers")
    assert "✗ warehouse: there is no table core.sellers" in patrol("doctor", **settings).out
    away = patrol("doctor", **settings, PATROL_WAREHOUSE_URL="postgresql://patrol@127.0.0.1:9/shop")
    assert "✗ warehouse: it cannot be asked: the warehouse does not answer" in away.out
    unknown = patrol("doctor", **settings, PATROL_WAREHOUSE_URL="nosuch://a/b")
    assert "✗ warehouse: Patrol knows no warehouse 'nosuch'" in unknown.out


@pytest.mark.usefixtures("world")
def test_of_postgres_it_says_whether_the_role_can_only_read(
    patrol: Patrol, settings: dict[str, str], shop: Any
) -> None:
    own, role, url = shop

    def told() -> dict[str, bool | None]:
        ran = patrol("doctor", "--json", **settings, PATROL_WAREHOUSE_URL=url)
        return {one["what"]: one["ok"] for one in json.loads(ran.out) if one["of"] == "warehouse"}

    own.execute(f"GRANT USAGE ON SCHEMA core TO {role}; GRANT SELECT ON core.chat TO {role}")
    found = told()
    assert found[f"its role {role} can only read"] is True
    assert found["its clock and ours agree"] is True
    assert found["its role may not read core.sellers"] is False
    own.execute(f"GRANT SELECT ON core.sellers TO {role}")
    assert False not in told().values()
    own.execute(f"GRANT INSERT ON core.chat TO {role}; GRANT CREATE ON SCHEMA core TO {role}")
    own.execute(f"ALTER ROLE {role} CREATEDB")
    found = told()
    assert found["its role may write to core.chat"] is False
    (wrong,) = (what for what in found if "can do more than read" in what)
    assert "it is a superuser, may make roles or databases, or passes over row security" in wrong
    assert "it may create in core" in wrong


@pytest.mark.usefixtures("world")
def test_a_store_that_is_not_there_is_not_made(
    patrol: Patrol, settings: dict[str, str], tmp_path: Path
) -> None:
    file = tmp_path / "other" / "patrol.db"
    assert (
        f"there is no {file} yet" in patrol("doctor", **settings, PATROL_STORE_URL=f"sqlite:///{file}").said
    )
    assert not file.parent.exists()
    away = patrol("doctor", **settings, PATROL_STORE_URL="postgresql://patrol@127.0.0.1:9/patrol")
    assert away.code == 1
    assert "✗ store: " in away.out


def test_a_clock_is_wrong_from_half_a_minute_on() -> None:
    assert skew(1029.0, 1000.0).ok
    assert skew(1031.0, 1000.0).what == "its clock is 31 s ahead of ours"
    assert skew(900.0, 1000.0).what == "its clock is 100 s behind ours"
