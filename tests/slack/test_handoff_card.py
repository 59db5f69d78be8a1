"""The card at the end of a shift: within Slack's limits whatever it tells of; its button reaches the desk."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from bot.core.handoff import Burden, Handoff, Item, Pending
from bot.sandbox.blockkit import check_message
from bot.slack.handoff import ACCEPT, handoff
from tests.slack.anything import SLACK, TEXT, WHEN, maybe, some

from .conftest import NOW, Bot
from .hostile import mrkdwn_of

ITEM = st.builds(Item, st.integers(1, 10**7), st.integers(0, 4), TEXT, owner=maybe(SLACK), until=maybe(WHEN))
ITEMS = some(ITEM, 3).map(lambda items: items * 17)
ASKED = st.builds(Pending, st.integers(1, 10**7), TEXT, SLACK, WHEN, maybe(st.integers(1, 10**7)))
PENDING = some(ASKED, 3).map(lambda asked: asked * 9)
HANDOFF = st.builds(
    Handoff,
    id=st.integers(1, 10**9),
    team=TEXT,
    shift=TEXT,
    leaving=some(SLACK),
    taking=some(SLACK),
    at=WHEN,
    burden=st.builds(
        Burden,
        waiting=ITEMS,
        taken=ITEMS,
        snoozed=ITEMS,
        late=ITEMS,
        more=st.integers(0, 10**6),
        approvals=PENDING,
    ),
    accepted_by=maybe(SLACK),
    accepted_at=maybe(WHEN),
)
ONE = Handoff(7, "payments", "until nine", ("U0ANA",), ("U0BO",), NOW)


@given(HANDOFF, st.dictionaries(SLACK, TEXT, max_size=2))
def test_slack_takes_it_and_only_who_takes_over_is_pinged(one: Handoff, names: dict[str, str]) -> None:
    face = handoff(one, names, lambda n: f"https://town.slack.com/archives/C1/p{n}" if n % 2 else "")
    assert check_message(face.blocks) == []
    assert len(face.text) < 3_000
    shown = " ".join(mrkdwn_of(face.blocks))
    for person in ("U0ANA", "U0BO", "U0CY"):
        assert (f"<@{person}>" in shown) == (person in one.taking)


def test_a_team_with_a_mention_for_a_name_pings_nobody() -> None:
    odd = replace(ONE, team="<@U0CY>`<!here>", burden=Burden((), (), (), (), more=1))
    shown = " ".join(mrkdwn_of(handoff(odd, {}, lambda _: "").blocks))
    assert "and 1 more: `/patrol list team:&lt;@U0CY&gt;" in shown
    assert "<@U0CY>" not in shown
    assert "<!here>" not in shown


def test_once_accepted_there_is_nothing_to_click() -> None:
    assert ACCEPT in str(handoff(ONE, {}, lambda _: "").blocks)
    done = replace(ONE, accepted_by="U0BO", accepted_at=NOW + timedelta(minutes=3))
    face = handoff(done, {"U0BO": "bo", "U0ANA": "ana"}, lambda _: "")
    assert ACCEPT not in str(face.blocks)
    assert "accepted by bo" in str(face.blocks)
    assert "ana hands over to <@U0BO>" in face.text


def test_accept_reaches_the_desk_and_its_answer_the_person(bot: Bot) -> None:
    ts = bot.client.post("C0PAYMENTS", handoff(ONE, {}, lambda _: ""), "notice-7")
    seen = bot.sandbox.click("bo", "payments", ts, ACCEPT, wait_ms=1500)
    assert seen["acked"]
    assert ("accept", "U0BO", 7) in bot.desk.handed
    assert "The handoff of payments is yours." in str(seen["ephemerals"])
