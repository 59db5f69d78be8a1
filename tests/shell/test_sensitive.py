"""Sensitive policies: posted to private channels only, seen by their team, unmasked on the record."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from bot.core.action import Escalate, ShareRows
from bot.core.builtin_slack import EXPOSED
from bot.core.change import Refused
from bot.core.late import LATE_ROWS
from bot.core.reply import ListReply, Person, PolicyReply, Revealed, Said, ShowReply, StatusReply
from bot.sandbox import Sandbox
from bot.watch.late import LateRows
from sensors.warehouse import WarehouseError
from tests.shell import test_approvals as approvals
from tests.shell.delivering import standing, threaded
from tests.shell.making import ELSEWHERE, FILES, HELD, HOUR, MINUTE, NOON, SECOND, Node, World
from tests.shell.outside import Outside, opened
from tests.shell.trouble import EVERY, HELD_NAME, failing
from tests.shell.typing_in import Patrol

ANA, BO = (Person(f"U0{name}", "C0PAYMENTS", "modal") for name in ("ANA", "BO"))
STRANGER = Person("U0STRANGER", "C0OTHER", "command")
SENSITIVE = ELSEWHERE + "sensitive: true\n"
MASKED = ELSEWHERE.replace("fields: [body]}", "fields: [body], columns: {body: mask, message_id: hide}}")


def a_node(world: World, text: str) -> Node:
    world.write("policies/payments/elsewhere.yml", text)
    return world.node()


# ------------------------------------------------------------------------------ where


def test_a_sensitive_alert_is_posted_to_a_private_channel(town: World, slack: Sandbox) -> None:
    slack.set_channel("payments", private=True)
    bot = a_node(town, SENSITIVE)
    alert = opened(town, bot)
    bot.engine.act(alert, Escalate("U0ANA", "look"), by="U0ANA")
    bot.deliver(20)
    assert standing(slack)[0] == f"card-{alert}"
    assert any("look" in line for line in threaded(slack))
    assert bot.alerts(EXPOSED) == []


@pytest.mark.parametrize(
    ("made", "why"),
    [({}, "it is public"), ({"private": True, "shared": True}, "it is shared with another workspace")],
    ids=["public", "shared"],
)
def test_in_a_channel_that_others_read_nothing_of_it_is_said_and_its_owner_is_told_once(
    town: World, slack: Sandbox, made: dict[str, bool], why: str
) -> None:
    slack.set_channel("payments", **made)
    bot = a_node(town, SENSITIVE)
    alert = opened(town, bot)
    bot.engine.act(alert, Escalate("U0ANA", "look"), by="U0ANA")
    bot.deliver(20)
    (told,) = bot.alerts(EXPOSED)
    assert told.title == f"{EVERY} is sensitive, and its alerts wait: #payments takes none of them, for {why}"
    assert standing(slack) == [f"card-{told.id}"]
    assert "s_1" not in json.dumps(slack.messages("payments"))
    slack.set_channel("payments", private=True, shared=False)
    bot.clock.on(MINUTE)
    bot.deliver(30)
    assert f"card-{alert}" in standing(slack)
    assert bot.alerts(EXPOSED) == []


def test_a_card_in_a_channel_that_is_opened_to_others_is_not_added_to(town: World, slack: Sandbox) -> None:
    slack.set_channel("payments", private=True)
    bot = a_node(town, SENSITIVE)
    alert = opened(town, bot)
    bot.deliver(6)
    slack.set_channel("payments", shared=True)
    bot.clock.on(2 * MINUTE)
    bot.desk.command(ANA, f"comment {alert} the seller is known")
    bot.desk.command(ANA, f"escalate {alert} at once")
    assert bot.desk.act(ANA, alert, ShareRows("U0ANA")).ok
    bot.deliver(20)
    assert slack.journal(kind="api", method="files.getUploadURLExternal") == []
    assert not any("at once" in line for line in threaded(slack))
    assert "the seller is known" not in json.dumps(slack.messages("payments")[0])
    assert len(bot.alerts(EXPOSED)) == 1


def test_what_is_for_a_sensitive_alert_is_told_nowhere_once_its_channel_is_open_to_others(
    town: World, slack: Sandbox
) -> None:
    bot = approvals.a_node(town, Outside())
    slack.set_channel("payments", private=True)
    town.write("policies/payments/elsewhere.yml", ELSEWHERE + "sensitive: true\n")
    bot.engine.reload()
    _, approval = approvals.asked(town, bot)
    bot.deliver(8)
    assert standing(slack) == ["card-1", "notice-1"]
    slack.set_channel("payments", private=False)
    bot.clock.on(MINUTE)
    assert approvals.says(bot, f"refuse {approval.id} the xyzzyreason", approvals.CY).ok
    approvals.lives(bot, seconds=2)
    bot.deliver(12)
    shown = json.dumps(slack.channel("payments")["messages"])
    assert "xyzzyreason" not in shown
    assert "notice-2" not in standing(slack)
    slack.set_channel("payments", private=True)
    bot.clock.on(2 * MINUTE)
    bot.deliver(20)
    assert "xyzzyreason" in json.dumps(slack.channel("payments")["messages"])


def test_while_slack_does_not_say_whether_it_is_private_nothing_is_posted(
    town: World, slack: Sandbox
) -> None:
    slack.set_channel("payments", private=True)
    bot = a_node(town, SENSITIVE)
    alert = opened(town, bot)
    slack.faults({"method": "conversations.info", "fault": "500", "times": 1})
    bot.deliver(4)
    assert standing(slack) == []
    assert bot.alerts(EXPOSED) == []
    bot.clock.on(MINUTE)
    bot.deliver(4)
    assert standing(slack) == [f"card-{alert}"]


def test_a_digest_of_what_is_late_says_nothing_of_it(town: World, slack: Sandbox) -> None:
    bot = a_node(town, SENSITIVE)
    opened(town, bot)
    bot.clock.on(timedelta(minutes=20))
    bot.deliver(30)
    assert "s_1" not in json.dumps(slack.messages("payments"))


# ------------------------------------------------------------------------------ who


def test_only_its_team_sees_it(world: World) -> None:
    world.write("policies/payments/held.yml", HELD)
    bot = a_node(world, SENSITIVE)
    alert = opened(world, bot)
    world.table.does("INSERT INTO core.sellers VALUES ('s_2', true)")
    bot.tick(HELD_NAME)
    for person, sees in ((ANA, True), (BO, True), (STRANGER, False)):
        shown = bot.desk.command(person, f"show {alert}")
        assert isinstance(shown, ShowReply) == sees
        listed = bot.desk.command(person, "list")
        assert isinstance(listed, ListReply)
        assert (alert in [a.id for a in listed.alerts]) == sees
        status = bot.desk.command(person, "status")
        assert isinstance(status, StatusReply)
        assert (alert in [a.id for a in status.open_alerts]) == sees
        assert len(status.open_alerts) == 1 + sees
        policy = bot.desk.command(person, f"policy {EVERY}")
        assert isinstance(policy, PolicyReply)
        assert len(policy.alerts) == sees
        said = bot.desk.command(person, f"comment {alert} hello")
        assert isinstance(said, Said)
        assert said.ok == sees
    refused = bot.desk.command(STRANGER, f"escalate {alert}")
    assert isinstance(refused, Said)
    assert "is sensitive: only members of payments see it" in refused.text


def test_it_stays_sensitive_when_its_policy_no_longer_is(world: World) -> None:
    bot = a_node(world, SENSITIVE)
    alert = opened(world, bot)
    world.write("policies/payments/elsewhere.yml", ELSEWHERE)
    bot.engine.reload()
    assert isinstance(bot.desk.command(STRANGER, f"show {alert}"), Said)


def test_its_rows_that_came_too_late_are_as_sensitive_and_go_where_its_alerts_do(
    town: World, slack: Sandbox
) -> None:
    slack.set_channel("other", private=True)
    bot = a_node(town, SENSITIVE + "channel: C0OTHER\n")
    for hour in range(5):
        bot.clock.at = NOON + hour * HOUR
        town.table.says(f"s_{hour}", bot.clock() - MINUTE)
        bot.tick()
    town.table.says("s_9", NOON + 2 * HOUR, "pay me xyzzybody")
    bot.clock.on(timedelta(days=1))
    assert LateRows(bot.engine).once() == 1
    (late,) = bot.alerts(LATE_ROWS)
    assert isinstance(bot.desk.command(ANA, f"show {late.id}"), ShowReply)
    assert isinstance(bot.desk.command(STRANGER, f"show {late.id}"), Said)
    bot.deliver(30)
    assert f"card-{late.id}" in standing(slack, "other")
    assert "xyzzybody" not in json.dumps(slack.messages("payments"))


# ------------------------------------------------------------------------------ masked


@pytest.fixture
def masked(world: World) -> Node:
    bot = a_node(world, MASKED)
    world.table.says("s_1", bot.clock() - SECOND, "pay me on cash app, my name is Dee")
    bot.next_tick()
    return bot


def audited(bot: Node) -> list[tuple[str, str, str | None]]:
    lines = (kept.line for kept in bot.store.trail.lines())
    return [(line.by, line.outcome, line.words) for line in lines if line.deed == "reveal"]


def test_a_masked_value_is_shown_again_to_one_who_may_and_it_is_in_the_audit(masked: Node) -> None:
    bot = masked
    assert "Dee" not in json.dumps([dict(row) for row in bot.store.alerts.evidence(1).rows])
    assert bot.desk.reveal(BO, 1, "the buyer says it was another") is None
    found = bot.desk.revealed(BO, 1)
    assert found.columns == ("seller_id", "body")
    assert found.rows == ({"seller_id": "s_1", "body": "pay me on cash app, my name is Dee"},)
    assert audited(bot) == [("U0BO", "done", "body: the buyer says it was another")]
    assert "Dee" not in json.dumps([dict(row) for row in bot.store.alerts.evidence(1).rows])
    (line,) = (k.line for k in bot.store.trail.lines() if k.line.deed == "reveal")
    assert (line.about, line.via, line.alert) == ("ALR-1", "modal", 1)


def test_what_is_hidden_is_shown_to_a_lead(masked: Node) -> None:
    assert masked.desk.reveal(ANA, 1, "to tell the buyer") is None
    found = masked.desk.revealed(ANA, 1)
    assert found.columns == ("seller_id", "body", "message_id")
    assert audited(masked) == [("U0ANA", "done", "body, message_id: to tell the buyer")]


def test_who_may_not_is_refused_and_that_is_kept_too(masked: Node) -> None:
    refused = masked.desk.reveal(STRANGER, 1, "let me see")
    assert isinstance(refused, Refused)
    assert "Only a responder of payments may see masked values of ALR-1" in refused.why
    assert [(by, outcome) for by, outcome, _ in audited(masked)] == [("U0STRANGER", "refused")]


def test_without_a_reason_nothing_is_shown(masked: Node) -> None:
    refused = masked.desk.reveal(BO, 1, "  x ")
    assert isinstance(refused, Refused)
    assert "Say why" in refused.why
    assert audited(masked) == []
    assert masked.desk.reveal(BO, 99, "let me see") == Refused("There is no such alert any more.")


def test_what_cannot_be_looked_at_again_says_why(world: World, masked: Node) -> None:
    def why() -> str:
        return masked.desk.revealed(BO, 1).why_not

    mend = failing(masked, WarehouseError("there is no table core.chat"))
    assert why() == "The look failed: there is no table core.chat."
    mend()
    world.table.does("DELETE FROM core.chat")
    assert "no longer there" in why()
    (world.project / "policies/payments/elsewhere.yml").unlink()
    (world.project / "sql/payments/elsewhere.sql").unlink()
    masked.engine.reload()
    assert masked.desk.revealed(BO, 1) == Revealed(
        why_not="Its policy is no longer there, so nobody can look."
    )


# ------------------------------------------------------------------------------ check


def test_check_asks_slack_whether_the_channels_are_private(
    town: World, slack: Sandbox, patrol: Patrol
) -> None:
    town.write("policies/payments/elsewhere.yml", SENSITIVE)
    settings = {"PATROL_SLACK_URL": slack.api, "SLACK_BOT_TOKEN": slack.bot_token}
    ran = patrol("check", "--slack", **settings)
    assert ran.code == 1
    said = "sensitive: its alerts would go to #payments, and it is public: make that channel private"
    assert f"policies/payments/elsewhere.yml:11:12 {said}" in ran.out
    slack.set_channel("payments", private=True)
    assert "sensitive" not in patrol("check", "--slack", **settings).out
    slack.set_channel("payments", shared=True)
    assert "it is shared with another workspace" in patrol("check", "--slack", **settings).out
    ran = patrol("check", "--slack")
    assert ran.code == 2
    assert "SLACK_BOT_TOKEN is not set" in ran.err


def test_the_key_is_read_and_has_a_default_by_folder(world: World) -> None:
    world.write("policies/payments/_defaults.yml", "sensitive: true\n")
    bot = world.node()
    assert {p.sensitive for p in bot.engine.catalog.policies.values()} == {True}
    world.write("policies/payments/elsewhere.yml", ELSEWHERE + "sensitive: no\n")
    bot.engine.reload()
    assert "sensitive" in str(bot.engine.catalog.errors[0])
    assert FILES["policies/payments/elsewhere.yml"] == ELSEWHERE
