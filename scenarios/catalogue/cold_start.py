"""Cold start of query engines, side by side: import, first, second and warm, in fresh processes.

Each engine gets a worker process of its own, again and again: a library cannot be imported twice
in one process. The worker counts the modules that each step imports. An engine that imports fast
and then imports hundreds of modules inside its first query has moved its cost, not removed it.

A budget says what a cold start may cost: it is checked for every engine. With a warm-up, half of
the processes ask something small before the first query: what that saves, and what it costs.
"""

import sys
from pathlib import Path
from statistics import median
from typing import Annotated, Literal, NamedTuple

import perftui
from perftui.probes.text.units import format_count, format_seconds
from perftui.scenarios.data.orders import orders
from perftui.scenarios.data.orders_lance import lance_orders
from perftui.scenarios.data.page_cache import files_of_package, forget
from perftui.scenarios.define.definition import scenario
from perftui.scenarios.define.parameters import Range
from perftui.scenarios.engines.available import (
    ON_LANCE_DATA,
    WITHOUT_DATA,
    chosen_engines,
    modules_of,
    require_modules,
)
from perftui.scenarios.engines.budget import Budget, checked, parse_budget
from perftui.scenarios.say.figures import hand_over
from perftui.scenarios.say.table import print_table
from perftui.scenarios.workers.host import Answer, Worker

_BUDGET = "import=50ms,cold=100ms,ratio=10"
_MOVED_MODULES = 10
"""Modules imported inside the first query from which on we speak of moved cost."""


class _Run(NamedTuple):
    spawn_s: float
    importing: Answer
    connecting: Answer
    warming: Answer | None
    first: Answer
    second: Answer
    warm_s: float


class _Medians(NamedTuple):
    import_s: float
    cold_s: float
    """Connecting and the first query."""
    first_s: float
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
    warmup: Annotated[
        Literal["no", "yes", "both"], "ask something small before the first query"
    ] = "no",
    budget: Annotated[str, "what a cold start may cost; empty: no check"] = _BUDGET,
    strict: Annotated[bool, "end with exit code 1 if an engine is over the budget"] = False,
) -> None:
    """See the module."""
    names = chosen_engines(engines)
    bounds = parse_budget(budget)
    data: dict[str, list[Path]] = {}
    with perftui.phase("setup"):
        for name in names:
            data[name] = data_for(name, rows)
    ways = {"no": (False,), "yes": (True,), "both": (False, True)}[warmup]
    runs: dict[tuple[str, bool], list[_Run]] = {(name, way): [] for name in names for way in ways}
    for _ in range(repeats):
        # Interleaved: what disturbs the machine for a second disturbs every engine a little.
        for (name, warmed), found in runs.items():
            if not page_cache:
                for module in modules_of(name):
                    forget(files_of_package(module))
                forget(file for path in data[name] for file in _files(path))
            with perftui.phase(name):
                found.append(_run(name, [str(path) for path in data[name]], queries, warmed))
            _hand_over(name, warmed, found[-1])
    _report(runs, repeats, queries)
    _report_warm_up(runs, names)
    if not _report_budget(runs, bounds) and strict:
        sys.stdout.flush()
        sys.exit(1)


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


def _run(engine: str, files: list[str], queries: int, warmed: bool) -> _Run:
    with Worker() as worker:
        with perftui.phase("import"), perftui.call(f"{engine}: import"):
            importing = worker.ask("import", engine)
        with perftui.phase("connect"):
            connecting = worker.ask("connect", engine, files)
        warming: Answer | None = None
        if warmed:
            with perftui.phase("warm up"), perftui.call(f"{engine}: warm-up"):
                warming = worker.ask("warm up", engine)
        with perftui.phase("first"), perftui.call(f"{engine}: first query"):
            first = worker.ask("query", engine)
        later: list[Answer] = []
        with perftui.phase("warm"):
            for _ in range(queries - 1):
                with perftui.call(f"{engine}: warm query"):
                    later.append(worker.ask("query", engine))
        perftui.count("queries", queries)
        perftui.count("rows", sum(answer.rows for answer in (first, *later)))
        perftui.count("modules imported", importing.modules + connecting.modules + first.modules)
    warm_s = median(answer.worked_s for answer in later[1:])
    return _Run(worker.spawn_s, importing, connecting, warming, first, later[0], warm_s)


def _hand_over(engine: str, warmed: bool, run: _Run) -> None:
    hand_over(
        "cold start",
        engine=engine,
        warmed=warmed,
        spawn_s=run.spawn_s,
        import_s=run.importing.worked_s,
        import_modules=run.importing.modules,
        connect_s=run.connecting.worked_s,
        warm_up_s=None if run.warming is None else run.warming.worked_s,
        first_s=run.first.worked_s,
        first_modules=run.first.modules,
        second_s=run.second.worked_s,
        warm_s=run.warm_s,
    )


def _medians(runs: list[_Run]) -> _Medians:
    return _Medians(
        median(run.importing.worked_s for run in runs),
        median(run.connecting.worked_s + run.first.worked_s for run in runs),
        median(run.first.worked_s for run in runs),
        median(run.warm_s for run in runs),
    )


def _report(runs: dict[tuple[str, bool], list[_Run]], repeats: int, queries: int) -> None:
    rows, moved = [], []
    for (engine, warmed), found in runs.items():
        middle = _medians(found)
        first = found[0].first
        rows.append(
            (
                f"{engine}, warmed up" if warmed else engine,
                format_seconds(median(run.spawn_s for run in found)),
                format_seconds(middle.import_s),
                str(found[0].importing.modules),
                format_seconds(median(run.connecting.worked_s for run in found)),
                format_seconds(middle.first_s),
                str(first.modules),
                format_seconds(median(run.second.worked_s for run in found)),
                format_seconds(middle.warm_s),
                f"{middle.first_s / middle.warm_s:.1f}",
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


def _report_warm_up(runs: dict[tuple[str, bool], list[_Run]], engines: list[str]) -> None:
    for engine in engines:
        cold, warmed = runs.get((engine, False)), runs.get((engine, True))
        if not cold or not warmed:
            continue
        cost_s = median(run.warming.worked_s for run in warmed if run.warming is not None)
        before_s, after_s = _medians(cold).first_s, _medians(warmed).first_s
        change = "saves" if after_s < before_s else "adds"
        print(
            f"{engine}: a warm-up of {format_seconds(cost_s)} takes the first query from "
            f"{format_seconds(before_s)} to {format_seconds(after_s)}: it {change} "
            f"{format_seconds(abs(before_s - after_s))} of waiting"
        )


def _report_budget(runs: dict[tuple[str, bool], list[_Run]], budget: Budget) -> bool:
    """Print for every engine whether it keeps to the budget; false if one does not."""
    kept = True
    for (engine, warmed), found in runs.items():
        middle = _medians(found)
        checks = checked(budget, middle.import_s, middle.cold_s, middle.first_s / middle.warm_s)
        if not checks:
            continue
        passed = all(check.passed for check in checks)
        kept = kept and passed
        name = f"{engine}, warmed up" if warmed else engine
        figures = ", ".join(map(str, checks))
        print(f"budget {'pass' if passed else 'FAIL'}  {name}: {figures}")
        if not passed:
            perftui.mark(f"{name} is over the budget: {figures}")
    return kept
