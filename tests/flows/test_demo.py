"""What a stranger does with `patrol demo`, in a real browser, at 1280 and at 390 px."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from bot.sandbox.client import SandboxClient
from tests.browser import DESKTOP, PHONE, launched

pytestmark = [pytest.mark.browser, pytest.mark.slow]

ROOT = Path(__file__).parents[2]
TEAMS = ("payments", "chat", "listings", "accounts")
SECONDS = 1000.0
WAIT = 45 * SECONDS


def free_ports() -> int:
    """The first of three free ports in a row."""
    for port in range(20000 + os.getpid() % 20000, 60000, 3):
        with socket.socket() as a, socket.socket() as b, socket.socket() as c:
            try:
                for offset, one in enumerate((a, b, c)):
                    one.bind(("127.0.0.1", port + offset))
            except OSError:
                continue
            return port
    raise AssertionError("no ports are free")


class Demo:
    """`patrol demo` on a copy of the project, as a person starts and ends it."""

    def __init__(self, project: Path) -> None:
        self.project = project
        for name in ("policies", "sql"):
            shutil.copytree(ROOT / name, project / name)
        for name in ("patrol.yml", "manifest.yaml"):
            shutil.copy(ROOT / name, project / name)
        self.port = free_ports()

    def start(self, *options: str) -> None:
        words = ["-m", "bot", "demo", "--project", str(self.project), "--port", str(self.port), *options]
        self.process = subprocess.Popen([sys.executable, *words], cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout
        self.said = self.process.stdout.readline().strip()
        self.slack = SandboxClient(f"http://127.0.0.1:{self.port}")

    def stop(self) -> int:
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(40)

    def cards(self, channel: str) -> list[dict[str, Any]]:
        found = self.slack.messages(channel)
        return [m for m in found if m.get("thread_ts") in (None, m["ts"]) and m.get("blocks")]

    def ephemerals(self, user: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.slack.state(user)["ephemerals"]
        return found

    def until(self, look: Callable[[], Any], seconds: float = 60) -> Any:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if found := look():
                return found
            time.sleep(0.1)
        log = self.project / ".patrol" / "demo" / "patrol.log"
        raise AssertionError(f"it did not come to pass; Patrol says: {log.read_text()[-2000:]}")


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    running = Demo(tmp_path_factory.mktemp("demo"))
    running.start("--fresh")
    yield running
    if running.process.poll() is None:
        assert running.stop() == 0


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with launched() as browser:
        yield browser


@pytest.fixture(autouse=True)
def _pages_are_closed(request: pytest.FixtureRequest) -> Iterator[None]:
    yield
    if "browser" in request.fixturenames:
        for context in request.getfixturevalue("browser").contexts:
            context.close()


def seen_by(browser: Browser, demo: Demo, who: str, channel: str, size: Any = DESKTOP) -> Page:
    page = browser.new_context(viewport=size).new_page()
    page.set_default_timeout(WAIT)
    ident = demo.slack.channel(channel)["id"]
    page.goto(f"http://127.0.0.1:{demo.port}/?as={who}#{ident}")
    expect(page.get_by_test_id("message").first).to_be_visible(timeout=WAIT)
    return page


def card_on(page: Page, ts: str) -> Locator:
    return page.get_by_test_id("messages").locator(f'[data-testid="message"][data-ts="{ts}"]')


def press(card: Locator, name: str) -> None:
    card.get_by_role("button", name=name, exact=True).click()


def says(card: Locator, word: str) -> None:
    expect(card).to_contain_text(word, timeout=WAIT)


def seller_card(demo: Demo) -> dict[str, Any]:
    """An open alert about a seller, in #payments, that offers a job."""

    def look() -> dict[str, Any] | None:
        for card in demo.cards("payments"):
            shown = str(card["blocks"])
            if "alert.job.rescore_seller" in shown and "Open seller" in shown and "*OPEN*" in shown:
                return card
        return None

    return demo.until(look, 120)


def number_of(card: dict[str, Any]) -> int:
    found = re.search(r"ALR-(\d+)", str(card["blocks"]))
    assert found
    return int(found[1])


def test_the_address_is_the_first_line_and_alerts_stand_in_every_team_within_a_minute(demo: Demo) -> None:
    assert demo.said == f"http://127.0.0.1:{demo.port}"
    demo.until(lambda: all(demo.cards(team) for team in TEAMS), 60)


def test_a_shift_from_acknowledge_to_reopen(browser: Browser, demo: Demo) -> None:
    shown = seller_card(demo)
    ts, number = shown["ts"], number_of(shown)
    ana, bo = (seen_by(browser, demo, who, "payments") for who in ("ana", "bo"))
    mine, his = card_on(ana, ts), card_on(bo, ts)

    # bo's page stops hearing of changes, as a phone in a tunnel does, and keeps the old button
    bo.route("**/sandbox/state*", lambda route: route.abort())
    press(mine, "Acknowledge")
    says(mine, "ACKNOWLEDGED")
    press(his, "Acknowledge")
    told = demo.until(
        lambda: [e for e in demo.slack.state("bo")["ephemerals"] if f"ALR-{number}" in e["text"]]
    )
    assert "U0ANA" in told[-1]["text"]
    assert "has" in told[-1]["text"]
    bo.unroute("**/sandbox/state*")
    bo.reload()
    says(card_on(bo, ts), "ACKNOWLEDGED")

    press(mine, "Snooze 1 h")
    says(mine, "SNOOZED")
    says(card_on(bo, ts), "SNOOZED")
    press(mine, "Wake")
    says(mine, "ACKNOWLEDGED")

    press(mine, "Resolve…")
    modal = ana.get_by_test_id("modal")
    modal.get_by_label("True positive").check()
    modal.get_by_test_id("modal-submit").click()
    says(mine, "RESOLVED")
    says(mine, "true positive")
    press(mine, "Reopen")
    says(mine, "OPEN")
    says(mine, "REOPENED")


