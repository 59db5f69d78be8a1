"""The Home tab: what is on it and in which order, and what is done from it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings

from bot.core.action import Acknowledge
from bot.core.alert import Condition, Snooze, Work
from bot.core.approval import Approval
from bot.core.reply import OnCall, Person, PolicyLine, StatusReply
from bot.process.errors import SlackRefused
from bot.sandbox.blockkit import check_view
from bot.slack.answers import plainly
from bot.slack.client import SlackClient
from bot.slack.home import BUTTONS, home
from bot.slack.homes import LOOKED_AFTER_S, NOTICE_S, Homes
from sensors.model.policy import Severity
from sensors.model.run import RunStatus

from .anything import PERSON, STATUS
from .conftest import NOW, Bot, an_alert, eventually
from .hostile import mrkdwn_of

ANA = Person("U0ANA")
SOON = NOW + timedelta(hours=2)


def titles(reply: StatusReply, person: Person = ANA) -> list[str]:
    view = home(reply, person)
    assert check_view(view, "home") == []
    heads = [b["text"]["text"] for b in view["blocks"] if b["type"] == "header"]
    texts = [b["text"]["text"] for b in view["blocks"] if b["type"] == "section"]
    return [*heads, *(t.split("*")[1] for t in texts if t.startswith("*"))]


def said(reply: StatusReply, person: Person = ANA) -> str:
    return "\n".join(mrkdwn_of(home(reply, person)["blocks"]))


def test_everything_has_its_place_the_own_first() -> None:
    quiet = Snooze(SOON, "U0BO", "", NOW, Severity.high)
    asked = Approval(
        id=12,
        job="hold_payouts",
        title="Hold payouts",
        params={},
        binding="ab",
        by="U0BO",
        asked_at=NOW,
        expires_at=SOON,
        alert=3,
    )
    reply = StatusReply(
        (),
        (
            an_alert(id=1),
            an_alert(id=2, work=Work.acknowledged, owner="U0ANA"),
            an_alert(id=3, condition=Condition.unknown),
            an_alert(id=4, snooze=quiet),
            an_alert(id=5, terms=replace(an_alert().terms, team="chat")),
        ),
        (OnCall("chat", ("U0BO",)), OnCall("payments", ("U0BO",), "turn", SOON, ("U0ANA",))),
        problems=("payments.x is broken",),
        told={1: ("U0ANA",)},
        teams=("payments",),
        approvals=(asked,),
        able={12: ("U0ANA", "U0CY")},
    )
    assert titles(reply) == [
        "Told to you",
        "Mine",
        "Open in payments",
        "Elsewhere, with nobody on them",
        "You may agree to",
        "⚠️ Needs a look",
        "APR-12",
        "💤 Snoozes that end",
        "⏳ Not known: data late",
        "On call",
    ]
    text = said(reply)
    on_call = text[text.index("*On call*") :].splitlines()
    assert on_call[1].startswith("payments: <@U0BO> until <!date^")  # now, until when, and who is next
    assert on_call[1].endswith("then <@U0ANA>")
    assert f"snoozed until <!date^{int(SOON.timestamp())}^" in text[text.index("Snoozes that end") :]
    for name in ("ALR-1", "ALR-2", "ALR-5"):
        assert text.count(f"*{name}*") == 1


def test_of_many_the_worst_have_a_button_and_the_rest_is_counted() -> None:
    many = tuple(an_alert(id=n) for n in range(1, 60))
    reply = StatusReply((), many, told={a.id: ("U0ANA",) for a in many}, teams=("payments",))
    view = home(reply, ANA)
    buttons = [b["accessory"] for b in view["blocks"] if "accessory" in b]
    assert [b["accessibility_label"] for b in buttons] == [
        f"Acknowledge ALR-{n}" for n in range(1, BUTTONS + 1)
    ]
    assert f"and {len(many) - BUTTONS - 12} more" in said(reply)


def test_of_policies_it_names_those_that_somebody_may_have_to_see_to() -> None:
    well = PolicyLine("payments.well", "", "payments", "live", NOW, RunStatus.succeeded)
    lines = (
        replace(well, name="payments.a", order="is paused"),
        replace(well, name="payments.b", last_error="no such table"),
        replace(well, name="payments.c", last_status=RunStatus.skipped),
    )
    text = said(StatusReply((*lines, well, replace(well, name="payments.fine")), ()))
    told = text[text.index("*Policies*") :].splitlines()
    assert told[1:3] == ["🔴 failing `payments.b`", "no such table"]
    assert "payments.well" not in text
    assert told[-1] == "🟢 well: 2 policies"
    later = replace(well, last_run=SOON, next_due=SOON)
    assert home(StatusReply((well,), ()), ANA) == home(StatusReply((later,), ()), ANA)  # a run is no news


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(STATUS, PERSON)
def test_any_status_is_a_home_that_slack_takes_with_what_was_done_on_top(
    status: StatusReply, person: Person
) -> None:
    view = home(status, person, notice="ALR-3 is yours.")
    assert check_view(view, "home") == []
    assert len(view["blocks"]) <= 100
    assert view["blocks"][0]["text"]["text"] == "ALR-3 is yours."


# -- what is done from it ------------------------------------------------------------------------------------


def shown(bot: Bot) -> str:
    return str(bot.sandbox.state("ana")["homes"].get("U0ANA", {}).get("blocks"))


@pytest.fixture
def at_home(bot: Bot) -> Bot:
    """ana is told of the alert, and has opened her Home."""
    bot.desk.told = ("U0ANA",)
    bot.sandbox.open_home("ana")
    eventually(lambda: "Acknowledge" in shown(bot))
    return bot


def test_what_was_told_is_acknowledged_from_home_which_says_so(at_home: Bot) -> None:
    view = at_home.sandbox.state("ana")["homes"]["U0ANA"]
    at_home.sandbox.click_view("ana", view["id"], "alert.ack@3")
    eventually(lambda: "You have ALR-3." in shown(at_home))
    assert at_home.acts == [Acknowledge("U0ANA")]
    assert at_home.desk.people[-1] == Person("U0ANA", None, "home")
    assert "undo: `/patrol unack 3`" in shown(at_home)
    assert "alert.more@3" in shown(at_home)  # it is hers now
    assert "alert.ack@3" not in shown(at_home)


def test_more_is_a_modal_of_its_own(at_home: Bot) -> None:
    at_home.desk.alert = replace(at_home.desk.alert, work=Work.acknowledged, owner="U0ANA")
    at_home.sandbox.open_home("ana")
    eventually(lambda: "alert.more@3" in shown(at_home))
    view = at_home.sandbox.state("ana")["homes"]["U0ANA"]
    seen = at_home.sandbox.click_view("ana", view["id"], "alert.more@3", wait_ms=1500)
    assert seen["views"][-1]["title"]["text"] == "ALR-3"


# -- looking after them --------------------------------------------------------------------------------------


@dataclass
class Hands:
    """A clock moved by hand, and what is there to see."""

    at: float = 0.0
    reply: StatusReply = field(default_factory=lambda: StatusReply((), ()))

    def clock(self) -> float:
        return self.at

    def status(self, _person: Person) -> StatusReply:
        return self.reply


@pytest.fixture
def hands() -> Hands:
    return Hands()


@pytest.fixture
def homes(hands: Hands, client: SlackClient) -> Homes:
    return Homes(hands.status, client, hands.clock)


def test_a_tab_is_drawn_anew_when_something_on_it_has_changed_and_only_then(
    hands: Hands, homes: Homes
) -> None:
    assert homes.once() == 0
    homes.opened("U0ANA")
    homes.opened("U0BO")
    assert homes.once() == 0
    hands.reply = StatusReply((), (an_alert(),))
    assert homes.once() == 2
    assert homes.once() == 0


def test_it_is_not_looked_after_for_ever(hands: Hands, homes: Homes) -> None:
    homes.opened("U0ANA")
    hands.at = LOOKED_AFTER_S + 1
    hands.reply = StatusReply((), (an_alert(),))
    assert homes.once() == 0


def test_what_was_done_is_said_for_a_while(hands: Hands, homes: Homes) -> None:
    homes.acted("U0ANA", plainly("You have ALR-3.", "undo: `unack 3`"))
    assert homes.once() == 0
    hands.at = NOTICE_S
    assert homes.once() == 1
    assert homes.once() == 0


def test_one_person_whom_slack_does_not_know_is_no_trouble_to_others(hands: Hands, homes: Homes) -> None:
    with pytest.raises(SlackRefused):
        homes.opened("U0NOBODY")
    homes.opened("U0ANA")
    hands.reply = StatusReply((), (an_alert(),))
    assert homes.once() == 1
