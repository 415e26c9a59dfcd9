"""Programs whose memory grows, with known answers: `KNOWN` says who is right about each."""

from __future__ import annotations

from typing import NamedTuple


class Known(NamedTuple):
    """Who makes a program's memory grow."""

    functions: tuple[str, ...]
    """Functions of the program in which what is kept is made; one of them is right."""
    thread: str
    keeper: str
    """Where it is kept; "" where no name of the program's leads to it, which is to be said."""
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
    # --- further kinds of keepers ---
    "deque_of_bytes": Known(("encode",), "MainThread", "history"),
    "index_of_sets": Known(("index", "tokens"), "MainThread", "words"),
    "closure_memo": Known(("prices", "memoized.<locals>.asked"), "MainThread", "memo"),
    "class_registry": Known(("__init__", "thumbnail"), "MainThread", "instances"),
    "cached_method": Known(("parsed", "__init__", "count"), "MainThread", "lru_cache of"),
    "dataclass_rows": Known(("record",), "MainThread", ".trades"),
    "numpy_views": Known(("picture",), "MainThread", "corners", ("numpy",)),
    "arrow_slices": Known(("batch",), "MainThread", "heads", ("pyarrow",)),
    "polars_frames": Known(("query", "load"), "MainThread", "results", ("polars",)),
    "frame_concat": Known(("extend",), "MainThread", ".frame", ("pandas",)),
    "kept_futures": Known(("fetch",), "fetch_0", "futures"),
    "weak_cache": Known(("__init__", "tile"), "MainThread", "recent"),
    "context_var": Known(("step",), "MainThread", ""),
    "thread_local": Known(("parse", "handle"), "server", "state"),
    "open_generators": Known(("rows",), "MainThread", "readers"),
    "kept_errors": Known(("convert",), "MainThread", "failures"),
    "package_names": Known(("load",), "MainThread", "shop.stock"),
    "held_by_c": Known(("opened",), "MainThread", ""),
    "cycles_kept": Known(("__init__",), "MainThread", ""),
    "queue_of_batches": Known(("make",), "producer", "batches"),
    "log_records": Known(("answer",), "MainThread", "buffer"),
    "asyncio_tasks": Known(("deliver",), "MainThread", "background"),
    "text_grows": Known(("line",), "MainThread", ".text"),
    "sqlite_memory": Known(("store",), "MainThread", ""),
    "raw_buffers": Known(("buffer",), "MainThread", "buffers"),
    "subscribers": Known(("__init__", "show"), "MainThread", "subscribers"),
    "tree_of_dicts": Known(("insert",), "MainThread", "tree"),
    "linked_list": Known(("__init__", "advance"), "MainThread", ""),
}