def test_a_rerun_and_a_job_end_in_the_thread_and_the_seller_opens(browser: Browser, demo: Demo) -> None:
    ts = seller_card(demo)["ts"]
    ana = seen_by(browser, demo, "ana", "payments")
    card = card_on(ana, ts)

    press(card, "More…")
    ana.get_by_test_id("modal").get_by_role("button", name="Rerun", exact=True).click()
    demo.until(
        lambda: [m for m in demo.slack.messages("payments", ts) if "looked again: still there" in m["text"]]
    )
    ana.keyboard.press("Escape")

    press(card, "Rescore seller…")
    ana.get_by_test_id("modal-submit").click()

    def outcome() -> list[dict[str, Any]]:
        words = ("rescore_seller succeeded", "rescore_seller failed")
        return [m for m in demo.slack.messages("payments", ts) if any(w in m["text"] for w in words)]

    before = len(outcome())
    demo.until(lambda: len(outcome()) > before or outcome())
    card.get_by_test_id("thread-summary").click()
    expect(ana.get_by_test_id("thread-pane")).to_contain_text("rescore_seller", timeout=WAIT)

    with ana.context.expect_page() as opened:
        card.get_by_role("link", name="Open seller").or_(
            card.get_by_role("button", name="Open seller")
        ).click()
    opened.value.wait_for_load_state()
    assert "/sellers/s_" in opened.value.url
    assert opened.value.locator("h1").inner_text()


def test_typed_commands_are_answered_to_the_one_who_typed_them(browser: Browser, demo: Demo) -> None:
    number = number_of(seller_card(demo))
    page = seen_by(browser, demo, "ana", "chat")
    answers = {
        "status": "open alerts",
        "list": "open alerts",
        f"show {number}": f"ALR-{number}",
        f"ack {number}": "acknowledged",
        f"snooze {number} 2h checking": "snoozed",
        "rerun payments.refund_spike": "refund_spike",
        "start rescore_seller seller_id=s_1": "Start rescore_seller?",
        "help": "snooze",
        "hlep": "Did you mean",
    }
    for typed, answer in answers.items():
        said = page.get_by_test_id("ephemeral").filter(has_text=answer)
        before = said.count()
        page.get_by_test_id("composer").fill(f"/patrol {typed}")
        page.get_by_test_id("composer").press("Enter")
        expect(said.nth(before)).to_be_visible(timeout=WAIT)  # perhaps before a picture of the one above
        if typed.startswith("start"):  # it is shown what the job would do, and asked
            said.last.get_by_role("button", name="Start rescore_seller").click()
            started = page.get_by_test_id("ephemeral").filter(has_text="is starting")
            expect(started.last).to_be_visible(timeout=WAIT)
    assert not [e for e in demo.ephemerals("bo") if "hlep" in str(e)]


def test_on_a_phone_the_card_is_read_and_acknowledged_without_scrolling_sideways(
    browser: Browser, demo: Demo
) -> None:
    shown = demo.until(lambda: [c for c in demo.cards("accounts") if "*OPEN*" in str(c["blocks"])])[-1]
    phone = seen_by(browser, demo, "cy", "accounts", PHONE)
    card = card_on(phone, shown["ts"])
    card.scroll_into_view_if_needed()
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390
    press(card, "Acknowledge")
    says(card, "ACKNOWLEDGED")


def test_a_new_pair_of_files_is_taken_in_without_a_restart(demo: Demo) -> None:
    readme = (ROOT / "README.md").read_text()
    for path, text in re.findall(r"<!-- file: (\S+) -->\n```\w+\n(.*?)```", readme, re.DOTALL):
        (demo.project / path).write_text(text)
    demo.until(lambda: [c for c in demo.cards("payments") if "ordered for" in c["text"]], 60)


def test_the_demo_ends_cleanly_and_goes_on_where_it_was(demo: Demo) -> None:
    before = {team: {c["ts"] for c in demo.cards(team)} for team in TEAMS}
    assert demo.stop() == 0
    with pytest.raises(httpx.HTTPError):
        demo.slack.state()
    demo.start()
    after = {team: {c["ts"] for c in demo.cards(team)} for team in TEAMS}
    for team in TEAMS:
        assert before[team] <= after[team]
    health = f"http://127.0.0.1:{demo.port + 2}/readyz"
    demo.until(lambda: _ready(health), 40)
    titles = [c["blocks"][0]["text"]["text"] for team in TEAMS for c in demo.cards(team)]
    assert len(titles) == len(set(titles))  # nothing came twice


def _ready(url: str) -> bool:
    try:
        return httpx.get(url, timeout=2).status_code == 200
    except httpx.HTTPError:
        return False
