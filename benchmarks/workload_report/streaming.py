"""4: streaming against collecting, and false streaming."""

from __future__ import annotations

from typing import Any

from perftui.probes.text.units import format_bytes, format_count, format_seconds
from workload_report.markdown import bars, table, times
from workload_report.measuring import Collected
from workload_report.section import Data, Section

ENGINES = ("duckdb", "pyarrow", "polars", "datafusion", "lance", "pandas")
SIZES = ("300MB", "1GB")
PAIRS = (("duckdb", "600MB"), ("pyarrow", "300MB"), ("polars", "300MB"), ("datafusion", "300MB"))
MODES = ("collect", "stream")

Row = dict[str, Any]


def measure(quick: bool) -> Data:
    """Run each engine at each size and in each mode, each in a process of its own."""
    collected = Collected()
    engines = ENGINES[:2] if quick else ENGINES
    for size in ("30MB", "90MB") if quick else SIZES:
        for engine in engines:
            for mode in MODES:
                collected.run("stream-vs-collect", engine=engine, mode=mode, size=size, passes=1)
    for pair, size in PAIRS[:1] if quick else PAIRS:
        collected.run("false-streaming", pair=pair, size="90MB" if quick else size)
    return collected.data()


def write(data: Data) -> str:
    """A chart of the peaks and two tables."""
    streams = [row for row in data["figures"] if row["table"] == "streaming"]
    false = [row for row in data["figures"] if row["table"] == "false streaming"]
    parts = [_says(streams), _peaks(streams), _streams(streams)]
    parts.append(
        "RSS above the base, one run per cell, each in a process of its own; first piece: a batch, "
        "or collecting, the first of eight part files. After del: 1.5 s after the program has "
        "dropped everything; after release: when the allocator has been asked to give back."
    )
    if not _same_sums(streams):
        parts.append("**The sums differ between engines or modes: something is wrong here.**")
    parts += ["Loops that look alike, and only one of which streams:", _false(false)]
    return "\n\n".join(parts)


def _peaks(rows: list[Row]) -> str:
    """A chart of the peaks at the largest size, the two modes of an engine below each other."""
    largest = max(row["rows"] for row in rows)
    peaks = {
        f"{row['engine']} {row['mode']}": row["grown_bytes"]
        for row in rows
        if row["rows"] == largest
    }
    return bars(peaks, lambda value: f"+{format_bytes(value)}")


def _streams(rows: list[Row]) -> str:
    return table(
        (
            *("engine", "data", "mode", "rows", "time", "CPU", "first piece", "base"),
            *("peak above base", "after del", "after release"),
        ),
        [
            (
                row["engine"],
                format_bytes(row["on_disk_bytes"]),
                row["mode"],
                format_count(row["rows"]),
                format_seconds(row["took_s"]),
                format_seconds(row["cpu_s"]),
                format_seconds(row["first_s"]),
                format_bytes(row["base_bytes"]),
                "+" + format_bytes(row["grown_bytes"]),
                _above(row["after_del_bytes"], row["base_bytes"]),
                _above(row["after_release_bytes"], row["base_bytes"]),
            )
            for row in rows
        ],
        left=3,
    )


def _above(value: float, base: float) -> str:
    return ("+" if value >= base else "-") + format_bytes(abs(value - base))


def _same_sums(rows: list[Row]) -> bool:
    by_rows: dict[int, list[float]] = {}
    for row in rows:
        by_rows.setdefault(row["rows"], []).append(row["gross"])
    return all(max(sums) - min(sums) <= 1e-9 * max(sums) for sums in by_rows.values())


def _false(rows: list[Row]) -> str:
    return table(
        ("engine", "code", "kind", "rows", "time", "first batch", "peak above base"),
        [
            (
                row["engine"],
                f"`{row['code']}`",
                "looks like streaming" if row["kind"] == "false" else "streams",
                format_count(row["rows"]),
                format_seconds(row["took_s"]),
                format_seconds(row["first_s"]),
                "+" + format_bytes(row["peak_bytes"] - row["base_bytes"]),
            )
            for row in rows
        ],
        left=3,
    )


def _says(rows: list[Row]) -> str:
    largest = max(row["on_disk_bytes"] for row in rows)
    at_most = [row for row in rows if row["on_disk_bytes"] > 0.8 * largest]
    by_mode = {
        mode: {row["engine"]: row["grown_bytes"] for row in at_most if row["mode"] == mode}
        for mode in MODES
    }
    ratios = {
        engine: by_mode["collect"][engine] / max(grown, 1)
        for engine, grown in by_mode["stream"].items()
        if engine in by_mode["collect"]
    }
    least, most = min(ratios, key=lambda n: ratios[n]), max(ratios, key=lambda n: ratios[n])
    return (
        f"On {format_bytes(largest)} of Parquet collecting takes {times(ratios[least])} ({least}) "
        f"to {times(ratios[most])} ({most}) the memory of streaming, for the same rows and sum."
    )


SECTION = Section("4", "Streaming against collecting", measure, write)
