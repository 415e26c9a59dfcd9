from __future__ import annotations

import random

import pytest

from perftui.probes.spine.reader import Weights
from perftui.probes.spine.weighed import WeighedStack
from perftui.probes.store.stack_sums import StackSums
from perftui.probes.text.units import NS_PER_S

MAIN = (1, 1)
S = NS_PER_S


def piece(t0: float, t1: float, node: int, *, grown: int = 0, torn: bool = False) -> WeighedStack:
    start, end = round(t0 * S), round(t1 * S)
    return WeighedStack(start, end, MAIN, node, (end - start) // 2, grown, torn, 0.5)


def test_the_whole_session_is_exact() -> None:
    sums = StackSums()
    sums.add([piece(0, 1.5, 7, grown=100)])
    sums.add([piece(1.5, 2, 8, torn=True)])
    assert sums.sums(0, 10 * S) == {
        MAIN: {
            7: Weights(3 * S // 2, 3 * S // 4, 100, 0),
            8: Weights(S // 2, S // 4, 0, S // 2),
        }
    }


def test_a_recent_range_is_cut_to_the_nanosecond() -> None:
    sums = StackSums()
    sums.add([piece(0, 4, 7, grown=400)])
    found = sums.sums(1 * S, 1 * S + S // 4)[MAIN][7]
    assert found == Weights(S // 4, S // 8, 25, 0)


def test_a_recent_range_has_all_of_it_in_whatever_order_it_came() -> None:
    rng = random.Random(6)
    sums, pieces = StackSums(), []
    for now in range(100):
        begin = now / 2 - rng.choice((0, 0, 0.3, 4))  # those of some processes come later
        pieces.append(piece(max(begin, 0), max(begin, 0) + rng.choice((0.1, 0.5, 6)), now % 5))
        sums.add(pieces[-1:])
    for _ in range(30):
        t0 = rng.uniform(1, 50)
        t1 = t0 + rng.choice((0.1, 2, 20))
        expected: dict[int, int] = {}
        for one in pieces:
            overlap = min(one.t1_ns, round(t1 * S)) - max(one.t0_ns, round(t0 * S))
            if overlap > 0:
                expected[one.node] = expected.get(one.node, 0) + overlap
        found = sums.sums(round(t0 * S), round(t1 * S)).get(MAIN, {})
        assert {node: weights.wall_ns for node, weights in found.items()} == expected


def test_older_ranges_come_from_the_tiers_and_add_up() -> None:
    rng = random.Random(5)
    sums = StackSums()
    expected: dict[int, int] = {}
    now = 0.0
    while now < 1_200:
        took = rng.uniform(0.005, 0.4)
        node = rng.randrange(1, 20)
        sums.add([piece(now, now + took, node)])
        overlap = min(now + took, 900) - max(now, 600)
        if overlap > 0:
            expected[node] = expected.get(node, 0) + round(overlap * S)
        now += took
    found = sums.sums(600 * S, 900 * S)[MAIN]
    assert set(found) == set(expected)
    for node, wall_ns in expected.items():
        assert found[node].wall_ns == pytest.approx(wall_ns, abs=1_000)


def test_a_range_before_the_first_sample_is_empty() -> None:
    sums = StackSums()
    sums.add([piece(5, 6, 1)])
    assert sums.sums(0, 4 * S) == {}


def test_memory_is_bounded_over_a_day() -> None:
    sums = StackSums()
    for second in range(86_400):
        sums.add([piece(second, second + 1, second % 50 + 1)])
    assert sum(len(tier) for tier in sums._tiers) < 900 + 960 + 8_640 + 3
    total = sum(cell.wall_ns for cell in sums.sums(0, 86_400 * S)[MAIN].values())
    assert total == 86_400 * S


def test_a_range_that_begins_before_the_first_stack_is_exact_too() -> None:
    sums = StackSums()
    key = (1, 1)
    sums.add([WeighedStack(S // 10, S // 2, key, 5, 0, 0, False, 0.0)])
    sums.add([WeighedStack(S // 2, 3 * S, key, 6, 0, 0, False, 0.0)])
    found = sums.sums(0, S // 2 + S // 10)[key]
    assert found[5].wall_ns == S // 2 - S // 10
    assert found[6].wall_ns == S // 10


def test_what_is_past_changes_when_a_window_comes_late() -> None:
    """The windows of one process of a family come later than those of another."""
    sums = StackSums()
    sums.add([piece(0, 1, 1)])
    sums.add([piece(1, 2, 1)])
    sums.add([piece(2, 3, 1)])
    before = [sums.token(S, 2 * S), sums.token(0, S)]
    sums.add([piece(1.2, 1.8, 2)])
    after = [sums.token(S, 2 * S), sums.token(0, S)]
    assert after[0] != before[0]
    assert after[1] == before[1], "nothing of that range has changed"
    sums.add([piece(3, 4, 1)])
    assert [sums.token(S, 2 * S), sums.token(0, S)] == after


def test_a_second_that_comes_late_is_kept_and_forgotten_as_the_others() -> None:
    """Nobody ran for long, and then it is told of one who did, before all that is added to."""
    sums = StackSums()
    sums.add([piece(2, 3, 1)])
    sums.add([piece(at, at + 1, 1) for at in range(50, 100)])
    sums.add([piece(10, 11, 2)])
    for tier in sums._tiers:
        assert sorted(tier._open) == [n for n, at in tier.buckets.items() if at.open is not None]
    sums.add([piece(at, at + 1, 1) for at in range(100, 1_000)])
    found = sums.sums(0, 15 * S)[MAIN]
    assert {node: weights.wall_ns for node, weights in found.items()} == {1: S, 2: S}
