"""An office: a project, Patrol as a process by a clock that is put forward, people at their browsers."""

from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
from playwright.sync_api import Browser, Locator, Page, ViewportSize, expect

from bot.demo.publish import publish
from bot.sandbox import Sandbox
from tests.browser import DESKTOP, PHONE
from tests.flows.ahead import Ahead
from tests.flows.conftest import ROOT, Town, eventually

NINE = datetime(2027, 3, 2, 9, tzinfo=UTC)  # a Tuesday, and ana's day begins
WAIT = 30_000.0  # ms
PICTURES = os.environ.get("PICTURES")  # a folder: then each look is kept there as a picture
CUT_OFF = """() => [...document.querySelectorAll('.btn-label, .dialog-head h2, .chip, .input-label')]
  .filter(node => node.offsetParent && node.scrollWidth > node.clientWidth + 1).map(node => node.innerText)"""
TOO_WIDE = """() => [...document.querySelectorAll('html, .dialog-body, .blocks, .home-pane, .messages')]
  .filter(node => node.offsetParent !== null || node === document.documentElement)
  .filter(node => node.scrollWidth > node.clientWidth + 1).map(node => node.className || node.tagName)"""

FILES = {
    "policies/_teams.yml": """
payments:
  channel: C0PAYMENTS
  review_channel: C0PAYMENTSREVIEW
  members:
    ana: {slack: U0ANA}
    bo: {slack: U0BO}
    cy: {slack: U0CY, roles: [responder, lead, approver, admin]}
  rotation: {members: [ana, bo], length: daily, anchor: 2027-03-02T09:00:00, timezone: UTC}
  acknowledged_for: 1h
care:
  channel: C0CARE
  members:
    cy: {slack: U0CY, roles: [responder, lead]}
""",
    "policies/_assets.yml": """
core.chat: {owner: payments, loaded_until: sent_at, load_interval: 1m,
  columns: {message_id: varchar, seller_id: varchar, seller_name: varchar, buyer_id: varchar, body: varchar,
    sent_at: timestamp}}
core.payouts: {owner: payments, columns: {seller_id: varchar, seller_name: varchar, account: varchar,
  changed_at: timestamp}}
""",
    "policies/_entities.yml": """
seller: {column: seller_id, link: 'https://admin.example/sellers/{id}', pattern: 's_\\d+', label: Open seller}
""",
    "policies/_violations.yml": """
off_platform_payment:
  title: Payment outside the platform
  what: A seller asks buyers to pay in a way that the marketplace neither sees nor protects.
  may_do: Warn the seller, hold payouts, end the show.
""",
    "policies/_jobs.yml": """
hold_payouts:
  title: Hold payouts
  kind: sql
  owner: payments
  url: ${OPS_URL}
  statement: INSERT INTO holds (seller_id, reason) VALUES (:seller_id, :reason)
  params: {seller_id: {pattern: 's_\\d+'}, reason: {default: held from an alert}}
  approval: second_person
  changes: The seller's payouts wait until released.
  undo: start release_payouts seller_id=…
""",
    "policies/payments/elsewhere.yml": """
title: Seller steers buyers to pay off platform
violation: off_platform_payment
owner: payments
severity: {medium: 2, high: 5}
threshold: {count: 2, within: 24h}
schedule: {every: 1s}
window: {column: sent_at, lookback: 1h}
key: [seller_id]
row_key: [message_id]
runbook: https://handbook.example/off-platform
false_positives: Charity streams post a donation link.
alert:
  title: "{{ seller_name }} asked {{ count }} times to be paid elsewhere"
  fields: [body, buyer_id, sent_at]
offer: [hold_payouts]
""",
    "sql/payments/elsewhere.sql": """-- One row per message that asks to be paid elsewhere.
SELECT message_id, seller_id, seller_name, buyer_id, body, sent_at
FROM {{ table('core.chat') }}
WHERE {{ in_window('sent_at') }} AND body ILIKE ANY ('%venmo%', '%cash app%', '%wire me%')
""",
    "policies/payments/new_account.yml": """
title: Payout account changed in the last day
owner: payments
severity: medium
schedule: {every: 1s}
key: [seller_id]
alert:
  title: "{{ seller_name }} is paid to a new account"
  fields: [account, changed_at]
""",
    "sql/payments/new_account.sql": """-- One row per seller whose payout account is new.
SELECT seller_id, seller_name, account, changed_at FROM {{ table('core.payouts') }}
""",
    "policies/care/threat.yml": """
title: Somebody is threatened
owner: care
sensitive: true
severity: critical
schedule: {every: 1s}
window: {column: sent_at, lookback: 1h}
key: [seller_id]
row_key: [message_id]
alert:
  title: "{{ seller_id }} was threatened"
  fields: [body, buyer_id, sent_at]
  columns: {body: mask}
""",
    "sql/care/threat.sql": """-- One row per message that threatens somebody.
SELECT message_id, seller_id, buyer_id, body, sent_at
FROM {{ table('core.chat') }}
WHERE {{ in_window('sent_at') }} AND body ILIKE '%find you%'
""",
}
TABLES = """
DROP TABLE core.chat;
DROP TABLE core.sellers;
CREATE TABLE core.chat (message_id VARCHAR, seller_id VARCHAR, seller_name VARCHAR, buyer_id VARCHAR,
  body VARCHAR, sent_at TIMESTAMP);
CREATE TABLE core.payouts (seller_id VARCHAR, seller_name VARCHAR, account VARCHAR, changed_at TIMESTAMP);
"""
SAYINGS = ("venmo me and save the fees", "cheaper on Cash App!", "or wire me, as you like")


