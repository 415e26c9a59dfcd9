"""Growth beside a sampler that tells stacks alone: by the page faults of each thread."""

from __future__ import annotations

import mmap

from perftui.probes.spine.records import Stack
from perftui.probes.spine.weighing import weigh
from perftui.probes.stacks.faults_seen import FaultsSeen

S = 1_000_000_000
MB = 1_000_000


class Series:
    """Readings of one figure."""

    def __init__(self, *rows: tuple[int, float]) -> None:
        self.rows = list(rows)

    def values(self, t0_ns: int, t1_ns: int) -> list[tuple[int, float]]:
        return [row for row in self.rows if t0_ns <= row[0] < t1_ns]

    def value_at(self, t_ns: int) -> float | None:
        return next((value for t, value in reversed(self.rows) if t <= t_ns), None)


RSS = Series((0, 0.0), (S, 50.0 * MB))
CPU = {(1, 1): Series((0, 0.0), (S, 0.0)), (1, 2): Series((0, 0.0), (S, 0.9))}
"""Thread 1 needs next to no CPU, thread 2 burns it."""


def _grown(*faults: int | None) -> list[tuple[int, int]]:
    stacks = [Stack(0, S, 1, n, n, faults=each) for n, each in enumerate(faults, 1)]
    found = weigh(stacks, CPU.get, RSS)
    return [(each.grown_bytes, each.touched_bytes) for each in found]


def test_what_a_thread_touched_is_its_own_whoever_burns_the_cpu() -> None:
    page = mmap.PAGESIZE
    assert _grown(3_000, 0) == [(50 * MB, 3_000 * page), (0, 0)]
    assert _grown(3_000, 1_000) == [(37_500_000, 3_000 * page), (12_500_000, 1_000 * page)]
    first, second = _grown(None, None)  # not told: an estimate by CPU
    assert second[0] > first[0] > 0
    assert first[1] == second[1] == 0


def test_faults_of_a_time_are_between_two_readings() -> None:
    seen = FaultsSeen(1)
    for t_ns, faults in ((0, 100), (S, 100), (2 * S, 1_100)):
        seen.add(7, t_ns, faults)
    assert seen.between(7, 0, S) == 0
    assert seen.between(7, S // 2, 3 * S // 2) == 500
    assert seen.between(7, S, 5 * S) == 1_000
    assert seen.between(8, 0, S) is None


def test_threads_are_read_at_a_pace_and_few_of_them() -> None:
    seen = FaultsSeen(1 << 23)  # no such process: nothing is known, and nothing is raised
    seen.note([1, 2], S)
    assert seen.between(1, 0, S) is None
    seen.add(5, S, 1)
    seen.add(5, 2 * S, 2)
    seen.note(range(1_000), 30 * S)
    assert seen.between(5, S, 2 * S) == 1, "too many: not looked at, nothing forgotten"
    seen.note([1], 60 * S)
    assert seen.between(5, S, 2 * S) is None, "ended long ago"
