"""Records of a busy program that never ran: 4 threads x 100 Hz x 30 frames, 20 Hz metrics.

Every sample is another stack (of 4,000), as in a program whose work is spread widely; real ones
mostly have fewer. What `recording_cost.py` and `recording_open.py` write.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from perftui.probes.spine.reader import Target
from perftui.probes.spine.records import (
    Count,
    Metric,
    Overhead,
    ProcessStart,
    Record,
    Stack,
    StackWindow,
    ThreadCpu,
    ThreadName,
)
from perftui.probes.text.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Iterator

    from perftui.probes.spine.calltree import CallTree

PID = 4_000
THREADS = 4
RATE_HZ = 100
DEPTH = 30
STACKS = 4_000
FUNCTIONS = 1_500
TARGET = Target("synthetic", ("python", "synthetic.py"), PID, "3.12.1", launched=True, agent=True)


def leaves(tree: CallTree, rng: random.Random) -> list[int]:
    """Intern the stacks: common callers at the root side, variety at the leaf side."""
    frames = [
        tree.frame_id(
            f"function_{n}", f"/srv/app/site-packages/package{n % 40}/module{n % 200}.py", n % 900
        )
        for n in range(FUNCTIONS)
    ]
    found = []
    for number in range(STACKS):
        fixed = [
            frames[(depth * 37 + number // 4 ** max(0, 8 - depth // 3)) % FUNCTIONS]
            for depth in range(23)
        ]
        found.append(tree.intern([*fixed, *rng.choices(frames, k=DEPTH - 23)]))
    return found


def seconds_of(tree: CallTree, count: int) -> Iterator[list[list[Record]]]:
    """Yield the batches of one second after the other, times from 0 on."""
    rng = random.Random(1)
    stacks = leaves(tree, rng)
    rss = 300_000_000
    cpu = [0.0] * THREADS
    for second in range(count):
        base = second * NS_PER_S
        batches: list[list[Record]] = []
        if second == 0:
            batches.append([ProcessStart(0, PID, 1, TARGET.argv, "3.12.1")])
            batches.append([ThreadName(0, PID, PID + n, f"worker {n}") for n in range(THREADS)])
        for tick in range(20):
            t_ns = base + tick * NS_PER_S // 20 + rng.randrange(200_000)
            rss += rng.randrange(-8, 9) * 4096
            metric = Metric(t_ns, PID, sum(cpu), rss)
            batch: list[Record] = [metric]
            if tick == 0:
                batch[0] = _slow(metric, second)
                batch.append(Overhead(t_ns, second * 0.05, 50_000_000, second // 60, 3_000_000, 0))
            if tick % 5 == 0:
                for n in range(THREADS):
                    cpu[n] += 0.25 * rng.uniform(0.8, 1.0)
                    batch.append(ThreadCpu(t_ns, PID, PID + n, "python", cpu[n], "R"))
                batch.append(Count(t_ns, PID, "rows", (second * 4 + tick // 5) * 10_000.0))
            batches.append(batch)
        batches.append(_window(base, stacks, rng))
        yield batches


def _slow(metric: Metric, second: int) -> Metric:
    rss = metric.rss_bytes
    return metric._replace(
        high_water_rss_bytes=rss + 10_000_000,
        cpu_user_s=metric.cpu_s * 0.9,
        cpu_system_s=metric.cpu_s * 0.1,
        anon_rss_bytes=rss * 7 // 10,
        pss_bytes=rss * 9 // 10,
        uss_bytes=rss * 8 // 10,
        swap_bytes=0,
        threads=8,
        fds=20,
        io_read_bytes=second * 4096,
        io_write_bytes=second * 12_288,
        faults_major=3,
        context_switches_voluntary=second * 50,
        context_switches_involuntary=second * 20,
        run_queue_wait_s=second * 0.001,
    )


def _window(base: int, stacks: list[int], rng: random.Random) -> list[Record]:
    """One second of stacks: times on py-spy's grid of microseconds, as late as it is."""
    found: list[Record] = []
    step = NS_PER_S // RATE_HZ
    for n in range(THREADS):
        begin = base
        for sample in range(RATE_HZ):
            end = base + (sample + 1) * step
            if sample < RATE_HZ - 1:
                end += rng.randrange(-150, 150) * 1_000
            found.append(Stack(begin, end, PID, PID + n, rng.choice(stacks)))
            begin = end
    samples = THREADS * RATE_HZ
    found.append(StackWindow(base, base + NS_PER_S, PID, RATE_HZ, samples, 0, 0, 0.02, "py-spy"))
    return found
