"""What is sensitive shows its words to nobody who may not see it, by whatever verb, modal or card."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.core.action import Comment
from bot.core.change import Refused
from bot.core.reply import Person, Reply
from bot.core.verbs import VERBS
from bot.jobs.pager import about
from bot.sandbox import Sandbox
from bot.slack.answers import render
from bot.slack.face import card
from bot.slack.home import home
from sensors.model.job import Job, Param
from sensors.warehouse import WarehouseError
from tests.shell.making import ELSEWHERE, ELSEWHERE_SQL, FILES, MINUTE, SECOND, Node, World
from tests.shell.outside import go_on
from tests.shell.trouble import failing

ANA, BO, CY, DEE, EVE, FAY = (
    Person(f"U0{name}", "C0PAYMENTS", "command") for name in ("ANA", "BO", "CY", "DEE", "EVE", "FAY")
)
STRANGER = Person("U0STRANGER", "C0OTHER", "command")
EVERYBODY = (ANA, BO, CY, DEE, EVE, FAY, STRANGER)
SEES = (ANA, BO, CY, EVE)  # chat's members, and the admin of the team that answers for Patrol
OPEN, SECRET = "payments.elsewhere", "chat.insider"
TEAMS = """
payments:
  channel: C0PAYMENTS
  members:
    dee: {slack: U0DEE, roles: [lead]}
    eve: {slack: U0EVE, roles: [admin]}
    fay: {slack: U0FAY, roles: [approver]}
chat:
  channel: C0OTHER
  members:
    ana: {slack: U0ANA, roles: [lead]}
    bo: {slack: U0BO, roles: [approver]}
    cy: {slack: U0CY}
