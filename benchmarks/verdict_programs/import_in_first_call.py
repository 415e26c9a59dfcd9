"""A service whose first call imports pandas; the others take a few milliseconds."""

import json
import time

took = []


def handle(n):
    import pandas as pd

    return int(pd.Series(range(n)).sum())


for _ in range(60):
    start = time.perf_counter()
    handle(1000)
    took.append(time.perf_counter() - start)
    time.sleep(0.1)
print(json.dumps({"seconds": took[0]}))
