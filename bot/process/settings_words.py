"""What the settings mean, and what some of them may be, for messages and for editors."""

from __future__ import annotations

import re

from pydantic import AfterValidator

from bot.process.settings_bundles import DIALECTS

CHOICES = {
    "dialect": DIALECTS,
    "slack_mode": ("socket", "http"),
    "log": ("auto", "json", "pretty"),
    "log_level": ("debug", "info", "warning", "error"),
    "commands": ("on", "off"),
}
ABOUT = {
    "store_url": "Where Patrol keeps alerts, history and what it has seen: SQLite or Postgres",
    "warehouse_url": "Where the policies look: duckdb:///warehouse.duckdb or postgresql://user@host/name",
    "host": "The address that /healthz, /readyz and /metrics are served on",
    "port": "The port that they are served on",
    "slack_url": "Another address of Slack's API, such as the sandbox's",
    "slack_mode": "socket: Patrol calls Slack; http: Slack posts to /slack/events on the port",
    "workers": "How many policies are looked at side by side",
    "log": "auto is pretty on a terminal and json elsewhere",
    "log_level": "What is logged",
    "dialect": "The dialect that sql/ is written in; it is carried over to whatever the warehouse speaks",
    "bundle": "The name of this set of policies",
    "owner": "The team of policies/_teams.yml that answers for Patrol itself; default: the first one",
    "dbt_manifest": "The manifest.json of a dbt project, whose tables need no entry in _assets.yml",
    "bundle_folders": "Bundles that are taken from folders instead, such as risk=.; for a team's own checks",
    "functions": "Functions of your own that policies may call, such as risk_score, core.normalize",
    "commands": "on: jobs of kind command, and dbt by command, may start programs on this host",
    "pull_every": "How many seconds after its last pull a bundle's repository is pulled again",
    "earn_judged": "How many verdicts a policy in shadow needs before it has earned its place",
    "earn_precision": "Which share of them must have called it right",
    "earn_a_day": "How many alerts a day it may have made at most",
    "earn_days": "For how many days it must have run in shadow",
    "evidence_days": "For how many days the rows of a resolved alert are kept; default: for ever",
    "history_days": "For how many days a resolved alert is kept; default: for ever",
    "audit_days": "For how many days the lines of the audit are kept; default: for ever",
    "url": "Where others reach the port, such as https://patrol.example.com; jobs that run elsewhere call it",
    "ping_url": "Called each minute while Patrol is at work; who hears nothing raises the alarm",
}


def called(names: str) -> str:
    """Names of functions, in lower case with spaces between."""
    given = [name.strip().lower() for name in names.split(",")]
    if all(re.fullmatch(r"[a-z_]\w*(\.[a-z_]\w*){0,2}", name) for name in given):
        return " ".join(given)
    raise ValueError("must be names of functions with commas between, such as risk_score, core.normalize")


def token(prefix: str, what: str) -> AfterValidator:
    def check(text: str) -> str:
        if re.fullmatch(rf"{prefix}[\w.-]+", text):
            return text
        swapped = f" (this one begins with {text[:5]})" if re.match(r"xox[a-z]-|xapp-", text) else ""
        raise ValueError(f"must be {what}, which begins with {prefix}{swapped}")

    return AfterValidator(check)
