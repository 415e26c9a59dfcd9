"""What each stack is given, from records whose sums are known."""

from __future__ import annotations

import random

from perftui.probes.spine.records import Stack
from perftui.probes.stacks.own.weigher import ENDED, Weigher

MS = 1_000_000
PID, TID = 10, 11
WORK, WAIT, HOARD = 1, 2, 3
AMOUNTS = (
    *("cpu_ns", "wall", "sleep_ns", "lock_ns", "touched_bytes", "grown_bytes", "unsure_bytes"),
)


class Rss:
    """RSS that grows at a constant rate."""

    def __init__(self, per_s: float) -> None:
        self.per_s = per_s

    def value_at(self, t_ns: int) -> float:
        return 1e6 + self.per_s * t_ns / 1e9

    def values(self, t0_ns: int, t1_ns: int) -> list[tuple[int, float]]:
        return []


def reading(
    t_ms: float,
    until_ms: float,
    node: int,
    state: str,
    cpu_ms: float = 0,
    *,
    tid: int = TID,
    faults: int = 0,
    window: int | None = 0,
    wait: str = "",
    queue_ms: float = 0,
) -> Stack:
    return Stack(
        round(t_ms * MS),
        round(until_ms * MS),
        PID,
        tid,
        node,
        cpu_ns=round(cpu_ms * MS),
        run_queue_ns=round(queue_ms * MS),
        faults=faults,
        faults_in_window=window,
        state=state,
        gil_held=state == "R",
        wait=wait,
    )


def holding(t_ms: float, until_ms: float, node: int, state: str = "S", tid: int = TID) -> Stack:
    return Stack(round(t_ms * MS), round(until_ms * MS), PID, tid, node, state=state)


def totals(batches: list[list[Stack]], rss: Rss | None = None) -> dict[int, dict[str, int]]:
    weigher = Weigher(page_bytes=4096)
    found: dict[int, dict[str, int]] = {}
    for batch in batches:
        for piece in weigher.weigh(batch, lambda _: None, rss):
            assert piece.t1_ns > piece.t0_ns
            sums = found.setdefault(piece.node, {})
            for name in AMOUNTS:
                sums[name] = sums.get(name, 0) + getattr(piece, name)
    return found


def test_a_poll_loop_gives_its_cpu_to_the_work_however_it_is_cut_into_batches() -> None:
    rows: list[Stack] = []
    t = 0.0
    for _ in range(60):
        # Work begins while nobody looks: its first CPU is found with its first reading.
        rows.append(reading(t, t + 6, WORK, "R", 4))
        rows.append(reading(t + 6, t + 40, WAIT, "S", 6, wait="sleep"))
        t += 40
    rows.append(holding(t, t + 0.001, WAIT, ENDED))
    rng = random.Random(3)
    for _ in range(5):
        batches: list[list[Stack]] = [[]]
        for row in rows:
            if rng.random() < 0.2:
                batches.append([])
            batches[-1].append(row)
        found = totals([batch for batch in batches if batch])
        assert sum(sums["cpu_ns"] for sums in found.values()) == 600 * MS
        assert found[WORK]["cpu_ns"] > 590 * MS
        assert abs(sum(sums["wall"] for sums in found.values()) - t * MS) < 41 * MS
        assert found[WAIT]["sleep_ns"] > 0.95 * found[WAIT]["wall"]


def test_a_thread_that_holds_on_goes_on_waiting() -> None:
    begin = [reading(0, 100, WAIT, "S", 1, wait="lock")]
    found = totals([begin, *([holding(t, t + 100, WAIT)] for t in range(100, 2000, 100))])
    assert found[WAIT]["lock_ns"] == found[WAIT]["wall"] - found[WAIT]["cpu_ns"] == 2000 * MS


def test_growth_goes_to_the_thread_that_faults() -> None:
    batches = [
        [
            reading(t, t + 50, WAIT, "S", 0.3, tid=11, faults=500, window=0, wait="sleep"),
            reading(t, t + 50, WORK, "R", 50, tid=12),
        ]
        for t in range(0, 4000, 50)
    ]
    found = totals(batches, Rss(40e6))
    assert found[WAIT]["grown_bytes"] > 110e6
    assert found[WORK]["grown_bytes"] == found[WORK]["touched_bytes"] == 0
    assert 70 * 500 * 4096 < found[WAIT]["touched_bytes"] <= 80 * 500 * 4096


def test_within_a_thread_the_stacks_that_were_met_faulting_have_the_faults() -> None:
    batches = []
    for n in range(1000):
        met = n % 20 == 0
        node = HOARD if met else WORK
        # The faults arrive with the next reading, in which other code runs already.
        batches.append(
            [reading(n * 10, n * 10 + 10, node, "R", 10, faults=256, window=40 if met else 0)]
        )
    batches.append([holding(10_000, 10_001, WORK, ENDED)])
    found = totals(batches)
    whole = sum(sums["touched_bytes"] for sums in found.values())
    assert whole == 1000 * 256 * 4096
    assert found[HOARD]["touched_bytes"] > 0.7 * whole


def test_where_few_readings_catch_any_faults_those_are_sure_and_the_others_are_not() -> None:
    batches = []
    for n in range(500):
        met = n % 125 == 60
        node = HOARD if met else WORK
        batches.append(
            [reading(n * 10, n * 10 + 10, node, "R", 10, faults=20, window=12 if met else 0)]
        )
    batches.append([reading(5_000, 6_000, WAIT, "S", 0, faults=40, window=40, wait="sleep")])
    batches.append([reading(6_000, 7_000, WAIT, "S", 0, faults=40, window=40, wait="sleep")])
    batches.append([holding(7_000, 7_001, WORK, ENDED)])
    found = totals(batches)
    assert sum(sums["touched_bytes"] for sums in found.values()) == 504 * 20 * 4096
    sure = {node: sums["touched_bytes"] - sums["unsure_bytes"] for node, sums in found.items()}
    assert {node: size for node, size in sure.items() if size} == {HOARD: 4 * 12 * 4096}


def test_what_was_never_met_is_given_out_when_the_thread_ends() -> None:
    found = totals(
        [
            [reading(0, 10, WAIT, "S", 2, wait="poll")],
            [reading(10, 20, WAIT, "S", 3, wait="poll"), holding(20, 21, WAIT, ENDED)],
        ]
    )
    assert sum(sums["cpu_ns"] for sums in found.values()) == 5 * MS
