"""The auditor over a real store that was corrupted by hand: it repairs, or shouts once until it is mended."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from bot.core.action import Acknowledge
from bot.core.alert import Alert, due
from bot.core.audit import FORGOTTEN_ALERT
from bot.core.change import Change
from bot.core.reply import ListReply, Person
from bot.core.step import step
from bot.sandbox import Sandbox
from bot.store.columns import moment_text
from tests.core.making import events, fire
from tests.shell.making import DAY, FILES, HOUR, MINUTE, NOON, Node, World
from tests.shell.trouble import BOTH, HELD_NAME

PLATFORM = "platform:\n  channel: C0OTHER\n  members: {ana: {slack: U0ANA}}\n"


def sql(node: Node, statement: str, **values: Any) -> None:
    with node.store._database.write() as c:
        c.execute(text(statement), values)


def column(node: Node, alert_id: int, name: str = "due_at") -> Any:
    with node.store._database.read() as c:
        return c.execute(text(f"SELECT {name} FROM alerts WHERE id = {alert_id}")).scalar()


def opened(world: World, node: Node) -> Alert:
    world.table.does("INSERT INTO core.sellers VALUES ('s_1', true)")
    node.tick(HELD_NAME)
    (alert,) = node.alerts(HELD_NAME)
    return alert


def audits(node: Node, span: timedelta = MINUTE) -> None:
    for _ in range(span // MINUTE):
        node.clock.on(MINUTE)
        node.engine.auditor.once()


def shouted(node: Node) -> list[Alert]:
    return node.alerts(FORGOTTEN_ALERT)


def flaws(node: Node, flaw: str) -> float | None:
    registry = node.engine.metrics.registry
    return registry.get_sample_value("patrol_audit_findings", {"flaw": flaw})


def test_of_sound_alerts_it_says_nothing(world: World, node: Node) -> None:
    opened(world, node)
    audits(node)
    assert node.engine.auditor.health == "ok"
    assert shouted(node) == []


@BOTH
@pytest.mark.parametrize("wrong", [None, timedelta(days=365), -timedelta(seconds=1)])
def test_a_due_time_that_the_sweep_would_miss_is_put_right_and_said_in_the_log(
    world: World, node: Node, wrong: timedelta | None, caplog: pytest.LogCaptureFixture
) -> None:
    alert = opened(world, node)
    right = due(alert)
    assert right
    stored = column(node, alert.id)
    moved: Any = None if wrong is None else right.at + wrong
    if moved and node.store._database.sqlite:
        moved = moment_text(moved)
    sql(node, "UPDATE alerts SET due_at = :at", at=moved)
    before = node.engine.metrics.registry.get_sample_value("patrol_audit_mended_total") or 0
    audits(node)
    assert column(node, alert.id) == stored
    assert "the sweep would have come to it" in caplog.text
    assert node.engine.metrics.registry.get_sample_value("patrol_audit_mended_total") == before + 1
    assert shouted(node) == []
    node.clock.on(right.at - node.clock())
    assert node.engine.sweep() == 1
    caplog.clear()
    audits(node)
    assert "the sweep would have come to it" not in caplog.text


def test_a_click_in_between_is_never_overwritten(world: World, node: Node) -> None:
    alert = opened(world, node)
    sql(node, "UPDATE alerts SET due_at = NULL")
    node.engine.act(alert.id, Acknowledge("U0ANA"), by="U0ANA")
    after = column(node, alert.id)
    assert not node.store.audit.mend_due(alert.id, alert.version, None, NOON + DAY)
    assert column(node, alert.id) == after


@BOTH
def test_a_sweep_that_is_stuck_is_shouted_once_and_is_over_when_it_goes_on(world: World, node: Node) -> None:
    alert = opened(world, node)
    other = world.node()
    for _ in range(25):
        audits(node)
        other.engine.auditor.once()
    (shout,) = shouted(node)
    assert shout.title.startswith(f"ALR-{alert.id} has ")
    assert "ALR-1 has been due since 2026-01-05 12:10 UTC and nobody was told" in str(shout.newest["why"])
    assert (shout.terms.team, shout.severity.name) == ("payments", "high")
    assert node.engine.auditor.health.startswith(f"1 of 2 open alerts: ALR-{alert.id} has ")
    assert flaws(node, "overdue") == 1
    assert node.kinds(shout.id)[0] == "opened"
    sql(node, "UPDATE messages SET ts = '1.0', state = 'posted'")
    give_card(node, alert)
    node.engine.sweep()
    sql(node, "UPDATE effects SET state = 'done'")
    audits(node)
    other.engine.auditor.once()
    assert shouted(node) == []
    assert node.engine.auditor.health == "ok"
    assert flaws(node, "overdue") == 0


def give_card(
    node: Node, alert: Alert, state: str = "posted", ts: str | None = "1.0", error: str = ""
) -> None:
    sql(
        node,
        "INSERT INTO messages (delivery, alert_id, channel, ts, state, shown_seq, attempts, error)"
        " VALUES (:delivery, :alert, 'C0PAYMENTS', :ts, :state, 1, 1, :error)",
        delivery=f"card-{alert.id}",
        alert=alert.id,
        ts=ts,
        state=state,
        error=error,
    )


def test_an_alert_of_a_team_that_is_gone_is_shouted_until_there_is_one(world: World, node: Node) -> None:
    found = fire(policy="old.policy", key='{"x":1}', as_of=NOON, terms=events(team="gone"))
    change = step(None, found, NOON)
    assert isinstance(change, Change)
    (alert,) = node.store.act([change], NOON)
    audits(node)
    (shout,) = shouted(node)
    assert shout.title.startswith(f"ALR-{alert.id} is due to ")
    assert shout.title.endswith(" in team gone, where there is nobody: others hear of it")
    assert shout.terms.team == "payments"
    assert flaws(node, "nobody") == 1
    there = FILES["policies/_teams.yml"] + PLATFORM.replace("platform", "gone")
    world.write("policies/_teams.yml", there)
    node.engine.reload()
    audits(node)
    assert shouted(node) == []


def test_who_hears_of_an_alert_whose_team_or_member_is_gone(world: World, node: Node) -> None:
    alert = opened(world, node)
    assert node.view.people("oncall", alert) == ("U0BO",)
    assert node.view.people("dee", alert) == ("U0ANA",)  # no member any more: the lead
    world.write("policies/_teams.yml", PLATFORM)
    node.engine.project.catalog = type(node.engine.catalog)(teams={"platform": _platform(world)})
    assert node.view.people("oncall", alert) == ("U0ANA",)
    assert node.view.channel_of(alert) == "C0OTHER"


def _platform(world: World) -> Any:
    from sensors.catalog import load

    return load(world.project).teams["platform"]


def test_a_card_that_is_not_tried_any_more_is_shouted_at_once(world: World, node: Node) -> None:
    alert = opened(world, node)
    give_card(node, alert, "parked", None, "Slack refused: is_archived")
    audits(node)
    (shout,) = shouted(node)
    why = "it is not tried any more: Slack refused: is_archived"
    assert shout.title == f"ALR-{alert.id} has no card, and {why}"
    audits(node, 3 * MINUTE)
    assert node.kinds(shout.id) == ["opened"]
    sql(node, "UPDATE messages SET ts = '1.0', state = 'posted' WHERE alert_id = :id", id=alert.id)
    audits(node)
    assert shouted(node) == []


def test_a_card_that_does_not_come_is_shouted_after_a_quarter_of_an_hour(world: World, node: Node) -> None:
    opened(world, node)
    audits(node, 9 * MINUTE)
    assert shouted(node) == []
    for _ in range(9):
        node.engine.sweep()
        audits(node)
    assert "has had no card for more than 15 min" in shouted(node)[0].title


def test_something_to_be_told_that_is_not_is_shouted(world: World, node: Node) -> None:
    alert = opened(world, node)
    give_card(node, alert)
    audits(node, 11 * MINUTE)
    node.engine.sweep()
    node.engine.act(alert.id, Acknowledge("U0ANA"), by="U0ANA")
    audits(node, 15 * MINUTE)
    assert shouted(node) == []
    audits(node, MINUTE)
    assert flaws(node, "effect") == 1
    assert "to be told or done since 2026-01-05 12:11 UTC" in shouted(node)[0].title


def test_a_row_that_cannot_be_read_is_shouted_and_hides_no_other(world: World, node: Node) -> None:
    alert = opened(world, node)
    world.table.does("INSERT INTO core.sellers VALUES ('s_2', true)")
    node.next_tick(HELD_NAME)
    sql(node, "UPDATE alerts SET body = '{}' WHERE id = :id", id=alert.id)
    sql(node, "UPDATE alerts SET due_at = NULL WHERE id <> :id", id=alert.id)
    audits(node)
    assert node.engine.auditor.health == f"1 of 2 open alerts: ALR-{alert.id} cannot be read from the store"
    listed = node.desk.command(Person("U0ANA", "C0PAYMENTS", "command"), f"list policy:{HELD_NAME}")
    assert isinstance(listed, ListReply)
    (other,) = (found.id for found in listed.alerts)
    sql(node, "UPDATE alerts SET due_at = :due", due=moment_text(NOON))
    node.engine.sweep()
    assert other in {found.id for found in node.store.alerts.open() if found.step}
    assert column(node, alert.id + 1) is not None


def test_bodies_are_read_once_and_thousands_are_quick(
    world: World, node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    changes = []
    for n in range(2_500):
        change = step(None, fire(key=f'{{"seller_id":"s_{n}"}}', as_of=NOON), NOON)
        assert isinstance(change, Change)
        changes.append(change)
    node.store.act(changes, NOON)
    audits(node)
    read: list[int] = []
    real = node.store.alerts.many

    def many(ids: Any) -> Any:
        read.extend(ids)
        return real(ids)

    monkeypatch.setattr(node.store.alerts, "many", many)
    audits(node)
    assert read == []
    alert = node.store.alerts.open(limit=1)[0]
    node.engine.act(alert.id, Acknowledge("U0ANA"), by="U0ANA")
    read.clear()
    audits(node)
    assert read == [alert.id]
    assert world


def test_after_a_sleep_nobody_is_accused_before_the_sweep_has_come_by(world: World, node: Node) -> None:
    give_card(node, opened(world, node))
    audits(node)
    node.clock.on(3 * HOUR)
    node.engine.auditor.once()
    assert node.engine.auditor.health == "ok"
    audits(node, 6 * MINUTE)
    assert flaws(node, "overdue") == 1


def test_the_log_says_each_finding_once(world: World, node: Node, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.ERROR)
    alert = opened(world, node)
    give_card(node, alert, "parked", None)
    audits(node, 3 * MINUTE)
    assert caplog.text.count("open alert may be forgotten") == 1


def test_with_a_working_slack_an_open_alert_is_sound_for_hours(town: World, slack: Sandbox) -> None:
    node = town.node()
    opened(town, node)
    for _ in range(40):
        node.engine.sweep()
        node.deliver(4, timedelta(seconds=3))
        audits(node, 3 * MINUTE)
        assert node.engine.auditor.health == "ok"
    assert node.clock() > NOON + 2 * HOUR
    assert slack.messages("payments")
