"""Whatever somebody does it with (button, command, modal, mention, shortcut), the answer is one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from bot.core.access import RANK, RIGHTS, Deed
from bot.core.action import Acknowledge, Assign, PersonAction, Reopen, Resolve, SnoozeFor, Unacknowledge, Wake
from bot.core.alert import Alert, Disposition, Work
from bot.core.change import Refused
from bot.core.reply import AskReply, Said
from bot.slack import payloads
from bot.slack.modals import Errand
from bot.slack.submissions import Submissions
from sensors.model.team import Role
from tests.shell.making import HOUR, MINUTE, NOON, Node, World
from tests.shell.trouble import EVERY

TEAMS = """
ops:
  channel: C0OPS
  members: {gil: {slack: U0GIL, roles: [admin]}, hal: {slack: U0HAL, roles: [approver]}}
payments:
  channel: C0PAYMENTS
  members:
    ana: {slack: U0ANA, roles: [lead]}
    bo: {slack: U0BO}
    cy: {slack: U0CY, roles: [approver]}
    dee: {slack: U0DEE, roles: [admin]}
chat:
  channel: C0OTHER
  members: {eve: {slack: U0EVE, roles: [admin]}, fay: {slack: U0FAY, roles: [lead]}}
"""
ROLES = {  # in payments, whose the alerts are; ops answers for Patrol
    "U0ANA": Role.lead,
    "U0BO": Role.responder,
    "U0CY": Role.approver,
    "U0DEE": Role.admin,
    "U0GIL": Role.admin,
    "U0EVE": None,
    "U0FAY": None,
    "U0HAL": None,
    "U0STRANGER": None,
}
HAS_IT = "U0FAY"  # of another team, but the alert was given to her
Answer = Said | Refused


@dataclass(frozen=True)
class Act:
    """One thing that people do, on each surface that has it. `before`: what has happened to the alert."""

    deed: Deed
    typed: str = ""
    button: str = ""
    modal: str = ""
    fields: Mapping[str, Any] | None = None
    before: tuple[PersonAction, ...] = ()
    about: str = "{n}"


TP = Resolve("U0ANA", Disposition.true_positive)
ACTS = (
    Act(Deed.acknowledge, "ack", "alert.ack"),
    Act(Deed.hand_back, "unack", "alert.unack", before=(Acknowledge("U0ANA"),)),
    Act(Deed.take, "take", "alert.take"),
    Act(Deed.assign, "assign {n} <@U0BO>", "alert.assign"),
    Act(Deed.snooze, "snooze {n} 1h", "alert.snooze", "snooze", {"scope": "alert", "span": "1h"}),
    Act(Deed.snooze_entity, "snooze seller:s_1 1h", "", "snooze", {"scope": "seller:s_1", "span": "1h"}),
    Act(Deed.snooze_policy, f"snooze {EVERY} 1h", "", "snooze", {"scope": f"policy:{EVERY}", "span": "1h"}),
    Act(Deed.wake, "wake", "alert.wake", before=(SnoozeFor("U0ANA", NOON),)),
    Act(Deed.resolve, "resolve {n} tp", "", "resolve", {"disposition": "true_positive"}),
    Act(Deed.change, "resolve {n} benign", "", "resolve", {"disposition": "benign"}, (TP,)),
    Act(Deed.reopen, "reopen", "alert.reopen", before=(TP,)),
    Act(Deed.escalate, "escalate", "alert.escalate"),
    Act(Deed.comment, "comment {n} hm", "", "more", {"note": "hm"}),
    Act(Deed.comment, "", "", "note", {"alert": "ALR-{n}", "note": "hm"}),
    Act(Deed.share_rows, "", "alert.sheet"),
    Act(Deed.rerun, "rerun", "alert.rerun"),
    Act(Deed.start, "start hold_payouts {n}", "", "job", {}),
)


@pytest.fixture
def bot(world: World) -> Node:
    world.write("policies/_teams.yml", TEAMS)
    world.write("patrol.yml", "workers: 2\n")
    node = world.node()
    world.table.says("s_1", node.clock() - MINUTE)
    node.tick()
    return node


def prepared(bot: Node, act: Act, person: str) -> Alert:
    """The alert as it was opened, then what the act needs; hers, where she is to have it."""

    def by_ana(action: PersonAction) -> None:
        bot.engine.act(1, action, by="U0ANA")

    if not bot.alert(1).is_open:
        by_ana(Reopen("U0ANA"))
    if bot.alert(1).snooze:
        by_ana(Wake("U0ANA"))
    if bot.alert(1).work is Work.acknowledged:
        by_ana(Unacknowledge("U0ANA"))
    if person == HAS_IT:
        by_ana(Assign("U0ANA", HAS_IT))
    for action in act.before:
        by_ana(SnoozeFor("U0ANA", bot.clock() + HOUR) if isinstance(action, SnoozeFor) else action)
    return bot.alert(1)


def surfaces(bot: Node, act: Act, person: str) -> Iterator[tuple[str, Callable[[Alert], Any]]]:
    """Each surface that has it, as Slack's payload makes it, up to the real desk."""
    typed = act.typed.replace("{n}", "1")
    whole = typed if " " in typed or not typed else f"{typed} 1"

    def command(_: Alert) -> Any:
        place, text = payloads.command({"user_id": person, "channel_id": "C0OTHER", "text": whole})
        return bot.desk.command(place.person, text)

    def mention(_: Alert) -> Any:
        event = {
            "user": person,
            "channel": "C0OTHER",
            "ts": "2.1",
            "thread_ts": "1.1",
            "text": f"<@U0BOT> {typed}",
        }
        said = payloads.mention({"event": event}, "U0BOT")
        return bot.desk.command(said.place.person, payloads.in_thread(said.text, 1))

    def button(alert: Alert) -> Any:
        action = {"action_id": act.button, "value": f"1:{alert.work_seq}", "selected_user": "U0BO"}
        clicked = payloads.click({"user": {"id": person}, "channel": {"id": "C0OTHER"}, "actions": [action]})
        asked = payloads.action(clicked, bot.clock())
        assert asked
        return bot.desk.act(clicked.place.person, 1, asked, alert.work_seq)

    def modal(alert: Alert) -> Any:
        given = {
            name: {"x": {"value": str(held).replace("{n}", "1")}} for name, held in (act.fields or {}).items()
        }
        errand = Errand(1, alert.work_seq, "C0OTHER", job="hold_payouts")
        view = {"callback_id": act.modal, "private_metadata": errand.packed(), "state": {"values": given}}
        body = {"user": {"id": person}, "view": view}
        forms = Submissions(bot.desk, bot.clock)
        return forms.record(body, forms.place(body).person)

    yield from (("command", command), ("mention", mention)) if act.typed else ()
    yield from (("button", button),) if act.button else ()
    yield from (("shortcut" if act.modal == "note" else "modal", modal),) if act.modal else ()


