"""A Parquet file in batches of 20 rows."""

import json
import tempfile
import time

import pyarrow as pa
import pyarrow.parquet as pq

with tempfile.TemporaryDirectory() as folder:
    pq.write_table(pa.table({f"c{n}": range(300_000) for n in range(12)}), f"{folder}/a.parquet")

    def scan():
        rows = 0
        for batch in pq.ParquetFile(f"{folder}/a.parquet").iter_batches(batch_size=20):
            rows += batch.num_rows
        return rows

    began, used = time.perf_counter(), 0.0
    while time.perf_counter() - began < 10:
        start = time.thread_time()
        scan()
        used += time.thread_time() - start
print(json.dumps({"seconds": used}))
