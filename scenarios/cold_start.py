"""Cold start of query engines, side by side: import, first, second and warm, in fresh processes.

Each engine gets a worker process of its own, again and again: a library cannot be imported twice
in one process. The worker counts the modules that each step imports. An engine that imports fast
and then imports hundreds of modules inside its first query has moved its cost, not removed it.
"""

from pathlib import Path
from statistics import median
from typing import Annotated, NamedTuple

import perftui
from perftui.probes.units import format_count, format_seconds
from perftui.scenarios.definition import scenario
from perftui.scenarios.engines import (
    ON_LANCE_DATA,
    WITHOUT_DATA,
    chosen_engines,
    modules_of,
    require_modules,
)
from perftui.scenarios.orders import orders
from perftui.scenarios.orders_lance import lance_orders
from perftui.scenarios.page_cache import files_of_package, forget
from perftui.scenarios.parameters import Range
from perftui.scenarios.printed_table import print_table
from perftui.scenarios.worker import Answer, Worker

_MOVED_MODULES = 10
"""Modules imported inside the first query from which on we speak of moved cost."""


class _Run(NamedTuple):
    spawn_s: float
    importing: Answer
    connecting: Answer
    first: Answer
    second: Answer
    warm_s: float


@scenario(
    "cold-start",
    summary="query engines in fresh processes: import, first query, second, warm",
    shows="which engine pays at import and which one inside its first query",
    uses=("duckdb", "polars", "datafusion", "opteryx", "pandas", "pyarrow", "lance", "lancedb"),
)
def cold_start(
    engines: Annotated[str, "all that are installed, or names like duckdb,polars"] = "all",
    repeats: Annotated[int, Range(1, 100), "fresh processes per engine"] = 3,
    queries: Annotated[int, Range(3, 10_000), "in each process, including the first"] = 20,
    rows: Annotated[int, Range(1_000, 1_000_000_000), "of the data"] = 200_000,
    page_cache: Annotated[bool, "false: drop packages and data from the page cache first"] = True,
) -> None:
    """See the module."""
    names = chosen_engines(engines)
    data: dict[str, list[Path]] = {}
    with perftui.phase("setup"):
        for name in names:
            data[name] = data_for(name, rows)
    runs: dict[str, list[_Run]] = {name: [] for name in names}
    for _ in range(repeats):
        # Interleaved: what disturbs the machine for a second disturbs every engine a little.
        for name in names:
            if not page_cache:
                for module in modules_of(name):
                    forget(files_of_package(module))
                forget(file for path in data[name] for file in _files(path))
            with perftui.phase(name):
                runs[name].append(_run(name, [str(path) for path in data[name]], queries))
    _report(runs, repeats, queries)


def data_for(engine: str, rows: int) -> list[Path]:
    """The files that an engine of `ENGINE_QUERIES` connects to, generated first if need be."""
    if engine in WITHOUT_DATA:
        return []
    require_modules(f"the data of engine {engine}", ("pyarrow",))
    if engine in ON_LANCE_DATA:
        require_modules(f"the data of engine {engine}", ("lance",))
        return [lance_orders(rows)]
    return orders(rows)


def _files(path: Path) -> list[Path]:
    return [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]


def _run(engine: str, files: list[str], queries: int) -> _Run:
    with Worker() as worker:
        with perftui.phase("import"), perftui.call(f"{engine}: import"):
            importing = worker.ask("import", engine)
        with perftui.phase("connect"):
            connecting = worker.ask("connect", engine, files)
        with perftui.phase("first"), perftui.call(f"{engine}: first query"):
            first = worker.ask("query", engine)
        later: list[Answer] = []
        with perftui.phase("warm"):
            for _ in range(queries - 1):
                with perftui.call(f"{engine}: warm query"):
                    later.append(worker.ask("query", engine))
        perftui.count("queries", queries)
        perftui.count("modules imported", importing.modules + connecting.modules + first.modules)
    warm_s = median(answer.worked_s for answer in later[1:])
    return _Run(worker.spawn_s, importing, connecting, first, later[0], warm_s)


def _report(runs: dict[str, list[_Run]], repeats: int, queries: int) -> None:
    rows, moved = [], []
    for engine, found in runs.items():
        first_s = median(run.first.worked_s for run in found)
        warm_s = median(run.warm_s for run in found)
        first = found[0].first
        rows.append(
            (
                engine,
                format_seconds(median(run.spawn_s for run in found)),
                format_seconds(median(run.importing.worked_s for run in found)),
                str(found[0].importing.modules),
                format_seconds(median(run.connecting.worked_s for run in found)),
                format_seconds(first_s),
                str(first.modules),
                format_seconds(median(run.second.worked_s for run in found)),
                format_seconds(warm_s),
                f"{first_s / warm_s:.1f}",
            )
        )
        if first.modules >= _MOVED_MODULES:
            most = sorted(first.packages.items(), key=lambda item: -item[1])[:3]
            named = ", ".join(f"{name} {count}" for name, count in most)
            moved.append(
                f"{engine}: the first query imported {first.modules} modules ({named}): "
                "cost moved out of the import, not removed"
            )
            perftui.mark(f"{engine}: {first.modules} modules imported inside the first query")
    print_table(
        (
            *("engine", "spawn", "import", "modules", "connect"),
            *("first", "modules", "second", "warm", "first/warm"),
        ),
        rows,
    )
    for line in moved:
        print(line)
    print(
        f"medians of {repeats} fresh processes, {format_count(queries)} queries in each, as the "
        "worker's own clock saw them"
    )
