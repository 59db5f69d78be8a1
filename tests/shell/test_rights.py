"""What people may do is told in the guide as it is, and holds through the desk."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from bot.core.access import RANK, RIGHTS, Deed, guide
from bot.core.reply import Person
from sensors.model.team import Role
from tests.shell.making import MINUTE, NOON, SECOND, World

GUIDE = Path(__file__).parents[2] / "docs" / "policies.md"


def test_the_table_of_the_guide_is_the_table_of_the_code() -> None:
    assert guide() in GUIDE.read_text()


TEAMS = """
payments:
  channel: C0PAYMENTS
  review_channel: C0PAYMENTSREVIEW
  members:
    ana: {slack: U0ANA, roles: [lead]}
    bo: {slack: U0BO}
  rotation: {members: [bo], length: 7d, anchor: 2026-01-05T09:00:00, timezone: UTC}
ops:
  channel: C0OPS
  members: {cy: {slack: U0CY, roles: [admin]}, dee: {slack: U0DEE, roles: [lead]}}
"""
ROLES = {"U0ANA": Role.lead, "U0BO": Role.responder, "U0DEE": None, "U0EVE": None}
TEXTS = (
    *("ack {n}", "unack {n}", "take {n}", "assign {n} <@U0BO>", "assign {n} <@U0DEE>"),
    *("snooze {n} 1h", "wake {n}", "resolve {n} tp", "resolve {n} benign", "resolve 1 2 3 fp rule"),
    *("reopen {n}", "comment {n} hm", "escalate {n}", "rerun {n}", "start hold_payouts {n}"),
)


@pytest.mark.parametrize("seed", range(4))
def test_in_any_run_of_acts_by_anybody_nobody_does_what_he_may_not(world: World, seed: int) -> None:
    """Judged by the audit: what was done was allowed to whoever had the role, the alert, or had been told."""
    world.write("policies/_teams.yml", TEAMS)
    world.write("patrol.yml", "workers: 2\n")
    bot, random = world.node(), Random(seed)
    for n in (1, 2, 3):
        world.table.says(f"s_{n}", NOON - MINUTE)
    bot.tick()
    for _ in range(60):
        person = random.choice(list(ROLES))
        before = {a.id: {a.owner, *a.helpers, *bot.view.told(a)} for a in map(bot.alert, (1, 2, 3))}
        known = bot.store.trail.counts()["lines"]
        text = random.choice(TEXTS).format(n=random.randint(1, 3))
        bot.desk.command(Person(person), text)
        bot.clock.on(random.choice((SECOND, MINUTE, 7 * MINUTE)))
        for kept in list(bot.store.trail.lines())[known:]:
            line = kept.line
            needed = RIGHTS[Deed(line.deed)].role
            mine = person in before.get(line.alert or 0, ())
            role = ROLES[person] or (Role.responder if mine else None)
            able = needed is None or (role is not None and RANK[role] >= RANK[needed])
            wanted = "may " in str(line.words) and "Only a" in str(line.words)
            assert line.by == person
            assert (line.outcome == "done") <= able, (text, person, line)
            assert (line.outcome == "refused" and wanted) == (not able), (text, person, line)
        if random.random() < 0.2:
            bot.engine.sweep()
