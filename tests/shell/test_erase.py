"""Forgetting: of somebody by command, of what is old by settings; counts and the audit's chain stay right."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest

from bot.core.alert import Disposition, Lane
from bot.core.reply import AskReply, Person, Said
from bot.core.trail import flaws
from bot.sandbox import Sandbox
from bot.store.keeping import Keep
from bot.store.trail import LinesBySeal
from tests.shell.making import DAY, ELSEWHERE, HOUR, MINUTE, NOON, SECOND, Node, World
from tests.shell.outside import Outside, go_on
from tests.shell.trouble import BOTH, EVERY
from tests.shell.typing_in import Patrol

ANA = Person("U0ANA", "C0PAYMENTS", "command")


def says(bot: Node, *texts: str) -> None:
    for text in texts:
        answer = bot.desk.command(ANA, text)
        assert isinstance(answer, Said), answer
        assert answer.ok, answer


@pytest.fixture
def bot(world: World) -> Node:
    """ALR-1 and ALR-2 are resolved, ALR-3 is open; a job was started for the first."""
    world.write("policies/payments/elsewhere.yml", ELSEWHERE)
    bot = world.node(runners=lambda _: Outside())
    for n in (1, 2, 3):
        world.table.says(f"s_{n}", NOON - MINUTE, f"pay me at private_{n}")
        bot.clock.on(SECOND)
    bot.tick()
    asked = bot.desk.command(ANA, "start hold_payouts 1")
    assert isinstance(asked, AskReply)
    assert bot.desk.confirm(ANA, asked.ask).ok
    says(bot, "comment 1 private_1 called us", "resolve 1 fp rule private_1 again")
    go_on(bot, seconds=6)
    says(bot, "comment 2 private_2 called us", "resolve 2 tp", "comment 3 private_3 called us")
    bot.store.trail.seal(bot.clock())
    return bot


def stored(bot: Node) -> str:
    """All text of the database but row memory's hashes."""
    with bot.store._database.read() as c:
        tables = (
            "alerts",
            "history",
            "evidence",
            "effects",
            "job_runs",
            "audit",
            "snoozes",
            "approvals",
            "seen",
            "notices",
            "handoffs",
        )
        return "\n".join(
            str(dict(row._mapping)) for table in tables for row in c.exec_driver_sql(f"SELECT * FROM {table}")
        )


def whole(bot: Node) -> list[str]:
    return list(flaws(bot.store.trail.seals(), LinesBySeal(bot.store.trail)))


@BOTH
def test_what_is_kept_of_somebody_is_erased_and_counts_and_chain_stay(bot: Node, patrol: Patrol) -> None:
    ran = patrol("erase", "seller_id=s_1", "--yes")
    assert ran.code == 0, ran
    assert "1 alert: ALR-1" in ran.out
    assert "1 row of evidence" in ran.out
    assert "1 start of jobs" in ran.out
    assert "Erased: 1 alert." in ran.out
    text = stored(bot)
    for word in ("s_1'", '"s_1"', "private_1"):
        assert word not in text, word
    for word in ("s_2", "private_2", "private_3"):
        assert word in text
    gone = bot.alert(1)
    assert (gone.title, gone.disposition, gone.policy) == ("erased", Disposition.false_positive, EVERY)
    assert bot.kinds(1) == ["opened", "job_started", "commented", "resolved", "job_ended"]
    found = bot.store.alerts.dispositions(EVERY, NOON - DAY, Lane.live)
    assert found == {Disposition.false_positive: 1, Disposition.true_positive: 1}
    assert whole(bot) == []
    bot.store.trail.seal(bot.clock())
    assert whole(bot) == []
    ran = patrol("audit", "verify")
    assert (ran.code, "the words of 3 erased" in ran.out) == (0, True)
    last = json.loads(patrol("audit", "export").out.splitlines()[-1])
    assert (last["via"], last["deed"], last["about"], last["words"]) == (
        "command line",
        "erase",
        "seller_id",
        "ALR-1",
    )
    assert "Nothing is kept of seller_id=s_1." in patrol("erase", "seller_id=s_1").out


def test_what_was_told_beside_its_alerts_is_erased_too(bot: Node, patrol: Patrol) -> None:
    """That a snooze began and ended, what a handoff listed, and the words of both in the audit."""
    for text in ("snooze seller:s_3 1h private_3 knows", "snooze seller:s_31 1h private_31 knows"):
        asked = bot.desk.command(ANA, text)
        assert isinstance(asked, AskReply)
        assert bot.desk.confirm(ANA, asked.ask).ok
    says(bot, "wake seller:s_3", "wake seller:s_31", "handoff", "resolve 3 benign")
    bot.store.trail.seal(bot.clock())
    with bot.store._database.write() as c:
        c.exec_driver_sql("UPDATE notices SET state = 'done'")
    assert "s_3 asked" in stored(bot)
    assert patrol("erase", "seller_id=s_3", "--yes").code == 0
    text = stored(bot)
    assert [word for word in ("private_3 ", "s_3 ", "s_3`", "s_3'", 's_3"') if word in text] == []
    assert "s_31`" in text
    assert whole(bot) == []
    assert patrol("audit", "verify").code == 0


def test_a_preview_changes_nothing_and_without_anybody_to_ask_nothing_is_erased(
    bot: Node, patrol: Patrol
) -> None:
    before = stored(bot)
    assert patrol("erase", "seller_id=s_1", "--dry-run").code == 0
    ran = patrol("erase", "seller_id=s_1")
    assert ran.code == 2
    assert "There is nobody to ask here" in ran.err
    assert json.loads(patrol("erase", "seller_id=s_1", "--dry-run", "--json").out) == {
        "column": "seller_id",
        "alerts": [1],
        "open": [],
        "rows": 1,
        "history": 5,
        "audit": 3,
        "jobs": 1,
        "approvals": 0,
        "erased": [],
    }
    assert stored(bot) == before


