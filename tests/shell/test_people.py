"""A story with the whole bot: ana asks for a job, cy agrees, bo sees what is masked; all is kept."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.app import Bot
from bot.core.trail import flaws
from bot.sandbox import Sandbox
from bot.store.trail import LinesBySeal
from tests.shell.making import ELSEWHERE, FILES, World
from tests.shell.test_app import settings, wait

POLICY = ELSEWHERE.replace("every: 1m", "every: 1s").replace(
    "fields: [body]}", "fields: [body], columns: {body: mask}}"
)
TEAMS = FILES["policies/_teams.yml"].replace("cy: {slack: U0CY}", "cy: {slack: U0CY, roles: [approver]}")
JOBS = """
hold_payouts:
  title: Hold payouts
  kind: sql
  owner: payments
  url: sqlite:///%s
  statement: INSERT INTO holds (seller_id) VALUES (:seller_id)
  idempotent: true
  approval: second_person
  params: {seller_id: {pattern: "s_\\\\d+"}}
  changes: The seller's payouts wait.
  undo: release them
"""


@pytest.fixture
def bot(world: World, slack: Sandbox) -> Iterator[Bot]:
    ops = world.folder / "ops.db"
    with sqlite3.connect(ops) as db:
        db.execute("CREATE TABLE holds (seller_id TEXT UNIQUE)")
    slack.set_channel("payments", private=True)
    world.write("policies/payments/elsewhere.yml", POLICY + "sensitive: true\n")
    world.write("policies/_teams.yml", TEAMS)
    world.write("policies/_jobs.yml", JOBS % ops)
    made = Bot(settings(world, slack))
    made.start()
    wait(lambda: made.health().ready)
    yield made
    made.stop()


def holds(world: World) -> list[Any]:
    with sqlite3.connect(world.folder / "ops.db") as db:
        return db.execute("SELECT seller_id FROM holds").fetchall()


def card(slack: Sandbox, words: str) -> Any:
    return next((m for m in slack.messages("payments") if words in json.dumps(m.get("blocks"))), None)


def told(seen: dict[str, Any]) -> str:
    return json.dumps(seen["ephemerals"])


def view(seen: dict[str, Any], callback: str) -> str:
    return next(str(one["id"]) for one in seen["views"] if one["callback_id"] == callback)


def test_a_job_is_asked_for_agreed_to_and_done_and_what_is_masked_is_seen_on_the_record(
    world: World, slack: Sandbox, bot: Bot
) -> None:
    world.table.says("s_1", datetime.now(UTC), "pay me on cash app, says Dee")
    alert = wait(lambda: card(slack, "asked 1 times"))
    seen = slack.click("ana", "payments", alert["ts"], "alert.job.hold_payouts", wait_ms=2_000)
    seen = slack.submit("ana", view(seen, "job"), {}, wait_ms=2_000)
    assert "waits for a second person" in told(seen)
    asked = wait(lambda: card(slack, "APR-1"))
    assert "<@U0CY> may agree" in json.dumps(asked["blocks"])
    seen = slack.click("ana", "payments", asked["ts"], "approval.yes.1", wait_ms=2_000)
    assert "a second person must agree" in told(seen)
    assert "APR-1" in told(slack.command("bo", "payments", "/patrol approvals", wait_ms=2_000))
    assert holds(world) == []
    for _ in range(2):
        seen = slack.click("cy", "payments", asked["ts"], "approval.yes.1", wait_ms=2_000)
        assert "was approved by <@U0CY>" in told(seen)
    wait(lambda: holds(world) == [("s_1",)])
    wait(lambda: card(slack, "hold_payouts` succeeded"))
    wait(lambda: any("succeeded" in m["text"] for m in slack.messages("payments", alert["ts"])))

    seen = slack.click("bo", "payments", alert["ts"], "alert.more", wait_ms=2_000)
    seen = slack.click_view("bo", view(seen, "more"), "alert.reveal", wait_ms=2_000)
    slack.submit("bo", view(seen, "reveal"), {"why": "is it the Dee we know?"}, wait_ms=2_000)
    wait(lambda: "says Dee" in json.dumps(slack.state("bo")["views"]))
    assert "says Dee" not in json.dumps(slack.messages("payments"))

    lines = [kept.line for kept in bot.store.trail.lines()]
    assert [(line.by, line.via, line.deed, line.outcome) for line in lines] == [
        ("U0ANA", "modal", "start", "done"),
        ("U0ANA", "button", "approve", "refused"),
        ("U0CY", "button", "approve", "done"),
        ("U0CY", "button", "approve", "refused"),
        ("U0BO", "modal", "reveal", "done"),
    ]
    assert {line.channel for line in lines} == {"C0PAYMENTS"}
    assert "is it the Dee we know?" in str(lines[-1].words)
    wait(lambda: bot.store.trail.counts()["unsealed"] == 0)
    assert list(flaws(bot.store.trail.seals(), LinesBySeal(bot.store.trail))) == []
