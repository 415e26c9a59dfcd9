"""A worker that stays: the first call pays for the imports, later ones only for the work.

What the parent waits for an answer is set against what the worker says it worked. The difference
is the pipe, JSON and the scheduler; before the worker answers at all, it is the new interpreter.
For comparison the same call is made in a fresh process each time, as test runners do.
"""

from statistics import median
from time import perf_counter
from typing import Annotated, Literal

import perftui
from perftui.probes.text.units import format_count, format_seconds
from perftui.scenarios.catalogue.cold_start import data_for
from perftui.scenarios.define.definition import scenario
from perftui.scenarios.define.parameters import Range
from perftui.scenarios.engines.available import modules_of, require_modules
from perftui.scenarios.say.figures import hand_over
from perftui.scenarios.say.table import print_table
from perftui.scenarios.workers.host import Answer, Worker

_Engine = Literal[
    "stdlib", "duckdb", "polars", "datafusion", "opteryx", "pandas", "pyarrow", "lance", "lancedb"
]


@scenario(
    "persistent-worker",
    summary="calls over a pipe to a process that stays, against a process per call",
    shows="what the parent waited for: the interpreter, the import, the work, the pipe",
    uses=("duckdb", "polars", "datafusion", "opteryx", "pandas", "pyarrow", "lance", "lancedb"),
)
def persistent_worker(
    engine: Annotated[_Engine, "what the worker imports and calls"] = "stdlib",
    calls: Annotated[int, Range(3, 10_000_000), "to the worker that stays"] = 20_000,
    processes: Annotated[int, Range(0, 1000), "that make one call each, for comparison"] = 50,
    rows: Annotated[int, Range(1_000, 1_000_000_000), "of the data"] = 200_000,
) -> None:
    """See the module."""
    require_modules(f"engine {engine}", modules_of(engine))
    with perftui.phase("setup"):
        files = [str(path) for path in data_for(engine, rows)]
    with Worker() as worker:
        with perftui.phase("ping"):
            ping = worker.ask("ping")
        with perftui.phase("first"), perftui.call("call to the worker"):
            first = worker.ask("call", engine, files)
        warm: list[Answer] = []
        with perftui.phase("warm"):
            for _ in range(calls - 1):
                with perftui.call("call to the worker"):
                    warm.append(worker.ask("call", engine, files))
                perftui.count("calls")
        with perftui.phase("teardown"):
            worker.close()
    fresh = [_in_fresh_process(engine, files) for _ in range(processes)]
    _report(worker.spawn_s, ping, first, warm, fresh)
    _hand_over(engine, worker.spawn_s, ping, first, warm, fresh)


def _in_fresh_process(engine: str, files: list[str]) -> float:
    """Make one call in a process of its own; the result is how long the parent waited."""
    started = perf_counter()
    with (
        perftui.phase("process per call"),
        perftui.call("process per call"),
        Worker() as worker,
    ):
        worker.ask("call", engine, files)
    return perf_counter() - started


def _report(
    spawn_s: float, ping: Answer, first: Answer, warm: list[Answer], fresh: list[float]
) -> None:
    warm_waited_s = median(answer.waited_s for answer in warm)
    warm_worked_s = median(answer.worked_s for answer in warm)
    parts = first.steps
    rows = [
        ("spawn", format_seconds(spawn_s), "-", "-", "-"),
        _row("ping", ping.waited_s, ping.worked_s, ping.modules),
        _row("first call", first.waited_s, first.worked_s, first.modules),
        *((f"  {step}", "-", format_seconds(took_s), "-", "-") for step, took_s in parts.items()),
        _row("warm call (median)", warm_waited_s, warm_worked_s, warm[-1].modules),
    ]
    if fresh:
        rows.append(("process per call (median)", format_seconds(median(fresh)), "-", "-", "-"))
    print_table(("step", "parent waited", "worker worked", "transport", "modules"), rows)
    print(
        f"first/warm {first.waited_s / warm_waited_s:.0f}: the first call imported "
        f"{first.modules} modules; {format_count(1 / warm_waited_s)} warm calls/s"
    )
    if fresh:
        saved = median(fresh) / warm_waited_s
        print(
            f"a process per call takes {saved:.0f} times as long as a warm call to one that stays"
        )


def _hand_over(
    engine: str,
    spawn_s: float,
    ping: Answer,
    first: Answer,
    warm: list[Answer],
    fresh: list[float],
) -> None:
    hand_over("persistent worker", engine=engine, step="spawn", n=1, waited_s=spawn_s)
    answers = {"ping": [ping], "first call": [first], "warm calls": warm}
    for step, found in answers.items():
        hand_over(
            "persistent worker",
            engine=engine,
            step=step,
            n=len(found),
            waited_s=sum(answer.waited_s for answer in found),
            worked_s=sum(answer.worked_s for answer in found),
            waited_median_s=median(answer.waited_s for answer in found),
            worked_median_s=median(answer.worked_s for answer in found),
            modules=found[0].modules,
            steps=found[0].steps,
        )
    for took_s in fresh:
        hand_over("process per call", engine=engine, waited_s=took_s)


def _row(name: str, waited_s: float, worked_s: float, modules: int) -> tuple[str, ...]:
    transport_s = max(waited_s - worked_s, 0.0)
    seconds = [format_seconds(value) for value in (waited_s, worked_s, transport_s)]
    return (name, *seconds, str(modules))
