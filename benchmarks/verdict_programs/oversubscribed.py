"""An engine with 64 threads on a machine of few cores."""

import json
import time

import duckdb

con = duckdb.connect(config={"threads": 64})
con.execute("CREATE TABLE t AS SELECT i, i % 1000 AS k FROM range(20000000) x(i)")


def group():
    return con.execute("SELECT k, sum(i), median(i) FROM t GROUP BY k").fetchall()


began = time.perf_counter()
while time.perf_counter() - began < 10:
    group()
print(json.dumps({"seconds": time.process_time()}))