"""
SENSITIVE = (
    ELSEWHERE.replace("owner: payments", "owner: chat")
    .replace("{{ seller_id }} asked", "the xyzzytitle of {{ seller_id }} asked")
    .replace("fields: [body]}", "fields: [body], columns: {message_id: mask}}")
    + "sensitive: true\n"
)
JOBS = FILES["policies/_jobs.yml"].rstrip() + "\n  approval: second_person\n"
WORDS = ("xyzzy", "m_1", "insider")  # of its title, rows, notes; masked; of its policy's name, on cards
VERBS_TOLD = (
    *("status", "list", "list mine", "list unowned", "list snoozed", "list team:chat", "approvals", "digest"),
    *("show 1", "show 2", "show seller:s_1", f"show {OPEN}", f"show {SECRET}", f"policy {SECRET}"),
    *("why 1", "why 2", "why seller:s_1", f"why seller:s_1 policy:{SECRET}", f"why {SECRET}"),
    *(
        "ack 2",
        "comment 2 hello",
        "escalate 2 now",
        "resolve 2 tp",
        "take 2",
        "rerun 2",
        "reopen 2",
        "wake 2",
    ),
    *("digest chat", "digest payments", "start hold_payouts 2", "approve 1", "refuse 1 no", "handoff chat"),
    *("snooze 2 1h", "snooze seller:s_1 1h", f"list policy:{SECRET}", "oncall", "oncall chat week", "help"),
    *("job hold_payouts", "show job:hold_payouts", "cancel 1", "cancel hold_payouts", "retry 1", "graph"),
    *(f"graph {SECRET}", "graph core.chat", "show core.chat", "status core.chat"),
    *("backfill", f"backfill {SECRET} 1d", "backfill core.chat 1d chain", "stop BKF-1", f"stop {SECRET}"),
)


@pytest.fixture
def bot(town: World, slack: Sandbox) -> Node:
    """ALR-1 is payments' and open to all; ALR-2, on the same seller, is chat's and sensitive."""
    slack.set_channel("other", private=True)
    town.write("policies/_teams.yml", TEAMS)
    town.write("policies/_jobs.yml", JOBS)
    town.write("policies/chat/insider.yml", SENSITIVE)
    town.write("sql/chat/insider.sql", ELSEWHERE_SQL)
    node = town.node()
    town.table.says("s_1", node.clock() - SECOND, "pay me xyzzybody")
    node.next_tick(OPEN)
    node.tick(SECRET)
    assert node.desk.act(ANA, 2, Comment("U0ANA", "the xyzzynote")).ok
    assert node.desk.start_job(ANA, 2, "hold_payouts", {}).ok
    node.clock.on(SECOND)
    go_on(node)
    return node


def seen(reply: Reply | Refused | None) -> str:
    """All that Slack is given of it."""
    return "" if reply is None else json.dumps(asdict(render(reply)), ensure_ascii=False, default=str)


def at_home(bot: Node, person: Person) -> str:
    return json.dumps(home(bot.desk.status(person), person), ensure_ascii=False)


def told(words: str) -> list[str]:
    return [word for word in WORDS[:2] if word in words]


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.sampled_from(EVERYBODY), st.lists(st.sampled_from(VERBS_TOLD), min_size=1, max_size=4))
def test_no_answer_shows_anybody_what_he_may_not_see(bot: Node, person: Person, texts: list[str]) -> None:
    for text in texts:
        found = told(seen(bot.desk.command(person, text)))
        if person not in SEES and text != "show 1":
            assert found == [], (person, text)
    assert person in SEES or told(at_home(bot, person)) == []


def test_every_verb_that_names_something_was_asked() -> None:
    asked = {text.split()[0] for text in VERBS_TOLD}
    others = {"pause", "resume", "every", "takeover", "cover", "uncover", "unack", "assign"}
    assert {verb.name for verb in VERBS} == asked | others


def test_no_modal_opens_for_who_may_not_see_it(bot: Node) -> None:
    desk = bot.desk
    for person in EVERYBODY:
        assert ("xyzzytitle" in at_home(bot, person)) == (person in SEES)
        opened: list[Any] = [
            *(desk.show(person, 2), desk.show_rows(person, 2), desk.why_alert(person, 2)),
            desk.start_form(person, 2, "hold_payouts"),
        ]
        refused = [isinstance(one, Refused) for one in opened]
        assert refused == [person not in SEES] * 4
        assert [alert.id for alert in desk.alerts(person, [1, 2])] == ([1, 2] if person in SEES else [1])
        if person not in SEES:
            assert isinstance(desk.reveal(person, 2, "let me see"), Refused)
            assert "is sensitive" in desk.revealed(person, 2).why_not
            assert "is sensitive" in desk.start_job(person, 2, "hold_payouts", {}).text


def test_its_card_stands_with_its_team_and_others_name_its_number_alone(bot: Node, slack: Sandbox) -> None:
    bot.deliver(20)
    others = json.dumps(slack.messages("payments"), ensure_ascii=False)
    assert "ALR-2 (sensitive)" in others
    assert [word for word in WORDS if word in others.replace("xyzzybody", "")] == []
    bot.desk.command(ANA, "resolve 2 fp rule the xyzzyverdict")
    (other,) = bot.view.context(bot.alert(1)).earlier
    assert (other.id, other.policy, other.title, other.disposition) == (2, "", "", None)
    own = json.dumps(card(bot.alert(2), bot.view.context(bot.alert(2))).blocks, ensure_ascii=False)
    assert "xyzzytitle" in own
    assert "ALR-1 `payments.elsewhere`" in own


def test_who_may_not_see_it_agrees_to_nothing_for_it(bot: Node) -> None:
    """fay is an approver of the job's team, but no member of the alert's."""
    (asked,) = bot.store.approvals.waiting()
    assert bot.view.may_approve(asked) == ("U0EVE",)
    said = bot.desk.decide(FAY, asked.id, True, asked.seen)
    assert "ALR-2 is sensitive: only members of chat see it." in said.text
    assert bot.desk.decide(EVE, asked.id, True, asked.seen).ok


def test_where_nobody_who_could_agree_may_see_it_nothing_is_asked(town: World, bot: Node) -> None:
    bot.desk.command(ANA, "refuse 1")
    town.write("policies/_teams.yml", TEAMS.replace("    eve: {slack: U0EVE, roles: [admin]}\n", ""))
    bot.engine.reload()
    assert "has no other approver" in bot.desk.start_job(ANA, 2, "hold_payouts", {}).text


def test_neither_the_log_nor_a_pager_nor_an_error_says_a_word_of_it(
    town: World, bot: Node, capsys: pytest.CaptureFixture[str]
) -> None:
    bot.desk.act(ANA, 2, Comment("U0ANA", "another xyzzynote"))
    bot.desk.command(DEE, "ack 1")
    town.table.says("s_1", bot.clock() + SECOND)
    failing(bot, WarehouseError("Conversion Error: could not convert 'xyzzybody' in core.chat to INT32"))
    bot.clock.on(MINUTE)
    bot.tick(SECRET)
    status = seen(bot.desk.command(STRANGER, "status"))
    assert "could not convert '•••' " in status
    logged = "".join(capsys.readouterr())
    assert told(logged + status) == []
    pager = Job(
        "pager", "http", "Pager", "chat", params=tuple(map(Param, ("alert", "title", "why", "policy")))
    )
    said = about(pager, bot.alert(2), "the xyzzynote", sensitive=True)
    assert said["alert"] == "ALR-2"
    assert [word for word in WORDS if word in json.dumps(said)] == []


def test_a_masked_key_is_linked_by_no_card(world: World) -> None:
    masked = ELSEWHERE.replace("fields: [body]}", "fields: [body], columns: {seller_id: mask}}")
    world.write("policies/payments/elsewhere.yml", masked)
    node = world.node()
    world.table.says("s_17", node.clock() - SECOND)
    node.next_tick()
    shown = card(node.alert(1), node.view.context(node.alert(1)))
    assert "s_17" not in json.dumps(asdict(shown))


@pytest.mark.parametrize("text", [f"policy {SECRET}", f"show {SECRET}"])
def test_the_page_of_a_sensitive_policy_shows_strangers_no_count_of_what_it_finds(
    bot: Node, text: str
) -> None:
    for person in EVERYBODY:
        words = seen(bot.desk.command(person, text))
        assert ("1 alert in 30 days" in words) is (person in SEES), person
        assert ("1 open" in words) is (person in SEES), person
        assert ("only members of chat see what it finds" in words) is (person not in SEES), person


def test_nor_do_why_and_status(bot: Node) -> None:
    for person in EVERYBODY:
        assert ("Open alerts: 1" in seen(bot.desk.command(person, f"why {SECRET}"))) is (person in SEES)
        line = next(one for one in bot.desk.status(person).policies if one.name == SECRET)
        assert line.open_alerts == (1 if person in SEES else 0)


def test_nor_does_the_number_of_open_alerts(bot: Node) -> None:
    assert [bot.desk.status(person).open_total for person in EVERYBODY] == [
        2 if person in SEES else 1 for person in EVERYBODY
    ]
