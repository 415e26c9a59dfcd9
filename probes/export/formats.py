"""The formats, in one table. Modules are imported when their format is asked for."""

from __future__ import annotations

from perftui.probes.export.material.error import ExportError
from perftui.probes.export.material.exporter import Exporter

FORMATS: tuple[Exporter, ...] = (
    Exporter(
        "firefox",
        ".firefox.json",
        "stacks",
        good_for="everything on one time axis: stacks, wall time, CPU, memory, phases, alerts",
        opened_by="profiler.firefox.com (in any browser; the file stays on your machine)",
        module="stacks.firefox",
    ),
    Exporter(
        "speedscope",
        ".speedscope.json",
        "stacks",
        good_for="wall time of each thread in the order of time, and as a flame graph",
        opened_by="speedscope.app, or `npx speedscope FILE`",
        module="stacks.speedscope",
    ),
    Exporter(
        "chrome-trace",
        ".trace.json",
        "stacks",
        good_for="where threads were by the clock, with counters; SQL over slices in Perfetto",
        opened_by="ui.perfetto.dev, chrome://tracing, speedscope, the Firefox profiler",
        module="stacks.chrome_trace",
    ),
    Exporter(
        "pprof",
        ".pb.gz",
        "stacks",
        good_for="every weight: top lists and comparisons in a terminal, continuous profiling",
        opened_by="go tool pprof, Pyroscope, Polar Signals, Grafana",
        module="stacks.pprof",
        binary=True,
        grows=False,
    ),
    Exporter(
        "otlp",
        ".otlp.pb",
        "stacks",
        good_for="OpenTelemetry profiles: every weight, for collectors and what stands behind them",
        opened_by="an OpenTelemetry collector, at /v1development/profiles",
        module="stacks.otlp",
        binary=True,
        grows=False,
    ),
    Exporter(
        "collapsed",
        ".collapsed.txt",
        "stacks",
        good_for="wall time for any flame graph script; grep, awk and sort",
        opened_by="flamegraph.pl, inferno, speedscope",
        module="stacks.collapsed",
        grows=False,
    ),
    Exporter(
        "csv",
        ".csv",
        "tables",
        good_for="spreadsheets, and everything else",
        opened_by="DuckDB, pandas, Polars, a spreadsheet",
        module="tables.csv",
    ),
    Exporter(
        "json",
        ".json",
        "tables",
        good_for="scripts without a data frame library",
        opened_by="jq, DuckDB, pandas",
        module="tables.json",
    ),
    Exporter(
        "parquet",
        ".parquet",
        "tables",
        good_for="SQL and data frames; small, with types and units",
        opened_by="DuckDB, pandas, Polars, DataFusion, Spark",
        module="tables.parquet",
        binary=True,
    ),
    Exporter(
        "arrow",
        ".arrow",
        "tables",
        good_for="data frames without a conversion: memory-mapped Arrow",
        opened_by="pyarrow, Polars, DataFusion, pandas",
        module="tables.arrow",
        binary=True,
    ),
    Exporter(
        "flamegraph-svg",
        ".flame.svg",
        "report",
        good_for="one picture of where the time went, hover texts, no script",
        opened_by="any browser, a ticket, a README",
        module="pictures.flamegraph_svg",
        grows=False,
    ),
    Exporter(
        "icicle-svg",
        ".icicle.svg",
        "report",
        good_for="the same with the root on top, as on the screen",
        opened_by="any browser, a ticket, a README",
        module="pictures.icicle_svg",
        grows=False,
    ),
    Exporter(
        "markdown",
        ".md",
        "report",
        good_for="a summary for a pull request: figures, alerts, functions, details folded",
        opened_by="pull requests, tickets, a chat",
        module="report.markdown",
        grows=False,
    ),
    Exporter(
        "html",
        ".html",
        "report",
        good_for="one offline page: timelines, alerts, flame graph, all following one range",
        opened_by="any browser",
        module="report.page",
        grows=False,
    ),
)
_BY_NAME = {exporter.name: exporter for exporter in FORMATS}


def exporter_of(name: str) -> Exporter:
    """Return a format by its name.

    Raises:
        ExportError: there is none; the message lists what there is.
    """
    found = _BY_NAME.get(name)
    if found is None:
        raise ExportError(
            f"there is no format {name[:60]!r}; there are {', '.join(_BY_NAME)} "
            f"(`perftui export --list` says what each is good for)"
        )
    return found
