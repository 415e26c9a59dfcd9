"""Differences of stacks: matching, shares, rates, recursion, empty sides."""

from __future__ import annotations

import pytest

from perftui.probes.profile.difference import (
    ComparedStacks,
    Difference,
    DiffNode,
    FunctionDiff,
    difference,
)
from perftui.probes.profile.same_file import paired_places, place_key
from perftui.probes.spine.calltree import ROOT, CallTree
from perftui.probes.spine.reader import ThreadTree, Weights

MS = 1_000_000
S = 1000 * MS
Place = tuple[str, str, int]
MAIN: Place = ("main", "/home/ada/app/main.py", 3)
LOAD: Place = ("load", "/home/ada/app/io.py", 9)
SCAN: Place = ("scan", "/home/ada/app/io.py", 30)


def side(wall_s: float, *stacks: tuple[tuple[Place, ...], Weights]) -> ComparedStacks:
    """One thread; `stacks` = (frames, self weights of the innermost)."""
    tree = CallTree()
    selfs = {tree.intern([tree.frame_id(*frame) for frame in path]): w for path, w in stacks}
    return side_of(tree, selfs, wall_s)


def side_of(tree: CallTree, selfs: dict[int, Weights], wall_s: float) -> ComparedStacks:
    sums = [sum(w[index] for w in selfs.values()) for index in range(3)]
    thread = ThreadTree(1, 1, "MainThread", sums[0], sums[1], sums[2], selfs, "")
    return ComparedStacks(tree, [thread], round(wall_s * S))


def ms(wall: int, cpu: int = 0, grown: int = 0, torn: int = 0) -> Weights:
    return Weights(wall * MS, cpu * MS, grown, torn * MS)


def function(found: Difference, name: str) -> FunctionDiff:
    return next(row for row in found.functions if row.function == name)


def node(found: Difference, *names: str) -> DiffNode:
    at = found.nodes[ROOT]
    for name in names:
        at = next(found.nodes[n] for n in at.children if found.nodes[n].function == name)
    return at


def test_shares_and_rates_of_ranges_of_different_length() -> None:
    base = side(10, ((MAIN,), ms(8000, 8000)), ((MAIN, LOAD), ms(2000, 500)))
    new = side(2, ((MAIN,), ms(500, 500)), ((MAIN, LOAD), ms(1500, 1200)))
    found = difference(base, new)
    load = node(found, "main", "load")
    wall = found.delta(load.total, "wall")
    assert (wall.state, wall.base_share, wall.new_share) == ("both", 0.2, 0.75)
    assert wall.share == pytest.approx(0.55)
    assert (wall.base_per_s, wall.new_per_s) == (0.2, 0.75)
    cpu = found.delta(load.total, "cpu")
    assert cpu.new_per_s == 0.6, "1.2 s of CPU in 2 s"
    assert cpu.per_s == pytest.approx(0.55)
    assert found.delta(found.whole, "wall").new_share == 1.0
    assert [row.function for row, _, _ in found.ranked("wall")] == ["load", "main"]


def test_lines_and_node_ids_do_not_matter() -> None:
    base = side(1, ((MAIN, LOAD), ms(900)))
    other: Place = ("other", "/x.py", 1)
    moved: Place = ("load", "/home/ada/app/io.py", 77)
    new = side(1, ((other,), ms(50)), ((("main", MAIN[1], 8), moved), ms(850)))
    found = difference(base, new)
    load = node(found, "main", "load")
    assert load.line == 77, "the line is the new side's"
    assert [side[:3] for side in load.total] == [(900 * MS, 0, 0), (850 * MS, 0, 0)]
    assert node(found, "other").total.state("wall") == "new"


def test_new_and_vanished_frames() -> None:
    base = side(1, ((MAIN, LOAD), ms(600)), ((MAIN,), ms(400)))
    new = side(1, ((MAIN, SCAN), ms(700)), ((MAIN,), ms(300)))
    found = difference(base, new)
    assert node(found, "main", "load").self_.state("wall") == "vanished"
    assert node(found, "main", "scan").self_.state("wall") == "new"
    assert found.delta(function(found, "load").self_, "wall").share == pytest.approx(-0.6)
    assert [row.function for row, _ in found.only_now("wall")] == ["scan"]


