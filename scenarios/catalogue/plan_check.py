"""Did filter and projection reach the scan? The engine's own EXPLAIN beside the run.

The same rows are asked for in ways that look equally good in the source: as they should be, with
every column, with a filter that no statistics can serve, with a filter above a window function,
and by a program that reads everything and filters for itself.
"""

import re
import time
from collections.abc import Callable
from statistics import median
from typing import Annotated, Any, Literal, NamedTuple, Protocol

import perftui
from perftui.probes.plans.facts import (
    ScanFacts,
    datafusion_facts,
    duckdb_facts,
    duckdb_rows,
    lance_facts,
    polars_facts,
    printed_rows,
)
from perftui.probes.text.units import format_bytes, format_count, format_seconds
from perftui.scenarios.data.orders import orders
from perftui.scenarios.data.orders_lance import lance_orders
from perftui.scenarios.define.definition import scenario
from perftui.scenarios.define.parameters import Range
from perftui.scenarios.engines.available import modules_of, require_modules
from perftui.scenarios.say.table import print_table

_COLUMNS = ("id", "customer", "amount", "tax", "weight", "note")
_CUSTOMER = 7
_SQL = {
    "pushed": "SELECT id, amount FROM {source} WHERE customer = 7",
    "every column": "SELECT * FROM {source} WHERE customer = 7",
    "computed filter": "SELECT id, amount FROM {source} WHERE customer % 131072 = 7",
    "above a window": (
        "SELECT id, amount FROM (SELECT *, row_number() OVER (ORDER BY id) AS n FROM {source}) "
        "WHERE customer = 7 AND n > 0"
    ),
    "in the program": "SELECT * FROM {source}",
}


class _Way(NamedTuple):
    """One way to ask."""

    explain: Callable[[], tuple[str, ScanFacts]]
    read: Callable[[], Any]
    """Gives an Arrow table."""
    scanned: Callable[[], int | None]
    """Runs it once more and gives the rows that the scan handed on."""


class _Engine(Protocol):
    def ways(self) -> dict[str, _Way]: ...


@scenario(
    "plan-check",
    summary="the same rows asked for in several ways, with the engine's plan for each",
    shows="whether filter and projection reached the scan, and what it costs if they did not",
    requires=("pyarrow",),
    uses=("duckdb", "datafusion", "lance", "polars"),
)
def plan_check(
    engine: Annotated[Literal["duckdb", "datafusion", "lance", "polars"], "whose plans"] = "duckdb",
    rows: Annotated[int, Range(1_000, 1_000_000_000), "of the data"] = 3_000_000,
    queries: Annotated[int, Range(2, 100_000), "of each way, including the first"] = 15,
    plans: Annotated[bool, "print the plans themselves too"] = True,
) -> None:
    """See the module."""
    require_modules(f"engine {engine}", modules_of(engine))
    with perftui.phase("setup"):
        files = orders(rows)
        lance_path = str(lance_orders(rows)) if engine == "lance" else ""
    with perftui.phase("import"):
        makers: dict[str, Callable[[], _Engine]] = {
            "duckdb": lambda: _Duckdb([str(file) for file in files]),
            "datafusion": lambda: _Datafusion(str(files[0].parent)),
            "lance": lambda: _Lance(lance_path),
            "polars": lambda: _Polars([str(file) for file in files]),
        }
        chosen = makers[engine]()
    lines = []
    for name, way in chosen.ways().items():
        text, facts = way.explain()
        reached = f"{_columns(facts)} columns, filter {facts.filter}"
        needed = _needed(facts)
        perftui.plan(
            name, text, filter=facts.filter, columns_read=facts.columns, columns_needed=needed
        )
        if plans:
            print(f"-- {name}: {reached}")
            print("\n".join(f"   {line[:160]}" for line in text.splitlines() if line.strip()))
        took_s, found, nbytes = _timed(name, way, queries)
        with perftui.phase("analyze"):
            scanned = way.scanned()
        perftui.plan(
            name,
            text,
            filter=facts.filter,
            columns_needed=needed,
            columns_read=facts.columns,
            rows_read=scanned,
            rows_needed=found,
        )
        lines.append(
            (
                name,
                f"{_columns(facts)} of {len(_COLUMNS)}",
                facts.filter,
                "?" if scanned is None else format_count(scanned),
                format_seconds(took_s[0]),
                format_seconds(median(took_s[1:])),
                format_count(found),
                format_bytes(nbytes),
            )
        )
    print_table(
        ("way", "columns read", "filter", "rows read", "first", "warm", "rows", "result"), lines
    )
    print(
        f"{engine}, {format_count(rows)} rows; result: what left the engine before the program "
        "looked at it"
    )


def _columns(facts: ScanFacts) -> str:
    return "?" if facts.columns is None else str(facts.columns)


def _needed(facts: ScanFacts) -> int:
    """How many columns would do: two, and that of the filter where the scan hands it on."""
    return 2 if facts.columns is None else max(2, min(facts.columns, 3))


