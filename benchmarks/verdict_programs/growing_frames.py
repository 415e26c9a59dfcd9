"""Each day's DataFrame is kept, for a concat that comes at the end."""

import json
import time

import numpy as np
import pandas as pd

parts = []


def read_day(n):
    return pd.DataFrame({"day": n, "x": np.random.rand(100_000)})


began, n, curve = time.perf_counter(), 0, []
while time.perf_counter() - began < 14:
    parts.append(read_day(n))
    n += 1
    curve.append((time.monotonic_ns(), n * 1_600_000))
    time.sleep(0.06)
print(json.dumps({"bytes": int(sum(part.memory_usage().sum() for part in parts)), "curve": curve}))
