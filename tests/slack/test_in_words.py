"""No state is told by a colour or a sign alone: without them, whatever differs still reads differently."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import replace
from datetime import timedelta
from itertools import combinations
from pathlib import Path

import pytest

from bot.core.alert import Alert, Condition, Disposition, Lane, Snooze, Work
from bot.core.digest import Digest, Span
from bot.core.reply import DigestReply, EntityReply, ListReply, Person, PolicyLine, ShowReply, StatusReply
from bot.core.trend import Day, Trend, in_words
from bot.sandbox.blockkit import check_view
from bot.slack.answers import render
from bot.slack.digest import digest
from bot.slack.face import card, card_plain
from bot.slack.home import home
from bot.slack.lines import alert_line
from bot.slack.modals import Errand, more
from bot.slack.policies import policy_line, policy_lines
from sensors.model.policy import Severity
from sensors.model.run import RunStatus

from .conftest import NOW, a_context, an_alert
from .hostile import mrkdwn_of, plain_of

ROOT = Path(__file__).parents[2]
LATER = NOW + timedelta(hours=1)
QUIET = Snooze(LATER, "U0BO", "", NOW, Severity.high)
STATES: dict[str, Alert] = {
    "open": an_alert(),
    "acknowledged": an_alert(work=Work.acknowledged, owner="U0BO"),
    "snoozed": an_alert(snooze=QUIET),
    "resolved": an_alert(
        work=Work.resolved, resolved_by="U0BO", resolved_at=LATER, disposition=Disposition.benign
    ),
    "cleared": an_alert(condition=Condition.cleared),
    "data late": an_alert(condition=Condition.unknown),
    "reopened": an_alert(reopened=1),
    "shadow": an_alert(lane=Lane.shadow),
    "historical": an_alert(lane=Lane.historical),
}


def is_sign(character: str) -> bool:
    """Anything that is seen rather than read: dots, arrows, faces, bars."""
    return unicodedata.category(character) in ("So", "Cn") or character in "\ufe0f\u20e3"


def read(text: str) -> str:
    """What is left of it for a reader who sees neither colours nor signs; a name of a sign says nothing."""
    return re.sub(r":[a-z_]+:", "", "".join(c for c in text if not is_sign(c)))


def words(blocks: list[dict[str, object]]) -> str:
    return read("\n".join([*plain_of(blocks), *mrkdwn_of(blocks)]))


def differ(shown: dict[str, str]) -> None:
    for one, other in combinations(shown, 2):
        assert shown[one] != shown[other], f"{one} and {other} read the same: {shown[one]}"


@pytest.mark.parametrize("draw", [card, card_plain])
def test_a_card_says_its_state_and_how_bad_it_is(draw: object) -> None:
    for name, alert in STATES.items():
        assert name in words(draw(alert, a_context()).blocks).lower()  # type: ignore[operator]  # two functions
    for severity in Severity:
        assert severity.name in words(draw(an_alert(severity=severity), a_context()).blocks).lower()  # type: ignore[operator]


def test_a_line_of_a_list_does_so_too() -> None:
    lines = {name: read(alert_line(alert)) for name, alert in STATES.items()}
    differ(lines)
    for severity in Severity:
        assert severity.name in read(alert_line(an_alert(severity=severity)))
    listed = {name: words(render(ListReply((alert,))).blocks) for name, alert in STATES.items()}
    differ(listed)


def test_a_policys_line_says_how_it_is_with_it() -> None:
    well = PolicyLine("payments.x", "", "payments", "live", NOW, RunStatus.succeeded)
    ways = {
        "well": well,
        "failing": replace(well, last_error="no such table"),
        "skipped": replace(well, last_status=RunStatus.skipped),
        "not run yet": replace(well, last_run=None),
        "is paused": replace(well, order="is paused"),
    }
    lines = {name: read(policy_line(line)) for name, line in ways.items()}
    differ(lines)
    for name, line in lines.items():
        assert name in line
    crowd = [replace(well, name=f"payments.a{n}", open_alerts=9, last_error="x") for n in range(25)]
    for name, line in ways.items():  # also where many stand on one line, or are but counted
        last = replace(line, name="z.last", last_error="", owner="zoo")
        own = "\n".join(read(said) for said in policy_lines([*crowd, last]))
        of_all = words(render(StatusReply((*crowd, last), ())).blocks)
        word = {"failing": "well", "is paused": "paused"}.get(name, name)  # without its error it is well
        assert f"{word} in z: `last`" in own
        assert (f"{word}: zoo 1" in of_all) == (word in ("well", "not run yet")), "nobody need see to these"


def test_pictures_have_what_they_show_in_words() -> None:
    week = Trend(NOW.date(), (Day(1, 2), Day(0, 0, 1, 1)))
    found = Digest("payments", Span(NOW, LATER), week=week)
    with_picture = digest(DigestReply(found), file_id="F0PICTURE1")
    shown = more(
        ShowReply(an_alert(), a_context(), (), trend=week), Errand(3, 0), "U0ANA", picture="F0PICTURE1"
    )
    assert check_view(shown, "modal") == []
    for blocks in (with_picture.blocks, shown["blocks"]):
        (picture,) = [block for block in blocks if block["type"] == "image"]
        assert picture["alt_text"].startswith(in_words(week))
    assert in_words(week) in words(digest(DigestReply(found)).blocks)
    different = [
        Trend(NOW.date(), days) for days in ((Day(1),), (Day(0, 1),), (Day(0, 0, 1),), (Day(0, 0, 0, 1),))
    ]
    assert len({in_words(one) for one in different}) == 4


def test_a_digest_and_home_say_what_is_late_snoozed_and_taken() -> None:
    day = Span(NOW, LATER)
    ways = {name: Digest("payments", day, open=(alert,)) for name, alert in STATES.items() if alert.is_open}
    ways["snoozed"] = replace(ways["snoozed"], snoozes=(STATES["snoozed"],))
    differ({name: words(digest(DigestReply(one)).blocks) for name, one in ways.items()})
    homes = {n: StatusReply((), (a,), teams=("payments",)) for n, a in STATES.items() if a.is_open}
    differ({name: words(home(reply, Person("U0ANA"))["blocks"]) for name, reply in homes.items()})
    stories = {name: EntityReply("seller:s_1", None, (alert,)) for name, alert in STATES.items()}
    differ({name: words(render(one).blocks) for name, one in stories.items()})


def test_every_button_has_words() -> None:
    for alert in STATES.values():
        view = more(ShowReply(alert, a_context(), ()), Errand(3, 0), "U0ANA")
        for blocks in (card(alert, a_context()).blocks, view["blocks"]):
            for block in blocks:
                for element in block.get("elements", ()) if block["type"] == "actions" else ():
                    text = element.get("text") or element["placeholder"]
                    assert re.search(r"[A-Za-z]{3}", read(text["text"]))
