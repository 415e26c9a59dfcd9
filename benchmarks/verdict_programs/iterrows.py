"""A DataFrame row by row."""

import json
import time

import pandas as pd

frame = pd.DataFrame({"a": range(20_000), "b": range(20_000)})


def weigh(df):
    whole = 0
    for _, row in df.iterrows():
        whole += row["a"] * row["b"]
    return whole


began, used = time.perf_counter(), 0.0
while time.perf_counter() - began < 10:
    start = time.process_time()
    weigh(frame)
    used += time.process_time() - start
print(json.dumps({"seconds": used}))
