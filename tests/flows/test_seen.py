"""Each modal, confirmation, answer and page of Patrol's, looked at in a real browser, on desk and phone."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.browser import launched
from tests.flows.office import Office, Person, office

pytestmark = [pytest.mark.browser, pytest.mark.slow]
ANA_CARDS, BO_PRINTS, CY_COINS = (
    "Ana Cards asked 45 times",
    "Bo Prints asked 3 times",
    "Cy Coins asked 2 times",
)
NEW_ACCOUNT = "Ana Cards is paid to a new account"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with launched() as browser:
        yield browser


@pytest.fixture(scope="module")
def at(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    with office(tmp_path_factory.mktemp("seen"), browser) as made:
        made.chat("s_1", "Ana Cards", 45)
        made.chat("s_2", "Bo Prints", 3)
        made.chat("s_3", "Cy Coins", 2)
        made.paid_to_new_account("s_1", "Ana Cards")
        yield made


@pytest.fixture(scope="module")
def ana(at: Office) -> Person:
    return at.sits("ana")


@pytest.fixture(scope="module")
def cy(at: Office) -> Person:
    """The team's lead, approver and admin."""
    return at.sits("cy")


def test_alerts_of_two_policies_on_one_seller_name_each_other(ana: Person) -> None:
    card = ana.card(NEW_ACCOUNT)
    ana.presses("Acknowledge", card)
    ana.reads(card, "ACKNOWLEDGED", "also open: ALR-", "payments.elsewhere")
    ana.looks("meeting", card)


def test_all_that_can_be_read_of_an_alert(ana: Person) -> None:
    card = ana.card(ANA_CARDS)
    ana.presses("More…", card)
    ana.reads(ana.modal, ANA_CARDS, "Timeline…")
    ana.looks("more", high=1500)
    ana.presses("Why…")
    ana.reads(ana.modal, "Threshold", "Window", "Route")
    ana.looks("why", high=1500)
    ana.goes_back()
    ana.presses("Timeline…")
    ana.reads(ana.modal, "opened", "in all")
    ana.looks("timeline")
    ana.goes_back()
    ana.presses("All rows…")
    ana.reads(ana.modal, "45 rows kept", "page 1 of 3", "b_40")
    ana.looks("rows", high=1200)
    ana.presses("Older ›")
    ana.reads(ana.modal, "page 2 of 3", "b_60")
    ana.presses("Older ›")
    ana.reads(ana.modal, "page 3 of 3", "b_84")
    expect(ana.modal.get_by_role("button", name="Older ›")).to_have_count(0)
    ana.presses("Put them into the thread as CSV")
    ana.reads(ana.modal, "thread")
    ana.looks("rows-last")
    ana.closes()
    card.get_by_test_id("thread-summary").click()
    file = ana.thread.get_by_role("link", name=re.compile("Download .*csv"))
    ana.looks("csv", file)
    answer = ana.page.request.get(file.get_attribute("href") or "")
    assert answer.text().count("\n") == 46
    ana.goes_to("C0PAYMENTS")


def test_a_note_by_the_shortcut_on_a_message(ana: Person) -> None:
    ana.types("the seller's show is on again at six")
    messages = ana.page.get_by_test_id("messages").get_by_test_id("message")
    said = messages.filter(has_text="the seller's show is on again at six")
    said.hover()
    said.get_by_test_id("more-shortcuts").click()
    ana.page.locator("[data-testid^=shortcut-]").click()
    ana.reads(ana.modal, "Add to an alert")
    ana.modal.get_by_label("Alert").fill("ALR-9999999999")
    ana.submits()
    ana.reads(ana.modal, "Write the alert's number")
    ana.looks("note-refused")
    ana.modal.get_by_label("Alert").fill("1")
    ana.submits()
    expect(ana.modal).to_have_count(0)
    ana.reads(ana.answer, "ALR-1", "the seller's show is on again at six")


def test_a_snooze_of_an_entity_is_previewed_and_only_a_lead_may(ana: Person, cy: Person) -> None:
    card = cy.card(BO_PRINTS)
    cy.presses("More…", card)
    cy.presses("Snooze…")
    cy.reads(cy.modal, "Quiet for", "Everything about seller:s_2")
    cy.looks("snooze", high=1200)
    cy.modal.get_by_label("Everything about seller:s_2").check()
    cy.modal.get_by_label("3 d").check()
    cy.modal.get_by_label("Why").fill("known to care")
    cy.submits()
    cy.reads(cy.modal, "Are you sure?")
    cy.looks("snooze-preview")
    cy.submits()
    expect(cy.modal).to_have_count(0)
    cy.reads(card, "SNOOZED", "with seller:s_2", "known to care")
    cy.looks("snoozed", card)
    cy.types("/patrol wake seller:s_2")
    cy.reads(card, "OPEN")
    cy.looks("woken", cy.answer)
    ana.presses("More…", ana.card(BO_PRINTS))
    ana.presses("Snooze…")
    ana.modal.get_by_label("Everything of payments.elsewhere").check()
    ana.submits()
    ana.reads(ana.modal, "Only an admin of payments may", "cy")
    ana.looks("snooze-refused")
    ana.closes()


