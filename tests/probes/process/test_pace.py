"""What costs more is done less often, and never for more than its share."""

import pytest
from support.fresh import steps

from perftui.probes.process.face import ProcessReader
from perftui.probes.process.metrics import SHARES_CORE, MetricProbe
from perftui.probes.process.opening import open_process
from perftui.probes.process.pace import CostPace
from perftui.probes.spine.log import SessionLog
from perftui.probes.spine.records import Metric, Notice

S = 1_000_000_000


@pytest.mark.parametrize("cost_ns", [10_000, 9_000_000, 200_000_000, 3 * S])
def test_the_share_is_kept_over_time(cost_ns: int) -> None:
    pace, spent, done = CostPace(0.01), 0, []
    for second in range(2000):
        if pace.may(second * S):
            pace.took(cost_ns)
            spent += cost_ns
            done.append(second)
    assert done[0] == 0
    assert spent <= 0.01 * 2000 * S + 0.01 * S + cost_ns
    if cost_ns < 0.01 * S:
        assert len(done) == 2000, "what fits is done every time"


def test_a_clock_that_goes_back_gives_nothing() -> None:
    pace = CostPace(0.01)
    assert pace.may(5 * S)
    pace.took(S)
    assert not pace.may(2 * S)
    assert not pace.may(50 * S)
    assert pace.may(102 * S)


class Dear:
    """A process at the cost of one with many pages."""

    def __init__(self, real: ProcessReader, cost_ns: int) -> None:
        self.real = real
        self.cost_ns = cost_ns

    def __getattr__(self, name: str) -> object:
        return getattr(self.real, name)

    def shares(self, metric: Metric) -> Metric:
        import time

        end = time.thread_time_ns() + self.cost_ns
        while time.thread_time_ns() < end:
            pass
        return self.real.shares(metric)


def test_what_is_not_read_is_unknown_and_for_the_whole_tree() -> None:
    read = []
    with steps("step()") as program:
        probe = MetricProbe(SessionLog(), program.pid)
        readers = {n: Dear(open_process(program.pid), 15_000_000) for n in (1, 2)}
        probe._family.readers = readers  # type: ignore[assignment]
        for second in range(1, 9):
            rows = [row for row in probe._read_metrics(second * S, "slow") if type(row) is Metric]
            assert [row.fds is None for row in rows] == [False, False], "it is cheap: always read"
            assert len({row.pss_bytes is None for row in rows}) == 1, "of both or of neither"
            read.append(rows[0].pss_bytes is not None)
    # 30 ms of an allowance of 10 a second: at once, then every third time at most.
    assert read[0] and 2 <= sum(read) <= 3
    assert SHARES_CORE == 0.01


def test_one_that_ends_before_its_shares_are_read_is_not_counted_as_if_it_shared_nothing() -> None:
    """A child that has just been forked has all of its parent's memory."""
    with steps("step()") as program:
        with steps("step()") as child:
            ended = Dear(open_process(child.pid), 0)
            before = ended.real.fast(S)
        probe = MetricProbe(SessionLog(), program.pid)
        ended.fast = lambda t_ns: before  # type: ignore[attr-defined]
        readers = {program.pid: open_process(program.pid), child.pid: ended}
        probe._family.readers = readers  # type: ignore[assignment]
        rows = probe._read_metrics(S, "slow")
        for reader in readers.values():
            reader.close()  # type: ignore[attr-defined]
    assert [row.pid for row in rows if type(row) is Metric] == [program.pid]
    assert not [row for row in rows if type(row) is Notice]