def refused(answer: Any) -> str:
    """Why he may not, and what instead; empty where he may."""
    why = answer.why if isinstance(answer, Refused) else answer.text if isinstance(answer, Said) else ""
    hint = getattr(answer, "hint", "").replace("`/patrol ", "`")
    return f"{why} | {hint}" if why.startswith("Only a") else ""


@pytest.mark.parametrize("act", ACTS, ids=lambda act: f"{act.deed}-{act.modal or act.button}")
def test_the_answer_is_the_same_on_each_surface_and_the_refused_are_in_the_audit(bot: Node, act: Act) -> None:
    for person, in_team in ROLES.items():
        role = in_team or (Role.responder if person == HAS_IT else None)
        needed = RIGHTS[act.deed].role
        deed = act.deed
        if person == HAS_IT and deed is Deed.assign:
            deed, needed = Deed.hand_over, RIGHTS[Deed.hand_over].role
        if person == "U0BO" and deed is Deed.assign:
            deed, needed = Deed.take, RIGHTS[Deed.take].role
        if person == HAS_IT and deed in (Deed.snooze_entity, Deed.snooze_policy):
            role = None
        able = needed is None or (role is not None and RANK[role] >= RANK[needed])
        answers = {}
        for via, does in surfaces(bot, act, person):
            alert = prepared(bot, act, person)
            known = bot.store.trail.counts()["lines"]
            answer = does(alert)
            lines = [kept.line for kept in list(bot.store.trail.lines())[known:]]
            answers[via] = refused(answer)
            asks = isinstance(answer, AskReply)  # it is shown first; what follows its yes is another act
            assert asks or [(line.by, line.via) for line in lines] == [(person, via)], (person, via, answer)
            assert asks or lines[0].deed == deed
            assert [line.outcome == "refused" for line in lines] in ([], [not able]) or able, (person, lines)
            assert bool(answers[via]) == (not able), (person, via, answer)
        assert len(set(answers.values())) == 1, answers
        if not able:
            told = next(iter(answers.values()))
            named = [slack for slack, has in ROLES.items() if has and needed and RANK[has] >= RANK[needed]]
            assert all(f"⟦{slack}⟧" in told for slack in named), told
            assert f"⟦{person}⟧" not in told


def test_every_deed_is_tried_here_or_in_a_test_of_its_own() -> None:
    several = {Deed.resolve_several, Deed.change_late, Deed.hand_over}  # tests/core/test_access.py
    orders = {Deed.pause, Deed.pace}  # tests/shell/test_whose.py
    others = {Deed.approve, Deed.reveal, Deed.reveal_hidden}  # test_approvals.py, test_sensitive.py
    others |= {Deed.cancel}  # test_steering.py
    shifts = {Deed.stand_in, Deed.hand_on}  # test_standing_in.py, test_handoffs.py
    backfills = {Deed.backfill, Deed.stop}  # test_backfilling.py
    assert {act.deed for act in ACTS} == set(Deed) - several - orders - others - shifts - backfills
