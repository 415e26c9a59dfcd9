"""Waiting for the disk: fsync per record against one at the end, cold reads against warm ones."""

import os
import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, NamedTuple

import perftui
from perftui.probes.text.units import format_bytes, format_count, format_seconds
from perftui.scenarios.data.cache import scratch
from perftui.scenarios.data.page_cache import forget
from perftui.scenarios.define.definition import scenario
from perftui.scenarios.define.parameters import Range, Size
from perftui.scenarios.say.table import print_table

_RECORD = bytes(4096)
_SEED = 9
_FILE = Size("64MB")


class _Step(NamedTuple):
    name: str
    operations: int
    took_s: float
    cpu_s: float


@scenario(
    "io-wait",
    summary="records written with an fsync each and with one for all; pages read cold and warm",
    shows="a program that is slow with an idle CPU, and what it waits for",
)
def io_wait(
    seconds: Annotated[float, Range(0.1, 86_400), "per step"] = 2.5,
    size: Annotated[Size, Range(1_000_000, 10**12), "of the file that is read"] = _FILE,
) -> None:
    """See the module."""
    with scratch("io-wait", need_bytes=int(size) + 200_000_000) as folder:
        with perftui.phase("setup"):
            file = folder / "data"
            _fill(file, int(size))
            pick = random.Random(_SEED)
        steps = [
            _written(folder / "each", "write, fsync each", seconds, every=1),
            _written(folder / "once", "write, fsync per 1000", seconds, every=1000),
            _read(file, "read, cold", seconds, pick, cold=True),
            _read(file, "read, warm", seconds, pick, cold=False),
        ]
    print_table(
        ("step", "operations/s", "each", "on CPU", "waiting"),
        [
            (
                step.name,
                format_count(step.operations / step.took_s),
                format_seconds(step.took_s / max(step.operations, 1)),
                f"{min(step.cpu_s / step.took_s, 1.0):.0%}",
                f"{max(1 - step.cpu_s / step.took_s, 0.0):.0%}",
            )
            for step in steps
        ],
    )
    print(f"records and pages of 4096 B, file of {format_bytes(size)}")


def _fill(file: Path, size: int) -> None:
    block = random.Random(_SEED).randbytes(1_000_000)
    with file.open("wb") as handle:
        for start in range(0, size, len(block)):
            handle.write(block[: min(len(block), size - start)])


def _timed(name: str, seconds: float, operation: Callable[[], None], block: int) -> _Step:
    """Repeat an operation; `block` of them make one call: telling of each would cost more."""
    operations, cpu_before = 0, time.process_time()
    started = time.perf_counter()
    with perftui.phase(name):
        while time.perf_counter() - started < seconds:
            with perftui.call(name):
                for _ in range(block):
                    operation()
            operations += block
            perftui.count("bytes", block * len(_RECORD))
    took_s = time.perf_counter() - started
    return _Step(name, operations, took_s, time.process_time() - cpu_before)


_LARGEST = 10_000 * len(_RECORD)
"""Records overwrite the file from its start once it is this long: the disk is not to fill up."""


def _written(path: Path, name: str, seconds: float, every: int) -> _Step:
    with path.open("wb", buffering=0) as handle:
        written = 0

        def write() -> None:
            nonlocal written
            os.pwrite(handle.fileno(), _RECORD, written * len(_RECORD) % _LARGEST)
            written += 1
            if written % every == 0:
                os.fsync(handle.fileno())

        return _timed(name, seconds, write, block=every)


def _read(file: Path, name: str, seconds: float, pick: random.Random, cold: bool) -> _Step:
    pages = max(file.stat().st_size // len(_RECORD), 1)
    with file.open("rb", buffering=0) as handle:
        # Else the kernel reads the neighbours too, and soon everything is warm.
        os.posix_fadvise(handle.fileno(), 0, 0, os.POSIX_FADV_RANDOM)
        forget([file])
        if not cold:
            handle.readall()

        def read() -> None:
            offset = pick.randrange(pages) * len(_RECORD)
            os.pread(handle.fileno(), len(_RECORD), offset)
            if cold:
                start, length = offset, len(_RECORD)
                os.posix_fadvise(handle.fileno(), start, length, os.POSIX_FADV_DONTNEED)

        return _timed(name, seconds, read, block=1 if cold else 1000)
