"""Whose a frame is, and how what is not the program's own folds."""

from __future__ import annotations

import random

import pytest

from perftui.probes.profile.folding import Folded, fold_sums, unfolded
from perftui.probes.profile.inverted import InvertedNodes, invert
from perftui.probes.profile.place import called, mains_of
from perftui.probes.profile.sums import MergedSums, MergedTree
from perftui.probes.profile.whose import library_of, whose
from perftui.probes.spine import calltree
from perftui.probes.spine.calltree import ROOT, CallTree, Frame, module_of
from perftui.probes.spine.reader import ThreadTree, Weights

SITE = "/v/lib/python3.12/site-packages/"
LIB = "/usr/lib/python3.12/"
MS = 1_000_000


def frame(file: str, function: str = "f", kind: calltree.FrameKind = "py") -> Frame:
    return Frame(function, file, 1, module_of(file), kind)


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("/home/a/proj/orders/service.py", "yours"),
        ("service.py", "yours"),
        ("C:\\proj\\service.py", "yours"),
        ("/home/a/proj/.venv/src/mine/core.py", "yours"),
        ("/home/a/lib/mine.py", "yours"),
        ("/home/a/Lib/mine.py", "yours"),
        ("/tmp/ipykernel_7/123.py", "yours"),
        ("/x/app.pyz/app/main.py", "yours"),
        ("<stdin>", "yours"),
        ("<ipython-input-3-abc>", "yours"),
        ("<string>", "yours"),
        (SITE + "pandas/core/frame.py", "installed"),
        ("/usr/lib/python3/dist-packages/apt/cache.py", "installed"),
        ("C:\\v\\Lib\\site-packages\\pandas\\core\\frame.py", "installed"),
        (LIB + "threading.py", "stdlib"),
        ("/opt/py/lib/python3.15t/asyncio/base_events.py", "stdlib"),
        ("/src/cpython/Lib/asyncio/events.py", "stdlib"),
        ("/x/python312.zip/json/decoder.py", "stdlib"),
        ("<frozen importlib._bootstrap>", "stdlib"),
        ("<attrs generated init mine.Order>", "unknown"),
        ("<__array_function__ internals>", "unknown"),
        ("", "unknown"),
    ],
)
def test_whose_is_told_by_where_the_file_was(file: str, expected: str) -> None:
    assert whose(frame(file)) == expected


def test_what_is_generated_or_left_out_is_nobodys() -> None:
    assert whose(frame("<string>", "__init__")) == "unknown"
    assert whose(frame("/p/app.py", "…", "elided")) == "unknown"
    assert whose(frame("/usr/lib/x86_64-linux-gnu/libc.so.6", "read", "native")) == "unknown"
    assert whose(frame(SITE + "duckdb/duckdb.cpython-312.so", "run", "native")) == "installed"


def test_our_own_frames_are_the_runner_and_a_scenario_is_the_program() -> None:
    here = calltree._PACKAGES[0]
    assert whose(frame(here + "tui/_root/__init__.py")) == "runner"
    assert library_of(frame(here + "tui/_root/__init__.py")) == "perftui"
    assert (
        whose(frame(here + ".venv/lib/python3.12/site-packages/duckdb/__init__.py")) == "installed"
    )
    assert whose(frame(here + "examples/orders.py")) == "yours"
    assert whose(frame(here + "scenarios/engines/orders.py")) == "yours"
    assert whose(frame(SITE + "perftui/probes/agent/names.py")) == "runner"
    assert whose(frame(SITE + "perftui/scenarios/engines/orders.py")) == "yours"


def app(function: str, line: int = 1) -> tuple[str, str, int]:
    return (function, "/p/app.py", line)


def pandas(function: str) -> tuple[str, str, int]:
    return (function, SITE + "pandas/core/frame.py", 1)


def numpy(function: str) -> tuple[str, str, int]:
    return (function, SITE + "numpy/core.py", 1)


def lib(function: str, module: str = "threading") -> tuple[str, str, int]:
    return (function, f"{LIB}{module}.py", 1)


