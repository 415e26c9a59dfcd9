"""Users at the same time: 1, 5, 10, 20 threads that ask one table as fast as it answers.

As long as throughput rises with the users, there was room. Where it stops rising, every further
user only makes all of them wait longer.
"""

import threading
from collections.abc import Callable
from statistics import fmean, quantiles
from time import perf_counter
from typing import Annotated, Any, Literal, NamedTuple

import perftui
from perftui.probes.text.units import format_count, format_seconds
from perftui.scenarios.catalogue.batch_size import whole_numbers
from perftui.scenarios.data.cache import scratch
from perftui.scenarios.data.store_records import BYTES_PER_RECORD, Records
from perftui.scenarios.define.definition import scenario
from perftui.scenarios.define.parameters import Range, ScenarioError
from perftui.scenarios.engines.available import require_modules
from perftui.scenarios.say.figures import hand_over
from perftui.scenarios.say.table import print_table

_DIM = 64
_WORTH_MORE_USERS = 1.15
"""Throughput must rise by this factor, else we say that it has stopped rising."""
_MOST_USERS = 1000


class _Level(NamedTuple):
    users: int
    took_s: float
    latencies_s: list[float]
    failed: int
    error: str
    threads: int


@scenario(
    "users",
    summary="1, 5, 10 and 20 users that ask one table at the same time",
    shows="where throughput stops rising and only latency does",
    uses=("lancedb", "pyarrow"),
)
def users(
    store: Annotated[Literal["lancedb", "sqlite"], "what is asked"] = "lancedb",
    request: Annotated[
        Literal["key", "list", "search"], "by indexed key, 100 records, or the nearest 10 vectors"
    ] = "key",
    levels: Annotated[str, "numbers of users, separated by commas"] = "1,5,10,20",
    seconds: Annotated[float, Range(0.1, 3600), "per level"] = 2.0,
    mode: Annotated[Literal["thread", "async"], "a thread per user, or tasks (lancedb)"] = "thread",
    rows: Annotated[int, Range(1_000, 100_000_000), "records in the table"] = 50_000,
) -> None:
    """See the module."""
    numbers = whole_numbers("levels", levels)
    if max(numbers) > _MOST_USERS:
        raise ScenarioError(f"levels={levels}: {_MOST_USERS} users are the most")
    if store == "sqlite" and (mode == "async" or request == "search"):
        raise ScenarioError("sqlite has no async API and no vector search: choose store=lancedb")
    if store == "lancedb":
        require_modules("store lancedb", ("lancedb", "pyarrow"))
    with scratch("users", rows * (BYTES_PER_RECORD + 4 * _DIM) * 3) as folder:
        if store == "sqlite":
            found = _in_threads(
                _sqlite(str(folder / "users.sqlite"), request, rows), numbers, seconds
            )
        elif mode == "thread":
            table, vectors = _lancedb(str(folder), rows)
            ask = _lancedb_request(table, vectors, request, rows)
            found = _in_threads(lambda: ask, numbers, seconds)
        else:
            _table, vectors = _lancedb(str(folder), rows)
            import asyncio  # here alone: `perftui list` imports this module

            found = asyncio.run(_in_tasks(str(folder), vectors, request, rows, numbers, seconds))
    _report(f"{store} {request}, {mode}", found, seconds)
    for level in found:
        _hand_over(f"{store} {request}, {mode}", level)


_Ask = Callable[[int], object]


def _sqlite(path: str, request: str, rows: int) -> Callable[[], _Ask]:
    import sqlite3

    with perftui.phase("setup"):
        connection = sqlite3.connect(path)
        connection.execute("CREATE TABLE records (key INTEGER PRIMARY KEY, note TEXT)")
        values = ((key, f"note {key}") for key in range(rows))
        connection.executemany("INSERT INTO records VALUES (?, ?)", values)
        connection.commit()
        connection.close()
    # A thousand keys at a time: a single one takes less than looking at the clock.
    sql = "SELECT count(*), max(note) FROM records WHERE key BETWEEN ?1 AND ?1 + 1000"
    if request == "list":
        sql = "SELECT * FROM records WHERE key >= ? LIMIT 100"

    def make() -> _Ask:
        own = sqlite3.connect(path)  # a connection belongs to its thread
        return lambda index: own.execute(sql, (index * 7919 % rows,)).fetchall()

    return make


def _lancedb(folder: str, rows: int) -> tuple[Any, list[list[float]]]:
    with perftui.phase("import"):
        import lancedb
        from lancedb.index import BTree
    with perftui.phase("setup"):
        records = Records(_DIM)
        table = lancedb.connect(folder).create_table("records", schema=records.schema)
        for batch in records.batches(rows, 10_000):
            table.add(batch)
        table.create_index("key", config=BTree())
        vectors = [records.vector() for _ in range(64)]
    return table, vectors


def _lancedb_request(table: Any, vectors: list[list[float]], request: str, rows: int) -> _Ask:
    def by_key(index: int) -> object:
        return table.search().where(f"key = {index * 7919 % rows}").limit(1).to_arrow()

    def first_records(_index: int) -> object:
        return table.search().select(["key", "reward", "note"]).limit(100).to_arrow()

    def nearest(index: int) -> object:
        query = table.search(vectors[index % len(vectors)])
        return query.select(["key", "_distance"]).limit(10).to_arrow()

    return {"key": by_key, "list": first_records, "search": nearest}[request]


