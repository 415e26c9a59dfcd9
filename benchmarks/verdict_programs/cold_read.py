"""A file that is read whole again and again, never from the page cache."""

import json
import os
import tempfile
import time
from pathlib import Path


def waiting():
    """Seconds that this thread has neither had a core nor wanted one."""
    ran, queued, _ = map(int, Path("/proc/thread-self/schedstat").read_text().split())
    return time.perf_counter() - (ran + queued) / 1e9


def read_all(fd):
    os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
    os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_RANDOM)  # no read ahead
    at = 0
    while os.pread(fd, 65_536, at):
        at += 65_536


with tempfile.NamedTemporaryFile(dir=".") as out:
    for _ in range(30):
        out.write(os.urandom(1_000_000) * 10)
    out.flush()
    os.fsync(out.fileno())
    began, before = time.perf_counter(), waiting()
    while time.perf_counter() - began < 10:
        read_all(out.fileno())
print(json.dumps({"seconds": waiting() - before}))
