"""Sums over stacks: self, total, recursion, torn stacks, merging by function."""

from __future__ import annotations

import random

from perftui.probes.profile.sums import MergedSums, MergedTree, busy, function_sums, node_totals
from perftui.probes.spine.calltree import ROOT, CallTree
from perftui.probes.spine.reader import ThreadTree, Weights

MS = 1_000_000


def stack_of(tree: CallTree, *frames: tuple[str, str, int]) -> int:
    return tree.intern(tree.frame_id(*frame) for frame in frames)


def thread(
    selfs: dict[int, Weights], name: str = "MainThread", tid: int = 1, waiting: str = ""
) -> ThreadTree:
    wall = sum(w.wall_ns for w in selfs.values())
    cpu = sum(w.cpu_ns for w in selfs.values())
    grown = sum(w.grown_bytes for w in selfs.values())
    return ThreadTree(1, tid, name, wall, cpu, grown, selfs, waiting)


def test_self_and_total_of_a_small_program() -> None:
    tree = CallTree()
    main = ("main", "/p/app.py", 10)
    leaf_a = stack_of(tree, main, ("load", "/p/app.py", 20))
    leaf_b = stack_of(tree, main, ("load", "/p/app.py", 22), ("parse", "/p/parse.py", 5))
    leaf_c = stack_of(tree, main)
    stack = thread(
        {
            leaf_a: Weights(10 * MS, 8 * MS, 100, 0),
            leaf_b: Weights(30 * MS, 30 * MS, 900, 0, 4096),
            leaf_c: Weights(2 * MS, 0, 0, 0),
        }
    )
    rows = {row.function: row for row in function_sums(tree, [stack])}
    assert [r.function for r in function_sums(tree, [stack])] == ["parse", "load", "main"]
    assert rows["main"].total == (42 * MS, 38 * MS, 1000, 4 * MS, 4096)
    assert rows["main"].self_ == (2 * MS, 0, 0, 2 * MS, 0)
    assert rows["load"].self_ == (10 * MS, 8 * MS, 100, 2 * MS, 0)
    assert rows["load"].total == (40 * MS, 38 * MS, 1000, 2 * MS, 4096)
    assert rows["load"].line == 22, "the line with most time stands for the function"
    by_line = {(r.function, r.line): r for r in function_sums(tree, [stack], by_line=True)}
    assert by_line["load", 20].total.wall_ns == 10 * MS
    assert by_line["load", 22].total.wall_ns == 30 * MS


def test_recursion_counts_once_in_totals() -> None:
    tree = CallTree()
    fib = [("fib", "/p/fib.py", line) for line in (3, 4, 3, 4)]
    deep = stack_of(tree, ("main", "/p/fib.py", 9), *fib, ("leaf", "/p/fib.py", 1), fib[0])
    shallow = stack_of(tree, ("main", "/p/fib.py", 9), fib[0])
    stack = thread({deep: Weights(5 * MS, 0, 0, 0), shallow: Weights(1 * MS, 0, 0, 0)})
    rows = {row.function: row for row in function_sums(tree, [stack])}
    assert rows["fib"].total.wall_ns == 6 * MS
    assert rows["fib"].self_.wall_ns == 6 * MS
    assert rows["leaf"].total.wall_ns == 5 * MS
    lines = {r.line: r for r in function_sums(tree, [stack], by_line=True) if r.function == "fib"}
    assert lines[3].total.wall_ns == 6 * MS
    assert lines[4].total.wall_ns == 5 * MS


def test_torn_stacks_charge_their_leaf_and_no_caller() -> None:
    tree = CallTree()
    leaf = stack_of(tree, ("main", "/p/a.py", 1), ("work", "/p/a.py", 2))
    stack = thread({leaf: Weights(10 * MS, 10 * MS, 0, 4 * MS)})
    rows = {row.function: row for row in function_sums(tree, [stack])}
    assert rows["work"].self_.wall_ns == 10 * MS
    assert rows["work"].total.wall_ns == 10 * MS
    assert rows["main"].total.wall_ns == 6 * MS
    _, total, lost = node_totals(tree, [stack])
    assert total[ROOT][0] == 10 * MS
    assert lost == [4 * MS, 4 * MS, 0, 0, 0]


