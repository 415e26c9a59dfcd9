"""Readings wait only while they say nothing new, and never lose their order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perftui.probes.process.held_back import HOLD_NS, MOVED_BYTES, HeldBack
from perftui.probes.spine.records import Exit, Metric, ThreadCpu
from perftui.probes.text.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perftui.probes.spine.records import Record

TICK_NS = NS_PER_S // 20
MIB = 1 << 20


def metric(t_ns: int, rss: int = 100 * MIB, pid: int = 1) -> Metric:
    return Metric(t_ns, pid, 0.0, rss)


class Log:
    """What came when, and a probe that has been at work for a while."""

    def __init__(self) -> None:
        self.came: list[tuple[Record, ...]] = []
        self.held = HeldBack(self.hand_on)
        self.t_ns = 0
        while self.t_ns < 10 * NS_PER_S:
            self.tick()
        self.held.hand_on()
        self.came.clear()

    def hand_on(self, records: Sequence[Record]) -> None:
        self.came.append(tuple(records))

    def tick(self, rss: int = 100 * MIB) -> Metric:
        self.t_ns += TICK_NS
        made = metric(self.t_ns, rss)
        self.held.take(self.t_ns, [made])
        return made


def test_memory_that_stands_still_waits_for_the_next_picture() -> None:
    log = Log()
    told = [log.tick() for _ in range(40)]
    assert [one for batch in log.came for one in batch] == told[: sum(map(len, log.came))]
    assert all(batch[-1].t_ns - batch[0].t_ns <= HOLD_NS for batch in log.came)  # type: ignore[union-attr]
    assert len(log.came) == 4


def test_readings_of_threads_are_no_news() -> None:
    log = Log()
    made = log.tick()
    thread = ThreadCpu(log.t_ns, 1, 1, "main", 0.5, "R", 0.0)
    log.held.take(log.t_ns, [metric(log.t_ns), thread])
    assert not log.came
    log.held.hand_on()
    assert log.came == [(made, metric(log.t_ns), thread)]
    log.tick()
    assert len(log.came) == 1, "the same process as before"


def test_what_moves_comes_at_once_behind_what_waited() -> None:
    log = Log()
    waits = log.tick(100 * MIB + MOVED_BYTES - 1)
    assert not log.came
    moves = log.tick(100 * MIB + MOVED_BYTES)
    assert log.came == [(waits, moves)]
    log.tick(100 * MIB + MOVED_BYTES)
    assert len(log.came) == 1, "it stands still again"
    log.tick(100 * MIB)
    assert len(log.came) == 2


def test_whoever_comes_or_ends_is_told_at_once() -> None:
    log = Log()
    log.held.take(log.t_ns, [metric(log.t_ns), metric(log.t_ns, pid=2)])
    assert len(log.came) == 1
    log.held.take(log.t_ns, [metric(log.t_ns), Exit(log.t_ns, 2, None, None)])
    assert len(log.came) == 2


def test_the_first_seconds_are_told_reading_by_reading() -> None:
    came: list[int] = []
    held = HeldBack(lambda records: came.append(len(records)))
    for n in range(20):
        held.take(5 * NS_PER_S + n * TICK_NS, [metric(n * TICK_NS)])
    assert came == [1] * 20
    held.hand_on()
    assert len(came) == 20, "nothing waits"


def test_it_is_handed_on_when_the_others_wake_too() -> None:
    log = Log()
    for _ in range(40):
        log.tick()
    assert {batch[-1].t_ns % HOLD_NS for batch in log.came} == {0}  # type: ignore[union-attr]
