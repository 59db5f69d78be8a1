"""A graph on a page: every edge leads to the right unless it closes a circle; no box stands on another."""

from __future__ import annotations

from itertools import combinations, pairwise

from hypothesis import given
from hypothesis import strategies as st

from bot.core.around import around, meant
from bot.core.columns import Cells, spread
from bot.core.layout import LONGEST, Box, Layout, laid_out
from bot.core.legend import legend
from bot.core.shapes import TONES, curves, head, outline, straight
from sensors.model.graph import AFTER, EVERY, KINDS, NEEDS, OFFERS, READS, STARTS, Edge, Graph, Node

REFS = ["core.a", "core.b", "model:c", "job:d", "job:e", "policy:x.f", "policy:x.g", "dashboard:h"]
EDGES = st.lists(
    st.builds(Edge, st.sampled_from(REFS), st.sampled_from(REFS), st.sampled_from(sorted(EVERY))),
    max_size=16,
    unique=True,
).map(lambda edges: [edge for edge in edges if edge.up != edge.down])


def made(edges: list[Edge]) -> Graph:
    return Graph({ref: Node(ref, owner="payments") for ref in REFS}, tuple(sorted(edges)))


def boxes(layout: Layout) -> dict[str, Box]:
    return {box.ref: box for box in layout.boxes}


@given(EDGES)
def test_every_edge_leads_to_the_right_but_for_those_that_close_a_circle(edges: list[Edge]) -> None:
    graph = made(edges)
    layout = laid_out(graph)
    assert {(line.up, line.down) for line in layout.lines} == {(edge.up, edge.down) for edge in edges}
    at = boxes(layout)
    turning = {(edge.up, edge.down) for circle in graph.cycles(EVERY) for edge in circle}
    for line in layout.lines:
        start, end = line.points[0], line.points[-1]
        assert start == (at[line.up].x + at[line.up].wide, at[line.up].y + at[line.up].tall / 2)
        assert end == (at[line.down].x, at[line.down].y + at[line.down].tall / 2)
        if line.back:
            assert (line.up, line.down) in turning
        else:
            assert all(x < to_x for (x, _), (to_x, _) in pairwise(line.points))
    assert any(line.back for line in layout.lines) is bool(turning)


@given(EDGES)
def test_no_box_stands_on_another_and_all_are_on_the_page(edges: list[Edge]) -> None:
    layout = laid_out(made(edges))
    assert sorted(boxes(layout)) == sorted(REFS)
    for one, other in combinations(layout.boxes, 2):
        apart_across = one.x + one.wide < other.x or other.x + other.wide < one.x
        apart_down = one.y + one.tall < other.y or other.y + other.tall < one.y
        assert apart_across or apart_down
    for box in layout.boxes:
        assert 0 <= box.x <= box.x + box.wide <= layout.wide + 1e-6
        assert 0 <= box.y <= box.y + box.tall <= layout.tall + 1e-6


@given(EDGES, st.permutations(REFS))
def test_the_order_in_which_it_is_told_changes_nothing(edges: list[Edge], refs: list[str]) -> None:
    graph = made(edges)
    told = Graph({ref: graph.nodes[ref] for ref in refs}, tuple(reversed(graph.edges)))
    assert boxes(laid_out(told)) == boxes(laid_out(graph))


def test_of_circles_those_that_wait_lead_to_the_right() -> None:
    """What is offered by an alert may mend the table that the policy reads: that one leads back."""
    edges = [
        Edge("core.a", "policy:x.f", READS),
        Edge("policy:x.f", "job:d", OFFERS),
        Edge("job:d", "core.a", AFTER),
    ]
    layout = laid_out(made(edges))
    assert [(line.up, line.down) for line in layout.lines if line.back] == [("policy:x.f", "job:d")]


def test_of_two_edges_between_the_same_the_stronger_is_drawn() -> None:
    edges = [Edge("core.a", "policy:x.f", NEEDS), Edge("core.a", "policy:x.f", AFTER)]
    (line,) = laid_out(made(edges)).lines
    assert line.why == AFTER


def test_a_name_that_goes_on_and_on_is_cut_and_nothing_is_a_picture_too() -> None:
    ref = f"core.{'x' * 100}"
    (box,) = laid_out(Graph({ref: Node(ref)})).boxes
    assert len(box.label) == LONGEST
    assert laid_out(Graph()) == Layout()


PAIRS = st.lists(st.tuples(st.integers(0, 5), st.integers(6, 11)), min_size=1, max_size=20, unique=True)


@given(PAIRS)
def test_the_order_in_a_column_never_crosses_more_than_that_of_the_names(
    pairs: list[tuple[int, int]],
) -> None:
    named = {(f"{up:02}", f"{down:02}") for up, down in pairs}
    column = {name: int(name) > 5 for pair in named for name in pair}
    cells = Cells(sorted(named), {name: int(right) for name, right in column.items()}, 10, 1)
    rows = cells.ordered()
    place = {cell[0]: n for row in rows for n, cell in enumerate(row)}
    by_name = {name: n for n, name in enumerate(sorted(place))}
    assert _crossed(named, place) <= _crossed(named, by_name)


