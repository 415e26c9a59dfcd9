"""A sort that does not fit into the memory that the engine may use."""

import json
import tempfile
import time

import duckdb

with tempfile.TemporaryDirectory(dir=".") as folder:
    con = duckdb.connect(config={"memory_limit": "150MB", "temp_directory": folder, "threads": 2})

    def sort_all():
        con.sql(
            "CREATE OR REPLACE TEMP TABLE sorted AS "
            "SELECT i, hash(i) h FROM range(8000000) t(i) ORDER BY h"
        )

    began = time.perf_counter()
    while time.perf_counter() - began < 9:
        sort_all()
print(json.dumps({"seconds": time.perf_counter() - began}))