def _in_threads(make: Callable[[], _Ask], numbers: list[int], seconds: float) -> list[_Level]:
    """Each level in turn; `make` gives a thread its way to ask."""
    levels = []
    for number in numbers:
        latencies: list[float] = []
        errors: list[str] = []
        end = perf_counter() + seconds

        def user(
            who: int,
            end: float = end,
            into: list[float] = latencies,
            failures: list[str] = errors,
        ) -> None:
            ask, index = make(), who
            while perf_counter() < end:
                started = perf_counter()
                try:
                    with perftui.call("request"):
                        ask(index)
                except Exception as wrong:
                    failures.append(f"{type(wrong).__name__}: {wrong}")
                    perftui.count("errors")
                else:
                    into.append(perf_counter() - started)
                    perftui.count("requests")
                index += 1

        started = perf_counter()
        with perftui.phase(_users(number)):
            own = [
                threading.Thread(target=user, args=(who * 1000,), name=f"user-{who}")
                for who in range(number)
            ]
            for thread in own:
                thread.start()
            threads = _thread_count()
            for thread in own:
                thread.join()
        took_s = perf_counter() - started
        error = errors[0] if errors else ""
        levels.append(_Level(number, took_s, latencies, len(errors), error, threads))
    return levels


async def _in_tasks(
    folder: str,
    vectors: list[list[float]],
    request: str,
    rows: int,
    numbers: list[int],
    seconds: float,
) -> list[_Level]:
    from asyncio import gather

    import lancedb

    table: Any = await (await lancedb.connect_async(folder)).open_table("records")

    async def ask(index: int) -> object:
        if request == "key":
            return await table.query().where(f"key = {index * 7919 % rows}").limit(1).to_arrow()
        if request == "list":
            return await table.query().select(["key", "reward", "note"]).limit(100).to_arrow()
        query = table.query().nearest_to(vectors[index % len(vectors)])
        return await query.select(["key", "_distance"]).limit(10).to_arrow()

    levels = []
    for number in numbers:
        latencies: list[float] = []
        errors: list[str] = []
        end = perf_counter() + seconds

        async def user(
            who: int,
            end: float = end,
            into: list[float] = latencies,
            failures: list[str] = errors,
        ) -> None:
            index = who
            while perf_counter() < end:
                started = perf_counter()
                try:
                    await ask(index)
                except Exception as wrong:
                    failures.append(f"{type(wrong).__name__}: {wrong}")
                    perftui.count("errors")
                else:
                    into.append(perf_counter() - started)
                    perftui.count("requests")
                index += 1

        started = perf_counter()
        with perftui.phase(_users(number)):
            await gather(*(user(who * 1000) for who in range(number)))
        took_s = perf_counter() - started
        error = errors[0] if errors else ""
        levels.append(_Level(number, took_s, latencies, len(errors), error, _thread_count()))
    return levels


def _thread_count() -> int:
    """OS threads of this process, those of native libraries included."""
    import psutil

    return int(psutil.Process().num_threads())


def _report(what: str, levels: list[_Level], seconds: float) -> None:
    rows = []
    for level in levels:
        if len(level.latencies_s) < 2:
            print(f"{_users(level.users)}: too few requests were answered for figures")
            continue
        cuts = quantiles(level.latencies_s, n=100, method="inclusive")
        total = len(level.latencies_s) + level.failed
        rows.append(
            (
                str(level.users),
                format_count(len(level.latencies_s) / level.took_s),
                format_seconds(fmean(level.latencies_s)),
                *(format_seconds(cuts[percent - 1]) for percent in (50, 95, 99)),
                format_seconds(max(level.latencies_s)),
                f"{len(level.latencies_s) / total:.1%}",
                str(level.threads),
            )
        )
    header = ("users", "requests/s", "mean", "p50", "p95", "p99", "max", "success", "threads")
    if rows:
        print_table(header, rows)
    for level in levels:
        if level.failed:
            print(
                f"{_users(level.users)}: {level.failed} requests failed, first with {level.error}"
            )
    print(f"{what}, {format_seconds(seconds)} per level; {_saturation(levels)}")


def _hand_over(what: str, level: _Level) -> None:
    answered = sorted(level.latencies_s)
    cuts = quantiles(answered, n=100, method="inclusive") if len(answered) > 1 else None
    hand_over(
        "users",
        what=what,
        users=level.users,
        took_s=level.took_s,
        answered=len(answered),
        failed=level.failed,
        mean_s=fmean(answered) if answered else None,
        p50_s=cuts[49] if cuts else None,
        p95_s=cuts[94] if cuts else None,
        p99_s=cuts[98] if cuts else None,
        max_s=answered[-1] if answered else None,
        threads=level.threads,
    )


def _users(number: int) -> str:
    return "1 user" if number == 1 else f"{number} users"


def _saturation(levels: list[_Level]) -> str:
    best = levels[0]
    for level in levels[1:]:
        before = len(best.latencies_s) / best.took_s
        if len(level.latencies_s) / level.took_s < _WORTH_MORE_USERS * before:
            return f"throughput stops rising at {_users(best.users)}"
        best = level
    if len(levels) == 1:
        return "one level says nothing about where throughput stops rising"
    return f"throughput still rises at {_users(best.users)}"
