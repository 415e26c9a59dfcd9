"""After four seconds of work a request needs a library that nobody had imported."""

import json
import time


def answer(n):
    return sum(range(n))


def export():
    start = time.perf_counter()
    import pyarrow.dataset  # noqa: F401

    return time.perf_counter() - start


late = 0.0
for n in range(140):
    answer(10_000)
    if n == 60:
        late = export()
    time.sleep(0.05)
print(json.dumps({"seconds": late}))
