"""A database whose first query builds what the later ones use."""

import sys
import time

import duckdb

import perftui

connection = duckdb.connect(config={"threads": 1})
time.sleep(1)
perftui.mark("truth: cold_start")
end = time.monotonic() + float(sys.argv[1])
ready = False
while time.monotonic() < end:
    with perftui.call("query"):
        if not ready:
            connection.execute(
                "create table t as select range as id, hash(range) as h from range(16000000)"
            )
            ready = True
        connection.execute("select count(*) from t where id = 77").fetchall()
    time.sleep(0.2)
