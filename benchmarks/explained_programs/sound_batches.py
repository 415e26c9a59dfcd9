"""Batches come, are added up, and are forgotten."""

import time

import pyarrow as pa
import pyarrow.compute as pc

total, end = 0, time.perf_counter() + 8
while time.perf_counter() < end:
    batch = pa.record_batch({"x": pa.array(range(50_000), pa.int64())})
    total += pc.sum(batch["x"]).as_py()
    time.sleep(0.02)
print(total)
