"""One of several processes that are alike is not: told by its peers, by no figure of ours."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from perftui.probes.detect.engine import Engine
from perftui.probes.detect.evidence.peers import Peers
from perftui.probes.detect.kinds.odd_one_out import the_odd_ones
from perftui.probes.spine.enriched import Reading
from perftui.probes.spine.records import Count, Exit, Metric, ProcessStart

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from perftui.probes.detect.evidence.observations import Edge, Observation

S = 1_000_000_000
MB = 1e6
KINDS = ("straggler", "lone_growth", "memory_skew")


class Pool:
    """Processes that one parent started with one command line, read once a second."""

    def __init__(self, n: int = 8, *, title: str = "") -> None:
        self.pids = [100 + k for k in range(n)]
        self.peers = Peers(0)
        self.wanted = dict.fromkeys(self.pids, 0.0)
        self.cpu = dict.fromkeys(self.pids, 0.0)
        for k, pid in enumerate(self.pids):
            argv = (f"rank {k}", "python", "train.py", "--port", str(pid))
            self.peers.began(ProcessStart(0, pid, 1, argv if title == "rank" else argv[1:]))

    def run(
        self,
        seconds: int,
        busy: Callable[[int, int], float],
        rss: Callable[[int, int], float] = lambda t, k: 50 * MB,
        done: Callable[[int, int], float] | None = None,
        ran: Callable[[int, int], float] = lambda t, k: 0.5,
        until: Callable[[int, int], bool] = lambda t, k: True,
    ) -> Iterator[Observation]:
        """Yield what is seen; `busy` and the others get the second and the process's place."""
        for t in range(seconds):
            rows = []
            for k, pid in enumerate(self.pids):
                if not until(t, k):
                    self.peers.ended(Exit(t * S, pid, 0, None))
                    continue
                wanted = busy(t, k) if t else 0.0
                self.wanted[pid] += wanted
                # The rest of it in the queue of a full machine.
                self.cpu[pid] += wanted * ran(t, k)
                metric = Metric(
                    t * S,
                    pid,
                    self.cpu[pid],
                    int(rss(t, k)),
                    run_queue_wait_s=self.wanted[pid] - self.cpu[pid],
                )
                rows.append(Reading(metric, None))
                if done is not None:
                    self.peers.count(Count(t * S, pid, "rows", done(t, k)))
            yield from self.peers.read(t * S, tuple(rows))


def edges(seen: Iterator[Observation]) -> list[Edge]:
    return [edge for edge in Engine(kinds=KINDS).feed_all(seen) if edge.severity != "info"]


@pytest.mark.parametrize(
    ("values", "odd"),
    [
        ([1, 1, 1, 1, 1, 1, 1, 0.1], (7,)),
        ([0.2, 0.1, 1.0, 0.2, 0.15, 0.1, 0.2, 0.2], (2,)),
        ([0.1, 0.1, 1, 1, 1, 1, 1, 1], (0, 1)),
        ([0.1, 0.1, 0.1, 1, 1, 1, 1, 1], ()),  # three of eight are no odd ones
        ([0.1, 0.3, 0.5, 0.7, 0.9, 1.1, 1.3, 1.5], ()),
        ([0.5, 0.5, 0.5, 0.6], ()),
        ([1, 1, 1, 0], (3,)),
    ],
)
def test_the_odd_ones_lie_apart_from_a_rest_that_is_close(
    values: list[float], odd: tuple[int, ...]
) -> None:
    assert sorted(the_odd_ones([(each, each) for each in values], 0.3)) == list(odd)


def test_who_works_while_its_peers_wait_is_named_within_five_seconds_with_its_rank() -> None:
    # All compute for 10 s; then one is slow, and the others wait for it.
    def busy(t: int, k: int) -> float:
        return 1.0 if t < 10 or k == 5 else 0.15

    told = edges(Pool(title="rank").run(20, busy))
    assert [edge.kind for edge in told] == ["straggler"]
    assert told[0].message.startswith("rank 5 (pid 105) works while its peers wait: busy 100% of")
    assert "7 peers 15%" in told[0].message
    assert told[0].t_detect_s - 10 <= 5
    assert told[0].t_onset_s == pytest.approx(10, abs=1)


def test_who_does_less_is_named_and_cleared_when_it_is_like_the_others_again() -> None:
    told = edges(Pool().run(40, lambda t, k: 0.05 if k == 2 and 10 <= t < 20 else 0.9))
    assert [(edge.kind, edge.severity) for edge in told] == [
        ("straggler", "warn"),
        ("straggler", "clear"),
    ]
    assert "(pid 102) does less than its peers: busy 5%" in told[0].message
    assert told[0].t_detect_s <= 15
    assert told[1].t_detect_s <= 25
    assert told[1].t_end_s == pytest.approx(20, abs=1.5)