START = (lib("_bootstrap"), lib("_bootstrap_inner"), lib("run"))


def folded_of(
    *stacks: tuple[tuple[tuple[str, str, int], ...], int], opened: tuple[str, ...] = ()
) -> tuple[Folded, MergedTree, MergedSums]:
    """Fold stacks of (frames from the outermost on, ms of wall time)."""
    tree = CallTree()
    cells: dict[int, Weights] = {}
    for frames, ms in stacks:
        node = tree.intern([tree.frame_id(*each) for each in frames])
        cells[node] = Weights(ms * MS, ms * MS // 2, ms, 0)
    wall = sum(cell.wall_ns for cell in cells.values())
    sums = MergedSums(
        MergedTree(tree), [ThreadTree(1, 1, "MainThread", wall, wall // 2, 0, cells, "")]
    )
    entries = [n for n in sums.total if sums.merged.frame(n).function in opened]
    return fold_sums(sums, entries), sums.merged, sums


def drawn(folded: Folded, merged: MergedTree, node: int = ROOT) -> list[object]:
    """Return [name ms, what is below] as it would be drawn."""
    names = folded.children(lambda n: (merged.frame(n).function, merged.frame(n).file))
    rows: list[object] = []
    for child in names.get(node, ()):
        at = folded.folds.get(child)
        name = f"▸ {at.words}" if at else merged.frame(child).function
        rows.append(f"{name} {folded.total[child][0] // MS}")
        below = drawn(folded, merged, child)
        if below:
            rows.append(below)
    return rows


def test_library_frames_that_hang_together_are_one() -> None:
    folded, merged, _ = folded_of(
        ((app("main"), pandas("apply"), pandas("loop"), app("price")), 30),
        ((app("main"), pandas("apply"), numpy("dot")), 50),
        ((app("main"), lib("dumps", "json")), 5),
    )
    assert drawn(folded, merged) == [
        "main 85",
        ["▸ 3 pandas, numpy frames 80", ["price 30"], "dumps 5"],
    ]


def test_what_starts_a_thread_is_passed_over() -> None:
    folded, merged, sums = folded_of(
        ((*START, app("work"), pandas("apply"), pandas("loop")), 60),
        ((*START, app("idle")), 10),
        (START, 3),
    )
    assert drawn(folded, merged) == [
        "▸ 3 threading frames 3",
        "idle 10",
        "work 60",
        ["▸ 2 pandas frames 60"],
    ]
    assert folded.total[ROOT] == sums.total[ROOT]


def test_what_was_passed_over_and_has_nothing_left_is_gone() -> None:
    folded, merged, _ = folded_of(((*START, app("work")), 60))
    assert drawn(folded, merged) == ["work 60"]


def test_without_code_of_the_programs_own_nothing_folds() -> None:
    folded, merged, _ = folded_of(((*START, lib("get", "queue"), lib("wait")), 60))
    assert not folded.folds
    assert drawn(folded, merged)[0] == "_bootstrap 60"


def test_a_fold_can_be_opened_alone() -> None:
    stacks = (
        ((app("main"), pandas("apply"), pandas("loop")), 30),
        ((app("main"), numpy("dot"), numpy("inner")), 20),
    )
    folded, merged, _ = folded_of(*stacks, opened=("apply",))
    assert drawn(folded, merged) == [
        "main 50",
        ["apply 30", ["loop 30"], "▸ 2 numpy frames 20"],
    ]
    folded, merged, _ = folded_of(((*START, app("work")), 6), opened=("_bootstrap",))
    assert drawn(folded, merged)[0] == "_bootstrap 6"


def test_what_nobody_can_place_folds_with_its_caller_and_else_stays() -> None:
    made = ("__init__", "<attrs generated init x.Y>", 1)
    folded, merged, _ = folded_of(
        ((app("main"), pandas("apply"), made), 30),
        ((app("main"), made), 20),
    )
    assert drawn(folded, merged) == ["main 50", ["__init__ 20", "▸ 2 pandas frames 30"]]


def test_many_libraries_are_counted_not_listed() -> None:
    frames = tuple((f"f{n}", f"{SITE}lib{n}/core.py", 1) for n in range(5))
    folded, _, _ = folded_of(((app("main"), *frames), 30))
    assert [each.words for each in folded.folds.values()] == ["5 frames of lib0, lib4 and 3 more"]


def test_folding_loses_nothing_whatever_the_stacks() -> None:
    rng = random.Random(7)
    pool = [app("a"), app("b"), pandas("p"), pandas("q"), numpy("n"), lib("t"), ("x", "", 0)]
    for _ in range(60):
        stacks = tuple(
            (tuple(rng.choice(pool) for _ in range(rng.randint(1, 9))), rng.randint(1, 50))
            for _ in range(rng.randint(1, 25))
        )
        folded, _, sums = folded_of(*stacks)
        plain = unfolded(sums)
        below: dict[int, int] = {}
        for node, total in folded.total.items():
            assert min(total) >= 0
            if node != ROOT:
                assert folded.above[node] in folded.total, "what is drawn hangs on what is drawn"
                below[folded.above[node]] = below.get(folded.above[node], 0) + total[0]
        for node, total in folded.total.items():
            own = folded.self_.get(node, [0])[0]
            assert below.get(node, 0) + own == total[0], "callees and own time make up the total"
        assert sum(each[0] for each in folded.self_.values()) == plain.total[ROOT][0]


def test_upside_down_what_ran_is_on_top_and_its_callers_below() -> None:
    folded, merged, _ = folded_of(
        ((app("main"), app("load"), app("parse")), 30),
        ((app("main"), app("again"), app("parse")), 20),
        ((app("main"), pandas("apply"), pandas("loop")), 7),
    )
    nodes = InvertedNodes()
    found = invert(folded, nodes, merged.frame, False, 0)
    again = invert(folded, nodes, merged.frame, False, 0)
    assert again.tree.total == found.tree.total, "a node keeps its id"

    def rows(node: int) -> list[object]:
        below: list[object] = []
        for child, total in found.tree.total.items():
            if child != ROOT and found.tree.above[child] == node:
                frame = nodes.frames[child]
                assert frame is not None
                fold = found.tree.folds.get(child)
                below.append(f"{fold.words if fold else frame.function} {total[0] // MS}")
                below += [rows(child)] if rows(child) else []
        return below

    assert rows(ROOT) == [
        "parse 50",
        ["load 30", ["main 30"], "again 20", ["main 20"]],
        "2 pandas frames 7",
        ["main 7"],
    ]
    assert found.tree.total[ROOT] == folded.total[ROOT]


@pytest.mark.parametrize(
    ("function", "file", "expected"),
    [
        ("<module>", SITE + "pandas/core/__init__.py", "import pandas.core"),
        ("<module>", LIB + "json/decoder.py", "import json.decoder"),
        ("<module>", "/p/orders/__init__.py", "import orders"),
        ("<module>", "/p/pricing.py", "import pricing"),
        ("<module>", "/p/etl.py", "__main__"),
        ("<module>", SITE + "pytest/__main__.py", "__main__"),
        ("<module>", "<string>", "__main__"),
        ("load", "/p/etl.py", "load"),
    ],
)
def test_code_of_a_module_is_called_by_what_ran_it(function: str, file: str, expected: str) -> None:
    assert called(function, file, {"etl.py"}) == expected


@pytest.mark.parametrize(
    ("argv", "expected"),
    [
        (("/usr/bin/python3.12", "-X", "dev", "-u", "/p/etl.py", "a.py"), "etl.py"),
        (("etl.py",), "etl.py"),
        (("python", "-m", "orders.run", "x.py"), "run.py"),
        (("python", "-c", "import x", "y.py"), ""),
        (("/v/bin/gunicorn", "app:app"), "gunicorn"),
        ((), ""),
    ],
)
def test_the_main_module_is_told_by_the_command_line(argv: tuple[str, ...], expected: str) -> None:
    assert mains_of([argv]) == ({expected} if expected else set())
