"""The graph: what it is made of; that its order holds; that circles are found, and only where some are."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from sensors.catalog import load
from sensors.graph import graph
from sensors.model.bundle import Bundle
from sensors.model.graph import AFTER, EVERY, OFFERS, READS, WAITS, Edge, Graph, Node
from sensors.sources import Root
from tests.sensors.project import NAME, POLICY, Project

NAMES = "abcdefgh"
EDGES = st.lists(
    st.builds(Edge, st.sampled_from(NAMES), st.sampled_from(NAMES), st.sampled_from(sorted(EVERY))),
    max_size=14,
    unique=True,
)
DOWNWARDS = EDGES.map(lambda edges: [e if e.up < e.down else Edge(e.down, e.up, e.why) for e in edges])
ACYCLIC = DOWNWARDS.map(lambda edges: [e for e in edges if e.up != e.down])


def made(edges: list[Edge], names: str = NAMES) -> Graph:
    return Graph({name: Node(name) for name in names}, tuple(sorted(set(edges))))


def shuffled(names: str) -> st.SearchStrategy[list[str]]:
    return st.permutations(names)


# ------------------------------------------------------------------------- values


@given(ACYCLIC, shuffled(NAMES), st.sets(st.sampled_from(NAMES)))
def test_each_stands_after_all_that_it_waits_for_also_through_others(
    edges: list[Edge], names: list[str], asked: set[str]
) -> None:
    renamed = dict(zip(NAMES, names, strict=True))
    found = made([Edge(renamed[e.up], renamed[e.down], e.why) for e in edges])
    assert found.cycles() == ()
    order = found.order(asked)
    assert sorted(order) == sorted(asked)
    place = {ref: n for n, ref in enumerate(order)}
    for ref in asked:
        assert all(place[up] < place[ref] for up in found.above([ref], why=WAITS) & asked)


@given(EDGES)
def test_a_circle_is_found_if_and_only_if_there_is_one(edges: list[Edge]) -> None:
    found = made(edges)
    circles = found.cycles()
    turning = {e for e in found.edges if e.why in WAITS and _back(found, e)}
    assert {(e.up, e.down) for circle in circles for e in circle} == {(e.up, e.down) for e in turning}
    for circle in circles:
        assert all(one.down == other.up for one, other in pairwise((*circle, circle[0])))
        assert all(edge in found.edges for edge in circle)
        assert circle[0].up == min(edge.up for edge in circle)
    assert len({frozenset(circle) for circle in circles}) == len(circles)
    assert sorted(found.order(NAMES)) == list(NAMES)  # nobody is lost in a circle


def _back(found: Graph, edge: Edge) -> bool:
    return edge.up == edge.down or edge.up in found.below([edge.down], why=WAITS)


@given(EDGES, st.sampled_from(NAMES), st.integers(0, 4))
def test_above_and_below_are_the_same_edges_seen_from_two_ends(
    edges: list[Edge], name: str, steps: int
) -> None:
    found = made(edges)
    for other in found.above([name], steps):
        assert name in found.below([other], steps)
        assert 1 <= len(found.path(other, name)) <= steps
    assert found.above([name], 1) == {edge.up for edge in found.up(name)} - {name}


def test_of_two_circles_through_one_edge_both_are_named() -> None:
    pairs = ("ab", "ba", "bc", "ca")
    found = made([Edge(up, down, AFTER) for up, down in pairs], "abc")
    named = [[edge.up for edge in circle] for circle in found.cycles()]
    assert named == [["a", "b"], ["a", "b", "c"]]


def test_what_is_offered_makes_no_circle() -> None:
    """A person stands between an alert and the job that mends what the policy reads."""
    edges = [Edge("a", "b", READS), Edge("b", "c", OFFERS), Edge("c", "a", AFTER)]
    assert made(edges, "abc").cycles() == ()
    assert made(edges, "abc").order("cba") == ("c", "a", "b")


def test_a_large_graph_is_done_at_once() -> None:
    names = [f"t{n:05}" for n in range(4000)]
    edges = [Edge(up, down, AFTER) for up, down in pairwise(names)]
    edges += [Edge(up, down, READS) for up, down in zip(names, names[7:], strict=False)]
    found = Graph({name: Node(name) for name in names}, tuple(edges))
    assert found.cycles() == ()
    assert found.order(reversed(names)) == tuple(names)


# ------------------------------------------------------------------------- files


def edges_of(project: Project) -> set[tuple[str, str, str]]:
    return {(edge.up, edge.down, edge.why) for edge in graph(project.load()).edges}


ME = f"policy:{NAME}"


def test_all_that_the_files_say_is_an_edge(project: Project) -> None:
    project.change("policies/_jobs.yml", "  owner: payments", "  owner: payments\n  after: [Core.Sellers]")
    project.change("policies/_jobs.yml", "'s_\\d+'", "'s_\\d+', default: s_1")  # it starts by itself
    project.write(
        "policies/_assets.yml",
        project.read("policies/_assets.yml")
        + f"model:reco: {{after: ['job:hold_payouts', '{ME}', CORE.sellers], owner: payments}}\n",
    )
    project.change(POLICY, "needs: {core.chat_messages: wait, core.sellers: run}\n", "")
    assert edges_of(project) == {
        ("core.chat_messages", ME, "reads"),
        ("core.sellers", ME, "reads"),
        (ME, "job:hold_payouts", "offers"),
        ("core.sellers", "job:hold_payouts", "after"),
        ("core.sellers", "model:reco", "after"),
        ("job:hold_payouts", "model:reco", "after"),
        (ME, "model:reco", "after"),
    }
    node = graph(project.load()).nodes["model:reco"]
    assert (node.kind, node.name, node.owner, node.is_asset) == ("model", "model:reco", "payments", True)
    assert graph(project.load()).nodes[ME].name == NAME


def test_needs_after_and_on_open_have_their_own_words(project: Project) -> None:
    project.change(POLICY, "{every: 5m}", "{after: [core.sellers, job:hold_payouts]}")
    project.change(POLICY, "offer: [hold_payouts]", "on_open: [hold_payouts]")
    assert edges_of(project) == {
        ("core.chat_messages", ME, "needs"),
        ("core.sellers", ME, "needs"),
        ("core.sellers", ME, "after"),
        ("job:hold_payouts", ME, "after"),
        (ME, "job:hold_payouts", "starts"),
    }


def test_a_bundle_names_its_own_policies_first_and_the_projects_else(
    project: Project, tmp_path: Path
) -> None:
    theirs = Project(tmp_path / "risk")
    for file in (POLICY, POLICY.replace("off_platform", "second")):
        theirs.write(file, project.read(POLICY))
        sql = file.replace("policies/", "sql/").replace(".yml", ".sql")
        theirs.write(sql, project.read("sql/payments/off_platform.sql"))
    project.write("policies/payments/mine.yml", project.read(POLICY))
    project.write("sql/payments/mine.sql", project.read("sql/payments/off_platform.sql"))
    theirs.change(
        POLICY, "{every: 5m}", "{after: [policy:payments.second, policy:payments.mine, policy:payments.no]}"
    )
    theirs.write("policies/_assets.yml", "model:reco: {after: ['policy:payments.second'], owner: payments}\n")
    root = Root(Bundle("risk", path="../risk"), theirs.path, prefix="risk:", shown="../risk/")
    loaded = load(project.path, others=[root])
    assert [str(p).rpartition(": ")[2] for p in loaded.errors] == [
        'no policy "payments.no"; did you mean "payments.mine"?'
    ]
    theirs.change(POLICY, ", policy:payments.no", "")
    found = graph(load(project.path, others=[root]))
    assert {edge.up for edge in found.up(f"policy:risk:{NAME}", {AFTER})} == {
        "policy:risk:payments.second",
        "policy:payments.mine",
    }
    assert [edge.up for edge in found.up("model:reco")] == ["policy:risk:payments.second"]
    assert found.nodes["policy:risk:payments.second"].name == "risk:payments.second"


def test_what_makes_an_asset_changes_no_run(project: Project) -> None:
    before = project.load().policies[NAME].content
    project.change("policies/_assets.yml", "core.sellers: {", "core.sellers: {after: [job:hold_payouts], ")
    assert project.load().policies[NAME].content == before