def test_on_a_full_machine_who_runs_tells_apart_who_only_looks_whether_it_may() -> None:
    told = edges(Pool().run(20, lambda t, k: 1.0, ran=lambda t, k: 0.2 if k == 4 else 0.04))
    assert told[0].message == (
        "python (pid 104) works while its peers wait: on a core 20% of the time, 7 peers 4%"
    )


def test_who_makes_less_progress_lags_though_all_are_busy() -> None:
    told = edges(Pool().run(20, lambda t, k: 1.0, done=lambda t, k: t * (3.0 if k == 6 else 10.0)))
    assert told[0].message == "python (pid 106) lags: 12 rows in 4 s, its 7 peers 40"
    assert told[0].t_detect_s <= 8


def test_eight_alike_are_never_told_apart_however_they_vary() -> None:
    for seed in range(12):
        chance = random.Random(seed)
        level = chance.choice([0.1, 0.4, 0.7, 1.0])
        rows = [0.0] * 8

        def busy(t: int, k: int, chance: random.Random = chance, level: float = level) -> float:
            return max(chance.gauss(level, 0.2), 0.0)

        def done(t: int, k: int, chance: random.Random = chance, rows: list[float] = rows) -> float:
            rows[k] += max(round(chance.gauss(6, 2.5)), 0)
            return rows[k]

        def rss(t: int, k: int, chance: random.Random = chance) -> float:
            return (60 + 3 * t + chance.uniform(0, 30)) * MB

        assert edges(Pool().run(120, busy, rss, done)) == [], seed


def test_peers_that_never_worked_wait_for_nobody() -> None:
    assert edges(Pool().run(20, lambda t, k: 1.0 if k == 0 else 0.0)) == []


def test_who_grows_alone_is_named_and_a_single_load_is_not() -> None:
    def leak(t: int, k: int) -> float:
        return (100 + (4 * max(t - 5, 0) if k == 3 else k)) * MB

    told = edges(Pool().run(30, lambda t, k: 0.5, leak))
    assert [edge.kind for edge in told] == ["lone_growth"]
    assert told[0].message.startswith("python (pid 103) grows alone: +36.0 MB in 10 s")
    assert told[0].t_detect_s <= 5 + 12

    def seep(t: int, k: int) -> float:
        return (100 + (0.4 * max(t - 5, 0) if k == 3 else 0.01 * t)) * MB

    told = edges(Pool().run(50, lambda t, k: 0.5, seep))
    assert "(pid 103) grows alone: +" in told[0].message
    assert told[0].t_detect_s <= 5 + 31

    def load(t: int, k: int) -> float:
        return (100 + (150 if k == 3 and t >= 8 else 0)) * MB

    assert edges(Pool().run(30, lambda t, k: 0.5, load)) == []
    assert edges(Pool().run(30, lambda t, k: 0.5, lambda t, k: (100 + 4 * t) * MB)) == []


def test_who_holds_far_more_is_a_mark() -> None:
    seen = Pool().run(10, lambda t, k: 0.5, lambda t, k: (900 if k == 1 else 100 + k) * MB)
    told = [edge for edge in Engine(kinds=KINDS).feed_all(seen) if edge.kind == "memory_skew"]
    assert [edge.severity for edge in told] == ["info"]
    assert told[0].message == "python (pid 101) holds 900 MB, its 7 peers 100 MB to 107 MB"


def test_it_is_over_when_the_process_ends() -> None:
    def busy(t: int, k: int) -> float:
        return 0.0 if k == 2 and t > 3 else 0.9

    told = edges(Pool().run(30, busy, until=lambda t, k: k != 2 or t < 12))
    assert [edge.severity for edge in told] == ["warn", "clear"]
    assert told[1].t_detect_s <= 17


def test_three_are_too_few_and_other_commands_are_no_peers() -> None:
    assert edges(Pool(3).run(20, lambda t, k: 0.0 if k == 2 and t > 5 else 1.0)) == []
    pool = Pool(4)
    pool.peers.began(ProcessStart(0, pool.pids[0], 1, ("python", "other.py")))
    assert edges(pool.run(20, lambda t, k: 0.0 if k == 2 and t > 5 else 1.0)) == []


def test_the_row_of_the_odd_one_is_marked_while_it_is() -> None:
    from perftui.probes.spine.records import Alert
    from perftui.tui.widgets.panes.processes import odd_ones

    alerts = [
        Alert("memory_skew", "info", 10, 12, None, "python (pid 7) holds 900 MB", ""),
        Alert("straggler", "warn", 20, 25, 40, "rank 5 (pid 7) works while its peers wait", ""),
        Alert("mem_growth", "warn", 20, 25, 40, "process (pid 8) grows", ""),
    ]
    assert odd_ones(alerts, 30, 50) == {7: "◀ straggler"}
    assert odd_ones(alerts, 50, 60) == {7: "◀ holds most"}
    assert odd_ones(alerts, 0, 5) == {}
