"""The library's page equals the policies, and they use every window and feature of the YAML somewhere."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from bot.cli.graph_page import svg
from bot.cli.mutation import mutation
from bot.core.around import size
from bot.core.layout import laid_out
from bot.workbench.trial import prepared, tried
from sensors.catalog import load
from sensors.graph import graph
from sensors.model.catalog import Catalog
from sensors.model.clock import say_duration
from sensors.model.policy import Cron, Incremental, Now, Policy, Trailing, WhenLate
from sensors.warehouse.duck_memory import Memory

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "library.md").read_text()
FEWEST = 25


@pytest.fixture(scope="module", name="catalog")
def _catalog() -> Catalog:
    return load(ROOT)


def window(policy: Policy) -> str:
    """How the page says what one look covers, and what makes an alert of it."""
    match policy.window:
        case Incremental():
            count, within, distinct = (getattr(policy.threshold, n) for n in ("count", "within", "distinct"))
            what = f"{count} different `{distinct}`" if distinct else str(count)
            return "events, each" if count == 1 else f"events, {what} in {say_duration(within)}"
        case Trailing(span=span, baseline=baseline):
            return f"last {say_duration(span)}" + (f" against {say_duration(baseline)}" if baseline else "")
    return "state"


def severity(policy: Policy) -> str:
    bounds = policy.severity.bounds
    words = [s.name + (f" {n:g}" if n or len(bounds) > 1 else "") for s, n in bounds]
    return ", ".join(words) + (f" of `{policy.severity.by}`" if policy.severity.by else "")


def test_the_page_tells_of_every_policy_what_its_files_say(catalog: Catalog) -> None:
    told = {}
    for domain, body in re.findall(r"^## (\w+)\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL):
        for name, mark, *cells in re.findall(
            r"^\| `(\w+\.\w+)`( \(shadow\))? \|" + r" ([^|]+) \|" * 5, body, re.MULTILINE
        ):
            title, shape, *rest = cells
            assert name.startswith(f"{domain}.")
            assert shape.strip()
            told[name] = (title, bool(mark), *rest)
    are = {
        p.name: (p.title, p.status.value == "shadow", window(p), severity(p), p.false_positives)
        for p in catalog.policies.values()
    }
    assert told == are
    assert len(are) >= FEWEST


def test_every_case_of_the_library_passes(catalog: Catalog) -> None:
    with closing(Memory()) as memory:
        for policy in catalog.policies.values():
            outcomes = [
                tried(policy, one, catalog.assets, memory, catalog.teams.get(policy.owner))
                for one in prepared(policy, catalog)
            ]
            assert [f"{policy.name}: {o.case.name}" for o in outcomes if not o.passed] == []
            assert {bool(o.case.expect) for o in outcomes} == {True, False}, policy.name


@pytest.mark.slow
def test_what_mutation_says_is_what_the_page_says(
    catalog: Catalog, capsys: pytest.CaptureFixture[str]
) -> None:
    assert mutation(catalog, sorted(catalog.policies), None, as_json=True) == 0
    scores = json.loads(capsys.readouterr().out)
    made, noticed = sum(s["changes"] for s in scores), sum(s["noticed"] for s in scores)
    said = PAGE.partition("## What mutation says")[2]
    for number in (
        f"changed the library {made} times",
        f"noticed {noticed} of",
        f"{made - noticed} survived",
    ):
        assert number in " ".join(said.split())
    told: Counter[str] = Counter()
    for cell in re.findall(r"^\| (`[^|]+) \|", said, re.MULTILINE):
        for name, times in re.findall(r"`(\w+\.\w+)`(?: \((\d)\))?", cell):
            told[name] += int(times or 1)
    assert told == Counter({s["policy"]: len(s["survivors"]) for s in scores if s["survivors"]})


FEATURES: dict[str, Callable[[Policy], bool]] = {
    "events, each": lambda p: isinstance(p.window, Incremental) and p.threshold.count == 1,
    "events, counted": lambda p: isinstance(p.window, Incremental) and p.threshold.count > 1,
    "events, different values": lambda p: isinstance(p.window, Incremental) and bool(p.threshold.distinct),
    "events, with delay": lambda p: isinstance(p.window, Incremental) and bool(p.window.delay),
    "trailing": lambda p: isinstance(p.window, Trailing) and not p.window.baseline,
    "trailing, against a baseline": lambda p: isinstance(p.window, Trailing) and bool(p.window.baseline),
    "trailing, different values": lambda p: isinstance(p.window, Trailing) and bool(p.threshold.distinct),
    "state": lambda p: isinstance(p.window, Now) and p.threshold.count == 1,
    "state, counted": lambda p: isinstance(p.window, Now) and p.threshold.count > 1,
    "cron": lambda p: isinstance(p.schedule, Cron),
    "params": lambda p: bool(p.query.params),
    "severity by a column": lambda p: bool(p.severity.by),
    "severity by count": lambda p: len(p.severity.bounds) > 1 and not p.severity.by,
    "the whole platform": lambda p: p.key == (),
    "a key of two columns": lambda p: len(p.key) == 2,
    "masked": lambda p: "mask" in p.alert.columns.values(),
    "hidden": lambda p: "hide" in p.alert.columns.values(),
    "offers": lambda p: bool(p.offer),
    "starts a job": lambda p: bool(p.on_open),
    "clears": lambda p: p.clear == "always",
    "clears what nobody has taken": lambda p: p.clear == "if_unacked",
    "catches up run by run": lambda p: p.catchup == "each",
    "waits": lambda p: WhenLate.wait in p.needs.values(),
    "skips": lambda p: WhenLate.skip in p.needs.values(),
    "a flood sooner": lambda p: p.max_alerts < 25,
    "repeats sooner": lambda p: p.repeat_interval.total_seconds() < 3600,
    "shadow": lambda p: p.status.value == "shadow",
}


@pytest.mark.parametrize("feature", FEATURES)
def test_the_library_shows(feature: str, catalog: Catalog) -> None:
    assert any(FEATURES[feature](policy) for policy in catalog.policies.values())


def test_what_concerns_people_in_danger_is_masked_and_goes_to_those_who_may_act(catalog: Catalog) -> None:
    for name in ("self_harm", "minor_contact", "doxxing"):
        policy = catalog.policies[f"chat.{name}"]
        assert policy.alert.columns["body"] in ("mask", "hide")
        assert "{{ body" not in policy.alert.title
    for name in ("self_harm", "minor_contact"):
        policy = catalog.policies[f"chat.{name}"]
        assert policy.owner == "care"
        assert (policy.offer, policy.on_open) == ((), ()), "nothing is done to anybody by a button"
        assert "Only the care team acts" in catalog.violations[str(policy.violation)].may_do


def test_the_guides_picture_of_the_graph_is_what_is_drawn(catalog: Catalog) -> None:
    """Else: `patrol graph -o docs/pictures/graph.svg`, and graph.png as tests/README.md says."""
    whole = graph(catalog)
    drawn = svg(whole, laid_out(whole), size(whole))
    assert drawn == (ROOT / "docs/pictures/graph.svg").read_text()
