"""When a program is asked who makes its memory grow, and which functions are measured."""

from __future__ import annotations

from itertools import pairwise

import pytest

from perftui.probes.detect.inquirer import suspects_of
from perftui.probes.detect.suspicion import LONGEST_PAUSE_NS, Suspicion
from perftui.probes.spine.calltree import CallTree
from perftui.probes.spine.reader import ThreadTree, Weights

TICK_NS = 50_000_000
MB = 1_000_000


def asked_at(rss: list[float], *, lasts_s: float = 3.0) -> list[float]:
    """Return at which seconds somebody looks, by RSS in MB at 20 Hz."""
    suspicion = Suspicion()
    found = []
    for n, value in enumerate(rss):
        if suspicion.take(n * TICK_NS, round(value * MB)):
            suspicion.asked(n * TICK_NS, round(lasts_s * 1e9))
            found.append(n * TICK_NS / 1e9)
    return found


@pytest.mark.parametrize(
    ("mb_per_s", "by_s"), [(40, 2.1), (4, 4.1), (1, 13.1), (0.7, 7.6), (0.4, 31.1)], ids=str
)
def test_what_rises_is_looked_at_soon(mb_per_s: float, by_s: float) -> None:
    found = asked_at([50 + mb_per_s * n / 20 for n in range(20 * 70)])
    assert found[0] <= by_s


def test_what_is_level_or_swings_is_left_alone() -> None:
    assert asked_at([50.0] * 2000) == []
    assert asked_at([50 + 3 * (n % 20 < 10) for n in range(2000)]) == []
    assert asked_at([50 + 100 * (n % 20 == 0) for n in range(2000)]) == [], "peaks, not the floor"


def test_what_goes_on_rising_is_asked_less_and_less() -> None:
    found = asked_at([50 + n for n in range(20 * 600)])
    pauses = [b - a for a, b in pairwise(found)]
    assert pauses == sorted(pauses)
    assert pauses[0] < 10
    assert pauses[-1] == pytest.approx(LONGEST_PAUSE_NS / 1e9 + 3, abs=1)


def test_suspects_are_the_programs_own_functions_that_touch_memory() -> None:
    tree = CallTree()

    def leaf(*frames: tuple[str, str, int]) -> int:
        return tree.intern([tree.frame_id(*frame) for frame in frames])

    main = ("main", "/app/a.py", 1)
    hoard = leaf(main, ("hoard", "/app/a.py", 5), ("zeros", "/x/site-packages/numpy/n.py", 9))
    burn = leaf(main, ("burn", "/app/a.py", 8))
    cells = {
        hoard: Weights(0, 10, 0, 0, touched_bytes=9_000),
        burn: Weights(0, 10**9, 0, 0, touched_bytes=0),
    }
    thread = ThreadTree(1, 1, "MainThread", 10**9, 10**9, 0, cells, "")
    assert sorted(suspects_of(tree, [thread])) == [
        ("/app/a.py", "hoard", 5),
        ("/app/a.py", "main", 1),
    ]
    # By CPU where nobody counts page faults.
    blind = {node: cell._replace(touched_bytes=0) for node, cell in cells.items()}
    first = suspects_of(tree, [thread._replace(self_by_node=blind)])
    assert [name for _, name, _ in first] == ["main", "burn", "hoard"]
    # What no sample tells apart was given to their caller: then all that ran in it.
    (caller,) = {tree.parent(node) for node in (burn, tree.parent(hoard))}
    given = {caller: Weights(0, 0, 0, 0, touched_bytes=9_000, unsure_bytes=9_000), **blind}
    first = suspects_of(tree, [thread._replace(self_by_node=given)])
    assert {name for _, name, _ in first} == {"main", "burn", "hoard"}


def test_what_rises_while_modules_are_loaded_is_theirs() -> None:
    suspicion = Suspicion()
    for n in range(20 * 8):
        suspicion.importing(n * TICK_NS)
    assert not any(suspicion.take(n * TICK_NS, 90 * MB) for n in range(20 * 8, 20 * 20))
