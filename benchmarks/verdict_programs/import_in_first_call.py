"""A service whose first call imports pandas; the others take a few milliseconds."""

import json
import time

took = []


def handle(n):
    start = time.perf_counter()
    import pandas as pd

    took.append(time.perf_counter() - start)
    return int(pd.Series(range(n)).sum())


for _ in range(60):
    handle(1000)
    time.sleep(0.1)
print(json.dumps({"seconds": took[0]}))
