"""manifest.yaml asks for what the code uses, and for nothing else."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from bot.slack import http
from bot.slack.client import SlackClient
from bot.slack.scopes import COMMANDS, EVENTS, METHODS, SCOPES, SHORTCUTS

ROOT = Path(__file__).parents[2]
SCHEMAS = ROOT.parent / "shared" / "slack" / "manifest-schema"


@pytest.fixture
def manifest() -> dict[str, Any]:
    return yaml.safe_load((ROOT / "manifest.yaml").read_text(encoding="utf-8"))


def test_its_scopes_are_those_of_the_methods_and_events_we_use(manifest: dict[str, Any]) -> None:
    listed = manifest["oauth_config"]["scopes"]["bot"]
    assert listed == sorted(SCOPES)


def test_its_commands_shortcuts_and_events_are_those_that_are_listened_to(manifest: dict[str, Any]) -> None:
    assert manifest["features"]["slash_commands"] == [dict(entry) for entry in COMMANDS]
    assert manifest["features"]["shortcuts"] == [dict(entry) for entry in SHORTCUTS]
    assert manifest["settings"]["event_subscriptions"]["bot_events"] == sorted(EVENTS)
    assert manifest["settings"]["socket_mode_enabled"] is True
    assert manifest["settings"]["interactivity"]["is_enabled"] is True
    assert manifest["features"]["app_home"]["home_tab_enabled"] is True


def test_the_client_calls_nothing_that_the_manifest_does_not_cover() -> None:
    client = SlackClient("xoxb-x", "http://127.0.0.1:1/api/")
    assert "reactions.add" not in METHODS
    with pytest.raises(KeyError):
        client._call("reactions.add", {})


def in_http_mode() -> dict[str, Any]:
    """What the operator's guide makes of it, by its own command."""
    guide = (ROOT / "docs" / "operators.md").read_text(encoding="utf-8")
    command = re.search(r"^ *(sed .*?manifest\.yaml)$", guide, re.DOTALL | re.MULTILINE)
    assert command
    made = subprocess.run(command[1], shell=True, cwd=ROOT, capture_output=True, check=True, text=True)
    return yaml.safe_load(made.stdout)


def test_the_manifest_for_http_differs_only_in_how_slack_reaches_us(manifest: dict[str, Any]) -> None:
    url = "https://patrol.your-company.com/slack/events"
    assert url.endswith(http.PATH)
    manifest["features"]["slash_commands"][0]["url"] = url
    manifest["settings"]["event_subscriptions"]["request_url"] = url
    manifest["settings"]["interactivity"]["request_url"] = url
    manifest["settings"]["socket_mode_enabled"] = False
    assert in_http_mode() == manifest


@pytest.mark.skipif(not SCHEMAS.is_dir(), reason="Slack's schema is not beside this repository")
def test_slack_accepts_the_manifest_for_http_too() -> None:
    schema = json.loads((SCHEMAS / "manifest.schema.1.0.0.json").read_text(encoding="utf-8"))
    jsonschema.validate(in_http_mode(), schema)


@pytest.mark.skipif(not SCHEMAS.is_dir(), reason="Slack's schema is not beside this repository")
def test_slack_accepts_it_and_would_refuse_a_mistake(manifest: dict[str, Any]) -> None:
    schema = json.loads((SCHEMAS / "manifest.schema.1.0.0.json").read_text(encoding="utf-8"))
    jsonschema.validate(manifest, schema)
    manifest["features"]["slash_commands"][0]["command"] = 3
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(manifest, schema)
