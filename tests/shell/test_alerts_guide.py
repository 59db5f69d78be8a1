"""The agent's guide tells of what is there: the states that the steps lead to, the verbs that are parsed."""

from __future__ import annotations

import re
from pathlib import Path

from bot.core.alert import Work
from bot.core.verdict import CAUSES, VERDICTS
from tests.core.states import START, picture, seen, verbs, written

GUIDE = (Path(__file__).parents[2] / "docs" / "alerts.md").read_text()


def test_its_picture_and_its_verbs_are_those_of_the_code() -> None:
    assert picture() in GUIDE
    assert verbs() in GUIDE
    assert written(GUIDE) == GUIDE, "python -m tests.core.states writes them"


def test_every_state_is_reached_and_left() -> None:
    words = {*(work.value.upper() for work in Work), "SNOOZED"}
    assert {after for _, after in seen()} == words
    assert {before for before, _ in seen()} == {*words, START}


def test_its_words_for_what_it_was_are_taken() -> None:
    told = re.search(r"\*\*Resolve says what it was\*\*: (.*?)\. That", GUIDE, re.DOTALL)
    assert told
    words = set(re.findall(r"`(\w+)`", told[1]))
    assert words <= {*VERDICTS, *CAUSES}
    assert {VERDICTS[word] for word in words & VERDICTS.keys()} == set(VERDICTS.values())
    assert {CAUSES[word] for word in words & CAUSES.keys()} == set(CAUSES.values())
