"""1: a worker that stays. What did the parent wait for?"""

from __future__ import annotations

from statistics import median
from typing import Any, NamedTuple

from perftui.probes.text.units import format_count, format_seconds
from workload_report.markdown import named, percent, table, times
from workload_report.measuring import Collected
from workload_report.section import Data, Section

ENGINES = (
    *("duckdb", "polars", "datafusion", "opteryx", "pandas", "pyarrow", "lance", "lancedb"),
    "stdlib",
)


def measure(quick: bool) -> Data:
    """Run the scenario once per engine."""
    collected = Collected()
    for engine in ENGINES[:2] if quick else ENGINES:
        collected.run(
            "persistent-worker",
            engine=engine,
            calls=50 if quick else 300,
            processes=2 if quick else 5,
        )
    return collected.data()


class _Worker(NamedTuple):
    engine: str
    spawn_s: float
    steps: dict[str, float]
    first: dict[str, Any]
    warm: dict[str, Any]
    ping_s: float
    fresh: list[float]

    @property
    def whole_s(self) -> float:
        waited: float = self.first["waited_s"] + self.warm["waited_s"]
        return self.spawn_s + self.ping_s + waited

    @property
    def transport_s(self) -> float:
        """The pipe, JSON and the scheduler: what was waited for beyond the work."""
        worked: float = self.first["worked_s"] + self.warm["worked_s"]
        return self.whole_s - self.spawn_s - worked

    @property
    def fresh_s(self) -> float:
        return float(median(self.fresh))

    @property
    def calls(self) -> int:
        return int(1 + self.warm["n"])


def _workers(data: Data) -> list[_Worker]:
    found = []
    for engine in dict.fromkeys(row["engine"] for row in data["figures"]):
        own = [row for row in data["figures"] if row["engine"] == engine]
        steps = {row["step"]: row for row in own if row["table"] == "persistent worker"}
        fresh = [row["waited_s"] for row in own if row["table"] == "process per call"]
        first = steps["first call"]
        found.append(
            _Worker(
                *(engine, steps["spawn"]["waited_s"], first["steps"], first),
                *(steps["warm calls"], steps["ping"]["waited_s"], fresh),
            )
        )
    return found


def write(data: Data) -> str:
    """Two tables: what a call takes, and where the time of the whole worker went."""
    workers = _workers(data)
    calls = table(
        (
            *("engine", "first call, parent waited", "worker worked", "modules"),
            *("warm call, parent waited", "worker worked", "transport", "first/warm"),
            *("process per call", "against warm"),
        ),
        [
            (
                worker.engine,
                format_seconds(worker.first["waited_s"]),
                format_seconds(worker.first["worked_s"]),
                str(worker.first["modules"]),
                format_seconds(worker.warm["waited_median_s"]),
                format_seconds(worker.warm["worked_median_s"]),
                format_seconds(worker.warm["waited_median_s"] - worker.warm["worked_median_s"]),
                times(worker.first["waited_s"] / worker.warm["waited_median_s"]),
                format_seconds(worker.fresh_s),
                times(worker.fresh_s / worker.warm["waited_median_s"]),
            )
            for worker in workers
        ],
    )
    shares = table(
        (
            *("engine", "calls", "whole", "spawn", "import", "open the data", "first query"),
            *("later calls", "transport", "the same in a process per call"),
        ),
        [_shares(worker) for worker in workers],
    )
    return (
        f"{_says(workers)}\n\n{calls}\n\nWhere the time of the worker that stays went:\n\n{shares}"
    )


def _shares(worker: _Worker) -> tuple[str, ...]:
    whole = worker.whole_s
    import_s, query_s = worker.steps["import"], worker.steps["query"]
    open_s = worker.first["worked_s"] - import_s - query_s
    parts = (worker.spawn_s, import_s, open_s, query_s, worker.warm["worked_s"])
    return (
        worker.engine,
        format_count(worker.calls),
        format_seconds(whole),
        *(f"{format_seconds(part)} ({percent(part / whole)})" for part in parts),
        f"{format_seconds(worker.transport_s)} ({percent(worker.transport_s / whole)})",
        format_seconds(worker.calls * worker.fresh_s),
    )


def _says(workers: list[_Worker]) -> str:
    by_ratio = sorted(workers, key=lambda w: w.fresh_s / w.warm["waited_median_s"])
    least, most = by_ratio[0], by_ratio[-1]
    shares = {
        worker.engine: worker.steps["import"] / worker.first["waited_s"] for worker in workers
    }
    mostly = [engine for engine, share in shares.items() if share > 0.5]
    low = least.fresh_s / least.warm["waited_median_s"]
    high = most.fresh_s / most.warm["waited_median_s"]
    said = (
        f"A process per call takes {times(low)} ({least.engine}) to {times(high)} "
        f"({most.engine}) as long as a warm call to a worker that stays. "
    )
    if not mostly:
        return said + "In no engine is the import more than half of the first call."
    return said + (
        f"The import is more than half of the first call in {named(mostly)} "
        f"(up to {percent(max(shares.values()))})."
    )


SECTION = Section("1", "A worker that stays", measure, write)
