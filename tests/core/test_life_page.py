"""What docs/life-of-an-alert.md enumerates is what the code has: states, words, verdicts, commands, our own
policies, the ladder where none is written."""

from __future__ import annotations

import importlib
import pkgutil
import re
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

from hypothesis import given

import bot.core
from bot.core.alert import Condition, Disposition, FalseCause, Lane, Work
from bot.core.change import Change
from bot.core.verbs import VERBS
from sensors.model.run import RunStatus
from sensors.model.team import DEFAULT_LADDER
from tests.core.acting import Life, lived, lives

PAGE = (Path(__file__).parents[2] / "docs" / "life-of-an-alert.md").read_text()
BUILT_IN = re.compile(r"patrol\.[a-z_]+")


def told(begins: str) -> str:
    """The one line of the page that begins so."""
    (line,) = [line for line in PAGE.splitlines() if line.startswith(begins)]
    return line


def words_of(begins: str) -> list[str]:
    return re.findall(r"`(\w+)`", told(begins))


def test_the_states_of_a_run_and_of_an_alert() -> None:
    run = re.sub(r"\(.*?\)", "", told("| Run |").split("|")[2])
    assert [state.strip().replace(" ", "_") for state in run.split(",")] == list(RunStatus)
    work, condition, lane = told("| Alert |").split("|")[2].split("·")
    assert [state.strip() for state in work.split(":")[1].split(",")] == ["open", "acknowledged", "resolved"]
    assert [one.strip() for one in condition.replace("(data late)", "").split(":")[1].split(",")] == list(
        Condition
    )
    assert list(Work) == ["open", "acknowledged", "resolved"]
    assert lane.strip() == "lane"
    assert Lane.live.value == "live"


@given(lives)
def test_an_alert_has_one_word_and_badges_of_those_that_the_page_names(life: Life) -> None:
    said = told("Shown as one word plus badges: ").partition(": ")[2].rstrip(".")
    words, badges = (set(part.strip().split(", ")) for part in said.split(";"))
    for state in (life[0], *(o.alert for *_, o in lived(*life) if isinstance(o, Change))):
        assert state.word in words
        assert set(state.badges) <= badges
        assert (state.lane is Lane.live) == badges.isdisjoint({"SHADOW", "HISTORICAL"} & set(state.badges))


def test_what_an_alert_can_turn_out_to_be() -> None:
    named = words_of("Dispositions are ")
    assert [one for one in named if one in set(Disposition)] == list(Disposition)
    assert [one for one in named if one not in set(Disposition)] == list(FalseCause)


def test_its_commands_are_those_that_are_parsed() -> None:
    (listed,) = re.findall(r"^```\n(.*?)\n```$", PAGE, flags=re.MULTILINE | re.DOTALL)
    assert listed.splitlines() == [verb.usage for verb in VERBS]


def test_its_built_in_policies_are_those_of_the_core() -> None:
    modules = [importlib.import_module(f"bot.core.{m.name}") for m in pkgutil.iter_modules(bot.core.__path__)]
    values = (value for module in modules for value in vars(module).values() if isinstance(value, str))
    assert set(BUILT_IN.findall(told("- Built-in policies"))) == {v for v in values if BUILT_IN.fullmatch(v)}


def test_the_ladder_where_none_is_written() -> None:
    minutes = [int(n) for n in re.findall(r"after (\d+)", told("Where none is written it is: "))]
    waits = [step.after for step in DEFAULT_LADDER]
    assert waits[0] == timedelta()
    assert [(b - a) // timedelta(minutes=1) for a, b in pairwise(waits)] == minutes
    assert [step.to for step in DEFAULT_LADDER] == ["oncall", "team", "lead"]
