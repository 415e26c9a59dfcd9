"""A query engine's result, batch by batch, none kept."""

import sys
import time

import duckdb

import perftui

connection = duckdb.connect(config={"threads": 1})
with perftui.phase("stream"):
    end = time.monotonic() + float(sys.argv[1])
    total = 0
    while time.monotonic() < end:
        connection.execute("select range as n, range * 0.5 as x from range(500000)")
        while batch := connection.fetchmany(20_000):
            total += len(batch)
            perftui.count("rows", len(batch))
