"""The documentation's tables and maps equal what they tell of; its recipes are followed in tests/demo."""

from __future__ import annotations

import re
from dataclasses import MISSING
from dataclasses import fields as fields_of
from datetime import timedelta
from fnmatch import fnmatch
from pathlib import Path

import pytest

from bench.figures import ROWS
from bot.cli.group import COMMANDS
from bot.core import order, snooze
from bot.core.access import RIGHTS, TO_ORDER, TO_SNOOZE
from bot.core.command import Command, parse
from bot.core.verbs import VERBS
from bot.process.settings import ENVIRONMENT, SECRETS, Settings, load
from sensors.catalog import load as load_catalog
from sensors.model.policy import Incremental, Now, Status, Trailing

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), ROOT / "policies" / "README.md"]
# Folders with code, and what in them needs no line of its own.
MAPPED = (
    "sensors",
    "bot",
    "bot/core",
    "bot/store",
    "bot/bundles",
    "bot/slack",
    "bot/deliver",
    "bot/jobs",
    "bot/new",
    "bot/cli",
    "bot/sandbox",
    "bot/demo",
    "tests",
)


def test_every_command_in_a_page_is_one() -> None:
    told = "\n".join(page.read_text() for page in [*PAGES, ROOT / "CONTRIBUTING.md"])
    assert set(re.findall(r"`/patrol (\w+)", told)) <= {verb.name for verb in VERBS}
    table = re.findall(r"^\| `patrol (\w+)", (ROOT / "README.md").read_text(), re.MULTILINE)
    assert set(table) == set(COMMANDS)


