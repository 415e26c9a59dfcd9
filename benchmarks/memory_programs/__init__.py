"""Programs whose memory grows, with known answers: `KNOWN` says who is right about each."""

from __future__ import annotations

from typing import NamedTuple


class Known(NamedTuple):
    """Who makes a program's memory grow."""

    functions: tuple[str, ...]
    """Functions of the program in which what is kept is made; one of them is right."""
    thread: str
    keeper: str
    """Where it is kept; "" where nothing of the program's has it."""
    needs: tuple[str, ...] = ()
    """Packages."""


KNOWN = {
    "who_allocates": Known(("fill_cache",), "cache", "kept"),
    "leak_at_top": Known(("<module>",), "MainThread", "kept"),
    "arrow_read": Known(("read",), "MainThread", "TABLES", ("pyarrow",)),
    # The columns that `load` made are kept, too: `assign` does not copy them.
    "pandas_cache": Known(("enrich", "load"), "MainThread", "CACHE", ("pandas",)),
    "list_building": Known(("parse", "build"), "MainThread", "rows"),
    "numpy_results": Known(("simulate",), "MainThread", "results", ("numpy",)),
    "duckdb_collect": Known(("collect",), "MainThread", "collected", ("duckdb", "pyarrow")),
    "lancedb_add": Known(("make_rows", "add"), "MainThread", "sent", ("lancedb", "pyarrow")),
    "worker_thread": Known(("load",), "loader", "inbox"),
    "generator_pipeline": Known(("read_lines", "parsed", "collect"), "MainThread", "found"),
    "interleaved": Known(("hoard",), "MainThread", "kept"),
    "asyncio_service": Known(("answer",), "MainThread", "answers"),
    # The table is shared by the workers, and grows in none of them.
    "fork_shared": Known(("look_up",), "MainThread", "remembered"),
    # Nothing of the program's has what C has lost.
    "c_extension": Known(("thumbnail",), "MainThread", ""),
}
