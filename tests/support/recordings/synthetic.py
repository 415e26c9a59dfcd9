"""A believable session as records: the same every time."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from perftui.probes.spine.reader import Target
from perftui.probes.spine.records import (
    Alert,
    Call,
    Collected,
    Count,
    Exit,
    Gap,
    GrowthLook,
    ImportBegin,
    ImportEnd,
    Installed,
    Keeper,
    LogLine,
    Mark,
    MemoryPart,
    Metric,
    Notice,
    Overhead,
    PhaseBegin,
    PhaseEnd,
    Plan,
    Pool,
    ProcessStart,
    Record,
    Rise,
    Run,
    Stack,
    StackWindow,
    TaskSeen,
    ThreadCpu,
    ThreadName,
)
from perftui.probes.text.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Iterator

    from perftui.probes.spine.calltree import CallTree

S = NS_PER_S
PID, CHILD = 4_000, 4_001
T0 = 1_000 * S
TARGET = Target("load.py", ("python", "load.py"), PID, "3.12.1", launched=True, agent=True)


def frames(tree: CallTree, names: str) -> list[int]:
    return [tree.frame_id(name, f"/srv/app/{name}.py", ord(name[0])) for name in names.split()]


def nodes(tree: CallTree) -> list[int]:
    """Leaves of a small tree, a path of site-packages among them."""
    engine = tree.frame_id("execute", "/v/lib/python3.12/site-packages/duckdb/__init__.py", 9)
    return [
        tree.intern(frames(tree, "main read parse")),
        tree.intern(frames(tree, "main read")),
        tree.intern(frames(tree, "main write flush")),
        tree.intern([*frames(tree, "main query"), engine]),
    ]


def session(
    tree: CallTree, seconds: int = 40, *, seed: int = 1, end: bool = True, own: bool = False
) -> Iterator[list[Record]]:
    """Yield the batches of a session in the order in which the probes would append them."""
    rng = random.Random(seed)
    leaves = nodes(tree)
    yield [
        ProcessStart(T0, PID, 1, TARGET.argv, "3.12.1"),
        ImportBegin(T0, PID, PID, 1, "duckdb", None, 10_000_000),
        ImportBegin(T0 + S // 10, PID, PID, 2, "duckdb.x", 1, 12_000_000),
        ImportEnd(T0 + S // 5, PID, 2, S // 10, S // 10, 15_000_000, ok=True),
        ImportEnd(T0 + S // 2, PID, 1, 4 * S // 10, S // 2, 20_000_000, ok=True),
        PhaseBegin(T0 + S // 2, PID, PID, 1, "load", None, 0.4, 20_000_000),
        ThreadName(T0, PID, PID, "MainThread"),
    ]
    rss, cpu, rows = 20_000_000, [0.0, 0.0, 0.0], 0
    for second in range(seconds):
        base = T0 + second * S
        yield from _second(rng, base, second, rss, cpu, rows)
        rss += 3_000_000 if second % 7 else -8_000_000
        rows += 20_000
        yield _stacks(rng, base, leaves)
        if own and 20 <= second < 30:
            yield from _own_stacks(rng, base, leaves)
        if second == 12:
            cause = ("convert", "/app/etl.py", 21, True)
            yield [
                ImportBegin(base, PID, PID, 3, "slow", None, None, *cause),
                Collected(base, PID, base - S // 4, 0, 12, 12, 4_000_000, 900_000, 30),
                Collected(base, PID, base - S // 10, 2, 1, 1, S // 10, S // 10, 0),
            ]
        if second == 20:
            yield [
                ProcessStart(base, CHILD, PID, ("python", "-c", "x"), None),
                PhaseBegin(base, PID, PID, 2, "parse", 1, 9.0, rss),
                Alert("mem_growth", "warn", base - S, base, None, "grows", "slope"),
            ]
        if second == 30:
            yield [
                PhaseEnd(base, PID, 2, 14.0, rss),
                Exit(base, CHILD, None, None),
                Alert("mem_growth", "warn", base - 11 * S, base - 10 * S, base, "grew", "slope"),
                Gap(base, base + S // 2, "suspended"),
                Collected(base, PID, base - S, 0, 40, 40, S // 50, S // 500, 900),
                Run(base, PID, 1, True, True, 9 * S, S, 0, S, base - 7 * S, 7 * S),
                Installed(base, PID, "pyarrow", "26.0.1"),
                Run(base + S, PID, 2, False, False, S, None, None, None, base, S - 5),
            ]
    last = T0 + seconds * S
    yield [Overhead(last, 1.5 * seconds / 40, 45_000_000, 3, 12_000_000, 0)]
    if end:
        yield [Exit(last, PID, 3, None, 30.5, 2.25, 190_000_000)]


def _second(
    rng: random.Random, base: int, second: int, rss: int, cpu: list[float], rows: int
) -> Iterator[list[Record]]:
    for tick in range(20):
        t = base + tick * S // 20 + rng.randrange(300_000)
        metric = Metric(t, PID, sum(cpu), rss + rng.randrange(2_000_000))
        if tick == 0:
            metric = metric._replace(
                high_water_rss_bytes=rss + 5_000_000,
                cpu_user_s=sum(cpu) * 0.9,
                cpu_system_s=sum(cpu) * 0.1,
                threads=3,
                io_read_bytes=second * 4096,
                run_queue_wait_s=second * 0.001,
            )
        batch: list[Record] = [metric]
        if 20 <= second < 30:
            batch.append(Metric(t, CHILD, second * 0.01, 9_000_000))
        if tick % 5 == 0:
            for index, share in enumerate((0.2, 0.1, 0.02)):
                cpu[index] += share * rng.random()
                name = "duckdb-scan" if index == 2 else "python"
                state, wait = "RSD"[index], None if index == 1 else second * 0.4
                thread = PID + 10 * index
                batch.append(ThreadCpu(t, PID, thread, name, cpu[index], state, wait))
        if tick == 10:
            batch.append(Overhead(t, second * 0.03, 44_000_000, second // 9, 11_000_000, 0))
        yield batch
        if tick % 4 == 0:
            yield [
                Count(t, PID, "rows", rows + tick * 1000.0),
                Count(t, PID, "batches", second * 5.0 + tick // 4),
                Pool(t, PID, "arrow", 1_000_000 + rng.randrange(500_000), "mimalloc"),
            ]
            if tick % 8 == 0:
                yield [
                    MemoryPart(t, PID, "Arrow", 1_000_000 + second, 900_000),
                    MemoryPart(t, PID, "libraries", 2_000_000 - tick, 1_000_000),
                ]
    yield [
        Call(base + S // 3, PID, PID, "query", second + 1, S // (2 + second), ok=second % 9 != 8),
        LogLine(base + S // 2, "stderr" if second % 5 == 0 else "stdout", f"line {second} ✓"),
    ]
    if second % 10 == 3:
        yield [Mark(base + 7, PID, f"mark {second}"), Notice(base + 8, "info", f"note {second}")]
        # Told twice: the second time with what was found out meanwhile.
        plan = Plan(base + 9, PID, "query", f"SCAN of {second} ✓", "in the scan", 2)
        yield [plan, plan._replace(t_ns=base + 10, rows_read=second, rows_needed=1)]
        where = '[["read_socket","/app/service.py",6]]'
        first = TaskSeen(base + 11, PID, 1, 2, "writer", "sleep", where)
        yield [
            first,
            first._replace(n=2, name="fetch-0", awaits=None),
            GrowthLook(base + 12, PID, base, "census", 9_000_000, 1_500, 8_000_000, 3_000, "", 1),
            Keeper(
                base + 12,
                PID,
                base,
                "service.CACHE",
                "dict",
                "bytes",
                second,
                second + 90,
                9_000_000,
                False,
                "read_socket\t/app/service.py\t6",
            ),
            GrowthLook(base + 13, PID, base, "entry and exit", -4_096, 12, 1_000, 0, "", 2),
            Rise(base + 13, PID, base, "read_socket", "/app/service.py", 6, 12, -8_192, 4_096),
            Rise(base + 13, PID, base, "", "", 0, 0, 4_096, 0),
        ]


_WAITS = ("sleep", "lock", "poll", "gil", "child", "other", "disk")


def _own_stacks(rng: random.Random, base: int, leaves: list[int]) -> Iterator[list[Record]]:
    """A child by the own sampler: a few batches a second, the counters of each reading in them."""
    work, wait = leaves[0], leaves[1]
    for part in range(4):
        t = base + part * S // 4
        batch: list[Record] = [ThreadName(t, CHILD, CHILD, "MainThread")]
        node, state = wait, "S"
        batch.append(Stack(t, t + S // 100, CHILD, CHILD, node, state=state))
        t += S // 100
        for turn in range(5):
            node, state = (work, "R") if node == wait else (wait, "S")
            until = t + rng.randrange(10_000_000, 40_000_000)
            used = rng.randrange(1_000_000, 6_000_000)
            faults = rng.randrange(40)
            facts = (used, 100_000, faults, faults // 2, state, None, state == "R", False)
            waits = _WAITS[(3 * part + turn) % len(_WAITS)] if state == "S" else ""
            batch.append(Stack(t, until, CHILD, CHILD, node, False, *facts, waits, "task-7"))
            t = until
        yield batch
    window = StackWindow(
        base, base + S, CHILD, 100, 20, 0, 0, 0.01, "own sampler", 100, S // 9, S // 10
    )
    yield [window]


def _stacks(rng: random.Random, base: int, leaves: list[int]) -> list[Record]:
    """One window, as the relay brings it: late, sorted, with its figures behind."""
    found: list[Stack] = []
    for index in (0, 1):
        t = base + 1_000 * index
        while t < base + S:
            until = min(t + rng.randrange(10_000_000, 40_000_000), base + S)
            torn = rng.random() < 0.03
            found.append(Stack(t, until, PID, PID + 10 * index, rng.choice(leaves), torn))
            t = until
    found.sort()
    torn_count = sum(stack.torn for stack in found)
    window = StackWindow(base, base + S, PID, 100, 199, 1, torn_count, 0.02, "py-spy")
    return [ThreadName(base, PID, PID + 10, "worker"), *found, window]
