"""A file that is read whole again and again, never from the page cache."""

import json
import os
import tempfile
import time

waited = 0.0


def read_all(fd):
    global waited
    os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
    os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_RANDOM)  # no read ahead
    start, used, at = time.perf_counter(), time.thread_time(), 0
    while os.pread(fd, 65_536, at):
        at += 65_536
    waited += time.perf_counter() - start - (time.thread_time() - used)


with tempfile.NamedTemporaryFile(dir=".") as out:
    for _ in range(30):
        out.write(os.urandom(1_000_000) * 10)
    out.flush()
    os.fsync(out.fileno())
    began = time.perf_counter()
    while time.perf_counter() - began < 10:
        read_all(out.fileno())
print(json.dumps({"seconds": waited}))
