"""3: loaders, by rows and by batch size."""

from __future__ import annotations

from statistics import median
from typing import Any

from perftui.probes.text.units import format_bytes, format_count, format_seconds
from workload_report.markdown import bars, named, percent, spread, table, times
from workload_report.measuring import Collected
from workload_report.section import Data, Section

LOADERS = (
    *(("duckdb", "arrow"), ("lancedb", "add"), ("delta", "append"), ("delta", "partitioned")),
    *(("parquet", "row-groups"), ("sqlite", "executemany"), ("postgres", "copy")),
    *(("postgres", "executemany"), ("postgres", "pool"), ("postgres", "connect")),
    *(("redis", "hash"), ("redis", "string"), ("redis", "zset")),
)
SLOW = (
    *(("duckdb", "executemany", 1_600), ("sqlite", "autocommit", 1_000)),
    *(("redis", "hash-singly", 10_000), ("redis", "string-singly", 10_000)),
    ("redis", "zset-singly", 10_000),
)
"""Ways that make a round trip or a commit per row: fewer rows tell enough."""
ROWS = (10_000, 50_000, 100_000)
BATCHES = (1_000, 5_000, 10_000)

Row = dict[str, Any]


def measure(quick: bool) -> Data:
    """Run every loader with every number of rows; a run takes all batch sizes, interleaved."""
    collected = Collected()
    chosen = [("duckdb", "arrow"), ("sqlite", "executemany")] if quick else LOADERS
    for target, variant in chosen:
        for rows in ROWS[:1] if quick else ROWS:
            collected.run(
                "batch-size",
                target=target,
                variant=variant,
                sizes=",".join(map(str, BATCHES)),
                rows=rows,
                repeats=2 if quick else 3,
            )
    for target, variant, rows in SLOW[:1] if quick else SLOW:
        collected.run(
            "loader", target=target, variant=variant, rows=rows, repeats=2 if quick else 3
        )
    return collected.data()


def write(data: Data) -> str:
    """Rows/s by rows and batch size; memory and disk; the ways that go row by row."""
    groups = _groups(data["figures"])
    slow = {(target, variant) for target, variant, _ in SLOW}
    loaders = list(dict.fromkeys(key[:2] for key in groups if key[:2] not in slow))
    rows_seen = sorted({key[2] for key in groups if key[:2] not in slow})
    largest = rows_seen[-1]
    speeds = table(
        (
            "loader",
            *(
                f"{_short(rows)} rows, batch {_short(batch)}"
                for rows in rows_seen
                for batch in BATCHES
            ),
            f"{_short(BATCHES[-1])} against {_short(BATCHES[0])}",
        ),
        [
            (
                " ".join(loader),
                *(
                    _speed(groups.get((*loader, rows, batch)))
                    for rows in rows_seen
                    for batch in BATCHES
                ),
                _gain(groups, loader, largest),
            )
            for loader in loaders
        ],
    )
    costs = table(
        (
            *("loader", "rows/s", "spread", "batch p50", "client grew", "per row"),
            *("process tree peak", "server", "on disk per row", "files"),
        ),
        [
            _costs(loader, groups[(*loader, largest, BATCHES[-1])])
            for loader in loaders
            if (*loader, largest, BATCHES[-1]) in groups
        ],
    )
    singly = table(
        ("way", "rows", "rows/s", "spread", "against the usual way"),
        [
            (
                f"{key[0]} {key[1]}",
                format_count(key[2]),
                format_count(_rows_per_s(found)),
                percent(spread([row["rows"] / row["took_s"] for row in found])),
                _against(groups, key[0], found, largest),
            )
            for key, found in groups.items()
            if key[:2] in slow
        ],
    )
    n = len(next(iter(groups.values())))
    return "\n\n".join(
        (
            _says(groups, loaders, largest),
            bars(_last(groups, loaders, largest), lambda value: f"{format_count(value)} rows/s"),
            "Rows/s:",
            speeds,
            f"Medians of {n} loads per cell. At {_short(largest)} rows in batches of "
            f"{_short(BATCHES[-1])}; client grew: highest RSS of the loading process above "
            "that at the start of the load, the largest of all loads; process tree peak: of the "
            "whole run, libraries and servers included, as perftui saw it:",
            costs,
            "Row by row, a round trip or a commit each:",
            singly,
        )
    )


