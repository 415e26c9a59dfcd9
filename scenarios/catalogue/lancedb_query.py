"""A LanceDB table: ingest in batches, then each kind of query without and with its index.

With `only=scan` or `only=index` it asks one kind of query one way: what two runs are compared by.
"""

from collections.abc import Callable, Iterator
from statistics import median
from time import perf_counter
from typing import Annotated, Any, Literal

import perftui
from perftui.probes.text.units import format_count, format_seconds
from perftui.scenarios.data.cache import scratch
from perftui.scenarios.data.store_records import BYTES_PER_RECORD, Records
from perftui.scenarios.define.definition import scenario
from perftui.scenarios.define.parameters import Range, ScenarioError

_TOP = 10
_VERSIONS = 3
"""Of the data on disk, indexes included, as an upper bound."""


@scenario(
    "lancedb-query",
    summary="ingest, filter and vector search, before and after the indexes are built",
    shows="what an index buys for each kind of query, what building it costs, and its recall",
    requires=("lancedb", "pyarrow"),
)
def lancedb_query(
    rows: Annotated[int, Range(5_000, 10_000_000), "records to ingest"] = 200_000,
    dim: Annotated[int, Range(16, 4096), "of the vectors; a multiple of 4"] = 128,
    batch: Annotated[int, Range(1, 1_000_000), "rows per ingested batch"] = 2_000,
    queries: Annotated[int, Range(2, 100_000), "of each kind, including the first"] = 40,
    refine: Annotated[
        int, Range(0, 100), "candidates per hit that IVF_PQ checks exactly; 0 = none"
    ] = 10,
    only: Annotated[
        Literal["all", "scan", "index"], "just the filter, by a full scan or with its BTree"
    ] = "all",
) -> None:
    """See the module."""
    if dim % 4:
        raise ScenarioError(f"dim={dim}: dim is a multiple of 4, for product quantisation")
    with scratch("lancedb", _VERSIONS * rows * (BYTES_PER_RECORD + 4 * dim)) as folder:
        with perftui.phase("import"):
            import lancedb
            from lancedb.index import BTree, IvfPq
        with perftui.phase("setup"):
            database = lancedb.connect(str(folder / "db"))
            data = Records(dim)
            table = database.create_table("records", schema=data.schema)
            targets = [data.vector() for _ in range(queries)]
        _ingest(table, data.batches(rows, batch), rows)
        keys = [(index * 7919) % rows for index in range(queries)]

        def filter_rows(index: int) -> None:
            hits = table.search().where(f"key = {keys[index]}").limit(_TOP).to_arrow()
            perftui.count("rows found", hits.num_rows)

        def build_btree() -> None:
            _build("BTree index on key", lambda: table.create_index("key", config=BTree()))

        if only != "all":
            if only == "index":
                build_btree()
            _timed("filter", queries, filter_rows)
            return
        flat: list[set[int]] = []
        found: list[set[int]] = []

        def search(into: list[set[int]], index: int) -> None:
            # Left to itself Lance warns, per query, that it will stop adding _distance.
            query = table.search(targets[index]).select(["key", "_distance"]).limit(_TOP)
            if into is found and refine:
                query = query.refine_factor(refine)
            into.append(set(query.to_arrow()["key"].to_pylist()))

        scan = _timed("filter, full scan", queries, filter_rows)
        nearest = _timed("vector search, flat", queries, lambda index: search(flat, index))
        build_btree()
        indexed = _timed("filter, BTree", queries, filter_rows)
        ivf = IvfPq(num_sub_vectors=dim // 4, max_iterations=10)
        _build("IVF_PQ index on vector", lambda: table.create_index("vector", config=ivf))
        approximate = _timed("vector search, IVF_PQ", queries, lambda index: search(found, index))
        hits = sum(len(exact & near) for exact, near in zip(flat, found, strict=True))
        print(
            f"filter: BTree {scan / indexed:.1f} times as fast as a scan\n"
            f"search: IVF_PQ {nearest / approximate:.1f} times as fast as flat, "
            f"recall@{_TOP} {hits / (queries * _TOP):.2f}"
        )


def _ingest(table: Any, batches: Iterator[Any], rows: int) -> None:
    started = perf_counter()
    with perftui.phase("ingest"):
        for batch in batches:
            with perftui.call("add"):
                table.add(batch)
            perftui.count("rows", batch.num_rows)
            perftui.count("bytes", batch.nbytes)
    took_s = perf_counter() - started
    print(f"ingest {format_count(rows)} rows: {format_count(rows / took_s)} rows/s")


def _timed(name: str, n: int, query: Callable[[int], None]) -> float:
    """Run one kind of query, first and warm; the result is the warm median in seconds."""
    took_s: list[float] = []
    with perftui.phase(name):
        for phase, indices in (("first", range(1)), ("warm", range(1, n))):
            with perftui.phase(phase):
                for index in indices:
                    started = perf_counter()
                    with perftui.call(name):
                        query(index)
                    took_s.append(perf_counter() - started)
    warm_s = median(took_s[1:])
    print(f"{name}: first {format_seconds(took_s[0])}, warm {format_seconds(warm_s)}")
    return warm_s


def _build(name: str, create: Callable[[], object]) -> None:
    started = perf_counter()
    with perftui.phase(name):
        create()
    print(f"{name}: built in {format_seconds(perf_counter() - started)}")
