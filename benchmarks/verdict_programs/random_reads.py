"""Small reads all over a big file that is not in the page cache."""

import json
import os
import random
import tempfile
import time

SIZE = 400_000_000
waited = 0.0


def lookup(fd, key):
    global waited
    start = time.perf_counter()
    data = os.pread(fd, 512, key)
    waited += time.perf_counter() - start
    return data


with tempfile.NamedTemporaryFile(dir=".") as out:
    for _ in range(SIZE // 10_000_000):
        out.write(os.urandom(1_000_000) * 10)
    out.flush()
    os.fsync(out.fileno())
    fd = out.fileno()
    os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_RANDOM)
    began, n = time.perf_counter(), 0
    while time.perf_counter() - began < 12:
        if n % 2_000 == 0:
            os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
        lookup(fd, random.randrange(SIZE - 512))
        n += 1
print(json.dumps({"seconds": waited}))
