"""`patrol preview` shows the card that Slack would get: of which rows, where to, and whom it mentions."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import unquote

import pytest
from rich.cells import cell_len
from rich.console import Console

from bot.cli.card import drawn
from bot.cli.picture import browser
from bot.core.context import House
from bot.process.errors import PatrolError
from bot.sandbox.blockkit import check_message
from bot.sandbox.still import modules, still
from bot.workbench.preview import State, example, preview
from sensors.catalog import load
from tests.shell.making import ELSEWHERE, SECOND, World
from tests.shell.typing_in import Patrol
from tests.slack.hostile import mrkdwn_of

ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)
CASE = """
cases:
  - name: somebody asks
    at: 2026-01-05T12:00:00Z
    given: {core.chat: [{message_id: m1, seller_id: s_7, body: pay me, sent_at: 2026-01-05T11:59:00Z}]}
    expect: [{seller_id: s_7}]
"""
NAME = "payments.elsewhere"


def test_every_policy_of_ours_has_a_card_that_slack_takes_in_every_state_and_with_extreme_values() -> None:
    catalog = load(ROOT)
    house = House(catalog, next(iter(catalog.teams)), NOW)
    for policy in catalog.policies.values():
        for extreme in (False, True):
            for state in State:
                made = preview(example(policy, house, extreme=extreme), house, state)
                assert made, policy.name
                assert check_message(made.face.blocks) == [], policy.name
                said = " ".join(mrkdwn_of(made.face.blocks))
                assert not re.search(r"<!(?!date\^)|<#|https?://evil|evil\.example", said), policy.name
                assert set(re.findall(r"<@(\w+)>", said)) <= set(made.context.names), policy.name
                assert made.alert.word == state.value.upper()


def test_the_first_case_that_fires_is_shown_as_narrow_as_a_phone(world: World, patrol: Patrol) -> None:
    world.write("policies/payments/elsewhere.yml", ELSEWHERE + CASE)
    ran = patrol("preview", NAME)
    assert ran.code == 0, ran.said
    for words in (
        'the case "somebody asks"',
        "C0PAYMENTS",
        "bo (U0BO)",
        "s_7 asked 1 times",
        "[ Acknowledge ]",
    ):
        assert words in ran.out
    frame = [line for line in ran.out.splitlines() if line.startswith(("│", "╭", "╰"))]
    assert {cell_len(line) for line in frame} == {48}


def test_json_is_the_message_that_is_posted(world: World, patrol: Patrol) -> None:
    world.write("policies/payments/elsewhere.yml", ELSEWHERE + CASE)
    shown = json.loads(patrol("preview", NAME, "--json").out)
    assert (shown["channel"], shown["lane"], shown["problems"]) == ("C0PAYMENTS", "live", [])
    assert shown["mentions"] == [{"slack": "U0BO", "name": "bo"}]
    assert shown["post"]["channel"] == "C0PAYMENTS"
    blocks = json.loads(patrol("preview", NAME, "--blocks").out)
    assert blocks == {"blocks": shown["post"]["blocks"]}
    address, _, held = shown["builder"].partition("#")
    assert address == "https://app.slack.com/block-kit-builder/"
    assert json.loads(unquote(held)) == blocks


def test_without_a_case_the_warehouse_is_asked_and_then_rows_are_made_up(
    world: World, patrol: Patrol
) -> None:
    made = patrol("preview", NAME, "--json")
    assert "made up by the types of its columns, since no case" in json.loads(made.out)["rows_from"]
    world.table.says("s_3", datetime.now(UTC) - 60 * SECOND)
    real = json.loads(patrol("preview", NAME, "--json").out)
    assert real["rows_from"].startswith("the newest rows of the warehouse, since no case")
    assert "s_3 asked 1 times" in real["post"]["text"]


def test_what_would_not_alert_has_no_card(patrol: Patrol) -> None:
    ran = patrol("preview", NAME, "--from-warehouse")
    assert (ran.code, ran.out) == (1, "")
    assert "0 rows, and nothing would alert. --example shows" in ran.err


def test_a_shadow_policy_mentions_nobody_and_goes_to_the_review_channel(world: World, patrol: Patrol) -> None:
    world.write("policies/payments/elsewhere.yml", ELSEWHERE + "status: shadow\n" + CASE)
    ran = patrol("preview", NAME)
    assert "C0PAYMENTSREVIEW" in ran.out
    assert "nobody: its alerts are shadow" in ran.out


@pytest.mark.parametrize("state", list(State))
def test_a_card_can_be_seen_in_each_state(patrol: Patrol, state: State) -> None:
    ran = patrol("preview", NAME, "--example", "--state", state.value)
    assert ran.code == 0
    assert state.value.upper() in ran.out


def test_an_alert_of_the_store_is_shown_as_delivery_would_draw_it(world: World, patrol: Patrol) -> None:
    world.table.says("s_1", world.clock() - SECOND)
    node = world.node()
    node.next_tick()
    (alert,) = node.alerts(NAME)
    shown = json.loads(patrol("preview", "--alert", f"ALR-{alert.id}", "--json").out)
    assert shown["rows_from"] == "the store, as it now stands"
    assert f"· ALR-{alert.id}" in shown["post"]["blocks"][0]["text"]["text"]
    assert "pay me on cash app" in json.dumps(shown["post"]["blocks"])


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], "Which policy?"),
        (["payments.elswhere"], "did you mean payments.elsewhere?"),
        (["--alert", "999"], "There is no ALR-999 in the store"),
        (["--alert", "x"], "is no alert's number"),
        ([NAME, "--alert", "1"], "name neither a policy"),
        ([NAME, "--example", "--from-warehouse"], "--from-warehouse shows real rows"),
        ([NAME, "--example", "--picture", "card.gif"], "neither .png nor .html"),
        ([NAME, "--example", "--picture", "nowhere/card.html"], "There is no folder"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_is_asked_wrongly_is_told_what_is_right(patrol: Patrol, words: list[str], told: str) -> None:
    ran = patrol("preview", *words)
    assert ran.code == 2
    assert told in ran.err


# ------------------------------------------------------------------------------ pictures


def test_a_page_needs_nothing_but_itself_and_holds_whatever_the_rows_say(
    patrol: Patrol, tmp_path: Path
) -> None:
    file = tmp_path / "card.html"
    assert patrol("preview", NAME, "--extreme", "--picture", str(file)).code == 0
    text = file.read_text()
    assert text.count("<script") == text.count("</script>") == 3
    assert 'src="' not in text
    assert "<link" not in text
    assert "<!channel>" not in text
    hostile = still({"text": "x", "blocks": [], "evil": "</script><script>alert(1)</script>"}, 0, {})
    assert "alert(1)</script>" not in hostile


def test_no_module_of_the_page_asks_for_another_by_its_place() -> None:
    from base64 import b64decode

    for name, address in modules().items():
        text = b64decode(address.partition(",")[2]).decode()
        assert 'from "./' not in text, name
        assert 'from "../' not in text, name


def test_a_png_is_what_a_browser_draws(patrol: Patrol, tmp_path: Path) -> None:
    try:
        browser()
    except PatrolError:
        pytest.skip("no chromium")
    file = tmp_path / "card.png"
    ran = patrol("preview", NAME, "--example", "--picture", str(file))
    assert ran.code == 0, ran.said
    head = file.read_bytes()[:24]
    wide, high = int.from_bytes(head[16:20]), int.from_bytes(head[20:24])
    assert (head[:8], wide) == (b"\x89PNG\r\n\x1a\n", 780)
    assert 800 < high < 3000  # drawn, and no higher than it is


def test_without_a_browser_it_is_said_what_to_install(
    patrol: Patrol, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.cli.picture.BROWSERS", ())
    monkeypatch.delenv("CHROMIUM", raising=False)
    ran = patrol("preview", NAME, "--example", "--picture", "card.png")
    assert (ran.code, "apt install chromium" in ran.err) == (2, True)


# ------------------------------------------------------------------------------ the terminal's drawing


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("*3 rows* of `x_y` &lt;b&gt;", "3 rows of x_y <b>"),
        ("<@U0BO> told at <!date^1767614400^{time}|12:00>", "@bo told at 12:00 UTC"),
        ("<!date^1767614340^{ago}|x>", "1 min ago"),
        ("<!date^1767528000^{date_short_pretty} at {time}|x>", "Jan 4 at 12:00 UTC"),
        ("<https://a.example/?a=1&amp;b=2|Open> snake_case_name 2*3*4", "Open snake_case_name 2*3*4"),
    ],
)
def test_marks_of_slack_are_drawn_as_what_they_mean(text: str, shown: str) -> None:
    console = Console(width=80, record=True, file=None)
    section = {"type": "section", "text": {"type": "mrkdwn", "text": text}}
    with console.capture() as kept:
        console.print(drawn([section], {"U0BO": "bo"}, NOW, 80))
    assert shown in kept.get()
