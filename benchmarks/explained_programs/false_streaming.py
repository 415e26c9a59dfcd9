"""Batches are handed on one by one, and all of them are kept by whoever hands them on."""

import time

import pyarrow as pa


def fetch(n):
    time.sleep(0.06)
    return pa.record_batch({"x": pa.array(range(n, n + 250_000), pa.int64())})


def stream(parts):
    seen = []
    for n in range(parts):
        batch = fetch(n)
        seen.append(batch)
        yield batch


def consume():
    rows = 0
    for batch in stream(110):
        rows += batch.num_rows
    return rows


print(consume())
