"""A process too many of whose stacks have to be read again is told of, once."""

from __future__ import annotations

from perftui.probes.stacks.own.in_motion import InMotion
from perftui.probes.stacks.own.records import ProcessRecord, Tally

S = 1_000_000_000


def process(index: int, pid: int) -> ProcessRecord:
    return ProcessRecord(0, index, pid, "sampled", "", 0)


def second(of: ProcessRecord, n: int, awake: int, again: int) -> Tally:
    return Tally(of, n * S, (n + 1) * S, 100, 100, 0, 0, awake, again, S, S)


def test_it_is_told_once_of_each_and_not_before_there_is_enough() -> None:
    motion, one, other = InMotion(), process(0, 71), process(1, 72)
    told = [motion.take(second(one, n, 100, 66)) for n in range(6)]
    assert [bool(text) for text in told] == [False, False, True, False, False, False]
    # What has room on a line of 80 cells says what is unsure, and what to do.
    start = "self times unsure: 66 % of looks came too late; --native is exact"
    assert told[2].startswith(start)
    assert len(start) <= 68
    assert "process 71" in told[2]
    assert not any(motion.take(second(other, n, 100, 5)) for n in range(9)), "mostly it held still"
    assert not any(motion.take(second(other, n, 0, 0)) for n in range(9)), "it sleeps"
    motion.forget(0)
    again = [motion.take(second(one, n, 100, 66)) for n in range(3)]
    assert any(again), "another process has its number"