def _crossed(pairs: set[tuple[str, str]], place: dict[str, int]) -> int:
    return sum(
        (place[a] - place[c]) * (place[b] - place[d]) < 0 for (a, b), (c, d) in combinations(sorted(pairs), 2)
    )


@given(st.lists(st.tuples(st.integers(-50, 50), st.sampled_from([4, 20])), max_size=8))
def test_spreading_keeps_the_order_and_the_room_and_moves_nothing_without_need(
    asked: list[tuple[int, int]],
) -> None:
    wishes, talls = [float(wish) for wish, _ in asked], [float(tall) for _, tall in asked]
    got = spread(wishes, talls)
    rooms = [(one + other) / 2 for one, other in pairwise(talls)]
    assert all(b - a >= room - 1e-6 for (a, b), room in zip(pairwise(got), rooms, strict=True))
    if all(b - a >= room for (a, b), room in zip(pairwise(wishes), rooms, strict=True)):
        assert all(abs(a - b) < 1e-6 for a, b in zip(got, wishes, strict=True))


# ------------------------------------------------------------------------- how it looks


def test_each_kind_has_a_shape_of_its_own_within_its_box() -> None:
    shapes = {kind: outline(Box("x", "x", "", kind, "core", 10, 20, 90)) for kind in KINDS}
    assert len({shapes[kind] for kind in KINDS if kind not in ("table", "policy")}) == len(KINDS) - 2
    for corners in shapes.values():
        assert all(10 - 1e-6 <= x <= 100 + 1e-6 and 20 - 1e-6 <= y <= 44 + 1e-6 for x, y in corners)


def test_a_line_begins_and_ends_where_it_shall_and_its_head_points_there() -> None:
    layout = laid_out(made([Edge("core.a", "policy:x.f", STARTS)]))
    (line,) = layout.lines
    points = straight(curves(line))
    assert (points[0], points[-1]) == (line.points[0], line.points[-1])
    tip, *ends = head(line.points)
    assert tip == line.points[-1]
    assert all(x < tip[0] for x, _ in ends)


@given(st.integers(100, 900))
def test_the_legend_tells_what_there_is_and_no_more_within_its_width(wide: int) -> None:
    nodes = (
        Node("core.a", tier="scratch"),
        Node("job:d"),
        Node("policy:x.f", status="live"),
        Node("policy:x.g", status="draft"),
    )
    edges = (Edge("core.a", "policy:x.f", NEEDS), Edge("policy:x.f", "job:d", STARTS))
    found = legend(laid_out(Graph({node.ref: node for node in nodes}, edges)), wide)
    assert [box.label for box in found.boxes] == ["scratch table", "job", "live policy", "draft policy"]
    assert [one.why for one in found.samples] == [NEEDS, STARTS]
    assert all(box.x + box.wide <= wide or box.x == 0 for box in found.boxes)
    assert {box.tone for box in found.boxes if box.tone} <= set(TONES)


# ------------------------------------------------------------------------- what is asked for

TOWN = Graph(
    {
        ref: Node(ref)
        for ref in ("core.a", "core.b", "policy:x.f", "job:d", "model:c", "policy:x.g", "job:x.f")
    },
    (
        Edge("core.a", "core.b", AFTER),
        Edge("core.b", "policy:x.f", READS),
        Edge("model:c", "policy:x.g", READS),
        Edge("policy:x.f", "job:d", OFFERS),
        Edge("job:d", "model:c", AFTER),
    ),
)


def test_what_is_offered_is_shown_and_not_followed() -> None:
    assert set(around(TOWN, ["core.b"]).nodes) == {"core.a", "core.b", "policy:x.f", "job:d"}
    assert set(around(TOWN, ["job:d"]).nodes) == {"policy:x.f", "job:d", "model:c", "policy:x.g"}


def test_steps_are_counted_each_way() -> None:
    assert set(around(TOWN, ["core.b"], 0, 1).nodes) == {"core.b", "policy:x.f"}
    assert set(around(TOWN, ["core.b"], 1, 0).nodes) == {"core.a", "core.b"}
    assert set(around(TOWN, ["core.a"], 0, 3).nodes) == {"core.a", "core.b", "policy:x.f", "job:d"}
    assert set(around(TOWN, ["core.a"], 0, 0).nodes) == {"core.a"}


def test_a_name_is_meant_as_people_type_it() -> None:
    typed = ("X.F", "policy:x.f", "CORE.A", "Model:C", "d", "job:x.f", "no")
    assert [meant(name, TOWN) for name in typed] == [
        *("policy:x.f", "policy:x.f", "core.a", "model:c", "job:d", "job:x.f"),
        None,
    ]