def _short(number: int) -> str:
    """Write 10,000 as 10k: column headings are chosen numbers, not measured ones."""
    return f"{number // 1000}k" if number % 1000 == 0 else str(number)


def _groups(figures: list[Row]) -> dict[tuple[str, str, int, int], list[Row]]:
    """All loads by target, variant, rows and batch size."""
    groups: dict[tuple[str, str, int, int], list[Row]] = {}
    for row in figures:
        key = (row["target"], row["variant"], row["rows"], row["batch"])
        groups.setdefault(key, []).append(row)
    return groups


def _rows_per_s(found: list[Row]) -> float:
    return float(median(row["rows"] / row["took_s"] for row in found))


def _speed(found: list[Row] | None) -> str:
    return "-" if found is None else format_count(_rows_per_s(found))


def _gain(groups: dict[Any, list[Row]], loader: tuple[str, str], rows: int) -> str:
    small, large = (groups.get((*loader, rows, batch)) for batch in (BATCHES[0], BATCHES[-1]))
    return times(_rows_per_s(large) / _rows_per_s(small)) if small and large else "-"


def _costs(loader: tuple[str, str], found: list[Row]) -> tuple[str, ...]:
    grown = max(row["grown_bytes"] for row in found)
    server = max(row["server_rss_bytes"] for row in found)
    rows = found[0]["rows"]
    disk = found[0]["disk_bytes"]
    return (
        " ".join(loader),
        format_count(_rows_per_s(found)),
        percent(spread([row["rows"] / row["took_s"] for row in found])),
        format_seconds(median(row["batch_median_s"] for row in found)),
        "+" + format_bytes(grown),
        format_bytes(grown / rows),
        format_bytes(found[0]["tree_peak_bytes"]),
        format_bytes(server) if server else "-",
        format_bytes(disk / rows) if disk else "-",
        format_count(found[0]["files"]) if disk else "-",
    )


def _last(
    groups: dict[Any, list[Row]], loaders: list[tuple[str, str]], rows: int
) -> dict[str, float]:
    """Rows/s of each loader with the largest batches."""
    found = {" ".join(loader): groups.get((*loader, rows, BATCHES[-1])) for loader in loaders}
    return {name: _rows_per_s(loads) for name, loads in found.items() if loads}


def _against(groups: dict[Any, list[Row]], target: str, found: list[Row], rows: int) -> str:
    usual = next((v for t, v in LOADERS if t == target), None)
    best = groups.get((target, usual, rows, BATCHES[-1]))
    return times(_rows_per_s(found) / _rows_per_s(best)) if best else "-"


def _says(groups: dict[Any, list[Row]], loaders: list[tuple[str, str]], rows: int) -> str:
    last = _last(groups, loaders, rows)
    fastest, slowest = max(last, key=lambda n: last[n]), min(last, key=lambda n: last[n])
    gains = {
        " ".join(loader): _rows_per_s(groups[(*loader, rows, BATCHES[-1])])
        / _rows_per_s(groups[(*loader, rows, BATCHES[0])])
        for loader in loaders
        if (*loader, rows, BATCHES[0]) in groups and (*loader, rows, BATCHES[-1]) in groups
    }
    gaining = [name for name, gain in gains.items() if gain >= 2]
    flat = [name for name, gain in gains.items() if 0.8 < gain < 1.25]
    said = (
        f"At {_short(rows)} rows in batches of {_short(BATCHES[-1])}, {fastest} is "
        f"the fastest ({format_count(last[fastest])} rows/s) and {slowest} the slowest "
        f"({format_count(last[slowest])})."
    )
    if gaining:
        most = max(gaining, key=lambda n: gains[n])
        said += (
            f" Ten times larger batches at least double {named(gaining)} (most {most}, "
            f"{times(gains[most])}): there a commit per batch is what costs"
        )
        said += f"; they change {named(flat)} by less than a quarter." if flat else "."
    return said


SECTION = Section("3", "Loaders", measure, write)