def test_a_snooze_until_a_time_by_the_readers_own_clock(ana: Person) -> None:
    card = ana.card(CY_COINS)
    ana.presses("More…", card)
    ana.presses("Snooze…")
    ana.modal.get_by_label("or until").fill("2027-03-01T11:00")
    ana.submits()
    ana.reads(ana.modal, "This time has passed.")
    ana.modal.get_by_label("or until").fill("2027-03-02T11:00")
    ana.submits()
    ana.reads(card, "SNOOZED", "until today at 11:00 AM by @ana")
    ana.presses("Wake", card)
    ana.reads(card, "OPEN")


def test_a_pause_and_another_pace(cy: Person) -> None:
    cy.types("/patrol pause payments.new_account 2h the table is being rebuilt")
    cy.reads(cy.answer, "payments.new_account")
    cy.looks("pause", cy.answer)
    cy.types("/patrol resume payments.new_account")
    cy.reads(cy.answer, "by its own schedule")
    cy.types("/patrol every payments.new_account 1h until:fri")
    cy.reads(cy.answer, "1 h")
    cy.looks("every", cy.answer)


def test_a_job_that_a_second_person_agrees_to(ana: Person, cy: Person) -> None:
    card = ana.card(ANA_CARDS)
    ana.presses("Hold payouts…", card)
    ana.reads(ana.modal, "It changes", "A second person must agree")
    ana.looks("job")
    ana.submits()
    asked = cy.card("Hold payouts?")
    cy.reads(asked, "asks to start", "s_1", "may agree until")
    cy.looks("approval", asked)
    ana.presses("Approve", ana.card("Hold payouts?"))
    ana.reads(ana.answer, "cy")
    ana.looks("approval-refused", ana.answer)
    cy.types("/patrol approvals")
    cy.reads(cy.answer, "1 job")
    cy.looks("approvals", cy.answer)
    cy.presses("Approve", asked)
    cy.reads(asked, "succeeded")
    cy.looks("approved", asked)


def test_masked_values_for_one_person(at: Office, cy: Person) -> None:
    at.chat("s_9", "Dee Dolls", 2, "I know where you live and will find you")
    cy.goes_to("C0CARE")
    card = cy.card("s_9 was threatened")
    cy.reads(card, "CRITICAL")
    expect(card).not_to_contain_text("where you live")
    cy.looks("sensitive", card)
    cy.presses("More…", card)
    cy.presses("Show masked values…")
    cy.reads(cy.modal, "Why do you need to see them?")
    cy.looks("reveal")
    cy.modal.get_by_label("Why do you need to see them?").fill("to call the police")
    cy.submits()
    cy.reads(cy.modal, "I know where you live", "Only you see this")
    cy.looks("revealed")
    cy.closes()
    cy.goes_to("C0PAYMENTS")


def test_several_are_resolved_at_once_and_one_is_told_anew(cy: Person) -> None:
    cy.types("/patrol list policy:payments.elsewhere")
    cy.reads(cy.answer, "3 open alerts")
    cy.looks("list", cy.answer)
    cy.presses("Resolve several…", cy.answer)
    cy.reads(cy.modal, "Which")
    cy.looks("several", high=1300)
    cy.modal.get_by_label("Real but allowed").check()
    cy.submits()
    for title in (ANA_CARDS, BO_PRINTS, CY_COINS):
        cy.reads(cy.card(title), "RESOLVED", "real but allowed by @cy")
    cy.looks("several-done", cy.answer)
    cy.presses("More…", cy.card(CY_COINS))
    cy.presses("Change verdict…")
    cy.modal.get_by_role("radio", name="False positive").check()
    cy.modal.get_by_label("If it was a false positive: why?").select_option("The threshold is too low")
    cy.looks("verdict", high=1200)
    cy.submits()
    cy.reads(cy.card(CY_COINS), "false positive (threshold) by @cy")
    cy.presses("Reopen", cy.card(BO_PRINTS))
    cy.reads(cy.card(BO_PRINTS), "OPEN", "REOPENED")


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ("show seller:s_1", "Open seller"),
        ("show 1", "Timeline"),
        ("status", "open alert"),
        ("oncall payments week", "On call"),
        ("policy payments.elsewhere", "every 1 s"),
        ("why seller:s_1", "Why"),
        ("digest payments", "open"),
        ("help", "What you can type"),
        ("help snooze", "snooze"),
        ("sno 1 2h", "Did you mean"),
    ],
)
def test_what_is_answered_to_one_person(cy: Person, typed: str, says: str) -> None:
    cy.types(f"/patrol {typed}")
    answer = cy.answered(says)  # a picture may follow it
    expect(answer).to_be_visible()
    cy.looks(typed.replace(" ", "-").replace(":", "-"), answer, high=1500)


def test_home(ana: Person, cy: Person) -> None:
    for person in (ana, cy):
        person.goes_to("app/home")
        person.reads(person.home, "Mine", "On call", "Policies")
        person.looks(f"home-{person.name}", high=1500)
