"""All batches of a table are put together before the first is used."""

import json
import time

import pyarrow as pa

SIZE = 4_000_000


def batches():
    for n in range(60):
        time.sleep(0.15)
        yield pa.record_batch({"x": pa.array(range(n, n + SIZE // 8), pa.int64())})


def load():
    return pa.Table.from_batches(list(batches()))


table = load()
kept = table.nbytes
time.sleep(1)
print(json.dumps({"bytes": kept}))