def test_of_a_new_chain_the_outermost_and_the_busy_are_told() -> None:
    steps: list[Place] = [(f"step{n}", "/p/steps.py", n) for n in range(5)]
    base = side(10, ((MAIN,), ms(10_000)))
    new = side(1, ((MAIN,), ms(200)), ((MAIN, *steps), ms(790)), ((MAIN, steps[0]), ms(10)))
    told = difference(base, new).only_now("wall")
    assert [(row.function, round(delta.new_share, 2)) for row, delta in told] == [
        ("step0", 0.8),
        ("step4", 0.79),
    ]


def test_a_trace_of_before_counts_as_not_before() -> None:
    base = side(10, ((MAIN,), ms(9_900)), ((MAIN, LOAD), ms(100)))
    new = side(1, ((MAIN, LOAD), ms(990)), ((MAIN,), ms(10)))
    assert [row.function for row, _ in difference(base, new).only_now("wall")] == ["load"]


def test_recursion_counts_once_in_totals() -> None:
    fib: Place = ("fib", "/p/fib.py", 3)
    base = side(1, ((MAIN, fib), ms(100)))
    new = side(1, ((MAIN, fib, fib, fib), ms(300)), ((MAIN, fib), ms(100)))
    found = difference(base, new)
    assert [side.wall_ns for side in function(found, "fib").total] == [100 * MS, 400 * MS]
    assert found.delta(function(found, "fib").total, "wall").new_share == 1.0
    assert node(found, "main", "fib", "fib", "fib").total.new.wall_ns == 300 * MS


def test_grown_bytes_are_per_second() -> None:
    base = side(4, ((MAIN, LOAD), ms(100, 100, grown=4_000_000)), ((MAIN,), ms(10, 10, -500)))
    new = side(2, ((MAIN, LOAD), ms(100, 100, grown=90_000_000)), ((MAIN,), ms(10, 10, -500)))
    found = difference(base, new)
    grown = found.delta(function(found, "load").self_, "grown")
    assert (grown.base_per_s, grown.new_per_s) == (1_000_000, 45_000_000)
    shrunk = found.delta(function(found, "main").self_, "grown")
    assert (shrunk.state, shrunk.new_share) == ("both", 0.0), "memory given back is no growth"


def test_lines_can_be_told_apart_within_a_session() -> None:
    tree = CallTree()
    setup, serve = (tree.intern([tree.frame_id("<module>", "/a/leak.py", n)]) for n in (12, 18))
    base, new = side_of(tree, {setup: ms(900)}, 1), side_of(tree, {serve: ms(800)}, 1)
    assert difference(base, new).only_now("wall") == []
    told = difference(base, new, by_line=True).only_now("wall")
    assert [(row.function, row.line, delta.state) for row, delta in told] == [
        ("<module>", 18, "new")
    ]


def test_new_means_not_seen_before_in_any_weight() -> None:
    """A function that only waited before did run before, though it used no CPU."""
    found = difference(side(1, ((MAIN, LOAD), ms(900))), side(1, ((MAIN, LOAD), ms(900, 800))))
    delta = found.delta(function(found, "load").total, "cpu")
    assert (delta.state, delta.base_share, delta.new_share) == ("both", 0.0, 1.0)
    assert found.only_now("cpu") == []


def test_torn_stacks_count_as_self_of_their_function_and_in_the_whole() -> None:
    tree = CallTree()
    torn_leaf = tree.intern_leaf([tree.frame_id(*LOAD)])
    known = tree.intern([tree.frame_id(*MAIN)])
    new = side_of(tree, {torn_leaf: ms(300, torn=300), known: ms(700)}, 1)
    found = difference(side(1, ((MAIN,), ms(1000))), new)
    assert found.whole.new.wall_ns == 1000 * MS
    assert found.delta(function(found, "load").self_, "wall").new_share == 0.3
    assert node(found, "load").total.new.wall_ns == 0, "no path accounts for it"


