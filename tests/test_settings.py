"""Settings come from the environment and patrol.yml, and everything wrong with them is said at once."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.process.errors import SettingsError
from bot.process.settings import load, require, require_slack

ROOT = Path(__file__).parents[1]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return tmp_path


def said(project: Path, text: str = "", environ: Mapping[str, str] | None = None) -> str:
    """What the person is told."""
    (project / "patrol.yml").write_text(text)
    with pytest.raises(SettingsError) as caught:
        load(project, environ or {})
    return str(caught.value)


def test_nothing_need_be_set(project: Path) -> None:
    found = load(project, {})
    assert found.store_url == f"sqlite:///{project}/.patrol/patrol.db"
    assert (found.port, found.host, found.workers, found.dialect) == (8080, "127.0.0.1", 2, "snowflake")
    assert found.slack_url == "https://slack.com/api/"
    assert found.warehouse_url is None


def test_the_environment_wins_over_the_file(project: Path) -> None:
    (project / "patrol.yml").write_text("port: 9000\nworkers: 4\n")
    found = load(project, {"PATROL_PORT": "9001"})
    assert (found.port, found.workers) == (9001, 4)


def test_an_empty_variable_is_not_set(project: Path) -> None:
    (project / "patrol.yml").write_text("port: 9000\nwarehouse_url:\n")
    found = load(project, {"PATROL_PORT": " ", "SLACK_BOT_TOKEN": ""})
    assert (found.port, found.slack_bot_token, found.warehouse_url) == (9000, None, None)


@pytest.mark.parametrize(
    ("url", "means"),
    [
        ("duckdb:///data/x.duckdb", "duckdb:///{project}/data/x.duckdb"),
        ("duckdb:///data", "duckdb:///{project}/data"),
        ("duckdb:////srv/x.duckdb", "duckdb:////srv/x.duckdb"),
        ("sqlite:///x.db?timeout=3", "sqlite:///{project}/x.db?timeout=3"),
        ("duckdb:///:memory:", "duckdb:///:memory:"),
        ("postgresql://u:p@h/d", "postgresql://u:p@h/d"),
    ],
)
def test_addresses_of_files_lie_in_the_project(project: Path, url: str, means: str) -> None:
    found = load(project, {"PATROL_WAREHOUSE_URL": url})
    assert found.warehouse_url == means.format(project=project)


def test_an_absolute_path_comes_out_with_four_slashes(project: Path) -> None:
    assert load(project, {}).store_url.startswith("sqlite:////")


def test_a_secret_may_lie_in_a_file(project: Path) -> None:
    (project / "token").write_text("xoxb-1-2\n")
    (project / "url").write_text("postgresql://u:p@h/d\n")
    environ = {"SLACK_BOT_TOKEN_FILE": str(project / "token"), "PATROL_STORE_URL_FILE": "url"}
    found = load(project, environ)
    assert (found.slack_bot_token, found.store_url) == ("xoxb-1-2", "postgresql://u:p@h/d")


def test_an_address_to_ping_is_a_secret_in_all_but_its_host(project: Path) -> None:
    found = load(project, {"PATROL_PING_URL": "https://hc.example/3f2a-hush?x=1"})
    assert found.ping_url == "https://hc.example/3f2a-hush?x=1"
    assert "ping_url='https://hc.example/…'" in repr(found)
    assert "hush" not in repr(found)
    assert found.secrets == ("https://hc.example/3f2a-hush?x=1",)
    wrong = said(project, "ping_url: ftp://hc.example/hush\n")
    assert wrong == "patrol.yml:1:11 ping_url: must be an address that begins with https:// or http://"
    (project / "at").write_text("http://h/hush\n")
    assert load(project, {"PATROL_PING_URL_FILE": "at"}).ping_url == "http://h/hush"


def test_no_secret_shows_in_a_repr(project: Path) -> None:
    environ = {
        "SLACK_BOT_TOKEN": "xoxb-hush",
        "SLACK_APP_TOKEN": "xapp-hush",
        "SLACK_SIGNING_SECRET": "hush",
        "PATROL_STORE_URL": "postgresql://u:hush@h/d",
        "PATROL_WAREHOUSE_URL": "postgresql://u:hu@sh:hush@h/d",
    }
    found = load(project, environ)
    assert "hush" not in repr(found)
    assert "u:…@h/d" in repr(found)
    assert found.secrets == ("xoxb-hush", "xapp-hush", "hush")


MISTAKES = [
    ("port: 80a", 'patrol.yml:1:7 port: must be a whole number from 0 to 65535, not \'80a\''),
    ("\n\nport: 70000", "patrol.yml:3:7 port: must be a whole number from 0 to 65535, not '70000'"),
    ("prot: 80", 'patrol.yml:1:1 prot: there is no such setting; did you mean "port"?'),
    ("zebra: 80", "patrol.yml:1:1 zebra: there is no such setting"),
    ("port: 80\nport: 81", "patrol.yml:2:1 port: stands here a second time"),
    ("port: [80]", "patrol.yml:1:7 port: must be a single value"),
    ("log: loud", "patrol.yml:1:6 log: must be auto, json or pretty, not 'loud'"),
    ("dialect: snowflak", "patrol.yml:1:10 dialect: must be a dialect of SQL such as snowflake, duckdb,"
     " postgres,"
     " bigquery, not 'snowflak'; did you mean \"snowflake\"?"),
    ("slack_url: slack.com", "patrol.yml:1:12 slack_url: must be the address of Slack's Web API, such as"
     " https://slack.com/api/, not 'slack.com'"),
    ("slack_mode: htp", "patrol.yml:1:13 slack_mode: must be socket or http, not 'htp';"
     ' did you mean "http"?'),
    ("store_url: patrol.db", "patrol.yml:1:12 store_url: must be an address such as"
     " sqlite:///folder/file.db or"
     " postgresql://user@host/name, not 'patrol.db'"),
    ("slack_bot_token: xoxb-1", "patrol.yml:1:18 slack_bot_token: is a secret and must not stand in a"
     " file that is"
     " shared; set SLACK_BOT_TOKEN"),
    ("\tport: 80", "patrol.yml:1:1: cannot be read; each line is `name: value` (mind tabs, quotes and"
     " colons)"),
    ("- port", "patrol.yml:1:1: must hold lines of the form `name: value`"),
    ("port: 'x", "patrol.yml:1:9: cannot be read; each line is `name: value` (mind tabs, quotes and colons)"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "sentence"), MISTAKES)
def test_each_mistake_in_the_file_has_its_sentence(project: Path, text: str, sentence: str) -> None:
    assert said(project, text) == sentence


ENVIRONMENT = [
    ({"PATROL_PORT": "x"}, "environment PATROL_PORT: must be a whole number from 0 to 65535, not 'x'"),
    ({"PATROL_PROT": "80"}, 'environment PATROL_PROT: there is no such setting; did you mean "PATROL_PORT"?'),
    ({"PATROL_STOREURL": "x"}, 'environment PATROL_STOREURL: there is no such setting; did you mean'
     ' "PATROL_STORE_URL"?'),
    ({"PATROL_PORT": "tcp://10.0.0.1:80"}, "environment PATROL_PORT: must be a whole number from 0 to 65535"
     " (Kubernetes sets this one for a service called patrol: turn enableServiceLinks off), not"
     " 'tcp://10.0.0.1:80'"),
    ({"SLACK_BOT_TOKEN": "xapp-1-hush"}, "environment SLACK_BOT_TOKEN: must be a bot token, which"
     " begins with xoxb-"
     " (this one begins with xapp-)"),
    ({"SLACK_APP_TOKEN": "hush hush"}, "environment SLACK_APP_TOKEN: must be an app-level token, which"
     " begins with xapp-"),
    ({"SLACK_BOT_TOKEN_FILE": "/no/such"}, "environment SLACK_BOT_TOKEN_FILE: the file /no/such cannot"
     " be read (No such"
     " file or directory)"),
    ({"SLACK_BOT_TOKEN_FILE": "/x", "SLACK_BOT_TOKEN": "xoxb-1"}, "environment SLACK_BOT_TOKEN_FILE:"
     " SLACK_BOT_TOKEN is"
     " set too; keep one of them"),
    ({"PATROL_STORE_URL": "u:hush@h"}, "environment PATROL_STORE_URL: must be an address such as"
     " sqlite:///folder/file.db or postgresql://user@host/name"),
]  # fmt: skip


@pytest.mark.parametrize(("environ", "sentence"), ENVIRONMENT)
def test_each_mistake_in_the_environment_has_its_sentence(
    project: Path, environ: dict[str, str], sentence: str
) -> None:
    told = said(project, "", environ)
    assert told.startswith(sentence)
    assert "hush" not in told


def test_all_mistakes_are_told_at_once(project: Path) -> None:
    told = said(project, "prot: 1\nworkers: many", {"PATROL_PORT": "x", "SLACK_BOT_TOKEN": "y"})
    assert told.startswith("4 mistakes in the settings:\n")
    for where in (
        "patrol.yml:1:1",
        "patrol.yml:2:10",
        "environment PATROL_PORT",
        "environment SLACK_BOT_TOKEN",
    ):
        assert where in told


def test_a_folder_that_is_not_there_is_told(project: Path) -> None:
    with pytest.raises(SettingsError, match="There is no folder"):
        load(project / "nowhere", {})


def test_variables_of_jobs_are_nobodys_typos(project: Path) -> None:
    (project / "policies").mkdir()
    (project / "policies" / "_jobs.yml").write_text("x: {url: '${PATROL_STATE_URL}/y'}")
    others = {"PATROL_RISK_URL": "x", "PATROL_OPS_URL": "x", "PATROL_ADMIN_URL": "x", "PATROL_STATE_URL": "x"}
    assert load(project, others)


def test_yaml_reads_nothing_into_words(project: Path) -> None:
    (project / "patrol.yml").write_text("bundle: no\nport: 010\n")
    assert (load(project, {}).bundle, load(project, {}).port) == ("no", 10)


def test_what_serving_needs_is_named(project: Path) -> None:
    bare = load(project, {})
    with pytest.raises(
        SettingsError, match=r"(?s)2 mistakes.*SLACK_BOT_TOKEN is not set.*SLACK_APP_TOKEN is not set"
    ):
        require_slack(bare)
    with pytest.raises(SettingsError, match="set PATROL_WAREHOUSE_URL, or warehouse_url in patrol"):
        require(bare, warehouse=True)
    require_slack(load(project, {"SLACK_BOT_TOKEN": "xoxb-1", "SLACK_APP_TOKEN": "xapp-1"}))


def test_over_http_the_signing_secret_is_needed_and_no_app_token(project: Path) -> None:
    over_http = {"PATROL_SLACK_MODE": "http", "SLACK_BOT_TOKEN": "xoxb-1"}
    with pytest.raises(SettingsError, match=r"^SLACK_SIGNING_SECRET is not set") as caught:
        require_slack(load(project, over_http))
    assert "no SLACK_APP_TOKEN is needed" in str(caught.value)
    require_slack(load(project, {**over_http, "SLACK_SIGNING_SECRET": "hush"}))


def test_the_project_of_this_repository_has_good_settings() -> None:
    found = load(ROOT, {})
    assert found.dialect == "snowflake"
    assert found.warehouse_url is not None


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(max_size=80), value=st.text(max_size=30))
def test_whatever_stands_there_the_answer_is_settings_or_sentences(
    project: Path, text: str, value: str
) -> None:
    (project / "patrol.yml").write_text(text, errors="replace")
    environ = {"PATROL_STORE_URL": value, "PATROL_PORT": value, "SLACK_BOT_TOKEN": value}
    with contextlib.suppress(SettingsError):
        assert load(project, environ).port in range(65536)


def test_functions_of_their_own_are_named_with_commas_between(project: Path) -> None:
    (project / "patrol.yml").write_text(
        "functions: risk_score, Core.Normalize\nbundles: {risk: {path: ../risk}}\n"
    )
    found = load(project, {})
    assert found.may_call == ("risk_score", "core.normalize")
    assert [bundle.functions for bundle in found.bundles] == [found.may_call]
    assert load(project, {"PATROL_FUNCTIONS": "other"}).may_call == ("other",)
    for wrong in ("a; b", "a b", "f()", "a,,b", "a.b.c.d"):
        assert "functions: must be names of functions with commas between" in said(
            project, f"functions: {wrong!r}"
        )
