"""What lies back a few seconds is kept narrow, and comes back as it was."""

from __future__ import annotations

import random
import sys

import pytest

from perftui.probes.spine.weighed import WeighedStack
from perftui.probes.store.recent_pieces import RecentPieces

S = 1_000_000_000


def batches(seed: int, seconds: int) -> list[list[WeighedStack]]:
    """Two batches a second of three threads; some late, some without a known wall time."""
    pick = random.Random(seed)
    found = []
    for half in range(2 * seconds):
        pieces = []
        for tid in range(3):
            t0 = half * S // 2 - (pick.randrange(4 * S) if pick.random() < 0.05 else 0)
            for _ in range(pick.randrange(1, 6)):
                t1 = t0 + pick.randrange(1, S // 5)
                cpu = pick.choice((0, 0, pick.randrange(S // 5)))
                wall = None if seed % 2 and pick.random() < 0.3 else t1 - t0
                torn, touched = pick.random() < 0.02, pick.choice((0, 0, 4096))
                thread = (1, 1 + tid)
                node = pick.randrange(5)
                piece = WeighedStack(t0, t1, thread, node, cpu, 0, torn, 0.5, wall, touched)
                pieces.append(piece._replace(held=torn, state="R", catches=touched % 3))
                t0 = t1
        found.append(pieces)
    return found


def plain(piece: WeighedStack) -> tuple[object, ...]:
    """All that a sum is made of."""
    end = WeighedStack._fields.index("held")
    return tuple(piece._replace(cpu_share=0)[:end])


@pytest.mark.parametrize("seed", range(6))
def test_every_range_has_the_pieces_that_lie_in_it(seed: int) -> None:
    kept, all_of_them = RecentPieces(20 * S, 60_000), list[WeighedStack]()
    pick = random.Random(seed)
    for pieces in batches(seed, 40):
        begin, end = kept.add(pieces)
        assert (begin, end) == (min(p.t0_ns for p in pieces), max(p.t1_ns for p in pieces))
        all_of_them += pieces
        t0 = end - pick.randrange(25 * S)
        t1 = t0 + pick.randrange(1, 10 * S)
        if kept.reach_back_to(t0):
            found = [plain(piece) for piece in kept.between(t0, t1)]
            expected = [plain(p) for p in all_of_them if p.t1_ns > t0 and p.t0_ns < t1]
            assert found == expected
    newest = max(piece.t1_ns for piece in all_of_them)
    assert kept.reach_back_to(newest - 16 * S) and not kept.reach_back_to(newest - 30 * S)


def test_more_rows_than_may_be_are_let_go_and_that_is_known() -> None:
    kept = RecentPieces(1_000 * S, 100)
    for pieces in batches(1, 60):
        kept.add(pieces)
    assert not kept.reach_back_to(20 * S)
    # Of the newest seconds all are there, however many.
    assert kept.reach_back_to(58 * S)


def test_they_take_a_third_of_what_they_were() -> None:
    came = [
        [
            WeighedStack(
                half * S // 2 + n * S // 400,
                half * S // 2 + (n + 1) * S // 400,
                (1, 1 + n % 3),
                n % 7,
                10**6 + n,
                0,
                False,
                0.5,
                S // 400,
            )
            for n in range(200)
        ]
        for half in range(100)
    ]
    kept = RecentPieces(1_000 * S, 60_000)
    for pieces in came:
        kept.add(pieces)
    narrow = sum(
        sys.getsizeof(column)
        for together in kept._old
        if together._columns is not None
        for column in together._columns._columns
        if column is not None
    )
    rows = sum(together.rows for together in kept._old)
    assert rows > 15_000
    assert narrow / rows < sys.getsizeof(came[0][0]) / 3