@pytest.mark.parametrize("empty", ["base", "new", "both"])
def test_empty_sides(empty: str) -> None:
    full = side(1, ((MAIN, LOAD), ms(1000, 900)))
    nothing = ComparedStacks(CallTree(), (), 0)
    found = difference(full if empty == "new" else nothing, full if empty == "base" else nothing)
    states = {delta.state for _, _, delta in found.ranked("wall")}
    assert states == {"base": {"new"}, "new": {"vanished"}, "both": set()}[empty]
    assert found.nodes[ROOT].parent == ROOT
    for name in ("wall", "cpu", "grown"):
        delta = found.delta(found.whole, name)
        assert 0 <= delta.new_share <= 1 and 0 <= delta.base_share <= 1


def test_nodes_are_a_tree_and_totals_add_up() -> None:
    base = side(1, ((MAIN, LOAD), ms(10)), ((MAIN, SCAN, LOAD), ms(20)), ((SCAN,), ms(5)))
    new = side(1, ((MAIN, SCAN, LOAD), ms(7)), ((LOAD, MAIN), ms(3)), ((MAIN,), ms(1)))
    found = difference(base, new)
    for number, each in enumerate(found.nodes):
        assert number == ROOT or each.parent < number
        for which in (0, 1):
            inside = sum(found.nodes[n].total[which].wall_ns for n in each.children)
            assert each.total[which].wall_ns == each.self_[which].wall_ns + inside
        assert all(found.nodes[child].parent == number for child in each.children)
    assert found.path(len(found.nodes) - 1)[-1] == len(found.nodes) - 1


def test_other_environments_interpreters_and_checkouts_hold_the_same_code() -> None:
    old = "/home/ada/.venv/lib/python3.11/site-packages/duckdb/__init__.py"
    newer = "/opt/env/lib/python3.13/site-packages/duckdb/__init__.py"
    query = ("query", old, 5), ("query", newer, 9)
    app = ("main", "/home/ada/app/main.py", 1), ("main", "/ci/build/app/main.py", 1)
    base = side(1, ((app[0], query[0]), ms(100)))
    new = side(1, ((app[1], query[1]), ms(50)))
    found = difference(base, new)
    assert [row.function for row in found.functions] == ["query", "main"]
    total = node(found, "main", "query").total
    assert [side[:3] for side in total] == [(100 * MS, 0, 0), (50 * MS, 0, 0)]
    assert node(found, "main", "query").file == newer


def test_one_session_pairs_no_files() -> None:
    tree = CallTree()
    one = tree.intern([tree.frame_id("main", "/a/main.py", 1)])
    two = tree.intern([tree.frame_id("main", "/b/main.py", 1)])
    found = difference(side_of(tree, {one: ms(5)}, 1), side_of(tree, {two: ms(5)}, 1))
    assert sorted(row.total.state("wall") for row in found.functions) == ["new", "vanished"]


def test_place_key() -> None:
    inside = "/v/lib/python3.12/site-packages/pyarrow/lib.cpython-312-x86_64-linux-gnu.so"
    assert place_key(inside) == "pyarrow/lib.so"
    assert place_key("/usr/lib/python3.11/json/decoder.py") == "json/decoder.py"
    assert place_key("<frozen importlib._bootstrap>") == "<frozen importlib._bootstrap>"
    assert place_key("C:\\app\\main.py") == "C:/app/main.py"
    assert place_key("") == ""


def test_pairs_of_places() -> None:
    assert paired_places(["/a/x/io.py"], ["/b/x/io.py"]) == {"/a/x/io.py": "/b/x/io.py"}
    assert paired_places(["/a/io.py"], ["/a/io.py", "/b/io.py"]) == {}, "the same path is a pair"
    # The most equal parts win; a tie stays unpaired rather than guessed.
    assert paired_places(["/a/x/io.py"], ["/b/x/io.py", "/b/y/io.py"]) == {
        "/a/x/io.py": "/b/x/io.py"
    }
    assert paired_places(["/a/io.py"], ["/b/io.py", "/c/io.py"]) == {}
    assert paired_places(["/a/io.py", "/c/io.py"], ["/b/io.py"]) == {}
    assert paired_places(["<string>"], ["<stdin>"]) == {}