def test_merged_tree_joins_lines_and_skips_import_plumbing() -> None:
    tree = CallTree()
    main = ("<module>", "/p/app.py", 1)
    plumbing = ("_find_and_load", "<frozen importlib._bootstrap>", 1176)
    one = stack_of(tree, main, plumbing, plumbing, ("<module>", "/p/lib.py", 3))
    two = stack_of(tree, main, ("f", "/p/app.py", 5))
    three = stack_of(tree, main, ("f", "/p/app.py", 6))
    own = stack_of(tree, main, plumbing)
    stack = thread(
        {node: Weights(MS * (i + 1), 0, 0, 0) for i, node in enumerate((one, two, three, own))}
    )
    merged = MergedTree(tree)
    sums = MergedSums(merged, [stack])
    assert merged.merge(two) == merged.merge(three)
    assert sums.total[ROOT][0] == 10 * MS
    module = merged.merge(stack_of(tree, main))
    assert sums.total[module][0] == 10 * MS
    assert sums.own[module][0] == 4 * MS, "plumbing counts for the importer"
    children = sums.children()[module]
    assert [merged.frame(c).function for c in children] == ["<module>", "f"]
    f = merged.merge(two)
    assert sums.line[f] == 6
    assert [(line, amount.wall_ns) for line, amount in sums.lines(f)] == [(6, 3 * MS), (5, 2 * MS)]


def test_totals_agree_with_walking_every_stack() -> None:
    rng = random.Random(7)
    for _ in range(30):
        tree = CallTree()
        selfs: dict[int, Weights] = {}
        for _ in range(rng.randrange(1, 60)):
            depth = rng.randrange(1, 12)
            frames = [
                (f"f{rng.randrange(6)}", "/p/x.py", rng.randrange(1, 4)) for _ in range(depth)
            ]
            wall = rng.randrange(1, 1000)
            selfs[stack_of(tree, *frames)] = Weights(wall, wall // 2, wall * 3, 0)
        expected_total: dict[str, int] = {}
        expected_self: dict[str, int] = {}
        for node, weights in selfs.items():
            names = [tree.frame(step).function for step in tree.path(node)]
            for name in set(names):
                expected_total[name] = expected_total.get(name, 0) + weights.wall_ns
            expected_self[names[-1]] = expected_self.get(names[-1], 0) + weights.wall_ns
        rows = function_sums(tree, [thread(selfs)])
        assert {r.function: r.total.wall_ns for r in rows} == expected_total
        assert {r.function: r.self_.wall_ns for r in rows if r.self_.wall_ns} == expected_self
        sums = MergedSums(MergedTree(tree), [thread(selfs)])
        assert sums.total[ROOT][0] == sum(w.wall_ns for w in selfs.values())
        for node, called in sums.children().items():
            inside = sum(sums.total[child][0] for child in called)
            assert sums.total[node][0] == inside + sums.own.get(node, [0])[0]


def test_busy_leaves_out_threads_that_only_wait() -> None:
    tree = CallTree()
    leaf = stack_of(tree, ("main", "/p/a.py", 1))
    main = thread({leaf: Weights(100, 0, 0, 0)})
    idle = thread({leaf: Weights(100, 0, 0, 0)}, "reader", 2)
    hot = thread({leaf: Weights(100, 90, 0, 0)}, "pool", 3)
    assert busy([hot, idle, main]) == (hot, main)
    assert busy([idle]) == (idle,)


def test_import_plumbing_is_charged_to_the_code_that_imports() -> None:
    tree = CallTree()
    main = tree.frame_id("main", "/app/job.py", 3)
    load = tree.frame_id("_find_and_load", "<frozen importlib._bootstrap>", 1176)
    module = tree.frame_id("<module>", "/app/dep.py", 1)
    plumbing = tree.intern([main, load])
    inside = tree.intern([main, load, module])
    weights = {plumbing: Weights(30, 0, 0, 0), inside: Weights(70, 0, 0, 0)}
    thread = ThreadTree(1, 1, "MainThread", 100, 0, 0, weights, "")
    rows = {row.function: row for row in function_sums(tree, [thread])}
    assert set(rows) == {"main", "<module>"}
    assert (rows["main"].self_.wall_ns, rows["main"].total.wall_ns) == (30, 100)
    assert rows["<module>"].total.wall_ns == 70
