"""Approvals of a store from before they were notices: none is lost, none is told twice."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import text

from bot.core.approval import binding
from bot.core.reply import Person
from bot.sandbox import Sandbox
from bot.slack.blocks import Face
from bot.slack.client import SlackClient
from bot.store import schema
from bot.store.columns import moment_text
from bot.store.database import Database
from tests.shell.delivering import standing
from tests.shell.making import FILES, MINUTE, NOON, SECOND, World

CY = Person("U0CY", "C0PAYMENTS", "button")
TEAMS = FILES["policies/_teams.yml"].replace("cy: {slack: U0CY}", "cy: {slack: U0CY, roles: [approver]}")
JOBS = FILES["policies/_jobs.yml"].rstrip() + "\n  approval: second_person\n"
INSERT = text("""
INSERT INTO approvals (id, key, job, title, params, binding, asked_by, asked_at, expires_at, state,
  decided_by, decided_at, why, told, channel, ts, said, shown, sending_since, shows_all)
VALUES (:id, :key, 'hold_payouts', 'Hold payouts', '{"seller_id": "s_7"}', :binding, 'U0ANA', :asked, :until,
  :state, :by, :at, '', 'waiting', :channel, :ts, :said, 'waiting', :sending, :all)
""")


@pytest.fixture
def old(town: World, tmp_path: Path) -> Database:
    """A store of before, in which the world goes on."""
    town.write("policies/_teams.yml", TEAMS)
    town.write("policies/_jobs.yml", JOBS)
    town.url = f"sqlite:///{tmp_path / 'old.db'}"
    database = Database(town.url)
    settings = Config()
    settings.set_main_option("script_location", str(schema.MIGRATIONS))
    with database.write() as c:
        settings.attributes["connection"] = c
        command.upgrade(settings, "0022")
    return database


def test_what_waited_what_was_under_way_and_what_was_decided_go_on(
    town: World, slack: Sandbox, old: Database
) -> None:
    client = SlackClient(slack.bot_token, slack.api, timeout_s=2)
    stands = client.post("C0PAYMENTS", Face("APR-2 waits", []), "approval-2-0")
    client.post("C0PAYMENTS", Face("APR-3 waits", []), "approval-3-0")  # and then the process died
    done = client.post("C0PAYMENTS", Face("APR-4 refused", []), "approval-4-0")
    town.clock.at = NOON
    base = {"binding": "", "by": "", "asked": moment_text(NOON - MINUTE)}
    base |= {"until": moment_text(NOON + 14 * MINUTE)}
    base |= {
        "state": "waiting",
        "at": None,
        "channel": "",
        "ts": "",
        "said": 0,
        "sending": None,
        "all": False,
    }
    here = {"channel": "C0PAYMENTS"}
    over = {**here, "ts": done, "state": "refused", "by": "U0CY", "at": moment_text(NOON)}
    rows = (
        {"id": 1},
        {"id": 2, **here, "ts": stands, "said": 1},
        {"id": 3, **here, "sending": moment_text(NOON - timedelta(seconds=40))},
        {"id": 4, **over, "said": 1},
        {"id": 5, **over, "said": 2, "all": True},
    )
    with old.write() as c:
        for row in rows:
            c.execute(INSERT, {**base, "key": f"k{row['id']}", **row})
    assert "it was at 0022" in schema.upgrade(old)
    node = town.node()
    job = node.engine.catalog.jobs["hold_payouts"]
    bound = binding(job, {"seller_id": "s_7"})
    with old.write() as c:
        c.execute(text("UPDATE approvals SET binding = :bound"), {"bound": bound})
    old.close()
    assert [asked.id for asked in node.store.approvals.waiting()] == [1, 2, 3]
    node.deliver(60, SECOND)
    assert sorted(standing(slack)) == ["approval-2-0", "approval-3-0", "approval-4-0", "notice-1", "notice-5"]
    assert [json.dumps(one["blocks"]).count("refused by") for one in slack.messages("payments", done)] == [1]
    for number in (1, 2, 3):
        assert node.desk.decide(CY, number, True, bound[:16]).ok
    node.deliver(30, SECOND)
    cards = [json.dumps(one["blocks"]) for one in slack.messages("payments")]
    assert sum("was approved by" in card for card in cards) == 3
    assert "approval.yes" not in "".join(cards)