@dataclass
class Person:
    """Somebody at a browser, who sees the page and nothing else."""

    name: str
    page: Page

    def goes_to(self, place: str) -> None:
        self.page.evaluate("place => { location.hash = place; }", place)

    def types(self, text: str, where: str = "composer") -> None:
        field = self.page.get_by_test_id(where)
        field.fill(text)
        field.press("Enter")

    @property
    def answer(self) -> Locator:
        """What only this person sees, the newest."""
        return self.page.get_by_test_id("messages").get_by_test_id("ephemeral").last

    def answered(self, words: str) -> Locator:
        """The newest of what only this person sees in which this stands."""
        return self.page.get_by_test_id("messages").get_by_test_id("ephemeral").filter(has_text=words).last

    @property
    def paged(self) -> Locator:
        """The newest line of a thread that stands in the channel, too."""
        messages = self.page.get_by_test_id("messages").get_by_test_id("message")
        return messages.filter(has=self.page.locator(".replied-to")).last

    @property
    def modal(self) -> Locator:
        return self.page.get_by_test_id("modal")

    @property
    def thread(self) -> Locator:
        return self.page.get_by_test_id("thread-pane")

    @property
    def home(self) -> Locator:
        return self.page.get_by_test_id("home")

    def card(self, words: str) -> Locator:
        """The message in the channel whose heading says so."""
        messages = self.page.get_by_test_id("messages").get_by_test_id("message")
        return messages.filter(has=self.page.locator(".header", has_text=re.compile(re.escape(words)))).last

    def presses(self, name: str, on: Locator | None = None) -> None:
        (on or self.modal).get_by_role("button", name=name, exact=True).click()

    def submits(self) -> None:
        self.page.get_by_test_id("modal-submit").click()

    def goes_back(self) -> None:
        """From a modal to the one below it."""
        self.page.get_by_test_id("modal-close").click()

    def closes(self) -> None:
        self.page.get_by_test_id("modal-x").click()
        expect(self.modal).to_have_count(0)

    def reads(self, where: Locator, *words: str) -> None:
        for said in words:
            expect(where).to_contain_text(said, timeout=WAIT)

    def looks(self, name: str, at: Locator | None = None, high: int = 0, buzz: bool = False) -> None:
        """Nothing is cut off, too wide or left undrawn, on desk and phone. PICTURES keeps what is seen.

        `at` is brought into sight; `high` is how high a picture of all of it is; `buzz` leaves what has
        just made the phone buzz over it.
        """
        was = self.page.viewport_size
        self.page.locator("#toasts").evaluate("(node, hidden) => { node.hidden = hidden; }", not buzz)
        for size in (DESKTOP, PHONE):
            self.page.set_viewport_size(size)
            if at is not None:
                at.scroll_into_view_if_needed()
            assert self.page.evaluate(TOO_WIDE) == [], f"too wide at {size['width']}: {name}"
            assert self.page.evaluate(CUT_OFF) == [], f"cut off at {size['width']}: {name}"
            expect(self.page.locator(".unknown")).to_have_count(0)
            if PICTURES:
                self._keep(f"{name}-{size['width']}")
                if high:
                    self.page.set_viewport_size({**size, "height": high})
                    self._keep(f"{name}-{size['width']}-whole")
        self.page.set_viewport_size(was or DESKTOP)

    def _keep(self, name: str) -> None:
        self.page.screenshot(path=f"{PICTURES}/{name}.png", animations="disabled")


