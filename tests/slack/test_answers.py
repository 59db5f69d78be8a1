"""Answers to commands: links to cards, lines that stay lines, hints that can be typed, names unchanged."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from bot.core.alert import Snooze, Work
from bot.core.cost import Cost, Spent
from bot.core.oncall import Duty
from bot.core.reply import (
    HelpReply,
    ListReply,
    OnCall,
    OnCallReply,
    Person,
    PolicyLine,
    Reply,
    Said,
    StatusReply,
)
from bot.core.saying import helped, together
from bot.sandbox.blockkit import check_message
from bot.slack.answers import IN_THREADS, render
from bot.slack.costs import dearest
from bot.slack.home import home
from bot.slack.lines import Room
from bot.slack.payloads import typed
from bot.slack.text import wrote
from sensors.model.policy import Severity
from sensors.model.run import RunStatus

from .conftest import NOW, an_alert
from .hostile import mrkdwn_of

TEAM = Room(address=lambda channel, ts: f"https://team.slack.com/archives/{channel}/p{ts.replace('.', '')}")
CARDS = {3: ("C0PAYMENTS", "1790000000.000100")}
LINK = "<https://team.slack.com/archives/C0PAYMENTS/p1790000000000100|ALR-3>"


def words(reply: Reply, room: Room = TEAM) -> str:
    return "\n".join(mrkdwn_of(render(reply, room).blocks))


def test_an_alert_in_a_list_leads_to_its_card() -> None:
    assert LINK in words(ListReply((an_alert(),), cards=CARDS))
    assert LINK in words(StatusReply((), (an_alert(),), cards=CARDS))
    view = home(StatusReply((), (an_alert(),), cards=CARDS), Person("U0BO"), TEAM)
    assert LINK in "\n".join(mrkdwn_of(view["blocks"]))
    assert "*ALR-3*" in words(ListReply((an_alert(),)))


def test_a_snoozed_alert_in_a_list_says_so_whoever_has_it() -> None:
    quiet = Snooze(NOW, "U0BO", "", NOW, Severity.high)
    said = words(ListReply((an_alert(snooze=quiet, work=Work.acknowledged, owner="U0BO"),)))
    assert "snoozed until <!date^" in said
    assert "has it" not in said


def test_lines_stay_lines() -> None:
    assert "ALR-1 is yours.\nALR-2 is yours." in words(Said("ALR-1 is yours.\nALR-2 is yours."))


def test_help_for_a_verb_shows_how_it_is_written_with_examples_on_lines_of_their_own() -> None:
    about = "quiet until then\nfor example `snooze 142 30m`"
    said = words(HelpReply((("snooze", "snooze 142 2h reason…", "quiet until then"),), about))
    assert said == "`/patrol snooze 142 2h reason…`\nquiet until then\nfor example `/patrol snooze 142 30m`"


def test_hints_are_written_as_they_can_be_typed_there() -> None:
    hint = Said("x", "Write it so: `ack [142 143]` · undo: `/patrol unack 3` · Did you mean `payments.x`?")
    assert "`/patrol ack [142 143]` · undo: `/patrol unack 3` · Did you mean `payments.x`?" in words(hint)
    assert "`@patrol ack [142 143]` · undo: `@patrol unack 3`" in words(hint, Room(IN_THREADS))


def test_our_own_names_can_be_copied() -> None:
    assert "(`team:chat`)" in words(ListReply((), "team:chat"))
    broken = an_alert(
        policy="patrol.broken_sensor",
        title="payments.refund_spike does not load: policies/payments/big_order.yml:1:1 no such column a.b",
        key_values={"policy": "payments.refund_spike"},
    )
    said = words(ListReply((broken,)))
    assert "`payments.refund_spike` does not load: `policies/payments/big_order.yml:1:1` no" in said
    assert "a․b" in said


def test_what_was_typed_is_read_as_it_was_meant() -> None:
    raw = "comment 1 AT&amp;T paid &lt;3 … <@U0CY|cy> see <https://jira.example/T-1?a=1&amp;b=2|T-1> <!here>"
    said = "comment 1 AT&T paid <3 … <@U0CY|cy> see https://jira.example/T-1?a=1&b=2 !here"
    assert typed(raw) == said


def test_links_that_people_write_are_links_and_nothing_else_is() -> None:
    said = wrote("see https://jira.example/T-1?a=1&b=2, *not* evil.example <@U0ANA> @here")
    assert said == "see <https://jira.example/T-1?a=1&amp;b=2>, ∗not∗ evil․example &lt;＠U0ANA&gt; ＠here"
    assert wrote("x https://jira.example/T-1/and/on", 20) == "x …"


def test_who_is_on_call_sees_what_was_told_to_him() -> None:
    told = StatusReply((), (an_alert(),), (OnCall("payments", ("U0ANA",)),), told={3: ("U0ANA",)})
    blocks = home(told, Person("U0ANA"))["blocks"]
    assert blocks[0]["text"]["text"] == "Told to you"
    assert "*ALR-3*" in blocks[1]["text"]["text"]
    quiet = home(StatusReply((), (), (OnCall("payments", ("U0ANA",)),)), Person("U0ANA"))["blocks"]
    assert quiet[1]["text"]["text"] == "You are on call for payments. Nothing waits for you."
    assert home(told, Person("U0BO"))["blocks"][0]["text"]["text"] == "Mine"


@pytest.mark.parametrize("many", [25, 39, 400, 1000])
def test_status_of_a_team_shows_every_policy(many: int) -> None:
    lines = tuple(PolicyLine(f"payments.policy_number_{n}", "", "payments", "live") for n in range(many))
    reply = StatusReply(
        (*lines, replace(lines[0], name="z.broken", last_error="no table")), (), of="payments"
    )
    blocks = render(reply, TEAM).blocks
    assert check_message(blocks) == []
    said = "\n".join(mrkdwn_of(blocks))
    assert said.index("z.broken") < said.index("`policy_number_0`")
    assert said.count("`policy_number_") == min(many, 399)
    assert ("and 601 more" in said) == (many == 1000)


def test_on_call_is_now_next_and_a_week_in_the_team_s_own_time() -> None:
    soon = NOW + timedelta(hours=2)
    one = OnCall("payments", ("U0ANA",), "covers", soon, ("U0BO",))
    week = (Duty(("U0ANA",), "covers", NOW, soon), Duty((), "outside hours", soon, NOW + timedelta(days=7)))
    face = render(OnCallReply((one,), week, "America/New_York", {"U0ANA": "ana"}))
    head, table, foot = face.blocks
    assert f"payments: <@U0ANA> (covers) until <!date^{int(soon.timestamp())}^" in head["text"]["text"]
    assert "then <@U0BO>" in head["text"]["text"]
    lines = table["elements"][0]["elements"][0]["text"].splitlines()
    assert lines[0].split() == ["from", "on", "call"]
    local = NOW.astimezone(ZoneInfo("America/New_York"))
    assert f"{local:%a %d %b %H:%M}" in lines[1]
    assert "ana (covers)" in lines[1]
    assert "nobody (outside the hours)" in lines[2]
    assert "America/NewˍYork" in str(foot) or "New_York" in str(foot)


def test_what_undoes_several_acts_is_typed_once() -> None:
    answers = [Said(f"ALR-{n} reopened.", f"undo: `/patrol resolve {n}`") for n in (1, 2, 2, 4)]
    assert together([*answers, Said("x", "`list` shows them"), Said("y")]).hint == (
        "undo: `/patrol resolve 1 2 4` · `list` shows them"
    )


def test_a_policy_at_another_pace_is_not_shown_as_paused() -> None:
    for order, mark in (("is paused", "⏸"), ("runs every 1 h", "⏱"), ("", "⏳ not run yet")):
        line = PolicyLine("payments.x", "X", "payments", "live", order=order)
        assert f"{mark} `payments.x`" in words(StatusReply((line,), ()))


def test_what_costs_next_to_nothing_is_not_named() -> None:
    slow, quick = Cost("payments.slow", 3.0, 2), Cost("payments.quick", 0.04, 1)
    assert dearest(Spent(3.04, (slow, quick))) == ["`payments.slow` 3.0 s in 2 runs · 99% of all"]


def test_of_many_policies_those_that_need_nobody_stand_side_by_side_by_domain() -> None:
    well = [PolicyLine(f"chat.p{n}", "", "chat", "live", NOW, RunStatus.succeeded) for n in range(12)]
    shadow = replace(well[0], name="chat.new", status="shadow")
    earned = replace(shadow, name="chat.earned", worth="has earned live")
    busy = replace(well[0], name="payments.busy", open_alerts=2, status="shadow")
    failing = replace(well[0], name="chat.broken", last_error="there is no table core.x")
    first = PolicyLine("chat.first", "", "chat", "live")
    shown = words(StatusReply((*well, shadow, earned, busy, failing, first), (), of="chat")).splitlines()
    lines = [line for line in shown if "well" in line or "failing" in line or "not run" in line]
    assert [line.split(" · ")[0] for line in lines[:2]] == [
        "🔴 failing `chat.broken`",
        "🟢 well `chat.earned`",
    ]
    assert lines[2:] == [
        "⏳ not run yet in chat: `first`",
        "🟢 well in chat: `new` (shadow)  `p0`  `p1`  `p10`  `p11`  `p2`  `p3`  `p4`",
        "🟢 well in chat: `p5`  `p6`  `p7`  `p8`  `p9`",
        "🟢 well in payments: `busy` (2 open, shadow)",
    ]
    few = words(StatusReply(tuple(well), ()))
    assert few.count("ran <!date^") == 12


def test_of_all_teams_a_line_is_only_for_those_that_somebody_may_have_to_see_to() -> None:
    well = [PolicyLine(f"chat.p{n}", "", "chat", "live", NOW, RunStatus.succeeded) for n in range(30)]
    busy = [replace(well[0], name=f"payments.p{n}", owner="payments", open_alerts=2) for n in range(9)]
    new = PolicyLine("chat.new", "", "chat", "shadow")
    failing = replace(well[0], name="chat.broken", last_error="there is no table core.x")
    shown = words(StatusReply((*well, *busy, new, failing), ()))
    assert shown.count("ran <!date^") == 1
    assert shown[shown.index("🔴") :].splitlines()[2:] == [
        "⏳ not run yet: chat 1 (1 shadow)",
        "🟢 well: chat 30 · payments 9 (18 open)",
        "`/patrol status chat` names those of a team.",
    ]
    many = [replace(well[0], name=f"t{n}.x", owner=f"t{n}", last_error="no table") for n in range(1000)]
    face = render(StatusReply(tuple(many), ()))
    assert check_message(face.blocks) == []
    assert "and 988 more" in str(face.blocks)


def test_help_has_parts_with_titles_and_a_line_for_each_verb() -> None:
    reply = helped("")
    assert isinstance(reply, HelpReply)
    said = words(reply).splitlines()
    titles = [line.strip("*") for line in said if line.startswith("*") and line.endswith("*")]
    assert titles == ["See how it is", "An alert", "Jobs", "When policies and jobs run", "On call"]
    assert said[said.index("*Jobs*") + 1].startswith("`start rescore_seller")
    assert [line for line in said if line.startswith("`")] == [
        f"`{usage}` {what}" for _, usage, what in reply.verbs
    ]
