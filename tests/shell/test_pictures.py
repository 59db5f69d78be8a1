"""Pictures of trends: drawn apart, uploaded once, shown when Slack has looked at them; and life without."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from io import BytesIO
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.action import Acknowledge
from bot.core.trend import Day, Trend
from bot.deliver.drawing import WIDE, draw, packed, unpacked
from bot.deliver.pictures import Drawings, drawn
from bot.desk.digests import Digests
from bot.sandbox import Sandbox
from bot.slack.client import SlackClient
from bot.slack.digest import WEEK
from tests.shell.delivering import listening, opened, shown, wait_for
from tests.shell.making import HOUR, Node, World

PIL = pytest.importorskip("PIL.Image", reason="the extra `pictures` is not installed")
FIRST = date(2026, 11, 1)
SOME = Trend(FIRST, (Day(2, 1), Day(), Day(1, 0, 0, 3)))
OTHER = Trend(FIRST, (Day(1),) * 30)
NUMBER = st.integers(0, 10**9)
TRENDS = st.builds(
    Trend,
    first=st.dates(date(2000, 1, 1), date(2100, 1, 1)),
    days=st.lists(st.builds(Day, *[st.one_of(st.just(0), NUMBER)] * 4), min_size=1, max_size=31).map(tuple),
)


# -- drawing -------------------------------------------------------------------------------------------------


@settings(max_examples=25, deadline=None)
@given(TRENDS)
def test_whatever_the_numbers_it_is_a_small_picture_of_a_phones_width(trend: Trend) -> None:
    content = draw(trend)
    with PIL.open(BytesIO(content)) as picture:
        assert (picture.format, picture.width) == ("PNG", WIDE)
        assert 380 <= picture.height <= 420
    assert len(content) < 16_000
    assert unpacked(packed(trend)).days == trend.days


def dark(content: bytes, days: int, n: int) -> int:
    """How much of the n-th day's column is not white."""
    with PIL.open(BytesIO(content)) as picture:
        grey, width = picture.convert("L"), 728 / days
        column = grey.crop(
            (round(16 + n * width + width / 3), 60, round(16 + (n + 1) * width - width / 3), 274)
        )
        return sum(column.histogram()[:230])


def test_more_alerts_are_a_taller_bar_and_each_verdict_has_a_pattern_of_its_own() -> None:
    heights = [dark(draw(Trend(FIRST, (Day(2), Day(4), Day(8), Day(), Day()))), 5, n) for n in range(4)]
    assert heights[3] == 0
    assert 0 < heights[0] < heights[1] < heights[2]
    kinds = (Day(8), Day(0, 8), Day(0, 0, 8), Day(0, 0, 0, 8))
    with PIL.open(BytesIO(draw(Trend(FIRST, (*kinds, Day()))))) as picture:
        grey = picture.convert("L")
        looks = [[grey.getpixel((90 + 145 * n, y)) for y in range(120, 260)] for n in range(4)]
    steps = [sum(abs(a - b) > 40 for a, b in pairwise(look)) for look in looks]
    assert steps[1] > 20  # stripes
    assert [steps[0], steps[2], steps[3]] == [0, 0, 0]
    assert (
        len({look[0] for look in (looks[0], looks[2], looks[3])}) == 3
    )  # dark, grey, hollow: without colour


