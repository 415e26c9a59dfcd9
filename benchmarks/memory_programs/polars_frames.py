"""A frame of each query is put into a list of results."""

import sys
import time

import polars as pl

results = []


def load(n):
    return pl.DataFrame({"key": range(30_000), "value": [n] * 30_000})


def query(frame):
    results.append(frame.with_columns((pl.col("value") * 2).alias("twice")))


def report():
    return results[-1].group_by(pl.col("key") % 10).agg(pl.col("twice").sum())


end = time.time() + float(sys.argv[1])
n = 0
while time.time() < end:
    query(load(n))
    report()
    n += 1
    time.sleep(0.02)
