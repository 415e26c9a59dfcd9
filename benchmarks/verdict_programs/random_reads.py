"""Small reads all over a big file that is not in the page cache."""

import json
import os
import random
import tempfile
import time
from pathlib import Path

SIZE = 400_000_000


def waiting():
    """Seconds that this thread has neither had a core nor wanted one."""
    ran, queued, _ = map(int, Path("/proc/thread-self/schedstat").read_text().split())
    return time.perf_counter() - (ran + queued) / 1e9


def lookup(fd, key):
    return os.pread(fd, 512, key)


with tempfile.NamedTemporaryFile(dir=".") as out:
    for _ in range(SIZE // 10_000_000):
        out.write(os.urandom(1_000_000) * 10)
    out.flush()
    os.fsync(out.fileno())
    fd = out.fileno()
    os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_RANDOM)
    began, before, n = time.perf_counter(), waiting(), 0
    while time.perf_counter() - began < 12:
        if n % 2_000 == 0:
            os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
        lookup(fd, random.randrange(SIZE - 512))
        n += 1
print(json.dumps({"seconds": waiting() - before}))
