"""Each row goes to the disk before the next."""

import json
import os
import tempfile
import time

waited = 0.0


def append(file, row):
    global waited
    file.write(row)
    file.flush()
    start = time.perf_counter()
    os.fsync(file.fileno())
    waited += time.perf_counter() - start


with tempfile.NamedTemporaryFile(dir=".") as out:
    began = time.perf_counter()
    while time.perf_counter() - began < 10:
        append(out, b"a row of some length\n" * 4)
print(json.dumps({"seconds": waited}))
