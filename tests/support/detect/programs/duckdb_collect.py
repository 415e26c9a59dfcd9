"""A query engine's result as Arrow batches, each of them kept: what collect() does."""

import sys
import time

import duckdb
import pyarrow as pa

import perftui

connection = duckdb.connect(config={"threads": 1})
connection.sql("select 1").to_arrow_table()
kept: list[pa.RecordBatch] = []
time.sleep(3)
perftui.mark("truth: streaming_violation")
with perftui.phase("read"):
    end = time.monotonic() + float(sys.argv[1])
    sql = "select range as n, hash(range) as h from range(100_000_000)"
    for batch in perftui.watch(connection.sql(sql).to_arrow_reader(10_000)):
        kept.append(batch)
        time.sleep(0.015)
        if time.monotonic() > end:
            break
