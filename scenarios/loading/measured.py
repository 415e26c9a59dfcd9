"""Loading rows into a system, measured: what `loader`, `batch-size` and `row-vs-batch` share."""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any, NamedTuple

import perftui
from perftui.probes.spine.median import median
from perftui.scenarios.define.parameters import ScenarioError, nearest
from perftui.scenarios.engines.available import require_modules
from perftui.scenarios.loading import server_targets as loader_servers
from perftui.scenarios.loading import targets as loader_targets
from perftui.scenarios.loading.rows import (
    BYTES_PER_ROW,
    TUPLE_BYTES_PER_ROW,
    arrow_batches,
    batch_bytes,
    tuple_batches,
)
from perftui.scenarios.loading.targets import LoadTarget
from perftui.scenarios.say.figures import Figure, hand_over
from perftui.scenarios.say.process_memory import check_memory, rss_bytes
from perftui.scenarios.servers.postgres import postgres_server
from perftui.scenarios.servers.redis import redis_server


class System(NamedTuple):
    """What can be loaded into, and how."""

    modules: tuple[str, ...]
    variants: dict[str, int]
    """Ways to load, the usual one first, with the rows that take it about a second."""
    arrow: bool
    """Takes Arrow batches; else lists of tuples."""
    make: Callable[..., LoadTarget]
    server: Callable[[str, int], AbstractContextManager[str]] | None = None
    """(dsn, rows) -> an address."""


SYSTEMS = {
    "duckdb": System(
        *(("duckdb", "pyarrow"), {"arrow": 1_000_000, "executemany": 1_600}, True),
        loader_targets.DuckdbLoad,
    ),
    "lancedb": System(
        *(("lancedb", "pyarrow"), {"add": 1_000_000}, True, loader_targets.LancedbLoad),
    ),
    "delta": System(
        *(("deltalake", "pyarrow"), {"append": 1_000_000, "partitioned": 200_000}, True),
        loader_targets.DeltaLoad,
    ),
    "parquet": System(
        *(("pyarrow",), {"row-groups": 2_000_000, "files": 2_000_000}, True),
        loader_targets.Parquet,
    ),
    "sqlite": System(
        *((), {"executemany": 1_000_000, "autocommit": 1_000}, False, loader_targets.Sqlite),
    ),
    "postgres": System(
        ("psycopg",),
        {"copy": 400_000, "executemany": 40_000, "pool": 400_000, "connect": 400_000},
        False,
        loader_servers.Postgres,
        postgres_server,
    ),
    "redis": System(
        ("redis",),
        {
            "hash": 50_000,
            "string": 100_000,
            "zset": 100_000,
            "hash-singly": 10_000,
            "string-singly": 10_000,
            "zset-singly": 10_000,
        },
        False,
        loader_servers.Redis,
        redis_server,
    ),
}
"""By the name that a person writes."""


class Load(NamedTuple):
    """One measured load."""

    rows: int
    took_s: float
    cpu_s: float
    """Of this process, native threads included; not of a server."""
    batch_s: tuple[float, ...]
    grown_bytes: int
    """Highest RSS of this process while loading, above that at the start."""
    server_rss_bytes: int
    """Of the processes below this one, at the end."""
    files: int
    disk_bytes: int


def system_and_variant(target: str, variant: str) -> tuple[System, str]:
    """Look up a target and one of its variants; "default" is the usual one.

    Raises:
        ScenarioError: No such variant, or its library is not installed.
    """
    system = SYSTEMS[target]
    known = list(system.variants)
    if variant == "default":
        variant = known[0]
    if variant not in known:
        raise ScenarioError(
            f"variant={variant}: {target} has no such variant{nearest(variant, known)}; "
            f"there are {', '.join(known)}"
        )
    require_modules(f"target {target}", system.modules)
    return system, variant


@contextmanager
def opened_system(system: System, variant: str, dsn: str, rows: int) -> Iterator[LoadTarget]:
    """Import the library, and start the server if there is one, for the length of a `with`.

    Raises:
        ScenarioError: The server is missing, does not start or has no room for the rows, or dsn
            makes no sense here.
    """
    if dsn and system.server is None:
        raise ScenarioError("dsn is for targets with a server: postgres and redis")
    with perftui.phase("import"):
        # Making a server's target does not connect yet.
        if system.server is None:
            target = system.make(variant)
        else:
            system.make(variant, "")
    if system.server is None:
        yield target
        return
    server = system.server(dsn, rows)
    with perftui.phase("spawn"):
        address = server.__enter__()
    try:
        yield system.make(variant, address)
    finally:
        with perftui.phase("teardown"):
            server.__exit__(None, None, None)


def generated_batches(system: System, rows: int, batch: int) -> list[Any]:
    """All batches, made beforehand: only loading is to be measured.

    Raises:
        ScenarioError: There is not the memory for them.
    """
    each = BYTES_PER_ROW if system.arrow else TUPLE_BYTES_PER_ROW
    check_memory(rows * each, "the rows to be loaded", "choose fewer rows")
    return list((arrow_batches if system.arrow else tuple_batches)(rows, batch))


def load(
    target: LoadTarget, batches: list[Any], folder: Path, name: str, phase: str | None = None
) -> Load:
    """Load all batches into a new place, and see that everything arrived.

    Raises:
        ScenarioError: The system does not have the rows that it was given.
    """
    target.open(folder, name)
    try:
        return _load(target, batches, folder, phase)
    finally:
        target.close()


def _load(target: LoadTarget, batches: list[Any], folder: Path, phase: str | None) -> Load:
    sizes = [batch_bytes(batch) for batch in batches]
    base = peak = rss_bytes()
    rows, batch_s = 0, []
    cpu_before, started = time.process_time(), time.perf_counter()
    with perftui.phase(phase) if phase else nullcontext():
        for batch, size in zip(batches, sizes, strict=True):
            began = time.perf_counter()
            with perftui.call("load batch"):
                target.load(batch)
            batch_s.append(time.perf_counter() - began)
            rows += len(batch)
            perftui.count("rows", len(batch))
            perftui.count("batches")
            perftui.count("bytes", size)
            peak = max(peak, rss_bytes())
    took_s, cpu_s = time.perf_counter() - started, time.process_time() - cpu_before
    stored = target.stored()
    if stored != rows:
        raise ScenarioError(f"{rows} rows were loaded and {stored} are there")
    files = [file for file in folder.rglob("*") if file.is_file()]
    disk = sum(file.stat().st_size for file in files)
    return Load(rows, took_s, cpu_s, tuple(batch_s), peak - base, _rss_below(), len(files), disk)


def hand_over_load(table: str, each: Load, **about: Figure) -> None:
    """Hand over one load as a row of a table; `about` says what was loaded how."""
    hand_over(
        table,
        **about,
        rows=each.rows,
        took_s=each.took_s,
        cpu_s=each.cpu_s,
        batches=len(each.batch_s),
        batch_median_s=median(each.batch_s),
        grown_bytes=each.grown_bytes,
        server_rss_bytes=each.server_rss_bytes,
        files=each.files,
        disk_bytes=each.disk_bytes,
    )


def _rss_below() -> int:
    total = 0
    import psutil  # here alone: `perftui list` imports this module

    for process in psutil.Process().children(recursive=True):
        try:
            total += process.memory_info().rss
        except psutil.Error:
            continue  # it has just ended
    return total


def rows_per_s(loads: list[Load]) -> float:
    """The median."""
    return median(each.rows / each.took_s for each in loads)
