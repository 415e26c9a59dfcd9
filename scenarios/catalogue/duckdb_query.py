"""Cold start of a query engine: import, first query, then the same query warm."""

from statistics import median
from time import perf_counter
from typing import Annotated

import perftui
from perftui.probes.text.units import format_bytes, format_count, format_seconds
from perftui.scenarios.data.orders import orders
from perftui.scenarios.data.page_cache import forget
from perftui.scenarios.define.definition import scenario
from perftui.scenarios.define.parameters import Range

_QUERY = """
    SELECT customer % 256 AS segment, count(*) AS orders, sum(amount * (1 + tax)) AS gross,
           approx_count_distinct(customer) AS customers, quantile_cont(weight, 0.95) AS heavy
    FROM read_parquet(?)
    GROUP BY segment ORDER BY segment
"""


@scenario(
    "duckdb-query",
    summary="a GROUP BY over generated Parquet: import, first query, warm queries",
    shows="what a cold start consists of, and how much later queries save",
    requires=("duckdb", "pyarrow"),
)
def duckdb_query(
    rows: Annotated[int, Range(1_000, 1_000_000_000), "of the Parquet files"] = 5_000_000,
    queries: Annotated[int, Range(2, 100_000), "including the first"] = 40,
    cold: Annotated[bool, "drop the files from the page cache before the first query"] = True,
) -> None:
    """See the module."""
    started = perf_counter()
    with perftui.phase("import"):
        import duckdb
    import_s = perf_counter() - started
    with perftui.phase("setup"):
        files = orders(rows)
        names = [str(file) for file in files]
        if cold:
            forget(files)
        connection = duckdb.connect()
    took_s: list[float] = []
    for phase, n in (("first", 1), ("warm", queries - 1)):
        with perftui.phase(phase):
            for _ in range(n):
                started = perf_counter()
                with perftui.call("query"):
                    result = connection.execute(_QUERY, [names]).fetchall()
                took_s.append(perf_counter() - started)
                perftui.count("rows", rows)
    with perftui.phase("teardown"):
        connection.close()
    first_s, warm_s = took_s[0], median(took_s[1:])
    on_disk = sum(file.stat().st_size for file in files)
    print(f"{format_count(rows)} rows, {format_bytes(on_disk)}, {len(result)} groups")
    print(
        f"import {format_seconds(import_s)}, first query {format_seconds(first_s)}, "
        f"second {format_seconds(took_s[1])}, warm median {format_seconds(warm_s)} "
        f"(n={queries - 1}): first/warm {first_s / warm_s:.1f}"
    )
