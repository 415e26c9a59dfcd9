"""Geometry of the icicle: nothing overlaps, nothing is lost, every cell finds its frame."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest

from perftui.tui.widgets.flame.layout import Box, Icicle, box_at, find_box, lay_out, neighbour


def random_icicle(rng: random.Random, n: int) -> Icicle:
    """A tree of `n` nodes with self values and waiting parts that fit."""
    children: dict[int, list[int]] = {}
    own = [rng.choice((0, 1, 5, 50, rng.random() * 100)) for _ in range(n)]
    parents = [0] * n
    for node in range(1, n):
        parents[node] = rng.randrange(max(0, node - 12), node)
        children.setdefault(parents[node], []).append(node)
    value: dict[int, float] = dict(enumerate(own))
    for node in range(n - 1, 0, -1):
        value[parents[node]] += value[node]
    waiting = {node: own[node] * rng.random() for node in range(1, n) if rng.random() < 0.3}
    return Icicle(children, value, waiting)


@pytest.mark.parametrize("seed", range(60))
def test_layout_properties(seed: int) -> None:
    rng = random.Random(seed)
    icicle = random_icicle(rng, rng.randrange(1, 400))
    width = rng.choice((1, 2, 7, 80, 160, 233))
    rows = lay_out(icicle, 0, width)
    if icicle.value[0] <= 0:
        assert rows == []
        return
    assert rows[0] == [Box(0, width, 0, "frame", icicle.value[0])]
    parent_of = {child: node for node, kids in icicle.children.items() for child in kids}
    for depth, row in enumerate(rows):
        for box in row:
            assert 0 <= box.x0 < box.x1 <= width, "every drawn box has a cell"
        for left, right in pairwise(row):
            assert left.x1 <= right.x0, "siblings never overlap"
        if depth == 0:
            continue
        for box in row:
            caller = parent_of[box.node] if box.kind == "frame" else box.node
            found = find_box(rows, caller, "frame")
            assert found is not None
            above = found[1]
            assert found[0] == depth - 1
            assert above.x0 <= box.x0
            assert box.x1 <= above.x1, "children stay inside their caller"
    for box in (box for row in rows for box in row if box.kind == "frame"):
        assert abs((box.x1 - box.x0) - box.value / icicle.value[0] * width) <= 1.0
    drawn = {box.node for row in rows for box in row if box.kind == "frame"}
    for node, caller in parent_of.items():
        if caller in drawn and icicle.value[node] / icicle.value[0] * width >= 1.0 + 1e-9:
            assert node in drawn, "what fills a cell is drawn"


@pytest.mark.parametrize("seed", range(20))
def test_every_cell_finds_its_box(seed: int) -> None:
    rng = random.Random(seed)
    rows = lay_out(random_icicle(rng, 200), 0, 90)
    for depth, row in enumerate(rows):
        for x in range(-1, 92):
            expected = next((box for box in row if box.x0 <= x < box.x1), None)
            assert box_at(rows, depth, x) == expected
    assert box_at(rows, len(rows), 3) is None
    assert box_at(rows, -1, 3) is None


def test_narrow_callees_stand_together_at_the_end() -> None:
    children = {0: [1, *range(2, 102)]}
    value: dict[int, float] = {0: 100.0, 1: 50.0, **dict.fromkeys(range(2, 102), 0.5)}
    rows = lay_out(Icicle(children, value, {}), 0, 80)
    assert [(b.kind, b.x0, b.x1) for b in rows[1]] == [("frame", 0, 40), ("rest", 40, 80)]


@pytest.mark.parametrize("seed", range(40))
def test_callees_that_claim_more_than_their_caller_stay_inside_it(seed: int) -> None:
    rng = random.Random(seed)
    icicle = random_icicle(rng, rng.randrange(2, 200))
    claimed = {node: value * rng.choice((1, 1.25, 3)) for node, value in icicle.value.items()}
    rows = lay_out(icicle._replace(value=claimed), 0, 80)
    parent_of = {child: node for node, kids in icicle.children.items() for child in kids}
    for depth, row in enumerate(rows[1:], 1):
        for left, right in pairwise(row):
            assert left.x1 <= right.x0
        for box in row:
            assert box.x0 < box.x1, "what is cut to nothing is not drawn"
            caller = parent_of[box.node] if box.kind == "frame" else box.node
            above = next(b for b in rows[depth - 1] if b.node == caller and b.kind == "frame")
            assert above.x0 <= box.x0
            assert box.x1 <= above.x1


def test_the_callees_of_a_cut_box_share_what_is_left_of_it() -> None:
    value = {0: 8.0, 1: 6.0, 2: 4.0, 3: 4.0}  # 1 and 2 claim 10 of 8: 2 is cut to 2
    rows = lay_out(Icicle({0: [1, 2], 2: [3]}, value, {}), 0, 80)
    assert [(box.node, box.x0, box.x1) for box in rows[1]] == [(1, 0, 60), (2, 60, 80)]
    assert [(box.node, box.x0, box.x1) for box in rows[2]] == [(3, 60, 80)]


def test_waiting_follows_the_callees() -> None:
    rows = lay_out(Icicle({0: [1], 1: [2]}, {0: 10, 1: 10, 2: 4}, {1: 5}), 0, 100)
    assert [(b.kind, b.node, b.x0, b.x1) for b in rows[2]] == [
        ("frame", 2, 0, 40),
        ("wait", 1, 40, 90),
    ]


def test_a_thousand_deep_stack_is_walked_without_recursion() -> None:
    n = 5000
    icicle = Icicle({i: [i + 1] for i in range(n)}, dict.fromkeys(range(n + 1), 7), {})
    assert len(lay_out(icicle, 0, 40, max_depth=n + 1)) == n + 1
    assert len(lay_out(icicle, 0, 40, max_depth=10)) == 10


def test_arrow_keys_lead_to_relatives() -> None:
    value = {0: 10, 1: 4, 2: 6, 3: 1, 4: 5}
    rows = lay_out(Icicle({0: [1, 2], 2: [3, 4]}, value, {}), 0, 100)
    root, (first, second) = rows[0][0], rows[1]
    assert neighbour(rows, 0, root, "down") == (1, second), "the widest callee"
    assert neighbour(rows, 1, second, "left") == (1, first)
    assert neighbour(rows, 1, first, "left") is None
    assert neighbour(rows, 1, second, "up") == (0, root)
    assert neighbour(rows, 0, root, "up") is None
    below = neighbour(rows, 1, second, "down")
    assert below is not None
    assert below[1].node == 4
    assert neighbour(rows, 1, first, "down") is None