def _timed(name: str, way: _Way, queries: int) -> tuple[list[float], int, int]:
    """Returns the times, the rows of the answer and the bytes that left the engine."""
    took_s, found, nbytes = [], 0, 0
    with perftui.phase(name):
        for _ in range(queries):
            started = time.perf_counter()
            with perftui.call(name):
                table = way.read()
                answer = _filtered(table) if name == "in the program" else table
            took_s.append(time.perf_counter() - started)
            found, nbytes = answer.num_rows, table.nbytes
            perftui.count("rows", found)
            perftui.count("bytes", nbytes)
            del table, answer
    return took_s, found, nbytes


def _filtered(table: Any) -> Any:
    import pyarrow.compute

    pc: Any = pyarrow.compute
    wanted = pc.equal(table["customer"].cast("int64"), _CUSTOMER)
    return table.select(["id", "amount"]).filter(wanted)


class _Duckdb:
    def __init__(self, files: list[str]) -> None:
        import duckdb

        self._connection: Any = duckdb.connect()
        # A view takes no parameters, so the names stand in its text, quoted.
        names = ", ".join("'" + file.replace("'", "''") + "'" for file in files)
        self._connection.execute(f"CREATE VIEW orders AS SELECT * FROM read_parquet([{names}])")

    def ways(self) -> dict[str, _Way]:
        return {name: self._way(sql.format(source="orders")) for name, sql in _SQL.items()}

    def _way(self, sql: str) -> _Way:
        def explain() -> tuple[str, ScanFacts]:
            as_json = self._connection.execute(f"EXPLAIN (FORMAT JSON) {sql}").fetchall()[0][1]
            as_text = self._connection.execute(f"EXPLAIN {sql}").fetchall()[0][1]
            return as_text, duckdb_facts(as_json)

        def scanned() -> int | None:
            asked = f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}"
            return duckdb_rows(self._connection.execute(asked).fetchall()[0][1])

        return _Way(explain, lambda: self._connection.sql(sql).to_arrow_table(), scanned)


class _Datafusion:
    def __init__(self, folder: str) -> None:
        import datafusion

        self._context: Any = datafusion.SessionContext()
        self._context.register_parquet("orders", folder)

    def ways(self) -> dict[str, _Way]:
        return {name: self._way(sql.format(source="orders")) for name, sql in _SQL.items()}

    def _way(self, sql: str) -> _Way:
        def explain() -> tuple[str, ScanFacts]:
            plan = self._context.sql(sql).execution_plan().display_indent()
            return _without_files(plan), datafusion_facts(plan)

        def scanned() -> int | None:
            plans = self._context.sql(f"EXPLAIN ANALYZE {sql}").to_arrow_table()["plan"]
            return printed_rows("\n".join(plans.to_pylist()))

        return _Way(explain, lambda: self._context.sql(sql).to_arrow_table(), scanned)


def _without_files(plan: str) -> str:
    """Take out which bytes of which files: most of the text, and of no interest here."""
    plan = re.sub(r"file_groups=\{(\d+) groups?: .*?\]\]\}, ", r"file_groups=\1, ", plan)
    return re.sub(r"uri=[^,]*, ", "", plan)


class _Lance:
    def __init__(self, path: str) -> None:
        import lance

        self._dataset: Any = lance.dataset(path)

    def ways(self) -> dict[str, _Way]:
        wanted = ["id", "amount"]
        return {
            "pushed": self._way(columns=wanted, filter="customer = 7"),
            "every column": self._way(filter="customer = 7"),
            "computed filter": self._way(columns=wanted, filter="customer % 131072 = 7"),
            "in the program": self._way(),
        }

    def _way(self, **scan: Any) -> _Way:
        def explain() -> tuple[str, ScanFacts]:
            plan = self._dataset.scanner(**scan).explain_plan(True)
            return _without_files(plan), lance_facts(plan)

        def scanned() -> int | None:
            return printed_rows(self._dataset.scanner(**scan).analyze_plan())

        return _Way(explain, lambda: self._dataset.to_table(**scan), scanned)


class _Polars:
    def __init__(self, files: list[str]) -> None:
        import polars

        self._pl: Any = polars
        self._files = files

    def ways(self) -> dict[str, _Way]:
        pl, scan = self._pl, self._pl.scan_parquet(self._files)
        customer = pl.col("customer")
        numbered = scan.with_columns(n=pl.col("id").rank("ordinal"))
        return {
            "pushed": self._way(scan.filter(customer == _CUSTOMER).select("id", "amount")),
            "every column": self._way(scan.filter(customer == _CUSTOMER)),
            "computed filter": self._way(
                scan.filter(customer % 131072 == _CUSTOMER).select("id", "amount")
            ),
            "above a window": self._way(
                numbered.filter(customer == _CUSTOMER, pl.col("n") > 0).select("id", "amount")
            ),
            "in the program": self._way(scan),
        }

    def _way(self, frame: Any) -> _Way:
        def explain() -> tuple[str, ScanFacts]:
            plan = frame.explain()
            return plan, polars_facts(plan)

        # Polars' profiler tells times and no rows.
        return _Way(explain, lambda: frame.collect().to_arrow(), lambda: None)