def test_the_commands_of_the_figures_are_targets_and_rows() -> None:
    told = "\n".join((ROOT / page).read_text() for page in ("docs/figures.md", "bench/README.md"))
    targets = re.findall(r"^([a-z]+):.*##", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert set(re.findall(r"\bmake ([a-z]+)", told)) <= set(targets)
    assert set(re.findall(r"\bROW=(\w+)", told)) == set(ROWS)


def test_the_settings_of_the_operators_guide_are_those_there_are(tmp_path: Path) -> None:
    text = (ROOT / "docs" / "operators.md").read_text()
    rows = re.findall(r"^\| `(\w+)` \| (\S+) \| (\S+) \|", text, re.MULTILINE)
    told = {name: (key.strip("`"), default.strip("`")) for name, key, default in rows}
    settings = load(tmp_path, {})
    there = {}
    for variable, name in ENVIRONMENT.items():
        value = getattr(settings, name)
        shown = "–" if value is None else str(value).replace(f"{tmp_path.resolve()}/", "")
        there[variable] = ("–" if name in SECRETS else name, shown)
    assert told == there
    assert {f.name for f in fields_of(Settings) if f.default is MISSING} == {"project", *ENVIRONMENT.values()}


def test_the_policies_in_their_readme_are_those_there_are() -> None:
    text = (ROOT / "policies" / "README.md").read_text()
    told = dict(re.findall(r"^\| `(\w+\.\w+)` \| ([^|]+) \|", text, re.MULTILINE))
    catalog = load_catalog(ROOT)
    assert set(told) == set(catalog.policies)
    words = {Incremental: "incremental", Trailing: "trailing", Now: "none (state)"}
    for name, policy in catalog.policies.items():
        assert told[name].startswith(words[type(policy.window)]), name
        assert ("in shadow" in told[name]) == (policy.status is Status.shadow), name
    counted = {39: "thirty-nine"}[len(catalog.policies)]
    assert f"{counted} policies" in (ROOT / "README.md").read_text()


def test_the_limits_of_the_responders_guide_are_those_there_are() -> None:
    text = (ROOT / "docs" / "alerts.md").read_text()
    told = re.findall(
        r"^\| ([\w ]+) \| (\d+ [hd])(?:;[^|]*)? \| an? (\w+) \| `/patrol ([^`]+)`", text, re.MULTILINE
    )
    assert [(most, who) for _, most, who, _ in told] == [
        *((_long(snooze.LONGEST[scope]), RIGHTS[TO_SNOOZE[scope]].role) for scope in snooze.Scope),
        *((_long(order.LONGEST[kind]), RIGHTS[TO_ORDER[kind]].role) for kind in order.OrderKind),
    ]
    for scope in snooze.Scope:
        assert RIGHTS[TO_SNOOZE[scope]].at_most == snooze.LONGEST[scope]
    for kind in order.OrderKind:
        assert RIGHTS[TO_ORDER[kind]].at_most == order.LONGEST[kind]
    for _, _, _, line in told:
        assert isinstance(parse(line), Command), line


def _long(span: timedelta) -> str:
    hours = span // timedelta(hours=1)
    return f"{hours} h" if hours <= 72 else f"{hours // 24} d"


# ------------------------------------------------------------------------------ maps


def unnamed(folder: Path, text: str) -> list[str]:
    """What lies in the folder and is in no backticks of its README."""
    named = [name.rpartition("/")[2] or name for name in re.findall(r"`([\w*./]+)`", text)]
    folders = {name.split("/")[-2] for name in re.findall(r"`([\w*./]+/)`", text)}
    there = [p for p in sorted(folder.iterdir()) if not p.name.startswith(("_", ".", "conftest"))]
    files = [p.name for p in there if p.suffix == ".py"]
    rooms = [p.name for p in there if p.is_dir() and any(p.rglob("*.py"))]
    return [f for f in files if not any(fnmatch(f, n) for n in named)] + [
        r for r in rooms if r not in folders
    ]


def absent(folder: Path, text: str) -> list[str]:
    """What its README names and is not there."""
    named = re.findall(r"`([\w*./]+(?:\.py|/))`", text)
    places = (folder, ROOT / "tests")
    return [
        n for n in named if not (ROOT / n).exists() and not any(list(p.rglob(n.rstrip("/"))) for p in places)
    ]


@pytest.mark.parametrize("folder", MAPPED)
def test_the_map_in_a_folder_is_the_folder(folder: str) -> None:
    readme = ROOT / folder / "README.md"
    assert readme.exists(), f"{folder} has code and no README.md"
    text = readme.read_text()
    assert unnamed(ROOT / folder, text) == []
    assert absent(ROOT / folder, text) == []


def test_a_map_that_is_not_true_is_found(tmp_path: Path) -> None:
    (tmp_path / "here.py").touch()
    (tmp_path / "room").mkdir()
    (tmp_path / "room" / "inside.py").touch()
    assert unnamed(tmp_path, "nothing") == ["here.py", "room"]
    assert unnamed(tmp_path, "`here.py` and `room/`") == []
    assert absent(tmp_path, "`here.py` `gone.py` `attic/`") == ["gone.py", "attic/"]


def test_every_folder_with_code_is_mapped_or_in_a_mapped_one() -> None:
    code = {p.parent for top in ("bot", "sensors") for p in (ROOT / top).rglob("*.py")}
    within = {ROOT / name for name in MAPPED}
    lost = [d for d in code if not any(d == m or m in d.parents for m in within)]
    assert lost == []
    top = {p.name for p in ROOT.iterdir() if p.is_dir() and not p.name.startswith((".", "_"))}
    told = set(re.findall(r"\b(\w+)/", (ROOT / "README.md").read_text()))
    assert top - told == set()


@pytest.mark.parametrize("page", [*PAGES, ROOT / "CONTRIBUTING.md"], ids=lambda p: p.name)
def test_links_and_pictures_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)", page.read_text())
    lost = [path for path, _ in links if not (page.parent / path).exists()]
    assert lost == []
    to = [(page.parent / path if path else page, anchor) for path, anchor in links if anchor]
    assert [anchor for other, anchor in to if anchor not in headings(other)] == []


def headings(page: Path) -> set[str]:
    """As GitHub makes anchors of them."""
    text = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    said = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", one.lower()).replace(" ", "-") for one in said}
