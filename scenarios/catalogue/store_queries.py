"""What a LanceDB application asks all day: filters, searches, sorted pages, statistics.

Each question is asked the slow way that such applications start with, then the way that they end
with: with an index, through a cache of the application's own, sorted and summed by an engine
instead of in pandas. Both ways must give the same answer.
"""

from collections.abc import Callable
from functools import partial
from statistics import median
from time import perf_counter
from typing import Annotated, Any, NamedTuple

import perftui
from perftui.probes.text.units import format_count, format_seconds
from perftui.scenarios.data.cache import scratch
from perftui.scenarios.data.store_records import BYTES_PER_RECORD, Records
from perftui.scenarios.define.definition import scenario
from perftui.scenarios.define.parameters import Range, ScenarioError
from perftui.scenarios.define.requirements import install_advice, missing_modules
from perftui.scenarios.say.figures import hand_over
from perftui.scenarios.say.table import print_table

_TOP = 10
_PAGE = 20
_REFINE = 10
"""Candidates per hit that are checked exactly."""
_BATCH = 10_000


class _Answer(NamedTuple):
    first_s: float
    warm_s: float
    answers: list[Any]


@scenario(
    "store-queries",
    summary="filters, vector searches, sorted pages and statistics on a LanceDB table",
    shows="what each index, a cache and an engine instead of pandas buy, with equal answers",
    requires=("lancedb", "pyarrow"),
    uses=("lance", "duckdb", "pandas"),
)
def store_queries(
    rows: Annotated[int, Range(5_000, 10_000_000), "records in the table"] = 100_000,
    dim: Annotated[int, Range(16, 4096), "of the vectors; a multiple of 4"] = 64,
    queries: Annotated[int, Range(2, 100_000), "of each kind, including the first"] = 20,
    ivf: Annotated[bool, "build the vector index too, which takes longest"] = True,
) -> None:
    """See the module."""
    if dim % 4:
        raise ScenarioError(f"dim={dim}: dim is a multiple of 4, for product quantisation")
    with scratch("store", 4 * rows * (BYTES_PER_RECORD + 4 * dim)) as folder:
        with perftui.phase("import"):
            import lancedb
            from lancedb.index import BTree, IvfPq
        with perftui.phase("setup"):
            records = Records(dim)
            database = lancedb.connect(str(folder / "db"))
            table = database.create_table("records", schema=records.schema)
            for batch in records.batches(rows, _BATCH):
                table.add(batch)
                perftui.count("rows", batch.num_rows)
            store = _Store(table, [records.vector() for _ in range(queries)], rows)
        lines: list[tuple[str, ...]] = []
        by_key = _asked("filter key =, scan", queries, store.by_key)
        by_reward = _asked("filter reward >, scan", queries, store.by_reward)
        flat = _asked("vector search, flat", queries, store.search)
        repeated = _asked("vector search, same again", queries, lambda _index: store.search(0))
        cached = _asked("vector search, own cache", queries, lambda _index: store.cached_search(0))
        lines += [
            _line("vector search, same again", repeated, "flat search", flat, _all_the_first),
            _line("vector search, own cache hit", cached, "flat search", flat, _all_the_first),
        ]
        for column in ("key", "reward"):
            _built(f"BTree on {column}", partial(table.create_index, column, config=BTree()))
        found = _asked("filter key =, BTree", queries, store.by_key)
        lines.append(_line("filter key =, BTree", found, "scan", by_key))
        ranged = _asked("filter reward >, BTree", queries, store.by_reward)
        lines.append(_line("filter reward >, BTree", ranged, "scan", by_reward))
        if ivf:
            config = IvfPq(num_sub_vectors=dim // 4, max_iterations=10)
            _built("IVF_PQ", lambda: table.create_index("vector", config=config))
            near = _asked("vector search, IVF_PQ", queries, store.search)
            lines.append(_line("vector search, IVF_PQ", near, "flat search", flat, _recall))
            refined = _asked("vector search, IVF_PQ refined", queries, store.refined_search)
            lines.append(
                _line("vector search, IVF_PQ refined", refined, "flat search", flat, _recall)
            )
        lines += _analytics(table, queries)
        print_table(("question", "first", "warm", "against", "that", "faster", "same"), lines)
        print(f"{format_count(rows)} records of {dim} dimensions, medians of {queries - 1}")


def _built(name: str, build: Callable[[], object]) -> None:
    started = perf_counter()
    with perftui.phase(f"build {name}"):
        build()
    hand_over("index", name=name, took_s=perf_counter() - started)


def _asked(name: str, n: int, ask: Callable[[int], Any]) -> _Answer:
    took_s: list[float] = []
    answers: list[Any] = []
    with perftui.phase(name):
        for phase, indices in (("first", range(1)), ("warm", range(1, n))):
            with perftui.phase(phase):
                for index in indices:
                    started = perf_counter()
                    with perftui.call(name):
                        answers.append(ask(index))
                    took_s.append(perf_counter() - started)
                    perftui.count("queries")
    return _Answer(took_s[0], median(took_s[1:]), answers)


def _line(
    name: str,
    now: _Answer,
    other_name: str,
    other: _Answer,
    same: Callable[[list[Any], list[Any]], str] | None = None,
) -> tuple[str, ...]:
    """`same` says how far the answers agree; by default each must be equal to its other."""
    agree = (same or _each_the_same)(now.answers, other.answers)
    hand_over(
        "question",
        name=name,
        against=other_name,
        n=len(now.answers),
        first_s=now.first_s,
        warm_s=now.warm_s,
        against_first_s=other.first_s,
        against_warm_s=other.warm_s,
        same=agree,
    )
    return (
        name,
        format_seconds(now.first_s),
        format_seconds(now.warm_s),
        other_name,
        format_seconds(other.warm_s),
        f"{other.warm_s / now.warm_s:.1f}x",
        agree,
    )


def _each_the_same(answers: list[Any], others: list[Any]) -> str:
    return "yes" if answers == others else "NO"


def _all_the_first(answers: list[Any], others: list[Any]) -> str:
    return "yes" if all(answer == others[0] for answer in answers) else "NO"


def _recall(answers: list[Any], others: list[Any]) -> str:
    """Share of the true neighbours that an approximate search found."""
    hits = sum(len(set(near) & set(true)) for near, true in zip(answers, others, strict=True))
    return f"{hits / (len(others) * _TOP):.2f}"


class _Store:
    """The application's questions. Answers are lists of keys."""

    def __init__(self, table: Any, vectors: list[list[float]], rows: int) -> None:
        self._table = table
        self._vectors = vectors
        self._rows = rows
        self._cache: dict[int, list[int]] = {}

    def by_key(self, index: int) -> list[int]:
        return self._keys(f"key = {index * 7919 % self._rows}")

    def by_reward(self, index: int) -> list[int]:
        return self._keys(f"reward > {0.9999 - index * 1e-6}")

    def _keys(self, condition: str) -> list[int]:
        query = self._table.search().where(condition).select(["key"]).limit(1000)
        return sorted(query.to_arrow()["key"].to_pylist())

    def search(self, index: int) -> list[int]:
        # Left to itself Lance warns, per query, that it will stop adding _distance.
        query = self._table.search(self._vectors[index]).select(["key", "_distance"]).limit(_TOP)
        return sorted(query.to_arrow()["key"].to_pylist())

    def refined_search(self, index: int) -> list[int]:
        """Through the index, then the best candidates once more, exactly."""
        query = self._table.search(self._vectors[index]).refine_factor(_REFINE)
        found = query.select(["key", "_distance"]).limit(_TOP)
        return sorted(found.to_arrow()["key"].to_pylist())

    def cached_search(self, index: int) -> list[int]:
        if index not in self._cache:
            self._cache[index] = self.search(index)
        return self._cache[index]


def _analytics(table: Any, queries: int) -> list[tuple[str, ...]]:
    """A sorted page and statistics: in pandas, and by DuckDB over the same Lance data."""
    modules = ("pandas", "duckdb", "lance")
    missing = missing_modules(modules)
    if missing:
        print(f"no sorted pages and statistics: {install_advice(missing)}")
        return []
    n = min(queries, 5)
    with perftui.phase("import"):
        import duckdb

        connection: Any = duckdb.connect()
        connection.register("records", table.to_lance())

    def page_in_pandas(columns: list[str] | None) -> list[int]:
        frame = table.to_lance().to_table(columns=columns).to_pandas()
        page = frame.sort_values("reward", ascending=False).head(_PAGE)
        return [int(key) for key in page["key"]]

    def statistics_in_pandas(_index: int) -> list[int]:
        frame = table.to_lance().to_table().to_pandas()
        return [len(frame), int((frame["reward"] > 0.5).sum())]

    def sql(text: str) -> list[int]:
        return [int(value) for row in connection.execute(text).fetchall() for value in row]

    page_sql = f"SELECT key FROM records ORDER BY reward DESC LIMIT {_PAGE}"
    statistics_sql = "SELECT count(*), count(*) FILTER (reward > 0.5) FROM records"
    whole = _asked("page, pandas, all columns", n, lambda _index: page_in_pandas(None))
    narrow = _asked(
        "page, pandas, two columns", n, lambda _index: page_in_pandas(["key", "reward"])
    )
    page = _asked("page, DuckDB over Lance", n, lambda _index: sql(page_sql))
    counted = _asked("statistics, pandas", n, statistics_in_pandas)
    statistics = _asked("statistics, DuckDB", n, lambda _index: sql(statistics_sql))
    connection.close()
    return [
        _line("page, pandas, two columns", narrow, "pandas, all columns", whole),
        _line("page, DuckDB over Lance", page, "pandas, all columns", whole),
        _line("statistics, DuckDB over Lance", statistics, "pandas", counted),
    ]