@dataclass
class Office:
    """The town of one team, its clock, and whoever sits there."""

    town: Town
    clock: Ahead
    browser: Browser
    people: dict[str, Person] = field(default_factory=dict)

    def sits(self, name: str, size: ViewportSize = DESKTOP, place: str = "C0PAYMENTS") -> Person:
        sharp = 2 if PICTURES else 1
        context = self.browser.new_context(
            viewport=size, timezone_id="UTC", locale="en-US", device_scale_factor=sharp
        )
        page = context.new_page()
        page.set_default_timeout(WAIT)
        page.goto(f"{self.town.slack.url}/?as={name}#{place}")
        page.wait_for_selector("body[data-ready]")
        self.people[name] = Person(name, page)
        return self.people[name]

    def later(self, *, minutes: float) -> datetime:
        """The clock goes on by so much, for Patrol, for Slack and on every page."""
        self.clock.put(self.clock() + timedelta(minutes=minutes))
        return self.clock()

    def until(self, hour: int, minute: int = 0, second: int = 0, day: int = 0) -> None:
        self.clock.put(NINE.replace(hour=hour, minute=minute, second=second) + timedelta(days=day))

    def chat(self, seller: str, name: str, times: int, body: str = "", ago: timedelta = timedelta()) -> None:
        """So many messages of a seller, one a minute, the last of them now, or so long `ago`; and somebody's
        who says hello after them, so that one look finds them all: data count up to the newest row."""
        said = [body or SAYINGS[n % len(SAYINGS)] for n in range(times)]
        now = self.clock().replace(tzinfo=None, microsecond=0) - ago
        last = now - timedelta(seconds=1)
        rows = [
            (f"m_{seller}_{now:%H%M%S}_{n}", seller, name, f"b_{40 + n}", text, last - timedelta(minutes=n))
            for n, text in enumerate(said)
        ]
        self._insert("core.chat", [*rows, (f"m_{now:%H%M%S}", "s_0", "Dee Dolls", "b_1", "hello all", now)])

    def paid_to_new_account(self, seller: str, name: str) -> None:
        now = self.clock().replace(tzinfo=None, microsecond=0)
        self._insert("core.payouts", [(seller, name, "DE·· ···· 4711", now)])

    def _insert(self, table: str, rows: Sequence[tuple[Any, ...]]) -> None:
        with duckdb.connect(str(self.town.folder / "working.duckdb")) as c:
            c.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * len(rows[0]))})", rows)
        publish(self.town.market, self.town.folder / "working.duckdb")


@contextmanager
def office(folder: Path, browser: Browser) -> Iterator[Office]:
    """It is a minute past nine, Patrol is there, and nothing has happened yet."""
    clock = Ahead(folder / "ahead")
    clock.put(NINE + timedelta(minutes=1))
    channels = ["payments", "payments-review", "care"]
    with Sandbox(
        channels=channels, pace=False, manifest=ROOT / "manifest.yaml", clock=clock.seconds
    ) as slack:
        slack.set_channel("care", private=True, members=["cy"])
        town = Town(folder, slack, module="tests.flows.ahead")
        for name, text in FILES.items():
            town.write(name, text)
        town.sql(TABLES)
        ops = folder / "ops.db"
        with sqlite3.connect(ops) as c:
            c.execute("CREATE TABLE holds (seller_id TEXT, reason TEXT)")
        town.patrol("serve", AHEAD=str(clock.file), OPS_URL=f"sqlite:///{ops}")
        try:
            eventually(lambda: "on patrol" in town.log, 30)
            yield Office(town, clock, browser)
        finally:
            town.end()
            for context in browser.contexts:
                context.close()
