"""Threads that wait for each other: the same work below one lock and without it.

The work is hashing, which lets go of the GIL: without the lock, threads use every core. Below the
lock they take turns, CPU stays at one core, and all but one thread wait at the same line.
"""

import hashlib
import os
import threading
import time
from contextlib import AbstractContextManager, nullcontext
from typing import Annotated, Literal

import perftui
from perftui.probes.text.units import format_count, format_seconds
from perftui.scenarios.define.definition import scenario
from perftui.scenarios.define.parameters import Range
from perftui.scenarios.say.table import print_table

_BLOCK = bytes(1_000_000)


@scenario(
    "lock-wait",
    summary="threads that hash below one lock, then without it",
    shows="many threads, one core busy: everybody waits at the lock",
)
def lock_wait(
    mode: Annotated[Literal["locked", "free", "both"], "with one lock, or without"] = "both",
    threads: Annotated[int, Range(1, 1000), "that want to work at the same time"] = 4,
    seconds: Annotated[float, Range(0.1, 86_400), "per mode"] = 6.0,
) -> None:
    """See the module."""
    modes = ("locked", "free") if mode == "both" else (mode,)
    rows = []
    for each in modes:
        with perftui.phase(each):
            blocks, waited_s, cpu_s = _run(each == "locked", threads, seconds)
        rows.append(
            (
                each,
                format_count(blocks / seconds),
                f"{cpu_s / seconds:.2f}",
                format_seconds(waited_s / threads),
                f"{waited_s / threads / seconds:.0%}",
            )
        )
    print_table(("mode", "blocks/s", "cores busy", "waited per thread", "share"), rows)
    print(f"{threads} threads, {os.cpu_count()} cores, {format_seconds(seconds)} per mode")


def _run(locked: bool, threads: int, seconds: float) -> tuple[int, float, float]:
    """Returns blocks hashed, seconds waited for the lock by all threads, CPU seconds."""
    lock: AbstractContextManager[object] = threading.Lock() if locked else nullcontext()
    done: list[tuple[int, float]] = []
    end = time.perf_counter() + seconds

    def work() -> None:
        blocks, waited_s = 0, 0.0
        while True:
            asked = time.perf_counter()
            if asked >= end:
                break
            with lock:
                waited_s += time.perf_counter() - asked
                hashlib.sha256(_BLOCK).digest()
            blocks += 1
            perftui.count("blocks")
        done.append((blocks, waited_s))

    cpu_before = time.process_time()
    workers = [threading.Thread(target=work, name=f"hasher-{index}") for index in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    cpu_s = time.process_time() - cpu_before
    return sum(blocks for blocks, _ in done), sum(waited for _, waited in done), cpu_s
