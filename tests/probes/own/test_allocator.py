"""Our own processes allocate from one place, however many threads they have."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

ARENAS = """
import sys, threading
if sys.argv[1:]:
    from perftui.probes.own.allocator import share_one_arena
    share_one_arena()
together = threading.Barrier(5)
def allocate():
    kept = [bytes(2_000) for _ in range(100)]
    together.wait(), together.wait()
for _ in range(4): threading.Thread(target=allocate).start()
together.wait()
size = 64 << 20
begins = [int(line.partition("-")[0], 16) for line in open("/proc/self/maps")]
ends = [int(line.split()[0].partition("-")[2], 16) for line in open("/proc/self/maps")]
print(sum(begin % size == 0 and begin + size in ends for begin in begins))
together.wait()
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another allocator")
def test_threads_have_no_arena_of_their_own() -> None:
    counts = []
    for words in ([], ["one"]):
        argv = [sys.executable, "-c", ARENAS, *words]
        counts.append(int(subprocess.run(argv, capture_output=True, check=True).stdout))
    assert counts[0] > counts[1] == 0
