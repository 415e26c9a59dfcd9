"""Each row goes to the disk before the next."""

import json
import os
import tempfile
import time
from pathlib import Path


def waiting():
    """Seconds that this thread has neither had a core nor wanted one."""
    ran, queued, _ = map(int, Path("/proc/thread-self/schedstat").read_text().split())
    return time.perf_counter() - (ran + queued) / 1e9


def append(file, row):
    file.write(row)
    file.flush()
    os.fsync(file.fileno())


with tempfile.NamedTemporaryFile(dir=".") as out:
    began, before = time.perf_counter(), waiting()
    while time.perf_counter() - began < 10:
        append(out, b"a row of some length\n" * 4)
print(json.dumps({"seconds": waiting() - before}))
