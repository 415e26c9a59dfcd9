"""Rows are added to a table of Lance, and what was sent is kept for a retry that never comes."""

import sys
import tempfile
import time

import lancedb
import pyarrow as pa

sent = []


def make_rows(n):
    data = pa.array([float(n)] * 64 * 2_000, pa.float32())
    batch = pa.table({"id": range(2_000), "vector": pa.FixedSizeListArray.from_arrays(data, 64)})
    sent.append(batch)
    return batch


def add(table, batch):
    table.add(batch)


with tempfile.TemporaryDirectory() as folder:
    database = lancedb.connect(folder)
    table = database.create_table("t", make_rows(0))
    end = time.time() + float(sys.argv[1])
    n = 1
    while time.time() < end:
        add(table, make_rows(n))
        n += 1
