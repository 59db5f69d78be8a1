"""`patrol graph`: words, data and pictures of the same graph, and what is said of a name that is none."""

from __future__ import annotations

import json
import re
from io import BytesIO
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.shell.making import FILES, World
from tests.shell.typing_in import Patrol

RISK = 'model:risk: {owner: payments, after: [core.chat, "job:hold_payouts"]}\n'


@pytest.fixture(autouse=True)
def town(world: World) -> World:
    world.write("policies/_assets.yml", FILES["policies/_assets.yml"] + RISK)
    return world


def test_a_name_gets_its_trees(patrol: Patrol) -> None:
    ran = patrol("graph", "core.chat")
    assert ran.code == 0
    lines = [line.strip("│├└─ ") for line in ran.out.splitlines()]
    assert lines == [
        "core.chat  core table, payments",
        "comes from nothing",
        "leads to",
        "before model:risk  core model, payments",
        "read by payments.elsewhere  live policy, payments",
        "offers job:hold_payouts  job, payments",
    ]


def test_without_a_name_all_is_listed_in_order(patrol: Patrol) -> None:
    said = patrol("graph").out
    assert "core.chat  core table, payments\n  before model:risk and payments.elsewhere\n" in said
    names = ["core.chat", "job:hold_payouts", "model:risk"]
    assert [said.index(f"{name}  ") for name in names] == sorted(said.index(f"{name}  ") for name in names)


def test_steps_and_teams_narrow_it(patrol: Patrol) -> None:
    assert "hold_payouts" not in patrol("graph", "core.chat", "--down", "1").out
    found = json.loads(patrol("graph", "core.chat", "--down", "0", "--json").out)
    assert [node["ref"] for node in found["nodes"]] == ["core.chat"]
    assert len(json.loads(patrol("graph", "--team", "payments", "--json").out)["nodes"]) == 6
    assert len(json.loads(patrol("graph", "--bundle", "main", "--json").out)["nodes"]) == 6


def test_json_has_every_node_and_edge(patrol: Patrol) -> None:
    found = json.loads(patrol("graph", "--json").out)
    assert {node["ref"]: node["kind"] for node in found["nodes"]} == {
        "core.chat": "table",
        "core.sellers": "table",
        "job:hold_payouts": "job",
        "model:risk": "model",
        "policy:payments.elsewhere": "policy",
        "policy:payments.held": "policy",
    }
    assert {"up": "core.chat", "down": "policy:payments.elsewhere", "why": "reads"} in found["edges"]
    assert {"up": "policy:payments.elsewhere", "down": "job:hold_payouts", "why": "offers"} in found["edges"]
    assert len(found["edges"]) == 5
    held = next(node for node in found["nodes"] if node["ref"] == "policy:payments.held")
    assert held == {
        "ref": "policy:payments.held",
        "kind": "policy",
        "title": "Held seller is live",
        "owner": "payments",
        "tier": None,
        "status": "live",
    }


def test_mermaid_names_each_node_once_and_quotes_what_could_mean_more(patrol: Patrol, town: World) -> None:
    said = patrol("graph", "--format", "mermaid").out
    assert said.startswith("flowchart LR\n")
    nodes = dict(re.findall(r'^  (n\d+)\W+"([^"]*)"\W+:::\w+$', said, re.MULTILINE))
    assert sorted(nodes.values()) == [
        *(
            "core.chat",
            "core.sellers",
            "job:hold_payouts",
            "model:risk",
            "payments.elsewhere",
            "payments.held",
        )
    ]
    edges = re.findall(r"^  (n\d+) (?:-->|==>|-\. \"offers\" \.->) (n\d+)$", said, re.MULTILINE)
    assert len(edges) == 5
    assert {end for edge in edges for end in edge} <= set(nodes)
    used = set(re.findall(r":::(\w+)", said))
    assert used == set(re.findall(r"classDef (\w+)", said))
    town.write("policies/_assets.yml", FILES["policies/_assets.yml"] + "'co\"re.[x]': {owner: payments}\n")
    assert '[("co#34;re.#91;x#93;")]' in patrol("graph", "--format", "mermaid").out


def test_an_svg_shows_each_node_and_edge_and_no_name_breaks_it(
    patrol: Patrol, town: World, tmp_path: Path
) -> None:
    hostile = "'<script>&\"x\"': {owner: payments, after: [core.chat]}\n"
    town.write("policies/_assets.yml", FILES["policies/_assets.yml"] + hostile)
    for name in ("g.svg", "g.html"):
        assert patrol("graph", "-o", str(tmp_path / name)).code == 0
    text = (tmp_path / "g.svg").read_text()
    found = ElementTree.fromstring(text)
    kinds = [one.get("class") for one in found.iter() if one.get("class")]
    assert (kinds.count("box"), kinds.count("line")) == (6, 4)
    said = ["".join(one.itertext()) for one in found.iter("{http://www.w3.org/2000/svg}text")]
    assert '<script>&"x"' in said
    assert "<script>&" not in text
    assert (tmp_path / "g.html").read_text().count("<script>") == 1


def test_a_png_is_a_picture(patrol: Patrol, tmp_path: Path) -> None:
    image = pytest.importorskip("PIL.Image")
    assert patrol("graph", "-o", str(tmp_path / "g.png")).code == 0
    picture = image.open(BytesIO((tmp_path / "g.png").read_bytes()))
    assert picture.format == "PNG"
    assert picture.size[0] > picture.size[1] > 300
    shown = {colour for _, colour in picture.convert("RGB").getcolors(1 << 24)}
    assert {(0xE6, 0xEF, 0xFA), (0xEF, 0xE7, 0xF8), (0xFD, 0xEB, 0xD9)} <= shown  # table, policy, job


def test_markdown_holds_a_block_that_github_draws(patrol: Patrol, tmp_path: Path) -> None:
    assert patrol("graph", "model:risk", "-o", str(tmp_path / "g.md")).code == 0
    text = (tmp_path / "g.md").read_text()
    assert text.startswith("```mermaid\nflowchart LR\n")
    assert text.endswith("```\n")


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (("core.chta",), "There is no policy, job or asset core.chta; did you mean core.chat?"),
        (("zzz",), "patrol graph shows all that there is."),
        (("--team", "paymnts"), "There is no team paymnts; did you mean payments?"),
        (("--bundle", "mian"), "There is no bundle mian; did you mean main?"),
        (("core.chat", "--team", "payments"), "Say NAMEs, or --team and --bundle"),
        (("--up", "1"), "--up and --down are steps from a NAME"),
        (("-o", "x.pdf"), "say by its ending what it shall be (.text, "),
        (("--json", "--format", "svg"), "are two different things"),
        (("core.chat", "--up", "-1"), "-1 is not in the range 0<=x<=1000"),
    ],
)
def test_what_cannot_be_shown_is_said_in_a_sentence(
    patrol: Patrol, typed: tuple[str, ...], said: str
) -> None:
    ran = patrol("graph", *typed)
    assert ran.code == 2
    assert said in ran.said
    assert ran.out == ""


def test_a_policy_that_does_not_load_is_told_with_its_mistake(patrol: Patrol, town: World) -> None:
    town.write(
        "policies/payments/held.yml",
        FILES["policies/payments/held.yml"].replace("owner: payments", "owner: x"),
    )
    ran = patrol("graph", "payments.held")
    assert ran.code == 2
    assert 'payments/held.yml:3:8 owner: no team "x"' in ran.said
    assert "1 policy does not load" in patrol("graph").err