def test_it_is_drawn_by_a_process_whose_memory_ends_with_it() -> None:
    script = (
        "import sys; from datetime import date; from bot.core.trend import *;"
        "from bot.deliver.pictures import drawn;"
        "drawn(Trend(date(2026, 11, 1), (Day(1),))); print([m for m in sys.modules if m.startswith('PIL')])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    assert drawn(SOME) == draw(SOME)


# -- at Slack ------------------------------------------------------------------------------------------------


@pytest.fixture
def drawings(slack: Sandbox) -> Iterator[Drawings]:
    """Drawn here, since starting a process for each is slow."""
    made = Drawings(SlackClient(slack.bot_token, slack.api, timeout_s=2), draw)
    yield made
    made.close()


def calls(slack: Sandbox, method: str) -> list[dict[str, Any]]:
    return [entry for entry in slack.journal() if entry.get("method") == method]


def test_one_picture_is_uploaded_once_with_what_it_shows_in_words(slack: Sandbox, drawings: Drawings) -> None:
    file_id = drawings.within(SOME, 20)
    again = Trend(FIRST, SOME.days, open=3)  # shows the same
    assert file_id
    assert drawings.within(again, 20) == drawings.known(SOME) == file_id
    (uploaded,) = calls(slack, "files.getUploadURLExternal")
    assert uploaded["args"]["alt_txt"].startswith("7 alerts in 3 days from 1 November")
    assert drawings.within(OTHER, 20) not in ("", file_id)
    assert slack.workspace.contents[file_id] == draw(SOME)
    drawings.refused(file_id)
    assert drawings.known(SOME) == ""
    assert drawings.within(SOME, 20) not in ("", file_id)


def test_nobody_waits_longer_than_he_said_and_the_picture_is_there_the_next_time(
    slack: Sandbox, drawings: Drawings
) -> None:
    slack.faults({"method": "files.info", "fault": "slow", "seconds": 1, "times": 1})
    assert drawings.within(SOME, 0.2) == ""
    wait_for(lambda: drawings.known(SOME))


@pytest.mark.parametrize(
    "method", ["files.getUploadURLExternal", "files.completeUploadExternal", "files.info"]
)
@pytest.mark.parametrize(
    "fault", ["error:missing_scope", "429", "503", "drop", "error:file_uploads_disabled"]
)
def test_where_slack_does_not_take_it_there_is_none_and_slack_is_left_alone_for_a_while(
    slack: Sandbox, drawings: Drawings, method: str, fault: str
) -> None:
    slack.faults({"method": method, "fault": fault, "retry_after": 30})
    assert drawings.within(SOME, 20) == ""
    before = len(slack.journal())
    assert [drawings.within(OTHER, 20) for _ in range(3)] == [""] * 3
    assert len(slack.journal()) == before


def test_what_cannot_be_drawn_holds_nothing_up(slack: Sandbox) -> None:
    def broken(_trend: Trend) -> bytes:
        raise OSError("no such program")

    made = Drawings(SlackClient(slack.bot_token, slack.api), broken)
    told: list[str] = []
    made.ask(SOME, told.append)
    assert made.within(SOME, 20) == ""
    assert told == []
    made.close()
    made.ask(SOME, told.append)  # after its end, too


def test_of_a_long_line_the_rest_goes_without(slack: Sandbox) -> None:
    with ThreadPoolExecutor(1) as gate:
        waiting = gate.submit(lambda: None)
        made = Drawings(
            SlackClient(slack.bot_token, slack.api), lambda trend: waiting.result(5) or draw(trend)
        )
        told: list[str] = []
        for _ in range(60):
            made.ask(SOME, told.append)
        wait_for(lambda: len(told) >= 20)
        assert len(told) <= 20 + 1
        made.close()


# -- where people see them -----------------------------------------------------------------------------------


@pytest.fixture
def bot(town: World) -> Node:
    return town.node()


@pytest.fixture
def heard(bot: Node, slack: Sandbox, drawings: Drawings) -> Iterator[Node]:
    with listening(bot, slack, pictures=drawings):
        yield bot


def pictures_in(blocks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [block for block in blocks if block["type"] == "image"]


def a_card(town: World, bot: Node, slack: Sandbox) -> str:
    (alert,) = opened(town, bot)
    bot.engine.act(alert, Acknowledge("U0ANA"), by="U0ANA")
    bot.deliver(4)
    return str(slack.messages("payments")[0]["ts"])


def modal_of(slack: Sandbox, name: str = "ana") -> dict[str, Any]:
    views: list[dict[str, Any]] = slack.state(name)["views"]
    return views[-1] if views else {}


def test_more_opens_at_once_and_gets_its_picture_and_the_next_time_has_it_at_once(
    town: World, heard: Node, slack: Sandbox
) -> None:
    ts = a_card(town, heard, slack)
    slack.faults({"method": "files.info", "fault": "slow", "seconds": 0.7, "times": 1})
    slack.click("ana", "payments", ts, "alert.more")
    wait_for(lambda: modal_of(slack))
    first = modal_of(slack)
    assert "1 alert in 30 days" in str(first["blocks"])
    wait_for(lambda: pictures_in(modal_of(slack)["blocks"]))
    (picture,) = pictures_in(modal_of(slack)["blocks"])
    assert picture["alt_text"].startswith("1 alert in 30 days")
    assert modal_of(slack)["id"] == first["id"]
    seen = slack.click("bo", "payments", ts, "alert.more")
    wait_for(lambda: modal_of(slack, "bo"))
    assert pictures_in(modal_of(slack, "bo")["blocks"]) or seen
    assert len(calls(slack, "files.getUploadURLExternal")) == 1


def test_a_file_that_is_no_more_costs_nobody_his_modal(town: World, heard: Node, slack: Sandbox) -> None:
    ts = a_card(town, heard, slack)
    slack.click("ana", "payments", ts, "alert.more")
    wait_for(lambda: modal_of(slack) and pictures_in(modal_of(slack)["blocks"]))
    (gone,) = slack.workspace.files
    slack.workspace.files[gone]["state"] = "deleted"
    slack.click("bo", "payments", ts, "alert.more")
    wait_for(lambda: modal_of(slack, "bo") and pictures_in(modal_of(slack, "bo")["blocks"]))
    (picture,) = pictures_in(modal_of(slack, "bo")["blocks"])
    assert picture["slack_file"]["id"] != gone


@pytest.mark.parametrize(
    "typed", ["policy payments.elsewhere", "show 1", "show seller:s_1", "digest payments"]
)
def test_an_answer_comes_at_once_and_its_picture_follows_it_for_the_one_who_asked(
    town: World, heard: Node, slack: Sandbox, typed: str
) -> None:
    a_card(town, heard, slack)
    slack.command("ana", "payments", f"/patrol {typed}")

    def told(name: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = slack.state(name)["ephemerals"]
        return found

    wait_for(lambda: any(pictures_in(one.get("blocks") or []) for one in told("ana")))
    slack.command("ana", "payments", f"/patrol {typed}")  # now there is no waiting for the picture
    wait_for(lambda: len(told("ana")) == 4)
    assert [bool(pictures_in(one["blocks"])) for one in told("ana")] == [False, True] * 2
    picture = told("ana")[-1]
    assert pictures_in(picture["blocks"])[0]["alt_text"].startswith("1 alert in")
    assert picture["text"]
    assert told("bo") == []


def digest_with(bot: Node, picture: Callable[[Trend], str]) -> None:
    bot.clock.on(21 * HOUR)
    assert Digests(bot.view, picture).once() == 1
    bot.deliver()


def test_a_digest_shows_its_week(town: World, bot: Node, slack: Sandbox, drawings: Drawings) -> None:
    a_card(town, bot, slack)
    digest_with(bot, lambda trend: drawings.within(trend, 20))
    (picture,) = pictures_in(slack.messages("payments")[-1]["blocks"])
    assert picture["title"]["text"] == WEEK
    assert picture["alt_text"].startswith("1 alert in 7 days")
    assert "▁" not in shown(slack, -1)


def test_a_digest_whose_picture_slack_does_not_take_stands_with_it_in_characters(
    town: World, bot: Node, slack: Sandbox
) -> None:
    a_card(town, bot, slack)
    digest_with(bot, lambda _trend: "F0GONE00000")
    said = shown(slack, -1)
    assert "The day of payments" in said
    assert pictures_in(slack.messages("payments")[-1]["blocks"]) == []
    assert "1 alert in 7 days" in said
    assert "*1 new*" in said


def test_without_a_picture_it_is_as_it_was(town: World, bot: Node, slack: Sandbox) -> None:
    a_card(town, bot, slack)
    digest_with(bot, lambda _trend: "")
    assert "1 alert in 7 days" in shown(slack, -1)
