"""The pairs of `perftui demo`: two ways to do the same, each a declaration of data.

A side is a scenario with parameters; what is measured is one phase of it, "the work". What the
two have in common stands in the pair, what an engine calls it in a `Way`.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from perftui.scenarios.define.parameters import ScenarioError, nearest

MeasureKey = Literal[
    "first_row", "peak", "rate", "total", "kept", "released", "first_call", "warm_call"
]


class Side(NamedTuple):
    """One of the two."""

    name: str
    params: tuple[str, ...]
    """NAME=VALUE that the other side has otherwise."""


class Way(NamedTuple):
    """The lines of code of one engine."""

    engine: str
    modules: tuple[str, ...]
    """What must be importable."""
    code: tuple[str, str]
    """By side: what the border of its pane shows."""
    why: str
    """A sentence for the verdict: what makes the difference."""


class Pair(NamedTuple):
    """Two sides and how they are compared."""

    name: str
    question: str
    scenario: str
    params: tuple[str, ...]
    """Of both sides; `{engine}` stands for the engine."""
    sides: tuple[Side, Side]
    ways: tuple[Way, ...]
    """By engine, the usual one first."""
    work: str
    """The parameter that says how much is done: size or rows."""
    default: str
    phase: str
    """The phase that is measured."""
    measures: tuple[MeasureKey, ...]
    """The figures that are shown, in this order."""
    decides: tuple[MeasureKey, ...]
    """The figures that the verdict goes by, the most important first."""
    grows: MeasureKey
    """Whose growth with the work is measured."""
    smaller: Literal["parts", "work"]
    """How a smaller run is asked for: fewer of the part files, or less of `work`."""
    call: str = "call"
    """What a timed call is to a person: a query, a commit."""

    @property
    def has_data(self) -> bool:
        """Whether both sides read generated files."""
        return self.smaller == "parts"


_LANCEDB = ("lancedb", "pyarrow")


def _reading(
    name: str,
    question: str,
    scenario: str,
    params: tuple[str, ...],
    sides: tuple[Side, Side],
    ways: tuple[Way, ...],
) -> Pair:
    """Two ways to read the same files: what is asked is whether memory grows with them."""
    return Pair(
        name=name,
        question=question,
        scenario=scenario,
        params=params,
        sides=sides,
        ways=ways,
        work="size",
        default="300MB",
        phase="read",
        measures=("first_row", "peak", "rate", "total", "kept", "released"),
        decides=("peak", "first_row"),
        grows="peak",
        smaller="parts",
    )


def _look_alikes(name: str, question: str, sides: tuple[str, str], way: Way) -> Pair:
    """Two lines of one engine that look alike; the first only seems to stream."""
    return _reading(
        name=name,
        question=question,
        scenario="false-streaming",
        params=("pair={engine}",),
        sides=(Side(sides[0], ("half=false",)), Side(sides[1], ("half=true",))),
        ways=(way,),
    )


PAIRS: tuple[Pair, ...] = (
    _reading(
        name="streaming-vs-collect",
        question="same query, same rows: does memory grow with the data?",
        scenario="stream-vs-collect",
        params=("engine={engine}", "passes=1"),
        sides=(Side("collect", ("mode=collect",)), Side("streaming", ("mode=stream",))),
        ways=(
            Way(
                "duckdb",
                ("duckdb", "pyarrow"),
                (
                    "kept.append(con.execute(sql).to_arrow_table())",
                    "for batch in con.sql(sql).to_arrow_reader():",
                ),
                "execute() makes each result whole and the list keeps it; sql() hands over "
                "batches as they are made.",
            ),
            Way(
                "pyarrow",
                ("pyarrow",),
                ("kept.append(dataset.to_table())", "for batch in dataset.to_batches():"),
                "to_table() makes each result whole and the list keeps it; to_batches(), with "
                "pre_buffer=False and a short readahead, keeps a few batches.",
            ),
            Way(
                "polars",
                ("polars", "pyarrow"),
                (
                    'kept.append(lf.collect(engine="streaming"))',
                    "for frame in lf.collect_batches():",
                ),
                'collect(engine="streaming") streams inside, its result is whole; '
                "collect_batches() gives it piece by piece.",
            ),
            Way(
                "datafusion",
                ("datafusion", "pyarrow"),
                ("kept.append(df.collect())", "for batch in df.execute_stream():"),
                "collect() makes each result whole and the list keeps it; execute_stream() gives "
                "batches as they are made.",
            ),
            Way(
                "lance",
                ("lance", "pyarrow"),
                ("kept.append(dataset.to_table())", "for batch in dataset.to_batches():"),
                "to_table() makes each result whole and the list keeps it; to_batches() gives it "
                "piece by piece.",
            ),
            Way(
                "pandas",
                ("pandas", "pyarrow"),
                (
                    "kept.append(pandas.read_parquet(file))",
                    "for batch in parquet.iter_batches(): batch.to_pandas()",
                ),
                "read_parquet() makes each frame whole and the list keeps it; iter_batches() "
                "makes a frame per batch.",
            ),
        ),
    ),
    _look_alikes(
        "execute-vs-sql",
        "one word apart: which of the two readers streams?",
        ("execute", "sql"),
        Way(
            "duckdb",
            ("duckdb", "pyarrow"),
            ("con.execute(q).to_arrow_reader()", "con.sql(q).to_arrow_reader()"),
            "Both give a reader; execute() has the whole result before its first batch, sql() "
            "computes as it is read.",
        ),
    ),
    _look_alikes(
        "pre-buffer",
        "one option apart: does to_batches() keep what it has read?",
        ("default", "pre_buffer=False"),
        Way(
            "pyarrow",
            ("pyarrow",),
            ("dataset.to_batches()", "dataset.to_batches(pre_buffer=False, readahead 2)"),
            "With pre_buffer, the default, what was read ahead is kept to the end of the file.",
        ),
    ),
    _look_alikes(
        "polars-batches",
        "the streaming engine twice: which result streams?",
        ("collect", "batches"),
        Way(
            "polars",
            ("polars", "pyarrow"),
            ('lf.collect(engine="streaming").iter_slices()', "lf.collect_batches()"),
            'collect(engine="streaming") streams inside, its result is whole.',
        ),
    ),
    _look_alikes(
        "datafusion-list",
        "the same stream twice: what does keeping the batches cost?",
        ("into a list", "stream"),
        Way(
            "datafusion",
            ("datafusion", "pyarrow"),
            ("batches = list(df.execute_stream())", "for batch in df.execute_stream():"),
            "A stream that is put into a list is collected, whatever its name.",
        ),
    ),
    Pair(
        name="row-vs-batch",
        question="the same rows into LanceDB: one by one, or a hundred at a time?",
        scenario="loader",
        params=("target=lancedb", "repeats=1"),
        sides=(Side("row by row", ("batch=1",)), Side("batches", ("batch=100",))),
        ways=(
            Way(
                "lancedb",
                _LANCEDB,
                ("for row in rows: table.add([row])", "for batch in rows_by_100: table.add(batch)"),
                "Every add() is a commit with files of its own, whatever it holds.",
            ),
        ),
        work="rows",
        default="1000",
        phase="first",
        measures=("rate", "total", "first_call", "warm_call", "peak"),
        decides=("rate", "peak"),
        grows="total",
        smaller="work",
        call="commit",
    ),
    Pair(
        name="index-vs-none",
        question="look up a key in LanceDB: with an index, or without?",
        scenario="lancedb-query",
        params=("dim=16", "batch=100000", "queries=200"),
        sides=(Side("no index", ("only=scan",)), Side("BTree", ("only=index",))),
        ways=(
            Way(
                "lancedb",
                _LANCEDB,
                (
                    'table.search().where("key = 7919")',
                    'table.create_index("key", config=BTree())',
                ),
                "Without an index every query reads the whole column.",
            ),
        ),
        work="rows",
        default="1000000",
        phase="filter",
        measures=("first_call", "warm_call", "total", "peak"),
        decides=("warm_call", "total"),
        grows="warm_call",
        smaller="work",
        call="query",
    ),
)
"""In the order in which they are shown; the first is what `perftui demo` alone runs."""


def find_pair(name: str) -> Pair:
    """Look up a pair by name.

    Raises:
        ScenarioError: There is none; all that there are are named.
    """
    by_name = {pair.name: pair for pair in PAIRS}
    if name not in by_name:
        known = list(by_name)
        raise ScenarioError(
            f"there is no demo {name!r}{nearest(name, known)}; there are {', '.join(known)}"
        )
    return by_name[name]


def find_way(pair: Pair, engine: str | None) -> Way:
    """Look up an engine of a pair; None is the usual one.

    Raises:
        ScenarioError: The pair has no such engine.
    """
    if engine is None:
        return pair.ways[0]
    by_engine = {way.engine: way for way in pair.ways}
    if engine not in by_engine:
        known = list(by_engine)
        listed = f"there are {', '.join(known)}" if len(known) > 1 else f"there is only {known[0]}"
        raise ScenarioError(
            f"{pair.name} has no engine {engine!r}{nearest(engine, known)}; {listed}"
        )
    return by_engine[engine]
