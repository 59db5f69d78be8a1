"""A backfill from Slack with Patrol as a process: killed in the middle, and as people see it in a browser."""

from __future__ import annotations

import re
import signal
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser import DESKTOP, PHONE, launched
from tests.flows.ahead import Ahead
from tests.flows.conftest import FILES, Town, eventually
from tests.flows.office import FILES as OFFICE
from tests.flows.office import office

HOUR_S = 3600
REVIEW = "payments-review"
EVERY = "payments.elsewhere"
RARELY = FILES["policies/payments/elsewhere.yml"].replace("every: 1s", "every: 6h")


def message(town: Town) -> dict[str, Any] | None:
    return town.card_of("Backfill of", REVIEW)


@pytest.mark.slow
def test_it_is_killed_in_the_middle_and_the_next_process_goes_on_in_the_same_message(
    town: Town, wait: Callable[..., Any]
) -> None:
    town.write("policies/payments/elsewhere.yml", RARELY)
    town.module, clock = "tests.flows.ahead", Ahead(town.folder / "ahead")
    clock.put(datetime.now(UTC))
    for n in range(1, 7):
        town.says(f"s_{n}", ago_s=(n + 12) * HOUR_S)
    victim = town.patrol("serve", AHEAD=str(clock.file), PATROL_KILL_AT="save.after:4")
    wait(lambda: town.slack.state()["connected"] == 2, "it did not connect")
    seen = town.slack.command("ana", "payments", f"/patrol backfill {EVERY} 24h..8h", wait_ms=4000)
    (asked,) = seen["ephemerals"]
    assert re.search("1[67] windows of at most 1 h: 1[67] queries", str(asked["blocks"]))
    town.slack.click("ana", "payments", asked["ts"], "ask.yes", wait_ms=3000)
    assert victim.wait(60) == -signal.SIGKILL, town.log[-2000:]
    assert "✅" not in str(message(town))
    clock.put(clock() + timedelta(seconds=20))  # its leases have run out
    town.patrol("serve", AHEAD=str(clock.file))
    wait(lambda: "✅" in str(message(town)), f"it was not ended: {message(town)}", seconds=90)
    told = str(message(town))
    assert "6 rows, 6 new alerts" in told
    assert len([card for card in town.cards(REVIEW) if "Backfill of" in str(card)]) == 1
    wait(lambda: len(town.standing(REVIEW)) == 6, "not all cards came")
    assert town.standing(REVIEW) == {f"s_{n}": 1 for n in range(1, 7)}
    card = message(town)
    assert card
    (reply,) = wait(lambda: town.slack.messages(REVIEW, card["ts"]), "nobody was told of its end")
    assert reply["text"].startswith("<@U0ANA> BKF-1, the backfill of")


ASKED = (
    OFFICE["policies/payments/elsewhere.yml"]
    .replace("off platform", "their own wallet")
    .replace("every: 1s", "every: 6h")
)
SELLERS = (("s_1", "Ana Cards"), ("s_2", "Bo Prints"), ("s_3", "Cy Coins"))
SLOWLY = """-- One row per message that asks to be paid elsewhere; it takes a while to think about it.
SELECT message_id, seller_id, seller_name, buyer_id, body, sent_at
FROM {{ table('core.chat') }}
WHERE {{ in_window('sent_at') }} AND body ILIKE ANY ('%venmo%', '%cash app%', '%wire me%')
  AND (SELECT SUM(sqrt(a.n * b.n)) FROM UNNEST(RANGE(3000)) a(n), UNNEST(RANGE(3000)) b(n)) > 0
"""


@pytest.mark.browser
@pytest.mark.slow
def test_cy_looks_at_what_it_takes_begins_it_bo_stops_it_and_cy_goes_on(tmp_path: Path) -> None:
    with launched() as browser, office(tmp_path, browser) as at:
        at.town.write("policies/payments/wallet.yml", ASKED)
        at.town.write("sql/payments/wallet.sql", SLOWLY)
        eventually(lambda: "files changed" in at.town.log)
        at.chat("s_9", "Gil Games", 1, "hello")
        for n, (seller, name) in enumerate(SELLERS):
            at.chat(seller, name, 3, ago=timedelta(hours=30 - 3 * n))
        cy, bo = at.sits("cy", DESKTOP, "C0PAYMENTSREVIEW"), at.sits("bo", PHONE, "C0PAYMENTSREVIEW")
        bo.types("/patrol backfill payments.wallet 2d..12h")
        bo.reads(bo.answer, "Only a lead of payments may backfill", "@cy")
        cy.types("/patrol backfill payments.wallet 2d..12h")
        preview = cy.answered("Backfill of payments.wallet")
        cy.reads(preview, "windows of at most 1 h", "alerts go to its review channel, page nobody")
        cy.looks("backfill-preview", preview)
        cy.presses("Start the backfill", preview)
        cy.reads(cy.answered("BKF-1 begins"), "undo: /patrol stop BKF-1")

        hers, his = (person.card("Backfill of payments.wallet · BKF-1") for person in (cy, bo))
        bo.presses("Stop", his)  # at once, for it does not take long
        bo.reads(his, "stopped by bo: what was looked at counts", "of 37 windows", "asked for by cy")
        bo.looks("backfill-stopped", his)
        expect(his.get_by_role("button", name="Stop")).to_have_count(0)

        cy.presses("Go on", hers)
        cy.looks("backfill-running", hers)
        cy.reads(hers, "37 of 37 windows", "9 rows, 3 new alerts")
        expect(hers.get_by_role("button", name="Go on")).to_have_count(0)
        hers.get_by_test_id("thread-summary").click()
        cy.reads(cy.thread, "@cy BKF-1, the backfill of payments.wallet, is done: 37 of 37 windows")
        cy.looks("backfill-done")
        cy.reads(cy.card("Cy Coins asked 3 times"), "HISTORICAL")
