"""Everything that people may type, through the desk, with right and with wrong input."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.core.action import ShareRows
from bot.core.alert import Disposition, FalseCause, Work
from bot.core.message import Message, MessageState
from bot.core.reply import HelpReply, ListReply, Person, PolicyReply, Said, ShowReply, StatusReply
from bot.core.verbs import VERBS
from bot.desk.examples import made_real
from sensors.warehouse import WarehouseError
from tests.shell.making import HOUR, MINUTE, NOON, SECOND, Node, World
from tests.shell.trouble import EVERY, HELD_NAME, failing

ANA, BO, CY = (Person(f"U0{name}", "C0PAYMENTS") for name in ("ANA", "BO", "CY"))
STRANGER = Person("U0STRANGER", "C0PAYMENTS")


@pytest.fixture
def bot(world: World, node: Node) -> Node:
    """Three alerts are open: ALR-1 to ALR-3."""
    for n in range(1, 4):
        world.table.says(f"s_{n}", NOON - MINUTE)
        node.clock.on(SECOND)
    node.tick()
    node.clock.on(SECOND)
    return node


def says(node: Node, text: str, person: Person = ANA) -> Said:
    answer = node.desk.command(person, text)
    assert isinstance(answer, Said), answer
    return answer


def good(node: Node, text: str, person: Person = ANA) -> Said:
    answer = says(node, text, person)
    assert answer.ok, answer
    return answer


def bad(node: Node, text: str, person: Person = ANA) -> str:
    """What was wrong, with its hint; and that nothing has happened."""
    before = [(a.id, a.version) for a in node.alerts()]
    answer = says(node, text, person)
    assert not answer.ok
    assert [(a.id, a.version) for a in node.alerts()] == before
    return f"{answer.text} {answer.hint}"


def linked(node: Node, alert: int) -> str:
    ts = f"17000000{alert:02d}.000100"
    sent = Message(f"card-{alert}", alert, None, "C0PAYMENTS", ts=ts, state=MessageState.posted)
    assert node.store.outbox.intend(sent, node.clock())
    return f"https://town.slack.com/archives/C0PAYMENTS/p{ts.replace('.', '')}"


# ------------------------------------------------------------------------------ acts


def test_ack_names_its_undo_and_unack_its_own(bot: Node) -> None:
    said = good(bot, "ack 1")
    assert "ALR-1 acknowledged by ⟦U0ANA⟧" in said.text
    assert said.hint == "undo: `/patrol unack 1`"
    assert bot.alert(1).owner == "U0ANA"
    assert good(bot, "unack ALR-1").hint == "undo: `/patrol ack 1`"
    assert bot.alert(1).work is Work.open


def test_of_two_who_ack_the_second_is_also_on_it_and_twice_is_refused(bot: Node) -> None:
    good(bot, "ack 1")
    assert "also on it" in good(bot, "ack 1", BO).text
    assert "already" in bad(bot, "ack 1", BO)
    assert bot.alert(1).helpers == ("U0BO",)


def test_several_targets_are_answered_line_by_line_with_each_undo(bot: Node) -> None:
    said = good(bot, "ack 1 2 3 2")
    assert len(said.text.splitlines()) == 3
    assert said.hint == "undo: `/patrol unack 1 2 3`"
    assert len(good(bot, "unack 1 2 3").text.splitlines()) == 3


def test_of_several_targets_the_wrong_one_spoils_no_other(bot: Node) -> None:
    said = says(bot, "ack 1 99 2")
    assert not said.ok
    assert "There is no ALR-99" in said.text
    assert [bot.alert(n).work for n in (1, 2, 3)] == [Work.acknowledged, Work.acknowledged, Work.open]


def test_a_bare_ack_is_the_alert_that_was_told_to_me_last(world: World, bot: Node) -> None:
    assert "Which alert?" in bad(bot, "ack", ANA)  # bo is on call
    bot.clock.on(11 * MINUTE)
    bot.engine.sweep()  # now the team has been told of all three …
    bot.clock.on(MINUTE)
    good(bot, "escalate 2", CY)  # … and ana, who leads it, of one of them once more
    assert "ALR-2" in good(bot, "ack", ANA).text
    world.table.says("s_9", bot.clock())
    bot.next_tick()
    assert "ALR-4" in good(bot, "ack", BO).text, "its card has told whoever is on call"
    good(bot, "snooze 3 1h", BO)
    assert "ALR-1" in good(bot, "ack", CY).text


def test_a_link_means_the_alert_whose_card_it_is(bot: Node) -> None:
    good(bot, f"ack {linked(bot, 2)}")
    assert bot.alert(2).owner == "U0ANA"


def test_a_link_to_something_else_acks_no_other_alert(bot: Node) -> None:
    told = bad(bot, "ack https://town.slack.com/archives/C0PAYMENTS/p1700000000999999", BO)
    assert "no alert's card" in told


def test_take_assign_and_hand_over(bot: Node) -> None:
    good(bot, "ack 1")
    good(bot, "take 1", BO)
    assert bot.alert(1).owner == "U0BO"
    good(bot, "assign 1 <@U0CY>", BO)
    assert bot.alert(1).owner == "U0CY"
    good(bot, "assign 1 @bo", ANA)
    assert bot.alert(1).owner == "U0BO"
    assert "did you mean `ana`" in bad(bot, "assign 1 @anna").lower()
    assert "Name somebody" in bad(bot, "assign 1")


def test_snooze_wake_and_their_limits(bot: Node) -> None:
    said = good(bot, "snooze 1 2h waiting for the bank")
    assert said.hint == "undo: `/patrol wake 1`"
    snooze = bot.alert(1).snooze
    assert snooze
    assert (snooze.until, snooze.why) == (bot.clock() + 2 * HOUR, "waiting for the bank")
    good(bot, "wake 1")
    assert "24 h at most" in bad(bot, "snooze 1 3d")
    assert "no duration" in bad(bot, "snooze 1 soon")
    assert "For how long" in bad(bot, "snooze 1")
    assert "is not snoozed" in bad(bot, "wake 1")
    good(bot, "snooze 1 until:18:00")
    assert bot.alert(1).snooze is not None


def test_resolve_reopen_and_say_otherwise(bot: Node) -> None:
    assert good(bot, "resolve 1 fp threshold too many").hint == "undo: `/patrol reopen 1`"
    now = bot.alert(1)
    assert (now.disposition, now.false_cause) == (Disposition.false_positive, FalseCause.threshold)
    assert now.note == "too many"
    good(bot, "resolve 1 tp")
    assert bot.alert(1).disposition is Disposition.true_positive
    assert "resolved by" in bad(bot, "ack 1")
    good(bot, "reopen 1")
    assert bot.alert(1).is_open
    assert "is open" in bad(bot, "reopen 1")
    assert "What was it?" in bad(bot, "resolve 1")
    assert "did you mean `benign`" in bad(bot, "resolve 1 begnin")


def test_reopening_is_refused_while_a_newer_alert_holds_the_key(world: World, bot: Node) -> None:
    good(bot, "resolve 1 tp")
    bot.clock.on(timedelta(days=4))
    world.table.says("s_1", bot.clock())
    bot.next_tick()
    newer = bot.alerts(EVERY)[-1].id
    assert newer == 4
    assert "ALR-4" in bad(bot, "reopen 1")


def test_escalate_and_comment(bot: Node) -> None:
    assert "look at this" in good(bot, "escalate 1 look at this").text
    assert "saw the seller" in good(bot, "comment 1 saw the seller").text
    assert bot.alert(1).comments == 1
    assert "empty" in bad(bot, "comment 1")


# ------------------------------------------------------------------------------ rights


def test_who_is_in_no_team_may_look_comment_and_escalate_but_not_act(bot: Node) -> None:
    acts = ["ack 1", "take 1", "snooze 1 1h", "resolve 1 tp", "rerun 1"]
    for text in [*acts, f"rerun {EVERY}", "start hold_payouts 1", "assign 1 @bo"]:
        told = bad(bot, text, STRANGER)
        assert "of payments may" in told
        assert "_teams.yml" in told
    good(bot, "comment 1 saw him, too", STRANGER)
    good(bot, "escalate 1", STRANGER)


def test_a_refused_person_hears_who_may_on_call_first_and_what_he_can_do(bot: Node) -> None:
    good(bot, "ack 1")
    answer = says(bot, "assign 1 @cy", BO)
    assert not answer.ok
    assert answer.text == "Only a lead of payments may give ALR-1 to others: ⟦U0ANA⟧."
    assert "`take 1` makes it yours" in answer.hint
    answer = says(bot, "ack 2", STRANGER)
    assert "⟦U0BO⟧ (on call), ⟦U0ANA⟧, ⟦U0CY⟧" in answer.text
    assert "`escalate 2`" in answer.hint


def test_what_was_said_of_an_alert_is_changed_for_a_day_by_a_responder_then_by_a_lead(bot: Node) -> None:
    good(bot, "resolve 1 tp", BO)
    bot.clock.on(timedelta(hours=24))
    good(bot, "resolve 1 benign", CY)
    bot.clock.on(SECOND)
    assert "Only a lead" in bad(bot, "resolve 1 fp", BO)
    good(bot, "resolve 1 fp rule", ANA)


def test_who_is_in_no_team_may_look(bot: Node) -> None:
    assert isinstance(bot.desk.command(STRANGER, "status"), StatusReply)
    assert isinstance(bot.desk.command(STRANGER, "list"), ListReply)
    assert isinstance(bot.desk.command(STRANGER, "show 1"), ShowReply)


# ------------------------------------------------------------------------------ questions


def ids(node: Node, text: str, person: Person = ANA) -> list[int]:
    answer = node.desk.command(person, text)
    assert isinstance(answer, ListReply), answer
    return sorted(alert.id for alert in answer.alerts)


def test_list_by_every_filter(bot: Node) -> None:
    good(bot, "ack 1")
    good(bot, "snooze 2 1h")
    assert ids(bot, "list") == [1, 2, 3]
    assert ids(bot, "list mine") == [1]
    assert ids(bot, "list mine", BO) == []
    assert ids(bot, "list unowned") == [2, 3]
    assert ids(bot, "list snoozed") == [2]
    assert ids(bot, "list late") == []
    assert ids(bot, f"list policy:{EVERY}") == [1, 2, 3]
    assert ids(bot, f"list policy:{HELD_NAME}") == []
    assert ids(bot, "list team:payments severity:medium") == [1, 2, 3]
    assert ids(bot, "list severity:high") == []


WRONG = {
    "list policy:payments.elswhere": "Did you mean `payments.elsewhere`",
    "list team:paymnts": "Did you mean `payments`",
    "list severity:awful": "is no filter",
    "list severity:": "is no filter",
    "list policy:": "There is no policy",
    "list everything": "`everything` is no filter",
    "show": "Which alert?",
    "show 99": "There is no ALR-99",
    "show payments.elswhere": "Did you mean `payments.elsewhere`",
    "policy payments.elswhere": "Did you mean `payments.elsewhere`",
    "policy": "Which one?",
    "oncall paymnts": "Did you mean `payments`",
    "help akc": "Did you mean `ack`",
    "akc 1": "Did you mean `ack`",
    "ack one": "is too much",
    "ack 99": "There is no ALR-99",
    "unack 1": "is not acknowledged",
    "start": "Which one?",
    "start hold_payout 1": "Did you mean `hold_payouts`",
    "start hold_payouts other=s_1": "other is not a parameter",
    "job": "Which one?",
    "cancel": "Which run?",
    "cancel 17 the wrong seller": "There is no job run 17",
    "retry hold_payouts": "was never started here",
    "start hold_payouts 99": "There is no ALR-99",
    "start hold_payouts 1 because": "is no parameter",
    "rerun": "Rerun what?",
    "rerun payments.elswhere": "Did you mean `payments.elsewhere`",
    "rerun 99": "There is no ALR-99",
    "zzz": "Try `help`",
    "status now then": "too much",
}


def test_wrong_input_is_told_what_is_right(bot: Node) -> None:
    told = {text: bad(bot, text) for text in WRONG}
    assert {text: said for text, said in told.items() if WRONG[text] not in said} == {}


def test_show_and_policy(bot: Node) -> None:
    shown = bot.desk.command(ANA, "show ALR-2")
    assert isinstance(shown, ShowReply)
    assert (shown.alert.id, shown.context.evidence.rows[0]["body"]) == (2, "pay me on cash app")
    assert [event.kind for event in shown.history] == ["opened"]
    by_link = bot.desk.command(ANA, f"show {linked(bot, 3)}")
    assert isinstance(by_link, ShowReply)
    assert by_link.alert.id == 3
    policy = bot.desk.command(ANA, f"policy {EVERY}")
    assert isinstance(policy, PolicyReply)
    assert (policy.line.open_alerts, len(policy.alerts)) == (3, 3)


def test_a_policy_that_failed_says_so(bot: Node) -> None:
    failing(bot, WarehouseError("there is no table core.sellers"))
    bot.next_tick(HELD_NAME)
    policy = bot.desk.command(ANA, f"show {HELD_NAME}")
    assert isinstance(policy, PolicyReply)
    assert policy.line.last_error == "there is no table core.sellers"


def test_help_is_the_table_that_parses(bot: Node) -> None:
    answer = bot.desk.command(ANA, "help")
    assert isinstance(answer, HelpReply)
    assert [name for name, *_ in answer.verbs] == [verb.name for verb in VERBS]
    one = bot.desk.command(ANA, "help resolve")
    assert isinstance(one, HelpReply)
    assert "resolve 142 fp rule" in one.about
    assert "to resolve an alert: a responder of its team" in one.about
    assert "to resolve several at once with an alert: a lead of its team" in one.about


def test_every_example_of_the_help_is_understood(bot: Node) -> None:
    others = ("cancel", "retry", "backfill")  # their own tests have what they need
    for example in (example for verb in VERBS if verb.name not in others for example in verb.examples):
        if "job:" in example:
            continue  # tests/shell/test_jobs_by_themselves.py, which has some
        answer = bot.desk.command(ANA, example.replace("142", "1").replace("payments.x", EVERY))
        assert not isinstance(answer, Said) or answer.ok, answer
        if not bot.alert(1).is_open:
            good(bot, "reopen 1")


@pytest.mark.parametrize(
    ("typed", "hint"),
    [
        (f"every {EVERY}", f"Write it so: `every {EVERY} 1h until:fri reason…`"),
        ("every payments.elswhere often", f"Write it so: `every {EVERY} 1h until:fri reason…`"),
        ("every", "Write it so: `every payments."),
        ("backfill", "`backfill payments."),
    ],
)
def test_an_example_in_a_hint_names_a_policy_that_is_there(bot: Node, typed: str, hint: str) -> None:
    answer = bot.desk.command(ANA, typed)
    assert isinstance(answer, Said)
    assert answer.hint.startswith(hint)
    named = answer.hint.partition("payments.")[2].split()[0]
    assert f"payments.{named}" in bot.engine.catalog.policies


def test_a_policy_whose_name_begins_as_the_example_does_keeps_its_own_name(bot: Node) -> None:
    said = Said("There is no such policy.", "There are: `payments.xoom`, `eu.payments.x`; pause payments.x")
    hint = made_real(said, ANA, "pause", bot.engine.catalog)
    assert isinstance(hint, Said)
    assert hint.hint == f"There are: `payments.xoom`, `eu.payments.x`; pause {EVERY}"


def test_rerun_of_a_policy_answers_at_once(bot: Node) -> None:
    assert f"`{EVERY}`: 3 rows, 3 keys, 0 with something new" in good(bot, f"rerun {EVERY}").text


def test_rerun_of_an_alert_says_where_the_answer_comes(bot: Node) -> None:
    assert "The answer comes in the thread." in good(bot, "rerun 1").text


def test_what_phones_make_of_what_one_types_is_understood(bot: Node) -> None:
    good(bot, "Ack  ALR–1")
    assert bot.alert(1).owner == "U0ANA"
    assert CY.slack == "U0CY"


def test_a_note_names_people_and_says_when_it_is_too_long(bot: Node) -> None:
    good(bot, "comment 1 AT&T paid <@U0BO> and <@U0XX|dan>")
    assert bot.store.alerts.history(1)[-1].story == "⟦U0ANA⟧: AT&T paid @bo and @dan"
    assert "at most 2,000" in bad(bot, f"comment 1 {'x' * 2_001}")


def test_a_list_says_where_the_cards_are(bot: Node) -> None:
    linked(bot, 1)
    reply = bot.desk.command(ANA, "list")
    assert isinstance(reply, ListReply)
    assert set(reply.cards) == {1}


def test_several_are_resolved_at_once_by_a_lead_and_by_nobody_else(bot: Node) -> None:
    assert "Only a lead of payments may resolve several at once" in bad(bot, "resolve 1 2 tp", BO)
    assert good(bot, "resolve 1 tp", BO).ok
    assert len(good(bot, "resolve 2 3 benign known", ANA).text.splitlines()) == 2
    assert [bot.alert(n).disposition for n in (2, 3)] == [Disposition.benign] * 2


def test_whoever_sees_an_alert_may_put_its_rows_into_the_thread(bot: Node) -> None:
    said = bot.desk.act(STRANGER, 1, ShareRows("U0STRANGER"))
    assert said.ok, said
    assert bot.alert(1).last_event == "its rows put into the thread by ⟦U0STRANGER⟧"
    assert [line.line.deed for line in bot.store.trail.lines()] == ["share_rows"]