def test_an_open_alert_stays_and_is_named(bot: Node, patrol: Patrol) -> None:
    ran = patrol("erase", "seller_id=s_3", "--yes")
    assert ran.code == 1
    assert "Still open, and left as they are: ALR-3. Resolve them, and do it again." in ran.out
    assert "private_3" in stored(bot)
    says(bot, "resolve 3 benign")
    assert patrol("erase", "seller_id=s_3", "--yes").code == 0
    assert "private_3" not in stored(bot)


def test_an_alert_that_names_somebody_only_in_its_rows_is_found_too(bot: Node, patrol: Patrol) -> None:
    ran = patrol("erase", "body=pay me at private_2", "--yes")
    assert ran.code == 0
    assert "1 alert: ALR-2" in ran.out
    assert "private_2" not in stored(bot)


def test_wrong_input_is_told_what_is_right(bot: Node, patrol: Patrol) -> None:
    ran = patrol("erase", "s_1")
    assert (ran.code, "write a column and its value: seller_id=s_1" in ran.err) == (2, True)
    assert "Did you mean seller_id=s_1?" in patrol("erase", "seler_id=s_1").out
    for hostile in ("seller_id=%", "seller_id=_", "seller_id=s\\1", "seller_id='; DROP TABLE alerts", "é=💳"):
        assert "Nothing is kept" in patrol("erase", hostile).out, hostile
    assert len(bot.alerts(EVERY)) == 1


def test_what_comes_again_opens_an_alert_of_its_own(world: World, bot: Node, patrol: Patrol) -> None:
    assert patrol("erase", "seller_id=s_1", "--yes").code == 0
    world.table.says("s_1", bot.clock())
    bot.next_tick()
    assert [a.id for a in bot.alerts(EVERY)] == [3, 4]
    shown = bot.desk.command(ANA, "show 1")
    assert not isinstance(shown, Said)
    says(bot, "reopen 1")


def test_its_card_is_drawn_anew(town: World, slack: Sandbox, patrol: Patrol) -> None:
    bot = town.node()
    town.table.says("s_1", bot.clock() - SECOND, "pay me at private_1")
    bot.next_tick()
    says(bot, "resolve 1 tp private_1 it was")
    bot.deliver(6)
    assert "private_1" in json.dumps(slack.messages("payments"))
    assert patrol("erase", "seller_id=s_1", "--yes").code == 0
    bot.deliver(6)
    (card,) = slack.messages("payments")
    for word in ("s_1", "private_1"):
        assert word not in json.dumps(card), word
    assert "erased" in json.dumps(card)


# ------------------------------------------------------------------------------ by age


def pruned(bot: Node, **days: int) -> dict[str, int]:
    keep = Keep(**{name: timedelta(days=n) for name, n in days.items()})
    return bot.store.keeping.prune(keep, bot.clock())


@BOTH
def test_what_is_old_is_forgotten_as_the_settings_say(bot: Node) -> None:
    bot.clock.on(40 * DAY)
    says(bot, "resolve 3 tp")
    bot.store.trail.seal(bot.clock())
    assert pruned(bot) == {"evidence": 0, "history": 0, "audit": 0}
    assert pruned(bot, evidence=35) == {"evidence": 2, "history": 0, "audit": 0}
    assert bot.store.alerts.evidence(1).rows == ()
    assert bot.alert(1).newest == {}
    assert len(bot.store.alerts.evidence(3).rows) == 1
    assert pruned(bot, evidence=35) == {"evidence": 0, "history": 0, "audit": 0}
    before = bot.store.trail.counts()["lines"]
    assert pruned(bot, audit=35) == {"evidence": 0, "history": 0, "audit": before - 1}
    assert whole(bot) == []
    assert pruned(bot, history=35) == {"evidence": 0, "history": 2, "audit": 0}
    assert bot.store.alerts.get(1) is None
    assert bot.store.alerts.history(1) == ()
    assert bot.alert(3).title == "s_3 asked 1 times"
    assert whole(bot) == []


def test_an_open_alert_is_never_too_old(bot: Node) -> None:
    bot.clock.on(4000 * DAY)
    pruned(bot, evidence=35, history=35)
    assert [a.id for a in bot.alerts(EVERY)] == [3]
    assert len(bot.store.alerts.evidence(3).rows) == 1


def test_a_line_that_is_not_sealed_yet_is_never_too_old(bot: Node) -> None:
    bot.clock.on(HOUR)
    says(bot, "comment 3 later")
    bot.clock.on(40 * DAY)
    pruned(bot, audit=35)
    (kept,) = bot.store.trail.lines()
    assert kept.seal is None
    bot.store.trail.seal(bot.clock())
    assert whole(bot) == []


def test_the_settings_are_read(tmp_path: Path) -> None:
    from bot.app import _keep
    from bot.process.errors import SettingsError
    from bot.process.settings import load

    (tmp_path / "patrol.yml").write_text("evidence_days: 90\naudit_days: 2555\n")
    keep = _keep(load(tmp_path, {"PATROL_HISTORY_DAYS": "400"}))
    assert keep == Keep(90 * DAY, 400 * DAY, 2555 * DAY)
    assert _keep(load(tmp_path / "..", {})) == Keep()
    with pytest.raises(SettingsError, match="a whole number of days, 35 or more"):
        load(tmp_path, {"PATROL_HISTORY_DAYS": "7"})
